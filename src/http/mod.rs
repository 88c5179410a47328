//! The status page, its JSON twin, the health check and the metrics, which show what is stored and
//! change nothing; and where webhooks come in.

mod health;
mod inbox;
mod payload;
mod webhook;

pub use health::ask;
pub use inbox::Inbox;
pub use webhook::{Hooks, PATH as WEBHOOK};

use crate::clock::Clock;
use crate::config::Watch;
use crate::domain::RunId;
use crate::reconcile::look_at;
use crate::render::WatchView;
use crate::store::Store;
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use std::time::Duration;
use tower_http::{limit::RequestBodyLimitLayer, timeout::TimeoutLayer};
use tracing::error;

/// Nobody has reason to send more.
const BODY_LIMIT_BYTES: usize = 64 * 1024;
/// A page that takes longer is of no use.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What is said of a log that is not there.
const NO_LOG: &str =
    "There is no such run, it has not ended, or what it printed is not kept any more.\n";
/// Where the health check is.
const HEALTH: &str = "/healthz";

/// What the page is made from.
#[derive(Debug, Clone)]
pub struct Page {
    /// The watches.
    pub watches: Vec<Watch>,
    /// What happened.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    views: Vec<WatchView>,
    now: String,
    version: &'static str,
}

/// All routes. Webhooks are taken where there are `hooks`.
pub fn router(page: Page, hooks: Option<Hooks>) -> Router {
    let pages = Router::new()
        .route("/", get(status_page))
        .route("/status.json", get(status_json))
        .route("/runs/{run}", get(canary_log))
        .route(HEALTH, get(healthy))
        .route("/metrics", get(metrics))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT_BYTES))
        .with_state(page);
    let all = match hooks {
        Some(hooks) => pages.merge(webhook::router(hooks)),
        None => pages,
    };
    all.layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIME_LIMIT))
}

/// What was counted, in the text format of Prometheus.
async fn metrics() -> String {
    crate::telemetry::metrics().render()
}

impl Page {
    async fn views(&self) -> Result<Vec<WatchView>, crate::store::StoreError> {
        let now = self.clock.now();
        let mut views = Vec::new();
        for watch in &self.watches {
            let memory = self.store.load_memory(&watch.name).await?;
            views.push(look_at(watch, &memory, now));
        }
        Ok(views)
    }
}

async fn status_page(State(page): State<Page>) -> Response {
    let views = match page.views().await {
        Ok(views) => views,
        Err(error) => return broken(&error),
    };
    let template =
        StatusPage { views, now: page.clock.now().to_string(), version: env!("CARGO_PKG_VERSION") };
    match template.render() {
        Ok(html) => {
            // Foreign text is escaped; should that ever fail, nothing of it may run.
            let policy = "default-src 'none'; style-src 'unsafe-inline'";
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
        }
        Err(error) => broken(&error),
    }
}

async fn status_json(State(page): State<Page>) -> Response {
    match page.views().await.map(|views| serde_json::to_string_pretty(&views)) {
        Ok(Ok(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Ok(Err(error)) => broken(&error),
        Err(error) => broken(&error),
    }
}

/// All that a canary printed: foreign text, and never anything else to a browser.
async fn canary_log(State(page): State<Page>, Path(run): Path<i64>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match page.store.canary_log(RunId(run)).await {
        Ok(Some(log)) => (headers, log).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, headers, NO_LOG).into_response(),
        Err(error) => broken(&error),
    }
}

/// Healthy as long as the store can be read.
async fn healthy(State(page): State<Page>) -> Response {
    match page.store.newest_wish().await {
        Ok(_) => "ok\n".into_response(),
        Err(error) => broken(&error),
    }
}

fn broken(error: &dyn std::error::Error) -> Response {
    error!(%error, "the status could not be shown; a person must look");
    (StatusCode::INTERNAL_SERVER_ERROR, "the status could not be read; see the log\n")
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(watch: &str, alarms: &[&str], troubles: &[&str]) -> WatchView {
        let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        WatchView {
            watch: watch.to_owned(),
            pinned: "3.9.3".parse().ok(),
            digest: None,
            pin_fault: None,
            drift: Vec::new(),
            drifted: false,
            mirror_hunks: None,
            alarms: owned(alarms),
            last_pass: None,
            last_pass_ago: None,
            troubles: owned(troubles),
            releases: Vec::new(),
            older: 0,
            ignored: Vec::new(),
            proposals: Vec::new(),
            requests: Vec::new(),
            standing: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// Where each of these is on the page of these watches.
    fn places(views: Vec<WatchView>, texts: &[&str]) -> Vec<Option<usize>> {
        let page = StatusPage { views, now: String::new(), version: "" };
        let html = page.render().unwrap();
        texts.iter().map(|text| html.find(text)).collect()
    }

    #[test]
    fn alarms_are_seen_first_and_troubles_after_the_pin() {
        let texts = ["ALARM:</strong> it moved", "ALARM:</strong> it left", "Pinned at", "no npm"];
        let found = places(vec![view("town", &["it moved", "it left"], &["no npm"])], &texts);
        assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{found:?}");
        let link = "href=\"#town\"";
        assert_eq!(places(vec![view("town", &["it moved"], &[])], &[link]), [None]);
        assert_eq!(places(vec![view("town", &[], &[])], &["<ul"]), [None], "nothing to look at");
    }

    #[test]
    fn of_many_watches_those_with_alarms_are_named_before_the_first() {
        let views = vec![view("quiet", &[], &[]), view("a&b", &["it moved"], &[])];
        let link = r##"href="#a&#38;b">a&#38;b: 1 alarm</a>"##;
        let texts = [link, "<h2>quiet", r#"id="a&#38;b""#, "href=\"#quiet\""];
        let found = places(views, &texts);
        assert!(found[..3].iter().all(Option::is_some) && found[..3].is_sorted(), "{found:?}");
        assert_eq!(found[3], None);
    }
}
