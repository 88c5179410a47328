//! Tags that move, tags that go, and a pin that is no more: told, and never followed.

use crate::stand::{Stand, run_test};
use std::time::Duration;
use world::{Fault, Service};

/// Digests by their names.
pub(crate) fn named(text: &str, names: &[(&str, &str)]) -> String {
    names.iter().fold(text.to_owned(), |text, (digest, name)| text.replace(digest, name))
}

fn digest(stand: &Stand, version: &str) -> String {
    stand.world.image_digest(version).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pinned_tag_moves_and_only_that_version_is_frozen() {
    run_test(async |stand| {
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
        let before = digest(stand, "3.9.3");
        stand.wait(1);
        stand.world.retag("3.9.3").await;
        let after = digest(stand, "3.9.3");
        let names = [(before.as_str(), "BEFORE"), (after.as_str(), "AFTER")];
        let report = stand.settle().await;
        assert_eq!(report.performed, [""; 0]);
        assert_eq!(stand.world.writes(), []);
        let alarm = "the tag 3.9.3 moved: BEFORE (first seen 2026-06-12T08:00:00Z) → AFTER (seen 2026-06-12T09:00:00Z); the downstream pins BEFORE, which is still served";
        assert_eq!(named(&stand.alarms().await, &names), alarm);
        assert_eq!(stand.view().await.digest.unwrap(), before);

        // The watch goes on.
        stand.wait(1);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert!(pull.body.contains(&before) && !pull.body.contains(&after));
        assert_eq!(named(&stand.alarms().await, &names), alarm);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moved_back_stays_frozen() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        assert_eq!(stand.stage("3.9.4").await.0, "offered");
        let first = digest(stand, "3.9.4");
        stand.wait(1);
        stand.world.retag("3.9.4").await;
        let second = digest(stand, "3.9.4");
        let names = [(first.as_str(), "FIRST"), (second.as_str(), "SECOND")];
        stand.settle().await;
        let (word, line) = stand.stage("3.9.4").await;
        assert_eq!(word, "held");
        let held = "the tag 3.9.4 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T09:00:00Z)";
        assert_eq!(named(&line, &names), held);

        stand.wait(1);
        stand.world.point_tag("3.9.4", &first);
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
        insta::assert_snapshot!(named(&explain(stand, "3.9.4").await, &names), @"
        2026-06-12T08:00:00Z  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at 2026-06-12T08:00:00Z
        2026-06-12T08:00:00Z  platforms: passed, linux/amd64, linux/arm64
        2026-06-12T08:00:00Z  version label: passed, labelled 3.9.4
        2026-06-12T08:00:00Z  source commit: passed, built from a651d3ed, the parent of v3.9.4's commit 5ce0e374
        2026-06-12T08:00:00Z  tag unmoved: passed, <short> each time
        2026-06-12T08:00:00Z  tag, package and image agree: passed, git tag v3.9.4 at 5ce0e374; npm 3.9.4 and the image are both of a651d3ed
        2026-06-12T08:00:00Z  no known issue: passed, nothing is known against it
        2026-06-12T08:00:00Z  pin sites: passed, 9 of 9 sites present, each as expected
        2026-06-12T08:00:00Z  canary run 1 on <id> passed after 0 s: contract ok: 1 file, 3 tests passed
        2026-06-12T08:00:00Z  its tag gave sha256:… when it was first resolved
        2026-06-12T09:00:00Z  tag unmoved: failed, the tag 3.9.4 moved: sha256:… (first seen 2026-06-12T08:00:00Z) → sha256:… (seen 2026-06-12T09:00:00Z)
        2026-06-12T09:00:00Z  its tag gave sha256:…
        2026-06-12T10:00:00Z  tag unmoved: failed, the tag 3.9.4 moved: sha256:… (first seen 2026-06-12T08:00:00Z) → sha256:… (seen 2026-06-12T09:00:00Z) → sha256:… (seen 2026-06-12T10:00:00Z)
        2026-06-12T10:00:00Z  its tag gave sha256:…
        ");
    })
    .await;
}

/// The history that `explain` tells.
pub(crate) async fn explain(stand: &Stand, version: &str) -> String {
    let config = stand.parsed();
    let (memory, now) = (stand.memory().await, stand.clock.now());
    let version = version.parse().unwrap();
    let told = digest_bump::reconcile::explain(&config.watches[0], &memory, &version, now);
    let told = stand.redact(&told.unwrap().told.join("\n"));
    regex::Regex::new(r" on [0-9a-f]{8} ").unwrap().replace(&told, " on <id> ").into_owned()
}

/// Every canary under way comes to its end, and no pass runs.
pub(crate) async fn canaries_end(app: &digest_bump::daemon::App) {
    while !app.supervisor.is_idle() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moves_while_the_canary_runs_is_not_proposed() {
    // Whether or not it was the tag's turn in the pass that would propose it.
    for passes in 0..2 {
        run_test(async |stand| {
            stand.world.release("3.9.4").publish().await;
            stand.settle().await;
            for _ in 0..passes {
                stand.settle().await;
            }
            stand.world.release("3.10.0").publish().await;
            let app = stand.app().await;
            stand.pass(&app).await;
            canaries_end(&app).await;
            let first = digest(stand, "3.10.0");
            stand.world.retag("3.10.0").await;
            let second = digest(stand, "3.10.0");
            stand.world.clear_requests();
            stand.pass(&app).await;
            assert_eq!(stand.runs().await, ["3.9.4 passed", "3.9.3 passed", "3.10.0 passed"]);
            assert_eq!((stand.open(), stand.world.writes()), (vec![], vec![]));
            let (word, line) = stand.stage("3.10.0").await;
            let line = named(&line, &[(first.as_str(), "FIRST"), (second.as_str(), "SECOND")]);
            assert_eq!(word, "held", "{line}");
            assert_eq!(line, "the tag 3.10.0 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T08:00:00Z)");
            app.store.close().await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_pull_request_keeps_what_was_verified_when_its_tag_moves() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        let first = digest(stand, "3.10.0");
        stand.wait(1);
        stand.world.retag("3.10.0").await;
        let second = digest(stand, "3.10.0");
        let names = [(first.as_str(), "FIRST"), (second.as_str(), "SECOND")];
        stand.settle().await;
        let warned = stand.only();
        assert_eq!((&warned.head_sha, &warned.title), (&pull.head_sha, &pull.title));
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
        let warning = warned.body.strip_suffix(&pull.body).unwrap();
        insta::assert_snapshot!(named(warning, &names), @"
        > [!WARNING]
        > **Look before you merge: the tag 3.10.0 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T09:00:00Z).** This pull request still proposes `FIRST`, which is what was verified and what the canary saw; it is not moved to anything else. Find out who moved the tag, and why.
        ");
        // Who took it out has read it.
        stand.world.edit_body(pull.number, &pull.body);
        stand.settle().await;
        assert_eq!(stand.only().body, pull.body);
        let alarm = "the tag 3.10.0 moved: FIRST (first seen 2026-06-12T08:00:00Z) → SECOND (seen 2026-06-12T09:00:00Z); pull request #1 proposes FIRST, which is what was verified";
        assert_eq!(named(&stand.alarms().await, &names), alarm);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");

        // A newer one takes its place as ever.
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let rewritten = stand.only();
        assert_eq!(rewritten.title, "chore(connector): bump 3.9.3 → 3.11.0");
        assert!(!rewritten.body.contains("WARNING"));
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 proposed: pull request #1 proposes it
        3.10.0 covered: 3.11.0 contains it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_taken_away_freezes_its_version_until_it_is_back_as_it_was() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        let first = digest(stand, "3.9.4");
        stand.wait(1);
        stand.world.delete_image_tag("3.9.4");
        stand.settle().await;
        let gone = "the tag 3.9.4 was taken away: FIRST (first seen 2026-06-12T08:00:00Z) → gone (seen 2026-06-12T09:00:00Z)";
        let (word, line) = stand.stage("3.9.4").await;
        assert_eq!((word.as_str(), line.replace(&first, "FIRST").as_str()), ("held", gone));
        let alarm = stand.alarms().await.replace(&first, "FIRST");
        assert_eq!(alarm, format!("{gone}; it is not proposed"));

        stand.wait(1);
        stand.world.point_tag("3.9.4", &first);
        stand.settle().await;
        assert_eq!(stand.stage("3.9.4").await.0, "offered");
        assert_eq!(stand.alarms().await, "");
        // Not tried anew: it is the digest that was verified.
        assert_eq!(stand.runs().await, ["3.9.4 passed", "3.9.3 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_digest_that_vanished_is_worse_and_said_so() {
    run_test(async |stand| {
        stand.settle().await;
        let pinned = digest(stand, "3.9.3");
        stand.wait(1);
        stand.world.delete_manifest(&pinned);
        stand.settle().await;
        insta::assert_snapshot!(stand.alarms().await.replace(&pinned, "PINNED"), @"
        the registry does NOT serve the pinned digest PINNED of 3.9.3 any more (seen 2026-06-12T09:00:00Z): whoever does not have it yet cannot pull what is pinned
        the tag 3.9.3 was taken away: PINNED (first seen 2026-06-12T08:00:00Z) → gone (seen 2026-06-12T09:00:00Z); the downstream pins PINNED, which is NOT served any more
        what is pinned has to be left: the registry does not serve the pinned digest of 3.9.3; no other release is known
        ");
        assert_eq!(stand.world.writes(), []);

        // What moved first and vanished then is both.
        stand.world.retag("3.9.3").await;
        stand.wait(1);
        stand.settle().await;
        let after = digest(stand, "3.9.3");
        let alarms = named(&stand.alarms().await, &[(&pinned, "PINNED"), (&after, "AFTER")]);
        insta::assert_snapshot!(alarms, @"
        the registry does NOT serve the pinned digest PINNED of 3.9.3 any more (seen 2026-06-12T09:00:00Z): whoever does not have it yet cannot pull what is pinned
        the tag 3.9.3 moved: PINNED (first seen 2026-06-12T08:00:00Z) → gone (seen 2026-06-12T09:00:00Z) → AFTER (seen 2026-06-12T10:00:00Z); the downstream pins PINNED, which is NOT served any more
        what is pinned has to be left: the registry does not serve the pinned digest of 3.9.3; no other release is known
        ");

        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moved_before_the_bot_ever_looked_is_found_out_by_the_pin() {
    run_test(async |stand| {
        let pinned = digest(stand, "3.9.3");
        stand.world.retag("3.9.3").await;
        let after = digest(stand, "3.9.3");
        stand.settle().await;
        let alarms = named(&stand.alarms().await, &[(&pinned, "PINNED"), (&after, "AFTER")]);
        insta::assert_snapshot!(alarms, @"3.9.3 is pinned at PINNED, but its tag gave AFTER when it was first resolved (2026-06-12T08:00:00Z): it was moved before, or the pin is of another release");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_remembers_what_its_tag_gave_though_the_database_is_lost() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        let first = digest(stand, "3.10.0");
        stand.lose_memory().await;
        stand.world.retag("3.10.0").await;
        let second = digest(stand, "3.10.0");
        stand.settle().await;
        assert_eq!(stand.only().head_sha, pull.head_sha);
        let alarms = named(&stand.alarms().await, &[(&first, "FIRST"), (&second, "SECOND")]);
        insta::assert_snapshot!(alarms, @"the tag 3.10.0 moved: pull request #1 proposed FIRST, and now it gives SECOND; pull request #1 proposes FIRST, which is what was verified");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tag_gets_its_turn() {
    run_test(async |stand| {
        for version in ["3.9.4", "3.9.5", "3.9.6"] {
            stand.world.release(version).publish().await;
            stand.settle().await;
        }
        stand.world.clear_requests();
        for _ in 0..3 {
            stand.settle().await;
        }
        let asked = stand.world.requests();
        let times = |version: &str| {
            let path = format!("/manifests/{version}");
            asked.iter().filter(|one| one.path.ends_with(&path) && one.status == 304).count()
        };
        let counts = ["3.9.3", "3.9.4", "3.9.5", "3.9.6"].map(times);
        assert_eq!(counts, [3, 1, 1, 1]);
        // One that is older than the pin has its turn too; it is told of in one line.
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.merge(stand.only().number);
        stand.world.retag("3.9.5").await;
        for _ in 0..4 {
            stand.settle().await;
        }
        insta::assert_snapshot!(stand.alarms().await, @"the tags of releases older than the pin moved or were taken away: 3.9.5; `digest-bump explain` tells more of each");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_down_says_nothing_about_a_tag() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let page = |fault: Fault| fault.html().status(404);
        let down: fn(Fault) -> Fault = |fault| fault.status(503);
        let faults = [
            ("503", down),
            ("a page that says 404", page),
            ("a page", Fault::html),
            ("a lie", Fault::wrong_digest_header),
            ("closed", Fault::close_connection),
        ];
        let mut told = Vec::new();
        for (name, fault) in faults {
            let registry = Fault::on(Service::Registry).path_contains("/manifests/");
            stand.world.fault(fault(registry).always());
            let report = stand.once().await;
            told.push(format!("{name}: {}", stand.redact(&report.troubles.join("; "))));
            assert_eq!(stand.alarms().await, "");
            stand.world.clear_faults();
        }
        insta::assert_snapshot!(told.join("\n"), @"
        503: the tags 3.9.3, 3.10.0 could not be resolved again: the registry is out of reach: status 503 for ghcr.io/toon-protocol/connector:3.9.3
        a page that says 404: the tags 3.9.3, 3.10.0 could not be resolved again: the registry's answer is malformed: a page instead of ghcr.io/toon-protocol/connector:3.9.3
        a page: the tags 3.9.3, 3.10.0 could not be resolved again: the registry's answer is malformed: ghcr.io/toon-protocol/connector:3.9.3: expected value at line 1 column 1
        a lie: the tags 3.9.3, 3.10.0 could not be resolved again: the registry's answer is malformed: ghcr.io/toon-protocol/connector:3.9.3 is said to be sha256:… still, and sha256:…
        closed: the tags 3.9.3, 3.10.0 could not be resolved again: the registry (http://registry) is out of reach: connection closed before message completed
        ");
        stand.settle().await;
        assert_eq!(stand.stage("3.10.0").await.0, "proposed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_proposed_while_its_tag_cannot_be_resolved_once_more() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let app = stand.app().await;
        stand.pass(&app).await;
        canaries_end(&app).await;
        let tag = Fault::on(Service::Registry).path_contains("/manifests/3.10.0");
        stand.world.fault(tag.status(503).always());
        let report = stand.pass(&app).await;
        insta::assert_snapshot!(report.troubles.join("\n"), @"the tag 3.10.0 could not be resolved again: the registry is out of reach: status 503 for ghcr.io/toon-protocol/connector:3.10.0");
        assert_eq!((stand.open(), stand.stage("3.10.0").await.0), (vec![], "ready".to_owned()));
        stand.world.clear_faults();
        let report = stand.pass(&app).await;
        assert_eq!(report.troubles, [""; 0]);
        stand.only();
        app.store.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_limit_of_the_registry_holds_no_tag_is_resolved_again() {
    run_test(async |stand| {
        stand.settle().await;
        let limit = Fault::on(Service::Registry).path_contains("/manifests/").status(429);
        stand.world.fault(limit.header("retry-after", "7200"));
        let asked = |stand: &Stand| {
            let requests = stand.world.requests();
            requests.iter().filter(|one| one.path.contains("/manifests/")).count()
        };
        stand.once().await;
        let before = asked(stand);
        stand.world.release("3.10.0").publish().await;
        let mut told = Vec::new();
        for minutes in [0, 15] {
            stand.wait_minutes(minutes);
            let report = stand.once().await;
            told.push(format!("{}; wake {}", report.troubles.join("\n"), report.wake.unwrap()));
        }
        assert_eq!(asked(stand), before);
        told.push(stand.stages().await);
        insta::assert_snapshot!(told.join("\n"), @"
        the tag 3.9.3 could not be resolved again: the registry's rate limit holds until 2026-06-12T10:00:00Z; wake 2026-06-12T10:00:00Z
        the tag 3.9.3 could not be resolved again: the registry's rate limit holds until 2026-06-12T10:00:00Z; wake 2026-06-12T10:00:00Z
        3.10.0 waiting: its image could not be asked for: the registry's rate limit holds until 2026-06-12T10:00:00Z; until 2026-06-12T10:00:00Z (1 h 45 min from now)
        3.9.3 pinned: the downstream pins it
        ");
        stand.wait(2);
        stand.settle().await;
        stand.only();
    })
    .await;
}
