//! What opens a door: nothing, a token that stays, or tokens that are minted when they are needed.
//!
//! Whoever sends a request asks for the token then, and neither keeps it nor passes it on. So one
//! that ends in the middle of a long pass is renewed there, for every client that shares the
//! credential.

use crate::clock::Clock;
use crate::domain::Timestamp;
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex as Plain, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// A token is renewed so long before its end, lest it ends during an exchange: a push may take two
/// minutes.
const MARGIN: Duration = Duration::from_mins(5);

/// So many of the last tokens are remembered, to be taken out of texts: more than a day's.
const REMEMBERED: usize = 32;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// A rate limit.
    #[error("github's rate limit holds until {until}")]
    RateLimited {
        /// When to try again.
        until: Timestamp,
    },
    /// A person has to do something; the text says what.
    #[error("{why}")]
    Refused {
        /// Why, and what would help.
        why: String,
    },
    /// It could not be asked for: later it may work.
    #[error("no token could be had from github: {why}")]
    Unavailable {
        /// What was seen.
        why: String,
    },
}

/// A token that was just minted.
pub struct Minted {
    /// The token.
    pub token: SecretString,
    /// When it ends, by this machine's clock.
    pub expires: Timestamp,
}

/// What mints a token.
type Minting = dyn Fn() -> BoxFuture<'static, Result<Minted, NoToken>> + Send + Sync;

/// What opens a door. Cheap to clone; clones share the token.
#[derive(Clone, Default)]
pub struct Credential {
    kind: Kind,
    /// Whether it may edit workflow files, as far as GitHub said.
    workflow_files: Arc<AtomicU8>,
}

const MAY: u8 = 1;
const MAY_NOT: u8 = 2;

#[derive(Clone, Default)]
enum Kind {
    #[default]
    None,
    Fixed(SecretString),
    Minted(Arc<Mint>),
}

/// Where tokens are minted, and the one that holds.
struct Mint {
    minting: Box<Minting>,
    clock: Clock,
    /// Locked while one is minted, so that whoever comes meanwhile waits for the same.
    slot: Mutex<Slot>,
    /// How many attempts have ended.
    attempts: AtomicU64,
    /// The last tokens, the newest at the end.
    issued: Plain<VecDeque<SecretString>>,
}

#[derive(Default)]
struct Slot {
    held: Option<Held>,
    /// What became of the last attempt, if nothing.
    failure: Option<NoToken>,
    issued: u64,
}

struct Held {
    grant: Grant,
    /// When it is renewed.
    until: Timestamp,
    expires: Timestamp,
}

/// A token for one request.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) token: SecretString,
    /// Which of the credential's tokens it is.
    number: u64,
}

impl Credential {
    /// A token that stays.
    #[must_use]
    pub fn fixed(token: SecretString) -> Self {
        Self { kind: Kind::Fixed(token), ..Self::default() }
    }

    /// Tokens that `mint` makes: one when it is first needed, another before it ends, and another
    /// when it is refused.
    #[must_use]
    pub fn minted(
        clock: Clock,
        mint: impl Fn() -> BoxFuture<'static, Result<Minted, NoToken>> + Send + Sync + 'static,
    ) -> Self {
        let mint = Mint {
            minting: Box::new(mint),
            clock,
            slot: Mutex::default(),
            attempts: AtomicU64::new(0),
            issued: Plain::default(),
        };
        Self { kind: Kind::Minted(Arc::new(mint)), ..Self::default() }
    }

    /// The same, which hears what `other` is told of workflow files.
    #[must_use]
    pub(crate) fn hearing(self, other: &Self) -> Self {
        Self { workflow_files: other.workflow_files.clone(), ..self }
    }

