//! What a webhook tells, as far as the bot listens.

use crate::command::parse;
use crate::config::Watch;
use crate::domain::{CommandSource, CommitId, Said, Timestamp};
use crate::reconcile::grammar;
use crate::render::ticked;
use serde::Deserialize;
use std::time::Duration;

/// What was said longer ago is not heard by a webhook. GitHub redelivers nothing that is older than
/// three days, and what was heard is remembered for longer: so nothing is carried out twice.
/// Source: docs.github.com, "Redelivering webhooks".
const OLDEST: Duration = Duration::from_hours(4 * 24);

/// The events that the bot listens to. A closed list: all others are counted and ignored.
pub(super) const EVENTS: &[&str] = &[
    "check_run",
    "check_suite",
    "issue_comment",
    "issues",
    "package",
    "ping",
    "pull_request",
    "pull_request_review_comment",
    "push",
    "registry_package",
    "release",
    "workflow_run",
];

#[derive(Debug, Deserialize)]
struct Wire {
    #[serde(default)]
    action: String,
    repository: WireRepository,
    issue: Option<WireIssue>,
    pull_request: Option<WirePull>,
    comment: Option<WireComment>,
    changes: Option<WireChanges>,
    sender: Option<WireUser>,
}

#[derive(Debug, Deserialize)]
struct WireRepository {
    full_name: String,
}

