//! Tags that are known to hold something else, and a release whose content is under another tag.

use crate::stand::{run_in, run_test};
use digest_bump::reconcile;
use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_tag_is_held_although_tag_and_label_agree() {
    run_in(World::builder().pinned("3.2.0"), async |stand| {
        let world = &stand.world;
        world.release("3.3.4").publish().await;
        world.release("3.4.1").publish().await;
        let listed = format!("f87d7b9b{}", "0".repeat(32));
        world.release("3.4.2").revision(&listed).publish().await;
        world.release("3.5.0").without_image().publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.2.0 → 3.3.4");
        insta::assert_snapshot!(stand.stages().await, @"
        3.5.0 held: there is no image 3.5.0: its content is under the tag 3.4.2
        3.4.2 held: npm's 3.4.2 is of 1975881b, the image of f87d7b9b: the canary's npm half would test other code; the tag 3.4.2 is known to hold the content of 3.5.0
        3.4.1 held: the tag 3.4.1 is known to hold the content of 3.4.2; but its revision label is `<id>`, not the listed 541a38ee: the list may be out of date
        3.3.4 proposed: pull request #1 proposes it
        3.2.0 pinned: the downstream pins it
        ");
        let line = stand.only().body;
        let line = line.lines().find(|line| line.contains("something else |")).unwrap();
        insta::assert_snapshot!(line, @"| the tag is not known to hold something else | ✅ passed | nothing is known against it |");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_ones_own_counts_instead_and_without_a_list_nobody_asks() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let file = stand.state.path().join("issues.toml");
        let text = "[[image]]\nname = \"ghcr.io/toon-protocol/connector\"\n\
                    [[image.corrupt]]\ntag = \"3.10.0\"\nwhat = \"a debug build\"\n";
        std::fs::write(&file, text).unwrap();
        stand.set("upstream.known_issues", file.to_str().unwrap());
        stand.settle().await;
        insta::assert_snapshot!(stand.stage("3.10.0").await.1, @"the tag 3.10.0 is known to hold a debug build");
        stand.set("upstream.known_issues", "none");
        stand.settle().await;
        assert!(!stand.only().body.contains("something else"), "{}", stand.only().body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_that_holds_a_missing_release_is_resolved_once_and_its_digest_told() {
    run_test(async |stand| {
        stand.world.release("3.4.2").publish().await;
        let digest = stand.world.image_digest("3.4.2").unwrap();
        stand.settle().await;
        let config = stand.parsed();
        let missing = "3.5.0".parse().unwrap();
        let known = reconcile::known_issues(&config.watches[0], &stand.memory().await, &missing);
        assert!(known.last().unwrap().contains(&format!("connector@{digest} ")), "{known:?}");
        stand.world.clear_requests();
        stand.wait(1);
        stand.settle().await;
        // Only to see that it did not move, when it is its turn.
        let mut again = stand.world.requests();
        again.retain(|it| it.path.contains("3.4.2"));
        assert!(again.iter().all(|it| it.if_none_match && it.status == 304), "{again:?}");
    })
    .await;
}
