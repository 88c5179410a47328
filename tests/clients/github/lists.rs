//! Lists that come in pages, and those that never end.

use super::{github, repo};
use crate::server::{Reply, Server, reply};
use digest_bump::clients::github::GithubError;
use digest_bump::domain::{CommitId, PullNumber};
use serde_json::{Value, json};

fn commit() -> CommitId {
    "a".repeat(40).parse().unwrap()
}

/// A server whose list has so many pages, each made by `entry` from its number.
async fn paged(pages: usize, entry: fn(usize) -> Value) -> Server {
    Server::start(move |asked| {
        let number = asked.path.split_once("&page=").map_or(1, |(_, it)| it.parse().unwrap());
        let body = entry(number).to_string();
        if number == pages {
            return reply(200, &[], body);
        }
        let (path, _) = asked.path.split_once("&page=").unwrap_or((&asked.path, ""));
        let host = asked.header("host").unwrap();
        let next = format!("<http://{host}{path}&page={}>; rel=\"next\"", number + 1);
        Reply::Whole(200, vec![("link", next)], body.into_bytes())
    })
    .await
}

fn suite(number: usize) -> Value {
    json!({ "check_suites": [{ "id": number, "status": "queued" }] })
}

fn status(number: usize) -> Value {
    json!({ "statuses": [{ "context": format!("ci/{number}"), "state": "success" }] })
}

fn run(number: usize) -> Value {
    json!({ "check_runs": [{ "id": number, "name": format!("ci {number}"), "status": "queued" }] })
}

fn artifact(number: usize) -> Value {
    let one = json!({ "id": number, "name": "reports", "size_in_bytes": 1, "expired": false });
    json!({ "artifacts": [one] })
}

fn comment(number: usize) -> Value {
    json!([{ "id": number, "node_id": "IC_1", "body": "hello", "user": { "login": "maya" } }])
}

#[tokio::test]
async fn every_page_of_a_list_counts() {
    let reader = |server: &Server| github(server).0;
    let server = paged(3, suite).await;
    let suites = reader(&server).fetch_check_suites(&repo(), &commit()).await.unwrap();
    assert_eq!(suites.iter().map(|it| it.id).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(server.asked().len(), 3);
    let server = paged(2, status).await;
    let statuses = reader(&server).fetch_statuses(&repo(), &commit()).await.unwrap();
    assert_eq!(statuses.iter().map(|it| &*it.context).collect::<Vec<_>>(), ["ci/1", "ci/2"]);
    let server = paged(2, run).await;
    let runs = reader(&server).fetch_check_runs(&repo(), &commit(), None).await.unwrap();
    assert_eq!(runs.iter().map(|it| it.id).collect::<Vec<_>>(), [1, 2]);
    let server = paged(2, artifact).await;
    let artifacts = reader(&server).fetch_artifacts(&repo(), 7).await.unwrap();
    assert_eq!(artifacts.iter().map(|it| it.id).collect::<Vec<_>>(), [1, 2]);
    let server = paged(2, comment).await;
    let comments = reader(&server).fetch_comments(&repo(), PullNumber(7)).await.unwrap();
    assert_eq!(comments.iter().map(|it| it.id).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_list_without_an_end_is_none_where_the_end_matters() {
    let server = paged(usize::MAX, suite).await;
    let suites = github(&server).0.fetch_check_suites(&repo(), &commit()).await;
    let error = suites.unwrap_err();
    assert!(matches!(error, GithubError::Malformed { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "github's answer is malformed: a list of check suites that goes on after 10 of them"
    );
    assert_eq!(server.asked().len(), 10);
    // Nobody reads a discussion as long as this, the bot neither.
    let server = paged(usize::MAX, comment).await;
    let comments = github(&server).0.fetch_comments(&repo(), PullNumber(7)).await.unwrap();
    assert_eq!((comments.len(), server.asked().len()), (20, 20));
}
