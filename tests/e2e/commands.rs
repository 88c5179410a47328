//! Comments that command: heard by polling, ruled on, carried out by the loop, and answered.

use super::stand::{Stand, run_test};
use regex::Regex;
use std::time::Duration;
use world::{Fault, Pull, Service};

/// Who may push, and who may only look.
pub const MAINTAINER: &str = "maya";
pub const STRANGER: &str = "eve";
/// A file that each proposal changes.
const FILE: &str = "docker-compose-townhouse.yml";

/// Runs a story in which comments command, and a MINOR is proposed.
pub async fn run_story(story: impl AsyncFnOnce(&mut Stand, Pull)) {
    run_test(async |stand| {
        stand.set("downstream.commands.enabled", true);
        stand.world.set_permission(MAINTAINER, "write");
        stand.world.set_permission(STRANGER, "read");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        story(stand, pull).await;
    })
    .await;
}

/// Says something as somebody a little later, and lets the bot hear it; gives the comment's id.
pub async fn say(stand: &Stand, login: &str, number: u64, text: &str) -> u64 {
    stand.wait_minutes(5);
    let id = stand.world.comment_as(login, number, text);
    stand.settle().await;
    id
}

/// What the bot answered, oldest first, without the lines that name nobody.
pub fn answers(stand: &Stand, number: u64) -> Vec<String> {
    let mut comments = stand.world.comments(number);
    comments.retain(|comment| comment.body.contains("<!-- digest-bump:answer:1 "));
    comments.into_iter().map(|comment| shown(stand, &comment.body)).collect()
}

fn shown(stand: &Stand, body: &str) -> String {
    let (text, _) = body.split_once("\n\n<sub>For ").unwrap();
    // Whoever makes a commit, it is another one.
    let short = Regex::new("`[0-9a-f]{8}`").unwrap();
    short.replace_all(&stand.redact(text), "`<commit>`").into_owned()
}

