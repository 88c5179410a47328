//! The base branch moves under an open pull request: made anew where a machine cannot merge it, left
//! alone otherwise.

use crate::by_checks;
use crate::stand::{Stand, run_test};
use world::Pull;

const FILE: &str = "docker-compose-townhouse.yml";

/// Somebody writes a line right below the pin.
fn write_below_the_pin(stand: &Stand) {
    let text = String::from_utf8(stand.world.file("main", FILE).unwrap()).unwrap();
    let pin = text.lines().find(|line| line.contains("@sha256:")).unwrap();
    let text = text.replace(pin, &format!("{pin}\n    stop_grace_period: 30s"));
    stand.world.commit_to("main", FILE, text.as_bytes(), "feat: let it stop");
}

/// The base branch moves so that the open pull request conflicts, which is then made anew.
async fn is_made_anew(stand: &Stand) -> Pull {
    let (before, runs) = (stand.only(), stand.runs().await.len());
    write_below_the_pin(stand);
    stand.settle().await;
    let after = stand.only();
    assert_eq!((after.number, &after.title), (before.number, &before.title));
    assert_ne!(after.head_sha, before.head_sha);
    let parent = stand.git(&["rev-parse", &format!("{}^", after.head_sha)]);
    assert_eq!(parent, stand.git(&["rev-parse", "main"]));
    let file = stand.world.file(&after.head_sha, FILE).unwrap();
    assert!(String::from_utf8(file).unwrap().contains("stop_grace_period"));
    assert!(after.body.contains(&format!("made on `{}`", &parent[..8])), "{}", after.body);
    assert!(stand.runs().await.len() > runs, "it has evidence of its own");
    after
}

#[tokio::test(flavor = "multi_thread")]
async fn what_conflicts_is_made_anew_on_the_new_base_with_evidence_of_its_own() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        is_made_anew(stand).await;
        // It ran again: its harness is another one.
        assert_eq!(stand.runs().await, ["3.10.0 passed", "3.10.0 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_major_that_was_asked_for_and_conflicts_is_made_anew() {
    run_test(async |stand| {
        let notes = "### BREAKING CHANGES\n\n* **admin:** peers come in pages\n";
        stand.world.release("4.0.0").notes(notes).publish().await;
        stand.settle().await;
        stand.world.merge(stand.only().number);
        stand.settle().await;
        stand.wait(1);
        stand.request("4.0.0").await;
        stand.settle().await;
        assert_eq!(stand.stage("4.0.0").await.0, "proposed");
        let after = is_made_anew(stand).await;
        assert!(after.body.contains("Asked for by maintainer"), "{}", after.body);
        assert_eq!(stand.stage("4.0.0").await.0, "proposed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_only_a_wish_asked_for_and_conflicts_is_made_anew() {
    run_test(async |stand| {
        stand.set("proposal.patches", "skip");
        stand.world.release("3.9.4").publish().await;
        stand.request("3.9.4").await;
        stand.settle().await;
        is_made_anew(stand).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_below_a_newer_one_that_is_offered_and_conflicts_is_made_anew() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.request("3.9.4").await;
        stand.settle().await;
        stand.wait(1);
        stand.world.release("3.9.5").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.9.4");
        is_made_anew(stand).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_of_the_pin_sites_that_conflicts_is_made_anew() {
    run_test(async |stand| {
        let text = String::from_utf8(stand.world.file("main", FILE).unwrap()).unwrap();
        let digest = stand.world.image_digest("3.9.3").unwrap();
        let text = text.replace(&digest, &format!("sha256:{}", "d".repeat(64)));
        stand.world.commit_to("main", FILE, text.as_bytes(), "fix: another one");
        stand.request("3.9.3").await;
        stand.settle().await;
        let after = is_made_anew(stand).await;
        let file = String::from_utf8(stand.world.file(&after.head_sha, FILE).unwrap()).unwrap();
        assert!(file.contains(&digest), "{file}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_checks_what_conflicts_is_proved_on_a_draft_and_then_made_anew() {
    by_checks::run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        by_checks::ci(stand, "success");
        stand.settle().await;
        let before = stand.only();
        write_below_the_pin(stand);
        stand.settle().await;
        let draft = by_checks::draft(stand);
        stand.settle().await;
        assert_eq!(by_checks::draft(stand), draft);
        by_checks::ci(stand, "success");
        stand.settle().await;
        let after = stand.only();
        assert_eq!((after.number, after.draft), (before.number, false));
        assert_eq!(after.head_sha, draft.head_sha);
        let parent = stand.git(&["rev-parse", &format!("{}^", after.head_sha)]);
        assert_eq!(parent, stand.git(&["rev-parse", "main"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_moves_elsewhere_changes_nothing() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        stand.world.commit_to("main", "README.md", b"# other\n", "docs: other");
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.only(), before);
        assert_eq!(stand.world.writes(), []);
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_branch_of_what_was_merged_is_deleted() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let branch = stand.only().head_branch;
        stand.world.merge(1);
        let report = stand.settle().await;
        assert_eq!(report.performed, [format!("deleted the branch {branch}")]);
        assert!(!stand.world.branches().contains_key(&branch));
        // Once: what is there by then is another one's.
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().head_branch, branch);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.only().head_branch, branch);
    })
    .await;
}
