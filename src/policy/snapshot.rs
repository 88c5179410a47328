//! Everything that a decision depends on, assembled from what is remembered.

use super::{branch, required, stream};
use crate::domain::{
    BranchName, Bump, CanaryRun, Check, Effect, Finding, ImageName, IndexDigest, Look, Marker,
    Memory, PatchPolicy, PinSite, Presence, ProposalKind, PullFacts, PullNumber, PullState,
    Request, Rules, RunId, RunState, SiteState, Timestamp, Verdict, Version,
};
use std::{collections::BTreeMap, time::Duration};

/// A watch at one moment, as the decision sees it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What happens to a patch.
    pub patches: PatchPolicy,
    /// How long after its publication a release may lack artifacts.
    pub artifact_deadline: Duration,
    /// The pause after each inconclusive answer; one more after the last holds the candidate.
    pub pauses: Vec<Duration>,
    /// What the downstream pins.
    pub pin: PinState,
    /// The releases of the stream, newest first.
    pub candidates: Vec<Candidate>,
    /// The releases that are none of ours.
    pub ignored: Vec<Ignored>,
    /// The bot's pull requests.
    pub proposals: Vec<Proposal>,
    /// Pull requests of other people from the bot's branches, still open.
    pub foreign: Vec<(BranchName, PullNumber)>,
    /// What people asked for, oldest first.
    pub requests: Vec<Request>,
    /// Whether a MAJOR's stub has a place to go.
    pub migration: Migration,
    /// Whether every pin site can be edited, as the canary's tree needs it.
    pub editable: bool,
    /// Every canary run under way, also those whose result would be stale by now.
    pub runs: Vec<Running>,
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
    /// How far it is from the pin.
    pub bump: Bump,
    /// When the release was published.
    pub published_at: Timestamp,
    /// What its image tag resolved to, once and for all.
    pub digest: Option<IndexDigest>,
    /// What a look at the registry gave in this pass, if it gave no image.
    pub look: Option<Look>,
    /// Why its npm half is not there; `None` if it is, or is not needed.
    pub npm: Option<Look>,
    /// The current answers.
    pub answers: BTreeMap<Check, Answer>,
    /// The canary run that is under way.
    pub running: Option<Running>,
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
}

/// A canary run that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Which one.
    pub run: RunId,
    /// Since when.
    pub since: Timestamp,
    /// When its supervisor has to have spoken again.
    pub alive_until: Timestamp,
}

/// A release that is none of ours, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ignored {
    /// The git tag. Foreign text.
    pub tag: String,
    /// The reason.
    pub why: String,
}

/// A pull request of the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What it is for.
    pub kind: ProposalKind,
    /// What it proposes.
    pub version: Version,
    /// Its number.
    pub pull: PullNumber,
    /// Open, merged, closed.
    pub state: PullState,
    /// Whether the head is a commit that the bot pushed.
    pub ours: bool,
    /// Whether head, body and pin belong together; not so when the bot died between the first
    /// two, or when the pin was moved under the proposal.
    pub settled: bool,
    /// Whether a person asked for it.
    pub requested: bool,
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
    },
}

/// What a snapshot is made from.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What is remembered of the watch.
    pub memory: &'a Memory,
    /// The watch's rules.
    pub rules: &'a Rules,
    /// The watched image.
    pub image: &'a ImageName,
    /// The pin sites, in the config's order.
    pub sites: &'a [PinSite],
    /// Looks at the registry in this pass that gave no image.
    pub looks: &'a BTreeMap<Version, Look>,
    /// Why npm could not be asked in this pass, if so.
    pub npm_trouble: Option<&'a str>,
    /// Whether what is missing can be looked for: a pass can, a status page cannot.
    pub live: bool,
}

impl Snapshot {
    /// Assembles the snapshot. Pure.
    #[must_use]
    pub fn of(view: View<'_>) -> Self {
        let (versions, ignored) = sort_releases(view);
        let pin = pin_state(view, &versions);
        let candidates =
            versions.iter().map(|release| candidate(view, &pin, &release.0, release.1)).collect();
        let (proposals, foreign) = proposals(view, &pin);
        Self {
            patches: view.rules.patches,
            artifact_deadline: view.rules.artifact_deadline,
            pauses: view.rules.retry.pauses.clone(),
            pin,
            candidates,
            ignored,
            proposals,
            foreign,
            requests: view.memory.requests.clone(),
            migration: migration(view),
            editable: required::site_faults(view.memory.pin()).is_empty(),
            runs: view.memory.runs.iter().filter_map(running).collect(),
        }
    }
}

