//! From a cell's own loopback to the socket of its proxy, and through it to services on the host's
//! loopback that the step was given.

use crate::canary::sandbox::wire::PROXY_SOCKET;
use std::{
    io,
    net::{self, Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
};

/// The end of an answer's head.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// What the proxy's answer to a tunnel begins with.
const OPEN: &[u8] = b"HTTP/1.1 200 ";
/// The proxy's own answers are shorter.
const LONGEST_HEAD: usize = 1024;

/// Forwards in a thread of its own. Gives the port on 127.0.0.1 that leads to the proxy; who connects
/// to one of `services` is led to that very address of the host.
pub(super) fn start(services: &[SocketAddr]) -> io::Result<u16> {
    // The services' own first: their ports are not to be taken by chance.
    let listeners = services.iter().map(|service| Ok((listen(*service)?, Some(*service))));
    let mut listeners = listeners.collect::<io::Result<Vec<_>>>()?;
    let proxy = listen((Ipv4Addr::LOCALHOST, 0).into())?;
    let port = proxy.local_addr()?.port();
    listeners.push((proxy, None));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("forward".to_owned()).spawn(move || {
        runtime.block_on(async {
            let mut forwards = tokio::task::JoinSet::new();
            for (listener, service) in listeners {
                match TcpListener::from_std(listener) {
                    Ok(listener) => drop(forwards.spawn(forward(listener, service))),
                    Err(error) => super::tell(&format!("no way to the proxy: {error}")),
                }
            }
            while forwards.join_next().await.is_some() {}
        });
    })?;
    Ok(port)
}

fn listen(address: SocketAddr) -> io::Result<net::TcpListener> {
    let listener = net::TcpListener::bind(address)
        .map_err(|error| io::Error::other(format!("{address} cannot be forwarded: {error}")))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn forward(listener: TcpListener, service: Option<SocketAddr>) {
    loop {
        let Ok((near, _)) = listener.accept().await else {
            // Out of descriptors; those of ended connections come back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // What does not answer is closed at once, as where nobody listens.
        tokio::spawn(async move { exchange(near, service).await.is_ok() });
    }
}

async fn exchange(mut near: TcpStream, service: Option<SocketAddr>) -> io::Result<()> {
    let mut far = UnixStream::connect(PROXY_SOCKET).await?;
    if let Some(service) = service {
        far.write_all(format!("CONNECT {service} HTTP/1.1\r\n\r\n").as_bytes()).await?;
        if !is_open(&mut far).await? {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
    }
    tokio::io::copy_bidirectional(&mut near, &mut far).await?;
    Ok(())
}

/// Reads the head of the proxy's answer, and not a byte of what the service says.
async fn is_open(far: &mut UnixStream) -> io::Result<bool> {
    let mut head = Vec::new();
    while !head.ends_with(END_OF_HEAD) && head.len() < LONGEST_HEAD {
        head.push(far.read_u8().await?);
    }
    Ok(head.starts_with(OPEN))
}
