//! A watch as people look at it: what the status page and `status` show, as data.

use super::{
    evidence::answer_line,
    notes::safe_url,
    report::{lasting_release_line, release_line, stage_word},
};
use crate::domain::{
    Bump, Check, DashboardFacts, DraftMark, HowToAsk, Memory, Order, Pin, ProposalKind, PullState,
    Request, Timestamp, Version, Wish, human_duration,
};
use crate::edit;
use crate::policy::{
    Candidate, Decision, Ignored, PinState, Snapshot, Stage, all_alarms, asked_again,
    is_run_on_request,
};
use serde::Serialize;

/// A watch at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct WatchView {
    /// Its name.
    pub watch: String,
    /// The pinned version, if it is known.
    pub pinned: Option<Version>,
    /// The pinned digest, if it is known.
    pub digest: Option<String>,
    /// Why the pin is not known, if it is not.
    pub pin_fault: Option<String>,
    /// Pin sites that say something else than the pin.
    pub drift: Vec<String>,
    /// Whether pin sites that the bot may edit are among it.
    #[serde(skip)]
    pub drifted: bool,
    /// The hunks by which the copy of the contract document differs from it. Foreign text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror_hunks: Option<String>,
    /// What a person has to look at: what is not what it was, and a stream that left the contract.
    pub alarms: Vec<String>,
    /// When the last pass ended, if one has.
    pub last_pass: Option<String>,
    /// How long ago that was, in words.
    #[serde(skip)]
    pub last_pass_ago: Option<String>,
    /// What the last pass could not read or do; it is due again.
    pub troubles: Vec<String>,
    /// The releases that are not older than the pin, newest first.
    pub releases: Vec<ReleaseView>,
    /// How many releases are older than the pin.
    pub older: usize,
    /// The releases that are none of ours, newest first.
    pub ignored: Vec<Ignored>,
    /// The bot's pull requests, newest first.
    pub proposals: Vec<ProposalView>,
    /// What people asked for, newest first.
    pub requests: Vec<RequestView>,
    /// What people told the bot to leave alone and is in force, one line each. Foreign text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<String>,
    /// What people ever told the bot to leave alone, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<OrderView>,
}

/// One release and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseView {
    /// The version.
    pub version: Version,
    /// How far it is from the pin.
    pub bump: Bump,
    /// Why it is treated as a MAJOR though its version says less, if so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub understated: Vec<String>,
    /// When it was published.
    pub published_at: String,
    /// Its page.
    pub url: String,
    /// Where it stands, in one word.
    pub word: &'static str,
    /// Where it stands, in one sentence.
    pub line: String,
    /// The same without what time alone changes, for what is written and left standing.
    #[serde(skip)]
    pub lasting: String,
    /// What its checks found, if it is offered.
    #[serde(skip)]
    pub evidence: Vec<String>,
    /// Where it stands, for machines.
    #[serde(flatten)]
    pub stage: Stage,
}

/// One pull request of the bot.
#[derive(Debug, Clone, Serialize)]
pub struct ProposalView {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its page.
    pub url: String,
    /// `open`, `merged` or `closed`.
    pub state: &'static str,
    /// What it is for.
    pub kind: Option<ProposalKind>,
    /// Whether it is a draft that is still to be proved.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
}

/// One request and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct RequestView {
    /// Its number.
    pub id: i64,
    /// What was asked for.
    pub wish: Wish,
    /// At which version.
    pub version: Version,
    /// Who asked.
    pub actor: String,
    /// When.
    pub at: String,
    /// `open`, `granted` or `refused`.
    pub state: &'static str,
    /// The answer, if it has ended.
    pub answer: Option<String>,
}

/// A standing order and what comes of it.
#[derive(Debug, Clone, Serialize)]
pub struct OrderView {
    /// Its number, counted with the requests'.
    pub id: i64,
    /// What was ordered, as it is spelled in a command.
    pub order: String,
    /// Who said so.
    pub actor: String,
    /// When.
    pub at: String,
    /// What comes of it.
    pub answer: String,
}

impl WatchView {
    /// Puts the view together; `how` its reader asks the bot.
    #[must_use]
    pub fn of(
        watch: &str,
        image: &crate::domain::ImageName,
        memory: &Memory,
        snapshot: &Snapshot,
        decision: &Decision,
        how: &HowToAsk,
        now: Timestamp,
    ) -> Self {
        let (pinned, digest, pin_fault) = match &snapshot.pin {
            PinState::Known { version, digest } => (Some(version.clone()), Some(digest), None),
            PinState::Unknown { why, .. } => (None, None, Some(why.clone())),
        };
        let drift =
            pinned.as_ref().zip(digest).zip(memory.pin()).map(|((version, digest), facts)| {
                let (version, digest) = (version.clone(), digest.clone());
                let pin = Pin { image: image.clone(), version, digest };
                let drift = edit::disagreements(&facts.sites, &pin);
                drift.iter().map(ToString::to_string).collect()
            });
        let shown = |stage: &Stage| *stage != Stage::Older;
        let releases = decision.stages.iter().filter(|(_, stage)| shown(stage));
        let releases: Vec<ReleaseView> = releases
            .filter_map(|(version, stage)| release(memory, snapshot, version, stage, how, now))
            .collect();
        let mut proposals: Vec<ProposalView> = memory.pulls().map(proposal).collect();
        proposals.sort_by_key(|proposal| std::cmp::Reverse(proposal.number));
        let mut ignored = snapshot.ignored.clone();
        ignored.sort_by(|a, b| (b.published_at, &b.tag).cmp(&(a.published_at, &a.tag)));
        Self {
            watch: watch.to_owned(),
            pinned,
            digest: digest.map(ToString::to_string),
            pin_fault,
            drift: drift.unwrap_or_default(),
            drifted: snapshot.drifted,
            mirror_hunks: None,
            alarms: all_alarms(memory, snapshot, how, now),
            last_pass: memory.last_pass.map(|at| at.to_string()),
            last_pass_ago: memory.last_pass.map(|at| human_duration(now.since(at))),
            troubles: troubles(memory),
            older: decision.stages.len() - releases.len(),
            releases,
            ignored,
            proposals,
            requests: memory.requests.iter().rev().map(request).collect(),
            standing: standing(&memory.orders),
            orders: memory.orders.iter().rev().map(order).collect(),
        }
    }
}

