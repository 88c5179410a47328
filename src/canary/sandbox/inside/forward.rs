//! From a cell's own loopback to the socket of its proxy.

use crate::canary::sandbox::wire::PROXY_SOCKET;
use std::{io, net, thread, time::Duration};
use tokio::net::{TcpListener, UnixStream};

/// Forwards in a thread of its own, and gives the port on 127.0.0.1.
pub(super) fn start() -> io::Result<u16> {
    let listener = net::TcpListener::bind((net::Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("forward".to_owned()).spawn(move || {
        runtime.block_on(async {
            match TcpListener::from_std(listener) {
                Ok(listener) => forward(listener).await,
                Err(error) => super::tell(&format!("no way to the proxy: {error}")),
            }
        });
    })?;
    Ok(port)
}

async fn forward(listener: TcpListener) {
    loop {
        let Ok((mut near, _)) = listener.accept().await else {
            // Out of descriptors; those of ended connections come back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        tokio::spawn(async move {
            if let Ok(mut far) = UnixStream::connect(PROXY_SOCKET).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
