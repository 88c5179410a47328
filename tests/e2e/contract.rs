//! What upstream's contract document says at a release, held against what it says at the pinned one.

use crate::dashboard::{run_story as with_dashboard, text};
use crate::honesty::{head, rows};
use crate::stand::run_test;
use world::{Fault, Service};

const CONTRACT: &str = "\
# Connector release contract

| method | route | answers with |
| --- | --- | --- |
| GET | `/admin/health` | `status`, `uptime` |
| GET | `/admin/peers` | `id`, `relation`, `connected` |
| POST | `/admin/peers` | `id` |
| GET | `/admin/packets` | `total`, `rejected` |
";

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_the_contract_promises_no_more_makes_a_major_though_the_notes_say_nothing() {
    run_test(async |stand| {
        let less =
            CONTRACT.replace("`relation`, ", "").replace("| POST | `/admin/peers` | `id` |\n", "");
        stand.world.release("3.10.0").contract(&less).publish().await;
        stand.settle().await;
        let pull = stand.only();
        insta::assert_snapshot!(head(&pull), @"
        **connector 3.10.0 calls itself a MINOR, and is treated as a MAJOR. The pin stays at 3.9.3; merging this changes no running code.**

        - CONNECTOR_RELEASE_CONTRACT.md no longer names `relation` of `GET /admin/peers`, `POST /admin/peers`

        This opens a section with 2 rows in `packages/sdk/CONNECTOR_MIGRATION.md`, for what breaks on the way to [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0). What is not known is marked TODO, for a person to fill in here.

        The contract canary passes at this release as the code stands: contract ok: 1 file, 3 tests passed.
        ");
        insta::assert_snapshot!(rows(stand, &pull.head_branch), @"
        ## Breaking Changes — v3.9.3 → v3.10.0
        | API | v3.9.3 Behavior | v3.10.0 Behavior | Migration |
        | --- | --- | --- | --- |
        | `GET /admin/peers` | TODO | `relation` is no longer named | TODO |
        | `POST /admin/peers` | TODO | no longer named | TODO |
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 proposed: pull request #1 proposes it; a MAJOR, though its version says MINOR: CONNECTOR_RELEASE_CONTRACT.md no longer names `relation` of `GET /admin/peers`, `POST /admin/peers`
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_promises_more_is_no_news() {
    run_test(async |stand| {
        let more = CONTRACT.replace("`uptime`", "`uptime`, `version`");
        let more = format!("{more}| GET | `/admin/links` | `id` |\n");
        stand.world.release("3.10.0").contract(&more).publish().await;
        stand.settle().await;
        let pull = stand.only();
        insta::assert_snapshot!(head(&pull), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**

        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
        let contracts = |asked: &&world::Request| asked.path.contains("/contents/");
        let asked = stand.world.requests();
        assert_eq!(asked.iter().filter(contracts).count(), 2, "at the pin and at the release");
        // Read once for each tag.
        stand.world.release("3.11.0").contract(&more).publish().await;
        stand.world.clear_requests();
        stand.settle().await;
        let asked = stand.world.requests();
        let paths: Vec<&str> = asked.iter().filter(contracts).map(|it| it.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/repos/toon-protocol/connector/contents/CONNECTOR_RELEASE_CONTRACT.md?ref=v3.11.0"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_is_not_there_is_told() {
    run_test(async |stand| {
        stand.world.release("3.10.0").contract("").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(head(&stand.only()), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; 2 points need a person.**

        - Look at: the contract is not compared with the pinned release's: CONNECTOR_RELEASE_CONTRACT.md is not there at v3.10.0
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_proposed_while_the_contract_cannot_be_read() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand
            .world
            .fault(Fault::on(Service::GitHub).path_contains("ref=v3.10.0").status(502).always());
        let report = stand.once().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.redact(&report.troubles.join("\n")), @"CONNECTOR_RELEASE_CONTRACT.md at v3.10.0: github is out of reach: status 502");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 checking: its evidence is being collected
        3.9.3 pinned: the downstream pins it
        ");
        stand.world.clear_faults();
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.10.0"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_contract_that_is_none_is_told_and_holds_nothing() {
    with_dashboard(async |stand| {
        let mirror = "packages/sdk/CONNECTOR_RELEASE_CONTRACT.md";
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert!(!text(stand).contains("Drift"), "{}", text(stand));
        let copy = stand.world.file("main", mirror).unwrap();
        let other = [copy.as_slice(), b"\nP.S.\n"].concat();
        stand.world.commit_to("main", mirror, &other, "docs: say more");
        stand.settle().await;
        insta::assert_snapshot!(text(stand), @"
        `toon-protocol/town` pins `ghcr.io/toon-protocol/connector` at **3.9.3**, `sha256:…`.

        ### Drift

        - packages/sdk/CONNECTOR_RELEASE_CONTRACT.md is no copy of upstream's contract document as it is at 3.10.0, 3.9.3, below 3 lines of header

        <details>
        <summary>Where the copy of the contract differs: what would make it one</summary>

        ```diff
        @@ -19,5 +19,3 @@ What a version number promises to those who pin the connector's image.
         ## Images
         
         `linux/amd64` and `linux/arm64`, under one digest for ever.
        -
        -P.S.
        ```

        </details>

        ### Proposed

        - [#2](https://github.com/toon-protocol/town/pull/2): chore(connector): bump 3.9.3 → 3.10.0
        ");
        // Upstream takes it over.
        let taken = String::from_utf8(other).unwrap();
        let taken = taken.splitn(4, '\n').last().unwrap();
        stand.wait(1);
        stand.world.release("3.11.0").contract(taken).publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        assert!(!text(stand).contains("Drift"), "{}", text(stand));
    })
    .await;
}
