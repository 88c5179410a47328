//! What the downstream pins of the sidecar, and the registry does not give any more, or never did.

use crate::companion_tags::digest;
use crate::companions::{SIDECAR, with_line, with_site};
use crate::tags::named;

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_digest_that_vanished_is_worse_and_said_so() {
    with_site(async |stand| {
        stand.settle().await;
        let pinned = digest(stand, "3.9.3");
        stand.wait(1);
        stand.world.delete_manifest(&pinned);
        stand.settle().await;
        insta::assert_snapshot!(stand.alarms().await.replace(&pinned, "PINNED"), @"
        ator-sidecar: the registry does NOT serve the pinned digest PINNED of 3.9.3 any more (seen 2026-06-12T09:00:00Z): whoever does not have it yet cannot pull what is pinned
        ator-sidecar: the tag 3.9.3 was taken away: PINNED (first seen 2026-06-12T08:00:00Z) → gone (seen 2026-06-12T09:00:00Z); the downstream pins PINNED, which is NOT served any more
        ");
        assert_eq!(stand.world.writes(), []);
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moved_before_the_bot_ever_looked_is_found_out_by_the_pin() {
    with_site(async |stand| {
        let pinned = digest(stand, "3.9.3");
        stand.world.retag_sidecar("3.9.3").await;
        let after = digest(stand, "3.9.3");
        stand.settle().await;
        let alarms = named(&stand.alarms().await, &[(&pinned, "PINNED"), (&after, "AFTER")]);
        insta::assert_snapshot!(alarms, @"ator-sidecar: 3.9.3 is pinned at PINNED, but its tag gave AFTER when it was first resolved (2026-06-12T08:00:00Z): it was moved before, or the pin is of another release");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_spells_only_one_of_the_two_is_watched_as_well() {
    let only_version = format!("^SIDECAR={SIDECAR}:{{{{version}}}}@sha256:[0-9a-f]{{64}}$");
    with_line(&only_version, async |stand| {
        stand.settle().await;
        let before = digest(stand, "3.9.3");
        stand.wait(1);
        stand.world.retag_sidecar("3.9.3").await;
        let after = digest(stand, "3.9.3");
        stand.settle().await;
        let alarms = named(&stand.alarms().await, &[(&before, "BEFORE"), (&after, "AFTER")]);
        insta::assert_snapshot!(alarms, @"ator-sidecar: the tag 3.9.3 moved: BEFORE (first seen 2026-06-12T08:00:00Z) → AFTER (seen 2026-06-12T09:00:00Z); the downstream pins BEFORE, which is still served");
    })
    .await;
    let only_digest = format!("^SIDECAR={SIDECAR}:[0-9.]+@{{{{digest}}}}$");
    with_line(&only_digest, async |stand| {
        stand.settle().await;
        let pinned = digest(stand, "3.9.3");
        stand.wait(1);
        stand.world.delete_manifest(&pinned);
        stand.settle().await;
        insta::assert_snapshot!(stand.alarms().await.replace(&pinned, "PINNED"), @"ator-sidecar: the registry does NOT serve the pinned digest PINNED any more (seen 2026-06-12T09:00:00Z): whoever does not have it yet cannot pull what is pinned");
    })
    .await;
}
