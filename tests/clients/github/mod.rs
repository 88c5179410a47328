//! The GitHub client.

mod lists;

use crate::server::{Reply, Server, page, reply};
use crate::{NOW, fresh, http, impatient, whole};
use digest_bump::clients::github::{self, GithubError, Reader, Writer};
use digest_bump::domain::{BranchName, CommitId, Fetched, PullNumber, PullState, RepoName};
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: &str = "ghp_0123456789secret";

fn repo() -> RepoName {
    "toon-protocol/connector".parse().unwrap()
}

fn branch() -> BranchName {
    "digest-bump/connector".parse().unwrap()
}

fn github(server: &Server) -> (Reader, Writer) {
    let (reader, writer) = github::connect(&http(), &server.url, Some(TOKEN.into())).unwrap();
    (reader, writer.unwrap())
}

fn release(tag: &str) -> Value {
    json!({"tag_name": tag, "draft": false, "prerelease": false, "created_at": "2026-01-01T00:00:00Z",
           "published_at": "2026-01-01T00:00:05Z", "html_url": "https://github.com/x", "body": "notes"})
}

fn pull(number: u64, owner: &str, state: &str) -> Value {
    json!({"number": number, "state": state, "merged_at": null, "draft": false, "title": "t", "body": "b",
           "html_url": "https://github.com/x", "user": {"login": "bot"}, "labels": [],
           "head": {"ref": branch(), "sha": "a".repeat(40), "repo": {"full_name": format!("{owner}/connector")}},
           "base": {"ref": "main", "sha": "b".repeat(40), "repo": {"full_name": repo()}}})
}

