//! The JSON that GitHub answers for issues, pull requests and comments.

use super::shape::{WEB, labels, node_id, repository, user};
use crate::state::{Issue, PullPart, Reaction, Repo, State, StoredComment};
use crate::wire::iso;
use serde_json::{Value, json};

/// An issue; a pull request is one too. `Null` if there is none.
pub(crate) fn issue(state: &State, name: &str, number: u64) -> Value {
    find(state, name, number)
        .map_or(Value::Null, |(repo, found)| issue_of(state, name, repo, found))
}

fn find<'a>(state: &'a State, name: &str, number: u64) -> Option<(&'a Repo, &'a Issue)> {
    let repo = state.repos.get(name)?;
    Some((repo, repo.issues.get(&number)?))
}

/// An issue, from whichever memory.
pub(crate) fn issue_of(state: &State, name: &str, repo: &Repo, issue: &Issue) -> Value {
    let urls = &state.urls;
    let number = issue.number;
    let api = format!("{}/repos/{name}/issues/{number}", urls.github);
    let is_pull = issue.pull.is_some();
    let page = if is_pull { "pull" } else { "issues" };
    let mut shape = json!({
        "url": api,
        "repository_url": format!("{}/repos/{name}", urls.github),
        "labels_url": format!("{api}/labels{{/name}}"),
        "comments_url": format!("{api}/comments"),
        "events_url": format!("{api}/events"),
        "html_url": format!("{WEB}/{name}/{page}/{number}"),
        "id": issue.id,
        "node_id": node_id(if is_pull { "PR" } else { "I" }, issue.id),
        "number": number,
        "title": issue.title,
        "user": user(urls, &issue.author),
        "labels": labels(state, name, &issue.labels),
        "state": issue.state(),
        "state_reason": if issue.open { Value::Null } else { json!("completed") },
        "locked": false,
        "assignee": null,
        "assignees": [],
        "milestone": null,
        "comments": comment_count(repo, number),
        "created_at": iso(issue.created_at),
        "updated_at": iso(issue.updated_at),
        "closed_at": issue.closed_at.map(iso),
        "author_association": association(repo, &issue.author),
        "active_lock_reason": null,
        "body": issue.body,
        "timeline_url": format!("{api}/timeline"),
        "performed_via_github_app": null,
        "reactions": reactions(repo, |reaction| reaction.issue == Some(number), &api),
        "closed_by": issue.closed_by.as_ref().map(|login| user(urls, login)),
    });
    if let Some(pull) = &issue.pull {
        let web = format!("{WEB}/{name}/pull/{number}");
        shape["draft"] = json!(pull.draft);
        shape["pull_request"] = json!({
            "url": format!("{}/repos/{name}/pulls/{number}", urls.github),
            "html_url": web,
            "diff_url": format!("{web}.diff"),
            "patch_url": format!("{web}.patch"),
            "merged_at": pull.merged.as_ref().map(|merged| iso(merged.at)),
        });
    }
    shape
}

fn comment_count(repo: &Repo, number: u64) -> usize {
    let comments = repo.comments.values();
    comments.filter(|comment| comment.issue == number).count()
}

fn association(repo: &Repo, login: &str) -> &'static str {
    match repo.permission(login) {
        "admin" | "write" if !login.ends_with("[bot]") => "MEMBER",
        "admin" | "write" => "CONTRIBUTOR",
        _ => "NONE",
    }
}

