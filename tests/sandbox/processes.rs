//! Other processes, their secrets, and the kernel's doors.

use crate::{Stand, Victim, environment, perl, strict};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::{fs::File, os::fd::AsRawFd as _};

#[tokio::test]
async fn the_bots_environment_memory_and_descriptors_are_not_to_be_seen() {
    let stand = Stand::new();
    let victim = Victim::new();
    let all = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -q ghs_secret && echo REACHED";
    stand.is_kept_from(all).await;
    let id = victim.id();
    stand.is_kept_from(&format!("cat /proc/{id}/environ && echo REACHED")).await;
    stand.is_kept_from(&format!("(exec 3</proc/{id}/mem) && echo REACHED")).await;
    stand.is_kept_from(&format!("ls /proc/{id}/fd/0 && echo REACHED")).await;
    stand.is_kept_from(&format!("ls /proc/{id}/root/ /proc/{id}/cwd/ && echo REACHED")).await;
    stand.is_kept_from(&format!("cat /proc/{id}/cmdline && echo REACHED")).await;
}

#[tokio::test]
async fn the_bots_processes_are_neither_traced_nor_ended() {
    let stand = Stand::new();
    let mut victim = Victim::new();
    let id = victim.id();
    // PTRACE_ATTACH, by the numbers of this architecture.
    let number = if cfg!(target_arch = "x86_64") { 101 } else { 117 };
    let attach =
        perl(&format!("print syscall({number}, 16, {id}, 0, 0) == 0 ? \"REACHED\" : \"$!\\n\""));
    let said = stand.cannot(&attach).await;
    if !said.out.is_empty() {
        assert!(said.out.contains("No such process"), "{said:#?}");
    }
    stand.cannot(&format!("kill -9 {id} && echo REACHED; kill -9 -1; true")).await;
    assert!(victim.is_alive());
}

#[tokio::test]
async fn a_descriptor_that_the_bot_left_open_is_closed() {
    let stand = Stand::new();
    let secret = File::open(stand.file("digest-bump.db", "a secret\n")).unwrap();
    fcntl(&secret, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    let number = secret.as_raw_fd();
    stand.is_kept_from(&format!("cat /proc/self/fd/{number} && echo REACHED")).await;
    let seen = stand.cannot("ls -l /proc/self/fd /proc/1/fd /proc/2/fd").await;
    assert!(!seen.out.contains("digest-bump"), "{seen:#?}");
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_nothing_else() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let mut cell = stand.cell("");
    cell.program = "/usr/bin/env".into();
    cell.arguments.clear();
    cell.environment = environment(&[("A", "1"), ("PATH", "/bin")]);
    let seen = stand.step(&sandbox, &cell).await;
    assert_eq!((seen.out.as_str(), seen.err.as_str()), ("A=1\nPATH=/bin\n", ""));
    cell.network = vec!["192.0.2.1:443".parse().unwrap()];
    let seen = stand.step(&sandbox, &cell).await;
    let names: Vec<&str> = seen.out.lines().filter_map(|it| it.split('=').next()).collect();
    assert_eq!(names.len(), 13, "{seen:#?}");
    for name in ["HTTP_PROXY", "https_proxy", "npm_config_https_proxy", "NO_PROXY", "A", "PATH"] {
        assert!(names.contains(&name), "{name}: {seen:#?}");
    }
}

#[tokio::test]
async fn it_is_nobody_has_no_capability_and_cannot_gain_any() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let script = "id -u; id -g; grep -E '^(CapEff|CapBnd|CapPrm|NoNewPrivs)' /proc/self/status; \
                  cat /proc/self/oom_score_adj; ps -o sid= -p $$ 2>/dev/null || true";
    let seen = stand.step(&sandbox, &stand.cell(script)).await;
    let none = "0000000000000000";
    let expected = format!(
        "1000\n1000\nCapPrm:\t{none}\nCapEff:\t{none}\nCapBnd:\t{none}\nNoNewPrivs:\t1\n1000\n"
    );
    assert!(seen.out.starts_with(&expected), "{seen:#?}");
    stand.cannot("echo -1000 >/proc/self/oom_score_adj && echo REACHED").await;
    for it in [
        "mount -t tmpfs none /tmp",
        "mount -o remount,rw /",
        "mount -o remount,bind,rw /usr",
        "umount /proc",
        "umount /tmp",
        "chroot / true",
        "unshare -Ur true",
        "unshare -m true",
        "nsenter -t 1 -m true",
        "setpriv --reuid=0 true",
        "hostname other",
        "ip link add x type dummy",
        "su -c true",
    ] {
        stand.cannot(&format!("{it} 2>/dev/null && echo REACHED")).await;
    }
}

#[tokio::test]
async fn each_step_has_processes_of_its_own() {
    let stand = Stand::new();
    let seen = stand.cannot("for it in /proc/[0-9]*; do echo $it; done").await;
    let count = seen.out.lines().filter(|line| line.starts_with("/proc/")).count();
    assert!(count <= 4, "{seen:#?}");
}
