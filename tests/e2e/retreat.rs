//! What is pinned has to be left, and pin sites that do not agree: the ways that lead not onwards.

use crate::commands::{MAINTAINER, say};
use crate::stand::{Stand, run_test};
use toml::Value;
use world::{Fault, Service};

const COMPOSE: &str = "docker-compose-townhouse.yml";

/// 3.10.0 is proposed and merged.
async fn pinned_at_next(stand: &Stand) -> String {
    stand.world.release("3.10.0").publish().await;
    stand.settle().await;
    stand.world.merge(stand.only().number);
    stand.settle().await;
    stand.wait(1);
    stand.world.image_digest("3.10.0").unwrap()
}

fn opens(stand: &mut Stand) {
    stand.set("proposal.reversal", Value::String("open".into()));
}

/// The first lines of a pull request, with its title.
fn head(stand: &Stand, pull: &world::Pull) -> String {
    let (first, _) = pull.body.split_once("\n| age").unwrap_or((&pull.body, ""));
    stand.redact(&format!("{}\n{first}", pull.title))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_vanished_is_taken_back_when_asked() {
    run_test(async |stand| {
        let digest = pinned_at_next(stand).await;
        stand.request("3.9.3").await;
        stand.settle().await;
        stand.world.delete_manifest(&digest);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.redact(&stand.alarms().await), @"
        the registry does NOT serve the pinned digest sha256:… of 3.10.0 any more (seen 2026-06-12T09:00:00Z): whoever does not have it yet cannot pull what is pinned
        the tag 3.10.0 was taken away: sha256:… (first seen 2026-06-12T08:00:00Z) → gone (seen 2026-06-12T09:00:00Z); the downstream pins sha256:…, which is NOT served any more
        what is pinned has to be left: the registry does not serve the pinned digest of 3.10.0; `digest-bump request bump 3.9.3` asks for the way back, to this release or an older one
        ");
        stand.wait(1);
        stand.request("3.9.3").await;
        stand.settle().await;
        insta::assert_snapshot!(stand.requests().await, @"
        3.9.3 granted: pull request #2 proposes it
        3.9.3 refused: the pin is at 3.10.0, and a downgrade is only proposed where that has to be left
        ");
        let pull = stand.only();
        insta::assert_snapshot!(head(stand, &pull), @"
        chore(connector): take the pin back 3.10.0 → 3.9.3
        **connector 3.10.0 → 3.9.3 takes the pin back: the registry does not serve the pinned digest of 3.10.0. Every required check passed; 2 points need a person.** Asked for by maintainer.

        - Look at: what was new in the pinned release is gone with this
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile

        | | pinned | proposed |
        | --- | --- | --- |
        | version | 3.10.0 | [3.9.3](https://github.com/toon-protocol/connector/releases/tag/v3.9.3) |
        | index digest | `sha256:…` | `sha256:…` |
        | source commit | `8b52b79c` | `e4466389` ([what is lost](https://github.com/toon-protocol/connector/compare/v3.9.3...v3.10.0)) |
        | published | 2026-06-12T08:00:00Z | 2026-06-05T08:00:00Z |
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 pinned: the downstream pins it
        3.9.3 proposed: pull request #2 proposes it
        ");
        assert_eq!(stand.runs().await.last().unwrap(), "3.9.3 passed");

        // Where it went is no release that is proposed again.
        stand.world.merge(pull.number);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.view().await.pinned.unwrap().to_string(), "3.9.3");
        assert_eq!(stand.stage("3.10.0").await.0, "held");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_was_withdrawn_is_taken_back_unasked_where_the_config_says_so() {
    run_test(async |stand| {
        opens(stand);
        pinned_at_next(stand).await;
        stand.world.withdraw_release("3.10.0");
        stand.settle().await;
        let pull = stand.only();
        insta::assert_snapshot!(head(stand, &pull), @"
        chore(connector): take the pin back 3.10.0 → 3.9.3
        **connector 3.10.0 → 3.9.3 takes the pin back: upstream withdrew the pinned release 3.10.0. Every required check passed; 2 points need a person.**

        - Look at: what was new in the pinned release is gone with this
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile

        | | pinned | proposed |
        | --- | --- | --- |
        | version | 3.10.0 | [3.9.3](https://github.com/toon-protocol/connector/releases/tag/v3.9.3) |
        | index digest | `sha256:…` | `sha256:…` |
        | source commit |  | `e4466389` |
        | published |  | 2026-06-05T08:00:00Z |
        ");
        insta::assert_snapshot!(stand.redact(&stand.alarms().await), @"what is pinned has to be left: upstream withdrew the pinned release 3.10.0; pull request #2 leads to 3.9.3");

        // A person may have reasons to stay.
        stand.world.close(pull.number);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        // Something newer leads away from it as well.
        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.10.0 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_to_what_is_ignored_is_closed_once_and_leads_to_the_next_older_release() {
    run_test(async |stand| {
        opens(stand);
        stand.set("downstream.commands.enabled", true);
        stand.world.set_permission(MAINTAINER, "write");
        pinned_at_next(stand).await;
        stand.world.withdraw_release("3.10.0");
        stand.settle().await;
        let back = stand.only();
        assert_eq!(back.title, "chore(connector): take the pin back 3.10.0 → 3.9.3");
        say(stand, MAINTAINER, back.number, "/bump ignore this").await;
        assert_eq!(stand.open(), [""; 0]);
        stand.wait(1);
        stand.settle().await;
        // The bump that was merged, and one way back.
        let numbers: Vec<u64> = stand.world.pulls().iter().map(|pull| pull.number).collect();
        assert_eq!((stand.open(), numbers.len()), (vec![], 2), "{numbers:?}");

        let older = stand.world.release("3.9.2").published_at("2026-06-01T08:00:00Z");
        older.publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): take the pin back 3.10.0 → 3.9.2");
        assert_eq!(stand.world.pulls().len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_does_not_hold_the_way_back_up() {
    run_test(async |stand| {
        opens(stand);
        let digest = pinned_at_next(stand).await;
        stand.world.release("4.0.0").publish().await;
        stand.request("4.0.0").await;
        stand.settle().await;
        assert_eq!(stand.requests().await, "4.0.0 open: no answer yet");
        let stub = stand.only();
        stand.world.delete_manifest(&digest);
        stand.settle().await;
        let mut open = stand.world.open_pulls();
        open.retain(|pull| pull.number != stub.number);
        let titles: Vec<&str> = open.iter().map(|pull| pull.title.as_str()).collect();
        assert_eq!(titles, ["chore(connector): take the pin back 3.10.0 → 3.9.3"]);
        assert_eq!(stand.requests().await, "4.0.0 open: no answer yet");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_gives_way_to_a_newer_release() {
    run_test(async |stand| {
        opens(stand);
        pinned_at_next(stand).await;
        stand.world.withdraw_release("3.10.0");
        stand.settle().await;
        let back = stand.only();
        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.number, back.number);
        assert_eq!(pull.title, "chore(connector): bump 3.10.0 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_conflicts_is_made_anew() {
    run_test(async |stand| {
        opens(stand);
        pinned_at_next(stand).await;
        stand.world.withdraw_release("3.10.0");
        stand.settle().await;
        let back = stand.only();
        // Somebody writes a line right below the pin.
        let text = String::from_utf8(stand.world.file("main", COMPOSE).unwrap()).unwrap();
        let pin = text.lines().find(|line| line.contains("@sha256:")).unwrap();
        let text = text.replace(pin, &format!("{pin}\n    stop_grace_period: 30s"));
        stand.world.commit_to("main", COMPOSE, text.as_bytes(), "feat: let it stop");
        stand.settle().await;
        let pull = stand.only();
        assert_eq!((pull.number, &pull.title), (back.number, &back.title));
        assert_ne!(pull.head_sha, back.head_sha);
        let parent = stand.git(&["rev-parse", &format!("{}^", pull.head_sha)]);
        assert_eq!(parent, stand.git(&["rev-parse", "main"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_is_gone_is_noticed_within_a_day() {
    run_test(async |stand| {
        opens(stand);
        pinned_at_next(stand).await;
        stand.world.withdraw_signatures("3.10.0");
        stand.settle().await;
        assert_eq!((stand.open(), stand.alarms().await.as_str()), (vec![], ""));
        stand.wait(24);
        stand.settle().await;
        insta::assert_snapshot!(stand.redact(&stand.alarms().await), @"what is pinned has to be left: the signature of the pinned 3.10.0 does not hold any more: not signed; pull request #2 leads to 3.9.3");
        assert_eq!(stand.only().title, "chore(connector): take the pin back 3.10.0 → 3.9.3");

        // It was a mistake: what leads back has nothing left to do.
        stand.world.sign_image("3.10.0").await;
        stand.wait(24);
        stand.settle().await;
        stand.settle().await;
        assert_eq!((stand.open(), stand.alarms().await.as_str()), (vec![], ""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_is_gone_is_noticed_also_after_a_look_that_found_nothing_out() {
    run_test(async |stand| {
        pinned_at_next(stand).await;
        stand.wait(23);
        // Where signatures are kept nobody answers.
        let fault = Fault::on(Service::Registry).path_contains(".sig");
        stand.world.withdraw_signatures("3.10.0");
        stand.world.fault(fault.status(503).always());
        stand.settle().await;
        assert_eq!(stand.alarms().await, "", "it could not be found out");
        stand.world.clear_faults();
        stand.wait(24);
        stand.settle().await;
        insta::assert_snapshot!(stand.redact(&stand.alarms().await), @"what is pinned has to be left: the signature of the pinned 3.10.0 does not hold any more: not signed; `digest-bump request bump 3.9.3` asks for the way back, to this release or an older one");

        // It was a mistake, and the next look finds nothing out either.
        stand.world.sign_image("3.10.0").await;
        let fault = Fault::on(Service::Registry).path_contains(".sig");
        stand.world.fault(fault.status(503).always());
        stand.wait(24);
        stand.settle().await;
        assert_ne!(stand.alarms().await, "");
        stand.world.clear_faults();
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_is_needed_no_more_leads_nowhere() {
    run_test(async |stand| {
        opens(stand);
        pinned_at_next(stand).await;
        stand.world.withdraw_signatures("3.10.0");
        stand.wait(24);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): take the pin back 3.10.0 → 3.9.3");
        stand.set("upstream.signature.required_from", "3.11.0");
        stand.settle().await;
        stand.settle().await;
        assert_eq!((stand.open(), stand.alarms().await.as_str()), (vec![], ""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_merely_moved_leads_nowhere() {
    run_test(async |stand| {
        opens(stand);
        pinned_at_next(stand).await;
        stand.world.retag("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        stand.request("3.9.3").await;
        stand.settle().await;
        insta::assert_snapshot!(stand.requests().await, @"3.9.3 refused: the pin is at 3.10.0, and a downgrade is only proposed where that has to be left");
    })
    .await;
}

/// Somebody puts another version at one pin site.
fn drift(stand: &Stand) {
    let text = String::from_utf8(stand.world.file("main", COMPOSE).unwrap()).unwrap();
    let digest = stand.world.image_digest("3.9.3").unwrap();
    let other = format!("sha256:{}", "d".repeat(64));
    assert!(text.contains(&digest));
    let text = text.replace(&digest, &other);
    stand.world.commit_to("main", COMPOSE, text.as_bytes(), "fix: another one");
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_disagree_are_brought_in_line_when_asked() {
    run_test(async |stand| {
        drift(stand);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        stand.request("3.9.3").await;
        stand.settle().await;
        insta::assert_snapshot!(stand.requests().await, @"3.9.3 granted: pull request #1 proposes it");
        let pull = stand.only();
        insta::assert_snapshot!(head(stand, &pull), @"
        chore(connector): bring the pin sites in line at 3.9.3
        **connector 3.9.3 stays: the pin sites that spell something else are brought in line. Every required check passed; 3 points need a person.** Asked for by maintainer.

        - Look at: drift that this repairs: docker-compose-townhouse.yml:10 (compose) spells <short>, the pin is 3.9.3 (<short>)
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        - Look at: `docker-compose-townhouse.yml:10`, `packages/townhouse/dist/image-manifest.json:29`, `packages/townhouse/src/constants.ts:23`, where <short> still stands

        | | pinned | proposed |
        | --- | --- | --- |
        | version | 3.9.3 | [3.9.3](https://github.com/toon-protocol/connector/releases/tag/v3.9.3) |
        | index digest | `sha256:…` | `sha256:…` |
        | source commit | `e4466389` | `e4466389` |
        | published | 2026-06-05T08:00:00Z | 2026-06-05T08:00:00Z |
        ");
        assert!(pull.body.contains("It ran on exactly the tree that this pull request pushes"));
        let changed = stand.git(&["diff", "--name-only", "main", &pull.head_sha]);
        assert_eq!(changed, COMPOSE);
        stand.world.merge(pull.number);
        stand.settle().await;
        assert_eq!((stand.open(), stand.view().await.drift), (vec![], vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_that_a_person_made_first_closes_itself() {
    run_test(async |stand| {
        drift(stand);
        stand.request("3.9.3").await;
        stand.settle().await;
        let pull = stand.only();
        let text = stand.world.file(&pull.head_sha, COMPOSE).unwrap();
        stand.world.commit_to("main", COMPOSE, &text, "fix: the right one");
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        // Without drift there is nothing to be asked for.
        stand.wait(1);
        stand.request("3.9.3").await;
        stand.settle().await;
        assert!(stand.requests().await.starts_with("3.9.3 granted: the pin is at 3.9.3 already"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_bump_takes_a_repair_over() {
    run_test(async |stand| {
        drift(stand);
        stand.request("3.9.3").await;
        stand.settle().await;
        let repair = stand.only();
        stand.wait(1);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.number, repair.number);
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert!(pull.body.contains("drift that this repairs"), "{}", pull.body);
    })
    .await;
}
