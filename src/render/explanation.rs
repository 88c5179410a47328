//! Why one release stands where it stands, as data.

use super::evidence::answer_line;
use super::view::{ReleaseView, RequestView, release, request};
use crate::domain::{
    CanaryRun, Check, Finding, HowToAsk, ImageName, Memory, RunState, Timestamp, Version,
};
use crate::policy::{CompanionPin, Decision, Snapshot};
use serde::Serialize;

/// Why one release stands where it stands, from what was stored.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The release and its stage.
    #[serde(flatten)]
    pub release: ReleaseView,
    /// What its tag was resolved to.
    pub digest: Option<String>,
    /// Its platforms.
    pub platforms: Vec<String>,
    /// What is known of it besides, and of where its content is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known_issues: Vec<String>,
    /// Every answer about it, oldest first: time, check, verdict, what was seen. For machines, with
    /// the checks' own names.
    pub history: Vec<String>,
    /// The same for people, with the checks' labels.
    #[serde(skip)]
    pub told: Vec<String>,
    /// The requests for it.
    pub requests: Vec<RequestView>,
}

impl Explanation {
    /// Why `version` stands where it stands, for who asks the bot in this way; `None` if no release
    /// has it.
    #[must_use]
    pub fn of(
        version: &Version,
        known_issues: Vec<String>,
        memory: &Memory,
        snapshot: &Snapshot,
        decision: &Decision,
        how: &HowToAsk,
        now: Timestamp,
    ) -> Option<Self> {
        let (_, stage) = decision.stages.iter().find(|(known, _)| known == version)?;
        let release = release(memory, snapshot, version, stage, how, now)?;
        let image = memory.image(version);
        Some(Self {
            release,
            digest: image.map(|image| image.digest.to_string()),
            platforms: image
                .map(|image| image.platforms.iter().map(|part| part.platform.0.clone()).collect())
                .unwrap_or_default(),
            known_issues,
            history: history(version, memory, snapshot, |found| {
                format!("{} {}: {}", found.check, found.verdict, found.summary)
            }),
            told: history(version, memory, snapshot, |found| {
                answer_line(found.check, found.verdict, &found.summary)
            }),
            requests: memory
                .requests
                .iter()
                .filter(|asked| asked.version == *version)
                .map(request)
                .collect(),
        })
    }
}

/// Every answer about a release, oldest first, each finding in these words.
fn history(
    version: &Version,
    memory: &Memory,
    snapshot: &Snapshot,
    words: impl Fn(&Finding) -> String,
) -> Vec<String> {
    let line = |found: &Finding| {
        let companion = companion_of(found, memory, snapshot);
        let name = companion.map(|image| format!("{}: ", image.short())).unwrap_or_default();
        format!("{name}{}", words(found))
    };
    let mut history: Vec<(Timestamp, String)> = memory
        .findings
        .iter()
        .filter(|found| found.version == *version && found.check != Check::Canary)
        .map(|found| (found.at, line(found)))
        .chain(
            memory
                .runs
                .iter()
                .filter(|run| run.version == *version)
                .map(|run| (run.started_at, run_line(run))),
        )
        .chain(tag_lines(memory, version))
        .chain(companion_tag_lines(memory, snapshot, version))
        .collect();
    history.sort_by_key(|(at, _)| *at);
    history.into_iter().map(|(at, line)| format!("{at}  {line}")).collect()
}

/// What a tag gave, if it did not always give the same.
fn tag_lines(memory: &Memory, version: &Version) -> Vec<(Timestamp, String)> {
    let Some(tag) = memory.image_tag(version).filter(|tag| !tag.changes.is_empty()) else {
        return Vec::new();
    };
    let changes = tag.changes.iter().map(|change| match &change.to {
        Some(to) => (change.at, format!("its tag gave {to}")),
        None => (change.at, "its tag was gone".to_owned()),
    });
    let first = (tag.first_seen, format!("its tag gave {} when it was first resolved", tag.first));
    std::iter::once(first).chain(changes).collect()
}

/// The same of the tags of companion images.
fn companion_tag_lines(
    memory: &Memory,
    snapshot: &Snapshot,
    version: &Version,
) -> Vec<(Timestamp, String)> {
    let of_one = |pin: &CompanionPin| {
        let name = pin.image.short().to_owned();
        let lines = tag_lines(&memory.of_image(&pin.image), version);
        lines.into_iter().map(move |(at, line)| (at, format!("{name}: {line}")))
    };
    snapshot.companions.iter().flat_map(of_one).collect()
}

/// The companion image that a finding is about; `None` if it is about the watched one.
fn companion_of<'a>(
    found: &Finding,
    memory: &Memory,
    snapshot: &'a Snapshot,
) -> Option<&'a ImageName> {
    let own = memory.image(&found.version).is_some_and(|image| image.digest == found.subject);
    let about = |image: &&ImageName| {
        let known = memory.companion(image, &found.version);
        known.is_some_and(|known| known.digest == found.subject)
    };
    let mut images = snapshot.companions.iter().map(|pin| &pin.image).filter(|_| !own);
    images.find(about)
}

fn run_line(run: &CanaryRun) -> String {
    let (id, base) = (run.id, run.base.short());
    match &run.state {
        RunState::Running { .. } => format!("canary run {id} on {base} is under way"),
        RunState::Ended { at, verdict, summary, .. } => {
            let took = crate::domain::human_duration(at.since(run.started_at));
            format!("canary run {id} on {base} {verdict} after {took}: {summary}")
        }
    }
}
