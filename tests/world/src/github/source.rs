//! What is in the repositories, as people browse it: commits, comparisons, files.

use super::{
    Ask, error,
    git_data::{person, verification},
    history, page, shape,
};
use crate::repository::{Commit, Repository};
use crate::upstream::CONTRACT_PATH;
use crate::wire::{Answer, encode};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Answers below `/commits/{ref}`, `/compare` and `/contents`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    match (method, rest) {
        ("GET", ["commits"]) => Some(commits(ask)),
        ("GET", ["commits", .., "check-runs" | "status" | "check-suites"]) => None,
        ("GET", ["commits", name @ ..]) => Some(commit(ask, &name.join("/")).map_or_else(
            || error(422, &format!("No commit found for SHA: {}", name.join("/"))),
            |shape| Answer::json(200, &shape),
        )),
        ("GET", ["compare", range @ ..]) => Some(history::compare(ask, &range.join("/"))),
        ("GET", ["contents", path @ ..]) => Some(contents(ask, &path.join("/"))),
        _ => None,
    }
}

/// A commit by id, branch or tag; upstream's are made up from its releases.
pub(crate) fn commit(ask: &Ask<'_>, name: &str) -> Option<Value> {
    let found = resolve(ask, name)?;
    let url = |kind: &str, sha: &str| ask.api(&format!("{kind}/{sha}"));
    let parents: Vec<Value> = found
        .parents
        .iter()
        .map(|sha| {
            let page = ask.web(&format!("commit/{sha}"));
            json!({ "sha": sha, "url": url("commits", sha), "html_url": page })
        })
        .collect();
    let sha = &found.sha;
    Some(json!({
        "url": url("commits", sha),
        "sha": sha,
        "node_id": shape::node_id("C", shape::number_of(sha)),
        "html_url": ask.web(&format!("commit/{sha}")),
        "comments_url": url("commits", &format!("{sha}/comments")),
        "commit": {
            "url": url("git/commits", sha),
            "author": person(&found.author),
            "committer": person(&found.committer),
            "message": found.message.trim_end(),
            "comment_count": 0,
            "tree": { "sha": found.tree, "url": url("git/trees", &found.tree) },
            "verification": verification(ask, sha),
        },
        "author": null,
        "committer": null,
        "parents": parents,
    }))
}

/// The commit that a branch, a tag or an id names.
pub(crate) fn resolve(ask: &Ask<'_>, name: &str) -> Option<Commit> {
    let short = name.strip_prefix("heads/").unwrap_or(name);
    let released = (ask.name == ask.state.upstream).then(|| released(ask, name)).flatten();
    released.or_else(|| ask.repo_ref().git.read_commit(short))
}

/// A commit of upstream that its releases name.
fn released(ask: &Ask<'_>, name: &str) -> Option<Commit> {
    let state = &ask.state;
    let tag = name.strip_prefix("refs/").unwrap_or(name);
    let tag = tag.strip_prefix("tags/").unwrap_or(tag);
    let sha = state.upstream_tag(tag).unwrap_or(tag);
    let line = state.upstream_line();
    let found = line.into_iter().find(|commit| commit.sha == sha);
    found.or_else(|| state.upstream_stray(sha))
}

fn commits(ask: &mut Ask<'_>) -> Answer {
    let from = ask.call.parameter("sha").unwrap_or_else(|| "main".to_owned());
    let Some(head) = ask.repo_ref().git.commit_id(&from) else {
        return error(404, "Not Found");
    };
    let mut arguments = vec!["rev-list", "--max-count=300", head.as_str(), "--"];
    let path = ask.call.parameter("path");
    arguments.extend(path.as_deref());
    let ids = ask.repo_ref().git.run(&arguments).unwrap_or_default();
    let items: Vec<Value> = ids.lines().filter_map(|id| commit(ask, id)).collect();
    page(ask, &items)
}

/// What differs between two commits, one entry per file.
pub(crate) fn changed_files(ask: &Ask<'_>, base: &str, head: &str) -> Vec<Value> {
    let git = &ask.repo_ref().git;
    let between = format!("{base}...{head}");
    let text = git.run(&["diff", "--raw", "--no-abbrev", "--numstat", "--no-renames", &between]);
    let text = text.unwrap_or_default();
    let (raw, counts): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with(':'));
    raw.iter()
        .zip(counts)
        .filter_map(|(raw, counts)| {
            let (about, path) = raw.split_once('\t')?;
            let words: Vec<&str> = about.split(' ').collect();
            let mut numbers = counts.split('\t').map(|n| n.parse::<u64>().unwrap_or(0));
            let added = numbers.next()?;
            let deleted = numbers.next()?;
            let status = match *words.get(4)? {
                "A" => "added",
                "D" => "removed",
                _ => "modified",
            };
            let diff = git.run(&["diff", &between, "--", path]).unwrap_or_default();
            let hunks = diff.find("@@").map_or("", |at| &diff[at..]);
            Some(json!({
                "sha": words.get(3)?,
                "filename": path,
                "status": status,
                "additions": added,
                "deletions": deleted,
                "changes": added + deleted,
                "blob_url": ask.web(&format!("blob/{head}/{path}")),
                "raw_url": ask.web(&format!("raw/{head}/{path}")),
                "contents_url": ask.api(&format!("contents/{path}?ref={head}")),
                "patch": hunks,
            }))
        })
        .collect()
}

