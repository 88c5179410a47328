//! The doors: loopback listeners that read a request whole, let a fault strike, and answer.

use crate::Inner;
use crate::fault;
use crate::fault::Fault;
use crate::fault::Kind;
use crate::fault::Scripted;
use crate::git_http;
use crate::github;
use crate::log::{Request, Service};
use crate::npm;
use crate::registry;
use crate::tuf;
use crate::wire::{Answer, Call, hex_sha256};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::Sleep,
};
use tokio_rustls::TlsAcceptor;

/// Which listener a request came in at. The registry has two: GHCR keeps its blobs elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Door {
    Main(Service),
    Storage,
}

/// Answers at one door for as long as the world lives.
pub(crate) async fn listen(
    inner: Arc<Inner>,
    door: Door,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            // Small answers must not wait for more to send.
            let _ = stream.set_nodelay(true);
            let (inner, tls) = (inner.clone(), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => connection(inner, door, stream).await,
                    // Whoever does not believe the certificate goes away; that is no request.
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            connection(inner, door, stream).await;
                        }
                    }
                }
            });
        }
    }
}

async fn connection(
    inner: Arc<Inner>,
    door: Door,
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
) {
    let service = service_fn(move |request| answer(inner.clone(), door, request));
    // A client that goes away, and a fault that closes the connection, both end here as an error.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    inner: Arc<Inner>,
    door: Door,
    request: http::Request<Incoming>,
) -> io::Result<http::Response<Sending>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let call = Call {
        service: match door {
            Door::Main(service) => service,
            Door::Storage => Service::Registry,
        },
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.to_vec(),
        after: inner.state().log.requests.len(),
    };
    let fault = {
        let mut state = inner.state();
        fault::strike(&mut state.faults, &call)
    };
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay) {
        tokio::time::sleep(delay).await;
    }
    let head = call.method == "HEAD";
    let work = tokio::task::spawn_blocking(move || perform(&inner, door, &call, fault.as_ref()));
    let (answer, cut) = work.await.map_err(io::Error::other)??;
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    if answer.status != 304 && answer.status != 204 {
        response = response.header("content-length", answer.body.len());
    }
    let body = match (head, cut) {
        (true, _) => Sending::whole(Vec::new()),
        (false, true) => Sending::cut(&answer.body),
        (false, false) => Sending::whole(answer.body),
    };
    response.body(body).map_err(io::Error::other)
}

/// Does what is asked unless the fault forbids it, and writes it into the log before it is sent.
/// The second of the pair is whether the body breaks off.
fn perform(
    inner: &Arc<Inner>,
    door: Door,
    call: &Call,
    fault: Option<&Fault>,
) -> io::Result<(Answer, bool)> {
    let kind = fault.map_or(&Kind::Nothing, |fault| &fault.kind);
    let mut done = false;
    let mut perform = || {
        let answer = route(inner, door, call);
        done = answer.status < 400 && !answer.changed_nothing;
        answer
    };
    let answered = match kind {
        Kind::Close => None,
        Kind::Answer(scripted) => Some(refusal(scripted)),
        Kind::Nothing | Kind::CutBody => Some(perform()),
        Kind::AfterCommit(status) => {
            perform();
            Some(refusal(&Scripted { status: *status, headers: Vec::new(), body: None }))
        }
        Kind::WrongDigestHeader => Some(with_wrong_digest(perform())),
        Kind::OtherBody => Some(with_other_body(perform())),
    };
    inner.state().log.requests.push(Request {
        service: call.service,
        method: call.method.clone(),
        path: call.uri(),
        status: answered.as_ref().map_or(0, |answer| answer.status),
        if_none_match: call.headers.contains_key("if-none-match"),
        if_modified_since: call.headers.contains_key("if-modified-since"),
        authorised: call.headers.contains_key("authorization"),
        write: done && asks_to_write(call),
        after: call.after,
    });
    let closed = || io::Error::other("a fault closes the connection");
    Ok((answered.ok_or_else(closed)?, matches!(kind, Kind::CutBody)))
}

fn asks_to_write(call: &Call) -> bool {
    match call.service {
        // Minting a token changes nothing that anybody sees.
        Service::GitHub => {
            !matches!(call.method.as_str(), "GET" | "HEAD")
                && !call.path.ends_with("/access_tokens")
        }
        Service::Git => git_http::carries_commands(call),
        Service::Registry | Service::Npm | Service::Tuf => false,
    }
}

fn route(inner: &Arc<Inner>, door: Door, call: &Call) -> Answer {
    match door {
        Door::Main(Service::GitHub) => github::answer(inner, call),
        Door::Main(Service::Git) => git_http::answer(inner, call),
        Door::Main(Service::Registry) => registry::answer(inner, call),
        Door::Main(Service::Npm) => npm::answer(inner, call),
        Door::Main(Service::Tuf) => tuf::answer(inner, call),
        Door::Storage => registry::storage(inner, call),
    }
}

fn with_wrong_digest(mut answer: Answer) -> Answer {
    answer.headers.retain(|(name, _)| name != "docker-content-digest");
    let other = format!("sha256:{}", hex_sha256(b"something else"));
    answer.with("docker-content-digest", other)
}

fn with_other_body(mut answer: Answer) -> Answer {
    let middle = answer.body.len() / 2;
    if let Some(byte) = answer.body.get_mut(middle) {
        *byte ^= 1;
    }
    answer
}

fn refusal(scripted: &Scripted) -> Answer {
    let message = http::StatusCode::from_u16(scripted.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Trouble");
    let mut answer = Answer::json(
        scripted.status,
        &serde_json::json!({ "message": message, "status": scripted.status.to_string() }),
    );
    if let Some(body) = &scripted.body {
        answer.body = body.clone().into_bytes();
    }
    if scripted.headers.iter().any(|(name, _)| name == "content-type") {
        answer.headers.clear();
    }
    answer.headers.extend(scripted.headers.iter().cloned());
    answer
}

/// A body that is sent whole, or breaks off.
pub(crate) struct Sending {
    left: Option<Bytes>,
    /// How long until the connection breaks: the half must have left this machine by then.
    breaks: Option<Pin<Box<Sleep>>>,
}

impl Sending {
    fn whole(body: Vec<u8>) -> Self {
        Self { left: Some(Bytes::from(body)), breaks: None }
    }

    fn cut(body: &[u8]) -> Self {
        Self {
            left: Some(Bytes::copy_from_slice(&body[..body.len() / 2])),
            breaks: Some(Box::pin(tokio::time::sleep(Duration::from_millis(20)))),
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.left.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let Some(sleep) = &mut self.breaks else {
            return Poll::Ready(None);
        };
        sleep.as_mut().poll(context).map(|()| Some(Err(io::Error::other("a fault cuts the body"))))
    }
}
