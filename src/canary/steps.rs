//! A run: its steps one after another, the judging ones as often as the config asks.

use super::{
    command::{Target, cell},
    judge::{Report, judge},
    output::Tail,
    prepare::Preparation,
    process::{End, run},
    report::Judgement,
    sandbox::{self, Sandbox},
};
use crate::clock::Clock;
use crate::config::{CanaryConfig, Step};
use crate::domain::{CanaryReport, StepResult, TreeId, Verdict, verdict_of};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// The names of so many failed tests are told.
const MAX_FAILED: usize = 20;

/// What a run showed.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) summary: String,
    /// All that it printed.
    pub(super) log: String,
    pub(super) report: CanaryReport,
    /// The tree with what was added to it; `None` if nothing was.
    pub(super) tree: Option<TreeId>,
    /// It was ended from outside before it could find out anything: that is no attempt.
    pub(super) interrupted: bool,
}

impl Outcome {
    fn inconclusive(summary: String) -> Self {
        Self {
            verdict: Verdict::Inconclusive,
            summary,
            log: String::new(),
            report: CanaryReport::NOTHING,
            tree: None,
            interrupted: false,
        }
    }
}

/// What is run, at what, and where.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) config: &'a CanaryConfig,
    /// What has to be added to the tree first.
    pub(super) preparation: Option<&'a Preparation>,
    pub(super) target: &'a Target,
    pub(super) work: &'a Path,
    /// What confines the steps.
    pub(super) sandbox: &'a Sandbox,
    pub(super) clock: &'a Clock,
    pub(super) stop: &'a CancellationToken,
}

/// Why a run ended before its steps were through.
struct Interrupted;

impl Run<'_> {
    /// Runs every step. A `setup` step that does not pass ends the run: nothing was found out.
    pub(super) async fn carry(&self) -> Outcome {
        let log = Tail::default();
        let executor = format!("on the bot's host, {}", self.sandbox.in_words());
        let mut report = CanaryReport { executor, ..CanaryReport::default() };
        let scratch = self.config.confinement.scratch;
        let room = match self.sandbox.open(&self.work.join("tree"), scratch).await {
            Ok(room) => room,
            Err(refusal) => {
                let summary = format!("the canary could not be confined: {refusal}");
                return Outcome { report, ..Outcome::inconclusive(summary) };
            }
        };
        let mut tree = None;
        let stopped = self.carry_into(&mut report, &mut tree, &room, &log).await.is_err();
        room.close().await;
        let (verdict, summary) = if stopped {
            (Verdict::Inconclusive, "the canary was interrupted: the bot was stopped".to_owned())
        } else {
            sum_up(&report, self.config)
        };
        Outcome { verdict, summary, log: log.text(), report, tree, interrupted: stopped }
    }

    async fn carry_into(
        &self,
        report: &mut CanaryReport,
        tree: &mut Option<TreeId>,
        room: &sandbox::Run,
        log: &Tail,
    ) -> Result<(), Interrupted> {
        if let Some(preparation) = self.preparation {
            let mut result = self.step(&preparation.rule.step, None, room, log).await?;
            if result.verdict == Verdict::Passed {
                let cell = cell(self.config, &preparation.rule.step, self.target, self.work);
                match preparation.take(room, &cell).await {
                    Ok(prepared) => {
                        result.summary = format!("wrote {}", list(&prepared.files));
                        (*tree, report.prepared) = (Some(prepared.tree), prepared.files);
                    }
                    Err(error) => {
                        (result.verdict, result.summary) =
                            (Verdict::Inconclusive, format!("{error:#}"));
                    }
                }
            }
            let passed = result.verdict == Verdict::Passed;
            report.setup.push(result);
            if !passed {
                return Ok(());
            }
        }
        let (setup, judging): (Vec<&Step>, Vec<&Step>) =
            self.config.steps.iter().partition(|step| step.setup);
        for step in setup {
            let result = self.step(step, None, room, log).await?;
            let passed = result.verdict == Verdict::Passed;
            report.setup.push(result);
            if !passed {
                return Ok(());
            }
        }
        let CanaryConfig { attempts, required_passes, .. } = self.config;
        for attempt in 1..=*attempts {
            let number = (*attempts > 1).then_some(attempt);
            let mut results = Vec::new();
            for step in &judging {
                results.push(self.step(step, number, room, log).await?);
                // The steps that follow are dearer, and cannot make it good.
                if verdict_of(&results) == Verdict::Failed {
                    break;
                }
            }
            report.attempts.push(results);
            let passes = report.count(Verdict::Passed);
            if passes >= *required_passes || passes + (attempts - attempt) < *required_passes {
                break;
            }
        }
        Ok(())
    }

    async fn step(
        &self,
        step: &Step,
        attempt: Option<usize>,
        room: &sandbox::Run,
        log: &Tail,
    ) -> Result<StepResult, Interrupted> {
        let tail = Tail::default();
        let began = self.clock.now();
        let cell = cell(self.config, step, self.target, self.work);
        let report = Report::of(step, self.target, &cell);
        let cleared = match &report {
            Some(report) => report.clear(room, &cell).await,
            None => Ok(()),
        };
        let command = || room.command(&cell).map_err(|refusal| refusal.to_string());
        let end = match cleared.and_then(|()| command()) {
            Ok(command) => run(command, step.time_limit, &tail, self.stop).await,
            Err(why) => End::Broken(why),
        };
        let attempt = attempt.map_or_else(String::new, |number| format!(", attempt {number}"));
        let text = tail.text();
        log.say(&match self.config.steps.len() {
            1 if attempt.is_empty() => text,
            _ => format!("== {}{attempt}\n{}\n", step.name, text.trim_end()),
        });
        if matches!(end, End::Stopped) {
            return Err(Interrupted);
        }
        let tests = match report.filter(|_| matches!(end, End::Exited(_))) {
            Some(report) => Some(report.read(room, &cell).await),
            None => None,
        };
        let (verdict, summary) = judge(step, &end, &tail.text(), tests.as_ref());
        let counts = tests.as_ref().and_then(|it| it.as_ref().ok()).map(Judgement::counts);
        let failed = tests.into_iter().filter_map(Result::ok).flat_map(|tests| tests.failed);
        Ok(StepResult {
            name: step.name.clone(),
            sees_digest: step.sees_digest,
            verdict,
            summary,
            tests: counts,
            failed: failed.take(MAX_FAILED).collect(),
            took: u64::try_from(self.clock.now().since(began).as_millis()).unwrap_or(u64::MAX),
        })
    }
}