async fn file_at(tag: &str, reply: Reply) -> (Result<Vec<u8>, GithubError>, String, String) {
    let server = Server::always(reply).await;
    let path = "docs/CONTRACT.md".parse().unwrap();
    let bytes = github(&server).0.fetch_file(&repo(), &path, tag).await;
    let asked = server.asked().remove(0);
    (bytes, asked.path.clone(), asked.header("accept").unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_file_is_fetched_as_it_is_at_a_tag() {
    const RAW: &str = "application/vnd.github.raw+json; charset=utf-8";
    let raw = || reply(200, &[("content-type", RAW)], "# Contract\n");
    let (bytes, path, accept) = file_at("v3.10.0", raw()).await;
    assert_eq!(bytes.unwrap(), b"# Contract\n");
    assert_eq!(path, "/repos/toon-protocol/connector/contents/docs/CONTRACT.md?ref=v3.10.0");
    assert_eq!(accept, "application/vnd.github.raw+json");
    let (_, path, _) = file_at("v1&ref=main#x", raw()).await;
    assert!(path.ends_with("?ref=v1%26ref%3Dmain%23x"), "{path}");
    let directory = reply(200, &[("content-type", "application/json; charset=utf-8")], "[]");
    let (bytes, ..) = file_at("v3.10.0", directory).await;
    assert_eq!(
        bytes.unwrap_err().to_string(),
        "github's answer is malformed: docs/CONTRACT.md is not a file"
    );
    let (bytes, ..) = file_at("v3.10.0", reply(404, &[], "{}")).await;
    assert!(matches!(bytes, Err(GithubError::NotFound { .. })));
    let (bytes, ..) = file_at("v3.10.0", reply(502, &[], "")).await;
    assert!(matches!(bytes, Err(GithubError::Transient { .. })));
}

async fn releases_of(reply: Reply) -> Result<Fetched, GithubError> {
    let server = Server::always(reply).await;
    github(&server).0.fetch_releases_page(&repo(), None, None).await
}

#[tokio::test]
async fn releases_are_fetched_once_and_then_only_asked_about() {
    let server = Server::start(|asked| match asked.header("if-none-match") {
        Some("W/\"1\"") => reply(304, &[("etag", "W/\"1\"")], ""),
        _ => reply(
            200,
            &[("etag", "W/\"1\""), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")],
            json!([release("v1.0.0")]).to_string(),
        ),
    })
    .await;
    let (reader, _) = github(&server);
    let first = fresh(reader.fetch_releases_page(&repo(), None, None).await.unwrap());
    assert_eq!(Reader::parse_releases(&first.body).unwrap()[0].tag, "v1.0.0");
    let second = reader.fetch_releases_page(&repo(), Some(&first), None).await.unwrap();
    assert_eq!(second, Fetched::NotModified);

    let asked = server.asked();
    assert_eq!(asked[0].path, "/repos/toon-protocol/connector/releases?per_page=100");
    assert_eq!(asked[0].header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert_eq!(asked[0].header("accept"), Some("application/vnd.github+json"));
    assert_eq!(asked[0].header("x-github-api-version"), Some("2022-11-28"));
    let agent = concat!("digest-bump/", env!("CARGO_PKG_VERSION"));
    assert_eq!(asked[0].header("user-agent"), Some(agent));
    assert_eq!(
        (asked[0].header("if-none-match"), asked[0].header("if-modified-since")),
        (None, None)
    );
    assert_eq!(asked[1].header("if-none-match"), Some("W/\"1\""));
    assert_eq!(asked[1].header("if-modified-since"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
}

#[tokio::test]
async fn what_is_remembered_of_another_url_is_not_asked_about() {
    let server = Server::always(reply(200, &[("etag", "\"1\"")], "[]")).await;
    let (reader, _) = github(&server);
    let mut other = fresh(reader.fetch_releases_page(&repo(), None, None).await.unwrap());
    other.url.push_str("&page=2");
    fresh(reader.fetch_releases_page(&repo(), Some(&other), None).await.unwrap());
    assert_eq!(server.asked()[1].header("if-none-match"), None);
}

#[tokio::test]
async fn the_next_page_is_asked_with_the_token() {
    let server = Server::start(|asked| {
        let host = asked.header("host").unwrap();
        let next =
            format!("<http://{host}/repositories/1/releases?per_page=100&page=2>; rel=\"next\"");
        if asked.path.contains("page=2") {
            reply(200, &[], json!([release("v1.0.0")]).to_string())
        } else {
            let first = json!([release("v2.0.0")]).to_string();
            reply(200, &[("link", &next)], first)
        }
    })
    .await;
    let (reader, _) = github(&server);
    let first = fresh(reader.fetch_releases_page(&repo(), None, None).await.unwrap());
    let next = first.next.expect("a next page");
    let second = fresh(reader.fetch_releases_page(&repo(), None, Some(&next)).await.unwrap());
    assert_eq!((second.url, second.next), (next, None));
    assert_eq!(Reader::parse_releases(&second.body).unwrap()[0].tag, "v1.0.0");
    assert!(server.asked()[1].header("authorization").is_some());
}

#[tokio::test]
async fn a_next_page_elsewhere_is_refused_and_never_asked() {
    let elsewhere = Server::always(reply(200, &[], "[]")).await;
    let link = format!("<{}/x>; rel=\"next\"", elsewhere.url);
    let error = releases_of(reply(200, &[("link", &link)], "[]")).await.unwrap_err();
    assert!(matches!(error, GithubError::Malformed { .. }), "{error}");

    let server = Server::always(reply(200, &[], "[]")).await;
    let page = format!("{}/x", elsewhere.url);
    let asked = github(&server).0.fetch_releases_page(&repo(), None, Some(&page)).await;
    assert!(matches!(asked, Err(GithubError::Malformed { .. })));
    assert!(elsewhere.asked().is_empty() && server.asked().is_empty());
}

#[tokio::test]
async fn a_renamed_repository_is_followed_but_not_to_another_host() {
    let elsewhere = Server::always(reply(200, &[], "[]")).await;
    let away = format!("{}/x", elsewhere.url);
    let error = releases_of(reply(301, &[("location", &away)], "")).await.unwrap_err();
    assert!(matches!(error, GithubError::Malformed { .. }), "{error}");
    assert!(elsewhere.asked().is_empty());

    let server = Server::start(|asked| {
        if asked.path.starts_with("/repos/") {
            reply(301, &[("location", "/repositories/7/releases")], "")
        } else {
            reply(200, &[], json!([release("v1.0.0")]).to_string())
        }
    })
    .await;
    let cached = fresh(github(&server).0.fetch_releases_page(&repo(), None, None).await.unwrap());
    assert_eq!(Reader::parse_releases(&cached.body).unwrap().len(), 1);
    assert!(server.asked()[1].header("authorization").is_some());

    let error = releases_of(reply(302, &[("location", "/round")], "")).await.unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
}

#[tokio::test]
async fn every_bad_answer_of_github_has_its_error() {
    let denied = r#"{"message":"Bad credentials"}"#;
    let error = releases_of(reply(401, &[], denied)).await.unwrap_err();
    assert_eq!(error.to_string(), "github denies it (401): Bad credentials");
    assert!(!whole(&error).contains(TOKEN));
    let error = releases_of(reply(404, &[], r#"{"message":"Not Found"}"#)).await.unwrap_err();
    assert!(matches!(error, GithubError::NotFound { .. }), "{error}");
    let error = releases_of(reply(403, &[("retry-after", "2.5")], "{}")).await.unwrap_err();
    assert!(
        matches!(error, GithubError::RateLimited { until } if until == NOW + Duration::from_millis(2500))
    );
    let error = releases_of(reply(429, &[], "")).await.unwrap_err();
    assert!(
        matches!(error, GithubError::RateLimited { until } if until == NOW + Duration::from_mins(1))
    );
    for transient in [page(502), Reply::HangUp] {
        let error = releases_of(transient).await.unwrap_err();
        assert!(matches!(error, GithubError::Transient { .. }), "{error}");
        assert!(!whole(&error).contains(TOKEN));
    }
    let list = json!([release("v1.0.0")]).to_string();
    for malformed in [
        page(200),
        Reply::Half(list.into_bytes()),
        reply(200, &[], "{}"),
        reply(200, &[], ""),
        reply(304, &[], ""),
    ] {
        let error = releases_of(malformed).await.unwrap_err();
        assert!(matches!(error, GithubError::Malformed { .. }), "{error}");
    }
    let error = releases_of(reply(200, &[], vec![b' '; 17 * 1024 * 1024])).await.unwrap_err();
    assert!(matches!(error, GithubError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_limit_of_github_is_told_from_a_missing_permission() {
    let empty = ("x-ratelimit-remaining", "0");
    // GitHub's clock is an hour ahead of the limit's end.
    let reset = (NOW.millis() / 1000 + 3600).to_string();
    let reset = ("x-ratelimit-reset", reset.as_str());
    let exceeded = r#"{"message":"API rate limit exceeded for user ID 1."}"#;
    let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}"#;
    let permission = r#"{"message":"Resource not accessible by integration"}"#;
    for (limited, millis) in [
        (reply(403, &[empty, reset], exceeded), 3_600_000),
        (reply(429, &[empty, reset], exceeded), 3_600_000),
        (reply(403, &[("retry-after", "30"), empty, reset], secondary), 30_000),
        (reply(403, &[("retry-after", "1.5")], "{}"), 1_500),
        (reply(429, &[("retry-after", "1.5")], ""), 1_500),
        (reply(403, &[], secondary), 60_000),
        (reply(403, &[("x-ratelimit-remaining", "4999"), reset], secondary), 60_000),
    ] {
        let error = releases_of(limited).await.unwrap_err();
        let expected = NOW + Duration::from_millis(millis);
        let until = matches!(error, GithubError::RateLimited { until } if until == expected);
        assert!(until, "{millis}: {error}");
    }
    for headers in [&[][..], &[("x-ratelimit-remaining", "4999"), reset]] {
        let error = releases_of(reply(403, headers, permission)).await.unwrap_err();
        let expected = "github denies it (403): Resource not accessible by integration";
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error, GithubError::Denied { status: 403, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn of_a_github_that_does_not_answer_the_host_is_told_and_the_innermost_cause() {
    let server = Server::always(Reply::HangUp).await;
    let base = format!("{}/api/v3", server.url);
    let (reader, _) = github::connect(&http(), &base, Some(TOKEN.into())).unwrap();
    let error = reader.fetch_pull(&repo(), PullNumber(1)).await.unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with(&format!("github ({}) is out of reach: ", server.url)), "{told}");
    assert!(!told.contains("error sending request"), "{told}");
    assert!(!whole(&error).contains("/api/v3"), "{}", whole(&error));
}

#[tokio::test]
async fn a_silent_github_is_given_up() {
    let server = Server::always(Reply::Silence).await;
    let (reader, _) = github::connect(&impatient(), &server.url, None).unwrap();
    let error = reader.fetch_pull(&repo(), PullNumber(1)).await.unwrap_err();
    assert!(matches!(error, GithubError::Transient { .. }), "{error}");
}

#[tokio::test]
async fn without_a_token_there_is_no_writer_and_no_authorisation() {
    let server = Server::always(reply(200, &[], "[]")).await;
    let (reader, writer) = github::connect(&http(), &server.url, None).unwrap();
    assert!(writer.is_none());
    reader.fetch_releases_page(&repo(), None, None).await.unwrap();
    assert_eq!(server.asked()[0].header("authorization"), None);
    let refused = github::connect(&http(), "http://api.github.com", None);
    assert!(matches!(refused, Err(GithubError::Unusable(_))));
}

#[tokio::test]
async fn the_paths_of_an_enterprise_server_are_kept() {
    let server = Server::start(|asked| {
        let host = asked.header("host").unwrap();
        let next = format!("<http://{host}/api/v3/repositories/1/releases?page=2>; rel=\"next\"");
        reply(200, &[("link", &next)], "[]")
    })
    .await;
    let base = format!("{}/api/v3/", server.url);
    let (reader, _) = github::connect(&http(), &base, None).unwrap();
    let first = fresh(reader.fetch_releases_page(&repo(), None, None).await.unwrap());
    reader.fetch_releases_page(&repo(), None, first.next.as_deref()).await.unwrap();
    assert_eq!(
        server.paths(),
        [
            "/api/v3/repos/toon-protocol/connector/releases?per_page=100",
            "/api/v3/repositories/1/releases?page=2"
        ]
    );
}

#[tokio::test]
async fn only_the_open_pull_request_of_the_repository_itself_is_found() {
    // A list in which the filter was ignored: a fork's, a closed one, and the right one.
    let list = json!([
        pull(3, "somebody", "open"),
        pull(2, "toon-protocol", "closed"),
        pull(1, "toon-protocol", "open")
    ]);
    let server = Server::always(reply(200, &[], list.to_string())).await;
    let (reader, _) = github(&server);
    let found = reader.fetch_open_pull(&repo(), &branch()).await.unwrap().unwrap();
    assert_eq!((found.number, found.state), (PullNumber(1), PullState::Open));
    let path = "/repos/toon-protocol/connector/pulls?state=open&head=toon-protocol%3Adigest-bump%2Fconnector&per_page=100";
    assert_eq!(server.paths(), [path]);

    let all = fresh(reader.fetch_pulls_of_branch(&repo(), &branch(), None).await.unwrap());
    assert_eq!(Reader::parse_pulls(&all.body).unwrap().len(), 3);
    let none = Server::always(reply(200, &[], "[]")).await;
    assert_eq!(github(&none).0.fetch_open_pull(&repo(), &branch()).await.unwrap(), None);
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_comes_back() {
    for (bad, unknown) in [
        (page(502), true),
        (Reply::HangUp, true),
        (Reply::Half(b"{\"number\":1}".to_vec()), true),
        (reply(200, &[], pull(1, "toon-protocol", "open").to_string()), true),
        (reply(401, &[], r#"{"message":"Bad credentials"}"#), false),
        (reply(403, &[], r#"{"message":"Resource not accessible by integration"}"#), false),
        (reply(422, &[], r#"{"message":"Validation Failed"}"#), false),
        (reply(403, &[("retry-after", "1")], "{}"), false),
        (reply(307, &[("location", "/elsewhere")], ""), false),
        (reply(301, &[("location", "/elsewhere")], ""), false),
    ] {
        let server = Server::always(bad).await;
        let (_, writer) = github(&server);
        let main = "main".parse().unwrap();
        let opened = writer.open_pull(&repo(), &main, &branch(), "t", "b", false).await;
        let error = opened.unwrap_err();
        assert_eq!(error.outcome_unknown(), unknown, "{error}");
        assert_eq!(server.asked().len(), 1, "{error}");
        assert!(!whole(&error).contains(TOKEN));
    }
}

#[tokio::test]
async fn a_refused_write_says_what_github_did_not_like() {
    let refusal = async |body: &str| {
        let server = Server::always(reply(422, &[], body)).await;
        let main = "main".parse().unwrap();
        let opened = github(&server).1.open_pull(&repo(), &main, &branch(), "t", "b", false).await;
        opened.unwrap_err().to_string()
    };
    let exists = r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"A pull request already exists for toon-protocol:digest-bump/connector."}],"documentation_url":"https://docs.github.com/rest","status":"422"}"#;
    let base = r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","field":"base","code":"invalid"}]}"#;
    let said = [refusal(exists).await, refusal(base).await, refusal("<html>").await];
    insta::assert_snapshot!(said.join("\n"), @"
    github rejects it (422): Validation Failed: A pull request already exists for toon-protocol:digest-bump/connector.
    github rejects it (422): Validation Failed: base invalid
    github rejects it (422): no reason given
    ");
}

#[tokio::test]
async fn a_write_takes_its_token_to_no_other_host() {
    let elsewhere =
        Server::always(reply(201, &[], pull(1, "toon-protocol", "open").to_string())).await;
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/repos/x/y/pulls", elsewhere.url);
        let server = Server::always(reply(status, &[("location", &target)], "")).await;
        let (_, writer) = github(&server);
        let main = "main".parse().unwrap();
        let opened = writer.open_pull(&repo(), &main, &branch(), "t", "b", false).await;
        let error = opened.unwrap_err();
        assert!(matches!(error, GithubError::Rejected { .. }), "{error}");
        assert_eq!(server.asked().len(), 1);
    }
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn writes_say_what_they_mean() {
    let server = Server::start(|asked| {
        if asked.path.ends_with("/labels") {
            return reply(200, &[], r#"[{"name":"dependencies"}]"#);
        }
        let status = if asked.method == "POST" { 201 } else { 200 };
        reply(status, &[], pull(7, "toon-protocol", "open").to_string())
    })
    .await;
    let (_, writer) = github(&server);
    let main = "main".parse().unwrap();
    let opened =
        writer.open_pull(&repo(), &main, &branch(), "3.9 → 3.10", "b", true).await.unwrap();
    assert_eq!(opened.number, PullNumber(7));
    writer.edit_pull(&repo(), opened.number, "t2", "b2", false).await.unwrap();
    writer.edit_pull(&repo(), opened.number, "t3", "b3", true).await.unwrap();
    writer.add_labels(&repo(), opened.number, &["dependencies".to_owned()]).await.unwrap();

    let said: Vec<(String, String, Value)> = server
        .asked()
        .into_iter()
        .map(|asked| (asked.method, asked.path, serde_json::from_slice(&asked.body).unwrap()))
        .collect();
    let root = "/repos/toon-protocol/connector";
    let expected = [
        (
            "POST",
            format!("{root}/pulls"),
            json!({"title": "3.9 → 3.10", "body": "b", "head": "digest-bump/connector", "base": "main", "draft": true}),
        ),
        ("PATCH", format!("{root}/pulls/7"), json!({"title": "t2", "body": "b2"})),
        (
            "PATCH",
            format!("{root}/pulls/7"),
            json!({"title": "t3", "body": "b3", "state": "closed"}),
        ),
        ("POST", format!("{root}/issues/7/labels"), json!({"labels": ["dependencies"]})),
    ];
    assert_eq!(said, expected.map(|(method, path, body)| (method.to_owned(), path, body)));
    let all_authorised = server.asked().iter().all(|asked| asked.header("authorization").is_some());
    assert!(all_authorised);
}

#[tokio::test]
async fn the_clients_do_not_show_the_token() {
    let server = Server::always(reply(200, &[], "[]")).await;
    let shown = format!("{:?}", github(&server));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn an_app_knows_its_own_check_by_its_number() {
    let commit: CommitId = "c".repeat(40).parse().unwrap();
    let run = |id: u64, app: u64| {
        json!({"id": id, "name": "canary", "external_id": format!("digest-bump {commit}"),
               "status": "in_progress", "conclusion": null, "app": {"id": app}})
    };
    let runs = json!({"total_count": 2, "check_runs": [run(1, 7), run(2, 8)]}).to_string();
    let server = Server::always(reply(200, &[], runs)).await;
    let (reader, _) = github(&server);
    let own =
        async |reader: &Reader| reader.fetch_own_check(&repo(), &commit, "canary").await.unwrap();
    assert_eq!(own(&reader).await.unwrap().id, 2, "who does not know its number takes the newest");
    assert_eq!(own(&reader.clone().of_app(7)).await.unwrap().id, 1);
    assert_eq!(own(&reader.of_app(9)).await, None);
}

#[tokio::test]
async fn a_token_that_stays_is_refused_once_and_what_is_closed_to_it_is_read_as_anybody() {
    let server = Server::always(reply(401, &[], r#"{"message":"Bad credentials"}"#)).await;
    let refused = github(&server).0.fetch_releases_page(&repo(), None, None).await.unwrap_err();
    assert_eq!(refused.to_string(), "github denies it (401): Bad credentials");
    assert_eq!(server.asked().len(), 1);

    let words = r#"{"message":"Resource not accessible by personal access token"}"#;
    let closed = |open: u16| {
        Server::start(move |asked| match asked.header("authorization") {
            Some(_) => reply(403, &[("x-accepted-github-permissions", "contents=read")], words),
            None => reply(open, &[], "[]"),
        })
    };
    let public = closed(200).await;
    fresh(github(&public).0.fetch_releases_page(&repo(), None, None).await.unwrap());
    let private = closed(404).await;
    let refused = github(&private).0.fetch_releases_page(&repo(), None, None).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "github denies it (403): Resource not accessible by personal access token (it takes \
         contents=read)"
    );
}
