//! Releases that call themselves less than they are: a migration stub, the pin untouched, and the
//! reason wherever a maintainer looks.

use crate::stand::{Stand, run_in, run_test};
use world::Pull;

const BREAKING: &str = "\
## [3.10.0](https://github.com/toon-protocol/connector/compare/v3.9.3...v3.10.0) (2026-06-12)

### ⚠ BREAKING CHANGES

* **admin:** `GET /admin/peers` answers a page instead of a list
* the field `balance` is gone

### Features

* pages
";

const DOCUMENT: &str = "packages/sdk/CONNECTOR_MIGRATION.md";

/// The open stub, which must be there.
#[track_caller]
fn stub(stand: &Stand) -> Pull {
    let stubs = |pull: &Pull| pull.head_branch.ends_with("-migration");
    stand.world.open_pulls().into_iter().find(stubs).unwrap()
}

/// The head of a body: what is read before anything else.
pub(crate) fn head(pull: &Pull) -> String {
    let lines = pull.body.lines().take_while(|line| !line.starts_with(['|', '<']));
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The rows that a branch adds to the migration document.
pub(crate) fn rows(stand: &Stand, branch: &str) -> String {
    let diff = stand.git(&["diff", "-U0", "main", branch, "--", DOCUMENT]);
    let added = diff.lines().filter_map(|line| line.strip_prefix('+'));
    added.filter(|line| line.starts_with(['|', '#'])).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minor_with_breaking_notes_becomes_a_stub_and_the_older_honest_one_is_proposed() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").notes(BREAKING).publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 proposed: pull request #1 proposes it; a MAJOR, though its version says MINOR: the notes of 3.11.0 name 2 breaking changes
        3.10.0 proposed: pull request #2 proposes it
        3.9.4 covered: 3.10.0 contains it
        3.9.3 pinned: the downstream pins it
        ");
        let stub = stub(stand);
        assert_eq!(stub.head_branch, "digest-bump/connector-3.11.0-migration");
        let text = format!("{}\n\n{}", stub.title, stub.body);
        insta::assert_snapshot!(stand.redact(&text), @r#"
        docs(connector): migration stub for 3.9.3 → 3.11.0

        **connector 3.11.0 calls itself a MINOR, and is treated as a MAJOR. The pin stays at 3.9.3; merging this changes no running code.**

        - the notes of 3.11.0 name 2 breaking changes

        This opens a section with 2 rows in `packages/sdk/CONNECTOR_MIGRATION.md`, for what breaks on the way to [3.11.0](https://github.com/toon-protocol/connector/releases/tag/v3.11.0). What is not known is marked TODO, for a person to fill in here.

        The contract canary passes at this release as the code stands: contract ok: 1 file, 3 tests passed.

        <details>
        <summary>The last lines that it printed</summary>

        ```text
        environment: EXPECT_DIGEST HOME LANG PATH TMPDIR WORLD_REGISTRY
        resolved ghcr.io/toon-protocol/connector@sha256:… platforms linux/amd64 linux/arm64
        connector 3.11.0 answers
        GET /health ok
        GET /admin/channels ok
        GET /admin/peers ok
        contract ok: 1 file, 3 tests passed
        ```

        </details>

        ### The migration cycle

        - [ ] Fill in the TODO cells of the new section
        - [ ] Adapt the code that uses what changed
        - [ ] Mark this draft as ready, and merge it
        - [ ] Ask for the pin, where the bot runs: `digest-bump request bump 3.11.0`

        What is committed to this branch is left alone, and so is the section once it is merged: there is one such pull request for each migration. Closing it declines the migration.

        The image is `ghcr.io/toon-protocol/connector@sha256:…`.

        <details>
        <summary>Release notes of the 3 releases since the pin</summary>

        #### [3.11.0](https://github.com/toon-protocol/connector/releases/tag/v3.11.0)

        **⚠ Breaking changes**

        - **admin:** `GET /admin/peers` answers a page instead of a list
        - the field `balance` is gone

        **Features**

        - pages

        #### [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0)

        **Features**

        - something new in 3.10.0

        #### [3.9.4](https://github.com/toon-protocol/connector/releases/tag/v3.9.4)

        **Features**

        - something new in 3.9.4

        </details>

        <!-- digest-bump:1 {"kind":"migration_stub","version":"3.11.0","digest":"sha256:…","commit":"<id>","requested":false} -->
        "#);
        insta::assert_snapshot!(rows(stand, &stub.head_branch), @"
        ## Breaking Changes — v3.9.3 → v3.11.0
        | API | v3.9.3 Behavior | v3.11.0 Behavior | Migration |
        | --- | --- | --- | --- |
        | admin | TODO | `GET /admin/peers` answers a page instead of a list | TODO |
        | TODO | TODO | the field `balance` is gone | TODO |
        ");
        let pulls = stand.world.open_pulls();
        let bump = pulls.iter().find(|pull| pull.head_branch == "digest-bump/connector").unwrap();
        assert_eq!(bump.title, "chore(connector): bump 3.9.3 → 3.10.0");
        // It is told there that a newer one was passed over, and why.
        insta::assert_snapshot!(head(bump), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; 2 points need a person.**

        - Look at: 3.11.0 is newer, but not proposed: a MAJOR, though its version says MINOR: the notes of 3.11.0 name 2 breaking changes
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn later_releases_are_part_of_the_stub_until_one_breaks_more() {
    run_test(async |stand| {
        stand.world.release("3.10.0").notes(BREAKING).publish().await;
        stand.settle().await;
        let first = stand.only();
        stand.world.release("3.11.0").publish().await;
        stand.world.release("3.11.1").publish().await;
        stand.settle().await;
        assert_eq!(stand.only(), first);
        stand.world.release("3.12.0").notes("* **admin!:** peers are keyed by id").publish().await;
        stand.settle().await;
        assert_eq!(stand.only(), first);
        insta::assert_snapshot!(stand.stages().await, @"
        3.12.0 waiting: the migration to 3.10.0, pull request #1, comes first; looked at again in each pass; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes; the notes of 3.12.0 name a breaking change: “peers are keyed by id”
        3.11.1 covered: 3.10.0 contains it; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes
        3.11.0 covered: 3.10.0 contains it; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes
        3.10.0 proposed: pull request #1 proposes it; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes
        3.9.3 pinned: the downstream pins it
        ");
        stand.world.merge(first.number);
        stand.settle().await;
        let second = stub(stand);
        assert_eq!(second.title, "docs(connector): migration stub for 3.9.3 → 3.12.0");
        // The older rows are in the document already.
        insta::assert_snapshot!(rows(stand, &second.head_branch), @"
        ## Breaking Changes — v3.9.3 → v3.12.0
        | API | v3.9.3 Behavior | v3.12.0 Behavior | Migration |
        | --- | --- | --- | --- |
        | admin | TODO | peers are keyed by id | TODO |
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.12.0 proposed: pull request #2 proposes it; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes; the notes of 3.12.0 name a breaking change: “peers are keyed by id”
        3.11.1 migrated: its migration is in the document; `digest-bump request bump 3.11.1` moves the pin; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes
        3.11.0 migrated: its migration is in the document; `digest-bump request bump 3.11.0` moves the pin; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes
        3.10.0 migrated: its migration is in the document; `digest-bump request bump 3.10.0` moves the pin; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_life_from_the_stub_until_the_pin_moves() {
    run_test(async |stand| {
        stand.world.release("3.10.0").notes(BREAKING).publish().await;
        stand.settle().await;
        stand.request("3.10.0").await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: the migration to 3.10.0 has to be merged into the migration document first; looked at again in each pass; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes
        3.9.3 pinned: the downstream pins it
        ");
        stand.world.merge(stand.only().number);
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(head(&pull), @"
        **connector 3.9.3 → 3.10.0 calls itself a MINOR, and is treated as a MAJOR. Every required check passed; 2 points need a person.** Asked for by maintainer.

        - Look at: a MAJOR, see its section in the migration document: the notes of 3.10.0 name 2 breaking changes
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 granted: pull request #2 proposes it");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 proposed: pull request #2 proposes it; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes
        3.9.3 pinned: the downstream pins it
        ");
        stand.world.merge(pull.number);
        stand.world.release("3.11.0").publish().await;
        stand.wait(1);
        stand.settle().await;
        // What came after it is measured from the new pin, and is honest.
        assert_eq!(stand.open(), ["chore(connector): bump 3.10.0 → 3.11.0"]);
        assert_eq!(stand.view().await.pinned, Some("3.10.0".parse().unwrap()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_removes_an_admin_route_is_no_patch() {
    run_test(async |stand| {
        let notes =
            "### Bug Fixes\n\n* **admin:** remove `GET /admin/peers` ([0a1b2c3](https://x.y))\n";
        stand.world.release("3.9.4").notes(notes).publish().await;
        stand.settle().await;
        let pull = stand.only();
        insta::assert_snapshot!(head(&pull), @"
        **connector 3.9.4 calls itself a patch, and is treated as a MAJOR. The pin stays at 3.9.3; merging this changes no running code.**

        - the notes of 3.9.4 remove or rename something below `/admin/`: “remove `GET /admin/peers`”

        This opens a section with 1 row in `packages/sdk/CONNECTOR_MIGRATION.md`, for what breaks on the way to [3.9.4](https://github.com/toon-protocol/connector/releases/tag/v3.9.4). What is not known is marked TODO, for a person to fill in here.

        The contract canary passes at this release as the code stands: contract ok: 1 file, 3 tests passed.
        ");
        insta::assert_snapshot!(rows(stand, &pull.head_branch), @"
        ## Breaking Changes — v3.9.3 → v3.9.4
        | API | v3.9.3 Behavior | v3.9.4 Behavior | Migration |
        | --- | --- | --- | --- |
        | admin | TODO | remove `GET /admin/peers` | TODO |
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.9.4 proposed: pull request #1 proposes it; a MAJOR, though its version says patch: the notes of 3.9.4 remove or rename something below `/admin/`: “remove `GET /admin/peers`”
        3.9.3 pinned: the downstream pins it
        ");
        // Declined: nothing of it comes back, also when the bot forgets all that it knew.
        stand.world.close(pull.number);
        stand.settle().await;
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.9.4 declined: pull request #1 was closed without merging; a MAJOR, though its version says patch: the notes of 3.9.4 remove or rename something below `/admin/`: “remove `GET /admin/peers`”
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_platform_is_a_major_and_the_pin_follows_when_nobody_promises_it_any_more() {
    run_test(async |stand| {
        let lost = stand.world.release("3.10.0").platforms(&["linux/amd64"]);
        lost.publish().await;
        stand.settle().await;
        let pull = stand.only();
        let text = format!("{}\n\n{}", pull.title, pull.body);
        let shown = stand.redact(&text);
        insta::assert_snapshot!(shown.split("<details>").next().unwrap(), @"
        docs(connector): migration stub for 3.9.3 → 3.10.0

        **connector 3.10.0 calls itself a MINOR, and is treated as a MAJOR. The pin stays at 3.9.3; merging this changes no running code.**

        - its image has no linux/arm64, which the pinned one has

        This opens a section with 1 row in `packages/sdk/CONNECTOR_MIGRATION.md`, for what breaks on the way to [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0). What is not known is marked TODO, for a person to fill in here.

        The contract canary passes at this release as the code stands: contract ok: 1 file, 3 tests passed.
        ");
        let cycle = shown.split("### The migration cycle").nth(1).unwrap();
        insta::assert_snapshot!(cycle.split("The image").next().unwrap(), @"


        - [ ] Fill in the TODO cells of the new section
        - [ ] Adapt the code that uses what changed
        - [ ] Take linux/arm64 out of `upstream.platforms` in the bot's config, if it is there
        - [ ] Mark this draft as ready, and merge it
        - [ ] Ask for the pin, where the bot runs: `digest-bump request bump 3.10.0`

        What is committed to this branch is left alone, and so is the section once it is merged: there is one such pull request for each migration. Closing it declines the migration.
        ");
        insta::assert_snapshot!(rows(stand, &pull.head_branch), @"
        ## Breaking Changes — v3.9.3 → v3.10.0
        | API | v3.9.3 Behavior | v3.10.0 Behavior | Migration |
        | --- | --- | --- | --- |
        | image | TODO | no linux/arm64 any more | TODO |
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 proposed: pull request #1 proposes it; a MAJOR, though its version says MINOR: its image has no linux/arm64, which the pinned one has
        3.9.3 pinned: the downstream pins it
        ");

        stand.world.merge(pull.number);
        stand.settle().await;
        stand.request("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 refused: the image lacks linux/arm64; it has linux/amd64; once nothing needs linux/arm64 any more, take it out of `upstream.platforms` in the bot's config, and ask again");

        let fewer = vec![toml::Value::from("linux/amd64")];
        stand.set("upstream.platforms", toml::Value::Array(fewer));
        stand.request("3.10.0").await;
        stand.settle().await;
        let pull = stand.only();
        insta::assert_snapshot!(head(&pull), @"
        **connector 3.9.3 → 3.10.0 calls itself a MINOR, and is treated as a MAJOR. Every required check passed; 2 points need a person.** Asked for by maintainer.

        - Look at: a MAJOR, see its section in the migration document: its image has no linux/arm64, which the pinned one has
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
        stand.world.merge(pull.number);
        stand.settle().await;
        assert_eq!(stand.view().await.pinned, Some("3.10.0".parse().unwrap()));
    })
    .await;
}

/// Which branch the stub would have is known only once the image was looked at; and with a broken
/// pin site there is no canary to wait for, so that all of it happens in one pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_declined_stub_for_a_lost_platform_is_not_revived_without_the_database() {
    let builder = world::World::builder().town(|files| {
        files.remove("docker-compose-townhouse.yml");
    });
    run_in(builder, async |stand| {
        let lost = stand.world.release("3.10.0").platforms(&["linux/amd64"]);
        lost.publish().await;
        stand.settle().await;
        stand.world.close(stand.only().number);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        let (word, _) = stand.stage("3.10.0").await;
        assert_eq!(word, "declined");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_added_is_a_note_and_no_major() {
    run_test(async |stand| {
        let platforms = ["linux/amd64", "linux/arm64", "linux/riscv64"];
        let more = stand.world.release("3.10.0").platforms(&platforms);
        more.publish().await;
        stand.settle().await;
        insta::assert_snapshot!(head(&stand.only()), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**

        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        - New since the pin: linux/riscv64
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_the_next_release_has_again_needs_no_migration() {
    run_test(async |stand| {
        let lost = stand.world.release("3.10.0").platforms(&["linux/amd64"]);
        lost.publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.11.0"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_that_are_mended_after_the_proposal_take_it_back() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let bump = stand.only();
        stand.world.edit_notes("3.10.0", BREAKING);
        stand.settle().await;
        assert_eq!(stand.open(), ["docs(connector): migration stub for 3.9.3 → 3.10.0"]);
        let closed = stand.world.pulls().into_iter().find(|pull| pull.number == bump.number);
        insta::assert_snapshot!(closed.unwrap().body.lines().next().unwrap(), @"**Closed by the bot: 3.10.0 turned out to be a MAJOR, whatever its version says: its migration comes first.**");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_says_why_it_is_a_major() {
    run_test(async |stand| {
        stand.world.release("3.10.0").notes(BREAKING).publish().await;
        stand.settle().await;
        let config = stand.parsed();
        let (memory, now) = (stand.memory().await, stand.clock.now());
        let version = "3.10.0".parse().unwrap();
        let explained = digest_bump::reconcile::explain(&config.watches[0], &memory, &version, now);
        let explained = explained.unwrap();
        let text = digest_bump::render::explain(&explained);
        insta::assert_snapshot!(stand.redact(text.lines().next().unwrap()), @"3.10.0 (MAJOR, published 2026-06-12T08:00:00Z) is proposed: pull request #1 proposes it; a MAJOR, though its version says MINOR: the notes of 3.10.0 name 2 breaking changes");
        let json = serde_json::to_value(&explained).unwrap();
        assert_eq!(json["bump"], "major");
        insta::assert_snapshot!(json["understated"], @r#"["the notes of 3.10.0 name 2 breaking changes"]"#);
    })
    .await;
}
