//! Git's smart HTTP protocol (git-scm.com/docs/http-protocol) for libgit2, over this program's own
//! HTTP client: one TLS stack, deadlines on every read, no credentials outside the header.
//!
//! libgit2 knows transports by URL scheme, once for the whole process. So the registered one is
//! empty, and takes client, credential and deadline from the thread on which the exchange runs.

use super::GitError;
use crate::clients::credential::{Credential, Grant};
use crate::clients::wire;
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use std::{
    cell::RefCell,
    io::{self, Read, Write},
    time::Duration,
};
use tokio::{runtime::Handle, time::Instant};

/// What one exchange may receive: a pack of this size belongs to no repository of sources.
const RECEIVE_LIMIT: u64 = 2 << 30;
/// What the transport needs during one exchange, and what it leaves behind.
struct Exchange {
    client: Client,
    credential: Credential,
    runtime: Handle,
    deadline: Instant,
    received: u64,
    failure: Option<GitError>,
}

/// Runs `work`, with which everything that it needs is left on this thread.
pub(super) fn exchange<T>(
    client: &Client,
    credential: &Credential,
    limit: Duration,
    work: impl FnOnce() -> Result<T, git2::Error>,
) -> Result<T, GitError> {
    let exchange = Exchange {
        client: client.clone(),
        credential: credential.clone(),
        runtime: Handle::current(),
        deadline: Instant::now() + limit,
        received: 0,
        failure: None,
    };
    EXCHANGE.with(|current| current.replace(Some(exchange)));
    let result = work();
    let ended = EXCHANGE.with(RefCell::take);
    match (result, ended.and_then(|exchange| exchange.failure)) {
        (Ok(value), _) => Ok(value),
        (Err(_), Some(failure)) => Err(failure),
        (Err(error), None) => Err(GitError::remote(error)),
    }
}

thread_local! {
    static EXCHANGE: RefCell<Option<Exchange>> = const { RefCell::new(None) };
}

/// Runs `part` on the current exchange. Its failure is kept, because what passes through libgit2
/// is only a text.
fn in_exchange<T>(part: impl FnOnce(&mut Exchange) -> Result<T, GitError>) -> io::Result<T> {
    EXCHANGE.with_borrow_mut(|current| {
        let Some(exchange) = current else {
            return Err(io::Error::other("no exchange is under way"));
        };
        part(exchange).map_err(|failure| {
            let text = failure.to_string();
            exchange.failure = Some(failure);
            io::Error::other(text)
        })
    })
}

/// Whether the current exchange may go on; libgit2 asks while it receives.
pub(super) fn within_deadline() -> bool {
    in_exchange(
        |exchange| {
            if Instant::now() < exchange.deadline { Ok(()) } else { Err(too_late()) }
        },
    )
    .is_ok()
}

fn too_late() -> GitError {
    GitError::Transient("the exchange took too long".into())
}

impl Exchange {
    /// Asks with the token that holds now, and once more if that was refused and there is another.
    /// A push that was answered with 401 moved nothing: who asks is looked at first.
    fn send(&self, service: Service, url: &str, body: Vec<u8>) -> Result<Response, GitError> {
        let request = request(&self.client, service, url, body)
            // A body that arrives compressed would have to be unpacked under the same limits.
            .header(header::ACCEPT_ENCODING, "identity");
        // The body is shared, not copied.
        let again = request.try_clone();
        let sent = async {
            let grant = self.credential.grant().await?;
            let answer = asked(request, grant.as_ref()).await?;
            match (grant, again) {
                (Some(refused), Some(again)) if answer.status() == StatusCode::UNAUTHORIZED => {
                    match self.credential.instead_of(&refused).await? {
                        Some(grant) => asked(again, Some(&grant)).await,
                        None => Ok(answer),
                    }
                }
                _ => Ok(answer),
            }
        };
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout_at(self.deadline, sent).await })
            .map_err(|_| too_late())??;
        accepted(&answer, service)?;
        Ok(answer)
    }

    fn receive(&mut self, answer: &mut Response) -> Result<Option<Vec<u8>>, GitError> {
        let chunk = self
            .runtime
            .block_on(async { tokio::time::timeout_at(self.deadline, answer.chunk()).await })
            .map_err(|_| too_late())?
            .map_err(unanswered)?;
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.received > RECEIVE_LIMIT {
            return Err(GitError::TooLarge {
                what: "the git server's answer".to_owned(),
                limit: RECEIVE_LIMIT,
            });
        }
        Ok(chunk.map(|chunk| chunk.to_vec()))
    }
}

