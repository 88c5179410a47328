//! An App's own word: a JSON Web Token, signed with the App's key, good for ten minutes at most.

use crate::clients::credential::NoToken;
use crate::clients::wire::Answer;
use crate::clock::Clock;
use crate::domain::{Timestamp, human_duration};
use http::header::DATE;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::SecretString;
use serde::Serialize;
use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// It is dated back, as GitHub advises, lest a clock that is a little ahead makes it one of the
/// future.
const DATED_BACK: Duration = Duration::from_mins(1);

/// How long it is good for. GitHub takes ten minutes, by its own clock.
const LIFE: Duration = Duration::from_mins(9);

/// A clock that is off by less is not why a token was refused.
const TOLERATED: Duration = Duration::from_secs(30);

/// Signs for one App.
pub(super) struct Signer {
    app: u64,
    key: EncodingKey,
    clock: Clock,
    /// By how many milliseconds GitHub's clock is ahead of this machine's, as far as that is known.
    ahead: AtomicI64,
}

#[derive(Serialize)]
struct Claims {
    iss: String,
    iat: i64,
    exp: i64,
}

impl Signer {
    pub(super) const fn new(app: u64, key: EncodingKey, clock: Clock) -> Self {
        Self { app, key, clock, ahead: AtomicI64::new(0) }
    }

    /// A token that says that the App asks.
    pub(super) fn sign(&self) -> Result<SecretString, NoToken> {
        let now = self.to_theirs(self.clock.now());
        let claims = Claims {
            iss: self.app.to_string(),
            iat: (now - DATED_BACK).seconds(),
            exp: (now + LIFE).seconds(),
        };
        // The key has signed once already, when the config was read.
        let signed = encode(&Header::new(Algorithm::RS256), &claims, &self.key);
        signed.map(SecretString::from).map_err(|_| NoToken::Refused {
            why: format!("the key of GitHub App {} signs nothing", self.app),
        })
    }

    /// Takes GitHub's clock from an answer; whether it says another time than was signed with.
    ///
    /// A machine whose clock is off would otherwise be refused for ever, and for a reason that
    /// nobody guesses.
    pub(super) fn learns_from(&self, refusal: &Answer) -> bool {
        let Some(theirs) = refusal.header(DATE).and_then(date) else {
            return false;
        };
        let signed = self.to_theirs(self.clock.now());
        let off = theirs.since(signed).max(signed.since(theirs));
        if off < TOLERATED {
            return false;
        }
        let ahead = theirs.millis().saturating_sub(self.clock.now().millis());
        self.ahead.store(ahead, Ordering::SeqCst);
        let way = if ahead > 0 { "behind" } else { "ahead of" };
        tracing::warn!(
            by = human_duration(Duration::from_millis(ahead.unsigned_abs())),
            "this machine's clock is {way} GitHub's; tokens are signed by GitHub's"
        );
        true
    }

    /// A time of GitHub's by this machine's clock.
    pub(super) fn to_ours(&self, theirs: Timestamp) -> Timestamp {
        Timestamp::from_millis(theirs.millis().saturating_sub(self.ahead.load(Ordering::SeqCst)))
    }

    fn to_theirs(&self, ours: Timestamp) -> Timestamp {
        Timestamp::from_millis(ours.millis().saturating_add(self.ahead.load(Ordering::SeqCst)))
    }
}

fn date(text: &str) -> Option<Timestamp> {
    let date = chrono::DateTime::parse_from_rfc2822(text.trim()).ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}

impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Signer(app {})", self.app)
    }
}
