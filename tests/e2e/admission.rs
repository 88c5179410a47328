//! Who may command, and how much strangers may say.

use super::commands::{MAINTAINER, STRANGER, answers, reactions, run_story, say};
use std::fmt::Write as _;

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_may_look_and_is_told_so_a_few_times() {
    run_story(async |stand, pull| {
        let comment = say(stand, STRANGER, pull.number, "/bump 3.10.0\n/bump hold").await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"
        `/bump 3.10.0`: **❌ refused** — `bump` takes the permission to write in this repository, and eve has read

        `/bump hold`: **❌ refused** — `hold` takes the permission to write in this repository, and eve has read
        ");
        assert_eq!(reactions(stand, comment), ["-1"]);
        for _ in 0..8 {
            say(stand, STRANGER, pull.number, "/bump rebase").await;
        }
        assert_eq!(answers(stand, pull.number).len(), 5, "the bot lets nobody make it talk");
        let last = stand.world.comment_as(STRANGER, pull.number, "/bump help");
        stand.settle().await;
        assert_eq!(reactions(stand, last), Vec::<String>::new());
        // Those who may command are heard as before, and the next day so are strangers.
        say(stand, MAINTAINER, pull.number, "/bump explain").await;
        assert_eq!(answers(stand, pull.number).len(), 6);
        stand.wait(25);
        say(stand, STRANGER, pull.number, "/bump help").await;
        assert_eq!(answers(stand, pull.number).len(), 7);
        assert_eq!(stand.requests().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_triages_may_ask_and_whoever_maintains_may_do_all() {
    run_story(async |stand, pull| {
        let all = "/bump help\n/bump explain 3.10.0\n/bump bump 3.10.0\n/bump canary\n/bump rebase\n\
                   /bump recreate\n/bump hold\n/bump unhold\n/bump ignore patch\n/bump unignore";
        let roles = ["read", "triage", "write", "maintain", "admin"];
        let mut table = String::new();
        for role in roles {
            stand.world.set_permission("theo", role);
            stand.wait(25);
            say(stand, "theo", pull.number, all).await;
            let answer = answers(stand, pull.number).pop().unwrap();
            let refused: Vec<&str> = answer
                .lines()
                .filter(|line| line.contains("takes the permission"))
                .filter_map(|line| line.split('`').nth(1)?.split(' ').nth(1))
                .collect();
            let _ = writeln!(table, "{role} may not: {}", refused.join(", "));
        }
        insta::assert_snapshot!(table, @"
        read may not: bump, canary, rebase, recreate, hold, unhold, ignore, unignore
        triage may not: bump, canary, rebase, recreate, hold, unhold, ignore, unignore
        write may not: recreate
        maintain may not: 
        admin may not:
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_bot_itself_nor_another_one_that_is_not_listed_commands() {
    run_story(async |stand, pull| {
        stand.world.set_permission("renovate[bot]", "write");
        stand.wait_minutes(5);
        let own = stand.world.comment_as(&pull.author, pull.number, "/bump help");
        let other = stand.world.comment_as("renovate[bot]", pull.number, "/bump help");
        stand.settle().await;
        for comment in [own, other] {
            assert_eq!(reactions(stand, comment), Vec::<String>::new());
        }
        assert_eq!(answers(stand, pull.number), Vec::<String>::new());
        stand.set("downstream.commands.allow", vec!["renovate[bot]"]);
        let other = say(stand, "renovate[bot]", pull.number, "/bump help").await;
        assert_eq!(reactions(stand, other), ["rocket"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_together_cannot_make_the_bot_talk() {
    run_story(async |stand, pull| {
        for number in 0..5 {
            for _ in 0..5 {
                say(stand, &format!("stranger-{number}"), pull.number, "/bump help").await;
            }
        }
        assert_eq!(answers(stand, pull.number).len(), 25);
        let comment = say(stand, STRANGER, pull.number, "/bump help").await;
        assert_eq!(answers(stand, pull.number).len(), 25);
        assert_eq!(reactions(stand, comment), Vec::<String>::new(), "nobody waits for an answer");
        let comment = say(stand, MAINTAINER, pull.number, "/bump help").await;
        assert_eq!(reactions(stand, comment), ["rocket"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_talks_all_day_silences_nobody_else() {
    run_story(async |stand, pull| {
        stand.wait_minutes(5);
        for _ in 0..30 {
            stand.world.comment_as(STRANGER, pull.number, "/bump help");
        }
        stand.settle().await;
        assert_eq!(answers(stand, pull.number).len(), 5);
        let comment = say(stand, "a-reader", pull.number, "/bump help").await;
        assert_eq!(reactions(stand, comment), ["rocket"]);
        // What got no answer takes none of the next day's away.
        stand.wait(12);
        for _ in 0..30 {
            stand.world.comment_as(STRANGER, pull.number, "/bump help");
        }
        stand.settle().await;
        assert_eq!(answers(stand, pull.number).len(), 6);
        stand.wait(13);
        let comment = say(stand, STRANGER, pull.number, "/bump help").await;
        assert_eq!(reactions(stand, comment), ["rocket"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_sees_who_is_in_a_team_if_it_is_let() {
    run_story(async |stand, pull| {
        stand.become_app();
        stand.world.join_team("toon-protocol/release", STRANGER);
        stand.set("downstream.commands.allow", vec!["toon-protocol/release"]);
        stand.wait_minutes(5);
        let member = stand.world.comment_as(STRANGER, pull.number, "/bump hold");
        let other = stand.world.comment_as(MAINTAINER, pull.number, "/bump unhold");
        let report = stand.once().await;
        assert!(report.troubles[0].starts_with("the team toon-protocol/release: "), "{report:?}");
        assert_eq!(reactions(stand, member), ["-1"]);
        assert_eq!(reactions(stand, other), ["rocket"]);
        let granted = ["contents", "pull_requests", "issues", "checks", "statuses", "actions"];
        let granted = granted.map(|name| (name, "write"));
        stand
            .world
            .grant_app(&[&granted[..], &[("metadata", "read"), ("members", "read")]].concat());
        stand.wait(2);
        let member = stand.world.comment_as(STRANGER, pull.number, "/bump hold");
        stand.settle().await;
        assert_eq!(reactions(stand, member), ["rocket"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_may_be_let_in() {
    run_story(async |stand, pull| {
        stand.world.join_team("toon-protocol/release", STRANGER);
        stand.set("downstream.commands.allow", vec!["toon-protocol/release"]);
        let comment = say(stand, STRANGER, pull.number, "@digest-bump hold").await;
        assert_eq!(reactions(stand, comment), Vec::<String>::new(), "nobody is called so");
        stand.set("downstream.commands.mention", "digest-bump");
        let comment = say(stand, STRANGER, pull.number, "@digest-bump hold").await;
        assert_eq!(reactions(stand, comment), ["rocket"]);
        let other = say(stand, "mallory", pull.number, "@digest-bump unhold").await;
        assert_eq!(reactions(stand, other), ["-1"]);
    })
    .await;
}
