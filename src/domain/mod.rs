//! The words of the project as types. No I/O, no async, no clock: a value that exists is valid.
//!
//! `docs/architecture.md` says what each word means; this module is where it is spelled.

mod advisory;
mod branches;
mod breaks;
mod cached;
mod canary;
mod canary_report;
mod changeset;
mod check;
mod checks;
mod commit;
mod companion;
mod content;
mod contract;
mod dashboard;
mod digest;
mod effect;
mod effect_key;
mod fact;
mod heard;
mod host_port;
mod how_to_ask;
mod ignore;
mod image;
mod invalid;
mod known_issue;
mod memory;
mod mention;
mod mirror;
mod names;
mod notes;
mod npm;
mod order;
mod order_book;
mod own_report;
mod permission;
mod pin;
mod pin_facts;
mod proposal;
mod pull;
mod reaction;
mod request;
mod role;
mod rules;
mod saying;
mod signature;
mod tag;
mod tests_run;
mod time;
mod title;
mod tree;
mod version;
mod workflow;

pub use advisory::{Advisory, Affected, VersionRange};
pub use branches::{BranchPrefix, Branches};
pub use breaks::{Break, NamedBreaks};
pub use cached::{Cached, Fetched};
pub use canary::{CanaryRun, RunId, RunState};
pub use canary_report::{CanaryReport, StepResult, verdict_of};
pub use changeset::{Changeset, ChangesetRule, PackageBump, PackageName};
pub use check::{Check, Detail, Finding, Judged, Verdict};
pub use checks::{CheckSeen, CheckState, ChecksFacts, CiFacts, NamedChecks};
pub use commit::{Descent, Relation, TagCommit, TaggedCommit};
pub use content::{Content, Learned};
pub use contract::{ContractFacts, ContractFound, ContractTerms, Dropped};
pub use dashboard::DashboardFacts;
pub use digest::{Digest, IndexDigest, PlatformDigest};
pub use effect::{Effect, EffectRecord, EffectState};
pub use effect_key::EffectKey;
pub use fact::{Fact, FactKey, Look, Observation, ReleaseFacts};
pub use heard::{CommandSource, Heard, HeardId, Ruled, Ruling, Said};
pub use host_port::HostPort;
pub use how_to_ask::HowToAsk;
pub use ignore::IgnoreScope;
pub use image::{ImageFacts, Platform, PlatformFacts};
pub use invalid::Invalid;
pub use known_issue::{CorruptTag, Held, KnownIssues};
pub use memory::Memory;
pub use mention::{Mention, Place};
pub use mirror::{MIRROR_HEADER, MirrorFacts, MirrorHunks};
pub use names::{
    BlobId, BranchName, CommitId, FilePath, ImageName, IssueNumber, PullNumber, RepoName, TreeId,
    WatchName,
};
pub use notes::{BreakingNote, NoteItem, NoteSection, Notes};
pub use npm::{NpmDrift, NpmFacts};
pub use order::{Order, Ordered};
pub use order_book::{Entered, Entry, OrderBook};
pub use own_report::{OwnCheck, OwnReport};
pub use permission::{Granted, Level, Need, Permission};
pub use pin::{BadPattern, LinePattern, Pin, PinSite, Presence, SiteShape};
pub use pin_facts::{ConflictFacts, PinFacts, SiteReading, SiteState};
pub use proposal::{DraftMark, FileChange, Marker, Plan, ProposalKind};
pub use pull::{PullFacts, PullState};
pub use reaction::Reaction;
pub use request::{Request, RequestId, RequestOutcome, Wish};
pub use role::Role;
pub use rules::{
    CompanionRule, IdentityPattern, MigrationRule, NpmRule, PatchPolicy, RetryRule, ReversalPolicy,
    RevisionPolicy, Rules, SignatureRule, TagRule, UnexpectedRef,
};
pub use saying::Saying;
pub use signature::SignatureOutcome;
pub use tag::{PinnedFacts, TagChange, TagFacts};
pub use tests_run::{FailedTest, ReportDemand, ReportFormat, TestCounts};
pub use time::{Timestamp, human_duration};
pub use title::{BadTitle, Releases, TitleTemplate, releases};
pub use tree::{FOLDER_MODE, ListedTree, TreeEntry, TreeFile};
pub use version::{Bump, Version};
pub use workflow::{WorkflowFacts, WorkflowReport, WorkflowRule, fits_path};
