//! The downstream's own CI is the canary: a draft pull request waits for its checks.

use crate::own_check::OWN;
use crate::stand::{Stand, run_test};
use toml::Value;
use world::Pull;

pub const CHECK: &str = "Connector Contract Canary";

/// Leaves the canary to the downstream.
pub fn by_checks(stand: &mut Stand) {
    let mut canary = toml::Table::new();
    canary.insert("executor".into(), "checks".into());
    canary.insert("checks".into(), Value::Array(vec![CHECK.into()]));
    canary.insert("sees_digest".into(), true.into());
    stand.set("canary", Value::Table(canary));
}

pub async fn run_story(story: impl AsyncFnOnce(&mut Stand)) {
    run_test(async |stand| {
        by_checks(stand);
        story(stand).await;
    })
    .await;
}

/// CI comes to this on the head of the only draft.
pub fn ci(stand: &Stand, conclusion: &str) {
    stand.world.ci_concludes(&draft(stand).head_sha, CHECK, conclusion);
}

/// The only open draft.
#[track_caller]
pub fn draft(stand: &Stand) -> Pull {
    let mut drafts = stand.world.open_pulls();
    drafts.retain(|pull| pull.draft);
    assert_eq!(drafts.len(), 1, "{drafts:#?}");
    drafts.remove(0)
}

/// The beginning of a body: what follows is the same whoever runs the canary.
fn until_evidence(body: &str) -> &str {
    body.split_once("\n### Evidence").expect("the evidence").0
}

