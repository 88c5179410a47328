//! What the commands print.

use crate::domain::{HowToAsk, Ordered, RequestId, Timestamp, Version, Wish};
use crate::policy::{Decision, Ignored, Stage};
use crate::reconcile::{PassReport, PlannedAction};
use crate::render::{stage_line, stage_word};
use serde::Serialize;
use std::fmt::Write as _;

/// What a pass did.
#[derive(Debug, Serialize)]
pub(super) struct ReportView {
    watch: String,
    performed: Vec<String>,
    troubles: Vec<String>,
    /// The releases whose checks the downstream's own CI has not concluded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waits_for: Vec<String>,
    /// When the next pass is due at the latest, if a time is known.
    wake: Option<String>,
}

impl ReportView {
    pub(super) fn of(watch: &str, report: &PassReport) -> Self {
        Self {
            watch: watch.to_owned(),
            performed: report.performed.clone(),
            troubles: report.troubles.clone(),
            waits_for: report.decision.stages.iter().filter_map(waits_for).collect(),
            wake: report.wake.map(|time| time.to_string()),
        }
    }
}

fn waits_for((version, stage): &(Version, Stage)) -> Option<String> {
    match stage {
        Stage::CanaryRunning { checks: Some(checks), since } => {
            Some(format!("{version}, whose checks run since {since}: {checks}"))
        }
        _ => None,
    }
}

pub(super) fn report(view: &ReportView) -> String {
    let mut out = String::new();
    for line in &view.performed {
        let _ = writeln!(out, "{}: {line}", view.watch);
    }
    for line in &view.troubles {
        let _ = writeln!(out, "{}: not done: {line}", view.watch);
    }
    if view.performed.is_empty() && view.troubles.is_empty() {
        let _ = writeln!(out, "{}: nothing to do", view.watch);
    }
    for line in &view.waits_for {
        let _ = writeln!(out, "{}: waits for {line}", view.watch);
    }
    if let Some(wake) = &view.wake {
        let _ = writeln!(out, "{}: look again by {wake}", view.watch);
    }
    out
}

/// What the daemon answered.
#[derive(Debug, Serialize)]
pub(super) struct HealthView {
    pub(super) healthy: bool,
}

pub(super) fn health(view: &HealthView) -> String {
    if view.healthy { "healthy\n".to_owned() } else { "not healthy: its log says why\n".to_owned() }
}

/// What a pass would do.
#[derive(Debug, Serialize)]
pub(super) struct PlanView {
    watch: String,
    actions: Vec<PlannedAction>,
    stages: Vec<StageView>,
    troubles: Vec<String>,
}

#[derive(Debug, Serialize)]
struct StageView {
    version: Version,
    word: &'static str,
    line: String,
}

impl PlanView {
    pub(super) fn of(
        watch: &str,
        actions: Vec<PlannedAction>,
        decision: &Decision,
        troubles: Vec<String>,
        now: Timestamp,
    ) -> Self {
        let told = decision.stages.iter().filter(|(_, stage)| *stage != Stage::Older);
        let stages = told.map(|(version, stage)| StageView {
            version: version.clone(),
            word: stage_word(stage),
            line: stage_line(version, stage, &HowToAsk::CommandLine, now),
        });
        Self { watch: watch.to_owned(), actions, stages: stages.collect(), troubles }
    }
}

pub(super) fn plan(view: &PlanView) -> String {
    let mut out = format!("{}: a pass would\n", view.watch);
    if view.actions.is_empty() {
        out.push_str("  do nothing\n");
    }
    for action in &view.actions {
        action_lines(&mut out, action, &view.actions);
    }
    for trouble in &view.troubles {
        let _ = writeln!(out, "  not read: {trouble}");
    }
    out.push_str("Releases:\n");
    for stage in &view.stages {
        let _ =
            writeln!(out, "  {:<10} {:<9} {}", stage.version.to_string(), stage.word, stage.line);
    }
    out
}

