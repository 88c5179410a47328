//! Comments within the diff of a pull request.

use super::{
    Ask,
    comments::{self, Target},
    discussion, error, invalid,
};
use crate::state::Remark;
use crate::wire::Answer;
use serde_json::json;

/// Answers below `/pulls/comments` and `/pulls/{number}/comments`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let number = |text: &str| text.parse().unwrap_or(0);
    let answer = match (method, rest) {
        ("GET", ["pulls", "comments"]) => comments::list(ask, None, true),
        ("GET", ["pulls", "comments", id]) => show(ask, number(id), 200),
        ("PATCH", ["pulls", "comments", id]) => edit(ask, number(id)),
        ("POST", ["pulls", "comments", id, "reactions"]) => {
            comments::react(ask, Target::Comment(number(id)))
        }
        ("GET", ["pulls", "comments", id, "reactions"]) => {
            comments::reactions(ask, Target::Comment(number(id)))
        }
        ("DELETE", ["pulls", "comments", _, "reactions", id]) => comments::unreact(ask, number(id)),
        ("GET", ["pulls", n, "comments"]) => comments::list(ask, Some(number(n)), true),
        ("POST", ["pulls", n, "comments", id, "replies"]) => reply(ask, number(n), number(id)),
        _ => return None,
    };
    Some(answer)
}

fn show(ask: &Ask<'_>, id: u64, status: u16) -> Answer {
    let comment = ask.repo_ref().comments.get(&id).filter(|comment| comment.remark.is_some());
    comment.map_or_else(
        || error(404, "Not Found"),
        |comment| Answer::json(status, &discussion::remark(ask.state, &ask.name, comment)),
    )
}

fn edit(ask: &mut Ask<'_>, id: u64) -> Answer {
    let now = ask.state.now();
    let wish = ask.call.json();
    ask.repo().before_change();
    let comment = ask.repo().comments.get_mut(&id).filter(|comment| comment.remark.is_some());
    let Some(comment) = comment else { return error(404, "Not Found") };
    let before = comment.body.clone();
    if let Some(body) = wish["body"].as_str() {
        comment.edit(body, now);
    }
    let (name, login) = (ask.name.clone(), ask.login.clone());
    let more = json!({ "changes": { "body": { "from": before } } });
    ask.state.emit_remark(&name, "edited", id, &login, more);
    show(ask, id, 200)
}

/// A reply stands in the thread of the comment that began it. GitHub takes none to a reply.
fn reply(ask: &mut Ask<'_>, number: u64, to: u64) -> Answer {
    let first = ask.repo_ref().comments.get(&to).filter(|comment| comment.issue == number);
    let Some(remark) = first.and_then(|comment| comment.remark.clone()) else {
        return error(404, "Not Found");
    };
    if remark.reply_to.is_some() {
        return invalid("PullRequestReviewComment", "in_reply_to_id", "invalid", None);
    }
    let wish = ask.call.json();
    let body = wish["body"].as_str().unwrap_or_default().to_owned();
    let (name, login) = (ask.name.clone(), ask.login.clone());
    let remark = Remark { reply_to: Some(to), pending: Remark::AT_ONCE, ..remark };
    let id = ask.state.remark(&name, number, &login, &body, remark);
    show(ask, id, 201)
}
