//! What a command is bound to until it is carried out, and how long it is answered.

use super::{
    commands::{MAINTAINER, STRANGER, answers, reactions, run_story, say},
    majors::publish_major,
    stand::run_test,
};
use std::time::Duration;
use world::{Fault, Service};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_up_commits_that_they_have_not_seen() {
    run_story(async |stand, pull| {
        stand.world.set_permission(MAINTAINER, "admin");
        let branch = pull.head_branch.as_str();
        stand.world.commit_to(branch, "README.md", b"# seen\n", "docs: seen");
        stand.settle().await;
        stand.canary_env("CANARY_DELAY_MS", "400");
        stand.wait_minutes(5);
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump recreate");
        // It is ruled on, and waits for the canary; meanwhile somebody goes on.
        let app = stand.app().await;
        stand.pass(&app).await;
        assert_eq!(reactions(stand, comment), ["eyes"]);
        stand.world.commit_to(branch, "LATER.md", b"# unseen\n", "docs: unseen");
        while !app.supervisor.is_idle() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        app.store.close().await;
        stand.settle().await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"`/bump recreate`: **❌ refused** — the branch was at `<commit>` when this was said, and is at `<commit>` now: look at it, and say it again");
        assert_eq!(reactions(stand, comment), ["-1"]);
        assert!(stand.world.file(branch, "LATER.md").is_some(), "their commit is there");
        // Whoever has seen it may say it again.
        say(stand, MAINTAINER, pull.number, "/bump recreate").await;
        assert_eq!(stand.world.file(branch, "LATER.md"), None);
        assert_ne!(stand.world.file(branch, "README.md").as_deref(), Some(b"# seen\n".as_slice()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_is_what_was_proposed_when_it_was_said() {
    run_story(async |stand, pull| {
        let fault = Fault::on(Service::GitHub).method("GET").path_contains("/permission");
        stand.world.fault(fault.status(502).always());
        stand.wait_minutes(5);
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump ignore this");
        stand.once().await;
        // Nobody could rule on it before the pull request came to propose another release.
        stand.world.release("3.11.0").publish().await;
        stand.wait(1);
        stand.once().await;
        stand.world.clear_faults();
        stand.settle().await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"`/bump ignore this`: **❌ refused** — the branch was at `<commit>` when this was said, and is at `<commit>` now: look at it, and say it again");
        assert_eq!(reactions(stand, comment), ["-1"]);
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.11.0"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_a_persons_changes_nothing_of_what_this_is() {
    run_story(async |stand, pull| {
        stand.wait_minutes(5);
        stand.world.commit_to(&pull.head_branch, "README.md", b"# mine\n", "docs: mine");
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump ignore this");
        stand.settle().await;
        assert_eq!(reactions(stand, comment), ["rocket"]);
        let standing = stand.view().await.standing.join("\n");
        assert!(standing.contains("ignore 3.10.0 by maya"), "{standing}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_again_after_an_order_is_heard_though_the_request_is_older() {
    run_test(async |stand| {
        stand.set("downstream.commands.enabled", true);
        stand.world.set_permission(MAINTAINER, "write");
        publish_major(stand).await;
        stand.settle().await;
        let stub = stand.only();
        say(stand, MAINTAINER, stub.number, "/bump 4.0.0").await;
        stand.wait_minutes(5);
        stand.world.comment_as(MAINTAINER, stub.number, "/bump ignore major");
        stand.wait_minutes(1);
        let again = stand.world.comment_as(MAINTAINER, stub.number, "/bump 4.0.0");
        stand.settle().await;
        assert_eq!(reactions(stand, again), ["eyes"], "{}", stand.requests().await);
        assert_eq!(stand.requests().await, "4.0.0 open: no answer yet");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_something_ignored_is_told_what_stays_open() {
    run_story(async |stand, pull| {
        stand.world.commit_to(&pull.head_branch, "README.md", b"# mine\n", "docs: mine");
        stand.settle().await;
        say(stand, MAINTAINER, pull.number, "/bump ignore this").await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"`/bump ignore this`: **✅ done** — 3.10.0 is not proposed, until somebody asks for it by `bump 3.10.0`, or by `unignore` for everything; pull request #1 stays open: it has commits by a person");
        assert_eq!(stand.open().len(), 1);
    })
    .await;
    run_story(async |stand, pull| {
        say(stand, MAINTAINER, pull.number, "/bump hold").await;
        say(stand, MAINTAINER, pull.number, "/bump ignore minor").await;
        insta::assert_snapshot!(answers(stand, pull.number).pop().unwrap(), @"`/bump ignore minor`: **✅ done** — no MINOR is proposed or offered until `unignore`, unless it is asked for; pull request #1 stays open: the bot is on hold");
        assert_eq!(stand.open().len(), 1);
        say(stand, MAINTAINER, pull.number, "/bump unhold").await;
        assert_eq!(stand.open(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_up_as_long_as_what_was_asked_for_waits() {
    run_test(async |stand| {
        stand.set("downstream.commands.enabled", true);
        stand.world.set_permission(MAINTAINER, "write");
        publish_major(stand).await;
        stand.settle().await;
        let stub = stand.only();
        let comment = say(stand, MAINTAINER, stub.number, "/bump 4.0.0").await;
        assert_eq!(reactions(stand, comment), ["eyes"]);
        // The migration takes its time.
        for _ in 0..2 {
            stand.wait(20 * 24);
            stand.settle().await;
        }
        stand.world.merge(stub.number);
        stand.settle().await;
        insta::assert_snapshot!(answers(stand, stub.number).join("\n---\n"), @"`/bump 4.0.0`: **✅ done** — pull request #2 proposes it");
        assert_eq!(reactions(stand, comment), ["rocket"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_nobody_could_look_up_for_a_day_is_told_that_nobody_does() {
    run_story(async |stand, pull| {
        let fault =
            || Fault::on(Service::GitHub).method("GET").path_contains("/permission").status(502);
        stand.world.fault(fault().always());
        stand.wait_minutes(5);
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump hold");
        stand.once().await;
        stand.wait(25);
        stand.once().await;
        stand.world.clear_faults();
        stand.settle().await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"`/bump hold`: **❌ refused** — nobody could look into it for a day, and now nobody does: say it again if it still matters");
        assert_eq!(reactions(stand, comment), ["-1"]);
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
        // Nobody makes the bot talk by that either.
        stand.world.fault(fault().always());
        stand.wait_minutes(5);
        let all: Vec<u64> =
            (0..9).map(|_| stand.world.comment_as(STRANGER, pull.number, "/bump hold")).collect();
        stand.once().await;
        stand.wait(25);
        stand.once().await;
        stand.world.clear_faults();
        stand.settle().await;
        assert_eq!(answers(stand, pull.number).len(), 1 + 5);
        let eyes = all.iter().filter(|id| reactions(stand, **id).contains(&"eyes".to_owned()));
        assert_eq!(eyes.count(), 0);
    })
    .await;
}
