//! What the reader of a pull request is given besides the verdict: what a merge releases, which
//! rows of the contract are touched, what is left to do, and what other tools read.

use crate::stand::{Stand, run_in, run_test};
use toml::{Table, Value};
use world::World;

const WORKFLOW: &str = ".github/workflows/publish-townhouse-images.yml";
const CLIENT: &str = "packages/sdk/src/client.ts";
const MAJOR: &str = "\
### ⚠ BREAKING CHANGES

* **admin:** `GET /admin/peers` answers a page instead of a list
* the field `balance` is gone, `openChannel()` returns a `number`
";

/// A section of a body, without its heading.
fn section<'a>(body: &'a str, heading: &str) -> &'a str {
    let (_, rest) = body.split_once(&format!("### {heading}\n\n")).expect(heading);
    let end = rest.find("\n\n### ").or_else(|| rest.find("\n\n<")).unwrap_or(rest.len());
    &rest[..end]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_the_contract_that_the_notes_touch_are_shown_and_no_others() {
    run_test(async |stand| {
        let contract = "\
# Connector release contract

| method | route | answers with |
| --- | --- | --- |
| GET | `/admin/health` | `status`, `uptime` |
| GET | `/admin/peers` | `id`, `relation`, `connected`, `since` |
| POST | `/admin/peers` | `id` |
| GET | `/admin/packets` | `total`, `rejected` |
| GET | `/admin/settlements` | `amount` |
";
        let notes = "### Features\n\n* **admin:** `GET /admin/settlements` | lists @all\n\n\
                     ### Bug Fixes\n\n* `rejected` counts what expired\n* a typo\n";
        stand.world.release("3.10.0").contract(contract).notes(notes).publish().await;
        stand.settle().await;
        insta::assert_snapshot!(section(&stand.only().body, "The contract"), @"
        Upstream's `CONNECTOR_RELEASE_CONTRACT.md` promises all that it did at 3.9.3. Of its 5 rows these are named by the notes, or are not what they were:

        | row | since the pin | what the notes say |
        | --- | --- | --- |
        | `GET /admin/packets` | as it was | 3.10.0: `rejected` counts what expired |
        | `GET /admin/peers` | more: `since` | nothing |
        | `GET /admin/settlements` | new: `amount` | 3.10.0: `GET /admin/settlements` &#124; lists @&#8203;all |
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_that_touch_nothing_are_said_to() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(section(&stand.only().body, "The contract"), @"Upstream's `CONNECTOR_RELEASE_CONTRACT.md` promises all that it did at 3.9.3. The notes name none of its 4 rows.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_title_says_what_a_merge_releases_and_the_body_says_what_that_is() {
    run_test(async |stand| {
        stand.set("proposal.title", "fix(townhouse): {image} {to}");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "fix(townhouse): connector 3.10.0");
        let line = pull.body.lines().find(|line| line.starts_with("Merging this")).unwrap();
        insta::assert_snapshot!(line, @"Merging this under its title releases a patch downstream, by the usual meaning of the type `fix`; `chore` would release nothing.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changeset_is_part_of_what_the_canary_sees_and_of_the_pull_request() {
    run_test(async |stand| {
        let packages = [("@toon-protocol/townhouse", "patch"), ("@toon-protocol/sdk", "minor")];
        let packages = packages.map(|(name, bump)| (name.to_owned(), Value::from(bump)));
        stand.set("proposal.changeset.packages", Table::from_iter(packages));
        stand.canary_script("grep townhouse .changeset/*-$V.md");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        let path = ".changeset/digest-bump-connector-3.10.0.md";
        let file = stand.world.file(&pull.head_branch, path).unwrap();
        insta::assert_snapshot!(String::from_utf8(file).unwrap(), @r#"
        ---
        "@toon-protocol/sdk": minor
        "@toon-protocol/townhouse": patch
        ---

        Bump connector to 3.10.0.
        "#);
        let told = pull.body.lines().filter(|line| line.contains("changeset"));
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @"
        - .changeset/digest-bump-connector-3.10.0.md: a new changeset
        Merging this releases what its changeset says: `@toon-protocol/sdk` (minor), `@toon-protocol/townhouse` (patch).
        ");
        // Another bump is another file, and what was merged stays.
        stand.world.merge(pull.number);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let branch = stand.only().head_branch;
        let folder = stand.git(&["ls-tree", "--name-only", &branch, ".changeset/"]);
        insta::assert_snapshot!(folder, @"
        .changeset/digest-bump-connector-3.10.0.md
        .changeset/digest-bump-connector-3.11.0.md
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_the_bot_may_not_edit_is_left_to_a_person_by_name() {
    run_test(async |stand| {
        stand.set("downstream.site.3.when", "by_hand");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        let head: Vec<&str> = pull.body.lines().take(3).collect();
        insta::assert_snapshot!(head.join("\n"), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; 2 points need a person.**

        - Look at: the bot may not edit this site: .github/workflows/publish-townhouse-images.yml:17 (publish workflow): 3.9.3 → 3.10.0, by hand
        ");
        let changed = stand.git(&["diff", "--name-only", "main", &pull.head_branch]);
        assert!(!changed.contains(WORKFLOW) && changed.lines().count() == 6, "{changed}");
        // Once it is merged the forgotten site is drift, and nothing that the next bump repairs.
        stand.world.merge(pull.number);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.redact(&stand.view().await.drift.join("\n")), @".github/workflows/publish-townhouse-images.yml:17 (publish workflow) spells 3.9.3, the pin is 3.10.0 (<short>)");
        let points = stand.only().body;
        let points: Vec<&str> = points.lines().filter(|it| it.starts_with("- Look at")).collect();
        insta::assert_snapshot!(points.join("\n"), @"
        - Look at: the bot may not edit this site: .github/workflows/publish-townhouse-images.yml:17 (publish workflow): 3.9.3 → 3.11.0, by hand
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_repaired_and_what_else_spells_the_digest_is_named() {
    let builder = World::builder().town(|files| {
        let constants = String::from_utf8(files["packages/townhouse/src/constants.ts"].clone());
        let constants = constants.unwrap();
        let digest = constants.rsplit("connector@").next().unwrap().split('\'').next().unwrap();
        let seen = format!("# Pinned\n\nThe image is {digest}.\n");
        files.insert("docs/pin.md".into(), seen.into_bytes());
        let script = "scripts/townhouse-e2e-local-hs.sh";
        let text = String::from_utf8(files[script].clone()).unwrap().replace("3.9.3", "3.9.0");
        files.insert(script.into(), text.into_bytes());
    });
    run_in(builder, async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let told = section(&body, "Changed files, in lockstep").lines();
        let told = told.filter(|line| line.contains("e2e script") || !line.contains('→'));
        insta::assert_snapshot!(stand.redact(&told.collect::<Vec<_>>().join("\n")), @"
        - scripts/townhouse-e2e-local-hs.sh:7 (e2e script): 3.9.0 → 3.10.0, drift repaired

        Left for a person:

        - the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile: the bot has no tool for them (`canary.prepare`)
        - `docs/pin.md:3`, where <short> still stands

        Merging this under its title releases nothing downstream, by the usual meaning of the type `chore`; `fix` would release a patch.
        ");
    })
    .await;
}

/// The same entries that `dependabot/fetch-metadata` makes of a branch and the message on it.
fn metadata(branch: &str, message: &str) -> Option<String> {
    let block = branch.starts_with("dependabot").then_some(message)?.split_once("\n---\n")?.1;
    let (block, _) = block.split_once("\n...\n")?;
    Some(block.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_that_read_dependabots_metadata_read_the_bots() {
    let builder = World::builder().bot_branches(&["dependabot/docker/*"]);
    run_in(builder, async |stand| {
        stand.set("proposal.branch_prefix", "dependabot/docker/");
        stand.world.release("3.10.0").publish().await;
        stand.world.release("4.0.0").notes(MAJOR).publish().await;
        stand.settle().await;
        let told = |name: &str| {
            let message = stand.git(&["log", "-1", "--format=%B", name]);
            metadata(name, &message)
        };
        insta::assert_snapshot!(told("dependabot/docker/connector").unwrap(), @"
        updated-dependencies:
        - dependency-name: ghcr.io/toon-protocol/connector
          dependency-version: 3.10.0
          dependency-type: direct:production
          update-type: version-update:semver-minor
        ");
        // A stub updates no dependency, and nobody is to approve it for that.
        assert_eq!(told("dependabot/docker/connector-4-migration"), None);
        assert_eq!(stand.open().len(), 2);
        // With its memory gone the bot finds both again.
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.world.pulls().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_under_another_prefix_is_found_and_merged_or_closed() {
    let builder = World::builder().bot_branches(&["digest-bump/*", "bots/*"]);
    run_in(builder, async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.set("proposal.branch_prefix", "bots/");
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!((pull.number, &*pull.head_branch), (1, "digest-bump/connector"));
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.11.0");
        stand.world.merge(pull.number);
        stand.world.release("3.12.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().head_branch, "bots/connector");
    })
    .await;
}

/// A stub for 4.0.0 where the canary fails at it.
async fn failing_major(stand: &mut Stand, script: &str) -> String {
    stand.canary_script(script);
    stand.world.release("4.0.0").notes(MAJOR).publish().await;
    stand.settle().await;
    let pull = stand.only();
    assert!(pull.draft);
    pull.body
}

fn canary_of(body: &str) -> String {
    let lines = body.lines().filter(|line| line.starts_with("The contract canary"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_says_whether_the_canary_passes_at_the_pin_and_where_the_names_are_used() {
    let builder = World::builder().town(|files| {
        let client = "export const peers = () => get('/admin/peers');\nconst rebalance = 1;\n\
                      show(channel.balance);\nopenChannel(peers[0]);\n";
        files.insert(CLIENT.into(), client.as_bytes().to_vec());
        files.insert("pnpm-lock.yaml".into(), b"balance: 1\n".to_vec());
    });
    run_in(builder, async |stand| {
        let body = failing_major(stand, "test $V != 4.0.0 || { echo a page; exit 1; }").await;
        assert_eq!(stand.runs().await, ["4.0.0 failed", "3.9.3 passed"]);
        insta::assert_snapshot!(canary_of(&body), @"The contract canary fails at this release, so there is something to migrate: the canary failed: exit status 1: a page. It passes at the pinned 3.9.3.");
        insta::assert_snapshot!(section(&body, "Where this repository uses these names"), @"
        - `/admin/peers`: `packages/sdk/src/client.ts:1`
        - `balance`: `packages/sdk/src/client.ts:3`
        - `openChannel`: `packages/sdk/src/client.ts:4`
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_says_what_was_broken_before() {
    run_test(async |stand| {
        let body = failing_major(stand, "echo no route; exit 1").await;
        insta::assert_snapshot!(canary_of(&body), @"The contract canary fails at this release, so there is something to migrate: the canary failed: exit status 1: no route. It fails at the pinned 3.9.3 as well, so mend that first: the canary failed: exit status 1: no route.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_is_not_kept_waiting_by_a_pin_that_gives_no_answer() {
    run_test(async |stand| {
        stand.canary_script("test $V != 4.0.0 && exit 75; echo a page; exit 1");
        stand.world.release("4.0.0").notes(MAJOR).publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        for _ in 0..4 {
            stand.wait(2);
            stand.settle().await;
        }
        insta::assert_snapshot!(canary_of(&stand.only().body), @"The contract canary fails at this release, so there is something to migrate: the canary failed: exit status 1: a page. At the pinned 3.9.3 it gave no answer.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_is_ready_at_once_where_there_are_no_drafts() {
    run_test(async |stand| {
        stand.set("migration.draft", false);
        stand.world.release("4.0.0").notes(MAJOR).publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert!(!pull.draft && pull.body.contains("- [ ] Merge this\n"), "{}", pull.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_that_people_edited_and_merged_is_the_last_of_its_line() {
    run_test(async |stand| {
        stand.world.release("4.0.0").notes(MAJOR).publish().await;
        stand.settle().await;
        let pull = stand.only();
        let document = "packages/sdk/CONNECTOR_MIGRATION.md";
        let filled = stand.world.file(&pull.head_branch, document).unwrap();
        let filled = String::from_utf8(filled).unwrap();
        let filled =
            filled.replace("TODO", "done").replace("## Breaking Changes — v3.9.3", "## To the new");
        stand.world.commit_to(&pull.head_branch, document, filled.as_bytes(), "docs: filled in");
        stand.settle().await;
        assert_eq!(stand.only().number, pull.number);
        stand.world.merge(pull.number);
        stand.world.release("4.1.0").publish().await;
        stand.settle().await;
        // Not even without a memory, though no heading names the line any more.
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.world.pulls().len(), 1);
        assert_eq!(stand.stage("4.1.0").await.0, "migrated");
    })
    .await;
}
