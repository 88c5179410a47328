//! People commit to a branch of the bot's: told once, left alone, and made anew when asked.

use crate::by_checks;
use crate::people::BRANCH;
use crate::stand::{Stand, run_test};
use digest_bump::domain::Wish;
use world::{Fault, Service};

/// A person commits to the branch of the open pull request.
fn by_hand(stand: &Stand, branch: &str, line: &str) -> String {
    stand.wait(1);
    let text = format!("# {line}\n");
    stand.world.commit_to(branch, "README.md", text.as_bytes(), &format!("docs: {line}"))
}

/// What the bot said below a pull request.
fn said(stand: &Stand, number: u64) -> Vec<String> {
    let mut comments = stand.world.comments(number);
    comments.retain(|comment| comment.author != "maya");
    comments.into_iter().map(|comment| stand.redact(&comment.body)).collect()
}

async fn asked(stand: &Stand, wish: Wish, version: &str) {
    stand.wait(1);
    stand.wish(wish, version).await;
    stand.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_branch_is_told_of_once_and_labelled() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        by_hand(stand, BRANCH, "by hand");
        let report = stand.settle().await;
        assert_eq!(
            report.performed,
            ["stepped back from pull request #1: a person works on its branch"]
        );
        assert_eq!(stand.only().labels, ["hands-off"]);
        insta::assert_snapshot!(said(stand, 1).join("\n"), @"
        **Hands off.** `digest-bump/connector` is at <id>, which is no commit of this bot's. Whoever works here has the branch: the bot neither moves it nor rewrites this pull request any more, and says nothing more of it.

        It goes on by itself when this is merged or closed, or when the branch is back at <id>. To have it made anew now, without the commits of others:

        ```sh
        digest-bump request recreate 3.10.0
        ```

        The bot then first names here what is lost by that, and how to get it back.

        <!-- digest-bump:comment:1 hands-off <id> -->
        ");

        // More of the same is no news; nor is it without the database.
        by_hand(stand, BRANCH, "more by hand");
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.world.writes(), []);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.world.writes(), []);
        assert_eq!(said(stand, 1).len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_the_bots_again_loses_the_label() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let ours = stand.only().head_sha;
        by_hand(stand, BRANCH, "by hand");
        stand.settle().await;
        stand.world.reset_branch(BRANCH, &ours);
        let report = stand.settle().await;
        assert_eq!(report.performed, ["took up pull request #1 again"]);
        assert!(stand.world.comments(1)[0].outdated);
        assert_eq!(stand.only().labels, [""; 0]);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recreating_names_what_is_lost_and_makes_it_anew() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        by_hand(stand, BRANCH, "by hand");
        stand.settle().await;
        let head = by_hand(stand, BRANCH, "more @someone");
        asked(stand, Wish::Recreate, "3.10.0").await;
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 granted: pull request #1 was made anew");
        let after = stand.only();
        assert_eq!((after.head_sha.as_str(), &after.labels[..]), (&*before.head_sha, &[][..]));
        let said_now = said(stand, 1);
        assert_eq!(said_now.len(), 2);
        insta::assert_snapshot!(said_now[1], @"
        **To be made anew**, as maintainer asked. These commits leave the branch by that:

        - <id> docs: by hand (Maya Maintainer)
        - <id> docs: more @&#8203;someone (Maya Maintainer)

        GitHub keeps them for a while. To have them back in a branch of their own:

        ```sh
        git fetch origin <id>
        git branch before-<short> <id>
        ```

        <!-- digest-bump:comment:1 given-up <id> -->
        ");
        assert_eq!(stand.world.file(&head, "README.md").unwrap(), b"# more @someone\n");

        // It begins anew: another person is told as well, and another wish names other commits.
        by_hand(stand, BRANCH, "once more");
        stand.settle().await;
        assert_eq!((said(stand, 1).len(), stand.only().labels.len()), (3, 1));
        asked(stand, Wish::Recreate, "3.10.0").await;
        assert_eq!((said(stand, 1).len(), stand.only().labels.len()), (4, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recreated_proposes_the_newest() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        by_hand(stand, BRANCH, "by hand");
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        asked(stand, Wish::Recreate, "3.10.0").await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 granted: pull request #1 was made anew, for 3.11.0");
        assert_eq!(said(stand, 1).len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebase_is_made_on_the_base_of_today_with_evidence_of_its_own() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        stand.world.commit_to("main", "README.md", b"# other\n", "docs: other");
        asked(stand, Wish::Rebase, "3.10.0").await;
        let after = stand.only();
        assert_ne!(after.head_sha, before.head_sha);
        let parent = stand.git(&["rev-parse", &format!("{}^", after.head_sha)]);
        assert_eq!(parent, stand.git(&["rev-parse", "main"]));
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 granted: pull request #1 was made anew");
        assert_eq!(stand.runs().await, ["3.10.0 passed", "3.10.0 passed"]);

        // Where nothing moved it is what it was.
        let runs = stand.runs().await.len();
        asked(stand, Wish::Rebase, "3.10.0").await;
        assert_eq!(stand.only().head_sha, after.head_sha);
        assert_eq!(stand.runs().await.len(), runs + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_checks_a_rebase_is_proved_on_a_draft_before_it_is_answered() {
    by_checks::run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        by_checks::ci(stand, "success");
        stand.settle().await;
        let before = stand.only();
        stand.world.commit_to("main", "README.md", b"# other\n", "docs: other");
        asked(stand, Wish::Rebase, "3.10.0").await;
        let draft = by_checks::draft(stand);
        assert_eq!(stand.requests().await, "3.10.0 open: no answer yet");
        by_checks::ci(stand, "success");
        stand.settle().await;
        let after = stand.only();
        assert_eq!((after.number, after.head_sha), (before.number, draft.head_sha));
        assert_eq!(stand.requests().await, "3.10.0 granted: pull request #1 was made anew");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wishes_that_cannot_be_met_are_refused() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        by_hand(stand, BRANCH, "by hand");
        asked(stand, Wish::Rebase, "3.10.0").await;
        asked(stand, Wish::Recreate, "3.11.0").await;
        insta::assert_snapshot!(stand.requests().await, @"
        3.11.0 refused: no open pull request proposes 3.11.0
        3.10.0 refused: pull request #1 has commits by a person: hands off; `recreate` gives them up
        ");
        assert_eq!(said(stand, 1).len(), 1);
        // Its evidence is not what it was: nobody's commits are given up for that.
        stand.world.retag("3.10.0").await;
        let head = stand.only().head_sha;
        asked(stand, Wish::Recreate, "3.10.0").await;
        insta::assert_snapshot!(stand.redact(&stand.requests().await), @"
        3.10.0 refused: the tag 3.10.0 moved: sha256:… (first seen 2026-06-12T08:00:00Z) → sha256:… (seen 2026-06-12T12:00:00Z)
        3.11.0 refused: no open pull request proposes 3.11.0
        3.10.0 refused: pull request #1 has commits by a person: hands off; `recreate` gives them up
        ");
        assert_eq!(stand.only().head_sha, head);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_that_people_edited_is_recreated_too() {
    run_test(async |stand| {
        stand.world.release("4.0.0").notes("### ⚠ BREAKING CHANGES\n\n* gone\n").publish().await;
        stand.settle().await;
        let before = stand.only();
        by_hand(stand, &before.head_branch, "by hand");
        stand.settle().await;
        assert_eq!(stand.only().labels, ["hands-off"]);
        asked(stand, Wish::Recreate, "4.0.0").await;
        assert_eq!(stand.only().head_sha, before.head_sha);
        assert_eq!(said(stand, 1).len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_people_edited_is_recreated_before_it_is_used_again() {
    by_checks::run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let draft = by_checks::draft(stand);
        by_hand(stand, &draft.head_branch, "by hand");
        stand.settle().await;
        assert_eq!(said(stand, 1).len(), 1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        asked(stand, Wish::Recreate, "3.10.0").await;
        let draft = by_checks::draft(stand);
        assert_eq!((draft.number, &draft.labels[..]), (1, &[][..]));
        assert_eq!(said(stand, 1).len(), 2);
        by_checks::ci(stand, "success");
        stand.settle().await;
        assert_eq!(stand.open().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_comment_there_is_one() {
    let kinds: [fn(Fault) -> Fault; 3] =
        [|fault| fault.after_commit(502), |fault| fault.status(502), |fault| fault.status(403)];
    for kind in kinds {
        for path in ["/issues/1/comments", "/issues/1/labels"] {
            run_test(async |stand| {
                stand.world.release("3.10.0").publish().await;
                stand.settle().await;
                by_hand(stand, BRANCH, "by hand");
                let fault = Fault::on(Service::GitHub).method("POST").path_contains(path);
                stand.world.fault(kind(fault));
                stand.once().await;
                stand.settle().await;
                assert_eq!((said(stand, 1).len(), stand.only().labels.len()), (1, 1));
            })
            .await;
        }
    }
}