fn list(files: &[String]) -> String {
    if files.is_empty() { "nothing".to_owned() } else { files.join(", ") }
}

/// What all attempts come to, in one line.
fn sum_up(report: &CanaryReport, config: &CanaryConfig) -> (Verdict, String) {
    if let Some(step) = report.setup.iter().find(|step| step.verdict != Verdict::Passed) {
        let summary = format!("the canary could not be prepared: {}: {}", step.name, step.summary);
        return (Verdict::Inconclusive, summary);
    }
    let (passes, failures) = (report.count(Verdict::Passed), report.count(Verdict::Failed));
    let verdict = if passes >= config.required_passes {
        Verdict::Passed
    } else if failures > 0 && report.attempts.len() - failures < config.required_passes {
        Verdict::Failed
    } else {
        Verdict::Inconclusive
    };
    let telling = report.telling(verdict);
    let mut lines = telling.iter().filter(|step| step.verdict == verdict);
    let several = config.steps.iter().filter(|step| !step.setup).count() > 1;
    let line = |step: &StepResult| {
        if several { format!("{}: {}", step.name, step.summary) } else { step.summary.clone() }
    };
    let attempts = match report.attempts.len() {
        1 => String::new(),
        of => format!("{passes} of {of} attempts passed, {} needed: ", config.required_passes),
    };
    let told = match verdict {
        Verdict::Passed => attempts + &lines.map(line).collect::<Vec<_>>().join("; "),
        Verdict::Failed => {
            format!("the canary failed: {attempts}{}", lines.next().map_or_else(String::new, line))
        }
        Verdict::Inconclusive => lines.next().map_or_else(String::new, |step| {
            match step.summary.strip_prefix("did not run: ") {
                Some(why) => format!("the canary did not run: {attempts}{}: {why}", step.name),
                None => format!("the canary did not find out: {attempts}{}", line(step)),
            }
        }),
    };
    (verdict, told)
}