async fn asked(mut request: RequestBuilder, grant: Option<&Grant>) -> Result<Response, GitError> {
    if let Some(grant) = grant {
        request = request.basic_auth("x-access-token", Some(grant.token.expose_secret()));
    }
    request.send().await.map_err(unanswered)
}

/// No whole answer. Of the URL only the origin is told: the rest is in the log already, and says
/// nothing to a reader of the error.
fn unanswered(error: reqwest::Error) -> GitError {
    let origin = error.url().map(|url| format!("{}: ", wire::origin(url)));
    let why = wire::innermost(&error.without_url());
    GitError::Transient(format!("{}{why}", origin.unwrap_or_default()).into())
}

fn request(client: &Client, service: Service, url: &str, body: Vec<u8>) -> RequestBuilder {
    let name = name(service);
    match service {
        Service::UploadPackLs | Service::ReceivePackLs => {
            client.get(format!("{url}/info/refs?service={name}"))
        }
        Service::UploadPack | Service::ReceivePack => client
            .post(format!("{url}/{name}"))
            .header(header::CONTENT_TYPE, format!("application/x-{name}-request"))
            .header(header::ACCEPT, format!("application/x-{name}-result"))
            .body(body),
    }
}

const fn name(service: Service) -> &'static str {
    match service {
        Service::UploadPackLs | Service::UploadPack => "git-upload-pack",
        Service::ReceivePackLs | Service::ReceivePack => "git-receive-pack",
    }
}

/// An answer's status and type. A proxy's page in HTML must not reach libgit2's parser.
fn accepted(answer: &Response, service: Service) -> Result<(), GitError> {
    let status = answer.status();
    match status {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(GitError::Denied { status: status.as_u16() });
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Err(GitError::NotFound { what: "the git repository".to_owned() });
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            return Err(GitError::Transient(format!("HTTP {status}").into()));
        }
        _ if status.is_server_error() => {
            return Err(GitError::Transient(format!("HTTP {status}").into()));
        }
        _ => {
            return Err(GitError::Malformed { what: format!("HTTP {status}") });
        }
    }
    let kind = match service {
        Service::UploadPackLs | Service::ReceivePackLs => "advertisement",
        Service::UploadPack | Service::ReceivePack => "result",
    };
    let expected = format!("application/x-{}-{kind}", name(service));
    let found = answer.headers().get(header::CONTENT_TYPE);
    if found.is_some_and(|found| found.as_bytes() == expected.as_bytes()) {
        return Ok(());
    }
    Err(GitError::Malformed { what: format!("it is not of type {expected}") })
}

/// What libgit2 is given for every URL. See the module's text.
pub(super) struct Http;

impl SmartSubtransport for Http {
    fn action(
        &self,
        url: &str,
        service: Service,
    ) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        Ok(Box::new(Stream {
            service,
            url: url.to_owned(),
            body: Vec::new(),
            answer: None,
            chunk: io::Cursor::default(),
        }))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

/// One request and its answer. It is sent when the answer is first read.
struct Stream {
    service: Service,
    url: String,
    body: Vec<u8>,
    answer: Option<Response>,
    chunk: io::Cursor<Vec<u8>>,
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.chunk.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let answer = match &mut self.answer {
                Some(answer) => answer,
                none => {
                    let body = std::mem::take(&mut self.body);
                    none.insert(in_exchange(|it| it.send(self.service, &self.url, body))?)
                }
            };
            match in_exchange(|exchange| exchange.receive(answer))? {
                Some(chunk) => self.chunk = io::Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}