/// A pull request as lists show it. `Null` if it is a plain issue.
pub(crate) fn pull_simple(state: &State, name: &str, repo: &Repo, issue: &Issue) -> Value {
    let Some(pull) = &issue.pull else {
        return Value::Null;
    };
    let urls = &state.urls;
    let number = issue.number;
    let api = format!("{}/repos/{name}/pulls/{number}", urls.github);
    let issue_api = format!("{}/repos/{name}/issues/{number}", urls.github);
    let web = format!("{WEB}/{name}/pull/{number}");
    json!({
        "url": api,
        "id": issue.id,
        "node_id": node_id("PR", issue.id),
        "html_url": web,
        "diff_url": format!("{web}.diff"),
        "patch_url": format!("{web}.patch"),
        "issue_url": issue_api,
        "commits_url": format!("{api}/commits"),
        "review_comments_url": format!("{api}/comments"),
        "review_comment_url": format!("{}/repos/{name}/pulls/comments{{/number}}", urls.github),
        "comments_url": format!("{issue_api}/comments"),
        "statuses_url": format!("{}/repos/{name}/statuses/{}", urls.github, pull.head_sha),
        "number": number,
        "state": issue.state(),
        "locked": false,
        "title": issue.title,
        "user": user(urls, &issue.author),
        "body": issue.body,
        "created_at": iso(issue.created_at),
        "updated_at": iso(issue.updated_at),
        "closed_at": issue.closed_at.map(iso),
        "merged_at": pull.merged.as_ref().map(|merged| iso(merged.at)),
        "merge_commit_sha": pull.merged.as_ref().map(|merged| merged.sha.as_str()),
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": labels(state, name, &issue.labels),
        "milestone": null,
        "draft": pull.draft,
        "head": end(state, name, &pull.head, &pull.head_sha),
        "base": end(state, name, &pull.base, &pull.base_sha),
        "_links": links(state, name, number, &pull.head_sha),
        "author_association": association(repo, &issue.author),
        "auto_merge": null,
        "active_lock_reason": null,
    })
}

fn links(state: &State, name: &str, number: u64, head: &str) -> Value {
    let repo = format!("{}/repos/{name}", state.urls.github);
    let link = |href: String| json!({ "href": href });
    json!({
        "self": link(format!("{repo}/pulls/{number}")),
        "html": link(format!("{WEB}/{name}/pull/{number}")),
        "issue": link(format!("{repo}/issues/{number}")),
        "comments": link(format!("{repo}/issues/{number}/comments")),
        "review_comments": link(format!("{repo}/pulls/{number}/comments")),
        "review_comment": link(format!("{repo}/pulls/comments{{/number}}")),
        "commits": link(format!("{repo}/pulls/{number}/commits")),
        "statuses": link(format!("{repo}/statuses/{head}")),
    })
}

/// The head or the base of a pull request.
fn end(state: &State, name: &str, branch: &str, sha: &str) -> Value {
    let owner = name.split('/').next().unwrap_or_default();
    json!({
        "label": format!("{owner}:{branch}"),
        "ref": branch,
        "sha": sha,
        "user": user(&state.urls, owner),
        "repo": repository(state, name),
    })
}

/// A pull request with everything. `Null` if there is none.
pub(crate) fn pull(state: &State, name: &str, number: u64) -> Value {
    let Some((repo, issue)) = find(state, name, number) else {
        return Value::Null;
    };
    let Some(part) = &issue.pull else {
        return Value::Null;
    };
    let mut shape = pull_simple(state, name, repo, issue);
    let size = size_of(repo, part);
    let mergeable = issue.open && is_mergeable(repo, part);
    let merged_by = part.merged.as_ref().map(|merged| merged.by.as_str());
    shape["merged"] = json!(part.merged.is_some());
    shape["merged_by"] = json!(merged_by.map(|login| user(&state.urls, login)));
    shape["mergeable"] = json!(mergeable);
    shape["mergeable_state"] = json!(if mergeable { "clean" } else { "dirty" });
    shape["rebaseable"] = json!(mergeable);
    shape["comments"] = json!(comment_count(repo, number));
    shape["review_comments"] = json!(0);
    shape["maintainer_can_modify"] = json!(false);
    shape["commits"] = json!(size.commits);
    shape["additions"] = json!(size.additions);
    shape["deletions"] = json!(size.deletions);
    shape["changed_files"] = json!(size.files);
    shape
}

#[derive(Debug, Default)]
struct Size {
    commits: u64,
    additions: u64,
    deletions: u64,
    files: usize,
}

