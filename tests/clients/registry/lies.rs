//! What a registry must not get away with, and what the client asks of it.

use super::content::{INDEX, content};
use super::place::fake_server;
use super::{RELEASE, image, registry_at};
use crate::server::{Asked, Reply, Server, page, reply};
use crate::{NOW, http, http_at, whole};
use digest_bump::clients::registry::RegistryError;
use digest_bump::clock::Clock;
use digest_bump::domain::Digest;
use serde_json::json;
use std::time::Duration;

/// A registry that lies where `twist` says so, and is honest elsewhere.
async fn registry_server(
    twist: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> Server {
    let pushed = vec![content(1)];
    fake_server(move || pushed.clone(), twist).await
}

async fn index_of(
    twist: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> Result<(), RegistryError> {
    let server = registry_server(twist).await;
    registry_at(&http(), &server.url).fetch_index(&image(), "3.10.0").await.map(drop)
}

/// Answers like this where a path contains the text.
fn at(part: &'static str, reply: Reply) -> impl Fn(&Asked) -> Option<Reply> + Send + Sync {
    move |asked| asked.path.contains(part).then(|| reply.clone())
}

#[tokio::test]
async fn an_image_is_resolved_in_seven_requests_and_then_in_five() {
    let server = registry_server(|_| None).await;
    let registry = registry_at(&http(), &server.url);
    let facts = registry.fetch_image(&image(), &RELEASE).await.unwrap().facts;
    assert_eq!(facts.digest.digest(), &content(1).index);
    let seen: Vec<(&str, Option<&str>, &str)> = facts
        .platforms
        .iter()
        .map(|one| (one.platform.0.as_str(), one.version_label(), one.labels["arch"].as_str()))
        .collect();
    assert_eq!(
        seen,
        [("linux/amd64", Some("3.10.0"), "amd64"), ("linux/arm64", Some("3.10.0"), "arm64")]
    );

    let paths = server.paths();
    assert_eq!(paths.len(), 7);
    assert_eq!(
        paths[1],
        "/token?service=ghcr.io&scope=repository%3Atoon-protocol%2Fconnector%3Apull"
    );
    assert_eq!(server.asked()[1].header("authorization"), None);
    let accept = server.asked()[0].header("accept").unwrap().to_owned();
    assert!(accept.starts_with(INDEX) && accept.contains("manifest.list.v2+json"));

    registry.fetch_image(&image(), &RELEASE).await.unwrap();
    assert_eq!(server.asked().len(), 7 + 5);
}

#[tokio::test]
async fn a_token_is_renewed_when_its_time_is_over_and_shared_meanwhile() {
    let server = registry_server(|_| None).await;
    let clock = Clock::manual(NOW);
    let registry = registry_at(&http_at(&clock), &server.url);
    registry.fetch_index(&image(), "3.10.0").await.unwrap();
    assert_eq!(server.asked().len(), 3);
    clock.advance(Duration::from_secs(49));
    registry.clone().fetch_index(&image(), "3.10.0").await.unwrap();
    assert_eq!(server.asked().len(), 4);
    clock.advance(Duration::from_secs(2));
    registry.fetch_index(&image(), "3.10.0").await.unwrap();
    assert_eq!(
        server.asked().len(),
        6,
        "the token server is asked at once, without a refusal first"
    );
}

#[tokio::test]
async fn many_at_once_share_one_token() {
    let server = registry_server(|_| None).await;
    let registry = registry_at(&http(), &server.url);
    let (image, manifests) = (image(), content(1).manifests);
    let (one, two) = tokio::join!(
        registry.fetch_labels(&image, &manifests[0]),
        registry.fetch_labels(&image, &manifests[1]),
    );
    assert_eq!((one.unwrap()["arch"].as_str(), two.unwrap()["arch"].as_str()), ("amd64", "arm64"));
    let tokens = server.paths().iter().filter(|path| path.starts_with("/token")).count();
    assert_eq!(tokens, 1);
}

#[tokio::test]
async fn a_registry_that_refuses_every_token_is_left_alone() {
    let challenge = "Bearer realm=\"/token\"";
    let error =
        index_of(at("/v2/", reply(401, &[("www-authenticate", challenge)], ""))).await.unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
    let error = index_of(at("/v2/", reply(401, &[("www-authenticate", "Basic realm=\"x\"")], "")))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("more than an anonymous token"), "{error}");
    // How GHCR answers for a repository that is not there.
    let denied =
        r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    let error = index_of(at("/token", reply(403, &[], denied))).await.unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
    for realm in ["http://192.0.2.1/token", "file:///etc/passwd", ""] {
        let challenge = format!("Bearer realm=\"{realm}\"");
        let outcome =
            index_of(at("/v2/", reply(401, &[("www-authenticate", &challenge)], ""))).await;
        assert!(outcome.is_err(), "{realm}");
    }
}

/// Where a bad answer can come: for the tag, for one platform, for its config, for the token.
fn places() -> [(&'static str, String); 4] {
    let platform = content(1).manifests[1].to_string();
    [
        ("the tag", "/manifests/3.10.0".to_owned()),
        ("a platform", format!("/manifests/{platform}")),
        ("a config", "/blobs/".to_owned()),
        ("a token", "/token".to_owned()),
    ]
}

/// What an image is when one of these answers so, to whoever has a token if it is not the token.
async fn image_with(place: &str, bad: Reply) -> RegistryError {
    let part = place.to_owned();
    let server = registry_server(move |asked| {
        let authorised = asked.header("authorization").is_some() || part == "/token";
        (asked.path.contains(&part) && authorised).then(|| bad.clone())
    })
    .await;
    registry_at(&http(), &server.url).fetch_image(&image(), &RELEASE).await.unwrap_err()
}

#[tokio::test]
async fn every_bad_answer_of_a_registry_has_its_error_wherever_it_comes() {
    let wrong = Digest::of(b"another");
    let whole = content(1).find("3.10.0").unwrap().bytes.clone();
    let unknown = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#;
    for (name, place) in places() {
        let error = image_with(&place, reply(404, &[], unknown)).await;
        // Only of the tag itself it says that there is no image.
        let absent = matches!(error, RegistryError::NotFound { .. });
        assert_eq!(absent, name == "the tag", "{name}: {error}");
        assert!(absent || matches!(error, RegistryError::Malformed { .. }), "{name}: {error}");
        for (after, millis) in [("1.5", 1_500), ("30", 30_000), ("", 60_000)] {
            let error = image_with(&place, reply(429, &[("retry-after", after)], "")).await;
            let expected = NOW + Duration::from_millis(millis);
            let limited =
                matches!(error, RegistryError::RateLimited { until } if until == expected);
            assert!(limited, "{name}, {after:?}: {error}");
        }
        for transient in [page(503), reply(500, &[], ""), Reply::HangUp] {
            let error = image_with(&place, transient).await;
            assert!(matches!(error, RegistryError::Transient { .. }), "{name}: {error}");
        }
        let mut malformed = vec![
            page(200),
            page(404),
            Reply::Half(whole.clone()),
            reply(200, &[], "{}"),
            reply(302, &[], ""),
        ];
        if name != "a token" {
            let lie = [("docker-content-digest", wrong.as_str())];
            malformed.push(reply(200, &lie, &whole));
        }
        for malformed in malformed {
            let error = image_with(&place, malformed).await;
            assert!(matches!(error, RegistryError::Malformed { .. }), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn no_redirect_takes_a_token_to_another_host() {
    for status in [301, 302, 307, 308] {
        for (name, place) in places() {
            let elsewhere =
                Server::always(reply(200, &[], r#"{"token":"of somebody else"}"#)).await;
            let target = format!("{}/x", elsewhere.url);
            let error = image_with(&place, reply(status, &[("location", &target)], "")).await;
            assert!(matches!(error, RegistryError::Malformed { .. }), "{name}: {error}");
            let asked = elsewhere.asked();
            // Only blobs are kept elsewhere.
            assert_eq!(!asked.is_empty(), name == "a config", "{name}");
            assert!(asked.iter().all(|asked| asked.header("authorization").is_none()), "{name}");
        }
    }
}

#[tokio::test]
async fn an_index_that_is_none_or_too_large_has_its_error() {
    let part = "manifests/3.10.0";
    let whole = content(1).find("3.10.0").unwrap().bytes.clone();
    for malformed in [
        reply(200, &[("content-type", "text/plain")], &whole),
        reply(200, &[], vec![b' '; 5 * 1024 * 1024]),
    ] {
        let error = index_of(at(part, malformed)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Malformed { .. }), "{error}");
    }
    let single = json!({"config": {"digest": Digest::of(b"x")}, "layers": []}).to_string();
    let error = index_of(at(part, reply(200, &[], single))).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotAnIndex { .. }), "{error}");
}

#[tokio::test]
async fn no_error_shows_a_token() {
    let error = index_of(at("manifests", Reply::HangUp)).await.unwrap_err();
    assert!(!whole(&error).contains("anon-secret"));
    let error = index_of(at("manifests", page(403))).await.unwrap_err();
    assert!(!whole(&error).contains("anon-secret"));
    let error = index_of(at("/token", reply(200, &[], r#"{"token":{"x":"anon-secret"}}"#)))
        .await
        .unwrap_err();
    assert!(!whole(&error).contains("anon-secret"));
}

#[tokio::test]
async fn what_is_asked_by_digest_has_to_have_it() {
    let server = registry_server(at("@", Reply::HangUp)).await;
    let registry = registry_at(&http(), &server.url);
    let index = registry.fetch_index(&image(), content(1).index.as_str()).await.unwrap();
    assert_eq!(index.entries.len(), 2);

    // The index in the manifest's place, and one config in the other's.
    let other = content(1);
    let swapped = registry_server(move |asked| {
        let wanted = other.manifests[0].as_str();
        (asked.path.ends_with(wanted) && asked.header("authorization").is_some())
            .then(|| reply(200, &[], &other.find(other.manifests[1].as_str()).unwrap().bytes))
    })
    .await;
    let registry = registry_at(&http(), &swapped.url);
    let error = registry.fetch_image(&image(), &RELEASE).await.unwrap_err();
    assert!(matches!(error, RegistryError::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn a_reference_that_no_registry_can_hold_is_not_asked_for() {
    let server = registry_server(|_| None).await;
    let registry = registry_at(&http(), &server.url);
    for odd in ["../../x", "1?x=y", "", "1.0.0+build"] {
        let error = registry.fetch_index(&image(), odd).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{odd}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_blob_is_fetched_from_the_storage_without_the_token() {
    let storage = Server::start(|asked| match content(1).find(&asked.path[1..]) {
        Some(document) => reply(200, &[], &document.bytes),
        None => reply(404, &[], ""),
    })
    .await;
    let target = storage.url.clone();
    let server = registry_server(move |asked| {
        let (_, digest) = asked.path.split_once("/blobs/")?;
        let location = format!("{target}/{digest}");
        asked.header("authorization")?;
        Some(reply(307, &[("location", &location)], ""))
    })
    .await;
    let registry = registry_at(&http(), &server.url);
    let facts = registry.fetch_image(&image(), &RELEASE).await.unwrap().facts;
    assert_eq!(facts.platforms[1].labels["arch"], "arm64");
    assert_eq!(storage.asked().len(), 2);
    assert!(storage.asked().iter().all(|asked| asked.header("authorization").is_none()));
}

#[tokio::test]
async fn a_blob_is_not_fetched_from_just_anywhere() {
    for location in ["http://192.0.2.1/x", "file:///etc/passwd", "/v2/round/blobs/x"] {
        let moved = reply(307, &[("location", location)], "");
        let server = registry_server(at("/blobs/", moved)).await;
        let registry = registry_at(&http(), &server.url);
        let error = registry.fetch_labels(&image(), &content(1).manifests[0]).await.unwrap_err();
        assert!(matches!(error, RegistryError::Malformed { .. }), "{location}: {error}");
    }
}

#[tokio::test]
async fn that_nothing_changed_is_believed_only_of_what_was_asked() {
    let known = content(1).index;
    let other = Digest::of(b"other");
    let silent = reply(304, &[], "");
    let naming = |digest: &Digest| reply(304, &[("docker-content-digest", digest.as_str())], "");
    for (asked, answer, expected) in [
        (Some(&known), silent.clone(), "Same"),
        (Some(&known), naming(&known), "Same"),
        (Some(&known), naming(&other), "is said to be sha256:"),
        (None, silent, "status 304 for"),
        (None, naming(&known), "status 304 for"),
    ] {
        let server = registry_server(at("/manifests/", answer)).await;
        let registry = registry_at(&http(), &server.url);
        let resolved = registry.resolve(&image(), "3.10.0", asked).await;
        let told = match &resolved {
            Ok(resolution) => format!("{resolution:?}"),
            Err(error) => {
                assert!(matches!(error, RegistryError::Malformed { .. }), "{error:?}");
                error.to_string()
            }
        };
        assert!(told.contains(expected), "{told}");
    }
}
