//! The registry's list of what refers to a digest, and the ways in which it is not to be had.

use super::error;
use super::store::{INDEX, Store};
use crate::wire::{Answer, Call};
use serde_json::{Value, json};

/// What the registry answers when it is asked for referrers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Referrers {
    /// 404, and no JSON: GHCR.
    #[default]
    Absent,
    /// What there is.
    Served,
    /// What there is, so many on each page.
    Paged(usize),
    /// An empty list, whatever there is.
    Empty200,
    /// 303 to another host, which answers 429 and must never see the registry's token.
    RedirectElsewhere,
    /// 429.
    RateLimited,
    /// 500.
    Broken,
    /// A page for people, with status 200.
    Html,
}

/// Answers a request for the referrers of a digest.
pub(super) fn answer(
    store: &Store,
    call: &Call,
    name: &str,
    digest: &str,
    storage: &str,
) -> Answer {
    let found = || {
        let found = store.shelves.get(name).and_then(|here| here.referrers.get(digest));
        found.cloned().unwrap_or_default()
    };
    match store.referrers {
        Referrers::Absent => Answer::text(404, "404 page not found\n"),
        Referrers::Served => list(call, found()),
        Referrers::Paged(size) => page(call, found(), name, digest, size),
        Referrers::Empty200 => list(call, Vec::new()),
        Referrers::RedirectElsewhere => {
            Answer::empty(303).with("location", format!("{storage}/referrers/{digest}"))
        }
        Referrers::RateLimited => {
            error(429, "TOOMANYREQUESTS", "retry-after: 1m").with("retry-after", "60")
        }
        Referrers::Broken => error(500, "UNKNOWN", "unknown error"),
        Referrers::Html => {
            Answer::new(200, "text/html; charset=utf-8", "<!DOCTYPE html>\n<h1>Sign in</h1>\n")
        }
    }
}

fn list(call: &Call, mut entries: Vec<Value>) -> Answer {
    let wanted = call.parameter("artifactType");
    if let Some(kind) = &wanted {
        entries.retain(|entry| entry["artifactType"] == **kind);
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    let answer = Answer::new(200, INDEX, index.to_string());
    match wanted {
        Some(_) => answer.with("oci-filters-applied", "artifactType"),
        None => answer,
    }
}

/// One page of the list, and where the next one is.
fn page(call: &Call, entries: Vec<Value>, name: &str, digest: &str, size: usize) -> Answer {
    let from = call.number("from").unwrap_or_default();
    let next = from + size;
    let more = entries.len() > next;
    let answer = list(call, entries.into_iter().skip(from).take(size).collect());
    if more {
        let next = format!("/v2/{name}/referrers/{digest}?from={next}");
        answer.with("link", format!("<{next}>; rel=\"next\""))
    } else {
        answer
    }
}
