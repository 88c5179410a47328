//! `config check`: can the config be used, and what does GitHub let the bot do? Asked now, nothing
//! is changed and no token is minted.

use super::{
    exit::{Exit, Misuse},
    hearing::HearingView,
    run::print,
    usable,
};
use crate::clients::credential::NoToken;
use crate::clock::Clock;
use crate::config::{Access, Config, ConfigError, Watch};
use crate::daemon::{self, Means};
use crate::domain::{Need, RepoName};
use anyhow::{Result, bail};
use serde::Serialize;
use std::{fmt::Write as _, path::Path};

pub(super) async fn run(config: &Config, file: &Path, clock: &Clock, json: bool) -> Result<Exit> {
    let problems = usable::problems(config);
    if !problems.is_empty() {
        bail!(ConfigError { file: file.display().to_string(), problems });
    }
    let mut view = CheckView {
        watches: config.watches.iter().map(|watch| watch.name.to_string()).collect(),
        commands: hearing(config),
        downstreams: Vec::new(),
    };
    if let Access::Anybody(lacking) = &config.access {
        print(json, &view, text)?;
        bail!(Misuse(lacking.to_string()));
    }
    let mut exit = view.commands.iter().map(HearingView::exit).fold(Exit::Done, worse);
    for (repo, means) in daemon::means(config, clock).await? {
        let (downstream, its_exit) = DownstreamView::of(&repo, &means);
        view.downstreams.push(downstream);
        exit = worse(exit, its_exit);
    }
    print(json, &view, text)?;
    Ok(exit)
}

/// What each watch hears, if comments command there.
fn hearing(config: &Config) -> Vec<HearingView> {
    let signed = config.webhook_secret.is_some();
    let of = |watch: &Watch| {
        let rule = watch.downstream.commands.as_ref()?;
        Some(HearingView::of(watch.name.as_str(), rule, config.listen, signed))
    };
    config.watches.iter().filter_map(of).collect()
}

/// Not to know is worse than a no: nobody can say what else is wrong.
const fn worse(a: Exit, b: Exit) -> Exit {
    match (a, b) {
        (Exit::Trouble, _) | (_, Exit::Trouble) => Exit::Trouble,
        (Exit::Done, other) | (other, _) => other,
    }
}

/// What the config is good for.
#[derive(Debug, Serialize)]
struct CheckView {
    watches: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<HearingView>,
    downstreams: Vec<DownstreamView>,
}

/// What GitHub lets the bot do in one downstream.
#[derive(Debug, Serialize)]
struct DownstreamView {
    repository: String,
    /// As whom it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<PermissionView>,
    /// What a person has to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<String>,
}

#[derive(Debug, Serialize)]
struct PermissionView {
    permission: String,
    granted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<&'static str>,
}

impl DownstreamView {
    fn of(repo: &RepoName, means: &Result<Means>) -> (Self, Exit) {
        let mut view = Self {
            repository: repo.to_string(),
            access: None,
            permissions: Vec::new(),
            wrong: None,
        };
        let exit = match means {
            Ok(Means::Token { may_push }) => {
                if *may_push {
                    view.access = Some("a token, whose owner may push there".to_owned());
                    Exit::Done
                } else {
                    view.access = Some("a token".to_owned());
                    view.wrong = Some("its owner may not push there".to_owned());
                    Exit::No
                }
            }
            Ok(Means::App { id, installation, needs }) => {
                let number = installation.id;
                let app = &installation.app;
                view.access = Some(format!("GitHub App {id} ({app}), installation {number}"));
                let told = |need: &Need| PermissionView {
                    permission: need.to_string(),
                    granted: need.is_met_by(&installation.granted),
                    lost: (!need.is_met_by(&installation.granted)).then(|| need.permission.lost()),
                };
                view.permissions = needs.iter().map(told).collect();
                view.wrong = installation.judge(repo, needs).err().map(|error| error.to_string());
                if view.wrong.is_some() { Exit::No } else { Exit::Done }
            }
            Err(error) => {
                view.wrong = Some(format!("{error:#}"));
                let known = matches!(error.downcast_ref(), Some(NoToken::Refused { .. }));
                if known { Exit::No } else { Exit::Trouble }
            }
        };
        (view, exit)
    }
}

fn text(view: &CheckView) -> String {
    let mut out = format!("the config can be used; it has {}\n", view.watches.join(", "));
    out.extend(view.commands.iter().map(HearingView::text));
    for downstream in &view.downstreams {
        let access = downstream.access.as_deref().unwrap_or("not known");
        let _ = writeln!(out, "{}: {access}", downstream.repository);
        let lengths = downstream.permissions.iter().map(|it| it.permission.len());
        let width = lengths.max().unwrap_or_default();
        for PermissionView { permission, lost, .. } in &downstream.permissions {
            let _ = match lost {
                None => writeln!(out, "  {permission:<width$}  granted"),
                Some(lost) => writeln!(out, "  {permission:<width$}  missing: {lost}"),
            };
        }
        if let Some(wrong) = &downstream.wrong {
            let _ = writeln!(out, "  {wrong}");
        }
    }
    out
}
