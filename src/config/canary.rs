//! The contract canary: from what is written to what is meant.

use super::{
    confinement::{self, Confinement},
    duration,
    environment::{Environment, SECRETS},
    raw_canary::{Executor, Raw, RawPrepare, RawReading, RawReport, RawStep},
    resolve::Problems,
};
use crate::domain::{FilePath, HostPort, ImageName, ReportDemand, ReportFormat, fits_path};
use core::net::SocketAddr;
use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, time::Duration};

/// More attempts than these would hide a break behind luck.
const MAX_ATTEMPTS: usize = 10;

/// GitHub takes no longer name of a commit status.
const MAX_CHECK_NAME: usize = 255;

/// The first port that a process without privileges may listen on.
const FIRST_PORT_OF_ANYBODY: u16 = 1_024;

/// The contract canary.
#[derive(Debug, Clone)]
pub struct CanaryConfig {
    /// What the bot's own check at the head of each bump is called.
    pub check_name: String,
    /// What a tool of the downstream's own adds to the edit.
    pub prepare: Option<Prepare>,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What confines them.
    pub confinement: Confinement,
    /// How often the judging steps are run at most.
    pub attempts: usize,
    /// How many of the attempts have to pass.
    pub required_passes: usize,
    /// How long all that a run printed is kept.
    pub keep_logs: Duration,
    /// Variables for all steps, placeholders not yet replaced.
    pub env: BTreeMap<String, String>,
    /// Variables of the bot that the steps may see, with their values.
    pub passed: Vec<(String, OsString)>,
}

/// A tool of the downstream's own that adds files to the edit, such as a regenerated lockfile.
#[derive(Debug, Clone)]
pub struct Prepare {
    /// How it is run.
    pub step: Step,
    /// The files that it may change or add, in which `*` stands for one folder or file name.
    pub files: Vec<String>,
}

impl Prepare {
    /// Whether it may change or add the file at `path`.
    #[must_use]
    pub fn allows(&self, path: &str) -> bool {
        fits_path(&self.files, path)
    }
}

/// One step of the canary.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Whether it only prepares: its failure is trouble with the infrastructure, not a break.
    pub setup: bool,
    /// The program and its arguments, placeholders not yet replaced.
    pub command: Vec<String>,
    /// Where it is run, below the tree; `None` is the tree's top.
    pub directory: Option<FilePath>,
    /// Further variables, placeholders not yet replaced.
    pub env: BTreeMap<String, String>,
    /// When it is ended with everything that it started.
    pub time_limit: Duration,
    /// Whether it tests the very image.
    pub sees_digest: bool,
    /// What it may reach on the network; none: nothing.
    pub network: Vec<HostPort>,
    /// Services on the bot's loopback that it finds at the same addresses of its own.
    pub forward: Vec<SocketAddr>,
    /// The Unix sockets that it is given.
    pub sockets: Vec<PathBuf>,
    /// How its result is read.
    pub reading: Reading,
}

/// How the result of a step is read.
#[derive(Debug, Clone)]
pub enum Reading {
    /// From its exit status: 0 passed, 75 could not find out, anything else failed.
    Exit,
    /// From its report alone.
    Report(ReportRule),
    /// From its report, which the exit status must not contradict.
    Both(ReportRule),
}

/// What a report has to show.
#[derive(Debug, Clone)]
pub struct ReportRule {
    /// How it is written.
    pub format: ReportFormat,
    /// Where the step leaves it, below the step's directory; placeholders not yet replaced.
    pub path: String,
    /// What it has to show.
    pub demand: ReportDemand,
}

pub(super) fn resolve(
    place: &str,
    raw: &Raw,
    image: Option<&ImageName>,
    env: &Environment,
    problems: &mut Problems,
) -> Option<CanaryConfig> {
    let check_name = check_name(raw, image);
    let fits = |name: &String| {
        let length = name.chars().count();
        (1..=MAX_CHECK_NAME).contains(&length) && name.trim() == name && !name.contains('\n')
    };
    if check_name.as_ref().is_some_and(|name| !fits(name)) {
        let text = format!(
            "is not one line of 1 to {MAX_CHECK_NAME} characters without a space at its ends"
        );
        problems.add(&format!("{place}.check_name"), text);
    }
    for secret in raw.pass_env.iter().filter(|name| SECRETS.contains(&name.as_str())) {
        let text = format!("must not name {secret}: the canary runs foreign code");
        problems.add(&format!("{place}.pass_env"), text);
    }
    if raw.executor == Executor::Local && raw.step.iter().all(|step| step.setup || !step.enabled) {
        problems.add(&format!("{place}.step"), "none judges: there has to be one without `setup`");
    }
    if !(1..=MAX_ATTEMPTS).contains(&raw.attempts) {
        problems.add(&format!("{place}.attempts"), format!("is not from 1 to {MAX_ATTEMPTS}"));
    }
    if !(1..=raw.attempts).contains(&raw.required_passes) {
        problems.add(&format!("{place}.required_passes"), "is not from 1 to `attempts`");
    }
    let steps = raw.step.iter().enumerate();
    // Not collected at once: every step's problems are wanted.
    let steps: Vec<Option<Step>> = steps
        .map(|(index, raw)| step_of(&format!("{place}.step[{index}]"), raw, problems))
        .collect();
    let prepare = raw.prepare.as_ref().filter(|_| raw.executor == Executor::Local);
    let prepare = prepare.map(|raw| prepare_step(&format!("{place}.prepare"), raw, problems));
    let confinement = confinement::resolve(&format!("{place}.sandbox"), &raw.sandbox, problems);
    let keep_logs = duration::parse(&raw.keep_logs);
    let keep_logs = problems.take(&format!("{place}.keep_logs"), keep_logs);
    let passed = raw.pass_env.iter();
    let passed = passed.filter_map(|name| Some((name.clone(), env.get(name)?.clone())));
    Some(CanaryConfig {
        check_name: check_name?,
        prepare: match prepare {
            Some(prepare) => Some(prepare?),
            None => None,
        },
        steps: enabled(&raw.step, steps.into_iter().collect::<Option<_>>()?),
        confinement: confinement?,
        attempts: raw.attempts,
        required_passes: raw.required_passes,
        keep_logs: keep_logs?,
        env: raw.env.clone(),
        passed: passed.collect(),
    })
}

