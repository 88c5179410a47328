//! Webhooks. The signature is looked at before anything is parsed, and what a delivery says is
//! recorded before it is accepted: a 202 is kept, whatever happens next. A delivery only wakes the
//! loop, or leaves a comment for it; one that is lost costs time and nothing else.

use super::{
    inbox::Inbox,
    payload::{self, EVENTS, Told},
};
use crate::config::Watch;
use crate::store::Received;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use hmac::{Hmac, KeyInit, Mac};
use metrics::counter;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use tracing::{debug, error, warn};

/// GitHub's own cap is 25 MiB, for pushes of thousands of commits. Who sends more than this has
/// nothing to say to the bot, and the next pass sees it anyway.
const BODY_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Where webhooks are taken.
pub const PATH: &str = "/webhook";

/// What takes webhooks.
#[derive(Debug, Clone)]
pub struct Hooks {
    /// What GitHub signs with.
    pub secret: SecretString,
    /// The watches.
    pub watches: Vec<Watch>,
    /// Where deliveries are recorded, which wakes the loop.
    pub inbox: Inbox,
}

/// The route.
pub fn router(hooks: Hooks) -> Router {
    Router::new()
        .route(PATH, post(receive))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .with_state(hooks)
}

/// How a delivery was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It is recorded.
    Accepted,
    /// It was recorded before.
    Known,
    /// It is of no kind that the bot listens to, about another repository or none, or too old.
    Ignored,
    /// GitHub asks whether anybody is there.
    Ping,
    /// Its signature is not the secret's.
    Unsigned,
    /// It is no JSON.
    NotJson,
    /// It is no delivery of GitHub's that can be read.
    Malformed,
    /// It could not be recorded.
    Lost,
}

impl Taken {
    const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Known => "known",
            Self::Ignored => "ignored",
            Self::Ping => "ping",
            Self::Unsigned => "unsigned",
            Self::NotJson | Self::Malformed => "malformed",
            Self::Lost => "lost",
        }
    }

    const fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Accepted => (StatusCode::ACCEPTED, "accepted\n"),
            Self::Known => (StatusCode::ACCEPTED, "known already\n"),
            Self::Ignored => (StatusCode::ACCEPTED, "nothing to do\n"),
            Self::Ping => (StatusCode::OK, "here\n"),
            Self::Unsigned => (StatusCode::UNAUTHORIZED, "the signature does not fit\n"),
            Self::NotJson => {
                (StatusCode::BAD_REQUEST, "its content type has to be application/json\n")
            }
            Self::Malformed => (StatusCode::BAD_REQUEST, "no delivery that can be read\n"),
            Self::Lost => (StatusCode::SERVICE_UNAVAILABLE, "not recorded; deliver it again\n"),
        }
    }
}

async fn receive(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) -> Response {
    let named = text(&headers, "x-github-event");
    let event = EVENTS.iter().copied().find(|event| *event == named).unwrap_or("other");
    let taken = hooks.take(event, &headers, &body).await;
    counter!("digest_bump_webhooks_total", "event" => event, "outcome" => taken.name())
        .increment(1);
    taken.answer().into_response()
}

impl Hooks {
    async fn take(&self, event: &'static str, headers: &HeaderMap, body: &[u8]) -> Taken {
        let signature = text(headers, "x-hub-signature-256");
        if !is_signed(self.secret.expose_secret(), body, signature) {
            warn!(event, "a webhook without a valid signature");
            return Taken::Unsigned;
        }
        let json = text(headers, header::CONTENT_TYPE.as_str()).starts_with("application/json");
        let id = text(headers, "x-github-delivery");
        if !json {
            return Taken::NotJson;
        }
        if id.is_empty() {
            return Taken::Malformed;
        }
        let told = match event {
            "ping" => return Taken::Ping,
            "other" => return Taken::Ignored,
            event => match payload::read(event, body) {
                Ok(told) => told,
                Err(error) => {
                    warn!(event, id, %error, "a webhook that cannot be read");
                    return Taken::Malformed;
                }
            },
        };
        self.record(event, id, told).await
    }

    async fn record(&self, event: &'static str, id: &str, told: Told) -> Taken {
        let is_downstream = |watch: &&Watch| told.is_about(watch.downstream.repository.as_str());
        let downstream = self.watches.iter().filter(is_downstream).collect::<Vec<_>>();
        let upstream =
            self.watches.iter().any(|watch| told.is_about(watch.upstream.repository.as_str()));
        if downstream.is_empty() && !upstream {
            return Taken::Ignored;
        }
        let (said, now) = (told.said(&downstream), self.inbox.now());
        if said.as_ref().is_some_and(|said| payload::is_too_old(said, now)) {
            warn!(event, id, "a webhook of something that was said too long ago");
            return Taken::Ignored;
        }
        let said = self.inbox.bound(said, &downstream).await;
        let received = Received {
            id: id.to_owned(),
            event: event.to_owned(),
            said: said
                .zip(downstream.first())
                .map(|(said, watch)| (watch.downstream.repository.clone(), said)),
            at: now,
        };
        match self.inbox.put(received).await {
            Ok(true) => {
                debug!(event, id, "a webhook");
                Taken::Accepted
            }
            Ok(false) => Taken::Known,
            Err(error) => {
                error!(%error, event, id, "a webhook could not be recorded; a person must look");
                Taken::Lost
            }
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether this is GitHub's signature of the body: HMAC-SHA256 in hexadecimal behind `sha256=`. The
/// comparison takes the same time wherever they differ.
/// Source: docs.github.com, "Validating webhook deliveries".
fn is_signed(secret: &str, body: &[u8], signature: &str) -> bool {
    let Some(given) = signature.strip_prefix("sha256=").and_then(unhex) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

/// The bytes of 64 hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    digits.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's own test vector.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn the_published_vector_is_believed_and_nothing_near_it() {
        assert!(is_signed(SECRET, BODY, SIGNATURE));
        let upper = format!("sha256={}", SIGNATURE[7..].to_uppercase());
        assert!(is_signed(SECRET, BODY, &upper));
        for (secret, body, signature) in [
            ("It's a secret to everybody", BODY, SIGNATURE),
            (SECRET, b"Hello, World?".as_slice(), SIGNATURE),
            (SECRET, BODY, ""),
            (SECRET, BODY, "sha256="),
            (SECRET, BODY, &SIGNATURE[7..]),
            (SECRET, BODY, &SIGNATURE[..70]),
            (SECRET, BODY, &SIGNATURE.replace("sha256", "sha1")),
            (SECRET, BODY, &SIGNATURE.replace('7', "g")),
        ] {
            assert!(!is_signed(secret, body, signature), "{secret} {signature}");
        }
    }
}