fn size_of(repo: &Repo, pull: &PullPart) -> Size {
    let range = format!("{}..{}", pull.base_sha, pull.head_sha);
    let commits = repo.git.run(&["rev-list", "--count", &range]);
    let between = format!("{}...{}", pull.base_sha, pull.head_sha);
    let lines = repo.git.run(&["diff", "--numstat", &between]);
    let mut size =
        Size { commits: commits.ok().and_then(|n| n.parse().ok()).unwrap_or(0), ..Size::default() };
    for line in lines.unwrap_or_default().lines() {
        let mut columns = line.split('\t').map(|text| text.parse().unwrap_or(0));
        size.additions += columns.next().unwrap_or(0);
        size.deletions += columns.next().unwrap_or(0);
        size.files += 1;
    }
    size
}

fn is_mergeable(repo: &Repo, pull: &PullPart) -> bool {
    repo.git.branch(&pull.base).is_some_and(|base| {
        repo.git.run(&["merge-tree", "--write-tree", &base, &pull.head_sha]).is_ok()
    })
}

/// A comment.
pub(crate) fn comment(state: &State, name: &str, comment: &StoredComment) -> Value {
    let urls = &state.urls;
    let api = format!("{}/repos/{name}/issues", urls.github);
    let (id, number) = (comment.id, comment.issue);
    let repo = state.repos.get(name);
    json!({
        "url": format!("{api}/comments/{id}"),
        "html_url": format!("{WEB}/{name}/issues/{number}#issuecomment-{id}"),
        "issue_url": format!("{api}/{number}"),
        "id": id,
        "node_id": comment.node_id(),
        "user": user(urls, &comment.author),
        "created_at": iso(comment.created_at),
        "updated_at": iso(comment.updated_at),
        "author_association": repo.map_or("NONE", |repo| association(repo, &comment.author)),
        "body": comment.body,
        "performed_via_github_app": null,
        "reactions": repo.map(|repo| {
            let of_comment = |reaction: &Reaction| reaction.comment == Some(id);
            reactions(repo, of_comment, &format!("{api}/comments/{id}"))
        }),
    })
}

/// A comment within a diff.
pub(crate) fn remark(state: &State, name: &str, comment: &StoredComment) -> Value {
    let Some(remark) = &comment.remark else { return Value::Null };
    let urls = &state.urls;
    let api = format!("{}/repos/{name}/pulls", urls.github);
    let (id, number) = (comment.id, comment.issue);
    let web = format!("{WEB}/{name}/pull/{number}#discussion_r{id}");
    let pull = format!("{api}/{number}");
    let repo = state.repos.get(name);
    let mut shape = json!({
        "url": format!("{api}/comments/{id}"),
        "pull_request_review_id": id + 1,
        "id": id,
        "node_id": comment.node_id(),
        "diff_hunk": "@@ -1 +1 @@",
        "path": remark.path,
        "commit_id": remark.commit,
        "original_commit_id": remark.commit,
        "user": user(urls, &comment.author),
        "body": comment.body,
        "created_at": iso(comment.created_at),
        "updated_at": iso(comment.updated_at),
        "html_url": web,
        "pull_request_url": pull,
        "author_association": repo.map_or("NONE", |repo| association(repo, &comment.author)),
        "_links": {
            "self": {"href": format!("{api}/comments/{id}")},
            "html": {"href": web},
            "pull_request": {"href": pull},
        },
        "start_line": null,
        "original_start_line": null,
        "start_side": null,
        "line": 1,
        "original_line": 1,
        "side": "RIGHT",
        "original_position": 1,
        "position": 1,
        "reactions": repo.map(|repo| {
            let of_comment = |reaction: &Reaction| reaction.comment == Some(id);
            reactions(repo, of_comment, &format!("{api}/comments/{id}"))
        }),
    });
    if let Some(first) = remark.reply_to {
        shape["in_reply_to_id"] = json!(first);
    }
    shape
}

/// The words that GitHub allows as a reaction.
pub(crate) const REACTIONS: [&str; 8] =
    ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];

/// How often each word was given to one thing.
fn reactions(repo: &Repo, is_to: impl Fn(&Reaction) -> bool, api: &str) -> Value {
    let all = || repo.reactions.iter().filter(|found| is_to(found));
    let mut shape = json!({ "url": format!("{api}/reactions"), "total_count": all().count() });
    for content in REACTIONS {
        let count = all().filter(|found| found.content == content);
        shape[content] = json!(count.count());
    }
    shape
}
