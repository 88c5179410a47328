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
use std::{path::Path, time::Duration};
use tokio_util::sync::CancellationToken;

/// The names of so many failed tests are told.
const MAX_FAILED: usize = 20;
/// Whoever ends the bot and its steps at once: so much later the bot has heard of it, too.
const HEARD_WITHIN: Duration = Duration::from_millis(250);

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

    fn interrupted(report: CanaryReport) -> Self {
        let summary = "the canary was interrupted: the bot was stopped".to_owned();
        Self { report, interrupted: true, ..Self::inconclusive(summary) }
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
    /// From then on what does not pass was interrupted.
    pub(super) drain: &'a CancellationToken,
    /// Ends the run.
    pub(super) stop: &'a CancellationToken,
}

/// Why a run ended before its steps were through.
struct Interrupted;

impl Run<'_> {
    /// Runs every step. A `setup` step that does not pass ends the run: nothing was found out. What
    /// does not pass while the bot is being stopped may be the stop's fault.
    pub(super) async fn carry(&self) -> Outcome {
        let outcome = self.carry_through().await;
        if outcome.verdict == Verdict::Passed || outcome.interrupted {
            return outcome;
        }
        match tokio::time::timeout(HEARD_WITHIN, self.drain.cancelled()).await {
            Ok(()) => Outcome::interrupted(outcome.report),
            Err(_) => outcome,
        }
    }

    async fn carry_through(&self) -> Outcome {
        let log = Tail::default();
        let executor = format!("on the bot's host, {}", self.sandbox.in_words());
        let mut report = CanaryReport { executor, ..CanaryReport::default() };
        let scratch = self.config.confinement.scratch;
        let exported = self.work.join("tree");
        let opened = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Outcome::interrupted(report),
            opened = self.sandbox.open(&exported, scratch) => opened,
        };
        let room = match opened {
            Ok(room) => room,
            Err(refusal) => {
                let summary = format!("the canary could not be confined: {refusal}");
                return Outcome { report, ..Outcome::inconclusive(summary) };
            }
        };
        let mut tree = None;
        let carried = self.carry_into(&mut report, &mut tree, &room, &log).await;
        room.close().await;
        if let Err(Interrupted) = carried {
            return Outcome::interrupted(report);
        }
        let (verdict, summary) = sum_up(&report, self.config);
        Outcome { verdict, summary, log: log.text(), report, tree, interrupted: false }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::sandbox::Demand;
    use crate::config::{self, Confinement, Reading};
    use crate::domain::{Digest, IndexDigest};
    use std::collections::BTreeMap;

    /// One step, a line of shell that nothing confines.
    fn config(script: &str) -> CanaryConfig {
        let step = Step {
            name: "contract".to_owned(),
            setup: false,
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            directory: None,
            env: BTreeMap::new(),
            time_limit: Duration::from_mins(1),
            sees_digest: true,
            network: Vec::new(),
            forward: Vec::new(),
            sockets: Vec::new(),
            reading: Reading::Exit,
        };
        CanaryConfig {
            check_name: "canary".to_owned(),
            prepare: None,
            steps: vec![step],
            confinement: Confinement {
                demand: config::Demand::Off,
                tools: Vec::new(),
                scratch: 1 << 20,
                memory: 1 << 30,
                processes: 100,
                open_files: 100,
                file_size: 1 << 20,
                cpu_seconds: 60,
            },
            attempts: 1,
            required_passes: 1,
            keep_logs: Duration::ZERO,
            env: BTreeMap::new(),
            passed: Vec::new(),
        }
    }

    async fn carried(
        script: &str,
        sandbox: &Sandbox,
        drain: &CancellationToken,
        stop: &CancellationToken,
    ) -> (Verdict, bool) {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path();
        std::fs::create_dir(work.join("tree")).unwrap();
        let target = Target {
            image: "ghcr.io/toon-protocol/connector".parse().unwrap(),
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"image")),
        };
        let (config, clock) = (config(script), Clock::system());
        let (config, target, clock) = (&config, &target, &clock);
        let run = Run { config, preparation: None, target, work, sandbox, clock, drain, stop };
        let outcome = Box::pin(run.carry()).await;
        (outcome.verdict, outcome.interrupted)
    }

    #[tokio::test]
    async fn what_does_not_pass_while_the_bot_is_being_stopped_was_interrupted() {
        let off = Sandbox::choose(Demand::Off, Path::new("/nowhere")).await.unwrap();
        let (no, drain) = (CancellationToken::new(), CancellationToken::new());
        drain.cancel();
        // A signal, and a tool that catches it and says that it failed.
        for script in ["kill -TERM $$", "exit 1", "exit 75"] {
            let stopped = carried(script, &off, &drain, &no).await;
            assert_eq!(stopped, (Verdict::Inconclusive, true), "{script}");
        }
        assert_eq!(carried("exit 0", &off, &drain, &no).await, (Verdict::Passed, false));
        assert_eq!(carried("exit 1", &off, &no, &no).await, (Verdict::Failed, false));
        let signalled = carried("kill -TERM $$", &off, &no, &no).await;
        assert_eq!(signalled, (Verdict::Inconclusive, false));
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_a_room() {
        let (drain, stop) = (CancellationToken::new(), CancellationToken::new());
        stop.cancel();
        let strict = Sandbox::in_rooms_of(Path::new("/nowhere"));
        let stopped = carried("exit 0", &strict, &drain, &stop).await;
        assert_eq!(stopped, (Verdict::Inconclusive, true), "it was no refusal of the sandbox");
    }
}
