//! What can be read and written.

use crate::{Ended, MIB, Stand, ended, named, quoted, strict};
use digest_bump::canary::sandbox::Cell;
use std::{fs, os::unix::fs::PermissionsExt as _};

#[tokio::test]
async fn the_database_keys_and_other_runs_cannot_be_read() {
    let stand = Stand::new();
    for name in ["digest-bump.db", "github-app.pem", "canary/8/tree/file", "canary/8/home/.npmrc"] {
        let path = stand.file(name, "a secret\n");
        stand.is_kept_from(&format!("cat {} && echo REACHED", quoted(&path))).await;
    }
}

#[tokio::test]
async fn beside_the_runs_own_directories_there_is_nothing_of_the_state() {
    let stand = Stand::new();
    stand.file("digest-bump.db", "");
    stand.file("canary/8/tree/file", "");
    let Some(sandbox) = strict().await else { return };
    let script = "cd ../../..; find . -mindepth 1 | sort";
    let seen = stand.step(&sandbox, &stand.cell(script)).await;
    let all = "./canary\n./canary/7\n./canary/7/home\n./canary/7/tmp\n./canary/7/tree\n\
               ./canary/7/tree/file\n";
    assert_eq!(seen, Ended { code: Some(0), out: all.to_owned(), err: String::new() });
}

#[tokio::test]
async fn the_bots_home_is_not_there() {
    let stand = Stand::new();
    let home = named("HOME").unwrap_or_else(|| "/root".into());
    let home = std::path::Path::new(&home);
    let script = format!("test -n \"$(ls -A {})\" && echo REACHED", quoted(home));
    stand.cannot(&script).await;
    stand.cannot("cat /etc/shadow && echo REACHED").await;
    stand.cannot("ls /root /home /var /opt /srv /mnt /media /boot && echo REACHED").await;
}

#[tokio::test]
async fn of_etc_there_is_what_programs_need_and_no_more() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let seen = stand.step(&sandbox, &stand.cell("ls /etc; cat /etc/passwd; ls /etc/ssl")).await;
    for name in ["shadow", "hostname", "resolv.conf", "private", "root:", "gitconfig"] {
        assert!(!seen.out.contains(name), "{name}: {seen:#?}");
    }
    assert!(seen.out.contains("step:x:1000:1000"), "{seen:#?}");
}

#[tokio::test]
async fn nothing_can_be_written_but_tree_home_and_scratch() {
    let stand = Stand::new();
    let places = "/ /etc /usr /usr/bin /usr/local /bin /lib /dev /dev/pts /proc /proc/sys /run \
                  /run/digest-bump ../.. ../../..";
    let script = format!("for it in {places}; do touch $it/x && echo REACHED $it; done");
    stand.cannot(&script).await;
    stand.cannot("for it in passwd group hosts; do echo x >>/etc/$it && echo REACHED; done").await;
    stand.cannot("echo 1 >/proc/sys/kernel/panic && echo REACHED").await;
    stand.cannot("echo b >/proc/sysrq-trigger && echo REACHED").await;
    // The program that prepared the cell is the bot's own.
    stand.cannot("echo x >>/proc/2/exe && echo REACHED").await;
    stand.cannot("echo x >>/run/digest-bump/launcher && echo REACHED").await;

    let Some(sandbox) = strict().await else { return };
    let script = "for it in . .. ~ $TMPDIR /tmp /dev/shm; do touch $it/x || echo FAILED $it; done; \
                  cp /bin/true ./run && ./run && mkdir a && mv file a/ && echo DONE";
    let written = stand.step(&sandbox, &stand.cell(&script.replace(" ..", ""))).await;
    assert_eq!(written.out, "DONE\n", "{written:#?}");
    assert_eq!(
        fs::read_dir(stand.work().join("tree")).unwrap().count(),
        1,
        "the host's is as it was"
    );
}

#[tokio::test]
async fn the_tool_chain_can_be_read_and_run_and_not_be_changed() {
    let stand = Stand::new();
    let tool = stand.file("tools/bin/tool", "#!/bin/sh\necho it runs\n");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(stand.path("tools"), fs::Permissions::from_mode(0o777)).unwrap();
    let script = format!(
        "{0} && for it in {0} {1}/x; do echo x >>$it && echo REACHED; done; true",
        tool.display(),
        stand.path("tools").display()
    );
    let cell = Cell { read_only: vec![stand.path("tools")], ..stand.cell(&script) };
    let Some(sandbox) = strict().await else { return };
    let seen = stand.step(&sandbox, &cell).await;
    assert_eq!((seen.code, seen.out.as_str()), (Some(0), "it runs\n"), "{seen:#?}");
}

#[tokio::test]
async fn there_are_no_devices_but_the_harmless_ones_and_no_sys() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let seen =
        stand.step(&sandbox, &stand.cell("ls /dev; test -e /sys && echo REACHED; true")).await;
    let all =
        "core\nfd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n";
    assert_eq!(seen.out, all, "{seen:#?}");
    stand
        .cannot("mknod $TMPDIR/disk b 8 0 && echo REACHED; mknod /tmp/mem c 1 1 && echo REACHED")
        .await;
    stand.cannot("cat /proc/kcore >/dev/null && echo REACHED").await;
}

#[tokio::test]
async fn a_full_run_is_full_wherever_it_writes_and_also_in_its_next_step() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let run = stand.open(&sandbox, 16 * MIB).await;
    let fill =
        "for it in . ~ $TMPDIR /tmp /dev/shm; do dd if=/dev/zero of=$it/big bs=64k; done; true";
    let filled = ended(&run, &stand.cell(fill)).await;
    assert!(filled.err.contains("No space left on device"), "{filled:#?}");
    let script = "dd if=/dev/zero of=again bs=1 count=1; perl -e 'print -s $_, qq(\\n) for @ARGV' big ~/big /tmp/big /dev/shm/big";
    let next = ended(&run, &stand.cell(script)).await;
    let size: u64 = next.out.lines().filter_map(|it| it.parse::<u64>().ok()).sum();
    assert!(next.err.contains("No space left on device"), "{next:#?}");
    assert!((14 * MIB..=16 * MIB).contains(&size), "{size}");
    // Another run is not touched by that.
    let other = stand.step(&sandbox, &stand.cell("cat file; ls")).await;
    assert_eq!(other.out, "from the tree\nfile\n");
}

#[tokio::test]
async fn a_tree_that_does_not_fit_is_refused_and_said_so() {
    let stand = Stand::new();
    fs::write(stand.work().join("tree/big"), vec![1; 4_000_000]).unwrap();
    let Some(sandbox) = strict().await else { return };
    let refused = sandbox.open(&stand.work().join("tree"), MIB).await.unwrap_err().to_string();
    assert!(refused.contains("No space left on device"), "{refused}");
}
