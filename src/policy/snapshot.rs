//! Everything that a decision depends on, as data.

use super::{Break, companion_pin::CompanionPin, contract::Contract, soak::Soak};
use crate::domain::{
    BranchName, Bump, Check, CheckSeen, CommitId, ImageName, IndexDigest, Look, Order, PatchPolicy,
    Platform, ProposalKind, PullNumber, PullState, Request, RequestId, RunId, Timestamp, Verdict,
    Version,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A watch at one moment, as the decision sees it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own about the watch")]
pub struct Snapshot {
    /// What happens to a patch.
    pub patches: PatchPolicy,
    /// The checks that this watch asks at all.
    pub asked: BTreeSet<Check>,
    /// How long after its publication a release may lack artifacts.
    pub artifact_deadline: Duration,
    /// The pause after each inconclusive answer; one more after the last holds the candidate.
    pub pauses: Vec<Duration>,
    /// What the downstream pins.
    pub pin: PinState,
    /// What it pins of each companion image.
    pub companions: Vec<CompanionPin>,
    /// The releases of the stream, newest first.
    pub candidates: Vec<Candidate>,
    /// Tags that are resolved once for people's sake: they hold what another release should.
    pub unresolved: Vec<Version>,
    /// The releases that are none of ours.
    pub ignored: Vec<Ignored>,
    /// The bot's pull requests.
    pub proposals: Vec<Proposal>,
    /// Pull requests of other people from the bot's branches, still open.
    pub foreign: Vec<(BranchName, PullNumber)>,
    /// What people asked for, oldest first.
    pub requests: Vec<Request>,
    /// What people told the bot to leave alone, oldest first.
    pub orders: Vec<Order>,
    /// Whether a MAJOR's stub has a place to go.
    pub migration: Migration,
    /// Whether every pin site can be edited, as the canary's tree needs it.
    pub editable: bool,
    /// What is known of the canary at the pinned digest.
    pub baseline: Baseline,
    /// Every canary run under way, also those whose result would be stale by now.
    pub runs: Vec<Running>,
    /// Whether the downstream's own checks are the canary, on a draft pull request.
    pub by_checks: bool,
    /// Whether pin sites that the bot may edit spell something else than the pin. Told by whoever
    /// reads them: this floor does not.
    pub drifted: bool,
    /// Why what is pinned has to be left, if so.
    pub retreat: Option<String>,
    /// When it is looked again whether the signature of what is pinned holds; `None` if it never did,
    /// or if nobody looks at signatures.
    pub next_look: Option<Timestamp>,
    /// Whether an older release is then proposed unasked.
    pub reverses: bool,
    /// How long after a push CI has to start; `None` if nobody looks.
    pub ci_starts_within: Option<Duration>,
}

impl Snapshot {
    /// What the version of a release says of it.
    #[must_use]
    pub fn declared(&self, version: &Version) -> Bump {
        match &self.pin {
            PinState::Known { version: pinned, .. } => super::classify(pinned, version),
            PinState::Unknown { .. } => Bump::None,
        }
    }

    /// The candidate of this version.
    #[must_use]
    pub fn candidate(&self, version: &Version) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.version == *version)
    }
}

/// What the downstream pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinState {
    /// Version and digest.
    Known {
        /// The version.
        version: Version,
        /// The digest.
        digest: IndexDigest,
    },
    /// It cannot be told (yet).
    Unknown {
        /// Why, for a maintainer.
        why: String,
        /// The version whose image may give the answer.
        ask: Option<Version>,
    },
}

/// One release considered for the pin.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The version.
    pub version: Version,
    /// How far it is from the pin: a MAJOR also where the version says less than it is.
    pub bump: Bump,
    /// Why it is treated as a MAJOR though its version says less, if so.
    pub understated: Vec<Break>,
    /// The platforms that the pinned image has and this one lacks, if both are known.
    pub lost: Vec<Platform>,
    /// Whether upstream's contract was compared with the one at the pin.
    pub contract: Contract,
    /// When the release was published.
    pub published_at: Timestamp,
    /// What its image tag resolved to, once and for all.
    pub digest: Option<IndexDigest>,
    /// What a look at the registry gave in this pass, if it gave no image.
    pub look: Option<Look>,
    /// The last look that found out nothing, if nothing was found out since.
    pub unavailable: Option<Unavailable>,
    /// Why its npm half is not there; `None` if it is, or is not needed.
    pub npm: Option<Look>,
    /// How long it has to wait until it is old enough; `None` if nobody asks for its age.
    pub soak: Option<Soak>,
    /// The current answers.
    pub answers: BTreeMap<Check, Answer>,
    /// The canary run that is under way.
    pub running: Option<Running>,
    /// The release's companion images.
    pub companions: Vec<Companion>,
}

