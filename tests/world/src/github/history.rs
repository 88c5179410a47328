//! Comparisons of commits, real ones and those of upstream's line.

use super::{Ask, error, source};
use crate::upstream::CONTRACT_PATH;
use crate::wire::Answer;
use serde_json::{Value, json};

/// How one commit stands to another.
struct Relation {
    /// What the head has beyond the base, and the other way round; the oldest first.
    ahead: Vec<String>,
    behind: Vec<String>,
    merge_base: String,
}

/// Answers below `/compare`.
pub(crate) fn compare(ask: &Ask<'_>, range: &str) -> Answer {
    let ends = range.split_once("...");
    let found = ends
        .and_then(|(base, head)| Some((source::resolve(ask, base)?, source::resolve(ask, head)?)));
    let Some((base, head)) = found else {
        return error(404, "Not Found");
    };
    let relation = relation(ask, &base.sha, &head.sha);
    let status = match (relation.ahead.is_empty(), relation.behind.is_empty()) {
        (true, true) => "identical",
        (false, true) => "ahead",
        (true, false) => "behind",
        (false, false) => "diverged",
    };
    let web = ask.web(&format!("compare/{range}"));
    let commits: Vec<Value> =
        relation.ahead.iter().filter_map(|id| source::commit(ask, id)).collect();
    let shape = json!({
        "url": ask.api(&format!("compare/{range}")),
        "html_url": web,
        "permalink_url": web,
        "diff_url": format!("{web}.diff"),
        "patch_url": format!("{web}.patch"),
        "base_commit": source::commit(ask, &base.sha),
        "merge_base_commit": source::commit(ask, &relation.merge_base),
        "status": status,
        "ahead_by": relation.ahead.len(),
        "behind_by": relation.behind.len(),
        "total_commits": relation.ahead.len(),
        "commits": commits,
        "files": files(ask, &relation.merge_base, &head.sha),
    });
    Answer::json(200, &shape)
}

fn relation(ask: &Ask<'_>, base: &str, head: &str) -> Relation {
    if ask.name == ask.state.upstream {
        return upstream_relation(ask, base, head);
    }
    let git = &ask.repo_ref().git;
    let list = |from: &str, to: &str| {
        let ids = git.run(&["rev-list", "--reverse", &format!("{from}..{to}")]);
        ids.unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let merge_base = git.run(&["merge-base", base, head]).unwrap_or_else(|_| base.to_owned());
    Relation { ahead: list(base, head), behind: list(head, base), merge_base }
}

/// Upstream's commits are on one line, or strays that left it at its beginning.
fn upstream_relation(ask: &Ask<'_>, base: &str, head: &str) -> Relation {
    let line: Vec<String> =
        ask.state.upstream_line().into_iter().map(|commit| commit.sha).collect();
    let past = |sha: &str| match line.iter().position(|known| known == sha) {
        Some(at) => line[..=at].to_vec(),
        None => vec![line[0].clone(), sha.to_owned()],
    };
    let (base, head) = (past(base), past(head));
    let common = base.iter().zip(&head).take_while(|(one, other)| one == other).count();
    Relation {
        ahead: head[common..].to_vec(),
        behind: base[common..].to_vec(),
        merge_base: base[common - 1].clone(),
    }
}

/// What differs. Of upstream's tree, nothing but the contract ever changes.
fn files(ask: &Ask<'_>, base: &str, head: &str) -> Vec<Value> {
    if ask.name != ask.state.upstream {
        return source::changed_files(ask, base, head);
    }
    let state = &ask.state;
    let git = &ask.repo_ref().git;
    let stored = |sha: &str| source::stored(git, state.upstream_contract(sha).as_bytes());
    let (before, after) = (stored(base), stored(head));
    if before == after {
        return Vec::new();
    }
    let counts = git.run(&["diff", "--numstat", &before, &after]).unwrap_or_default();
    let mut counts = counts.split('\t').map(|count| count.parse::<u64>().unwrap_or(0));
    let (added, deleted) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
    let diff = git.run(&["diff", &before, &after]).unwrap_or_default();
    vec![json!({
        "sha": after,
        "filename": CONTRACT_PATH,
        "status": "modified",
        "additions": added,
        "deletions": deleted,
        "changes": added + deleted,
        "blob_url": ask.web(&format!("blob/{head}/{CONTRACT_PATH}")),
        "raw_url": ask.web(&format!("raw/{head}/{CONTRACT_PATH}")),
        "contents_url": ask.api(&format!("contents/{CONTRACT_PATH}?ref={head}")),
        "patch": diff.find("@@").map_or("", |at| &diff[at..]),
    })]
}
