//! What `config check` says of comments that command: how they are heard, and who is admitted.

use super::exit::Exit;
use crate::config::{Admitted, CommandsConfig};
use crate::http::WEBHOOK;
use serde::Serialize;
use std::net::SocketAddr;

/// Comments that command, in one watch.
#[derive(Debug, Serialize)]
pub(super) struct HearingView {
    watch: String,
    /// What a line may begin with that commands.
    begins: Vec<String>,
    /// Whether each pass looks for comments.
    polled: bool,
    /// Where webhooks are taken, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhooks: Option<String>,
    /// Who may command whatever the permission is.
    admitted: Vec<String>,
    /// What a person has to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<String>,
}

impl HearingView {
    /// `signed` if the secret is known that webhooks are signed with.
    pub(super) fn of(
        watch: &str,
        rule: &CommandsConfig,
        listen: Option<SocketAddr>,
        signed: bool,
    ) -> Self {
        let mention = rule.mention.iter().map(|name| format!("@{name}"));
        let why_none = match (listen, signed) {
            (Some(_), true) => None,
            (None, true) => {
                Some("DIGEST_BUMP_WEBHOOK_SECRET is set, but without `listen` no webhook is taken")
            }
            (_, false) => Some("DIGEST_BUMP_WEBHOOK_SECRET is not set, so no webhook is taken"),
        };
        let wrong = match (rule.poll, why_none) {
            (_, None) => None,
            (true, Some(why)) => signed.then(|| why.to_owned()),
            (false, Some(why)) => Some(format!("nobody is heard: `poll` is off; {why}")),
        };
        Self {
            watch: watch.to_owned(),
            begins: std::iter::once(rule.prefix.clone()).chain(mention).collect(),
            polled: rule.poll,
            webhooks: listen.filter(|_| signed).map(|address| format!("{address}{WEBHOOK}")),
            admitted: rule.allow.iter().map(named).collect(),
            wrong,
        }
    }

    /// Whether anybody is heard.
    pub(super) const fn exit(&self) -> Exit {
        if self.polled || self.webhooks.is_some() { Exit::Done } else { Exit::No }
    }

    /// One line, and one more for what is wrong.
    pub(super) fn text(&self) -> String {
        let heard = match (self.polled, &self.webhooks) {
            (true, None) => "in each pass".to_owned(),
            (true, Some(place)) => {
                format!("in each pass, and at once by webhooks that `serve` takes at {place}")
            }
            (false, Some(place)) => format!("by webhooks alone, which `serve` takes at {place}"),
            (false, None) => "by nobody".to_owned(),
        };
        let admitted = if self.admitted.is_empty() {
            "nobody is admitted".to_owned()
        } else {
            format!("admitted are {}", self.admitted.join(", "))
        };
        let wrong = self.wrong.as_ref().map(|wrong| format!("  {wrong}\n"));
        format!(
            "{}: comments command with {}, heard {heard}; beside those with a permission {admitted}\n{}",
            self.watch,
            self.begins.join(" or "),
            wrong.unwrap_or_default()
        )
    }
}

/// Somebody as the config spells it.
fn named(admitted: &Admitted) -> String {
    match admitted {
        Admitted::Login(login) => login.clone(),
        Admitted::Team { organisation, team } => format!("the team {organisation}/{team}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(poll: bool, listen: bool, signed: bool) -> (String, Exit) {
        let rule =
            CommandsConfig { prefix: "/pin".to_owned(), mention: None, allow: Vec::new(), poll };
        let listen = listen.then(|| "127.0.0.1:8080".parse().unwrap());
        let view = HearingView::of("town", &rule, listen, signed);
        (view.text(), view.exit())
    }

    #[test]
    fn each_way_to_hear_is_told_and_that_there_is_none() {
        let mut all = String::new();
        for (poll, listen, signed) in [
            (true, true, false),
            (true, true, true),
            (true, false, true),
            (false, true, true),
            (false, true, false),
            (false, false, true),
        ] {
            let (text, exit) = told(poll, listen, signed);
            assert_eq!(exit == Exit::No, text.contains("nobody is heard"), "{text}");
            all.push_str(&text);
        }
        insta::assert_snapshot!(all, @"
        town: comments command with /pin, heard in each pass; beside those with a permission nobody is admitted
        town: comments command with /pin, heard in each pass, and at once by webhooks that `serve` takes at 127.0.0.1:8080/webhook; beside those with a permission nobody is admitted
        town: comments command with /pin, heard in each pass; beside those with a permission nobody is admitted
          DIGEST_BUMP_WEBHOOK_SECRET is set, but without `listen` no webhook is taken
        town: comments command with /pin, heard by webhooks alone, which `serve` takes at 127.0.0.1:8080/webhook; beside those with a permission nobody is admitted
        town: comments command with /pin, heard by nobody; beside those with a permission nobody is admitted
          nobody is heard: `poll` is off; DIGEST_BUMP_WEBHOOK_SECRET is not set, so no webhook is taken
        town: comments command with /pin, heard by nobody; beside those with a permission nobody is admitted
          nobody is heard: `poll` is off; DIGEST_BUMP_WEBHOOK_SECRET is set, but without `listen` no webhook is taken
        ");
    }

    #[test]
    fn who_is_admitted_is_named_as_in_the_config() {
        let team = Admitted::Team { organisation: "o".to_owned(), team: "release".to_owned() };
        let rule = CommandsConfig {
            prefix: "/pin".to_owned(),
            mention: Some("pinner".to_owned()),
            allow: vec![Admitted::Login("renovate[bot]".to_owned()), team],
            poll: true,
        };
        let text = HearingView::of("town", &rule, None, false).text();
        insta::assert_snapshot!(text, @"town: comments command with /pin or @pinner, heard in each pass; beside those with a permission admitted are renovate[bot], the team o/release");
    }
}