    /// Whether it opens nothing that is not open to all.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self.kind, Kind::None)
    }

    /// Whether it may edit files below `.github/workflows`, for which GitHub wants a permission of its
    /// own; `None` as long as nobody was told.
    #[must_use]
    pub fn may_edit_workflows(&self) -> Option<bool> {
        match self.workflow_files.load(Ordering::SeqCst) {
            MAY => Some(true),
            MAY_NOT => Some(false),
            _ => None,
        }
    }

    /// Remembers whether it may: an App's installation says so, the scopes of a token, or GitHub
    /// when it refuses a push.
    pub fn told_of_workflows(&self, may: bool) {
        self.workflow_files.store(if may { MAY } else { MAY_NOT }, Ordering::SeqCst);
    }

    /// The tokens that were given out lately: what no text may show.
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretString> {
        match &self.kind {
            Kind::None => Vec::new(),
            Kind::Fixed(token) => vec![token.clone()],
            Kind::Minted(mint) => mint.issued().iter().cloned().collect(),
        }
    }

    /// The token for a request that is about to be sent.
    pub(crate) async fn grant(&self) -> Result<Option<Grant>, NoToken> {
        match &self.kind {
            Kind::None => Ok(None),
            Kind::Fixed(token) => Ok(Some(Grant { token: token.clone(), number: 0 })),
            Kind::Minted(mint) => mint.current().await.map(Some),
        }
    }

    /// Another token in place of one that was refused; `None` if there is no other. Whoever comes
    /// second is given what was minted for the first.
    pub(crate) async fn instead_of(&self, refused: &Grant) -> Result<Option<Grant>, NoToken> {
        match &self.kind {
            Kind::None | Kind::Fixed(_) => Ok(None),
            Kind::Minted(mint) => mint.instead_of(refused).await.map(Some),
        }
    }
}

