//! The contract canary as it is written in the config file.

use super::confinement;
use crate::domain::ReportFormat;
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// The contract canary: the steps that prove a release before it is proposed.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Raw {
    /// Who runs it: the downstream's own CI (`checks`), on a draft pull request; a workflow of the
    /// downstream's (`github-actions`), which the bot dispatches; or the bot (`local`), step by step.
    /// Default: `local`.
    #[serde(default)]
    pub(super) executor: Executor,
    /// What the bot's own check at the head of each bump is called, as a check run and as a commit
    /// status; none of `checks`. Default: `{image} contract canary`, with the image's short name, such
    /// as `connector contract canary`.
    pub(super) check_name: Option<String>,
    /// With `checks`: the names of the checks at GitHub that all have to succeed on the draft's
    /// commit, such as `["Connector Contract Canary"]`. Required with `checks`. Default: none.
    #[serde(default)]
    pub(super) checks: Vec<String>,
    /// With `github-actions`: the workflow's file below `.github/workflows`, such as
    /// `digest-bump-canary.yml`. Required with `github-actions`. Default: none.
    pub(super) workflow: Option<String>,
    /// The artifact in which a workflow hands back its reports and the files that it prepared.
    /// Default: `digest-bump` with a workflow.
    pub(super) artifact: Option<String>,
    /// With `github-actions`: the reports that have to be in the artifact, and show that tests ran.
    /// With none the workflow's conclusion is all there is. Default: none.
    #[serde(default)]
    pub(super) report: Vec<RawNamedReport>,
    /// Not with `local`: how long the checks, or a workflow's run, are waited for. Default: `2h`
    /// with these.
    pub(super) time_limit: Option<String>,
    /// Not with `local`: whether the very image is tested, at its digest. Default: `false`.
    #[serde(default)]
    pub(super) sees_digest: bool,
    /// A tool of the downstream's own that adds files to the edit before the steps are run, and to
    /// the pull request, such as a lockfile that it regenerates. Default: none.
    pub(super) prepare: Option<RawPrepare>,
    /// The steps, in their order. With `local` at least one that is no `setup`, otherwise none.
    #[serde(default)]
    pub(super) step: Vec<RawStep>,
    /// What confines the steps on the bot's own host, and how much they may take.
    #[serde(default)]
    pub(super) sandbox: confinement::Raw,
    /// How often the steps that judge are run at most, for a test that is known to be flaky. All
    /// attempts are shown. Default: `1`.
    #[serde(default = "one")]
    pub(super) attempts: usize,
    /// How many of the attempts have to pass. Default: `1`.
    #[serde(default = "one")]
    pub(super) required_passes: usize,
    /// The files and folders of the downstream that the canary's result depends on, beside the
    /// release: where nothing of them has changed, a result is remembered. With none, every file
    /// counts. Default: none.
    #[serde(default)]
    pub(super) harness: Vec<String>,
    /// How long all that a run printed is kept. The end of it, and what its tests showed, is kept for
    /// ever. Default: `90d`.
    #[serde(default = "default_keep_logs")]
    pub(super) keep_logs: String,
    /// Variables for all steps; the same placeholders as in their commands. Default: none.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// Variables of the bot that the steps may see. Default: `["PATH", "LANG"]`.
    #[serde(default = "default_pass_env")]
    pub(super) pass_env: Vec<String>,
}

/// Who runs the canary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Executor {
    /// The bot itself.
    #[default]
    Local,
    /// The downstream's own CI.
    Checks,
    /// A workflow that the bot dispatches.
    GithubActions,
}

impl Executor {
    /// The name in the config.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Checks => "checks",
            Self::GithubActions => "github-actions",
        }
    }
}

/// A tool of the downstream's own that adds files to the edit.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct RawPrepare {
    /// The program and its arguments, as of a step. Required with `local`. Default: none.
    #[serde(default)]
    pub(super) command: Vec<String>,
    /// With `checks`: the workflow's file below `.github/workflows` that the bot dispatches for it.
    /// With `github-actions` the canary's own workflow does it. Required with `checks`. Default: none.
    pub(super) workflow: Option<String>,
    /// The files that it may change or add; `*` stands for one folder or file name. Whatever else
    /// it changes is a fault. Required.
    pub(super) files: Vec<String>,
    /// Variables; the same placeholders. Default: none.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// When it is ended with everything that it started. Default: `20m`.
    #[serde(default = "default_time_limit")]
    pub(super) time_limit: String,
    /// What it may reach on the network, as for a step. Default: none.
    #[serde(default)]
    pub(super) network: Vec<String>,
}