fn action_lines(out: &mut String, action: &PlannedAction, all: &[PlannedAction]) {
    match action {
        PlannedAction::RunCanary { version, by: None } => {
            let _ = writeln!(out, "  run the canary at {version}");
        }
        PlannedAction::RunCanary { version, by: Some(workflow) } => {
            let _ = writeln!(out, "  dispatch {workflow} for the canary at {version}");
        }
        PlannedAction::Cancel { run, why } => {
            let _ = writeln!(out, "  cancel the workflow of run {run}: {why}");
        }
        PlannedAction::Propose {
            version,
            over,
            branch,
            title,
            diff,
            if_canary_passes,
            of_draft,
            answers,
            ..
        } => {
            let of_it = |it: &PlannedAction| matches!(it, PlannedAction::RunCanary { version: run, .. } if run == version);
            let drafted = all.iter().any(|it| matches!(it, PlannedAction::Draft { .. }));
            let when = match (if_canary_passes, all.iter().any(of_it)) {
                (true, _) if drafted => "… then, if its checks succeed: ",
                (true, _) => "… then, if the canary passes: ",
                (false, true) => "… then, whatever the canary finds: ",
                (false, false) => "",
            };
            let verb = match over {
                _ if *of_draft && drafted => "mark the draft as ready:".to_owned(),
                Some(number) if *of_draft => format!("mark #{number} as ready:"),
                Some(number) => format!("rewrite #{number} as"),
                None => "open".to_owned(),
            };
            let _ = writeln!(out, "  {when}{verb} \"{title}\"");
            let _ = writeln!(out, "    from the branch {branch}");
            if let Some(request) = answers {
                let _ = writeln!(out, "    in answer to request {request}");
            }
            // What the draft shows already is not shown twice.
            for line in diff.lines().filter(|_| !(*of_draft && drafted)) {
                let _ = writeln!(out, "    {line}");
            }
        }
        PlannedAction::Draft { over, branch, title, diff, checks, .. } => {
            let verb = over.map_or("open".to_owned(), |number| format!("rewrite #{number} as"));
            let _ = writeln!(out, "  {verb} the draft \"{title}\"");
            let _ = writeln!(out, "    from the branch {branch}");
            let _ = writeln!(out, "    and wait for {}", checks.join(", "));
            for line in diff.lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
        PlannedAction::Hold { pull, why } => {
            let _ = writeln!(out, "  say in the draft #{pull} why it is held: {why}");
        }
        PlannedAction::Close { pull, why } => {
            let _ = writeln!(out, "  close #{pull}: {why}");
        }
        PlannedAction::Warn { pull, why } => {
            let _ = writeln!(out, "  warn in #{pull}: {why}");
        }
        PlannedAction::StepBack { pull } => {
            let _ = writeln!(out, "  say in #{pull} that a person works on its branch");
        }
        PlannedAction::TakeUp { pull } => {
            let _ = writeln!(out, "  take the label of a person's branch off #{pull}");
        }
        PlannedAction::GiveUp { pull } => {
            let _ = writeln!(
                out,
                "  name in #{pull} the commits that are given up, and make it anew without them"
            );
        }
        PlannedAction::Answer { request, answer } => {
            let _ = writeln!(out, "  answer request {request}: {answer}");
        }
        PlannedAction::Dashboard { over: None, title } => {
            let _ = writeln!(out, "  open the dashboard issue \"{title}\"");
        }
        PlannedAction::Dashboard { over: Some(number), .. } => {
            let _ = writeln!(out, "  rewrite the dashboard issue #{number}");
        }
    }
}

/// A request that was recorded.
#[derive(Debug, Serialize)]
pub(super) struct Recorded {
    pub(super) request: i64,
    pub(super) wish: Wish,
    pub(super) version: Version,
}

pub(super) fn recorded(recorded: &Recorded) -> String {
    let what = match recorded.wish {
        Wish::Bump => "bump to",
        Wish::Canary => "another run of the canary at",
        Wish::Rebase => "another making of the pull request for",
        Wish::Recreate => "another making, without people's commits, of the pull request for",
    };
    format!(
        "request {} is recorded: {what} {}. A running daemon acts on it at once, otherwise the \
         next pass does; `digest-bump status` shows what comes of it.\n",
        recorded.request, recorded.version
    )
}

/// A standing order that was recorded.
#[derive(Debug, Serialize)]
pub(super) struct OrderRecorded {
    request: i64,
    order: String,
    consequence: String,
}

impl OrderRecorded {
    pub(super) fn of(id: RequestId, ordered: &Ordered) -> Self {
        Self { request: id.0, order: ordered.to_string(), consequence: ordered.consequence() }
    }
}

pub(super) fn order_recorded(recorded: &OrderRecorded) -> String {
    let OrderRecorded { request, order, consequence } = recorded;
    format!("request {request} is recorded: {order}. From now on {consequence}.\n")
}

/// A release that is none of ours.
#[derive(Debug, Serialize)]
pub(super) struct IgnoredView {
    tag: String,
    word: &'static str,
    line: String,
}

impl IgnoredView {
    pub(super) fn of(ignored: &Ignored) -> Self {
        Self { tag: ignored.tag.clone(), word: "ignored", line: ignored.why.clone() }
    }
}

pub(super) fn ignored(view: &IgnoredView) -> String {
    format!("{} is {}: {}\n", view.tag, view.word, view.line)
}

/// A version that is none of the releases that were read, but of which something is known.
#[derive(Debug, Serialize)]
pub(super) struct KnownView {
    version: Version,
    known_issues: Vec<String>,
}

impl KnownView {
    pub(super) fn of(version: &Version, known_issues: Vec<String>) -> Self {
        Self { version: version.clone(), known_issues }
    }
}

pub(super) fn known(view: &KnownView) -> String {
    let mut out = format!("{} is no release that was read\n", view.version);
    for line in &view.known_issues {
        let _ = writeln!(out, "  known: {line}");
    }
    out
}
