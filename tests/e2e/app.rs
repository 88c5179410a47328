//! The bot as a GitHub App: its tokens are minted late, renewed in time, and once when refused; and
//! what is missing is said so that a maintainer can mend it.

use crate::settings;
use crate::stand::{Stand, run_test};
use world::{Fault, Request, Service};

pub async fn run_as_app(story: impl AsyncFnOnce(&mut Stand)) {
    run_test(async |stand| {
        stand.become_app();
        story(stand).await;
    })
    .await;
}

fn requests(stand: &Stand, path: &str) -> Vec<Request> {
    let all = stand.world.requests().into_iter();
    all.filter(|request| request.path.contains(path)).collect()
}

fn minted(stand: &Stand) -> usize {
    requests(stand, "/access_tokens").iter().filter(|request| request.status == 201).count()
}

/// The statuses with which a place answered.
fn statuses(stand: &Stand, method: &str, path: &str) -> Vec<u16> {
    let all = requests(stand, path).into_iter();
    all.filter(|request| request.method == method).map(|request| request.status).collect()
}

/// A pass that does nothing because something has to be mended: what it says, twice the same.
async fn refused(stand: &Stand) -> String {
    stand.world.release("3.10.0").publish().await;
    let report = stand.once().await;
    assert_eq!(stand.world.writes().len(), 0);
    assert_eq!(report.performed, [""; 0]);
    stand.redact(&report.troubles.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_becomes_a_pull_request_by_one_token_for_what_is_needed() {
    run_as_app(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let app = stand.app().await;
        assert_eq!(requests(stand, "/").len(), 0, "nothing is minted before it is needed");
        stand.pass(&app).await;
        digest_bump::daemon::once(&app).await.unwrap();
        assert_eq!(stand.only().author, "digest-bump[bot]");
        assert_eq!((minted(stand), requests(stand, "/town/installation").len()), (1, 1));
        let scope = stand.world.token_scope(&stand.world.minted_tokens()[0]).unwrap();
        insta::assert_snapshot!(scope, @"town: checks=write contents=write issues=write metadata=read pull_requests=write workflows=write");
        app.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_before_it_ends() {
    run_as_app(async |stand| {
        let app = stand.app().await;
        stand.pass(&app).await;
        stand.wait_minutes(54);
        stand.pass(&app).await;
        assert_eq!(minted(stand), 1);
        stand.wait_minutes(2);
        stand.pass(&app).await;
        assert_eq!(minted(stand), 2, "four minutes before its end");
        let refused = |it: &&Request| it.service != Service::Registry && it.status == 401;
        assert_eq!(stand.world.requests().iter().filter(refused).count(), 0);
        app.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_github_mints_nothing_the_token_is_used_to_its_end() {
    run_as_app(async |stand| {
        let app = stand.app().await;
        stand.pass(&app).await;
        let down = Fault::on(Service::GitHub).path_contains("/access_tokens").status(503);
        stand.world.fault(down.always());
        stand.wait_minutes(57);
        assert_eq!(stand.pass(&app).await.troubles, [""; 0]);
        stand.wait_minutes(4);
        let troubles = stand.pass(&app).await.troubles.join("\n");
        assert!(
            troubles.contains("no token could be had from github: github is out of reach"),
            "{troubles}"
        );
        app.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_at_any_request_is_replaced_once_and_the_request_repeated() {
    let read = [
        (Service::GitHub, "GET", "/releases"),
        (Service::Git, "GET", "git-upload-pack"),
        (Service::Git, "POST", "/git-upload-pack"),
    ];
    let pushed: &[_] = match settings::writer().as_deref() {
        Some("api") => &[
            (Service::GitHub, "POST", "/git/trees"),
            (Service::GitHub, "POST", "/git/commits"),
            (Service::GitHub, "POST", "/graphql"),
        ],
        _ => &[
            (Service::Git, "GET", "git-receive-pack"),
            (Service::Git, "POST", "/git-receive-pack"),
        ],
    };
    let opened = [(Service::GitHub, "POST", "/pulls"), (Service::GitHub, "POST", "/labels")];
    for (service, method, path) in read.iter().chain(pushed).chain(&opened).copied() {
        run_as_app(async |stand| {
            stand.set("proposal.labels", vec!["dependencies"]);
            stand.world.release("3.10.0").publish().await;
            let ended = Fault::on(service).method(method).path_contains(path).status(401);
            stand.world.fault(ended);
            stand.settle().await;
            assert_eq!(stand.open().len(), 1, "{method} {path}");
            assert_eq!(minted(stand), 2, "{method} {path}");
            assert_eq!(statuses(stand, method, path)[0], 401, "{method} {path}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_in_the_middle_of_a_pass_is_replaced_for_all_its_requests_at_once() {
    run_as_app(async |stand| {
        let app = stand.app().await;
        stand.pass(&app).await;
        stand.world.release("3.10.0").publish().await;
        // Gone at GitHub; the bot takes it for good.
        stand.world.revoke_minted_tokens();
        let report = stand.pass(&app).await;
        assert_eq!(report.troubles, [""; 0]);
        assert_eq!(minted(stand), 2, "one for all that were refused");
        digest_bump::daemon::once(&app).await.unwrap();
        assert_eq!(stand.open().len(), 1);
        app.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_twice_is_denied() {
    run_as_app(async |stand| {
        let down = |service| Fault::on(service).status(401).always();
        stand.world.fault(down(Service::GitHub).path_contains("/pulls"));
        stand.world.fault(down(Service::Git));
        insta::assert_snapshot!(refused(stand).await, @"
        main of toon-protocol/town: the git server denied access (HTTP 401)
        the pull requests of toon-protocol/town: github denies it (401): Unauthorized
        ");
        assert_eq!(statuses(stand, "GET", "/pulls").len() % 2, 0, "each of them twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_does_no_harm() {
    for ahead in [-86_400, -1_200, -50, 50, 1_200, 86_400] {
        run_as_app(async |stand| {
            stand.world.set_clock_ahead(ahead);
            stand.world.release("3.10.0").publish().await;
            let app = stand.app().await;
            stand.pass(&app).await;
            digest_bump::daemon::once(&app).await.unwrap();
            assert_eq!(stand.open().len(), 1, "{ahead}");
            assert_eq!(minted(stand), 1, "{ahead}: its end is told by the same clock");
            app.store.close().await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_before_anything_is_written() {
    run_as_app(async |stand| {
        stand.world.grant_app(&[("contents", "write"), ("pull_requests", "read")]);
        insta::assert_snapshot!(refused(stand).await, @"the GitHub App may not do in toon-protocol/town what it has to, it lacks Pull requests (read and write): no pull request can be opened. Add it to the App's permissions, then accept them at https://github.com/organizations/toon-protocol/settings/installations/77");
        assert_eq!(minted(stand), 0);
        stand.world.grant_app(&[
            ("contents", "write"),
            ("pull_requests", "write"),
            ("workflows", "write"),
        ]);
        stand.settle().await;
        assert_eq!(stand.open().len(), 1, "what is not essential is done without");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_taken_away_later_is_named_by_github() {
    run_as_app(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let refusal = Fault::on(Service::GitHub).method("POST").path_contains("/pulls");
        let refusal = refusal
            .status(403)
            .header("x-accepted-github-permissions", "pull_requests=write")
            .body(r#"{"message":"Resource not accessible by integration"}"#);
        stand.world.fault(refusal);
        let troubles = stand.once().await.troubles.join("\n");
        insta::assert_snapshot!(troubles, @"opening the pull request: github denies it (403): Resource not accessible by integration (it takes pull_requests=write)");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_installation() {
    run_as_app(async |stand| {
        stand.world.suspend_app(true);
        insta::assert_snapshot!(refused(stand).await, @"the installation of the GitHub App on toon-protocol/town is suspended: unsuspend it at https://github.com/organizations/toon-protocol/settings/installations/77");
        stand.world.suspend_app(false);
        stand.settle().await;
        assert_eq!(stand.open().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_not_installed_there() {
    run_as_app(async |stand| {
        stand.world.install_app(false);
        insta::assert_snapshot!(refused(stand).await, @"GitHub App 7 is not installed on toon-protocol/town: install it at https://github.com/apps/digest-bump/installations/new, or add the repository to the installation");
        stand.world.install_app(true);
        crate::settings::set(&mut stand.config, "github.app.installation", 1.into());
        let troubles = stand.once().await.troubles.join("\n");
        insta::assert_snapshot!(troubles, @"GitHub App 7 has no installation 1: leave `github.app.installation` out, or take the number from the URL of the installation's page");
        crate::settings::set(&mut stand.config, "github.app.installation", 77.into());
        stand.settle().await;
        assert_eq!(stand.open().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_or_a_number_of_another_app() {
    run_as_app(async |stand| {
        let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        stand.key_file(&other.serialize_pem());
        insta::assert_snapshot!(refused(stand).await, @"GitHub does not take the key for App 7's: A JSON web token could not be decoded. `github.app.id` and the key have to be of the same App, and the key has to be on its page still");
        stand.key_file(&stand.world.app_key());
        crate::settings::set(&mut stand.config, "github.app.id", 8.into());
        let troubles = stand.once().await.troubles.join("\n");
        insta::assert_snapshot!(troubles, @"GitHub knows no App 8: `github.app.id` is the App ID on the App's page");
        crate::settings::set(&mut stand.config, "github.app.id", 7.into());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_and_kept_from_the_app_is_read_as_anybody() {
    run_as_app(async |stand| {
        let kept = Fault::on(Service::GitHub).path_contains("/connector/releases").status(403);
        let kept = kept.body(r#"{"message":"Resource not accessible by integration"}"#);
        stand.world.fault(kept);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open().len(), 1);
        let asked = requests(stand, "/connector/releases");
        let asked: Vec<_> = asked.iter().map(|it| (it.status, it.authorised)).collect();
        assert_eq!(asked[..2], [(403, true), (200, false)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_prints_a_token_minted_meanwhile_shows_none() {
    run_as_app(async |stand| {
        let seen = stand.key.path().join("seen");
        let file = seen.display();
        stand.canary_script(&format!(
            "until [ -s '{file}' ]; do sleep 0.05; done; echo \"it is $(cat '{file}')\""
        ));
        stand.world.release("3.10.0").publish().await;
        let app = stand.app().await;
        stand.pass(&app).await;
        stand.world.revoke_minted_tokens();
        stand.pass(&app).await;
        let tokens = stand.world.minted_tokens();
        assert_eq!(tokens.len(), 1);
        std::fs::write(&seen, &tokens[0]).unwrap();
        digest_bump::daemon::once(&app).await.unwrap();
        let output = stand.canary_output().await;
        assert!(output.contains("it is ***"), "{output}");
        app.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_statuses_has_set_none() {
    run_as_app(async |stand| {
        let broken = Fault::on(Service::GitHub).method("POST").path_contains("/check-runs");
        // As long as it takes: how many passes the canary's end brings is not for certain.
        stand.world.fault(broken.status(502).always());
        let kept = Fault::on(Service::GitHub).method("GET").path_contains("/status").status(403);
        let kept = kept.body(r#"{"message":"Resource not accessible by integration"}"#).always();
        stand.world.fault(kept.clone());
        stand.world.release("3.10.0").publish().await;
        let troubles = stand.once().await.troubles.join("\n");
        assert!(troubles.contains("the bot's own check"), "{troubles}");
        stand.world.clear_faults();
        stand.world.fault(kept);
        // Nobody knows whether it was done, so it is looked for; and then done.
        stand.settle().await;
        let head = stand.only().head_sha;
        assert_eq!(stand.world.check_runs(&head).len(), 1);
        assert!(!statuses(stand, "GET", "/status").is_empty());
    })
    .await;
}