/// One step of the canary.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct RawStep {
    /// Its name in pull requests and logs. Required.
    pub(super) name: String,
    /// The program and its arguments; no shell. `{{version}}`, `{{digest}}` and `{{image}}`
    /// (`name@digest`) are replaced. Required.
    pub(super) command: Vec<String>,
    /// Where it is run, below the repository's top. Default: the top.
    pub(super) directory: Option<String>,
    /// Whether it is run at all. Default: `true`.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// Whether it only prepares, such as an installation: its failure is trouble with the
    /// infrastructure, not a break of the contract. Default: `false`.
    #[serde(default)]
    pub(super) setup: bool,
    /// Variables for this step; the same placeholders. Default: none.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// When it is ended with everything that it started. Default: `20m`.
    #[serde(default = "default_time_limit")]
    pub(super) time_limit: String,
    /// Whether it tests the very image, at its digest. Pull requests say which steps did.
    /// Default: `false`.
    #[serde(default)]
    pub(super) sees_digest: bool,
    /// What it may reach on the network, such as `registry.example:443`, through a proxy that
    /// `HTTPS_PROXY` names. An address of this host or of a private network has to stand here as it
    /// is: no name leads there. Default: none.
    #[serde(default)]
    pub(super) network: Vec<String>,
    /// Services on the bot's own loopback, such as `127.0.0.1:18080` where a container listens that
    /// the step starts. The step finds them at the same addresses of its own loopback, without a
    /// proxy; nothing else of the bot's loopback is reached. Default: none.
    #[serde(default)]
    pub(super) forward: Vec<String>,
    /// Unix sockets that it may talk to, such as a container engine's, which must be neither root's
    /// nor the bot's own. Default: none.
    #[serde(default)]
    pub(super) sockets: Vec<PathBuf>,
    /// How its result is read: `exit` (0 passed, 75 could not find out, anything else failed),
    /// `report`, or `both`, in which the exit status must not contradict the report. Default:
    /// `both` with a report, else `exit`.
    pub(super) read: Option<RawReading>,
    /// The report that it writes. Default: none.
    pub(super) report: Option<RawReport>,
}

/// How a step's result is read.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawReading {
    /// By its exit status.
    Exit,
    /// By its report.
    Report,
    /// By both.
    Both,
}

/// What a step's report has to show. One that is missing, or in which nothing ran, is no pass.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct RawReport {
    /// `vitest-json`, `jest-json`, `junit` or `tap`. Required.
    pub(super) format: ReportFormat,
    /// Where the step leaves it, below its directory. One that is there before is removed. Required.
    pub(super) path: String,
    /// The files of tests that have to have run, below the repository's top; what other files show
    /// does not count. With none, any file will do. Default: none.
    #[serde(default)]
    pub(super) files: Vec<String>,
    /// How many tests have to have been executed and passed. Default: `1`.
    #[serde(default = "one")]
    pub(super) at_least: usize,
}

/// A report in a workflow's artifact.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct RawNamedReport {
    /// Its name in pull requests. Required.
    pub(super) name: String,
    /// `vitest-json`, `jest-json`, `junit` or `tap`. Required.
    pub(super) format: ReportFormat,
    /// Where it is in the artifact. Required.
    pub(super) path: String,
    /// The files of tests that have to have run, as of a step's report. Default: none.
    #[serde(default)]
    pub(super) files: Vec<String>,
    /// How many tests have to have been executed and passed. Default: `1`.
    #[serde(default = "one")]
    pub(super) at_least: usize,
}

const fn yes() -> bool {
    true
}

const fn one() -> usize {
    1
}

pub(super) fn default_time_limit() -> String {
    "20m".to_owned()
}

pub(super) fn default_keep_logs() -> String {
    "90d".to_owned()
}

pub(super) fn default_pass_env() -> Vec<String> {
    vec!["PATH".to_owned(), "LANG".to_owned()]
}

impl Raw {
    /// A text that differs where the canary is another one. How long a step may take is not part of
    /// what it proves.
    pub(super) fn fingerprint(&self) -> String {
        let prepared = self.prepare.as_ref().map(|it| (&it.workflow, &it.files));
        match self.executor {
            Executor::Local => {}
            Executor::Checks => {
                let prepared = prepared.map(|it| format!(" {it:?}")).unwrap_or_default();
                return format!("checks {:?} {}{prepared}", self.checks, self.sees_digest);
            }
            Executor::GithubActions => {
                let (file, artifact, reports) = (&self.workflow, &self.artifact, &self.report);
                let sees = self.sees_digest;
                return format!("workflow {file:?} {artifact:?} {sees} {reports:?} {prepared:?}");
            }
        }
        let step = |step: &RawStep| {
            let RawStep { name: _, command, directory, setup, env, time_limit: _, .. } = step;
            let RawStep { sees_digest, read, report, .. } = step;
            format!("{command:?} {directory:?} {setup} {env:?} {sees_digest} {read:?} {report:?}")
        };
        let steps: Vec<String> = self.step.iter().filter(|it| it.enabled).map(step).collect();
        let prepare = self.prepare.as_ref().map(|it| (&it.command, &it.files, &it.env));
        format!("{} {} {:?} {prepare:?} {steps:?}", self.attempts, self.required_passes, self.env)
    }
}
