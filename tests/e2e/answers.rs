//! Bad answers of the registry and of GitHub, one by one: nothing is lost, nothing said twice, no
//! loop in the pass, and the same end once the fault is gone.

use crate::stand::{Stand, run_test};
use world::{Fault, Service, World};

/// Whatever the registry answers there: wait, say why, and go on when it recovers.
async fn registry_trouble(path: &'static str, fault: fn(Fault) -> Fault) -> String {
    let mut told = String::new();
    run_test(async |stand| {
        let at = Fault::on(Service::Registry).path_contains(path);
        stand.world.fault(fault(at).always());
        stand.world.release("3.10.0").publish().await;
        stand.once().await;
        assert_eq!(stand.world.writes(), []);
        let (word, line) = stand.stage("3.10.0").await;
        told = stand.redact(&format!("{word}: {line}"));
        stand.world.clear_faults();
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_says_404_is_no_absent_image() {
    let told = registry_trouble("/manifests/3.10.0", |fault| fault.html().status(404)).await;
    insta::assert_snapshot!(told, @"waiting: its image could not be asked for: the registry's answer is malformed: a page instead of ghcr.io/toon-protocol/connector:3.10.0; until 2026-06-12T08:01:00Z (1 min from now)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_server_that_is_gone_is_no_absent_image() {
    let told = registry_trouble("/token", |fault| fault.status(404)).await;
    insta::assert_snapshot!(told, @"waiting: its image could not be asked for: the registry's answer is malformed: the token server is not where the registry says; until 2026-06-12T08:01:00Z (1 min from now)");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_image_config_is_none() {
    let told = registry_trouble("/storage/", Fault::cut_body).await;
    insta::assert_snapshot!(told, @"waiting: its image could not be asked for: the registry's answer is malformed: the body broke off: request or response body error: request or response body error: request or response body error: error reading a body from connection: end of file before message length reached; until 2026-06-12T08:01:00Z (1 min from now)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_is_down_is_waited_for() {
    let told = registry_trouble("/storage/", |fault| fault.status(500)).await;
    insta::assert_snapshot!(told, @"waiting: its image could not be asked for: the registry is out of reach: status 500 for the config of ghcr.io/toon-protocol/connector@sha256:…; until 2026-06-12T08:01:00Z (1 min from now)");
}

/// The registry's limit, with this header, on everything that is asked of it.
fn registry_limit(after: &str) -> Fault {
    let limit = Fault::on(Service::Registry).path_contains("/manifests/").status(429);
    limit.header("retry-after", after).always()
}

/// How often the registry was asked for some tag.
fn looks(stand: &Stand) -> usize {
    let asked = stand.world.requests();
    asked.iter().filter(|request| request.path.contains("/manifests/3.")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_of_the_registry_is_slept_out_to_the_fraction_of_a_second() {
    for (after, wake) in [("90.5", 1_781_251_290_500), ("1.5", 1_781_251_260_000)] {
        run_test(async |stand| {
            stand.world.fault(registry_limit(after));
            stand.world.release("3.10.0").publish().await;
            let report = stand.once().await;
            // A limit that is shorter than the bot's own pause does not make it ask more often.
            assert_eq!(report.wake.unwrap().millis(), wake);
            let (word, line) = stand.stage("3.10.0").await;
            assert_eq!(word, "waiting");
            assert!(line.contains("the registry's rate limit holds until"), "{line}");
            stand.world.clear_faults();
            stand.wait_minutes(2);
            stand.settle().await;
            stand.only();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_registry_names_a_limit_nothing_is_asked_of_it() {
    run_test(async |stand| {
        // The older one was out of reach before: its own pause is over long before the limit is.
        let down = Fault::on(Service::Registry).path_contains("/manifests/3.10.0").status(503);
        stand.world.fault(down);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.fault(registry_limit("7200"));
        for version in ["3.11.0", "3.12.0"] {
            stand.world.release(version).publish().await;
        }
        let before = looks(stand);
        for minutes in [0, 1, 10, 60] {
            stand.wait_minutes(minutes);
            let report = stand.once().await;
            assert_eq!(report.wake.unwrap().to_string(), "2026-06-12T10:00:00Z");
            assert_eq!(looks(stand), before + 1, "one look met the limit");
        }
        insta::assert_snapshot!(stand.stages().await, @"
        3.12.0 waiting: its image could not be asked for: the registry's rate limit holds until 2026-06-12T10:00:00Z; until 2026-06-12T10:00:00Z (49 min from now)
        3.11.0 waiting: its image could not be asked for: the registry's rate limit holds until 2026-06-12T10:00:00Z; until 2026-06-12T10:00:00Z (49 min from now)
        3.10.0 waiting: its image could not be asked for: the registry is out of reach: status 503 for ghcr.io/toon-protocol/connector:3.10.0; until 2026-06-12T10:00:00Z (49 min from now)
        3.9.3 pinned: the downstream pins it
        ");
        stand.world.clear_faults();
        stand.wait_minutes(49);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.12.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_another_host_takes_no_token_along() {
    let stranger = World::start().await;
    let story = run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let away = |service, path: &str, url: String| {
            let url = format!("{url}/elsewhere");
            Fault::on(service).path_contains(path).redirect(&url).always()
        };
        let (github, git) = (stranger.github_url(), stranger.git_url());
        let registry = stranger.registry_url();
        let mut told = Vec::new();
        for fault in [
            away(Service::GitHub, "/releases", github.clone()),
            away(Service::GitHub, "/pulls", github),
            away(Service::Git, "", git),
            away(Service::Registry, "/manifests/", registry.clone()),
            away(Service::Registry, "/token", registry.clone()),
            away(Service::Registry, "/blobs/", registry),
        ] {
            stand.world.fault(fault);
            let report = stand.once().await;
            told.extend(report.troubles);
            told.push(format!("3.10.0 {}", stand.stage("3.10.0").await.1));
            assert_eq!(stand.open(), [""; 0]);
            stand.world.clear_faults();
            stand.wait(2);
        }
        let told = told.join("\n").replace(&stranger.registry_url(), "http://stranger");
        insta::assert_snapshot!(stand.redact(&told), @"
        the releases of toon-protocol/connector: github's answer is malformed: it leads to a url outside of this github
        3.10.0 
        the pull requests of toon-protocol/town: github's answer is malformed: it leads to a url outside of this github
        3.10.0 its evidence is being collected
        main of toon-protocol/town: the git server's answer makes no sense: HTTP 302 Found
        3.10.0 its evidence is being collected
        the tag 3.9.3 could not be resolved again: the registry's answer is malformed: status 302 for ghcr.io/toon-protocol/connector:3.9.3
        3.10.0 its image could not be asked for: the registry's answer is malformed: status 302 for ghcr.io/toon-protocol/connector:3.10.0; until 2026-06-12T14:01:00Z (1 min from now)
        the tag 3.9.3 could not be resolved again: the registry's answer is malformed: status 302 for a token for toon-protocol/connector
        3.10.0 its image could not be asked for: the registry's answer is malformed: status 302 for a token for toon-protocol/connector; until 2026-06-12T16:10:00Z (10 min from now)
        3.10.0 its image could not be asked for: the registry's answer is malformed: the index is there, but not the config of ghcr.io/toon-protocol/connector@sha256:…; until 2026-06-12T19:00:00Z (1 h from now)
        ");
        stand.settle().await;
        stand.only();
    });
    Box::pin(story).await;
    let asked = stranger.requests();
    assert!(asked.iter().all(|request| !request.authorised), "{asked:?}");
    // Blobs alone may be kept elsewhere.
    assert!(asked.iter().all(|request| request.service == Service::Registry), "{asked:?}");
    stranger.allow_unexpected();
}

/// How often GitHub was asked to open a pull request.
fn openings(stand: &Stand) -> usize {
    let asked = stand.world.requests();
    asked.iter().filter(|one| one.method == "POST" && one.path.ends_with("/pulls")).count()
}

fn opening() -> Fault {
    Fault::on(Service::GitHub).method("POST").path_contains("/pulls")
}

/// GitHub refuses to open the pull request: asked once in each pass, and told once.
async fn refused_opening(fault: fn(Fault) -> Fault) -> String {
    let mut told = String::new();
    run_test(async |stand| {
        stand.world.fault(fault(opening()).always());
        stand.world.release("3.10.0").publish().await;
        stand.once().await;
        let app = stand.app().await;
        for _ in 0..3 {
            stand.wait_minutes(15);
            let before = openings(stand);
            let report = stand.pass(&app).await;
            assert_eq!(openings(stand), before + 1);
            assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
            told.clone_from(&report.troubles[0]);
        }
        // The branch was pushed once, and its canary is not run again.
        let mut pushes = stand.world.writes();
        pushes.retain(|write| {
            !write.path.contains("/git/trees") && !write.path.contains("/git/commits")
        });
        assert_eq!(pushes.len(), 1, "{pushes:?}");
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
        assert_eq!(stand.stage("3.10.0").await.0, "ready");
        stand.world.clear_faults();
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert_eq!(stand.world.pulls().len(), 1);
    })
    .await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_github_finds_invalid_is_told_once_in_each_pass() {
    let told = refused_opening(|fault| {
        fault.status(422).body(
            r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","field":"base","code":"invalid"}],"documentation_url":"https://docs.github.com/rest","status":"422"}"#,
        )
    });
    insta::assert_snapshot!(told.await, @"opening the pull request: github rejects it (422): Validation Failed: base invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_is_no_rate_limit() {
    let told = refused_opening(|fault| {
        fault
            .status(403)
            .header("x-ratelimit-remaining", "4999")
            .body(r#"{"message":"Resource not accessible by integration"}"#)
    });
    insta::assert_snapshot!(told.await, @"opening the pull request: github denies it (403): Resource not accessible by integration");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_between_push_and_pull_request_loses_nothing() {
    let told = refused_opening(|fault| fault.status(401).body(r#"{"message":"Bad credentials"}"#));
    insta::assert_snapshot!(told.await, @"opening the pull request: github denies it (401): Bad credentials");
}

/// GitHub's limit is met in the middle of a pass: nothing more is asked of it before the limit's
/// end, whatever wakes the next passes, and then it goes on.
async fn limited_opening(fault: fn(Fault) -> Fault) -> String {
    let mut told = String::new();
    run_test(async |stand| {
        stand.world.fault(fault(opening()).always());
        stand.world.release("3.10.0").publish().await;
        stand.world.release("4.0.0").publish().await;
        let app = stand.app().await;
        let mut reports = digest_bump::daemon::once(&app).await.unwrap();
        let report = reports.remove(0).unwrap();
        assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
        assert_eq!(openings(stand), 1, "the MAJOR's stub is not tried any more");
        let asked = stand.world.requests();
        let last = asked.iter().rev().find(|one| one.service == Service::GitHub).unwrap();
        assert_eq!((last.method.as_str(), last.path.ends_with("/pulls")), ("POST", true));
        let report = stand.pass(&app).await;
        assert_eq!(stand.world.requests().len(), asked.len());
        assert!(!report.try_again, "the limit says itself when");
        told = format!("{}; wake {}", report.troubles.join("\n"), report.wake.unwrap());

        stand.world.clear_faults();
        stand.wait_minutes(1);
        let report = stand.pass(&app).await;
        assert_eq!(report.troubles, [""; 0]);
        assert_eq!(stand.world.pulls().len(), 2);
        app.supervisor.stop().await;
        app.store.close().await;
    })
    .await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secondary_limit_that_is_named_ends_the_pass() {
    let told = limited_opening(|fault| {
        fault.status(403).header("retry-after", "30").body(
            r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}"#,
        )
    });
    insta::assert_snapshot!(told.await, @"github's rate limit holds until 2026-06-12T08:00:30Z; wake 2026-06-12T08:00:30Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secondary_limit_that_only_its_words_tell_ends_the_pass() {
    let told = limited_opening(|fault| {
        fault.status(403).body(
            r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}"#,
        )
    });
    insta::assert_snapshot!(told.await, @"github's rate limit holds until 2026-06-12T08:01:00Z; wake 2026-06-12T08:01:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_limit_ends_the_pass_until_its_reset() {
    let told = limited_opening(|fault| {
        // Half a minute after the story's beginning.
        fault
            .status(403)
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", "1781251230")
            .body(r#"{"message":"API rate limit exceeded for installation ID 1."}"#)
    });
    insta::assert_snapshot!(told.await, @"github's rate limit holds until 2026-06-12T08:00:30Z; wake 2026-06-12T08:00:30Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_exists_though_no_list_shows_it_is_found_and_not_opened_twice() {
    run_test(async |stand| {
        stand.world.fault(opening().status(503).always());
        stand.world.release("3.10.0").publish().await;
        stand.once().await;
        stand.world.clear_faults();
        let app = stand.app().await;
        let before = openings(stand);
        stand.world.fault(opening().after_commit(502));
        stand.pass(&app).await;
        stand.world.list_lag(3);
        let report = stand.pass(&app).await;
        insta::assert_snapshot!(stand.redact(&report.troubles.join("\n")), @"opening the pull request: github rejects it (422): Validation Failed: A pull request already exists for toon-protocol:digest-bump/connector.");
        stand.world.list_lag(0);
        let report = stand.pass(&app).await;
        assert_eq!(report.troubles, [""; 0]);
        assert_eq!(openings(stand), before + 2);
        assert_eq!(stand.world.pulls().len(), 1);
        stand.only();
    })
    .await;
}