/// The stream's versions with their publication, newest first, and everything else.
fn sort_releases(view: View<'_>) -> (Vec<(Version, Timestamp)>, Vec<Ignored>) {
    let (mut versions, mut ignored) = (Vec::new(), Vec::new());
    for release in view.memory.releases() {
        let admitted = stream::admit(release, &view.rules.tags).and_then(|version| {
            let npm = view.memory.npm(&version).zip(view.rules.npm.as_ref());
            match npm.and_then(|(npm, rule)| stream::foreign_product(npm, rule)) {
                Some(why) => Err(why),
                None => Ok(version),
            }
        });
        match admitted {
            Ok(version) => versions.push((version, release.published_at)),
            Err(why) => ignored.push(Ignored { tag: release.tag.clone(), why }),
        }
    }
    versions.sort_by(|a, b| b.0.cmp_precedence(&a.0));
    versions.dedup_by(|a, b| a.0 == b.0);
    (versions, ignored)
}

fn pin_state(view: View<'_>, versions: &[(Version, Timestamp)]) -> PinState {
    let unknown = |why: String| PinState::Unknown { why, ask: None };
    let Some(facts) = view.memory.pin() else {
        return unknown("the downstream was not read yet".to_owned());
    };
    let readings = view.sites.iter().zip(&facts.sites);
    for (site, reading) in readings.filter(|(site, _)| site.authority) {
        return match &reading.state {
            SiteState::Absent if site.presence == Presence::IfPresent => continue,
            SiteState::Absent => unknown(format!("{} is not there", reading.path)),
            SiteState::Faulty { why } => unknown(format!("{}: {why}", reading.path)),
            SiteState::Spelled { version: Some(version), digest: Some(digest), .. } => {
                PinState::Known { version: version.clone(), digest: digest.clone() }
            }
            SiteState::Spelled { version: None, digest: Some(digest), .. } => {
                version_of(view, digest, versions)
            }
            SiteState::Spelled { version, .. } => digest_of(view, version.as_ref()),
        };
    }
    unknown("no authority among the pin sites is present".to_owned())
}

/// A site that holds only a digest is resolved to its version from observations: the versions
/// that other sites spell are asked first, then the releases from the newest down.
fn version_of(view: View<'_>, digest: &IndexDigest, versions: &[(Version, Timestamp)]) -> PinState {
    let spelled: Vec<&Version> = view.memory.pin().map_or_else(Vec::new, |facts| {
        facts.sites.iter().filter_map(|reading| spelled_version(&reading.state)).collect()
    });
    let mut known: Vec<&Version> = view
        .memory
        .images()
        .filter(|image| image.digest == *digest)
        .map(|image| &image.version)
        .collect();
    // Two tags may share a digest: the one that the downstream itself names is meant.
    known.sort_by(|a, b| (spelled.contains(a), *a).cmp(&(spelled.contains(b), *b)).reverse());
    if let Some(version) = known.first() {
        return PinState::Known { version: (*version).clone(), digest: digest.clone() };
    }
    let not_asked = |version: &&Version| {
        view.memory.image(version).is_none() && !view.looks.contains_key(version)
    };
    let ask =
        spelled.into_iter().chain(versions.iter().map(|(version, _)| version)).find(not_asked);
    PinState::Unknown {
        why: format!("no known release has the pinned digest {digest}"),
        ask: ask.cloned(),
    }
}

fn spelled_version(state: &SiteState) -> Option<&Version> {
    match state {
        SiteState::Spelled { version, .. } => version.as_ref(),
        SiteState::Absent | SiteState::Faulty { .. } => None,
    }
}

fn digest_of(view: View<'_>, version: Option<&Version>) -> PinState {
    let Some(version) = version else {
        return PinState::Unknown { why: "the authority spells nothing".to_owned(), ask: None };
    };
    match view.memory.image(version) {
        Some(image) => PinState::Known { version: version.clone(), digest: image.digest.clone() },
        None => PinState::Unknown {
            why: format!("the digest of the pinned version {version} is not known"),
            ask: (!view.looks.contains_key(version)).then(|| version.clone()),
        },
    }
}

