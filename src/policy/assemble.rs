//! From what is remembered to a snapshot. Pure: the same memory gives the same snapshot, in
//! whatever order it was filled.

use super::{
    companion::companions,
    companion_pin::CompanionPin,
    honesty::{Doubted, Doubts},
    pinned::pin_state,
    proposals::proposals,
    required,
    retreat::{next_look, retreat},
    snapshot::{
        Answer, Baseline, Candidate, Carrier, Checks, Ignored, Migration, PinState, Running,
        Snapshot, Unavailable,
    },
    soak::soak,
    stream,
    trials::wanted_since,
};
use crate::domain::{
    CanaryRun, Check, Finding, ImageName, IndexDigest, Look, Memory, PinSite, ReleaseFacts,
    ReversalPolicy, Rules, RunState, Timestamp, Verdict, Version,
};
use std::collections::BTreeMap;

/// Looks at the registry that gave no image, by image and version.
pub type Looks = BTreeMap<(ImageName, Version), Look>;

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
    pub looks: &'a Looks,
    /// Why npm could not be asked in this pass, if so.
    pub npm_trouble: Option<&'a str>,
    /// Whether what is missing can be looked for: a pass can, a status page cannot.
    pub live: bool,
}

impl View<'_> {
    /// What a look at `version` gave in this pass, if it gave no image.
    pub(super) fn look_in_pass(&self, version: &Version) -> Option<&Look> {
        self.looks.get(&(self.image.clone(), version.clone()))
    }
}

impl Snapshot {
    /// Assembles the snapshot. Pure.
    #[must_use]
    pub fn of(view: View<'_>) -> Self {
        let (versions, ignored) = sort_releases(view);
        let pin = pin_state(view, &versions);
        let rules = view.rules.companions.iter();
        let companions: Vec<CompanionPin> =
            rules.map(|rule| CompanionPin::of(view.memory, &rule.image)).collect();
        let doubts = Doubts::about(view, &pin, &companions, &versions);
        let candidates =
            versions.iter().map(|release| candidate(view, &pin, &doubts, release)).collect();
        let (proposals, foreign) = proposals(view, &pin);
        Self {
            patches: view.rules.patches,
            asked: required::asked_checks(view.rules),
            artifact_deadline: view.rules.artifact_deadline,
            pauses: view.rules.retry.pauses.clone(),
            companions,
            candidates,
            unresolved: unresolved(view),
            ignored,
            proposals,
            foreign,
            requests: view.memory.requests.clone(),
            orders: view.memory.orders.clone(),
            migration: migration(view),
            editable: required::site_faults(view.memory.pin()).is_empty(),
            baseline: baseline(view, &pin),
            runs: view.memory.runs.iter().filter_map(|run| running(view, run)).collect(),
            by_checks: view.rules.checks.is_some(),
            drifted: false,
            retreat: retreat(view.memory, &pin, view.rules),
            next_look: next_look(view.memory, &pin, view.rules),
            reverses: view.rules.reversal == ReversalPolicy::Open,
            ci_starts_within: view.rules.ci_starts_within,
            pin,
        }
    }
}

/// The stream's releases, newest first, and everything else.
fn sort_releases(view: View<'_>) -> (Vec<(Version, &ReleaseFacts)>, Vec<Ignored>) {
    let (mut versions, mut ignored) = (Vec::new(), Vec::new());
    for release in view.memory.releases() {
        match stream::admit_product(release, view.memory, view.rules) {
            Ok(version) => versions.push((version, release)),
            Err(why) => ignored.push(Ignored {
                tag: release.tag.clone(),
                why,
                published_at: release.published_at,
                unfinished: stream::is_unfinished(release, &view.rules.tags),
            }),
        }
    }
    versions.sort_by(|a, b| b.0.cmp_precedence(&a.0));
    versions.dedup_by(|a, b| a.0 == b.0);
    (versions, ignored)
}

