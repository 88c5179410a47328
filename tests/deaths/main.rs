//! Sudden death: the process is killed before and after each record and each effect of a few
//! stories, one death at a time, and started again. The world and the memory must end as if
//! nothing had happened.
//!
//! Where to die is not listed anywhere: a story is told once without a death, and each step that
//! its processes took then is a place to die at. So a new record or effect is covered by itself.
//!
//! `DIGEST_BUMP_DEATHS=all` dies at every step; otherwise at each of a few, to stay quick.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panic")]

mod child;
#[path = "../database/mod.rs"]
mod database;
#[path = "../e2e/settings.rs"]
mod settings;
mod story;

use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet};
use story::{Act, Death, Told, tell};

/// A MINOR, a newer one that rewrites its pull request, and a bump by hand that closes it.
const MINOR: &[Act] = &[
    Act::Release("3.10.0"),
    Act::Settle,
    Act::Release("3.11.0"),
    Act::Settle,
    Act::BumpByHand,
    Act::Settle,
];
/// A MAJOR becomes a migration stub, which is merged; then its bump is asked for.
const MAJOR: &[Act] =
    &[Act::Release("4.0.0"), Act::Settle, Act::Merge, Act::Request("4.0.0"), Act::Settle];
/// A patch is offered, asked for, and merged.
const PATCH: &[Act] = &[
    Act::Release("3.9.4"),
    Act::Settle,
    Act::Request("3.9.4"),
    Act::Settle,
    Act::Merge,
    Act::Settle,
];

/// A MINOR that the downstream's own checks prove, a newer one that its pull request is rewritten
/// for, and one at which they fail.
const CHECKS: &[Act] = &[
    Act::LeaveToChecks,
    Act::Release("3.10.0"),
    Act::Once,
    Act::Ci("success"),
    Act::Once,
    Act::Release("3.11.0"),
    Act::Once,
    Act::Ci("success"),
    Act::Once,
    Act::Release("3.12.0"),
    Act::Once,
    Act::Ci("failure"),
    Act::Once,
];

/// A MINOR that a workflow of the downstream's proves, and a newer one that makes the run of one
/// between them needless.
const WORKFLOW: &[Act] = &[
    Act::LeaveToWorkflow,
    Act::Release("3.10.0"),
    Act::Once,
    Act::RunSucceeds,
    Act::Once,
    Act::Release("3.11.0"),
    Act::Once,
    Act::Release("3.12.0"),
    Act::Once,
    Act::RunSucceeds,
    Act::Once,
];

/// A MINOR whose draft a workflow prepares before the downstream's own checks prove it.
const PREPARED: &[Act] = &[
    Act::LeaveToPreparedChecks,
    Act::Release("3.10.0"),
    Act::Once,
    Act::RunSucceeds,
    Act::Once,
    Act::Ci("success"),
    Act::Once,
];

/// A patch that is offered on the dashboard, asked for there, and merged.
const DASHBOARD: &[Act] = &[
    Act::Dashboard,
    Act::Release("3.9.4"),
    Act::Settle,
    Act::Tick("3.9.4"),
    Act::Settle,
    Act::Merge,
    Act::Settle,
];

/// A person commits to the branch of a MINOR, and the base branch moves on. It is made anew there,
/// without that commit, when somebody asks.
const HANDS: &[Act] = &[
    Act::Release("3.10.0"),
    Act::Settle,
    Act::CommitByHand,
    Act::BaseMovesOn,
    Act::Settle,
    Act::Recreate("3.10.0"),
    Act::Settle,
];

/// A maintainer commands in the pull request of a MINOR, twice.
const COMMANDS: &[Act] = &[
    Act::Commands,
    Act::Release("3.10.0"),
    Act::Settle,
    Act::Say("/bump unhold\n/bump help\n/bump what"),
    Act::Settle,
    Act::Say("/bump ignore this"),
    Act::Settle,
];

/// A MINOR by checks and a newer one, through GitHub's API alone, where a commit is only known when it was made.
const API: &[Act] = &[
    Act::ThroughApi,
    Act::LeaveToChecks,
    Act::Release("3.10.0"),
    Act::Once,
    Act::Ci("success"),
    Act::Once,
    Act::Release("3.11.0"),
    Act::Once,
    Act::Ci("success"),
    Act::Once,
];

/// The same where a workflow prepares the draft, on a commit of GitHub's as well.
const API_PREPARED: &[Act] = &[
    Act::ThroughApi,
    Act::LeaveToPreparedChecks,
    Act::Release("3.10.0"),
    Act::Once,
    Act::RunSucceeds,
    Act::Once,
    Act::Ci("success"),
    Act::Once,
];