fn candidate(view: View<'_>, pin: &PinState, version: &Version, published: Timestamp) -> Candidate {
    let (bump, pinned) = match pin {
        PinState::Known { version: pinned, digest } => {
            (super::classify(pinned, version), Some(digest.digest()))
        }
        PinState::Unknown { .. } => (Bump::None, None),
    };
    let digest = view.memory.image(version).map(|image| image.digest.clone());
    let inputs = |check| required::inputs_of(check, view.rules, view.memory.pin(), pinned);
    let mut answers = BTreeMap::new();
    let mut running = None;
    if let Some(digest) = &digest {
        for check in Check::ALL {
            let current = |found: &&Finding| {
                found.check == check
                    && found.version == *version
                    && found.subject == *digest
                    && found.inputs == inputs(check)
            };
            let findings: Vec<&Finding> = view.memory.findings.iter().filter(current).collect();
            if let Some(answer) = answer(&findings, requested_at(view, version)) {
                answers.insert(check, answer);
            }
        }
        let canary = inputs(Check::Canary);
        running = view.memory.runs.iter().rev().find_map(|run| under_way(run, digest, &canary));
    }
    Candidate {
        version: version.clone(),
        bump,
        published_at: published,
        digest,
        look: look(view, version),
        npm: match (&view.rules.npm, view.memory.npm(version), npm_trouble(view)) {
            (None, _, _) | (_, Some(_), _) => None,
            (Some(_), None, Some(trouble)) => Some(Look::Unavailable(trouble.to_owned())),
            (Some(_), None, None) => Some(Look::Absent),
        },
        answers,
        running,
    }
}

/// What is known of a missing image. A live pass looks again; from memory alone, what was seen
/// last has to do.
fn look(view: View<'_>, version: &Version) -> Option<Look> {
    let remembered = || view.memory.no_image(version).filter(|_| !view.live);
    view.looks.get(version).or_else(remembered).cloned()
}

fn npm_trouble(view: View<'_>) -> Option<&str> {
    let remembered = || view.memory.npm_trouble().filter(|_| !view.live);
    view.npm_trouble.or_else(remembered)
}

fn requested_at(view: View<'_>, version: &Version) -> Option<Timestamp> {
    let asked = view.memory.requests.iter().filter(|request| request.version == *version);
    asked.map(|request| request.at).max()
}

/// The latest finding. A request starts the count of inconclusive answers anew: whoever asks for
/// a held release asks for another try.
fn answer(findings: &[&Finding], requested: Option<Timestamp>) -> Option<Answer> {
    let last = findings.last()?;
    let attempts = findings
        .iter()
        .rev()
        .take_while(|found| found.verdict == Verdict::Inconclusive)
        .filter(|found| requested.is_none_or(|asked| found.at >= asked))
        .count();
    if last.verdict == Verdict::Inconclusive && attempts == 0 {
        return None;
    }
    Some(Answer { verdict: last.verdict, summary: last.summary.clone(), at: last.at, attempts })
}

fn under_way(run: &CanaryRun, digest: &IndexDigest, inputs: &str) -> Option<Running> {
    running(run).filter(|_| run.subject == *digest && run.inputs == inputs)
}

fn running(run: &CanaryRun) -> Option<Running> {
    match run.state {
        RunState::Running { alive_until } => {
            Some(Running { run: run.id, since: run.started_at, alive_until })
        }
        RunState::Ended { .. } => None,
    }
}

fn proposals(view: View<'_>, pin: &PinState) -> (Vec<Proposal>, Vec<(BranchName, PullNumber)>) {
    let (mut proposals, mut foreign) = (Vec::new(), Vec::new());
    let own = |pull: &&PullFacts| branch::is_own_branch(pull.branch.as_str(), view.image);
    for pull in view.memory.pulls().filter(own) {
        match &pull.marker {
            Some(marker) => proposals.push(Proposal {
                kind: marker.kind,
                version: marker.version.clone(),
                pull: pull.number,
                state: pull.state,
                ours: pull.head == marker.commit || pushed(view.memory, pull),
                settled: pull.head == marker.commit && starts_from(marker, pin),
                requested: marker.requested,
            }),
            None if pull.state == PullState::Open => {
                foreign.push((pull.branch.clone(), pull.number));
            }
            None => {}
        }
    }
    proposals.sort_by_key(|proposal| proposal.pull);
    (proposals, foreign)
}

/// Whether a proposal's edits start from what is pinned now; else they do not apply any more.
fn starts_from(marker: &Marker, pin: &PinState) -> bool {
    match (&marker.from, pin) {
        (Some(from), PinState::Known { digest, .. }) => from == digest,
        (None, _) | (_, PinState::Unknown { .. }) => true,
    }
}

/// Whether the bot pushed the commit at the head: the intent is recorded before the ref moves.
fn pushed(memory: &Memory, pull: &PullFacts) -> bool {
    memory.effects.iter().any(|record| {
        matches!(&record.effect, Effect::PushBranch { branch, commit }
            if *branch == pull.branch && *commit == pull.head)
    })
}

fn migration(view: View<'_>) -> Migration {
    let facts = view.memory.pin();
    match (&view.rules.migration, facts.and_then(|facts| facts.migration_fault.as_ref())) {
        (None, _) => Migration::Unset,
        (Some(_), Some(fault)) => Migration::Faulty(fault.clone()),
        (Some(_), None) => Migration::Ready {
            majors: facts.map(|facts| facts.migrated.clone()).unwrap_or_default(),
        },
    }
}
