//! The one way out of a cell: a proxy on the host that knows which places a step may reach. It runs
//! beside the step, in the process that watches it, and not in the bot.
//!
//! It resolves names itself and connects to the very address that it judged, so that a name whose
//! answer changes leads nowhere else.

pub mod address;
pub mod request;

use crate::domain::HostPort;
use request::Request;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixListener},
    sync::Semaphore,
    time::timeout,
};

/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(15);
/// How long resolving and connecting may take together.
const CONNECT: Duration = Duration::from_secs(20);
/// Connections at the same time; more wait.
const CONNECTIONS: usize = 128;
/// Refusals that are told; a step that goes on asking shall not drown what else it prints.
const TOLD: usize = 50;

/// Where the proxy is listened to.
#[derive(Debug)]
pub(super) enum Door {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// What decides, and who is told of refusals.
#[derive(Clone)]
pub(super) struct Proxy {
    allowed: Arc<[HostPort]>,
    tell: fn(&str),
    told: Arc<AtomicUsize>,
    room: Arc<Semaphore>,
}

impl Proxy {
    pub(super) fn new(allowed: &[HostPort], tell: fn(&str)) -> Self {
        Self {
            allowed: allowed.into(),
            tell,
            told: Arc::default(),
            room: Arc::new(Semaphore::new(CONNECTIONS)),
        }
    }

    /// Serves whoever comes, until it is dropped.
    pub(super) async fn serve(self, door: Door) {
        loop {
            let Ok(place) = self.room.clone().acquire_owned().await else { return };
            let this = self.clone();
            // An error of one connection, or too many descriptors: the next one may be well.
            let served = match &door {
                Door::Unix(door) => door.accept().await.map(|(stream, _)| {
                    tokio::spawn(async move { (this.exchange(stream).await, place).0 })
                }),
                Door::Tcp(door) => door.accept().await.map(|(stream, _)| {
                    tokio::spawn(async move { (this.exchange(stream).await, place).0 })
                }),
            };
            if served.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn exchange(&self, mut inner: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let (request, more) = match timeout(HEAD, head(&mut inner)).await {
            Ok(Ok(Ok(read))) => read,
            Ok(Ok(Err(fault))) => return answer(&mut inner, "400 Bad Request", fault).await,
            Ok(Err(error)) => return Err(error),
            Err(_) => return answer(&mut inner, "408 Request Timeout", "no request came").await,
        };
        let to = request.to();
        let mut outer = match timeout(CONNECT, self.connect(to)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(Closed::Refused(why))) => {
                self.tell(&why);
                return answer(&mut inner, "403 Forbidden", &why).await;
            }
            Ok(Err(Closed::Failed(error))) => {
                let why = format!("{to} cannot be reached: {error}");
                return answer(&mut inner, "502 Bad Gateway", &why).await;
            }
            Err(_) => {
                let why = format!("{to} does not answer");
                return answer(&mut inner, "504 Gateway Timeout", &why).await;
            }
        };
        match &request {
            Request::Tunnel(_) => inner.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?,
            Request::Forward { head, .. } => outer.write_all(head).await?,
        }
        outer.write_all(&more).await?;
        tokio::io::copy_bidirectional(&mut inner, &mut outer).await?;
        Ok(())
    }

    async fn connect(&self, to: &HostPort) -> Result<TcpStream, Closed> {
        if !self.allowed.contains(to) {
            let why = format!("the step asked for {to}, which it may not reach");
            return Err(Closed::Refused(why));
        }
        let found: Vec<SocketAddr> = match to.address() {
            Some(address) => vec![SocketAddr::new(address, to.port())],
            None => tokio::net::lookup_host((to.host(), to.port())).await?.collect(),
        };
        let (open, closed): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|it| self.admits(it.ip(), to.port()));
        if open.is_empty()
            && let Some(first) = closed.first()
        {
            return Err(Closed::Refused(format!(
                "the step asked for {to}, which is at {}, and it may not reach that",
                first.ip()
            )));
        }
        // To what was judged: nothing is resolved again.
        Ok(TcpStream::connect(open.as_slice()).await?)
    }

