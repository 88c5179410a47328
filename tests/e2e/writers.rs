//! Commits that are made through GitHub's API, and a downstream that is read without being cloned.

use crate::by_checks::{CHECK, by_checks, ci, draft};
use crate::people::BRANCH;
use crate::stand::{Stand, graphql_fault, run_test};
use digest_bump::clients::{
    github,
    wire::{Http, Timeouts, Trust},
};
use digest_bump::domain::{RepoName, TreeFile};
use std::time::Duration;
use world::{Fault, Service};

const SCRIPT: &str = "scripts/townhouse-e2e-local-hs.sh";

async fn run_api(story: impl AsyncFnOnce(&mut Stand)) {
    run_test(async |stand| {
        stand.set("downstream.writer", "api");
        story(stand).await;
    })
    .await;
}

/// Nothing but the API is asked, and the canary is the downstream's own.
async fn run_without_clone(story: impl AsyncFnOnce(&mut Stand)) {
    run_api(async |stand| {
        by_checks(stand);
        story(stand).await;
        let requests = stand.world.requests();
        assert!(requests.iter().all(|asked| asked.service != Service::Git), "{requests:#?}");
        assert!(!stand.state.path().join("git").exists());
    })
    .await;
}

fn mode(stand: &Stand, revision: &str, path: &str) -> String {
    let line = stand.git(&["ls-tree", revision, "--", path]);
    line.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_clone_a_release_becomes_a_verified_commit_that_keeps_modes() {
    run_without_clone(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let waits = draft(stand);
        ci(stand, "success");
        stand.settle().await;
        let ready = stand.only();
        assert_eq!((ready.draft, &ready.head_sha), (false, &waits.head_sha));
        assert!(stand.world.is_verified(&ready.head_sha));
        assert_eq!(
            (mode(stand, BRANCH, SCRIPT), mode(stand, "main", SCRIPT)),
            ("100755".into(), "100755".into())
        );
        let changed = stand.git(&["diff", "--stat=200", "main", BRANCH]);
        insta::assert_snapshot!(changed, @"
         .github/workflows/publish-townhouse-images.yml | 2 +-
         docker-compose-townhouse.yml                   | 2 +-
         packages/sdk/CONNECTOR_MIGRATION.md            | 4 ++--
         packages/townhouse/compose/townhouse-dev.yml   | 2 +-
         packages/townhouse/dist/image-manifest.json    | 4 ++--
         packages/townhouse/src/constants.ts            | 4 ++--
         scripts/townhouse-e2e-local-hs.sh              | 2 +-
         7 files changed, 10 insertions(+), 10 deletions(-)
        ");
        let commit = stand.git(&["log", "-1", "--format=%an, %cn: %s", BRANCH]);
        insta::assert_snapshot!(commit, @"digest-bump[bot], GitHub: chore(connector): bump 3.9.3 → 3.10.0");

        // The next one moves the branch, forwards or not.
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        ci(stand, "success");
        stand.settle().await;
        assert!(stand.only().title.ends_with("→ 3.11.0"));
        stand.world.merge(stand.only().number);
        stand.settle().await;
        assert_eq!(stand.stage("3.11.0").await.0, "pinned");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_clone_a_quiet_pass_asks_for_the_branch_and_nothing_else_of_git() {
    run_without_clone(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.clear_requests();
        // Another process: what was fetched once is on the disk.
        stand.settle().await;
        let mut asked = stand.world.requests();
        asked.retain(|asked| asked.path.contains("/branches/") || asked.path.contains("/git/"));
        let asked: Vec<_> = asked.iter().map(|asked| (asked.path.as_str(), asked.status)).collect();
        assert_eq!(asked, [("/repos/toon-protocol/town/branches/main", 304)]);

        // What is merged was made here. Of what somebody else commits the folders come at once, and
        // only those files that are read.
        ci(stand, "success");
        stand.settle().await;
        stand.world.merge(stand.only().number);
        let objects = |stand: &Stand| {
            let mut asked = stand.world.requests();
            asked.retain(|asked| {
                asked.path.contains("/git/trees/") || asked.path.contains("/git/blobs/")
            });
            asked.len()
        };
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(objects(stand), 0);
        stand.world.commit_to("main", "docs/more.md", b"more\n", "docs: more");
        stand.settle().await;
        assert_eq!(objects(stand), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dry_run_clones_nothing_and_says_that_the_commit_is_githubs_to_make() {
    run_without_clone(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let config = stand.parsed();
        let preview =
            digest_bump::daemon::preview_of(&config, &config.watches[0], None, &stand.clock)
                .unwrap();
        let (actions, ..) = preview.run(digest_bump::domain::Memory::default()).await.unwrap();
        let actions = serde_json::to_value(&actions).unwrap();
        assert_eq!(actions[0]["action"], "draft");
        assert_eq!(actions[0]["commit"], serde_json::Value::Null);
        let diff = actions[0]["diff"].as_str().unwrap().to_owned();
        assert_eq!(stand.world.writes(), []);
        assert_eq!(std::fs::read_dir(stand.state.path()).unwrap().count(), 0);
        stand.settle().await;
        // What was shown is what was done.
        let lines = |diff: &str| -> Vec<String> {
            let changed = |line: &&str| {
                line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
            };
            diff.lines().filter(changed).map(str::to_owned).collect()
        };
        assert_eq!(lines(&diff), lines(&stand.git(&["diff", "main", BRANCH])));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fetched_is_what_its_id_says_or_it_is_not_taken() {
    run_without_clone(async |stand| {
        let other = serde_json::json!({ "sha": "a".repeat(40), "tree": [], "truncated": false });
        let at = |path| Fault::on(Service::GitHub).path_contains(path).always();
        let lies = [at("/git/blobs/").corrupt_body(), at("/git/trees/").body(&other.to_string())];
        for lie in lies {
            stand.world.fault(lie);
            let report = stand.once().await;
            assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
            stand.world.clear_faults();
            std::fs::remove_dir_all(stand.state.path().join("objects")).unwrap();
        }
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ci(stand, "success");
        stand.settle().await;
        stand.only();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_clone_a_link_in_the_place_of_a_site_is_not_followed() {
    run_without_clone(async |stand| {
        let target = b"../../outside".as_slice();
        stand.world.commit_with_mode("main", SCRIPT, "120000", target, "chore: link");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stage("3.10.0").await.1, @"e2e script (scripts/townhouse-e2e-local-hs.sh): a link, a folder or a submodule stands where a file should");
        assert_eq!(stand.open(), [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_pushed_before_the_memory_was_lost_is_known_by_its_content() {
    run_api(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let opening = Fault::on(Service::GitHub).method("POST").path_contains("/pulls").status(502);
        stand.world.fault(opening);
        stand.once().await;
        assert_eq!(stand.open(), [""; 0]);
        let pushed = stand.world.branches()[BRANCH].clone();
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.only().head_sha, pushed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_made_once_and_known_again() {
    run_api(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.fault(stand.push_fault().status(502).times(2));
        stand.once().await;
        stand.once().await;
        stand.settle().await;
        let made = |path: &str| {
            let requests = stand.world.requests().into_iter();
            requests.filter(|asked| asked.method == "POST" && asked.path.ends_with(path)).count()
        };
        assert_eq!((made("/git/trees"), made("/git/commits")), (1, 1));
        stand.only();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_quicker_is_not_overwritten() {
    run_api(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.fault(stand.push_fault().delay(Duration::from_secs(1)));
        let pass = stand.once();
        let person = async {
            // The bot has seen that there is no branch, and is about to make it.
            let made = || stand.world.requests().iter().any(|it| it.path.ends_with("/git/commits"));
            while !made() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            stand.world.commit_to(BRANCH, "README.md", b"# mine\n", "docs: mine")
        };
        let (report, by) = tokio::join!(pass, person);
        insta::assert_snapshot!(stand.redact(&report.troubles.join("\n")), @"pushing digest-bump/connector: the push was rejected: Expected refs/heads/digest-bump/connector to point to <id>, but it did not");
        assert_eq!(stand.world.branches()[BRANCH], by);
        assert_eq!(stand.open(), [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workflow_files_are_left_to_a_person_where_a_refusal_hides_what_there_is() {
    run_api(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let hidden = Fault::on(Service::GitHub).method("POST").path_contains("/git/trees");
        stand.world.fault(hidden.status(404).body(r#"{"message":"Not Found"}"#));
        // The same process: what it learned of a refusal is not kept.
        let app = stand.app().await;
        digest_bump::daemon::once(&app).await.unwrap();
        app.store.close().await;
        stand.settle().await;
        let pull = stand.only();
        assert!(pull.draft && stand.world.is_verified(&pull.head_sha), "{pull:?}");
        let changed = stand.git(&["diff", "--name-only", "main", BRANCH]);
        assert!(!changed.contains(".github/workflows"), "{changed}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_in_the_middle_of_a_push_is_slept_out() {
    run_api(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let limit = graphql_fault().body_contains("updateRefs").status(429);
        stand.world.fault(limit.header("retry-after", "600"));
        let report = stand.once().await;
        assert_eq!(report.wake.unwrap().to_string(), "2026-06-12T08:10:00Z");
        stand.wait(1);
        stand.settle().await;
        stand.only();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secondary_limit_that_comes_as_a_success_is_slept_out() {
    run_api(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.fault(graphql_fault().body_contains("updateRefs").body(
            r#"{"data":null,"errors":[{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}]}"#,
        ));
        let report = stand.once().await;
        assert_eq!(report.wake.unwrap().to_string(), "2026-06-12T08:01:00Z");
        let asked = stand.world.requests();
        let last = asked.iter().rev().find(|one| one.service == Service::GitHub).unwrap();
        assert!(last.path.contains("/graphql"), "{last:?}");
        stand.wait_minutes(1);
        stand.settle().await;
        stand.only();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_and_large_files_arrive_as_they_are() {
    run_api(async |stand| {
        let http = Http::new(&Timeouts::default(), &Trust::default(), stand.clock.clone()).unwrap();
        let (url, token) = (stand.world.github_url(), stand.world.token().into());
        let (reader, writer) = github::connect(&http, &url, Some(token)).unwrap();
        let (writer, repo) = (writer.unwrap(), "toon-protocol/town".parse::<RepoName>().unwrap());
        let main = stand.world.branches()["main"].parse().unwrap();
        let base = reader.fetch_git_commit(&repo, &main).await.unwrap().tree;
        let file = |path: &str, executable, content: &[u8]| TreeFile {
            path: path.parse().unwrap(),
            executable,
            content: content.to_vec(),
        };
        let large = "line\r\n".repeat(100_000).into_bytes();
        let files = [
            file("binary", false, &[0, 159, 146, 150]),
            file("large.lock", false, &large),
            file("tool", true, b"#!/bin/sh\n"),
        ];
        let tree = writer.create_tree(&repo, &base, &files).await.unwrap();
        let listed =
            stand.git(&["ls-tree", tree.as_str(), "binary", "large.lock", "tool", "README.md"]);
        let id = |content: &[u8]| {
            let digest = git2::Oid::hash_object(git2::ObjectType::Blob, content).unwrap();
            digest.to_string()
        };
        for (mode, content) in [("100644", &files[0]), ("100644", &files[1]), ("100755", &files[2])]
        {
            let line = format!("{mode} blob {}\t{}", id(&content.content), content.path);
            assert!(listed.contains(&line), "{line} in {listed}");
        }
        // What was in the base is still there.
        assert!(listed.contains("README.md"), "{listed}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_and_its_proposal_are_one_commit_also_without_the_memory() {
    run_without_clone(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let waits = draft(stand);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(draft(stand).head_sha, waits.head_sha);
        stand.world.ci_concludes(&waits.head_sha, CHECK, "success");
        stand.settle().await;
        let ready = stand.only();
        assert_eq!((ready.draft, ready.head_sha), (false, waits.head_sha));
    })
    .await;
}