impl Mint {
    async fn current(&self) -> Result<Grant, NoToken> {
        let before = self.attempts.load(Ordering::SeqCst);
        let mut slot = self.slot.lock().await;
        let now = self.clock.now();
        if let Some(held) = slot.held.as_ref().filter(|held| now < held.until) {
            return Ok(held.grant.clone());
        }
        let renewed = self.renew(&mut slot, before).await;
        match (renewed, &slot.held) {
            (Ok(grant), _) => Ok(grant),
            // Renewed too early to be missed: it is tried again by the next request.
            (Err(error), Some(held)) if now < held.expires => {
                tracing::warn!(%error, "the token could not be renewed yet");
                Ok(held.grant.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn instead_of(&self, refused: &Grant) -> Result<Grant, NoToken> {
        let before = self.attempts.load(Ordering::SeqCst);
        let mut slot = self.slot.lock().await;
        match &slot.held {
            Some(held) if held.grant.number > refused.number => return Ok(held.grant.clone()),
            _ => slot.held = None,
        }
        self.renew(&mut slot, before).await
    }

    /// Mints one, unless an attempt failed while this one waited for its turn: then that is the
    /// answer for all who waited.
    async fn renew(&self, slot: &mut Slot, before: u64) -> Result<Grant, NoToken> {
        if self.attempts.load(Ordering::SeqCst) > before
            && let Some(failure) = &slot.failure
        {
            return Err(failure.clone());
        }
        let minted = (self.minting)().await;
        self.attempts.fetch_add(1, Ordering::SeqCst);
        slot.failure = minted.as_ref().err().cloned();
        let Minted { token, expires } = minted?;
        slot.issued += 1;
        let grant = Grant { token: token.clone(), number: slot.issued };
        let now = self.clock.now();
        let life = expires.since(now);
        // One that lives for a moment only is used for half of it.
        let until = expires - MARGIN.min(life / 2);
        slot.held = Some(Held { grant: grant.clone(), until, expires });
        let mut issued = self.issued();
        issued.push_back(token);
        if issued.len() > REMEMBERED {
            issued.pop_front();
        }
        drop(issued);
        tracing::info!(%expires, "minted a token");
        Ok(grant)
    }

    fn issued(&self) -> std::sync::MutexGuard<'_, VecDeque<SecretString>> {
        // Nothing that could be half-written.
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Option<SecretString>> for Credential {
    fn from(token: Option<SecretString>) -> Self {
        token.map_or_else(Self::default, Self::fixed)
    }
}

/// Which kind it is, and nothing that opens anything.
impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.kind {
            Kind::None => "Credential(none)",
            Kind::Fixed(_) => "Credential(a token)",
            Kind::Minted(_) => "Credential(minted tokens)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use std::collections::VecDeque as Queue;

    /// Mints what it is told to, and counts.
    struct Stand {
        credential: Credential,
        clock: Clock,
        minted: Arc<AtomicU64>,
    }

    const HOUR: Duration = Duration::from_hours(1);

    fn stand(results: impl IntoIterator<Item = Result<Duration, NoToken>>) -> Stand {
        let clock = Clock::manual(Timestamp::from_millis(0));
        let minted = Arc::new(AtomicU64::new(0));
        let results = Arc::new(Plain::new(results.into_iter().collect::<Queue<_>>()));
        let (time, count) = (clock.clone(), minted.clone());
        let credential = Credential::minted(clock.clone(), move || {
            let (time, count, results) = (time.clone(), count.clone(), results.clone());
            Box::pin(async move {
                // Others come to wait.
                tokio::task::yield_now().await;
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let life = results.lock().unwrap().pop_front().unwrap_or(Ok(HOUR))?;
                Ok(Minted { token: format!("token {number}").into(), expires: time.now() + life })
            })
        });
        Stand { credential, clock, minted }
    }

    impl Stand {
        async fn token(&self) -> Result<String, NoToken> {
            let grant = self.credential.grant().await?.unwrap();
            Ok(grant.token.expose_secret().to_owned())
        }

        fn minted(&self) -> u64 {
            self.minted.load(Ordering::SeqCst)
        }
    }

    fn down() -> Result<Duration, NoToken> {
        Err(NoToken::Unavailable { why: "down".to_owned() })
    }

    #[tokio::test]
    async fn it_is_minted_when_it_is_needed_and_renewed_before_its_end() {
        let it = stand([]);
        assert_eq!((it.minted(), it.credential.secrets().len()), (0, 0));
        assert_eq!(it.token().await.unwrap(), "token 1");
        it.clock.advance(Duration::from_mins(54));
        assert_eq!(it.token().await.unwrap(), "token 1");
        it.clock.advance(Duration::from_mins(2));
        assert_eq!(it.token().await.unwrap(), "token 2");
    }

    #[tokio::test]
    async fn one_that_lives_for_a_moment_is_used_for_half_of_it() {
        let it = stand([Ok(Duration::from_mins(4)), Ok(Duration::ZERO)]);
        it.token().await.unwrap();
        it.clock.advance(Duration::from_secs(119));
        assert_eq!(it.token().await.unwrap(), "token 1");
        it.clock.advance(Duration::from_secs(2));
        assert_eq!(it.token().await.unwrap(), "token 2", "over at once, and still handed out");
        assert_eq!(it.token().await.unwrap(), "token 3");
    }

    #[tokio::test]
    async fn who_comes_at_the_same_time_shares_one_mint_or_its_failure() {
        let it = stand([down(), Ok(HOUR)]);
        let (a, b, c) = tokio::join!(it.token(), it.token(), it.token());
        assert!(a.is_err() && a == b && b == c, "{a:?} {b:?} {c:?}");
        assert_eq!(it.minted(), 1);
        let (a, b) = tokio::join!(it.token(), it.token());
        assert_eq!((a.unwrap(), b.unwrap()), ("token 2".to_owned(), "token 2".to_owned()));
    }

    #[tokio::test]
    async fn what_was_refused_is_replaced_once_for_all_who_held_it() {
        let it = stand([]);
        let refused = it.credential.grant().await.unwrap().unwrap();
        let again = || it.credential.instead_of(&refused);
        let (a, b) = tokio::join!(again(), again());
        for grant in [a, b, again().await] {
            assert_eq!(grant.unwrap().unwrap().token.expose_secret(), "token 2");
        }
        assert_eq!(it.minted(), 2);
    }

    #[tokio::test]
    async fn one_that_could_not_be_renewed_is_used_until_it_ends() {
        let it = stand([Ok(HOUR), down(), down(), Ok(HOUR)]);
        it.token().await.unwrap();
        it.clock.advance(Duration::from_mins(57));
        assert_eq!(it.token().await.unwrap(), "token 1");
        it.clock.advance(Duration::from_mins(4));
        assert_eq!(it.token().await, Err(NoToken::Unavailable { why: "down".to_owned() }));
        assert_eq!(it.token().await.unwrap(), "token 4");
    }

    #[tokio::test]
    async fn a_fixed_token_has_no_other_and_none_is_none() {
        let fixed = Credential::fixed("s3cret".into());
        let grant = fixed.grant().await.unwrap().unwrap();
        assert!(fixed.instead_of(&grant).await.unwrap().is_none());
        assert!(!format!("{fixed:?}{grant:?}").contains("s3cret"));
        assert!(Credential::default().grant().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_last_tokens_are_remembered_and_not_all_of_them() {
        let it = stand([]);
        for _ in 0..REMEMBERED + 5 {
            it.token().await.unwrap();
            it.clock.advance(HOUR);
        }
        let secrets = it.credential.secrets();
        assert_eq!((secrets.len(), secrets[0].expose_secret()), (REMEMBERED, "token 6"));
    }
}
