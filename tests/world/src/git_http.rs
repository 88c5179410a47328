//! Git's smart HTTP: `git http-backend` behind GitHub's manners of asking for a password.

use crate::Inner;
use crate::app::Grant;
use crate::push::{Move, NOWHERE};
use crate::repository::{Repository, feed, git};
use crate::state::Actor;
use crate::wire::{Answer, Call};
use std::{process::Stdio, sync::Arc};

/// Whether this is a push that changes refs. Git sends an empty one first, to see whether it may.
pub(crate) fn carries_commands(call: &Call) -> bool {
    call.method == "POST"
        && call.path.ends_with("/git-receive-pack")
        && !commands(&call.body).is_empty()
}

/// Answers one request of a git client.
pub(crate) fn answer(inner: &Arc<Inner>, call: &Call) -> Answer {
    let Some((name, repository)) = find(inner, call) else {
        return Answer::text(404, "Repository not found.\n");
    };
    let Some((actor, grant)) = authenticate(inner, call) else {
        return unauthorised();
    };
    if grant.is_some() && inner.state().app.suspended {
        return Answer::text(403, "This installation has been suspended\n");
    }
    let pushes = call.path.ends_with("/git-receive-pack")
        || call.parameter("service").as_deref() == Some("git-receive-pack");
    if !pushes {
        return backend(&repository, call, "");
    }
    if actor == Actor::Anonymous {
        return unauthorised();
    }
    if grant.is_some_and(|grant| !grant.allows(&["contents"], &name)) {
        return Answer::text(403, "Write access to repository not granted.\n");
    }
    let login = inner.state().login_of(&actor);
    if let Some(refused) = judge(inner, &name, &actor, &login, call) {
        return refused;
    }
    if call.method != "POST" {
        return backend(&repository, call, &login);
    }
    let one_push_at_a_time = inner.push_lock();
    let mut answer = backend(&repository, call, &login);
    answer.body = reasoned(&answer.body);
    let heads = repository.refs("refs/");
    drop(one_push_at_a_time);
    let mut moves = commands(&call.body);
    // A rule of the repository may have refused some.
    moves.retain(|moved| heads.get(&moved.name) == moved.after.as_ref());
    inner.state().pushed(&name, &moves, &login);
    if matches!(actor, Actor::Bot | Actor::App) {
        inner.state().lag_behind();
    }
    inner.deliver();
    answer
}

fn authenticate(inner: &Inner, call: &Call) -> Option<(Actor, Option<Grant>)> {
    if call.header("authorization").is_empty() {
        return Some((Actor::Anonymous, None));
    }
    let (_, password) = call.basic()?;
    let state = inner.state();
    Some((state.actor_of_token(&password)?, state.grant_of(&password).cloned()))
}

/// What the rules say about a push. One to a foreign branch is remembered and goes on, as it
/// would on GitHub; one to a repository that the pusher may only read is refused.
fn judge(inner: &Inner, name: &str, actor: &Actor, login: &str, call: &Call) -> Option<Answer> {
    let mut state = inner.state();
    if !state.may_push(login, name) {
        if *actor == Actor::Bot {
            let what = format!("the bot asked to push to {name}");
            state.log.violation(what);
        }
        let denied = format!("Permission to {name}.git denied to {login}.\n");
        return Some(Answer::text(403, &denied));
    }
    if *actor != Actor::Bot || call.method != "POST" {
        return None;
    }
    if call.header("content-encoding") == "gzip" {
        let what = "the world cannot judge a push whose body is compressed";
        state.log.violation(what);
        return Some(Answer::text(415, "unsupported content encoding\n"));
    }
    for moved in commands(&call.body) {
        state.judge_bot_ref(name, &moved.name);
    }
    None
}

/// The refs that a push wants to change.
fn commands(body: &[u8]) -> Vec<Move> {
    let mut moves = Vec::new();
    let mut rest = body;
    while let Some(digits) = rest.get(..4) {
        let length = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let Some(line) = length.filter(|length| *length > 4).and_then(|length| rest.get(4..length))
        else {
            break;
        };
        rest = &rest[4 + line.len()..];
        let text = String::from_utf8_lossy(line);
        let command = text.split('\0').next().unwrap_or_default();
        let mut words = command.trim().splitn(3, ' ').map(str::to_owned);
        if let (Some(before), Some(after), Some(name)) = (words.next(), words.next(), words.next())
        {
            let end = |id: String| (id != NOWHERE).then_some(id);
            moves.push(Move { name, before: end(before), after: end(after) });
        }
    }
    moves
}

