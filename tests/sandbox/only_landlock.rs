//! The weaker sandbox: what it confines, and that it does not claim the rest.

use crate::{MIB, Stand, Victim, ended, is_root, launcher, perl, quoted};
use digest_bump::canary::sandbox::{Cell, Demand, Sandbox};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    thread,
};

/// It, where the kernel has it; root is refused.
async fn files() -> Option<Sandbox> {
    match Sandbox::choose(Demand::Files, &launcher()).await {
        Ok(sandbox) => Some(sandbox),
        Err(refusal) => {
            let said = refusal.to_string();
            assert!(said.contains("own checks") && said.contains("sandbox.demand = \"off\""));
            let expected = if is_root() { "does not confine root" } else { "this kernel has" };
            assert!(said.contains(expected), "{said}");
            None
        }
    }
}

#[tokio::test]
async fn files_outside_are_neither_read_nor_written() {
    let stand = Stand::new();
    let Some(sandbox) = files().await else { return };
    assert!(sandbox.describe().starts_with("Landlock ABI "));
    assert!(sandbox.leaves_open().len() > 3);
    let secret = quoted(&stand.file("digest-bump.db", "a secret\n"));
    let script = format!(
        "cat {secret} && echo REACHED; echo x >{secret} && echo REACHED; ls ../.. && echo REACHED; \
         touch /tmp/digest-bump-x && echo REACHED; cat file; echo x >new && touch ~/x $TMPDIR/x && echo DONE"
    );
    let seen = stand.step(&sandbox, &stand.cell(&script)).await;
    assert_eq!((seen.code, seen.out.as_str()), (Some(0), "from the tree\nDONE\n"), "{seen:#?}");
}

#[tokio::test]
async fn other_processes_are_neither_read_nor_ended_nor_outlive_it() {
    let stand = Stand::new();
    let Some(sandbox) = files().await else { return };
    let mut victim = Victim::new();
    let id = victim.id();
    let script = format!(
        "cat /proc/{id}/environ && echo REACHED; readlink /proc/{id}/fd/0 && echo REACHED; \
         kill -9 {id} && echo REACHED; (exec 3</proc/{id}/mem) && echo REACHED; true"
    );
    let seen = stand.step(&sandbox, &stand.cell(&script)).await;
    assert_eq!(seen.out, "", "{seen:#?}");
    assert!(victim.is_alive());
    // Whoever waits for the end of its output would wait for ten minutes.
    let stray = "setsid perl -e 'fork and exit; sleep 600' & sleep 0.3; exit 0";
    let run = stand.open(&sandbox, MIB).await;
    let seen = ended(&run, &stand.cell(stray)).await;
    assert_eq!(seen.code, Some(0), "{seen:#?}");
}

#[tokio::test]
async fn tcp_and_abstract_sockets_are_closed_but_for_what_is_listed() {
    let stand = Stand::new();
    let Some(sandbox) = files().await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 999]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n");
        }
    });
    let port = place.port();
    let direct = perl(&format!(
        "socket(S, PF_INET, SOCK_STREAM, 0); \
         print connect(S, pack_sockaddr_in({port}, INADDR_LOOPBACK)) ? \"REACHED\" : \"$!\""
    ));
    let seen = stand.step(&sandbox, &stand.cell(&direct)).await;
    assert_eq!(seen.out, "Permission denied");
    let name = format!("digest-bump-landlock-{}", std::process::id());
    let _abstract =
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let unix = perl(&format!(
        "socket(S, PF_UNIX, SOCK_STREAM, 0); \
         print connect(S, pack_sockaddr_un(\"\\0{name}\")) ? \"REACHED\" : \"$!\""
    ));
    let seen = stand.step(&sandbox, &stand.cell(&unix)).await;
    assert_eq!(seen.out, "Operation not permitted");
    let through = perl(&format!(
        "$ENV{{http_proxy}} =~ /(\\d+)$/ or die; my $p = $1; socket(S, PF_INET, SOCK_STREAM, 0); \
         connect(S, pack_sockaddr_in($p, INADDR_LOOPBACK)) or die $!; \
         syswrite(S, \"GET http://{place}/ HTTP/1.1\\r\\n\\r\\n\"); print while <S>"
    ));
    let cell = Cell { network: vec![place.to_string().parse().unwrap()], ..stand.cell(&through) };
    let seen = stand.step(&sandbox, &cell).await;
    assert!(seen.out.ends_with("hello\n"), "{seen:#?}");
}