pub fn reactions(stand: &Stand, comment: u64) -> Vec<String> {
    stand.world.reactions(comment).into_iter().map(|(_, content)| content).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_is_asked_for_is_proposed_and_the_answer_says_so() {
    run_test(async |stand| {
        stand.set("downstream.commands.enabled", true);
        stand.set("downstream.dashboard.enabled", true);
        stand.world.set_permission(MAINTAINER, "write");
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), Vec::<String>::new());
        let dashboard = stand.world.issues().remove(0).number;
        let comment = say(stand, MAINTAINER, dashboard, "Let us have it.\n\n/bump 3.9.4").await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.9.4"]);
        insta::assert_snapshot!(answers(stand, dashboard).join("\n---\n"), @"`/bump 3.9.4`: **✅ done** — pull request #2 proposes it");
        assert_eq!(reactions(stand, comment), ["rocket"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_commands_get_one_answer() {
    run_story(async |stand, pull| {
        let text =
            "/bump canary\n/bump cnary\n\n> /bump recreate\n\n`/bump unhold`\n\n@other /bump";
        let comment = say(stand, MAINTAINER, pull.number, text).await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"
        `/bump canary`: **✅ done** — the canary passed: contract ok: 1 file, 3 tests passed

        `/bump cnary`: **❓ not understood** — `cnary` is no command. Did you mean `/bump canary`?
        ");
        assert_eq!(reactions(stand, comment), ["confused"]);
        assert_eq!(stand.runs().await, ["3.10.0 passed", "3.10.0 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_is_not_told_as_a_success() {
    run_story(async |stand, pull| {
        stand.world.release("3.11.0").breaks_contract("no").publish().await;
        stand.settle().await;
        let comment = say(stand, MAINTAINER, pull.number, "/bump canary 3.11.0").await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"`/bump canary 3.11.0`: ❌ the canary failed: exit status 1: FAIL no; it passes at the pinned 3.9.3");
        assert_eq!(reactions(stand, comment), ["-1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_rewritten_as_the_canary_proceeds() {
    run_story(async |stand, pull| {
        stand.canary_env("CANARY_DELAY_MS", "400");
        stand.wait_minutes(5);
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump canary 3.10.0");
        let app = stand.app().await;
        stand.pass(&app).await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"
        `/bump canary 3.10.0`: **⏳ under way** — the canary runs since 2026-06-12T08:05:00Z

        This comment is rewritten as it goes on.
        ");
        assert_eq!(reactions(stand, comment), ["eyes"]);
        while !app.supervisor.is_idle() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stand.pass(&app).await;
        app.store.close().await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"`/bump canary 3.10.0`: **✅ done** — the canary passed: contract ok: 1 file, 3 tests passed");
        assert_eq!(reactions(stand, comment), ["rocket"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn help_and_explain_are_for_whoever_may_read() {
    run_story(async |stand, pull| {
        say(stand, STRANGER, pull.number, "/bump help").await;
        say(stand, STRANGER, pull.number, "/bump explain").await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @r"
        `/bump help`

        A command is a line of a comment that begins with `/bump`.

        | command | what it does | permission |
        | --- | --- | --- |
        | `/bump help` | Lists the commands. | read |
        | `/bump explain [VERSION]` | Says all that was found out about a release: the one that this pull request proposes, unless a version is named. | read |
        | `/bump bump VERSION` | Asks for a release to be proposed: an offered patch, any release above the pin, or a MAJOR after its migration. | write |
        | `/bump canary [VERSION]` | Runs the contract canary again, at the version that this pull request proposes unless one is named; where the downstream's own checks are the canary, run them again at GitHub instead. | write |
        | `/bump rebase` | Makes this pull request anew on the base branch of today. | write |
        | `/bump recreate` | Makes this pull request anew even if people committed to its branch: their commits are named first, then given up. | maintain |
        | `/bump hold [REASON]` | Opens and rewrites no pull request until `unhold`; releases are still looked at. | write |
        | `/bump unhold` | Ends the hold. | write |
        | `/bump ignore this\|minor\|major\|patch` | With `this`, closes this pull request and does not propose its release; with `minor`, `major` or `patch`, proposes and offers no such release. | write |
        | `/bump unignore` | Makes everything count again that was ignored. | write |

        Instead of `/bump bump 3.10.4`, `/bump 3.10.4` is enough. What stands in brackets may be left out.

        Commands in quotes, code, lists, tables and the like are not read, and no more than 10 of one comment.

        ---
        `/bump explain`

        ```text
        3.10.0 (MINOR, published 2026-06-12T08:00:00Z) is proposed: pull request #1 proposes it
          image sha256:…
          platforms linux/amd64, linux/arm64
          2026-06-12T08:00:00Z  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at 2026-06-12T08:00:00Z
          2026-06-12T08:00:00Z  platforms: passed, linux/amd64, linux/arm64
          2026-06-12T08:00:00Z  version label: passed, labelled 3.10.0
          2026-06-12T08:00:00Z  source commit: passed, built from 7d176fea, the parent of v3.10.0's commit 8b52b79c
          2026-06-12T08:00:00Z  tag unmoved: passed, <short> each time
          2026-06-12T08:00:00Z  tag, package and image agree: passed, git tag v3.10.0 at 8b52b79c; npm 3.10.0 and the image are both of 7d176fea
          2026-06-12T08:00:00Z  no known issue: passed, nothing is known against it
          2026-06-12T08:00:00Z  pin sites: passed, 9 of 9 sites present, each as expected
          2026-06-12T08:00:00Z  canary run 1 on 5a24ff3c passed after 0 s: contract ok: 1 file, 3 tests passed
        ```
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_leaves_everything_as_it_is_until_it_ends() {
    run_story(async |stand, pull| {
        say(stand, MAINTAINER, pull.number, "/bump hold a freeze before the fair").await;
        stand.world.release("3.11.0").publish().await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, pull.title, "it is not rewritten");
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 waiting: the bot is on hold: hold by maya since 2026-06-12T08:05:00Z: a freeze before the fair; looked at again in each pass
        3.10.0 covered: 3.11.0 contains it
        3.9.3 pinned: the downstream pins it
        ");
        insta::assert_snapshot!(stand.view().await.standing.join("\n"), @"on hold: hold by maya since 2026-06-12T08:05:00Z: a freeze before the fair");
        say(stand, MAINTAINER, pull.number, "/bump 3.11.0").await;
        say(stand, MAINTAINER, pull.number, "/bump unhold").await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.11.0"]);
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"
        `/bump hold a freeze before the fair`: **✅ done** — no pull request is opened or rewritten until `unhold`; releases are looked at as before
        ---
        `/bump 3.11.0`: **❌ refused** — the bot is on hold (hold by maya since 2026-06-12T08:05:00Z: a freeze before the fair): `unhold` comes first
        ---
        `/bump unhold`: **✅ done** — pull requests are opened and rewritten again
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_shown_small_once_it_is_not_so_any_more() {
    run_story(async |stand, pull| {
        let shown = |stand: &Stand| -> Vec<String> {
            let mut all = stand.world.comments(pull.number);
            all.retain(|it| it.body.contains("<!-- digest-bump:answer:1 ") && !it.outdated);
            all.iter().map(|it| it.body.split('`').nth(1).unwrap().to_owned()).collect()
        };
        say(stand, MAINTAINER, pull.number, "/bump hodl").await;
        say(stand, MAINTAINER, pull.number, "/bump hold").await;
        assert_eq!(shown(stand), ["/bump hold"]);
        // What is refused makes nothing untrue: nobody hides a hold by it.
        say(stand, STRANGER, pull.number, "/bump unhold").await;
        assert_eq!(shown(stand), ["/bump hold", "/bump unhold"]);
        say(stand, MAINTAINER, pull.number, "/bump ignore patch").await;
        say(stand, MAINTAINER, pull.number, "/bump unhold").await;
        assert_eq!(shown(stand), ["/bump ignore patch", "/bump unhold"]);
        stand.wait_minutes(5);
        let first = stand.world.remark_as(MAINTAINER, pull.number, FILE, "/bump explain");
        stand.settle().await;
        say(stand, MAINTAINER, pull.number, "/bump explain").await;
        assert!(stand.world.replies(first)[0].outdated);
        assert_eq!(shown(stand), ["/bump ignore patch", "/bump unhold", "/bump explain"]);
        // A token that may not do so loses nothing else.
        let refuses = Fault::on(Service::GitHub).body_contains("minimizeComment");
        let body = r#"{"errors": [{"type": "FORBIDDEN", "message": "no"}]}"#;
        stand.world.fault(refuses.status(200).body(body).always());
        stand.wait_minutes(5);
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump hold");
        let report = stand.once().await;
        assert_eq!(report.troubles.len(), 1, "{report:?}");
        assert_eq!(reactions(stand, comment), ["rocket"]);
        stand.settle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_is_closed_and_not_proposed_until_it_counts_again() {
    run_story(async |stand, pull| {
        let comment = say(stand, MAINTAINER, pull.number, "/bump ignore this").await;
        assert_eq!(stand.open(), Vec::<String>::new());
        assert_eq!(reactions(stand, comment), ["rocket"]);
        stand.world.release("3.11.0").publish().await;
        stand.wait(1);
        stand.settle().await;
        let next = stand.only();
        assert_eq!(next.title, "chore(connector): bump 3.9.3 → 3.11.0");
        say(stand, MAINTAINER, next.number, "/bump ignore minor").await;
        stand.world.release("3.12.0").publish().await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.open(), Vec::<String>::new());
        insta::assert_snapshot!(stand.stages().await, @"
        3.12.0 skipped: maya said `ignore minor` at 2026-06-12T09:10:00Z
        3.11.0 skipped: maya said `ignore minor` at 2026-06-12T09:10:00Z
        3.10.0 skipped: maya said `ignore minor` at 2026-06-12T09:10:00Z
        3.9.3 pinned: the downstream pins it
        ");
        say(stand, MAINTAINER, next.number, "/bump unignore").await;
        assert_eq!(
            stand.open(),
            ["chore(connector): bump 3.9.3 → 3.12.0"],
            "{}\n{:#?}",
            stand.stages().await,
            answers(stand, next.number)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_to_ignore_ends_what_was_asked_for_before_it_and_still_waits() {
    run_story(async |stand, pull| {
        stand.world.release("3.9.4").without_image().publish().await;
        say(stand, MAINTAINER, pull.number, "/bump 3.9.4").await;
        assert_eq!(stand.requests().await, "3.9.4 open: no answer yet");
        say(stand, MAINTAINER, pull.number, "/bump ignore patch").await;
        assert_eq!(
            stand.requests().await,
            "3.9.4 refused: maya said `ignore patch` at 2026-06-12T08:10:00Z, after this was asked \
             for"
        );
        stand.world.publish_image("3.9.4").await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, pull.title);
        // Who asks after the order is heard.
        say(stand, MAINTAINER, pull.number, "/bump 3.9.4").await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.9.4");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_bound_to_the_branch_as_it_was() {
    run_story(async |stand, pull| {
        stand.world.set_permission(MAINTAINER, "admin");
        stand.wait_minutes(5);
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump recreate");
        stand.world.commit_to(&pull.head_branch, "README.md", b"# by hand\n", "docs: by hand");
        stand.settle().await;
        insta::assert_snapshot!(answers(stand, pull.number).join("\n---\n"), @"`/bump recreate`: **❌ refused** — the branch was at `<commit>` when this was said, and is at `<commit>` now: look at it, and say it again");
        assert_eq!(reactions(stand, comment), ["-1"]);
        say(stand, MAINTAINER, pull.number, "/bump recreate").await;
        let readme = stand.world.file(&pull.head_branch, "README.md");
        assert_ne!(readme.as_deref(), Some(b"# by hand\n".as_slice()), "made anew without it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_while_commands_were_off_is_too_old_a_day_later() {
    run_story(async |stand, pull| {
        stand.set("downstream.commands.enabled", false);
        stand.wait_minutes(5);
        let old = stand.world.comment_as(MAINTAINER, pull.number, "/bump hold");
        stand.wait(23);
        let young = stand.world.comment_as(MAINTAINER, pull.number, "/bump help");
        stand.wait(2);
        stand.set("downstream.commands.enabled", true);
        stand.settle().await;
        assert_eq!(reactions(stand, old), Vec::<String>::new());
        assert_eq!(reactions(stand, young), ["rocket"]);
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_the_bot_came_is_not_heard() {
    run_test(async |stand| {
        stand.world.set_permission(MAINTAINER, "write");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        stand.world.comment_as(MAINTAINER, pull.number, "/bump help");
        stand.wait_minutes(1);
        stand.set("downstream.commands.enabled", true);
        stand.settle().await;
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(answers(stand, pull.number), Vec::<String>::new());
        stand.wait_minutes(1);
        let comment = stand.world.comment_as(MAINTAINER, pull.number, "/bump unhold");
        stand.wait_minutes(1);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(reactions(stand, comment), Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_within_the_diff_is_answered_in_its_thread() {
    run_story(async |stand, pull| {
        stand.wait_minutes(5);
        let remark = stand.world.remark_as(MAINTAINER, pull.number, FILE, "/bump explain 3.9.9");
        stand.settle().await;
        let replies = stand.world.replies(remark);
        let texts: Vec<String> = replies.iter().map(|it| shown(stand, &it.body)).collect();
        insta::assert_snapshot!(texts.join("\n---\n"), @"`/bump explain 3.9.9`: **❌ refused** — no release 3.9.9 is known");
        assert_eq!(reactions(stand, remark), ["-1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_of_a_review_is_said_when_the_review_is_submitted() {
    run_story(async |stand, pull| {
        say(stand, MAINTAINER, pull.number, "/bump hold").await;
        // It was begun before the bot is on hold, and ends that.
        stand.wait_minutes(5);
        let text = "/bump unhold";
        let remark = stand.world.review_as(MAINTAINER, pull.number, FILE, text, 8);
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(reactions(stand, remark), ["rocket"]);
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_edited_before_the_bot_came_is_not_heard() {
    run_story(async |stand, pull| {
        stand.wait_minutes(5);
        let plain = stand.world.comment_as(MAINTAINER, pull.number, "/bump help");
        let remark = stand.world.remark_as(MAINTAINER, pull.number, FILE, "/bump help");
        let text = "/bump help";
        let review = stand.world.review_as(MAINTAINER, pull.number, FILE, text, 3);
        stand.wait_minutes(1);
        for comment in [plain, remark, review] {
            stand.world.edit_comment(comment, "/bump hold");
        }
        stand.wait_minutes(1);
        stand.settle().await;
        for comment in [plain, remark, review] {
            assert_eq!(reactions(stand, comment), Vec::<String>::new());
        }
        stand.world.clear_requests();
        stand.settle().await;
        let asked = stand.world.requests();
        let asked = asked.iter().filter(|it| it.path.contains("/graphql")).count();
        assert_eq!(asked, 0, "whether one was edited is asked once");
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
        // What is edited after it was heard changes nothing.
        stand.wait_minutes(5);
        let remark = stand.world.remark_as(MAINTAINER, pull.number, FILE, "/bump explain");
        stand.settle().await;
        stand.world.edit_comment(remark, "/bump hold");
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_comment_was_edited_is_asked_until_there_is_an_answer() {
    run_story(async |stand, pull| {
        let asked = Fault::on(Service::GitHub).body_contains("lastEditedAt");
        stand.world.fault(asked.status(502).always());
        stand.wait_minutes(5);
        let remark = stand.world.remark_as(MAINTAINER, pull.number, FILE, "/bump help");
        stand.wait_minutes(10);
        let later = stand.world.comment_as(MAINTAINER, pull.number, "/bump explain");
        let report = stand.once().await;
        let trouble = &report.troubles[0];
        assert!(trouble.starts_with("whether a comment was edited: "), "{report:?}");
        assert_eq!(reactions(stand, remark), Vec::<String>::new());
        assert_eq!(reactions(stand, later), ["rocket"], "the others do not wait with it");
        stand.world.clear_faults();
        stand.wait_minutes(10);
        stand.settle().await;
        assert_eq!(reactions(stand, remark), ["rocket"]);
        assert_eq!(answers(stand, pull.number).len(), 1, "and what was heard is heard once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_in_one_pass_is_heard_in_the_order_in_which_it_was_said() {
    run_story(async |stand, pull| {
        stand.wait_minutes(5);
        let remark = stand.world.remark_as(MAINTAINER, pull.number, FILE, "/bump hold");
        stand.wait_minutes(1);
        stand.world.comment_as(MAINTAINER, pull.number, "/bump unhold");
        stand.wait_minutes(3);
        stand.settle().await;
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
        insta::assert_snapshot!(shown(stand, &stand.world.replies(remark)[0].body), @"`/bump hold`: **✅ done** — it gave way to `unhold`, which maya said later, at 2026-06-12T08:06:00Z");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_a_reply_is_answered_in_that_thread() {
    run_story(async |stand, pull| {
        stand.wait_minutes(5);
        let first = stand.world.remark_as(STRANGER, pull.number, FILE, "Why this?");
        let reply = stand.world.reply_as(MAINTAINER, first, "/bump explain 3.9.9");
        stand.settle().await;
        let replies = stand.world.replies(first);
        assert_eq!(replies.len(), 2, "{replies:#?}");
        insta::assert_snapshot!(shown(stand, &replies[1].body), @"`/bump explain 3.9.9`: **❌ refused** — no release 3.9.9 is known");
        assert_eq!(reactions(stand, reply), ["-1"]);
        assert_eq!(reactions(stand, first), Vec::<String>::new());
        stand.settle().await;
        assert_eq!(stand.world.replies(first).len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_that_is_deleted_just_before_the_answer_leaves_nothing() {
    run_story(async |stand, pull| {
        let answering = || Fault::on(Service::GitHub).method("POST").path_contains("/replies");
        stand.world.fault(answering().status(502).always());
        stand.wait_minutes(5);
        let remark = stand.world.remark_as(MAINTAINER, pull.number, FILE, "/bump explain 3.9.9");
        let report = stand.once().await;
        assert_eq!(report.troubles.len(), 1, "{report:?}");
        assert_eq!(reactions(stand, remark), ["eyes"]);
        stand.world.delete_comment(remark);
        stand.world.clear_faults();
        for _ in 0..2 {
            stand.wait_minutes(5);
            stand.settle().await;
        }
        // The first of a thread may be gone while what was said in it is there.
        let first = stand.world.remark_as(STRANGER, pull.number, FILE, "Why this?");
        stand.world.reply_as(MAINTAINER, first, "/bump explain 3.9.9");
        stand.world.fault(answering().status(502).always());
        assert_eq!(stand.once().await.troubles.len(), 1);
        stand.world.delete_comment(first);
        stand.world.clear_faults();
        for _ in 0..2 {
            stand.wait_minutes(5);
            stand.settle().await;
        }
    })
    .await;
}
