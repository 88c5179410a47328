//! The words of the project as types. No I/O, no async, no clock: a value that exists is valid.
//!
//! `docs/architecture.md` says what each word means; this module is where it is spelled.

mod advisory;
mod breaks;
mod cached;
mod canary;
mod canary_report;
mod check;
mod checks;
mod commit;
mod companion;
mod content;
mod contract;
mod digest;
mod effect;
mod fact;
mod host_port;
mod invalid;
mod known_issue;
mod memory;
mod names;
mod notes;
mod pin;
mod proposal;
mod request;
mod rules;
mod signature;
mod tag;
mod tests_run;
mod time;
mod tree;
mod version;

pub use advisory::{Advisory, Affected, VersionRange};
pub use breaks::{Break, NamedBreaks};
pub use cached::{Cached, Fetched};
pub use canary::{CanaryRun, RunId, RunState};
pub use canary_report::{CanaryReport, StepResult, verdict_of};
pub use check::{Check, Detail, Finding, Judged, Verdict};
pub use checks::{CheckSeen, CheckState, ChecksFacts, NamedChecks, OWN_CHECK};
pub use commit::{Descent, Relation, TagCommit, TaggedCommit};
pub use content::{Content, Learned};
pub use contract::{ContractFacts, ContractFound, ContractTerms, Dropped};
pub use digest::{Digest, IndexDigest, PlatformDigest};
pub use effect::{Effect, EffectKey, EffectRecord, EffectState, OwnCheck};
pub use fact::{
    Fact, FactKey, ImageFacts, Look, NpmDrift, NpmFacts, Observation, PinFacts, Platform,
    PlatformFacts, PullFacts, PullState, ReleaseFacts, SiteReading, SiteState,
};
pub use host_port::HostPort;
pub use invalid::Invalid;
pub use known_issue::{CorruptTag, Held, KnownIssues};
pub use memory::Memory;
pub use names::{
    BlobId, BranchName, CommitId, FilePath, ImageName, PullNumber, RepoName, TreeId, WatchName,
};
pub use notes::{BreakingNote, NoteItem, NoteSection, Notes};
pub use pin::{LinePattern, Pin, PinSite, Presence, SiteShape};
pub use proposal::{DraftMark, FileChange, Marker, Plan, ProposalKind};
pub use request::{Request, RequestId, RequestOutcome};
pub use rules::{
    CompanionRule, IdentityPattern, MigrationRule, NpmRule, PatchPolicy, RetryRule, RevisionPolicy,
    Rules, SignatureRule, TagRule, UnexpectedRef,
};
pub use signature::SignatureOutcome;
pub use tag::{PinnedFacts, TagChange, TagFacts};
pub use tests_run::{FailedTest, ReportDemand, ReportFormat, TestCounts};
pub use time::{Timestamp, human_duration};
pub use tree::{FOLDER_MODE, ListedTree, TreeEntry, TreeFile};
pub use version::{Bump, Version};