/// How many deaths of a story are enough for a quick look.
const FEW: usize = 8;
/// So many stories are told side by side.
const SIDE_BY_SIDE: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_minor_dies_the_end_is_the_same() {
    dies_everywhere("MINOR", MINOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_major_dies_the_end_is_the_same() {
    dies_everywhere("MAJOR", MAJOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_requested_patch_dies_the_end_is_the_same() {
    dies_everywhere("requested patch", PATCH).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_release_by_checks_dies_the_end_is_the_same() {
    dies_everywhere("CHECKS", CHECKS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_release_by_workflow_dies_the_end_is_the_same() {
    dies_everywhere("WORKFLOW", WORKFLOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_prepared_draft_dies_the_end_is_the_same() {
    dies_everywhere("PREPARED", PREPARED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_dashboard_dies_the_end_is_the_same() {
    dies_everywhere("DASHBOARD", DASHBOARD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_what_is_made_anew_dies_the_end_is_the_same() {
    dies_everywhere("HANDS", HANDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_commands_dies_the_end_is_the_same() {
    dies_everywhere("COMMANDS", COMMANDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_release_through_the_api_dies_the_end_is_the_same() {
    dies_everywhere("API", API).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_of_a_prepared_draft_through_the_api_dies_the_end_is_the_same() {
    dies_everywhere("API PREPARED", API_PREPARED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_its_processes_die_the_end_is_the_same() {
    let alive = tell(MINOR, Death::Never).await;
    let seeds = if all_are_wanted() { 40 } else { 4 };
    let tellings = stream::iter(0..seeds)
        .map(|seed| async move { (seed, tell(MINOR, Death::AnyTime { seed }).await) })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect::<Vec<_>>();
    let (mut faults, mut deaths) = (Vec::new(), 0);
    for (seed, told) in tellings.await {
        deaths += told.deaths;
        // A push under way when its process dies may still be done while the next one probes, and
        // is then sent again: the same commit to the same place. What was opened shows by itself.
        let (expected, found) = (lines(&alive.end), lines(&told.end));
        if found.keys().ne(expected.keys()) {
            faults.push(format!("seed {seed}\n{}", differences(&alive.end, &told.end)));
        }
    }
    eprintln!("at any time: {deaths} deaths in {seeds} tellings of the MINOR");
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(deaths > 0, "nothing died");
}

async fn dies_everywhere(name: &str, acts: &'static [Act]) {
    let alive = tell(acts, Death::Never).await;
    let all = places(&alive);
    let chosen = chosen(&all);
    let tellings = stream::iter(chosen.iter().copied())
        .map(|death| async move { (death, tell(acts, death).await) })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect::<Vec<_>>();
    let mut faults = Vec::new();
    for (death, told) in tellings.await {
        let Death::At { process, step } = death else { continue };
        let step = &alive.steps[process][step];
        if told.deaths == 0 {
            faults.push(format!("process {process}, {step}: it did not die"));
        } else if told.end != alive.end {
            let end = differences(&alive.end, &told.end);
            faults.push(format!("process {process}, {step}: it ends otherwise\n{end}"));
        }
    }
    eprintln!("{name}: {} deaths at {} steps", chosen.len(), all.len());
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// Every step of every process.
fn places(told: &Told) -> Vec<Death> {
    let processes = told.steps.iter().enumerate();
    processes
        .flat_map(|(process, steps)| (0..steps.len()).map(move |step| Death::At { process, step }))
        .collect()
}

fn all_are_wanted() -> bool {
    std::env::vars_os().any(|(name, value)| name == "DIGEST_BUMP_DEATHS" && value == "all")
}

/// All of them, or a few that lie evenly.
fn chosen(all: &[Death]) -> Vec<Death> {
    if all_are_wanted() {
        return all.to_vec();
    }
    let stride = all.len().div_ceil(FEW).max(1);
    all.iter().copied().skip(stride / 2).step_by(stride).collect()
}

/// Each line with how often it stands there.
fn lines(text: &str) -> BTreeMap<&str, usize> {
    let mut lines = BTreeMap::new();
    for line in text.lines() {
        *lines.entry(line).or_default() += 1;
    }
    lines
}

/// The lines that do not stand in both texts equally often.
fn differences(expected: &str, found: &str) -> String {
    let (before, after) = (lines(expected), lines(found));
    let all: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let times = |lines: &BTreeMap<&str, usize>, line: &str| lines.get(line).copied().unwrap_or(0);
    let different = all.into_iter().filter(|&line| times(&before, line) != times(&after, line));
    let told = different
        .map(|line| format!("{}x -> {}x {line}", times(&before, line), times(&after, line)));
    told.collect::<Vec<_>>().join("\n")
}
