//! Comments that command: how they are spelled, and who may.

use super::resolve::Problems;
use serde::Deserialize;

/// Comments that command the bot, in its pull requests and on its dashboard; `/bump help` tells all.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Raw {
    /// Whether comments command. They are read in each pass, and at once where a webhook tells of
    /// them (`DIGEST_BUMP_WEBHOOK_SECRET`). Default: `false`.
    #[serde(default)]
    pub(super) enabled: bool,
    /// What a line begins with that commands, without white space. Default: `/bump`.
    #[serde(default = "default_prefix")]
    pub(super) prefix: String,
    /// A name by which the bot may be addressed as well, such as `digest-bump` for lines that begin
    /// with `@digest-bump`. Default: none.
    pub(super) mention: Option<String>,
    /// Who may command whatever their permission in the repository is: logins, teams as
    /// `organisation/team`, and other Apps as `name[bot]`, which are not listened to otherwise.
    /// Default: none.
    #[serde(default)]
    pub(super) allow: Vec<String>,
    /// Whether each pass looks for comments. Without it only those are heard that a webhook tells of.
    /// Default: `true`.
    #[serde(default = "default_poll")]
    pub(super) poll: bool,
}

/// What a line begins with that commands, where the config does not say.
pub const DEFAULT_PREFIX: &str = "/bump";

fn default_prefix() -> String {
    DEFAULT_PREFIX.to_owned()
}

const fn default_poll() -> bool {
    true
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            enabled: false,
            prefix: default_prefix(),
            mention: None,
            allow: Vec::new(),
            poll: default_poll(),
        }
    }
}

/// Comments that command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandsConfig {
    /// What a line begins with that commands.
    pub prefix: String,
    /// The name by which the bot may be addressed.
    pub mention: Option<String>,
    /// Who may command beside those with a permission.
    pub allow: Vec<Admitted>,
    /// Whether each pass looks for comments.
    pub poll: bool,
}

/// Somebody who may command whatever the permission is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// A person or an App, by login.
    Login(String),
    /// Whoever is in a team.
    Team {
        /// The organisation.
        organisation: String,
        /// The team's name in URLs.
        team: String,
    },
}

pub(super) fn resolve(place: &str, raw: &Raw, problems: &mut Problems) -> Option<CommandsConfig> {
    let fit = raw
        .prefix
        .starts_with(|c: char| c.is_ascii_punctuation() && !"<>#`*_-+|~@\\&[]".contains(c))
        && raw.prefix.len() > 1
        && raw.prefix.chars().all(|c| c.is_ascii_graphic());
    if !fit {
        let text = format!(
            "`{}` is no beginning of a command: a sign that means nothing in Markdown, such as `/`, \
             and a word",
            raw.prefix
        );
        problems.add(&format!("{place}.prefix"), text);
    }
    let slug = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if let Some(name) = raw.mention.as_deref().filter(|name| !slug(name)) {
        problems.add(&format!("{place}.mention"), format!("`{name}` is no name at GitHub"));
    }
    let mut allow = Vec::new();
    for text in &raw.allow {
        match text.split_once('/') {
            Some((organisation, team)) if slug(organisation) && slug(team) => {
                let (organisation, team) = (organisation.to_owned(), team.to_owned());
                allow.push(Admitted::Team { organisation, team });
            }
            None if slug(text.strip_suffix("[bot]").unwrap_or(text)) => {
                allow.push(Admitted::Login(text.clone()));
            }
            _ => {
                let why = format!("`{text}` is neither a login nor `organisation/team`");
                problems.add(&format!("{place}.allow"), why);
            }
        }
    }
    raw.enabled.then(|| CommandsConfig {
        prefix: raw.prefix.clone(),
        mention: raw.mention.clone(),
        allow,
        poll: raw.poll,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(raw: &Raw) -> (Option<CommandsConfig>, usize) {
        let mut problems = Problems::default();
        let config = resolve("commands", raw, &mut problems);
        (config, problems.count())
    }

    #[test]
    fn it_is_off_unless_asked_for() {
        assert_eq!(problems_of(&Raw::default()), (None, 0));
        let on = problems_of(&Raw { enabled: true, ..Raw::default() });
        assert_eq!(on.0.map(|it| it.prefix).as_deref(), Some("/bump"));
    }

    #[test]
    fn a_prefix_is_a_sign_and_a_word() {
        for (prefix, faults) in
            [("/b", 0), ("!bump", 0), ("bump", 1), ("/", 1), ("# x", 1), ("@bot", 1), ("/bu mp", 1)]
        {
            let raw = Raw { prefix: prefix.to_owned(), ..Raw::default() };
            assert_eq!(problems_of(&raw).1, faults, "{prefix}");
        }
    }

    #[test]
    fn whoever_is_listed_is_a_login_or_a_team() {
        let allow = ["ada", "renovate[bot]", "org/release-team"].map(str::to_owned).to_vec();
        let (config, faults) = problems_of(&Raw { enabled: true, allow, ..Raw::default() });
        let team = Admitted::Team { organisation: "org".into(), team: "release-team".into() };
        let login = |text: &str| Admitted::Login(text.to_owned());
        let expected = vec![login("ada"), login("renovate[bot]"), team];
        assert_eq!((config.map(|it| it.allow), faults), (Some(expected), 0));
        let allow = ["a b", "a/b/c", "/x", ""].map(str::to_owned).to_vec();
        assert_eq!(problems_of(&Raw { allow, ..Raw::default() }).1, 4);
    }
}
