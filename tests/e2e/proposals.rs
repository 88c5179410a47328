//! What is proposed, offered, held, and what it looks like.
use crate::stand::run_test;
#[tokio::test(flavor = "multi_thread")]
async fn a_minor_becomes_a_pull_request() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let report = stand.settle().await;
        let pulls = stand.world.open_pulls();
        assert_eq!(pulls.len(), 1);
    })
    .await;
}
