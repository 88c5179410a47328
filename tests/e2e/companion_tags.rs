//! Tags of the sidecar that move or go: told as those of the connector are, and never followed.

use crate::companions::{FILE, with_site};
use crate::stand::{Stand, run_test};
use crate::tags::{canaries_end, explain, named};
use world::{Fault, Service};

pub(crate) fn digest(stand: &Stand, version: &str) -> String {
    stand.world.sidecar_digest(version).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pinned_tag_moves_and_only_that_version_is_frozen() {
    with_site(async |stand| {
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
        let before = digest(stand, "3.9.3");
        stand.wait(1);
        stand.world.retag_sidecar("3.9.3").await;
        let after = digest(stand, "3.9.3");
        let names = [(before.as_str(), "BEFORE"), (after.as_str(), "AFTER")];
        let report = stand.settle().await;
        assert_eq!(report.performed, [""; 0]);
        assert_eq!(stand.world.writes(), []);
        let alarm = "ator-sidecar: the tag 3.9.3 moved: BEFORE (first seen 2026-06-12T08:00:00Z) → AFTER (seen 2026-06-12T09:00:00Z); the downstream pins BEFORE, which is still served";
        assert_eq!(named(&stand.alarms().await, &names), alarm);
        insta::assert_snapshot!(named(&explain(stand, "3.9.3").await, &names), @"
        2026-06-12T08:00:00Z  ator-sidecar: its tag gave sha256:… when it was first resolved
        2026-06-12T09:00:00Z  ator-sidecar: its tag gave sha256:…
        ");
        let status = digest_bump::render::status(&stand.view().await);
        assert!(named(&status, &names).contains(&format!("  ALARM: {alarm}\n")), "{status}");

        // The watch goes on.
        stand.wait(1);
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert!(pull.body.contains(&before) && !pull.body.contains(&after));
        assert_eq!(named(&stand.alarms().await, &names), alarm);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moved_freezes_its_version_also_when_it_moved_back() {
    with_site(async |stand| {
        stand.world.release("3.9.4").with_sidecar().publish().await;
        stand.settle().await;
        assert_eq!(stand.stage("3.9.4").await.0, "offered");
        let first = digest(stand, "3.9.4");
        stand.wait(1);
        stand.world.retag_sidecar("3.9.4").await;
        let second = digest(stand, "3.9.4");
        let names = [(first.as_str(), "FIRST"), (second.as_str(), "SECOND")];
        stand.settle().await;
        let (word, line) = stand.stage("3.9.4").await;
        assert_eq!(word, "held");
        let held = "ator-sidecar: the tag 3.9.4 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T09:00:00Z)";
        assert_eq!(named(&line, &names), held);

        stand.wait(1);
        stand.world.point_sidecar_tag("3.9.4", &first);
        stand.settle().await;
        let (word, line) = stand.stage("3.9.4").await;
        assert_eq!(word, "held");
        let back = format!("{held} → FIRST (seen 2026-06-12T10:00:00Z)");
        assert_eq!(named(&line, &names), back);
        assert_eq!(named(&stand.alarms().await, &names), format!("{back}; it is not proposed"));

        // Whoever asks for it is told why not.
        stand.request("3.9.4").await;
        stand.settle().await;
        assert_eq!(named(&stand.requests().await, &names), format!("3.9.4 refused: {back}"));
        assert_eq!(stand.open(), [""; 0]);
        let told = named(&explain(stand, "3.9.4").await, &names);
        let told: Vec<&str> = told.lines().filter(|line| line.contains("sidecar")).collect();
        insta::assert_snapshot!(told.join("\n"), @"
        2026-06-12T08:00:00Z  ator-sidecar: signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/build-and-publish.yml@refs/tags/v3.9.4` at 2026-06-12T08:00:00Z
        2026-06-12T08:00:00Z  ator-sidecar: platforms: passed, linux/amd64, linux/arm64
        2026-06-12T08:00:00Z  ator-sidecar: version label: passed, labelled 3.9.4
        2026-06-12T08:00:00Z  ator-sidecar: source commit: passed, built from a651d3ed, the parent of v3.9.4's commit 5ce0e374
        2026-06-12T08:00:00Z  ator-sidecar: tag unmoved: passed, <short> each time
        2026-06-12T08:00:00Z  ator-sidecar: its tag gave sha256:… when it was first resolved
        2026-06-12T09:00:00Z  ator-sidecar: tag unmoved: failed, the tag 3.9.4 moved: sha256:… (first seen 2026-06-12T08:00:00Z) → sha256:… (seen 2026-06-12T09:00:00Z)
        2026-06-12T09:00:00Z  ator-sidecar: its tag gave sha256:…
        2026-06-12T10:00:00Z  ator-sidecar: tag unmoved: failed, the tag 3.9.4 moved: sha256:… (first seen 2026-06-12T08:00:00Z) → sha256:… (seen 2026-06-12T09:00:00Z) → sha256:… (seen 2026-06-12T10:00:00Z)
        2026-06-12T10:00:00Z  ator-sidecar: its tag gave sha256:…
        ");

        // A release without that is proposed as ever.
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_site_names_it_a_tag_that_moved_freezes_its_version_all_the_same() {
    run_test(async |stand| {
        stand.world.release("3.9.4").with_sidecar().publish().await;
        stand.settle().await;
        let first = digest(stand, "3.9.4");
        stand.wait(1);
        stand.world.retag_sidecar("3.9.4").await;
        let second = digest(stand, "3.9.4");
        let names = [(first.as_str(), "FIRST"), (second.as_str(), "SECOND")];
        stand.settle().await;
        let story = "ator-sidecar: the tag 3.9.4 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T09:00:00Z)";
        let (word, line) = stand.stage("3.9.4").await;
        assert_eq!((word.as_str(), named(&line, &names).as_str()), ("held", story));
        let alarm = format!("{story}; it is not proposed");
        assert_eq!(named(&stand.alarms().await, &names), alarm);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moves_while_the_canary_runs_is_not_proposed() {
    with_site(async |stand| {
        stand.world.release("3.9.4").with_sidecar().publish().await;
        stand.settle().await;
        stand.world.release("3.10.0").with_sidecar().publish().await;
        let app = stand.app().await;
        stand.pass(&app).await;
        canaries_end(&app).await;
        let first = digest(stand, "3.10.0");
        stand.world.retag_sidecar("3.10.0").await;
        let second = digest(stand, "3.10.0");
        stand.world.clear_requests();
        stand.pass(&app).await;
        assert_eq!(stand.runs().await, ["3.9.4 passed", "3.9.3 passed", "3.10.0 passed"]);
        assert_eq!((stand.open(), stand.world.writes()), (vec![], vec![]));
        let (word, line) = stand.stage("3.10.0").await;
        let line = named(&line, &[(first.as_str(), "FIRST"), (second.as_str(), "SECOND")]);
        assert_eq!(word, "held", "{line}");
        assert_eq!(line, "ator-sidecar: the tag 3.10.0 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T08:00:00Z)");
        app.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_pull_request_keeps_what_was_verified_and_says_which_tags_moved() {
    with_site(async |stand| {
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let pull = stand.only();
        let first = digest(stand, "3.10.0");
        stand.wait(1);
        stand.world.retag_sidecar("3.10.0").await;
        let second = digest(stand, "3.10.0");
        let connector = stand.world.image_digest("3.10.0").unwrap();
        stand.settle().await;
        let warned = stand.only();
        assert_eq!((&warned.head_sha, &warned.title), (&pull.head_sha, &pull.title));
        let warning = warned.body.strip_suffix(&pull.body).unwrap();
        let names = [(&*first, "FIRST"), (&*second, "SECOND"), (&*connector, "CONNECTOR")];
        insta::assert_snapshot!(named(warning, &names), @"
        > [!WARNING]
        > **Look before you merge: ator-sidecar: the tag 3.10.0 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T09:00:00Z).** This pull request still proposes `FIRST`, which is what was verified and what the canary saw; it is not moved to anything else. Find out who moved the tag, and why.
        ");
        let alarm = "ator-sidecar: the tag 3.10.0 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T09:00:00Z); pull request #1 proposes FIRST, which is what was verified";
        assert_eq!(named(&stand.alarms().await, &names), alarm);

        // Then the connector's moves, too: one warning tells of both.
        stand.wait(1);
        stand.world.retag("3.10.0").await;
        let other = stand.world.image_digest("3.10.0").unwrap();
        stand.settle().await;
        let warned = stand.only().body;
        let warning = warned.strip_suffix(&pull.body).unwrap();
        let names = [&names[..], &[(&*other, "OTHER")]].concat();
        insta::assert_snapshot!(named(warning, &names), @"
        > [!WARNING]
        > **Look before you merge: the tag 3.10.0 moved: CONNECTOR (first seen 2026-06-12T08:00:00Z) → OTHER (seen 2026-06-12T10:00:00Z); ator-sidecar: the tag 3.10.0 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T09:00:00Z).** This pull request still proposes `CONNECTOR` and `FIRST`, which is what was verified and what the canary saw; it is not moved to anything else. Find out who moved the tag, and why.
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_remembers_what_its_tag_gave_though_the_database_is_lost() {
    with_site(async |stand| {
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let pull = stand.only();
        let first = digest(stand, "3.10.0");
        stand.lose_memory().await;
        stand.world.retag_sidecar("3.10.0").await;
        let second = digest(stand, "3.10.0");
        stand.settle().await;
        assert_eq!(stand.only().head_sha, pull.head_sha);
        let alarms = named(&stand.alarms().await, &[(&first, "FIRST"), (&second, "SECOND")]);
        insta::assert_snapshot!(alarms, @"ator-sidecar: the tag 3.10.0 moved: pull request #1 proposed FIRST, and now it gives SECOND; pull request #1 proposes FIRST, which is what was verified");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_taken_away_freezes_its_version_until_it_is_back_as_it_was() {
    with_site(async |stand| {
        stand.world.release("3.9.4").with_sidecar().publish().await;
        stand.settle().await;
        let first = digest(stand, "3.9.4");
        stand.wait(1);
        stand.world.delete_sidecar_tag("3.9.4");
        stand.settle().await;
        let gone = "ator-sidecar: the tag 3.9.4 was taken away: FIRST (first seen 2026-06-12T08:00:00Z) → gone (seen 2026-06-12T09:00:00Z)";
        let (word, line) = stand.stage("3.9.4").await;
        assert_eq!((word.as_str(), line.replace(&first, "FIRST").as_str()), ("held", gone));
        stand.wait(1);
        stand.world.point_sidecar_tag("3.9.4", &first);
        stand.settle().await;
        assert_eq!(stand.stage("3.9.4").await.0, "offered");
        assert_eq!(stand.alarms().await, "");
        assert_eq!(stand.runs().await, ["3.9.4 passed", "3.9.3 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pinned_tag_is_resolved_in_each_pass_and_each_other_has_its_turn() {
    with_site(async |stand| {
        for version in ["3.9.4", "3.9.5", "3.9.6"] {
            stand.world.release(version).with_sidecar().publish().await;
            stand.settle().await;
        }
        stand.world.clear_requests();
        for _ in 0..3 {
            stand.settle().await;
        }
        let asked = stand.world.requests();
        let times = |version: &str| {
            let path = format!("/ator-sidecar/manifests/{version}");
            let same = asked.iter().filter(|one| one.path.ends_with(&path));
            same.filter(|one| one.status == 304).count()
        };
        let counts = ["3.9.3", "3.9.4", "3.9.5", "3.9.6"].map(times);
        assert_eq!(counts, [3, 1, 1, 1]);
        // One that is older than the pin has its turn too; it is told of in one line.
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        stand.world.merge(stand.only().number);
        stand.world.retag_sidecar("3.9.5").await;
        for _ in 0..5 {
            stand.settle().await;
        }
        insta::assert_snapshot!(stand.alarms().await, @"ator-sidecar: the tags of releases older than the pin moved or were taken away: 3.9.5; `digest-bump explain` tells more of each");
        let file = stand.git(&["show", &format!("main:{FILE}")]);
        assert!(file.contains(&digest(stand, "3.10.0")), "{file}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_down_says_nothing_about_a_tag() {
    with_site(async |stand| {
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let fault = Fault::on(Service::Registry).path_contains("/ator-sidecar/manifests/");
        stand.world.fault(fault.status(503).always());
        let report = stand.once().await;
        insta::assert_snapshot!(stand.redact(&report.troubles.join("\n")), @"the tags ator-sidecar 3.9.3, ator-sidecar 3.10.0 could not be resolved again: the registry is out of reach: status 503 for ghcr.io/toon-protocol/ator-sidecar:3.9.3");
        assert_eq!(stand.alarms().await, "");
        stand.world.clear_faults();
        stand.settle().await;
        assert_eq!(stand.stage("3.10.0").await.0, "proposed");
    })
    .await;
}
