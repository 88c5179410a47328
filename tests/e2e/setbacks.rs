//! What goes wrong on the bot's side while somebody waits for an answer.

use super::{
    commands::{MAINTAINER, STRANGER, answers, reactions, run_story},
    stand::{Stand, run_test},
};
use std::time::Duration;
use world::{Fault, Service};

fn github(method: &str, path: &str, status: u16) -> Fault {
    Fault::on(Service::GitHub).method(method).path_contains(path).status(status)
}

/// Says something as somebody a little later, to a bot in trouble.
async fn say_in_trouble(stand: &Stand, login: &str, number: u64, text: &str) -> u64 {
    stand.wait_minutes(5);
    let id = stand.world.comment_as(login, number, text);
    let report = stand.once().await;
    assert!(!report.troubles.is_empty());
    id
}

fn shown(stand: &Stand, number: u64) -> String {
    answers(stand, number).join("\n---\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_is_told_what_the_log_calls_a_trouble() {
    run_test(async |stand| {
        stand.set("downstream.commands.enabled", true);
        stand.set("downstream.dashboard.enabled", true);
        stand.world.set_permission(MAINTAINER, "write");
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        let dashboard = stand.world.issues().remove(0).number;
        stand.world.fault(github("POST", "/pulls", 422).always());
        let comment = say_in_trouble(stand, MAINTAINER, dashboard, "/bump 3.9.4").await;
        insta::assert_snapshot!(shown(stand, dashboard), @"
        `/bump 3.9.4`: **⏳ under way** — something went wrong on the bot's side, logged as `<short>`; it is tried again

        This comment is rewritten as it goes on.
        ");
        assert_eq!(reactions(stand, comment), ["eyes"]);
        // It is the same trouble an hour later: nothing is rewritten.
        let before = stand.world.comments(dashboard);
        stand.wait(1);
        let report = stand.once().await;
        assert!(!report.troubles.is_empty());
        assert_eq!(stand.world.comments(dashboard), before);
        stand.world.clear_faults();
        stand.settle().await;
        insta::assert_snapshot!(shown(stand, dashboard), @"`/bump 3.9.4`: **✅ done** — pull request #2 proposes it");
        assert_eq!(reactions(stand, comment), ["rocket"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_elsewhere_is_not_told_here() {
    run_story(async |stand, pull| {
        stand.canary_env("CANARY_DELAY_MS", "400");
        stand.set("downstream.dashboard.enabled", true);
        stand.settle().await;
        let dashboard = stand.world.issues().remove(0).number;
        stand.world.fault(github("GET", &format!("/issues/{dashboard}"), 502).always());
        stand.wait_minutes(5);
        stand.world.comment_as(MAINTAINER, pull.number, "/bump canary 3.10.0");
        let app = stand.app().await;
        let report = stand.pass(&app).await;
        assert!(!report.troubles.is_empty());
        insta::assert_snapshot!(shown(stand, pull.number), @"
        `/bump canary 3.10.0`: **⏳ under way** — the canary runs since 2026-06-12T08:05:00Z

        This comment is rewritten as it goes on.
        ");
        while !app.supervisor.is_idle() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stand.pass(&app).await;
        app.store.close().await;
        insta::assert_snapshot!(shown(stand, pull.number), @"`/bump canary 3.10.0`: **✅ done** — the canary passed: contract ok: 1 file, 3 tests passed");
        stand.world.clear_faults();
        stand.settle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_be_looked_up_waits_and_knows_it() {
    run_story(async |stand, pull| {
        stand.world.fault(github("GET", "/permission", 502).always());
        stand.wait_minutes(5);
        let strangers: Vec<u64> =
            (0..7).map(|_| stand.world.comment_as(STRANGER, pull.number, "/bump help")).collect();
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump hold\n/bump help me");
        stand.once().await;
        let told = answers(stand, pull.number);
        assert_eq!(told.len(), 6, "nobody makes the bot talk");
        let (asked_in_vain, [last]) = told.split_at(5) else { unreachable!() };
        insta::assert_snapshot!(last, @"
        `/bump hold`: **⏳ under way** — something went wrong on the bot's side, logged as `<short>`; it is tried again

        `/bump help me`: **⏳ under way** — something went wrong on the bot's side, logged as `<short>`; it is tried again

        This comment is rewritten as it goes on.
        ");
        for answer in asked_in_vain {
            let (first, _) = last.split_once("\n\n").unwrap();
            assert!(answer.starts_with(&first.replace("hold", "help")), "{answer}");
        }
        assert_eq!(reactions(stand, comment), ["eyes"]);
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
        stand.world.clear_faults();
        stand.settle().await;
        let all = answers(stand, pull.number);
        assert_eq!(all.len(), 6);
        assert!(all.iter().all(|it| !it.contains("logged as")), "{all:#?}");
        let shown = |id: &u64| reactions(stand, *id).join(" ");
        let shown: Vec<String> = strangers.iter().map(shown).collect();
        assert_eq!(shown, ["rocket", "rocket", "rocket", "rocket", "rocket", "", ""]);
        assert_eq!(reactions(stand, comment), ["confused"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_had_enough_meanwhile_is_told_no_lie() {
    run_story(async |stand, pull| {
        stand.world.fault(github("GET", &format!("/{STRANGER}/permission"), 502).always());
        let promised = say_in_trouble(stand, STRANGER, pull.number, "/bump help").await;
        // The answers of the day to all strangers together go to others.
        for number in 0..5 {
            for _ in 0..5 {
                let login = format!("stranger-{number}");
                say_in_trouble(stand, &login, pull.number, "/bump help").await;
            }
        }
        assert_eq!(answers(stand, pull.number).len(), 1 + 25);
        stand.world.clear_faults();
        stand.settle().await;
        insta::assert_snapshot!(answers(stand, pull.number)[0], @"`/bump help`: **❌ refused** — whoever may not push here has had enough answers for today");
        assert_eq!(reactions(stand, promised), Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_heard_while_too_little_can_be_read_is_told_so() {
    run_story(async |stand, pull| {
        stand.world.fault(github("GET", "/pulls?", 502).always());
        let text = "/bump hold until Friday";
        let comment = say_in_trouble(stand, MAINTAINER, pull.number, text).await;
        insta::assert_snapshot!(shown(stand, pull.number), @"
        `/bump hold until Friday`: **⏳ under way** — something went wrong on the bot's side, logged as `<short>`; it is tried again

        This comment is rewritten as it goes on.
        ");
        assert_eq!(reactions(stand, comment), ["eyes"]);
        stand.world.clear_faults();
        stand.settle().await;
        insta::assert_snapshot!(shown(stand, pull.number), @"`/bump hold until Friday`: **✅ done** — no pull request is opened or rewritten until `unhold`; releases are looked at as before");
        assert_eq!(reactions(stand, comment), ["rocket"]);
    })
    .await;
}
