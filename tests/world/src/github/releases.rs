//! Releases and tags of upstream.

use super::{Ask, error, page, shape};
use crate::release::Release;
use crate::wire::Answer;
use serde_json::{Value, json};

/// Answers below `/releases` and `/tags`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    match (method, rest) {
        ("GET", ["releases"]) => Some(list(ask)),
        ("GET", ["releases", "latest"]) => Some(latest(ask)),
        ("GET", ["releases", "tags", tag @ ..]) => {
            let tag = tag.join("/");
            Some(one(ask, |release| release.tag == tag && !release.draft))
        }
        ("GET", ["releases", id]) => {
            let id = id.parse().unwrap_or(0);
            Some(one(ask, |release| release.id == id))
        }
        ("GET", ["tags"]) => Some(tags(ask)),
        _ => None,
    }
}

/// The releases that the asker may see, newest first. A draft is for those who may push.
fn visible<'a>(ask: &'a Ask<'_>) -> Vec<&'a Release> {
    let may_push = ask.state.may_push(&ask.login, &ask.name);
    let mut shown: Vec<&Release> = ask
        .state
        .releases
        .iter()
        .filter(|release| release.on_github && ask.name == ask.state.upstream)
        .filter(|release| !release.draft || may_push)
        .collect();
    shown.sort_by_key(|release| std::cmp::Reverse((release.created_at, release.id)));
    shown
}

fn list(ask: &mut Ask<'_>) -> Answer {
    let shown = visible(ask);
    let newest = shown.iter().map(|release| release.created_at).max();
    let shapes: Vec<Value> =
        shown.iter().map(|release| shape::release(ask.state, release)).collect();
    page(ask, &shapes).modified(newest)
}

fn latest(ask: &mut Ask<'_>) -> Answer {
    let shown = visible(ask);
    let newest = shown.iter().find(|release| !release.draft && !release.prerelease);
    found(ask, newest.copied())
}

fn one(ask: &mut Ask<'_>, is_it: impl Fn(&Release) -> bool) -> Answer {
    let shown = visible(ask);
    found(ask, shown.into_iter().find(|release| is_it(release)))
}

fn found(ask: &Ask<'_>, release: Option<&Release>) -> Answer {
    release.map_or_else(
        || error(404, "Not Found"),
        |release| {
            Answer::json(200, &shape::release(ask.state, release))
                .modified(Some(release.created_at))
        },
    )
}

fn tags(ask: &mut Ask<'_>) -> Answer {
    let shown = visible(ask);
    let shapes: Vec<Value> = shown
        .iter()
        .filter(|release| !release.draft)
        .filter_map(|release| Some((release, release.tag_at.as_ref()?)))
        .map(|(release, sha)| {
            json!({
                "name": release.tag,
                "node_id": shape::node_id("REF", release.id),
                "commit": { "sha": sha, "url": ask.api(&format!("commits/{sha}")) },
                "zipball_url": ask.api(&format!("zipball/refs/tags/{}", release.tag)),
                "tarball_url": ask.api(&format!("tarball/refs/tags/{}", release.tag)),
            })
        })
        .collect();
    page(ask, &shapes)
}
