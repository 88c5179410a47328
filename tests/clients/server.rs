//! A server on this machine that answers as it is told, faults of the line included.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One request as it came over the line.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What to answer.
#[derive(Clone)]
pub(crate) enum Reply {
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Promises the body and sends half of it.
    Half(Vec<u8>),
    Silence,
    HangUp,
}

pub(crate) fn reply(
    status: u16,
    headers: &[(&'static str, &str)],
    body: impl AsRef<[u8]>,
) -> Reply {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Reply::Whole(status, headers, body.as_ref().to_vec())
}

pub(crate) fn page(status: u16) -> Reply {
    reply(status, &[("content-type", "text/html; charset=utf-8")], "<html>Unicorn!</html>")
}

/// A server on this machine that answers by a function and remembers what it was asked.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                tokio::spawn(async move {
                    // A client that goes away has asked nothing.
                    let Some((mut stream, request)) = read_request(stream).await else { return };
                    let reply = answer(&request);
                    log.lock().unwrap().push(request);
                    send_reply(&mut stream, reply).await;
                });
            }
        });
        Self { url, asked }
    }

    /// A server with one answer to everything.
    pub(crate) async fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

async fn read_request(mut stream: TcpStream) -> Option<(TcpStream, Asked)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, path) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = bytes[end..].to_vec();
    Some((stream, Asked { method, path, headers, body }))
}

async fn send_reply(stream: &mut TcpStream, reply: Reply) {
    let (status, headers, body, sent) = match reply {
        Reply::HangUp => return,
        Reply::Silence => return tokio::time::sleep(Duration::from_mins(1)).await,
        Reply::Half(body) => {
            let half = body.len() / 2;
            (200, vec![("etag", "\"half\"".to_owned())], body, half)
        }
        Reply::Whole(status, headers, body) => {
            let whole = body.len();
            (status, headers, body, whole)
        }
    };
    let mut head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if status != 304 {
        let _ = write!(head, "content-length: {}\r\n", body.len());
    }
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).await;
    let _ = stream.write_all(&body[..sent]).await;
}
