//! The npm client.

use crate::server::{Reply, Server, page, reply};
use crate::{NOW, fresh, http, http_at};
use digest_bump::clients::npm::{Npm, NpmError};
use digest_bump::clock::Clock;
use digest_bump::domain::Fetched;
use serde_json::json;
use std::time::Duration;

const PACKAGE: &str = "@toon-protocol/connector";

async fn packument_of(reply: Reply) -> Result<Fetched, NpmError> {
    let server = Server::always(reply).await;
    Npm::new(&http(), &server.url).unwrap().fetch_packument(PACKAGE, None).await
}

#[tokio::test]
async fn a_packument_is_fetched_once_and_then_only_asked_about() {
    let server = Server::start(|asked| match asked.header("if-none-match") {
        Some(_) => reply(304, &[], ""),
        None => reply(200, &[("etag", "\"p\"")], json!({"versions": {"1.0.0": {}}}).to_string()),
    })
    .await;
    let npm = Npm::new(&http(), &server.url).unwrap();
    let first = fresh(npm.fetch_packument(PACKAGE, None).await.unwrap());
    assert_eq!(Npm::parse_packument(&first.body, None).unwrap().versions.len(), 1);
    let second = npm.fetch_packument(PACKAGE, Some(&first)).await.unwrap();
    assert_eq!(second, Fetched::NotModified);
    assert_eq!(server.paths(), ["/@toon-protocol%2fconnector"; 2]);
    assert_eq!(server.asked()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_mirror_may_send_npm_on() {
    let upstream = Server::always(reply(200, &[], r#"{"versions":{}}"#)).await;
    let target = format!("{}/p", upstream.url);
    fresh(packument_of(reply(302, &[("location", &target)], "")).await.unwrap());
    let error = packument_of(reply(302, &[("location", "file:///x")], "")).await.unwrap_err();
    assert!(matches!(error, NpmError::Malformed { .. }), "{error}");
    let error = packument_of(reply(302, &[("location", "/round")], "")).await.unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
}

#[tokio::test]
async fn every_bad_answer_of_npm_has_its_error() {
    let error = packument_of(reply(404, &[], r#"{"error":"Not found"}"#)).await.unwrap_err();
    assert!(matches!(error, NpmError::NotFound { .. }), "{error}");
    let error = packument_of(reply(429, &[("retry-after", "9")], "")).await.unwrap_err();
    assert!(
        matches!(error, NpmError::RateLimited { until } if until == NOW + Duration::from_secs(9))
    );
    let error = packument_of(reply(401, &[], "")).await.unwrap_err();
    assert!(matches!(error, NpmError::Denied { status: 401 }), "{error}");
    for transient in [page(503), Reply::HangUp] {
        let error = packument_of(transient).await.unwrap_err();
        assert!(matches!(error, NpmError::Transient { .. }), "{error}");
    }
    for malformed in [page(200), Reply::Half(vec![b' '; 100]), reply(304, &[], "")] {
        let error = packument_of(malformed).await.unwrap_err();
        assert!(matches!(error, NpmError::Malformed { .. }), "{error}");
    }
    let refused = Npm::new(&http(), "http://npm.example");
    assert!(matches!(refused, Err(NpmError::Unusable(_))));
}

#[tokio::test]
async fn while_npms_limit_holds_it_is_not_asked() {
    let clock = Clock::manual(NOW);
    let server = Server::always(reply(429, &[("retry-after", "3600")], "")).await;
    let npm = Npm::new(&http_at(&clock), &server.url).unwrap();
    let again = npm.clone();
    for asked in [&npm, &again] {
        let error = asked.fetch_packument(PACKAGE, None).await.unwrap_err();
        let end = NOW + Duration::from_hours(1);
        assert!(matches!(error, NpmError::RateLimited { until } if until == end), "{error}");
        clock.advance(Duration::from_mins(59));
        assert_eq!(server.asked().len(), 1);
    }
    npm.fetch_packument(PACKAGE, None).await.unwrap_err();
    assert_eq!(server.asked().len(), 2);
}