fn contents(ask: &Ask<'_>, path: &str) -> Answer {
    let wanted = ask.call.parameter("ref");
    let name = wanted.unwrap_or_else(|| "main".to_owned());
    let Some(at) = resolve(ask, &name) else {
        return error(404, &format!("No commit found for the ref {name}"));
    };
    if ask.name == ask.state.upstream && path == CONTRACT_PATH {
        return contract(ask, &at.sha, &name);
    }
    let git = &ask.repo_ref().git;
    // Commits that are not in git have the tree of those that are.
    let Some(head) = git.commit_id(&at.sha).or_else(|| git.branch("main")) else {
        return error(404, "Not Found");
    };
    let object = format!("{head}:{path}");
    let kind = git.run(&["cat-file", "-t", &object]).unwrap_or_default();
    match kind.as_str() {
        "blob" => {
            let sha = git.run(&["rev-parse", &object]).unwrap_or_default();
            file(ask, &sha, &git.file(&head, path).unwrap_or_default(), &name, path)
        }
        "tree" => directory(ask, &object, &name, path),
        _ => error(404, "Not Found"),
    }
}

/// Upstream's contract; at the branch as the newest release has it.
fn contract(ask: &Ask<'_>, sha: &str, name: &str) -> Answer {
    let line = ask.state.upstream_line();
    let newest = line.last().filter(|_| name == "main");
    let sha = newest.map_or(sha, |commit| commit.sha.as_str());
    let text = ask.state.upstream_contract(sha);
    if text.is_empty() {
        return error(404, "Not Found");
    }
    let blob = stored(&ask.repo_ref().git, text.as_bytes());
    file(ask, &blob, text.as_bytes(), name, CONTRACT_PATH)
}

/// Stores content in git; gives its id.
pub(super) fn stored(git: &Repository, content: &[u8]) -> String {
    let id = git.run_with(&["hash-object", "-w", "--stdin"], &[], content);
    String::from_utf8_lossy(&id.unwrap_or_default()).trim().to_owned()
}

fn file(ask: &Ask<'_>, sha: &str, content: &[u8], name: &str, path: &str) -> Answer {
    if ask.call.header("accept").contains("raw") {
        return Answer::new(200, "application/vnd.github.raw+json; charset=utf-8", content);
    }
    // GitHub breaks the lines, and ends the last one.
    let encoded = STANDARD.encode(content);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(60).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let mut shape = entry(ask, "file", sha, name, path);
    shape["size"] = json!(content.len());
    shape["content"] = json!(format!("{}\n", lines.join("\n")));
    shape["encoding"] = json!("base64");
    Answer::json(200, &shape)
}

fn entry(ask: &Ask<'_>, kind: &str, sha: &str, name: &str, path: &str) -> Value {
    let object = if kind == "dir" { "trees" } else { "blobs" };
    let api = ask.api(&format!("contents/{path}?ref={}", encode(name)));
    let git = ask.api(&format!("git/{object}/{sha}"));
    let html = ask.web(&format!("blob/{name}/{path}"));
    let download = (kind == "file").then(|| ask.web(&format!("raw/{name}/{path}")));
    json!({
        "type": kind,
        "name": path.rsplit('/').next(),
        "path": path,
        "sha": sha,
        "size": 0,
        "url": api,
        "git_url": git,
        "html_url": html,
        "download_url": download,
        "_links": { "self": api, "git": git, "html": html },
    })
}

fn directory(ask: &Ask<'_>, object: &str, name: &str, path: &str) -> Answer {
    let listed = ask.repo_ref().git.run(&["ls-tree", object]);
    let listed = listed.unwrap_or_default();
    let entries = listed.lines().filter_map(|line| {
        let (about, file) = line.split_once('\t')?;
        let words: Vec<&str> = about.split(' ').collect();
        let kind = if *words.get(1)? == "tree" { "dir" } else { "file" };
        let inside = format!("{path}/{file}");
        let inside = inside.trim_start_matches('/');
        Some(entry(ask, kind, words.get(2)?, name, inside))
    });
    Answer::json(200, &entries.collect())
}
