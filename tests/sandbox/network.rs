//! What can be reached.

use crate::{Ended, Stand, is_root, perl, quoted, strict};
use digest_bump::{canary::sandbox::Cell, domain::HostPort};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            fs::PermissionsExt as _,
            net::{SocketAddr as UnixAddress, UnixListener},
        },
    },
    process::{Command, Stdio},
    thread,
};

/// A service on the host's loopback that greets whoever comes.
fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n");
        }
    });
    address
}

/// Connects, and says what is answered or why not.
fn connect(address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    perl(&format!(
        "socket(S, PF_INET, SOCK_STREAM, 0) or die; alarm 20; \
         connect(S, pack_sockaddr_in({port}, inet_aton(\"{ip}\"))) or do {{ print \"$!\\n\"; exit }}; \
         syswrite(S, \"GET / HTTP/1.0\\r\\n\\r\\n\"); print \"REACHED\\n\" if <S>;"
    ))
}

/// Asks the proxy that the environment names, and prints its whole answer.
fn through_proxy(head: &str) -> String {
    perl(&format!(
        "$ENV{{http_proxy}} =~ /(\\d+)$/ or die; my $p = $1; socket(S, PF_INET, SOCK_STREAM, 0) or die; \
         connect(S, pack_sockaddr_in($p, inet_aton(\"127.0.0.1\"))) or die $!; \
         syswrite(S, \"{head}\\r\\n\\r\\n\"); print while <S>;"
    ))
}

async fn with(stand: &Stand, network: &[String], script: &str) -> Option<Ended> {
    let network: Vec<HostPort> = network.iter().map(|it| it.parse().unwrap()).collect();
    let sandbox = strict().await?;
    Some(stand.step(&sandbox, &Cell { network, ..stand.cell(script) }).await)
}

#[tokio::test]
async fn a_service_on_the_hosts_loopback_is_not_reached() {
    let stand = Stand::new();
    let service = service();
    stand.is_kept_from(&connect(service)).await;
    // Nor by a step that has some of the network.
    let seen = with(&stand, &["192.0.2.1:443".to_owned()], &connect(service)).await;
    assert!(seen.is_none_or(|it| it.out.contains("Connection refused")));
}

#[tokio::test]
async fn there_is_no_way_to_a_metadata_address_nor_to_anything_else() {
    let stand = Stand::new();
    for address in ["169.254.169.254:80", "1.1.1.1:443", "10.0.0.1:22"] {
        for network in [&[][..], &["192.0.2.1:443".to_owned()]] {
            let script = connect(address.parse().unwrap());
            let Some(seen) = with(&stand, network, &script).await else { return };
            assert_eq!(seen.out, "Network is unreachable\n", "{address}: {seen:#?}");
        }
    }
    let interfaces = stand.cannot("tail -n +3 /proc/net/dev").await;
    let count = interfaces.out.lines().filter(|line| line.contains(':')).count();
    assert!(interfaces.out.is_empty() || count == 1, "{interfaces:#?}");
}

#[tokio::test]
async fn what_the_proxy_refuses_is_told_in_the_steps_log() {
    let stand = Stand::new();
    let place = service().to_string();
    for to in ["169.254.169.254:80", "[::ffff:169.254.169.254]:80", "example.org:443"] {
        for head in [format!("CONNECT {to} HTTP/1.1"), format!("GET http://{to}/latest HTTP/1.1")] {
            let Some(seen) =
                with(&stand, std::slice::from_ref(&place), &through_proxy(&head)).await
            else {
                return;
            };
            assert!(seen.out.starts_with("HTTP/1.1 403 Forbidden"), "{seen:#?}");
            let to: HostPort = to.parse().unwrap();
            let line = format!("sandbox: the step asked for {to}, which it may not reach\n");
            assert_eq!(seen.err, line);
        }
    }
    // A name that leads home is judged by where it leads.
    let (_, port) = place.split_once(':').unwrap();
    let name = format!("localhost:{port}");
    let script = through_proxy(&format!("CONNECT {name} HTTP/1.1"));
    let seen = with(&stand, &[name], &script).await.unwrap();
    assert!(
        seen.err.contains("which is at ") && seen.err.contains("may not reach that"),
        "{seen:#?}"
    );
}

#[tokio::test]
async fn an_allowed_place_is_reached_through_the_proxy() {
    let stand = Stand::new();
    let place = service().to_string();
    for head in [
        format!("GET http://{place}/a HTTP/1.1"),
        format!("CONNECT {place} HTTP/1.1\\r\\n\\r\\nGET / HTTP/1.0"),
    ] {
        let Some(seen) = with(&stand, std::slice::from_ref(&place), &through_proxy(&head)).await
        else {
            return;
        };
        assert!(seen.out.ends_with("hello\n"), "{seen:#?}");
    }
    // As programs do that know nothing of the sandbox.
    let script =
        format!("command -v curl >/dev/null || {{ echo hello; exit; }}; curl -sf http://{place}/");
    let seen = with(&stand, &[place], &script).await.unwrap();
    assert_eq!((seen.out.as_str(), seen.err.as_str()), ("hello\n", ""));
}