/// GitHub says of each ref why it was refused. A hook of git's can only say so to the terminal, and
/// the ref is told that a hook declined.
fn reasoned(body: &[u8]) -> Vec<u8> {
    const DECLINED: &str = "hook declined";
    const BESIDE: u8 = 2;
    let lines = packets(body);
    let told = lines.iter().flatten().filter(|line| line.first() == Some(&BESIDE));
    let told: String = told.map(|line| String::from_utf8_lossy(&line[1..]).into_owned()).collect();
    let Some(why) = told.lines().find(|line| line.starts_with("refusing to allow")) else {
        return body.to_vec();
    };
    let mut out = Vec::new();
    for line in lines {
        match line {
            Some(line) if line.first() == Some(&1) => {
                let mut inner = vec![1];
                for line in packets(&line[1..]) {
                    let said = line.map(|it| String::from_utf8_lossy(it).replace(DECLINED, why));
                    packet(&mut inner, said.as_deref().map(str::as_bytes));
                }
                packet(&mut out, Some(&inner));
            }
            line => packet(&mut out, line),
        }
    }
    out
}

/// The lines of git's protocol; `None` is a flush.
fn packets(mut rest: &[u8]) -> Vec<Option<&[u8]>> {
    let mut lines = Vec::new();
    while let Some(digits) = rest.get(..4) {
        let length =
            std::str::from_utf8(digits).ok().and_then(|it| usize::from_str_radix(it, 16).ok());
        let Some(length) = length else { break };
        if length < 4 {
            lines.push(None);
            rest = &rest[4..];
            continue;
        }
        let Some(line) = rest.get(4..length) else { break };
        lines.push(Some(line));
        rest = &rest[length..];
    }
    lines
}

fn packet(out: &mut Vec<u8>, line: Option<&[u8]>) {
    match line {
        None => out.extend_from_slice(b"0000"),
        Some(line) => {
            out.extend_from_slice(format!("{:04x}", line.len() + 4).as_bytes());
            out.extend_from_slice(line);
        }
    }
}

fn find(inner: &Inner, call: &Call) -> Option<(String, Repository)> {
    let (name, _) = call.path.strip_prefix('/')?.split_once(".git/")?;
    let repository = inner.state().repos.get(name)?.git.clone();
    Some((name.to_owned(), repository))
}

fn unauthorised() -> Answer {
    Answer::text(401, "Invalid username or password.\n")
        .with("www-authenticate", "Basic realm=\"GitHub\"")
}

fn backend(repository: &Repository, call: &Call, user: &str) -> Answer {
    let (_, inside) = call.path.split_once(".git/").unwrap_or_default();
    let mut command = git();
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repository.dir())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", format!("/{inside}"))
        .env("QUERY_STRING", &call.query)
        .env("REQUEST_METHOD", &call.method)
        .env("CONTENT_TYPE", call.header("content-type"))
        .env("CONTENT_LENGTH", call.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", call.header("content-encoding"))
        .env("GIT_PROTOCOL", call.header("git-protocol"))
        .env("REMOTE_ADDR", "127.0.0.1")
        .stderr(Stdio::null());
    if !user.is_empty() {
        command.env("REMOTE_USER", user);
    }
    feed(command, &call.body)
        .map_or_else(|why| Answer::text(500, &why), |output| from_cgi(&output.stdout))
}

fn from_cgi(output: &[u8]) -> Answer {
    let Some(at) = output.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Answer::text(500, "git http-backend says nothing\n");
    };
    let mut answer = Answer::empty(200);
    for line in String::from_utf8_lossy(&output[..at]).lines() {
        match line.split_once(": ") {
            Some(("Status", status)) => {
                let digits = status.get(..3).and_then(|digits| digits.parse().ok());
                answer.status = digits.unwrap_or(500);
            }
            Some((name, value)) => answer = answer.with(&name.to_lowercase(), value),
            None => {}
        }
    }
    answer.body = output[at + 4..].to_vec();
    answer
}
