//! What becomes of a draft that waits for the downstream's checks.

use crate::by_checks::{CHECK, base_ci, ci, draft, pulls, run_story};
use crate::commands::{MAINTAINER, answers};
use crate::own_check::OWN;
use crate::stand::{Stand, graphql_fault};
use world::{Fault, Service};

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_by_a_person_on_the_draft_makes_the_bot_keep_its_hands_off() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let waits = draft(stand);
        let by = stand.world.commit_to(&waits.head_branch, "README.md", b"# mine\n", "docs: mine");
        // On the bot's own commit it succeeded.
        stand.world.ci_concludes(&waits.head_sha, CHECK, "success");
        stand.settle().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let left = stand.only();
        assert_eq!((&left.head_sha, left.draft, &left.body), (&by, true, &waits.body));
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 held: draft pull request #1 has commits by a person: hands off
        3.10.0 held: draft pull request #1 has commits by a person: hands off
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_is_offered_waits_as_a_draft_for_somebody_to_ask() {
    run_story(async |stand| {
        base_ci(stand, "success");
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        ci(stand, "success");
        stand.settle().await;
        insta::assert_snapshot!(pulls(stand), @"
        #1 draft digest-bump/connector chore(connector): bump 3.9.3 → 3.9.4
          **Ready on request: every check passed; it is a patch for which nobody has asked.** See [Connector Contract Canary](https://github.com/toon-protocol/town/runs/<check>). Ask for it: `digest-bump request bump 3.9.4`. The bot then marks this as ready.
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.9.4 offered: every check passed; `digest-bump request bump 3.9.4` proposes it
        3.9.3 pinned: the downstream pins it
        ");
        stand.request("3.9.4").await;
        stand.settle().await;
        assert!(!stand.only().draft);
        insta::assert_snapshot!(stand.requests().await, @"3.9.4 granted: pull request #1 proposes it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_a_draft_is_told_of_the_comment_that_asks() {
    run_story(async |stand| {
        stand.set("downstream.commands.enabled", true);
        stand.world.set_permission(MAINTAINER, "write");
        base_ci(stand, "success");
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        assert!(draft(stand).body.contains(" Comment `/bump help` for all commands.</sub>"));
        ci(stand, "success");
        stand.settle().await;
        let offered = draft(stand);
        assert!(offered.body.contains(" Ask for it: `/bump 3.9.4`."), "{}", offered.body);
        assert!(!offered.body.contains("Once every check has passed"), "{}", offered.body);
        assert!(offered.body.contains(" Comment `/bump help` for all commands.</sub>"));
        stand.wait_minutes(5);
        stand.world.comment_as(MAINTAINER, offered.number, "/bump 3.9.4");
        stand.settle().await;
        assert!(!stand.only().draft);
        insta::assert_snapshot!(answers(stand, offered.number).join("\n"), @"`/bump 3.9.4`: **✅ done** — pull request #1 proposes it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_whose_version_is_pinned_meanwhile_is_closed_and_declines_nothing() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        crate::people::bump_by_hand(stand, &draft(stand).head_branch);
        stand.settle().await;
        insta::assert_snapshot!(pulls(stand), @"
        #1 closed digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **Closed by the bot: the pin is at 3.10.0 already.**
        ");
        stand.wait(1);
        stand.lose_memory().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        ci(stand, "success");
        stand.settle().await;
        insta::assert_snapshot!(pulls(stand), @"
        #1 closed digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **Closed by the bot: the pin is at 3.10.0 already.**
        #2 open digest-bump/connector chore(connector): bump 3.10.0 → 3.11.0
          **connector 3.10.0 → 3.11.0 is a MINOR. Every required check passed; one point needs a person.**
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_a_person_closes_is_declined() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.close(draft(stand).number);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 declined: pull request #1 was closed without merging
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_a_person_makes_a_draft_again_stays_one() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ci(stand, "success");
        stand.settle().await;
        stand.world.set_draft(stand.only().number, true);
        stand.settle().await;
        stand.wait(1);
        stand.settle().await;
        assert!(stand.only().draft);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_no_apps_sets_a_status_instead_and_none_does_without() {
    run_story(async |stand| {
        let denied = || Fault::on(Service::GitHub).method("POST").status(403).always();
        stand.world.fault(denied().path_contains("/check-runs"));
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let waits = draft(stand).head_sha;
        assert_eq!(stand.world.statuses(&waits), [(OWN.into(), "pending".into())]);
        stand.world.fault(denied().path_contains("/statuses"));
        ci(stand, "success");
        stand.settle().await;
        assert!(!stand.only().draft);
        assert_eq!(stand.world.check_runs(&waits).len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_major_gets_its_stub_without_a_draft() {
    run_story(async |stand| {
        stand.world.release("4.0.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().head_branch, "digest-bump/connector-4-migration");
        assert!(stand.only().body.contains("The contract canary did not run."));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_release_takes_the_draft_over_and_what_is_asked_for_comes_first() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let first = draft(stand).head_sha;
        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(pulls(stand), @"
        #1 draft digest-bump/connector chore(connector): bump 3.9.3 → 3.11.0
          **Not to be merged yet: connector 3.9.3 → 3.11.0 waits for this repository's own checks on its commit: Connector Contract Canary.**
        ");
        let second = draft(stand).head_sha;
        // What the checks of the older one show is still looked at.
        stand.world.ci_concludes(&first, CHECK, "success");
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 canary: its checks run since 2026-06-12T09:00:00Z: Connector Contract Canary has not started
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
        insta::assert_snapshot!(pulls(stand), @"
        #1 open digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**
        ");
        stand.world.ci_concludes(&second, CHECK, "cancelled");
        stand.settle().await;
        stand.wait_minutes(1);
        stand.settle().await;
        insta::assert_snapshot!(pulls(stand), @"
        #1 open digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**
        #2 draft digest-bump/connector-draft chore(connector): bump 3.9.3 → 3.11.0
          **Not to be merged yet: connector 3.9.3 → 3.11.0 waits for this repository's own checks on its commit: Connector Contract Canary.**
        ");
        // A request comes before what is published after it.
        stand.world.release("3.9.4").publish().await;
        stand.request("3.9.4").await;
        stand.settle().await;
        stand.wait_minutes(1);
        stand.world.release("3.12.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.12.0 queued: 3.9.4 is looked at first
        3.11.0 skipped: a person asked for 3.9.4 when this was already out
        3.10.0 proposed: pull request #1 proposes it
        3.9.4 canary: its checks run since 2026-06-12T09:01:00Z: Connector Contract Canary has not started
        3.9.3 pinned: the downstream pins it
        ");
        insta::assert_snapshot!(pulls(stand), @"
        #1 open digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**
        #2 draft digest-bump/connector-draft chore(connector): bump 3.9.3 → 3.9.4
          **Not to be merged yet: connector 3.9.3 → 3.9.4 waits for this repository's own checks on its commit: Connector Contract Canary.**
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_the_same_draft_is_found_again() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let waits = draft(stand);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(draft(stand), waits);
        stand.lose_memory().await;
        ci(stand, "success");
        stand.settle().await;
        assert_eq!((stand.only().number, stand.only().draft), (waits.number, false));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_downstream_that_moves_on_does_not_begin_the_checks_anew() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let waits = draft(stand);
        stand.world.commit_to("main", "README.md", b"# on\n", "docs: move on");
        stand.wait_minutes(5);
        stand.settle().await;
        assert_eq!(draft(stand), waits);
        ci(stand, "success");
        stand.settle().await;
        assert_eq!(stand.only().head_sha, waits.head_sha);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_by_that_name_counts_as_well() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let url = format!(
            "{}/repos/toon-protocol/town/statuses/{}",
            stand.world.github_url(),
            draft(stand).head_sha
        );
        let wish = serde_json::json!({ "state": "success", "context": CHECK });
        let client = reqwest::Client::new().post(url);
        let answer = client.bearer_auth(stand.world.token_of("maya")).json(&wish).send().await;
        assert_eq!(answer.unwrap().status(), 201);
        stand.settle().await;
        assert!(!stand.only().draft);
    })
    .await;
}

/// What can become of a write and of the answer to it.
fn kinds() -> [fn(Fault) -> Fault; 4] {
    [
        |fault| fault.after_commit(502),
        |fault| fault.status(502),
        |fault| fault.cut_body(),
        |fault| fault.close_connection(),
    ]
}

/// What goes wrong, by the writer.
type Strike = fn(&Stand) -> Fault;

fn at(method: &str, path: &str) -> Fault {
    Fault::on(Service::GitHub).method(method).path_contains(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_write_the_end_is_the_same() {
    // Those of the other writer do not strike where it is not used.
    let places: [(&str, Strike); 8] = [
        ("push", Stand::push_fault),
        ("POST check", |_| at("POST", "/check-runs")),
        ("PATCH check", |_| at("PATCH", "/check-runs")),
        ("POST pull", |_| at("POST", "/pulls")),
        ("PATCH pull", |_| at("PATCH", "/pulls/")),
        ("GraphQL", |_| graphql_fault()),
        ("tree", |_| at("POST", "/git/trees")),
        ("commit", |_| at("POST", "/git/commits")),
    ];
    for (place, fault) in places {
        run_story(async |stand| {
            for (n, kind) in kinds().into_iter().enumerate() {
                stand.wait(1);
                let version = format!("3.{}.0", n + 10);
                stand.world.release(&version).publish().await;
                stand.world.fault(kind(fault(stand)));
                stand.once().await;
                stand.settle().await;
                ci(stand, "success");
                stand.once().await;
                stand.settle().await;
                let ready = stand.only();
                assert!(!ready.draft && ready.title.ends_with(&version), "{place} {n} {ready:#?}");
                let own = stand.world.check_runs(&ready.head_sha);
                assert!(own.contains(&(OWN.into(), "success".into())), "{own:?}");
                stand.world.merge(ready.number);
                stand.settle().await;
            }
            assert_eq!(stand.world.pulls().len(), 4, "{place}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lag_behind_open_nothing_twice() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.list_lag(4);
        stand.settle().await;
        ci(stand, "success");
        stand.world.list_lag(4);
        stand.settle().await;
        stand.settle().await;
        assert!(!stand.only().draft);
        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.world.list_lag(4);
        stand.settle().await;
        ci(stand, "success");
        stand.world.list_lag(4);
        stand.settle().await;
        stand.settle().await;
        assert!(stand.only().title.ends_with("3.11.0"));
        assert_eq!(stand.world.pulls().len(), 2);
    })
    .await;
}