#[derive(Debug, Deserialize)]
struct WireIssue {
    number: u64,
    body: Option<String>,
    updated_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WirePull {
    number: u64,
    head: Option<WireHead>,
}

#[derive(Debug, Deserialize)]
struct WireHead {
    sha: CommitId,
}

#[derive(Debug, Deserialize)]
struct WireComment {
    id: u64,
    body: Option<String>,
    user: Option<WireUser>,
    created_at: String,
    updated_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireUser {
    login: String,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct WireChanges {
    body: Option<WireFrom>,
}

#[derive(Debug, Deserialize)]
struct WireFrom {
    from: Option<String>,
}

/// What a delivery tells.
#[derive(Debug)]
pub(super) struct Told {
    repository: Option<String>,
    said: Option<Said>,
    ticked: Option<Said>,
}

impl Told {
    /// Whether it is about a repository.
    pub(super) fn is_about(&self, repository: &str) -> bool {
        self.repository.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(repository))
    }

    /// What it says to the bot in these watches, if one of them listens to it.
    pub(super) fn said(&self, watches: &[&Watch]) -> Option<Said> {
        let rules = || watches.iter().filter_map(|watch| watch.downstream.commands.as_ref());
        let commands =
            |said: &Said| rules().any(|rule| !parse(&said.body, &grammar(rule)).is_empty());
        if let Some(said) = &self.said {
            return commands(said).then(|| said.clone());
        }
        // A box says the same as a comment.
        let rule = rules().next()?;
        let mut said = self.ticked.clone()?;
        let spelled = grammar(rule);
        let lines = said.body.lines().map(|version| spelled.spell(format!("bump {version}\n\n")));
        said.body = lines.collect();
        Some(said)
    }
}

/// Whether what was said is too old to be heard by a webhook, and so something that was recorded and
/// is sent once more by somebody else than GitHub.
pub(super) fn is_too_old(said: &Said, now: Timestamp) -> bool {
    said.at < now - OLDEST
}

/// Reads a delivery of an event.
///
/// # Errors
/// If it is not what GitHub sends.
pub(super) fn read(event: &str, body: &[u8]) -> Result<Told, serde_json::Error> {
    // Not all that is called so is of the shape that is needed: `package` has other fields, and no
    // repository if it is an organisation's.
    if !matches!(event, "issue_comment" | "issues" | "pull_request_review_comment") {
        #[derive(Deserialize)]
        struct Somewhere {
            repository: Option<WireRepository>,
        }
        let somewhere: Somewhere = serde_json::from_slice(body)?;
        let repository = somewhere.repository.map(|repository| repository.full_name);
        return Ok(Told { repository, said: None, ticked: None });
    }
    let wire: Wire = serde_json::from_slice(body)?;
    let said = match (event, wire.action.as_str()) {
        ("issue_comment" | "pull_request_review_comment", "created") => said(event, &wire),
        _ => None,
    };
    let ticked = match (event, wire.action.as_str()) {
        ("issues", "edited") => box_ticked(&wire),
        _ => None,
    };
    Ok(Told { repository: Some(wire.repository.full_name), said, ticked })
}

fn said(event: &str, wire: &Wire) -> Option<Said> {
    let comment = wire.comment.as_ref()?;
    let author = comment.user.as_ref()?;
    let review = event == "pull_request_review_comment";
    let (number, head) = if review {
        let pull = wire.pull_request.as_ref()?;
        (pull.number, pull.head.as_ref().map(|head| head.sha.clone()))
    } else {
        (wire.issue.as_ref()?.number, None)
    };
    // What is within a diff may be written long before it is published, and nobody can have edited it
    // before that.
    let published = comment.updated_at.as_ref().filter(|_| review);
    Some(Said {
        source: if review {
            CommandSource::Review(comment.id)
        } else {
            CommandSource::Comment(comment.id)
        },
        number,
        author: author.login.clone(),
        bot: author.kind == "Bot",
        body: comment.body.clone().unwrap_or_default(),
        head,
        at: published.unwrap_or(&comment.created_at).parse().ok()?,
    })
}

/// The versions whose boxes somebody ticked by this edit, a line each in the place of a body. What
/// tells it from other ticks is what is signed: a delivery's id is not.
fn box_ticked(wire: &Wire) -> Option<Said> {
    let (issue, sender) = (wire.issue.as_ref()?, wire.sender.as_ref()?);
    let updated_at = issue.updated_at.as_deref()?;
    let before = wire.changes.as_ref()?.body.as_ref()?.from.as_deref().unwrap_or_default();
    let before = ticked(before);
    let after = ticked(issue.body.as_deref().unwrap_or_default());
    let new: Vec<String> = after.difference(&before).map(ToString::to_string).collect();
    if new.is_empty() {
        return None;
    }
    let tick = format!("{} {updated_at} {} {}", issue.number, sender.login, new.join(" "));
    Some(Said {
        source: CommandSource::Box(tick),
        number: issue.number,
        author: sender.login.clone(),
        bot: sender.kind == "Bot",
        body: new.join("\n"),
        head: None,
        at: updated_at.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LAST_ANSWER;
    use serde_json::json;

    fn comment(event: &str, action: &str) -> Told {
        let payload = json!({
            "action": action,
            "repository": {"full_name": "Toon-Protocol/town"},
            "issue": {"number": 7, "body": null},
            "pull_request": {"number": 8, "head": {"sha": "a".repeat(40)}},
            "comment": {
                "id": 9, "body": "/bump help", "created_at": "2026-06-12T08:00:00Z",
                "user": {"login": "ada", "type": "User"},
            },
        });
        read(event, payload.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn only_what_is_written_anew_says_something() {
        let said = comment("issue_comment", "created").said.unwrap();
        assert_eq!((said.number, said.head, said.bot), (7, None, false));
        assert_eq!(said.source, CommandSource::Comment(9));
        let said = comment("pull_request_review_comment", "created").said.unwrap();
        assert_eq!((said.number, said.head.is_some()), (8, true));
        for (event, action) in
            [("issue_comment", "edited"), ("issue_comment", "deleted"), ("issues", "opened")]
        {
            assert!(comment(event, action).said.is_none(), "{event} {action}");
        }
        assert!(comment("push", "").is_about("toon-protocol/TOWN"));
    }

    #[test]
    fn a_box_counts_for_who_ticked_it_and_once() {
        let boxes = |ticks: [&str; 2]| {
            format!(
                "- [{}] <!-- request 3.9.4 -->\n- [{}] <!-- request 3.9.5 -->\n",
                ticks[0], ticks[1]
            )
        };
        let told = |before: [&str; 2], now: [&str; 2]| {
            let payload = json!({
                "action": "edited",
                "repository": {"full_name": "toon-protocol/town"},
                "issue": {
                    "number": 7, "body": boxes(now), "updated_at": "2026-06-12T08:00:00Z",
                },
                "changes": {"body": {"from": boxes(before)}},
                "sender": {"login": "ada", "type": "User"},
            });
            read("issues", payload.to_string().as_bytes()).unwrap().ticked
        };
        let ticked = told([" ", "x"], ["x", "x"]).unwrap();
        assert_eq!((ticked.body.as_str(), ticked.author.as_str()), ("3.9.4", "ada"));
        let source = CommandSource::Box("7 2026-06-12T08:00:00Z ada 3.9.4".to_owned());
        assert_eq!((ticked.source, ticked.at), (source, "2026-06-12T08:00:00Z".parse().unwrap()));
        assert!(told(["x", " "], [" ", " "]).is_none(), "taken back");
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        for body in ["", "[]", r#"{"repository": 1}"#] {
            assert!(read("push", body.as_bytes()).is_err(), "{body}");
            assert!(read("issue_comment", body.as_bytes()).is_err(), "{body}");
        }
        assert!(read("issue_comment", b"{}").is_err());
        let organisations = read("package", br#"{"organization": {"login": "toon"}}"#).unwrap();
        assert!(!organisations.is_about(""), "it is about no repository");
    }

    #[test]
    fn what_is_heard_is_remembered_longer_than_it_is_taken() {
        let day = Duration::from_hours(24);
        assert!(OLDEST + day < LAST_ANSWER);
        let mut said = comment("issue_comment", "created").said.unwrap();
        let now = said.at + OLDEST;
        assert!(!is_too_old(&said, now));
        said.at = said.at - Duration::from_secs(1);
        assert!(is_too_old(&said, now));
    }

    #[test]
    fn what_is_within_a_diff_is_said_when_it_is_published() {
        let at = |event: &str| {
            let payload = json!({
                "action": "created",
                "repository": {"full_name": "toon-protocol/town"},
                "issue": {"number": 7},
                "pull_request": {"number": 8},
                "comment": {
                    "id": 9, "body": "/bump help", "user": {"login": "ada"},
                    "created_at": "2026-06-12T08:00:00Z", "updated_at": "2026-06-12T09:00:00Z",
                },
            });
            let told = read(event, payload.to_string().as_bytes()).unwrap();
            told.said.unwrap().at.to_string()
        };
        assert_eq!(at("pull_request_review_comment"), "2026-06-12T09:00:00Z");
        assert_eq!(at("issue_comment"), "2026-06-12T08:00:00Z");
    }
}
