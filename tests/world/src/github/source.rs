//! What is in the repositories, as people browse it: commits, comparisons, files.

use super::{
    Ask, error,
    git_data::{person, unsigned},
    page, shape,
};
use crate::repository::{Commit, Signature};
use crate::wire::{Answer, encode, invented_sha};
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
        ("GET", ["compare", range @ ..]) => Some(compare(ask, &range.join("/"))),
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
            "verification": unsigned(),
        },
        "author": null,
        "committer": null,
        "parents": parents,
    }))
}

fn resolve(ask: &Ask<'_>, name: &str) -> Option<Commit> {
    let short = name.strip_prefix("heads/").unwrap_or(name);
    let real = ask.repo_ref().git.read_commit(short);
    real.or_else(|| (ask.name == ask.state.upstream).then(|| released(ask, name))?)
}

/// The commit of a release, or the one before it.
fn released(ask: &Ask<'_>, name: &str) -> Option<Commit> {
    let tag = name.strip_prefix("tags/").unwrap_or(name);
    let made = |sha: &str, parent: &str, message: String, seconds: i64| Commit {
        sha: sha.to_owned(),
        tree: invented_sha(&format!("tree of {sha}")),
        parents: vec![parent.to_owned()],
        author: Signature::maintainer(seconds),
        committer: Signature::maintainer(seconds),
        message,
    };
    ask.state.releases.iter().find_map(|release| {
        let seconds = release.created_at.timestamp();
        if release.tag == tag || release.sha == tag {
            let message = format!("chore(release): {} [skip ci]", release.version);
            return Some(made(&release.sha, &release.parent, message, seconds));
        }
        (release.parent == tag).then(|| {
            let before = invented_sha(&format!("before {tag}"));
            made(tag, &before, "feat: something new".to_owned(), seconds - 60)
        })
    })
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

fn compare(ask: &Ask<'_>, range: &str) -> Answer {
    let ends = range.split_once("...");
    let found = ends.and_then(|(base, head)| Some((resolve(ask, base)?, resolve(ask, head)?)));
    let Some((base, head)) = found else {
        return error(404, "Not Found");
    };
    let git = &ask.repo_ref().git;
    let list = |from: &str, to: &str| {
        let between = format!("{from}..{to}");
        let ids = git.run(&["rev-list", "--reverse", &between]);
        let ids = ids.unwrap_or_default();
        ids.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (ahead, behind) = (list(&base.sha, &head.sha), list(&head.sha, &base.sha));
    let merge_base =
        git.run(&["merge-base", &base.sha, &head.sha]).unwrap_or_else(|_| base.sha.clone());
    let status = match (ahead.is_empty(), behind.is_empty()) {
        (true, true) => "identical",
        (false, true) => "ahead",
        (true, false) => "behind",
        (false, false) => "diverged",
    };
    let web = ask.web(&format!("compare/{range}"));
    let shape = json!({
        "url": ask.api(&format!("compare/{range}")),
        "html_url": web,
        "permalink_url": web,
        "diff_url": format!("{web}.diff"),
        "patch_url": format!("{web}.patch"),
        "base_commit": commit(ask, &base.sha),
        "merge_base_commit": commit(ask, &merge_base),
        "status": status,
        "ahead_by": ahead.len(),
        "behind_by": behind.len(),
        "total_commits": ahead.len(),
        "commits": ahead.iter().filter_map(|id| commit(ask, id)).collect::<Vec<_>>(),
        "files": changed_files(ask, &merge_base, &head.sha),
    });
    Answer::json(200, &shape)
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
    let git = &ask.repo_ref().git;
    let Some(head) = git.commit_id(&name) else {
        return error(404, &format!("No commit found for the ref {name}"));
    };
    let object = format!("{head}:{path}");
    let kind = git.run(&["cat-file", "-t", &object]).unwrap_or_default();
    match kind.as_str() {
        "blob" => file(ask, &head, &name, path),
        "tree" => directory(ask, &object, &name, path),
        _ => error(404, "Not Found"),
    }
}

fn file(ask: &Ask<'_>, head: &str, name: &str, path: &str) -> Answer {
    let git = &ask.repo_ref().git;
    let content = git.file(head, path).unwrap_or_default();
    let sha = git.run(&["rev-parse", &format!("{head}:{path}")]);
    let sha = sha.unwrap_or_default();
    if ask.call.header("accept").contains("raw") {
        return Answer::new(200, "application/vnd.github.raw+json; charset=utf-8", content);
    }
    // GitHub breaks the lines, and ends the last one.
    let encoded = STANDARD.encode(&content);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(60).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let mut shape = entry(ask, "file", &sha, name, path);
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