/// What the bot's own check is called; `None` if that depends on an image that is none.
pub(super) fn check_name(raw: &Raw, image: Option<&ImageName>) -> Option<String> {
    let by_image = || image.map(|image| format!("{} contract canary", image.short()));
    raw.check_name.clone().or_else(by_image)
}

/// The steps that are run; the others have to make sense as well.
fn enabled(raw: &[RawStep], steps: Vec<Step>) -> Vec<Step> {
    let both = raw.iter().zip(steps);
    both.filter(|(raw, _)| raw.enabled).map(|(_, step)| step).collect()
}

fn prepare_step(place: &str, raw: &RawPrepare, problems: &mut Problems) -> Option<Prepare> {
    if raw.files.is_empty() {
        problems.add(&format!("{place}.files"), "names none, so there is nothing to prepare");
    }
    let step = RawStep {
        name: "prepare".to_owned(),
        enabled: true,
        command: raw.command.clone(),
        directory: None,
        setup: true,
        env: raw.env.clone(),
        time_limit: raw.time_limit.clone(),
        sees_digest: false,
        network: raw.network.clone(),
        forward: Vec::new(),
        sockets: Vec::new(),
        read: None,
        report: None,
    };
    Some(Prepare { step: step_of(place, &step, problems)?, files: raw.files.clone() })
}

fn step_of(place: &str, raw: &RawStep, problems: &mut Problems) -> Option<Step> {
    if raw.command.first().is_none_or(String::is_empty) {
        problems.add(&format!("{place}.command"), "is empty");
    }
    let limit = duration::parse(&raw.time_limit);
    let limit = problems.take(&format!("{place}.time_limit"), limit);
    let directory = raw.directory.as_deref().filter(|path| *path != ".");
    let directory = directory
        .map(|path| problems.parse::<FilePath>(&format!("{place}.directory"), path).ok_or(()));
    let network = raw.network.iter();
    let network: Option<Vec<HostPort>> =
        network.map(|text| problems.parse(&format!("{place}.network"), text)).collect();
    let forward = raw.forward.iter();
    let forward: Option<Vec<SocketAddr>> =
        forward.map(|text| forwarded(&format!("{place}.forward"), text, problems)).collect();
    for socket in raw.sockets.iter().filter(|socket| !socket.is_absolute()) {
        let text = format!("`{}` is not an absolute path", socket.display());
        problems.add(&format!("{place}.sockets"), text);
    }
    let report = raw.report.as_ref().map(|raw| report(&format!("{place}.report"), raw, problems));
    let reading = match (raw.read, report) {
        (None | Some(RawReading::Exit), None) => Some(Reading::Exit),
        (Some(RawReading::Report), Some(rule)) => rule.map(Reading::Report),
        (None | Some(RawReading::Both), Some(rule)) => rule.map(Reading::Both),
        (Some(RawReading::Exit), Some(_)) => {
            problems.add(place, "has a report that nobody reads");
            None
        }
        (Some(RawReading::Report | RawReading::Both), None) => {
            problems.add(place, "is to be read from a report, and has none");
            None
        }
    };
    if raw.setup && raw.sees_digest {
        problems.add(place, "only prepares, so it proves nothing of the digest");
    }
    Some(Step {
        name: raw.name.clone(),
        setup: raw.setup,
        command: raw.command.clone(),
        directory: directory.transpose().ok()?,
        env: raw.env.clone(),
        time_limit: limit?,
        sees_digest: raw.sees_digest,
        network: network?,
        forward: forward?,
        sockets: raw.sockets.clone(),
        reading: reading?,
    })
}

/// An address that a step may find on a loopback of its own.
fn forwarded(place: &str, text: &str, problems: &mut Problems) -> Option<SocketAddr> {
    let address = text.parse::<SocketAddr>().ok();
    // Lower ports are not to be listened on without privileges, inside as well.
    let fits = |it: &SocketAddr| it.ip().is_loopback() && it.port() >= FIRST_PORT_OF_ANYBODY;
    let found = address.filter(fits);
    if found.is_none() {
        let text = format!(
            "`{text}` is no address of this host's loopback with a port from \
             {FIRST_PORT_OF_ANYBODY} on, such as `127.0.0.1:18080`"
        );
        problems.add(place, text);
    }
    found
}

fn report(place: &str, raw: &RawReport, problems: &mut Problems) -> Option<ReportRule> {
    // Both are looked for below the tree, and nowhere else.
    problems.parse::<FilePath>(&format!("{place}.path"), &raw.path)?;
    for file in &raw.files {
        problems.parse::<FilePath>(&format!("{place}.files"), file)?;
    }
    if raw.at_least == 0 {
        problems.add(&format!("{place}.at_least"), "is 0: then nothing has to have run");
    }
    Some(ReportRule {
        format: raw.format,
        path: raw.path.clone(),
        demand: ReportDemand { files: raw.files.clone(), at_least: raw.at_least },
    })
}