#[tokio::test]
async fn a_forwarded_service_is_found_at_its_own_address_and_no_other_one_is() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let (given, other) = (service(), service());
    let network = |places: &[&str]| places.iter().map(|it| it.parse().unwrap()).collect();
    for network in [network(&[]), network(&["192.0.2.1:443"])] {
        let with = |script: &str| Cell {
            forward: vec![given],
            network: Vec::clone(&network),
            ..stand.cell(script)
        };
        // By a program that knows of no proxy, and more than once.
        let script = format!("{0}; {0}", connect(given));
        let seen = stand.step(&sandbox, &with(&script)).await;
        assert_eq!((seen.out.as_str(), seen.err.as_str()), ("REACHED\nREACHED\n", ""));
        for address in [other, SocketAddr::new([127, 0, 0, 2].into(), given.port())] {
            let seen = stand.step(&sandbox, &with(&connect(address))).await;
            assert_eq!(seen.out, "Connection refused\n", "{address}: {seen:#?}");
        }
        let metadata = with(&connect("169.254.169.254:80".parse().unwrap()));
        assert_eq!(stand.step(&sandbox, &metadata).await.out, "Network is unreachable\n");
    }
    // Where it has a proxy as well, that leads to no other service of the loopback.
    let cell = |script: &str| Cell {
        forward: vec![given],
        network: network(&["192.0.2.1:443"]),
        ..stand.cell(script)
    };
    let asked = through_proxy(&format!("CONNECT {other} HTTP/1.1"));
    let seen = stand.step(&sandbox, &cell(&asked)).await;
    assert!(seen.out.starts_with("HTTP/1.1 403 Forbidden"), "{seen:#?}");
    let line = format!("sandbox: the step asked for {other}, which it may not reach\n");
    assert_eq!(seen.err, line);
}

#[tokio::test]
async fn forwarding_alone_names_no_proxy_and_where_nobody_listens_nothing_is_said() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cell = |script: &str| Cell { forward: vec![address], ..stand.cell(script) };
    let seen = stand.step(&sandbox, &cell("env | grep -i proxy")).await;
    assert_eq!(seen.out, "");
    let seen = stand.step(&sandbox, &cell(&format!("{}; echo TRIED", connect(address)))).await;
    assert_eq!((seen.out.as_str(), seen.err.as_str()), ("TRIED\n", ""), "{seen:#?}");
    let refused = Cell { forward: vec!["192.0.2.1:80".parse().unwrap()], ..stand.cell("true") };
    let run = stand.open(&sandbox, crate::MIB).await;
    let refused = run.command(&refused).unwrap_err().to_string();
    assert_eq!(refused, "192.0.2.1:80 is not on this host's loopback");
}

fn connect_unix(name: &str) -> String {
    perl(&format!(
        "socket(S, PF_UNIX, SOCK_STREAM, 0) or die; \
         print connect(S, pack_sockaddr_un(\"{name}\")) ? \"REACHED\\n\" : \"$!\\n\""
    ))
}

#[tokio::test]
async fn no_unix_socket_is_reached_neither_by_a_path_nor_by_an_abstract_name() {
    let stand = Stand::new();
    let path = stand.path("engine.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    stand.is_kept_from(&connect_unix(&path.display().to_string())).await;
    let name = format!("digest-bump-test-{}", std::process::id());
    let address = UnixAddress::from_abstract_name(&name).unwrap();
    let _abstract = UnixListener::bind_addr(&address).unwrap();
    stand.is_kept_from(&connect_unix(&format!("\\0{name}"))).await;
}

#[tokio::test]
async fn a_socket_of_the_bots_own_user_is_not_given() {
    let stand = Stand::new();
    let path = stand.path("docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let Some(sandbox) = strict().await else { return };
    let run = stand.open(&sandbox, crate::MIB).await;
    let cell = Cell { sockets: vec![path], ..stand.cell("true") };
    let refused = run.command(&cell).unwrap_err().to_string();
    assert!(refused.contains("no step gets the socket"), "{refused}");
    assert!(refused.contains("use another executor"), "{refused}");
}

#[tokio::test]
async fn a_socket_of_another_user_is_given_and_works() {
    if !is_root() {
        return; // Only root can start a listener as somebody else; the gate's run as root does.
    }
    let stand = Stand::new();
    let path = stand.path("engine/podman.sock");
    std::fs::create_dir(stand.path("engine")).unwrap();
    std::os::unix::fs::chown(stand.path("engine"), Some(4_242), None).unwrap();
    let script = format!(
        "socket(S, PF_UNIX, SOCK_STREAM, 0); umask 0; $SIG{{PIPE}} = \"IGNORE\"; bind(S, pack_sockaddr_un(\"{}\")) or die; \
         listen(S, 9); $| = 1; print \"up\\n\"; while (accept(C, S)) {{ syswrite(C, \"engine\\n\"); close C }}",
        path.display()
    );
    let mut engine = Command::new("setpriv")
        .args(["--reuid=4242", "--regid=4242", "--clear-groups", "perl", "-MSocket", "-e", &script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    engine.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
    let ask = perl(&format!(
        "socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un(\"{}\")) or die $!; print <S>",
        path.display()
    ));
    let seen = match strict().await {
        Some(sandbox) => {
            let cell = Cell { sockets: vec![path.clone()], ..stand.cell(&ask) };
            Some(stand.step(&sandbox, &cell).await)
        }
        None => None,
    };
    engine.kill().unwrap();
    engine.wait().unwrap();
    assert!(seen.is_none_or(|it| it.out == "engine\n"), "{}", quoted(&path));
}

#[tokio::test]
async fn a_socket_that_everybody_may_write_to_is_not_there() {
    let stand = Stand::new();
    let path = stand.path("open.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    for name in ["/run/dbus/system_bus_socket", "/run/systemd/private", "/var/run/docker.sock"] {
        stand.cannot(&format!("test -e {name} && echo REACHED")).await;
    }
    stand.is_kept_from(&format!("test -S {} && echo REACHED", quoted(&path))).await;
}
