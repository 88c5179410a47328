//! What needs all of the downstream where it is cloned, and a few of its files where it is not: with
//! commits through GitHub's API and a canary that is not run here.

use crate::by_checks::{by_checks, ci};
use crate::by_workflow::{by_workflow, ends, last, scratch};
use crate::stand::{Stand, run_in};
use world::{World, WorldBuilder};

const PIN: &str = "docker-compose-townhouse.yml";
const CONSTANTS: &str = "packages/townhouse/src/constants.ts";

/// That nothing was cloned is looked at where every story ends.
async fn run_story(builder: WorldBuilder, story: impl AsyncFnOnce(&mut Stand)) {
    run_in(builder, async |stand| {
        stand.set("downstream.writer", "api");
        by_checks(stand);
        assert!(stand.clones_nothing());
        story(stand).await;
    })
    .await;
}

async fn proposed(stand: &Stand) -> world::Pull {
    stand.settle().await;
    ci(stand, "success");
    stand.settle().await;
    let pull = stand.only();
    assert!(!pull.draft, "{pull:?}");
    pull
}

/// The same with a workflow of the downstream's as the canary.
async fn run_by_workflow(story: impl AsyncFnOnce(&mut Stand)) {
    run_in(World::builder(), async |stand| {
        stand.set("downstream.writer", "api");
        by_workflow(stand);
        assert!(stand.clones_nothing());
        story(stand).await;
    })
    .await;
}

/// The run that was dispatched last succeeds, with these files beside its report.
async fn proved(stand: &Stand, files: &[(&str, &[u8])]) -> world::Pull {
    ends(stand, "success", "1..2\nok 1\nok 2\n", files);
    stand.wait_minutes(2);
    stand.settle().await;
    stand.only()
}

/// Commits to the base branch what somebody wrote there.
fn edited(stand: &Stand, path: &str, edit: impl Fn(&str) -> String) {
    let text = String::from_utf8(stand.world.file("main", path).unwrap()).unwrap();
    stand.world.commit_to("main", path, edit(&text).as_bytes(), "feat: edit");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_conflicts_is_made_anew_and_what_merges_is_left_alone() {
    run_by_workflow(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = proved(stand, &[]).await;

        // Elsewhere, and in a file of the edit where a machine can merge it.
        stand.world.commit_to("main", "README.md", b"# other\n", "docs: other");
        edited(stand, PIN, |text| format!("{text}\n\n# The end.\n"));
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.only(), before);
        assert_eq!(stand.world.writes(), []);

        edited(stand, PIN, |text| {
            let pin = text.lines().find(|line| line.contains("@sha256:")).unwrap();
            text.replace(pin, &format!("{pin}\n    stop_grace_period: 30s"))
        });
        stand.settle().await;
        assert_eq!(stand.only(), before);
        let after = proved(stand, &[]).await;
        assert_eq!(after.number, before.number);
        let parent = stand.git(&["rev-parse", &format!("{}^", after.head_sha)]);
        assert_eq!(parent, stand.git(&["rev-parse", "main"]));
        let file = stand.world.file(&after.head_sha, PIN).unwrap();
        assert!(String::from_utf8(file).unwrap().contains("stop_grace_period"));
        // Nothing of it depends on what is kept on this disk.
        std::fs::remove_dir_all(stand.state.path().join("objects")).unwrap();
        stand.settle().await;
        assert_eq!(stand.only(), after);
    })
    .await;
}

/// A downstream that spells the pinned digest in a place that is no pin site, among so many more files.
fn spelled_elsewhere(more: usize) -> WorldBuilder {
    World::builder().town(move |files| {
        let constants = String::from_utf8(files[CONSTANTS].clone()).unwrap();
        let digest = constants.rsplit("connector@").next().unwrap().split('\'').next().unwrap();
        let seen = format!("# Pinned\n\nThe image is {digest}, asked at `/admin/peers`.\n");
        files.insert("docs/pin.md".into(), seen.into_bytes());
        for number in 0..more {
            let path = format!("docs/more/{number}.md");
            files.insert(path, format!("# {number}\n").into_bytes());
        }
    })
}

/// The lines of a body with one of these words.
fn lines<'a>(body: &'a str, words: &[&str]) -> Vec<&'a str> {
    body.lines().filter(|line| words.iter().any(|word| line.contains(word))).collect()
}

const MAJOR: &str = "### ⚠ BREAKING CHANGES\n\n* **admin:** `GET /admin/peers` names no relation\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_looked_through_file_by_file() {
    run_story(spelled_elsewhere(3), async |stand| {
        stand.world.release("3.10.0").publish().await;
        let body = proposed(stand).await.body;
        insta::assert_snapshot!(stand.redact(&lines(&body, &["still stands"]).join("\n")), @"
        - Look at: `docs/pin.md:3`, where <short> still stands
        - `docs/pin.md:3`, where <short> still stands
        ");
        stand.world.release("4.0.0").notes(MAJOR).publish().await;
        stand.settle().await;
        let stub = stand.world.open_pulls().pop().unwrap().body;
        insta::assert_snapshot!(lines(&stub, &["`/admin/peers`:", "did not look"]).join("\n"), @"- `/admin/peers`: `docs/pin.md:3`");

        // What was read once is not asked for again.
        stand.world.clear_requests();
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let asked = stand.world.requests();
        let again = asked.iter().filter(|asked| asked.path.contains("/git/blobs/"));
        assert_eq!(again.count(), 0, "{asked:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_are_too_many_files_the_reader_is_told_that_nobody_looked() {
    run_story(spelled_elsewhere(600), async |stand| {
        stand.world.release("3.10.0").publish().await;
        let body = proposed(stand).await.body;
        insta::assert_snapshot!(stand.redact(&lines(&body, &["still spells"]).join("\n")), @"
        - Look at: whether anything else here still spells <short>
        - whether anything else here still spells <short>: the bot, which clones nothing here, did not look through so many files
        ");
        stand.world.release("4.0.0").notes(MAJOR).publish().await;
        stand.settle().await;
        let stub = stand.world.open_pulls().pop().unwrap().body;
        insta::assert_snapshot!(lines(&stub, &["`/admin/peers`:", "did not look"]).join("\n"), @"The bot did not look: it clones nothing here, and there are too many files to read one by one.");
        let blobs = stand.world.requests();
        let blobs = blobs.iter().filter(|asked| asked.path.contains("/git/blobs/"));
        assert!(blobs.count() < 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_workflow_proved_and_prepared_is_a_commit_of_githubs() {
    run_by_workflow(async |stand| {
        stand.set("canary.prepare", toml::toml! { files = ["pnpm-lock.yaml"] });
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let run = last(stand);
        assert!(stand.world.is_verified(&run.sha));
        let pull = proved(stand, &[("prepared/pnpm-lock.yaml", b"lockfileVersion: '6.0'\n")]).await;
        assert!(stand.world.is_verified(&pull.head_sha));
        let changed = ["diff", "--name-only", &run.sha, &pull.head_sha];
        assert_eq!(stand.git(&changed), "pnpm-lock.yaml");
        assert_eq!(scratch(stand), Vec::<String>::new());
    })
    .await;
}