pub(super) fn release(
    memory: &Memory,
    snapshot: &Snapshot,
    version: &Version,
    stage: &Stage,
    how: &HowToAsk,
    now: Timestamp,
) -> Option<ReleaseView> {
    let candidate: &Candidate = snapshot.candidate(version)?;
    let facts = memory.releases().find(|release| {
        release.published_at == candidate.published_at
            && release.tag.trim_start_matches('v') == version.to_string()
    });
    let run_again = run_again(candidate, snapshot, stage, how);
    Some(ReleaseView {
        version: version.clone(),
        bump: candidate.bump,
        understated: candidate.understated.iter().map(|broken| broken.why.clone()).collect(),
        published_at: candidate.published_at.to_string(),
        url: facts.map(|facts| safe_url(&facts.url).to_owned()).unwrap_or_default(),
        word: stage_word(stage),
        line: release_line(candidate, snapshot.declared(version), stage, how, now)
            + &run_again
            + &again_after(candidate, snapshot, stage),
        lasting: lasting_release_line(candidate, snapshot.declared(version), stage, how)
            + &run_again,
        evidence: if *stage == Stage::Offered { evidence(candidate) } else { Vec::new() },
        stage: stage.clone(),
    })
}

/// How the canary is run again whose want of an answer holds the release.
fn run_again(candidate: &Candidate, snapshot: &Snapshot, stage: &Stage, how: &HowToAsk) -> String {
    let Stage::Held { reasons } = stage else { return String::new() };
    if !is_run_on_request(reasons, candidate, snapshot) {
        return String::new();
    }
    format!("; {} has it run again", how.say(Wish::Canary, &candidate.version))
}

/// When a check is asked again whose want of an answer holds the release. Not for what is left
/// standing: it is another time after each attempt.
fn again_after(candidate: &Candidate, snapshot: &Snapshot, stage: &Stage) -> String {
    let Stage::Held { reasons } = stage else { return String::new() };
    let again = asked_again(reasons, candidate, snapshot);
    again.map(|at| format!("; asked again after {at}")).unwrap_or_default()
}

/// The current answers, in the order in which people read them.
fn evidence(candidate: &Candidate) -> Vec<String> {
    let answers = Check::ALL.into_iter().filter_map(|check| {
        let answer = candidate.answers.get(&check)?;
        Some(answer_line(check, answer.verdict, &answer.summary))
    });
    answers.collect()
}

/// What the last pass could not do, and what is not tried in each.
fn troubles(memory: &Memory) -> Vec<String> {
    let mut lines = memory.troubles().to_vec();
    if let Some(DashboardFacts::Refused { why, again }) = memory.dashboard()
        && !lines.contains(why)
    {
        lines.push(format!("{why}; tried again at {again}"));
    }
    lines
}

fn proposal(pull: &crate::domain::PullFacts) -> ProposalView {
    ProposalView {
        number: pull.number.0,
        title: pull.title.clone(),
        url: safe_url(&pull.url).to_owned(),
        state: match pull.state {
            PullState::Open => "open",
            PullState::Merged => "merged",
            PullState::Closed => "closed",
        },
        kind: pull.marker.as_ref().map(|marker| marker.kind),
        draft: pull.marker.as_ref().is_some_and(|marker| marker.draft == DraftMark::Waits),
    }
}

/// The orders in force.
fn standing(orders: &[Order]) -> Vec<String> {
    let hold = Order::hold(orders).map(|order| format!("on hold: {}", order.told()));
    let ignoring = Order::ignoring(orders).map(|order| format!("ignored: {}", order.told()));
    hold.into_iter().chain(ignoring).collect()
}

fn order(order: &Order) -> OrderView {
    OrderView {
        id: order.id.0,
        order: order.ordered.to_string(),
        actor: order.actor.clone(),
        at: order.at.to_string(),
        answer: order.ordered.consequence(),
    }
}

pub(super) fn request(request: &Request) -> RequestView {
    RequestView {
        id: request.id.0,
        wish: request.wish,
        version: request.version.clone(),
        actor: request.actor.clone(),
        at: request.at.to_string(),
        state: match &request.outcome {
            None => "open",
            Some(outcome) if outcome.granted => "granted",
            Some(_) => "refused",
        },
        answer: request.outcome.as_ref().map(|outcome| outcome.answer.clone()),
    }
}
