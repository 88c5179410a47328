//! Git's objects through REST: real ones, made and read with git's plumbing.

use super::{Ask, error, shape};
use crate::repository::{Commit, Signature};
use crate::wire::{Answer, iso};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::DateTime;
use serde_json::{Value, json};

/// Answers below `/git/blobs`, `/git/trees` and `/git/commits`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let answer = match (method, rest) {
        ("GET", ["git", "blobs", sha]) => blob(ask, sha),
        ("POST", ["git", "blobs"]) => create_blob(ask),
        ("GET", ["git", "trees", sha]) => tree(ask, sha, 200),
        ("POST", ["git", "trees"]) => create_tree(ask),
        ("GET", ["git", "commits", sha]) => commit(ask, sha, 200),
        ("POST", ["git", "commits"]) => create_commit(ask),
        _ => return None,
    };
    Some(answer)
}

fn plain(sha: &str) -> bool {
    !sha.is_empty() && !sha.starts_with('-') && !sha.contains(':')
}

fn blob(ask: &Ask<'_>, sha: &str) -> Answer {
    let git = &ask.repo_ref().git;
    let content =
        plain(sha).then(|| git.run_with(&["cat-file", "blob", sha], &[], &[]).ok()).flatten();
    let Some(content) = content else {
        return error(404, "Not Found");
    };
    let shape = json!({
        "sha": sha,
        "node_id": shape::node_id("B", shape::number_of(sha)),
        "size": content.len(),
        "url": ask.api(&format!("git/blobs/{sha}")),
        "content": STANDARD.encode(&content),
        "encoding": "base64",
    });
    Answer::json(200, &shape)
}

fn create_blob(ask: &Ask<'_>) -> Answer {
    let wish = ask.call.json();
    let text = wish["content"].as_str().unwrap_or_default();
    let content = if wish["encoding"] == "base64" {
        STANDARD.decode(text.replace('\n', "")).ok()
    } else {
        Some(text.as_bytes().to_vec())
    };
    let Some(content) = content else {
        return error(422, "content is not valid Base64");
    };
    let written = write_blob(ask, &content);
    written.map_or_else(
        |why| error(422, &why),
        |sha| {
            let url = ask.api(&format!("git/blobs/{sha}"));
            Answer::json(201, &json!({ "url": url, "sha": sha })).with("location", url)
        },
    )
}

fn write_blob(ask: &Ask<'_>, content: &[u8]) -> Result<String, String> {
    let git = &ask.repo_ref().git;
    let sha = git.run_with(&["hash-object", "-w", "--stdin"], &[], content)?;
    Ok(String::from_utf8_lossy(&sha).trim().to_owned())
}

fn tree(ask: &Ask<'_>, sha: &str, status: u16) -> Answer {
    let git = &ask.repo_ref().git;
    let wanted = format!("{sha}^{{tree}}");
    let found =
        plain(sha).then(|| git.run(&["rev-parse", "--verify", "--quiet", &wanted]).ok()).flatten();
    let Some(found) = found else {
        return error(404, "Not Found");
    };
    let mut arguments = vec!["ls-tree", "-z", "-l", found.as_str()];
    if ask.call.parameter("recursive").is_some() {
        // GitHub lists the folders as well.
        arguments.splice(1..1, ["-r", "-t"]);
    }
    let listed = git.run_with(&arguments, &[], &[]).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let entries = listed
        .split('\0')
        .filter_map(|line| line.split_once('\t'))
        .map(|(about, path)| entry(ask, about, path));
    let shape = json!({
        "sha": found,
        "url": ask.api(&format!("git/trees/{found}")),
        "tree": entries.collect::<Vec<_>>(),
        "truncated": false,
    });
    Answer::json(status, &shape)
}

fn entry(ask: &Ask<'_>, about: &str, path: &str) -> Value {
    let mut words = about.split_whitespace();
    let mut word = || words.next().unwrap_or_default();
    let (mode, kind, sha, size) = (word(), word(), word(), word());
    let mut shape = json!({
        "path": path,
        "mode": mode,
        "type": kind,
        "sha": sha,
        "url": ask.api(&format!("git/{kind}s/{sha}")),
    });
    if let Ok(size) = size.parse::<u64>() {
        shape["size"] = json!(size);
    }
    shape
}

/// Builds a tree in an index of its own: `base_tree` with the given paths on top.
fn create_tree(ask: &mut Ask<'_>) -> Answer {
    let wish = ask.call.json();
    match build_tree(ask, &wish) {
        Ok(sha) => tree(ask, &sha, 201),
        Err(why) => error(422, &why),
    }
}