fn candidate(
    view: View<'_>,
    pin: &PinState,
    doubts: &Doubts<'_>,
    (version, release): &(Version, &ReleaseFacts),
) -> Candidate {
    let (pinned_version, pinned) = match pin {
        PinState::Known { version: pinned, digest } => (Some(pinned), Some(digest.digest())),
        PinState::Unknown { .. } => (None, None),
    };
    let Doubted { bump, understated, lost, contract } = doubts.judge(version, release);
    let digest = view.memory.image(version).map(|image| image.digest.clone());
    let inputs = |check| required::inputs_of(check, version, view.rules, view.memory, pinned);
    let answers = digest.as_ref().map(|digest| answers(view, version, digest, inputs));
    let canary = inputs(Check::Canary);
    let running = digest.as_ref().and_then(|digest| {
        view.memory.runs.iter().rev().find_map(|run| under_way(view, run, digest, &canary))
    });
    Candidate {
        version: version.clone(),
        bump,
        understated,
        lost,
        contract,
        published_at: release.published_at,
        digest,
        look: look(view, version),
        unavailable: unavailable(view, version),
        npm: npm(view, version),
        soak: soak(version, pinned_version, view.memory, view.rules),
        answers: answers.unwrap_or_default(),
        running,
        companions: companions(view, doubts, release, version, bump),
    }
}

/// What is known of the canary at the pinned digest.
fn baseline(view: View<'_>, pin: &PinState) -> Baseline {
    let PinState::Known { version, digest } = pin else { return Baseline::default() };
    let pinned = Some(digest.digest());
    let inputs = |check| required::inputs_of(check, version, view.rules, view.memory, pinned);
    let canary = inputs(Check::Canary);
    let mut runs = view.memory.runs.iter().rev();
    Baseline {
        answer: answers(view, version, digest, inputs).remove(&Check::Canary),
        running: runs.find_map(|run| under_way(view, run, digest, &canary)),
    }
}

/// The current answers about `digest` as this version.
pub(super) fn answers(
    view: View<'_>,
    version: &Version,
    digest: &IndexDigest,
    inputs: impl Fn(Check) -> String,
) -> BTreeMap<Check, Answer> {
    let mut answers = BTreeMap::new();
    for check in Check::ALL {
        let wanted = inputs(check);
        let current = |found: &&Finding| {
            found.check == check
                && found.version == *version
                && found.subject == *digest
                && found.inputs == wanted
        };
        let findings: Vec<&Finding> = view.memory.findings.iter().filter(current).collect();
        let asked = requested_at(view, version);
        // Whoever asks for a release whose canary failed asks for another try, and whoever asks for
        // the canary, also where it passed.
        let again = |last: &&Finding| {
            let later = |asked: Option<Timestamp>| asked.is_some_and(|asked| asked > last.at);
            let failed = last.verdict == Verdict::Failed && later(asked);
            check == Check::Canary && (failed || later(wanted_since(view.memory, version)))
        };
        if findings.last().is_some_and(again) {
            continue;
        }
        if let Some(answer) = answer(&findings, asked) {
            answers.insert(check, answer);
        }
    }
    answers
}

/// What is known of a missing image. A live pass looks again; from memory alone, what was seen
/// last has to do.
pub(super) fn look(view: View<'_>, version: &Version) -> Option<Look> {
    let remembered = || view.memory.no_image(version).filter(|_| !view.live);
    let look = view.look_in_pass(version).or_else(|| remembered().map(|(look, ..)| look))?;
    match view.rules.known_issues.missing(version) {
        Some(missing) if *look == Look::Absent => Some(Look::Unusable(missing)),
        _ => Some(look.clone()),
    }
}

/// The tags that the content of releases without a tag of their own is under, as long as no look
/// at them told anything, and some are left to be spent.
fn unresolved(view: View<'_>) -> Vec<Version> {
    let (known, memory) = (&view.rules.known_issues, view.memory);
    let holders = known.missing.iter().filter_map(|version| known.tag_that_holds(version));
    let told = |tag: &Version| match memory.no_image(tag) {
        Some((Look::Unavailable(_), _, attempts)) => attempts > view.rules.retry.pauses.len(),
        Some(_) => true,
        None => memory.image(tag).is_some(),
    };
    let wanted = |tag: &&Version| view.live && !told(tag) && view.look_in_pass(tag).is_none();
    holders.filter(wanted).cloned().collect()
}