    /// Whether an address may be connected to: if it is public, or the config has that very one.
    fn admits(&self, address: IpAddr, port: u16) -> bool {
        address::is_public(address)
            || self.allowed.contains(&HostPort::of_address(address.to_canonical(), port))
            || self.allowed.contains(&HostPort::of_address(address, port))
    }

    fn tell(&self, why: &str) {
        match self.told.fetch_add(1, Ordering::Relaxed) {
            count if count < TOLD => (self.tell)(why),
            TOLD => (self.tell)("the step asks for more that it may not reach"),
            _ => {}
        }
    }
}

/// Why there is no connection.
enum Closed {
    Refused(String),
    Failed(io::Error),
}

impl From<io::Error> for Closed {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A request, and what came after its head.
type Read = Result<(Request, Vec<u8>), &'static str>;

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Read> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match request::read(&bytes) {
            Ok(None) => {}
            Ok(Some((length, request))) => return Ok(Ok((request, bytes.split_off(length)))),
            Err(fault) => return Ok(Err(fault)),
        }
    }
}

async fn answer(stream: &mut (impl AsyncWrite + Unpin), status: &str, why: &str) -> io::Result<()> {
    let length = why.len() + 1;
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \
         {length}\r\nConnection: close\r\n\r\n{why}\n"
    );
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(allowed: &[&str], text: &str) -> String {
        let allowed: Vec<HostPort> = allowed.iter().map(|it| it.parse().unwrap()).collect();
        let (mut client, inner) = tokio::io::duplex(64 * 1024);
        let proxy = Proxy::new(&allowed, |_| {});
        let served = tokio::spawn(async move { proxy.exchange(inner).await });
        client.write_all(text.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).await.unwrap();
        let _ = served.await.unwrap();
        said
    }

    /// Answers each connection with what came in, up to an empty line.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"\r\n\r\n")
                    && stream.read_buf(&mut bytes).await.unwrap() > 0
                {}
                stream.write_all(&bytes).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn a_listed_address_is_reached_even_if_it_is_loopback() {
        let place = echo().await.to_string();
        let tunnel = format!("CONNECT {place} HTTP/1.1\r\n\r\nhello\r\n\r\n");
        assert_eq!(asked(&[&place], &tunnel).await, "HTTP/1.1 200 OK\r\n\r\nhello\r\n\r\n");
        let get = format!("GET http://{place}/a HTTP/1.1\r\nHost: other\r\n\r\n");
        let sent = format!("GET /a HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n");
        assert_eq!(asked(&[&place], &get).await, sent);
    }

    #[tokio::test]
    async fn what_is_not_listed_is_refused_by_name() {
        let place = echo().await;
        for to in [place.to_string(), "169.254.169.254:80".to_owned(), "example.org:443".to_owned()]
        {
            let said = asked(&["127.0.0.1:1"], &format!("CONNECT {to} HTTP/1.1\r\n\r\n")).await;
            assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
            let why = format!("the step asked for {to}, which it may not reach\n");
            assert!(said.ends_with(&why), "{said}");
        }
    }

    #[tokio::test]
    async fn a_listed_name_that_leads_home_is_refused_unless_its_address_is_listed_too() {
        let place = echo().await;
        let name = format!("localhost:{}", place.port());
        let tunnel = format!("CONNECT {name} HTTP/1.1\r\n\r\n\r\n\r\n");
        let said = asked(&[&name], &tunnel).await;
        assert!(said.starts_with("HTTP/1.1 403 ") && said.contains("which is at "), "{said}");
        let said = asked(&[&name, &place.to_string()], &tunnel).await;
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    }

    #[tokio::test]
    async fn what_is_no_request_is_answered_as_such() {
        assert!(asked(&[], "GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
        assert!(asked(&[], "\0\0\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    }
}
