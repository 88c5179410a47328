//! Whose signatures count comes from a TUF repository: what a maintainer sees when it changes, and
//! when it is out of reach.

use crate::settings::set;
use crate::stand::{Stand, run_test};
use toml::{Table, Value};
use world::{Fault, Service, TufForgery};

/// The bot asks the world's repository, and keeps what it was told for two days.
fn by_tuf(stand: &mut Stand) {
    let text = |text: String| Value::String(text);
    let sigstore = [
        ("source", text("tuf".into())),
        ("tuf_url", text(stand.world.tuf_url())),
        ("tuf_root", text(stand.world.tuf_root_file().display().to_string())),
        ("max_age", text("2d".into())),
    ];
    let sigstore: Table = sigstore.into_iter().map(|(key, it)| (key.to_owned(), it)).collect();
    set(&mut stand.config, "sigstore", Value::Table(sigstore));
}

fn asked(stand: &Stand) -> usize {
    let asked = stand.world.requests();
    asked.iter().filter(|request| request.service == Service::Tuf).count()
}

/// What the findings say of the trusted roots that they rest on.
async fn roles(stand: &Stand) -> String {
    let findings = stand.memory().await.findings;
    let judged = findings.iter().flat_map(|finding| &finding.detail.judged);
    let roles = judged.map(|judged| judged.role.as_str()).filter(|role| role.contains("root"));
    stand.redact(&roles.collect::<Vec<_>>().join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_verified_by_it_and_the_evidence_says_so() {
    run_test(async |stand| {
        by_tuf(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(roles(stand).await, @"trusted root (http://tuf, refreshed 2026-06-12T08:00:00Z)");
        // Another process reads what this one kept.
        let before = asked(stand);
        stand.wait(23);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        assert_eq!(asked(stand), before);
        insta::assert_snapshot!(roles(stand).await, @"
        trusted root (http://tuf, refreshed 2026-06-12T08:00:00Z)
        trusted root (http://tuf, refreshed 2026-06-12T08:00:00Z)
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_are_known_in_the_pass_that_meets_them() {
    run_test(async |stand| {
        by_tuf(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.wait(1);
        stand.world.rotate_sigstore();
        stand.world.publish_trusted_root();
        stand.world.release("3.11.0").publish().await;
        let before = asked(stand);
        let report = stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        assert!(asked(stand) > before);
        assert!(!report.performed.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_published_late_are_waited_for() {
    run_test(async |stand| {
        by_tuf(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.wait(1);
        stand.world.rotate_sigstore();
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let (word, line) = stand.stage("3.11.0").await;
        insta::assert_snapshot!(format!("{word}: {line}"), @"waiting: attempt 1 was inconclusive: the trusted root does not know the signer's authority or log: the entry is in a log that is not known; until 2026-06-12T09:01:00Z (1 min from now)");
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        stand.world.publish_trusted_root();
        stand.wait_minutes(11);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_down_too_long_stops_verification_and_nothing_else() {
    run_test(async |stand| {
        by_tuf(stand);
        stand.settle().await;
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.fault(Fault::on(Service::Tuf).status(503).always());
        // Down, but what is kept is young enough.
        stand.wait(47);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        // Down for too long.
        stand.wait(2);
        stand.world.release("3.12.0").publish().await;
        stand.settle().await;
        let (word, line) = stand.stage("3.12.0").await;
        insta::assert_snapshot!(format!("{word}: {}", stand.redact(&line)), @"waiting: attempt 1 was inconclusive: no signature can be judged: the trusted root of http://tuf was last refreshed 2 d 1 h ago, the limit is 2 d, and now it cannot be: transport error: GET http://tuf/2.root.json returned status 503 Service Unavailable; until 2026-06-14T09:01:00Z (1 min from now)");
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        for hours in [1, 2, 24] {
            stand.wait(hours);
            stand.settle().await;
        }
        let (word, line) = stand.stage("3.12.0").await;
        insta::assert_snapshot!(format!("{word}: {}", stand.redact(&line)), @"held: could not be found out in 4 attempts: no signature can be judged: the trusted root of http://tuf was last refreshed 3 d 4 h ago, the limit is 2 d, and now it cannot be: transport error: GET http://tuf/2.root.json returned status 503 Service Unavailable; asked again after 2026-06-15T13:00:00Z");

        stand.world.clear_faults();
        stand.wait(24);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.12.0");
    })
    .await;
}

/// Whoever stands between must not be able to name an authority of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_repository_changes_nobodys_mind() {
    run_test(async |stand| {
        by_tuf(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.wait(1);
        stand.world.rotate_sigstore();
        stand.world.forge_tuf(TufForgery::RootByWrongKeys);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let (word, line) = stand.stage("3.11.0").await;
        insta::assert_snapshot!(format!("{word}: {}", stand.redact(&line)), @"waiting: attempt 1 was inconclusive: the trusted root does not know the signer's authority or log: the entry is in a log that is not known; until 2026-06-12T09:01:00Z (1 min from now)");
        stand.world.publish_trusted_root();
        stand.wait_minutes(11);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}