/// Why the npm half is not there, if it is not. Of one that is not what it was the check of the
/// agreement tells.
fn npm(view: View<'_>, version: &Version) -> Option<Look> {
    let rule = view.rules.npm.as_ref()?;
    let memory = view.memory;
    if memory.npm(version).is_some() || memory.npm_drift(version).is_some() {
        return None;
    }
    if memory.npm_withdrawn(version) {
        let why = format!("npm has withdrawn {}@{version}", rule.package);
        return Some(Look::Unusable(why));
    }
    Some(npm_trouble(view).map_or(Look::Absent, |why| Look::Unavailable(why.to_owned())))
}

/// A request for the version asks for another look at once.
pub(super) fn unavailable(view: View<'_>, version: &Version) -> Option<Unavailable> {
    let Some((look, at, attempts)) = view.memory.no_image(version) else {
        return limited(view);
    };
    let Look::Unavailable(why) = look else { return None };
    let asked = requested_at(view, version).is_some_and(|asked| asked >= at);
    let limited_until = view.memory.registry_limit();
    (!asked).then(|| Unavailable { why: why.clone(), at, attempts, limited_until })
}

/// A release that was never looked at, because the registry does not let itself be asked. That was
/// no attempt.
fn limited(view: View<'_>) -> Option<Unavailable> {
    let (until, at) = view.memory.limit_met()?;
    let why = format!("the registry's rate limit holds until {until}");
    Some(Unavailable { why, at, attempts: 0, limited_until: Some(until) })
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
    Some(Answer {
        verdict: last.verdict,
        summary: last.summary.clone(),
        at: last.at,
        attempts,
        too_early_until: last.detail.too_early_until,
        may_change: last.detail.may_change,
    })
}

fn under_way(
    view: View<'_>,
    run: &CanaryRun,
    digest: &IndexDigest,
    inputs: &str,
) -> Option<Running> {
    running(view, run).filter(|_| run.subject == *digest && run.inputs == inputs)
}

fn running(view: View<'_>, run: &CanaryRun) -> Option<Running> {
    match run.state {
        RunState::Running { alive_until, .. } => {
            let checks = waits_for(view, run);
            Some(Running { run: run.id, since: run.started_at, alive_until, checks })
        }
        RunState::Ended { .. } => None,
    }
}

/// What a run waits for that the bot does not run itself.
fn waits_for(view: View<'_>, run: &CanaryRun) -> Option<Checks> {
    let commit = run.checked.as_ref()?;
    if let Some(marker) = &run.dispatched {
        let seen = view.memory.workflow(marker).map(|it| it.seen.clone());
        let (seen, wanted) = (seen.into_iter().collect(), view.rules.workflow.is_some());
        return Some(Checks { seen, carrier: Carrier::Workflow, wanted });
    }
    Some(Checks {
        seen: view.memory.checks(commit).map(|it| it.checks.clone()).unwrap_or_default(),
        carrier: if *commit == run.base { Carrier::Base } else { Carrier::Draft },
        wanted: view.rules.checks.is_some(),
    })
}

fn migration(view: View<'_>) -> Migration {
    let facts = view.memory.pin();
    match (&view.rules.migration, facts.and_then(|facts| facts.migration_fault.as_ref())) {
        (None, _) => Migration::Unset,
        (Some(_), Some(fault)) => Migration::Faulty(fault.clone()),
        (Some(_), None) => Migration::Ready {
            majors: facts.map(|facts| facts.migrated.clone()).unwrap_or_default(),
            targets: facts.map(|facts| facts.migrated_to.clone()).unwrap_or_default(),
        },
    }
}
