//! The base branch moves under an open pull request: made anew where a machine cannot merge it, left
//! alone otherwise.

use crate::stand::run_test;

const FILE: &str = "docker-compose-townhouse.yml";

#[tokio::test(flavor = "multi_thread")]
async fn what_conflicts_is_made_anew_on_the_new_base_with_evidence_of_its_own() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        // Somebody writes a line right below the pin.
        let text = String::from_utf8(stand.world.file("main", FILE).unwrap()).unwrap();
        let pin = text.lines().find(|line| line.contains("@sha256:")).unwrap();
        let text = text.replace(pin, &format!("{pin}\n    stop_grace_period: 30s"));
        stand.world.commit_to("main", FILE, text.as_bytes(), "feat: let it stop");
        stand.settle().await;
        let after = stand.only();
        assert_eq!(after.number, before.number);
        assert_ne!(after.head_sha, before.head_sha);
        let parent = stand.git(&["rev-parse", &format!("{}^", after.head_sha)]);
        assert_eq!(parent, stand.git(&["rev-parse", "main"]));
        let file = stand.world.file(&after.head_sha, FILE).unwrap();
        assert!(String::from_utf8(file).unwrap().contains("stop_grace_period"));
        // It ran again: its harness is another one.
        assert_eq!(stand.runs().await, ["3.10.0 passed", "3.10.0 passed"]);
        assert!(after.body.contains(&format!("made on `{}`", &parent[..8])), "{}", after.body);
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
