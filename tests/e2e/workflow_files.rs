//! A pin site lies below `.github/workflows`, and the bot may not edit it: the pull request is a draft
//! with the exact patch until a person has applied it.

use crate::people::BRANCH;
use crate::stand::{Stand, run_test};
use digest_bump::domain::Wish;

const FILE: &str = ".github/workflows/publish-townhouse-images.yml";

/// A person applies the patch in the open pull request.
fn apply(stand: &Stand) {
    let body = stand.only().body;
    let (_, patch) = body.split_once("```diff\n").expect("the patch");
    let (patch, _) = patch.split_once("\n```").unwrap();
    assert_eq!(patch.matches("diff --git").count(), 1, "{patch}");
    let line = |sign: char| {
        let mut lines = patch.lines().filter(|line| line.starts_with(sign) && !line.contains(FILE));
        lines.next().unwrap()[1..].to_owned()
    };
    let text = String::from_utf8(stand.world.file(BRANCH, FILE).unwrap()).unwrap();
    assert_eq!(text.matches(&line('-')).count(), 1);
    let text = text.replace(&line('-'), &line('+'));
    stand.wait(1);
    stand.world.commit_to(BRANCH, FILE, text.as_bytes(), "ci: bump the pinned digest");
}

fn changed(stand: &Stand) -> Vec<String> {
    let changed = stand.git(&["diff", "--name-only", "main", BRANCH]);
    changed.lines().map(str::to_owned).collect()
}

/// The first push is refused: only then a token that says nothing of its scopes is known to have one
/// less.
async fn refused_once(stand: &Stand) {
    stand.world.allow_workflows(false);
    stand.world.release("3.10.0").publish().await;
    let app = stand.app().await;
    stand.pass(&app).await;
    let report = digest_bump::daemon::once(&app).await.unwrap().remove(0).unwrap();
    assert!(report.troubles.iter().all(|it| it.contains("refusing to allow")), "{report:?}");
    app.store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_may_not_edit_is_a_patch_in_a_draft_until_a_person_applied_it() {
    run_test(async |stand| {
        refused_once(stand).await;
        stand.settle().await;
        let pull = stand.only();
        assert!(pull.draft);
        assert!(!changed(stand).contains(&FILE.to_owned()), "{:?}", changed(stand));
        let (_, rest) = pull.body.split_once("### Left for a person").unwrap();
        let (section, _) = rest.split_once("\n### ").or(rest.split_once("\nMerging")).unwrap();
        insta::assert_snapshot!(stand.redact(section), @"
        : the workflow files

        Where this repository has drafts, this is one until its branch has this edit, and nothing else, on top. A commit of exactly this patch is none that makes the bot keep its hands off.

        ```diff
        diff --git a/.github/workflows/publish-townhouse-images.yml b/.github/workflows/publish-townhouse-images.yml
        --- a/.github/workflows/publish-townhouse-images.yml
        +++ b/.github/workflows/publish-townhouse-images.yml
        @@ -14,7 +14,7 @@ on:
         env:
           REGISTRY: ghcr.io
           # Keep in step with packages/townhouse/src/constants.ts; the preflight compares them.
        -  CONNECTOR_VERSION_DEFAULT: '3.9.3'
        +  CONNECTOR_VERSION_DEFAULT: '3.10.0'
         
         jobs:
           preflight:
        ```

        ```sh
        git fetch origin digest-bump/connector
        git switch --detach FETCH_HEAD
        git apply     # paste the patch, then Ctrl-D
        git commit --all --message 'ci: bump the pinned digest'
        git push origin HEAD:digest-bump/connector
        ```
        ");
        let point = pull.body.lines().find(|line| line.starts_with("- Look at: the bot's token"));
        insta::assert_snapshot!(stand.redact(point.unwrap()), @r#"- Look at: the bot's token may not edit `.github/workflows/publish-townhouse-images.yml` (the permission "workflows"): apply the patch below, or that workflow goes on with what is pinned now (publish workflow: 3.9.3 → 3.10.0)"#);
        let before = changed(stand).len();

        apply(stand);
        let report = stand.settle().await;
        assert_eq!(report.performed, ["marked pull request #1 as ready"]);
        let pull = stand.only();
        assert!(!pull.draft && pull.labels.is_empty() && stand.world.comments(1).is_empty());
        assert_eq!(changed(stand).len(), before + 1);

        // A newer release takes it over, and is a draft again.
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert!(pull.draft, "{}", pull.body);
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.11.0");
        apply(stand);
        stand.settle().await;
        let pull = stand.only();
        assert!(!pull.draft);
        stand.world.merge(pull.number);
        stand.settle().await;
        assert!(!stand.world.branches().contains_key(BRANCH));
        assert_eq!(stand.view().await.drift, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_github_has_no_drafts_it_is_opened_as_it_is_and_says_what_is_missing() {
    run_test(async |stand| {
        stand.world.allow_drafts(false);
        refused_once(stand).await;
        stand.settle().await;
        let pull = stand.only();
        assert!(!pull.draft && pull.body.contains("### Left for a person: the workflow files"));
        assert!(!changed(stand).contains(&FILE.to_owned()), "{:?}", changed(stand));

        // A newer release takes it over, which would make it a draft.
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!((pull.number, pull.draft), (1, false));
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.11.0");

        apply(stand);
        stand.settle().await;
        stand.world.merge(pull.number);
        stand.settle().await;
        assert_eq!(stand.view().await.drift, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_commit_than_the_patch_is_a_persons() {
    run_test(async |stand| {
        refused_once(stand).await;
        stand.settle().await;
        apply(stand);
        stand.world.commit_to(BRANCH, "README.md", b"# by hand\n", "docs: by hand");
        stand.settle().await;
        let pull = stand.only();
        assert!(pull.draft);
        assert_eq!((pull.labels, stand.world.comments(1).len()), (vec!["hands-off".to_owned()], 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_may_edit_after_all_is_an_ordinary_site() {
    run_test(async |stand| {
        refused_once(stand).await;
        stand.settle().await;
        assert!(stand.only().draft);
        // It does not try by itself: whoever granted it asks.
        stand.world.allow_workflows(true);
        stand.settle().await;
        assert!(stand.only().draft);
        stand.wait(1);
        stand.wish(Wish::Rebase, "3.10.0").await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!((pull.number, pull.draft), (1, false), "{}", pull.body);
        assert!(changed(stand).contains(&FILE.to_owned()), "{:?}", changed(stand));
        assert!(!pull.body.contains("Left for a person: the workflow"), "{}", pull.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_for_again_it_is_tried_once_more_and_no_harm_done() {
    run_test(async |stand| {
        refused_once(stand).await;
        stand.settle().await;
        stand.wait(1);
        stand.wish(Wish::Rebase, "3.10.0").await;
        stand.once().await;
        stand.settle().await;
        let pull = stand.only();
        assert!(pull.draft && pull.body.contains("Left for a person: the workflow"));
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 granted: pull request #1 was made anew");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_knows_before_it_pushes_what_it_was_not_granted() {
    run_test(async |stand| {
        stand.become_app();
        stand.world.allow_workflows(false);
        let rest = ["contents", "pull_requests", "issues", "checks"].map(|it| (it, "write"));
        stand.world.grant_app(&rest);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert!(pull.draft);
        assert!(!changed(stand).contains(&FILE.to_owned()), "{:?}", changed(stand));
        apply(stand);
        stand.settle().await;
        assert!(!stand.only().draft);
    })
    .await;
}
