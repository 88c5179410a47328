//! Boxes on the dashboard: a tick asks for an offered patch.

use crate::dashboard::{only, run_story, text};
use crate::stand::Stand;

pub fn with_boxes(stand: &mut Stand) {
    stand.set("downstream.dashboard.checkboxes", true);
    stand.set("downstream.dashboard.anonymous", true);
}

/// Ticks the box of a version, as a browser does.
#[track_caller]
pub fn tick(stand: &Stand, version: &str) {
    let issue = only(stand);
    let empty = format!("- [ ] <!-- request {version} -->");
    assert!(issue.body.contains(&empty), "{}", issue.body);
    let body = issue.body.replace(&empty, &empty.replace("[ ]", "[x]")).replace('\n', "\r\n");
    stand.world.edit_body(issue.number, &body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticked_box_asks_for_its_patch_once() {
    run_story(async |stand| {
        with_boxes(stand);
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(text(stand), @"
        `toon-protocol/town` pins `ghcr.io/toon-protocol/connector` at **3.9.3**, `sha256:…`.

        ### Offered

        Whoever ticks a box asks for its release, as the command does; the next pass answers.

        - [ ] <!-- request 3.9.4 --> **[3.9.4](https://github.com/toon-protocol/connector/releases/tag/v3.9.4)** (patch): every check passed; `digest-bump request bump 3.9.4` proposes it
          - signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at 2026-06-12T08:00:00Z
          - platforms: passed, linux/amd64, linux/arm64
          - version label: passed, labelled 3.9.4
          - source commit: passed, built from a651d3ed, the parent of v3.9.4's commit 5ce0e374
          - tag, package and image agree: passed, git tag v3.9.4 at 5ce0e374; npm 3.9.4 and the image are both of a651d3ed
          - no known issue: passed, nothing is known against it
          - tag unmoved: passed, <short> each time
          - pin sites: passed, 9 of 9 sites present, each as expected
          - canary: passed, contract ok: 1 file, 3 tests passed
        ");
        tick(stand, "3.9.4");
        let report = stand.settle().await;
        let number = stand.only().number;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.9.4");
        assert!(stand.only().body.contains("Asked for by a checkbox."));
        insta::assert_snapshot!(stand.redact(&report.performed.join("\n")), @"
        recorded request 1 for 3.9.4: its box is ticked
        opened pull request #2: chore(connector): bump 3.9.3 → 3.9.4
        answered request 1 for 3.9.4: pull request #2 proposes it
        rewrote the dashboard issue #1
        ");
        insta::assert_snapshot!(stand.requests().await, @"3.9.4 granted: pull request #2 proposes it");
        insta::assert_snapshot!(text(stand), @"
        `toon-protocol/town` pins `ghcr.io/toon-protocol/connector` at **3.9.3**, `sha256:…`.

        ### Proposed

        - [#2](https://github.com/toon-protocol/town/pull/2): chore(connector): bump 3.9.3 → 3.9.4
        ");

        // What a person declines then stays declined.
        stand.world.close(number);
        stand.settle().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.memory().await.requests.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_checkboxes_there_are_none_and_none_is_heeded() {
    run_story(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        let before = only(stand);
        assert!(!before.body.contains("[ ]") && before.body.contains("request bump 3.9.4"));
        let body = format!("- [x] <!-- request 3.9.4 -->\n{}", before.body);
        stand.world.edit_body(before.number, &body);
        stand.settle().await;
        assert_eq!(only(stand).body, before.body);
        assert_eq!((stand.requests().await, stand.open()), (String::new(), vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_by_hand_asks_for_no_more_than_there_is_to_ask_for() {
    run_story(async |stand| {
        with_boxes(stand);
        stand.world.release("3.9.4").publish().await;
        stand.world.release("3.8.0").publish().await;
        stand.settle().await;
        let before = only(stand);
        let wishes = ["99.0.0", "3.9.3", "3.8.0", "not a version", "3.9.4 -->;"];
        let lines = wishes.map(|wish| format!("- [x] <!-- request {wish} -->"));
        stand.world.edit_body(before.number, &format!("{}\n{}", lines.join("\n"), before.body));
        stand.settle().await;
        assert_eq!(stand.requests().await, "3.9.4 granted: pull request #2 proposes it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_was_ticked_before_the_database_was_lost_is_heeded() {
    run_story(async |stand| {
        with_boxes(stand);
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        tick(stand, "3.9.4");
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.9.4");
        assert_eq!(stand.memory().await.requests.len(), 1);
    })
    .await;
}