/// A companion image of a release.
#[derive(Debug, Clone)]
pub struct Companion {
    /// The image.
    pub image: ImageName,
    /// The release.
    pub version: Version,
    /// Whether it is waited for: a pin site of the downstream names it, and it is not known that
    /// this release has none.
    pub needed: bool,
    /// The checks that are asked of it.
    pub asked: BTreeSet<Check>,
    /// The platforms that the pinned one has and this one lacks, if both are known.
    pub lost: Vec<Platform>,
    /// What its tag resolved to.
    pub digest: Option<IndexDigest>,
    /// What a look at the registry gave, if it gave no image.
    pub look: Option<Look>,
    /// The last look that found out nothing, if nothing was found out since.
    pub unavailable: Option<Unavailable>,
    /// The current answers.
    pub answers: BTreeMap<Check, Answer>,
}

/// A look at the registry that found out nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
    /// How many such looks came in a row, this one included.
    pub attempts: usize,
    /// When the registry lets itself be asked again, if it named a time.
    pub limited_until: Option<Timestamp>,
}

/// The current answer to a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen, in one line.
    pub summary: String,
    /// When.
    pub at: Timestamp,
    /// How many inconclusive answers came in a row, this one included.
    pub attempts: usize,
    /// Until when it is too early to tell, if it is; see [`crate::domain::Detail`].
    pub too_early_until: Option<Timestamp>,
    /// Whether it is asked again though it has failed; see [`crate::domain::Detail`].
    pub may_change: bool,
}

/// The canary at the pinned digest: what a failure at another one is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The current answer.
    pub answer: Option<Answer>,
    /// The run that is under way.
    pub running: Option<Running>,
}

/// A canary run that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Which one.
    pub run: RunId,
    /// Since when.
    pub since: Timestamp,
    /// When its supervisor has to have spoken again, or the checks are not waited for any longer.
    pub alive_until: Timestamp,
    /// What it waits for, if the bot does not run it itself.
    pub checks: Option<Checks>,
}

/// What a run waits for that the bot does not run itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// What was last seen of each.
    pub seen: Vec<CheckSeen>,
    /// What they are.
    pub carrier: Carrier,
    /// Whether the config still wants a canary to be run so.
    pub wanted: bool,
}

/// What carries a run in the bot's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The downstream's checks of a draft.
    Draft,
    /// The downstream's checks of the base branch's own commit, on which no check is still to be
    /// started.
    Base,
    /// A workflow that the bot dispatched.
    Workflow,
}

/// A release that is none of ours, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ignored {
    /// The git tag. Foreign text.
    pub tag: String,
    /// The reason.
    pub why: String,
    /// When it was published.
    #[serde(skip)]
    pub published_at: Timestamp,
    /// It is a draft or a pre-release: what it will become is open.
    #[serde(skip)]
    pub unfinished: bool,
}

/// A pull request of the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own about it")]
pub struct Proposal {
    /// What it is for.
    pub kind: ProposalKind,
    /// What it proposes.
    pub version: Version,
    /// Its number.
    pub pull: PullNumber,
    /// Open, merged, closed.
    pub state: PullState,
    /// Where its branch is.
    pub head: CommitId,
    /// Whether the head is a commit that the bot pushed, or one that it was asked to give up.
    pub ours: bool,
    /// What is to be said or marked of whose branch it is.
    pub notice: Option<Notice>,
    /// When the bot pushed the commit that is at the head, if it remembers that.
    pub remade_at: Option<Timestamp>,
    /// Whether head, body and pin belong together; not so when the bot died between the first
    /// two, or when the pin was moved under the proposal.
    pub settled: bool,
    /// Whether its edits start from what is pinned now.
    pub from_pin: bool,
    /// Whether a person asked for it.
    pub requested: bool,
    /// Whether it is a draft of the bot's, which the downstream's own checks have to prove.
    pub readiness: Readiness,
    /// What happened to its tag since, which its text does not say yet.
    pub warning: Option<String>,
    /// Why what it proposes is no release of the stream any more, if it is open and so.
    pub gone: Option<String>,
}

/// What is to be said or marked of whose branch a pull request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A person works on it, and the bot has not said that it leaves it alone.
    StepBack,
    /// Somebody asked that what people committed is given up, and that was not named yet.
    GiveUp(RequestId),
    /// It is the bot's again, and still has the label.
    TakeUp,
}

/// Whether a pull request is ready, as far as the bot is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Its evidence was complete when it was written.
    Ready,
    /// The downstream's own checks have to prove it.
    Draft {
        /// The fingerprint of the reason for which it says that it is held, if it says so.
        held: Option<String>,
    },
}

impl Proposal {
    /// Whether it is a draft that is still to be proved.
    #[must_use]
    pub const fn is_draft(&self) -> bool {
        matches!(self.readiness, Readiness::Draft { .. })
    }

    /// Why it is closed, if what it proposes is no release of the stream any more.
    pub(super) fn end(&self) -> Option<String> {
        let why = self.gone.as_ref()?;
        Some(format!("{} is no release of the stream any more: {why}", self.version))
    }
}

/// Whether a MAJOR's stub has a place to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Migration {
    /// No document is configured.
    Unset,
    /// The document cannot take a section.
    Faulty(String),
    /// It can.
    Ready {
        /// The majors that have a section already.
        majors: Vec<u64>,
        /// The versions that the sections lead to, as far as they are whole ones.
        targets: Vec<Version>,
    },
}