fn build_tree(ask: &mut Ask<'_>, wish: &Value) -> Result<String, String> {
    let id = ask.state.id();
    let git = ask.repo_ref().git.clone();
    let index = git.dir().join(format!("index-{id}"));
    let environment = [("GIT_INDEX_FILE", index.to_str().unwrap_or_default())];
    if let Some(base) = wish["base_tree"].as_str().filter(|base| plain(base)) {
        git.run_with(&["read-tree", base], &environment, &[])?;
    }
    let mut lines = String::new();
    for wanted in wish["tree"].as_array().into_iter().flatten() {
        let text = |field: &str| wanted[field].as_str().unwrap_or_default();
        let (mode, path) = (text("mode"), text("path"));
        let line = match (wanted["content"].as_str(), wanted["sha"].as_str()) {
            (Some(content), _) => {
                let sha = write_blob(ask, content.as_bytes())?;
                format!("{mode} {sha}\t{path}\0")
            }
            (None, Some(sha)) => format!("{mode} {sha}\t{path}\0"),
            (None, None) => format!("0 {}\t{path}\0", "0".repeat(40)),
        };
        lines.push_str(&line);
    }
    let arguments = ["update-index", "-z", "--index-info"];
    git.run_with(&arguments, &environment, lines.as_bytes())?;
    let sha = git.run_with(&["write-tree"], &environment, &[])?;
    // The index is scratch; the tree is an object now.
    let _ = std::fs::remove_file(index);
    Ok(String::from_utf8_lossy(&sha).trim().to_owned())
}

fn commit(ask: &Ask<'_>, sha: &str, status: u16) -> Answer {
    let found = ask.repo_ref().git.read_commit(sha);
    found.map_or_else(
        || error(404, "Not Found"),
        |found| Answer::json(status, &commit_shape(ask, &found)),
    )
}

fn commit_shape(ask: &Ask<'_>, commit: &Commit) -> Value {
    let url = |kind: &str, sha: &str| ask.api(&format!("git/{kind}/{sha}"));
    let parents: Vec<Value> = commit
        .parents
        .iter()
        .map(|sha| {
            json!({
                "sha": sha,
                "url": url("commits", sha),
                "html_url": ask.web(&format!("commit/{sha}")),
            })
        })
        .collect();
    json!({
        "sha": commit.sha,
        "node_id": shape::node_id("C", shape::number_of(&commit.sha)),
        "url": url("commits", &commit.sha),
        "html_url": ask.web(&format!("commit/{}", commit.sha)),
        "author": person(&commit.author),
        "committer": person(&commit.committer),
        "tree": { "sha": commit.tree, "url": url("trees", &commit.tree) },
        "message": commit.message.trim_end(),
        "parents": parents,
        "verification": verification(ask, &commit.sha),
    })
}

/// Name, address and time.
pub(crate) fn person(signature: &Signature) -> Value {
    let at = DateTime::from_timestamp(signature.seconds, 0).unwrap_or_default();
    json!({ "name": signature.name, "email": signature.email, "date": iso(at) })
}

/// What GitHub says about a commit's signature.
pub(crate) fn verification(ask: &Ask<'_>, sha: &str) -> Value {
    if ask.repo_ref().git.is_signed(sha) {
        return json!({
            "verified": true,
            "reason": "valid",
            "signature": "-----BEGIN PGP SIGNATURE-----",
            "payload": format!("commit {sha}"),
            "verified_at": iso(ask.state.now()),
        });
    }
    json!({
        "verified": false,
        "reason": "unsigned",
        "signature": null,
        "payload": null,
        "verified_at": null,
    })
}

fn create_commit(ask: &mut Ask<'_>) -> Answer {
    let wish = ask.call.json();
    let now = ask.state.now().timestamp();
    let bot = Signature {
        name: ask.login.clone(),
        email: format!("{}@users.noreply.github.com", ask.login),
        seconds: now,
    };
    let named = [&wish["author"], &wish["committer"]].map(signature);
    // An App that names nobody has its commits signed by GitHub, as whose they are committed.
    let signs = named.iter().all(Option::is_none) && bot.name.ends_with("[bot]");
    let [author, committer] = named;
    let author = author.unwrap_or(bot);
    let committer = committer.unwrap_or_else(|| author.clone());
    let parents: Vec<String> = wish["parents"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|sha| sha.as_str().map(str::to_owned))
        .collect();
    let text = |field: &str| wish[field].as_str().unwrap_or_default();
    let git = ask.repo_ref().git.clone();
    let written = if signs {
        let committer = Signature {
            name: "GitHub".to_owned(),
            email: "noreply@github.com".to_owned(),
            seconds: now,
        };
        let (tree, message) = (text("tree").to_owned(), text("message").to_owned());
        let sha = String::new();
        let serial = ask.state.id();
        git.write_signed(&Commit { sha, tree, parents, author, committer, message }, serial)
    } else {
        git.write_commit(text("tree"), &parents, text("message"), &author, &committer)
    };
    match written {
        Ok(sha) => commit(ask, &sha, 201),
        Err(_) => error(422, "Tree SHA does not exist"),
    }
}

fn signature(wish: &Value) -> Option<Signature> {
    let date = wish["date"].as_str();
    let at = date.and_then(|date| DateTime::parse_from_rfc3339(date).ok());
    Some(Signature {
        name: wish["name"].as_str()?.to_owned(),
        email: wish["email"].as_str()?.to_owned(),
        seconds: at.map_or(0, |at| at.timestamp()),
    })
}