/// Each pull request in one line.
pub fn pulls(stand: &Stand) -> String {
    let told = stand.world.pulls().into_iter().map(|pull| {
        let state = match (pull.state.as_str(), pull.merged, pull.draft) {
            (_, true, _) => "merged",
            ("open", _, true) => "draft",
            (state, _, _) => state,
        };
        let first = pull.body.lines().next().unwrap_or_default().to_owned();
        format!("#{} {state} {} {}\n  {first}", pull.number, pull.head_branch, pull.title)
    });
    stand.redact(&told.collect::<Vec<_>>().join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_becomes_ready_with_the_whole_evidence() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let waits = draft(stand);
        insta::assert_snapshot!(pulls(stand), @"
        #1 draft digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **Not to be merged yet: connector 3.9.3 → 3.10.0 waits for this repository's own checks on its commit: Connector Contract Canary.**
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 canary: its checks run since 2026-06-12T08:00:00Z: Connector Contract Canary has not started
        3.9.3 pinned: the downstream pins it
        ");
        assert_eq!(stand.world.check_runs(&waits.head_sha), [(OWN.into(), "queued".into())]);
        stand.world.ci_begins(&waits.head_sha, CHECK);
        stand.wait_minutes(5);
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 canary: its checks run since 2026-06-12T08:00:00Z: Connector Contract Canary is under way
        3.9.3 pinned: the downstream pins it
        ");
        ci(stand, "success");
        stand.settle().await;
        let ready = stand.only();
        assert_eq!((ready.number, ready.draft), (waits.number, false));
        assert_eq!(ready.head_sha, waits.head_sha);
        insta::assert_snapshot!(stand.redact(until_evidence(&ready.body)), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**

        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile

        | | pinned | proposed |
        | --- | --- | --- |
        | version | 3.9.3 | [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0) |
        | index digest | `sha256:…` | `sha256:…` |
        | source commit | v3.9.3 | `8b52b79c` ([compare](https://github.com/toon-protocol/connector/compare/v3.9.3...v3.10.0)) |
        | published | 2026-06-05T08:00:00Z | 2026-06-12T08:00:00Z |
        | age at the last check | 7 d | less than 1 h |

        ### Contract canary: passed

        Connector Contract Canary: success. It ran on the commit that this pull request pushes, or on GitHub's merge of it (`<id>`, made on `<id>`), by the downstream's own checks.

        | step | verdict | what was seen | saw the digest |
        | --- | --- | --- | --- |
        | [Connector Contract Canary](https://github.com/toon-protocol/town/runs/<check>) | ✅ passed | success | yes |
        ");
        insta::assert_snapshot!(pulls(stand), @"
        #1 open digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

/// The checks of the base branch's head came to this.
pub fn base_ci(stand: &Stand, conclusion: &str) {
    let head = stand.git(&["rev-parse", "main"]);
    stand.world.ci_concludes(&head, CHECK, conclusion);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_stays_a_draft_that_says_why_and_is_compared_with_the_base_branch() {
    run_story(async |stand| {
        base_ci(stand, "success");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ci(stand, "failure");
        stand.settle().await;
        let held = draft(stand);
        insta::assert_snapshot!(stand.redact(&held.body), @r#"
        **Do not merge: the canary failed: Connector Contract Canary: failure; it passes at the pinned 3.9.3.** See [Connector Contract Canary](https://github.com/toon-protocol/town/runs/<check>). A check that was run again on this commit is looked at once somebody asks: `digest-bump request bump 3.10.0`.

        | | pinned | to be proved |
        | --- | --- | --- |
        | version | 3.9.3 | [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0) |
        | index digest | `sha256:…` | `sha256:…` |
        | published | | 2026-06-12T08:00:00Z |

        ### Evidence so far

        | check | verdict | what was seen |
        | --- | --- | --- |
        | the producer's own workflow signed it | ✅ passed | signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at 2026-06-12T08:00:00Z |
        | every promised platform is in the index | ✅ passed | linux/amd64, linux/arm64 |
        | each platform's version label names this release | ✅ passed | labelled 3.10.0 |
        | the image was built from the release's commit | ✅ passed | built from 7d176fea, the parent of v3.10.0's commit 8b52b79c |
        | the tag still gives what it first gave | ✅ passed | <short> each time |
        | git tag, release, package and image are one release | ✅ passed | git tag v3.10.0 at 8b52b79c; npm 3.10.0 and the image are both of 7d176fea |
        | the tag is not known to hold something else | ✅ passed | nothing is known against it |
        | every required pin site can be edited | ✅ passed | 9 of 9 sites present, each as expected |

        ### Changed files, in lockstep

        - packages/townhouse/dist/image-manifest.json:28 (image manifest): 3.9.3 (<short>) → 3.10.0 (<short>)
        - packages/townhouse/src/constants.ts:23 (DEFAULT_CONNECTOR_IMAGE): <short> → <short>
        - packages/townhouse/src/constants.ts:26 (DEFAULT_CONNECTOR_TAG): 3.9.3 → 3.10.0
        - .github/workflows/publish-townhouse-images.yml:17 (publish workflow): 3.9.3 → 3.10.0
        - docker-compose-townhouse.yml:10 (compose): <short> → <short>
        - packages/townhouse/compose/townhouse-dev.yml:4 (dev compose): 3.9.3 → 3.10.0
        - scripts/townhouse-e2e-local-hs.sh:7 (e2e script): 3.9.3 → 3.10.0
        - packages/sdk/CONNECTOR_MIGRATION.md:5 (migration heading): 3.9.3 → 3.10.0
        - packages/sdk/CONNECTOR_MIGRATION.md:7 (migration sentence): 3.9.3 → 3.10.0

        Left for a person:

        - the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile: the bot has no tool for them (`canary.prepare`)

        <sub>The next candidate may take the place of this one. A commit by anybody else on the branch makes the bot keep its hands off it. Closing it declines the release.</sub>

        <!-- digest-bump:1 {"kind":"pin_bump","version":"3.10.0","digest":"sha256:…","commit":"<id>","requested":false,"from":"sha256:…","draft":"waits","held":"<short>"} -->
        "#);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: the canary failed: Connector Contract Canary: failure, https://github.com/toon-protocol/town/runs/<check>; it passes at the pinned 3.9.3
        3.9.3 pinned: the downstream pins it
        ");
        let own = stand.world.check_runs(&held.head_sha).remove(0);
        assert_eq!(own, (OWN.to_owned(), "failure".to_owned()));
        // A failure is an answer: nobody asks again.
        stand.wait(100);
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.world.writes(), []);
        assert_eq!(stand.runs().await, ["3.10.0 failed", "3.9.3 passed"]);

        // It was run again, and somebody asks.
        stand.world.ci_concludes(&held.head_sha, CHECK, "success");
        stand.request("3.10.0").await;
        stand.settle().await;
        assert_eq!((stand.only().number, stand.only().draft), (held.number, false));
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 granted: pull request #1 proposes it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_of_another_workflow_hides_no_failure_of_the_same_name() {
    run_story(async |stand| {
        base_ci(stand, "success");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let held = draft(stand);
        ci(stand, "failure");
        stand.world.other_ci_concludes(&held.head_sha, CHECK, "success");
        stand.settle().await;
        assert_eq!(draft(stand).number, held.number);
        assert_eq!(stand.runs().await, ["3.10.0 failed", "3.9.3 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_at_the_base_branch_too_is_not_blamed_on_the_release() {
    run_story(async |stand| {
        base_ci(stand, "failure");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ci(stand, "failure");
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: broken before: the canary fails at the pinned 3.9.3 as well, so the release is not to blame; there: Connector Contract Canary: failure, https://github.com/toon-protocol/town/runs/<check>; here: Connector Contract Canary: failure, https://github.com/toon-protocol/town/runs/<check>
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_base_branch_has_no_such_check_that_is_said() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ci(stand, "failure");
        for minutes in [0, 1, 10, 60] {
            stand.wait_minutes(minutes);
            stand.settle().await;
        }
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: the canary failed: Connector Contract Canary: failure, https://github.com/toon-protocol/town/runs/<check>; whether it passes at the pinned 3.9.3 could not be found out in 4 attempts: the canary did not find out: Connector Contract Canary: it did not run on the base branch's commit
        3.9.3 pinned: the downstream pins it
        ");
        assert!(draft(stand).body.starts_with("**Do not merge: the canary failed"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_newest_fails_its_draft_is_used_for_the_next() {
    run_story(async |stand| {
        base_ci(stand, "success");
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert!(draft(stand).title.ends_with("3.11.0"));
        ci(stand, "failure");
        stand.settle().await;
        insta::assert_snapshot!(pulls(stand), @"
        #1 draft digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **Not to be merged yet: connector 3.9.3 → 3.10.0 waits for this repository's own checks on its commit: Connector Contract Canary.**
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 held: the canary failed: Connector Contract Canary: failure, https://github.com/toon-protocol/town/runs/<check>; it passes at the pinned 3.9.3
        3.10.0 canary: its checks run since 2026-06-12T08:00:00Z: Connector Contract Canary has not started
        3.9.3 pinned: the downstream pins it
        ");
        ci(stand, "success");
        stand.settle().await;
        assert_eq!(stand.world.pulls().len(), 1);
        let ready = stand.only();
        assert!(!ready.draft && ready.title.ends_with("3.10.0"), "{ready:#?}");
        assert!(ready.body.contains("3.11.0 is newer, but not proposed"), "{}", ready.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ready_one_stays_until_a_newer_one_is_proved_and_is_then_given_its_commit() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ci(stand, "success");
        stand.settle().await;
        let before = stand.only();
        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(pulls(stand), @"
        #1 open digest-bump/connector chore(connector): bump 3.9.3 → 3.10.0
          **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**
        #2 draft digest-bump/connector-draft chore(connector): bump 3.9.3 → 3.11.0
          **Not to be merged yet: connector 3.9.3 → 3.11.0 waits for this repository's own checks on its commit: Connector Contract Canary.**
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 canary: its checks run since 2026-06-12T09:00:00Z: Connector Contract Canary has not started
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
        assert_eq!(stand.world.pulls()[0], before);
        let proved = draft(stand).head_sha;
        ci(stand, "success");
        stand.settle().await;
        insta::assert_snapshot!(pulls(stand), @"
        #1 open digest-bump/connector chore(connector): bump 3.9.3 → 3.11.0
          **connector 3.9.3 → 3.11.0 is a MINOR. Every required check passed; one point needs a person.**
        #2 closed digest-bump/connector-draft chore(connector): bump 3.9.3 → 3.11.0
          **Closed by the bot: pull request #1 proposes 3.11.0.**
        ");
        assert_eq!(stand.only().head_sha, proved);

        // The branches are free for the next ones.
        for (minor, conclusion) in [(12, "success"), (13, "success"), (14, "success")] {
            stand.wait(1);
            stand.world.release(&format!("3.{minor}.0")).publish().await;
            stand.settle().await;
            ci(stand, conclusion);
            stand.settle().await;
        }
        insta::assert_snapshot!(pulls(stand), @"
        #1 open digest-bump/connector chore(connector): bump 3.9.3 → 3.14.0
          **connector 3.9.3 → 3.14.0 is a MINOR. Every required check passed; one point needs a person.**
        #2 closed digest-bump/connector-draft chore(connector): bump 3.9.3 → 3.11.0
          **Closed by the bot: pull request #1 proposes 3.11.0.**
        #3 closed digest-bump/connector-draft chore(connector): bump 3.9.3 → 3.12.0
          **Closed by the bot: pull request #1 proposes 3.12.0.**
        #4 closed digest-bump/connector-draft chore(connector): bump 3.9.3 → 3.13.0
          **Closed by the bot: pull request #1 proposes 3.13.0.**
        #5 closed digest-bump/connector-draft chore(connector): bump 3.9.3 → 3.14.0
          **Closed by the bot: pull request #1 proposes 3.14.0.**
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_run_is_no_pass_and_is_looked_at_again() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let mut seen = Vec::new();
        for (conclusion, minutes) in [("skipped", 0), ("neutral", 1), ("cancelled", 10)] {
            stand.wait_minutes(minutes);
            ci(stand, conclusion);
            stand.settle().await;
            assert!(stand.only().draft, "{conclusion}");
            seen.push(stand.stages().await);
        }
        insta::assert_snapshot!(seen.join("\n"), @"
        3.10.0 waiting: attempt 1 was inconclusive: the canary did not find out: Connector Contract Canary: it did not run: skipped, https://github.com/toon-protocol/town/runs/<check>; until 2026-06-12T08:01:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        3.10.0 waiting: attempt 2 was inconclusive: the canary did not find out: Connector Contract Canary: it did not run: neutral, https://github.com/toon-protocol/town/runs/<check>; until 2026-06-12T08:11:00Z (10 min from now)
        3.9.3 pinned: the downstream pins it
        3.10.0 waiting: attempt 3 was inconclusive: the canary did not find out: Connector Contract Canary: cancelled, https://github.com/toon-protocol/town/runs/<check>; until 2026-06-12T09:11:00Z (1 h from now)
        3.9.3 pinned: the downstream pins it
        ");
        let own = stand.world.check_runs(&draft(stand).head_sha);
        assert!(own.contains(&(OWN.to_owned(), "neutral".to_owned())), "{own:?}");
        // Somebody runs it again.
        ci(stand, "success");
        stand.wait(1);
        stand.settle().await;
        assert!(!stand.only().draft);
        assert_eq!(stand.runs().await.last().unwrap(), "3.10.0 passed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_ci_starts_that_is_said_with_its_usual_cause() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let report = stand.settle().await;
        assert_eq!(report.wake.unwrap().to_string(), "2026-06-12T08:01:00Z");
        let mut seen = Vec::new();
        for minutes in [9, 1, 50, 60] {
            stand.wait_minutes(minutes);
            stand.world.clear_requests();
            let wake = stand.settle().await.wake.unwrap();
            seen.push(format!("{} wake {wake}", stand.stage("3.10.0").await.1));
        }
        insta::assert_snapshot!(seen.join("\n"), @"
        its checks run since 2026-06-12T08:00:00Z: Connector Contract Canary has not started wake 2026-06-12T08:10:00Z
        its checks run since 2026-06-12T08:00:00Z: no Connector Contract Canary has started within 10 min: a push with a workflow's own GITHUB_TOKEN starts no CI, and neither does a workflow that is not called for pull requests or waits for an approval wake 2026-06-12T08:20:00Z
        its checks run since 2026-06-12T08:00:00Z: no Connector Contract Canary has started within 10 min: a push with a workflow's own GITHUB_TOKEN starts no CI, and neither does a workflow that is not called for pull requests or waits for an approval wake 2026-06-12T10:00:00Z
        attempt 1 was inconclusive: no Connector Contract Canary has started within 10 min: a push with a workflow's own GITHUB_TOKEN starts no CI, and neither does a workflow that is not called for pull requests or waits for an approval; until 2026-06-12T10:01:00Z (1 min from now) wake 2026-06-12T10:01:00Z
        ");
        assert_eq!(stand.runs().await, ["3.10.0 inconclusive"]);
    })
    .await;
}
