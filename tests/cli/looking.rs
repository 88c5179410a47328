//! `explain`, `status` and `request`: what is stored, for people and for machines.

use crate::stand::{Daemon, Stand, differences, snapshot, until};

#[tokio::test]
async fn before_the_first_pass_there_is_nothing_to_say() {
    let stand = Stand::new().await;
    let out = stand.ok(&["status"]).await;
    insta::assert_snapshot!(stand.redact(&out), @"
    townhouse: the pin is unknown: there is no database at FOLDER/state/digest-bump.db, so no pass has run with this config
      no pass has ended yet
    ");
    let said = stand.run(&["explain", "3.10.0"]).await;
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    insta::assert_snapshot!(said.err, @"no release 3.10.0 is known: no pass has read the releases yet");
    let said = stand.run(&["request", "bump", "3.10.0"]).await;
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    insta::assert_snapshot!(stand.redact(&said.err), @"digest-bump: there is no database yet at FOLDER/state/digest-bump.db: run a pass first; `digest-bump plan` shows what the first pass would do");
    assert!(!stand.state().exists(), "nobody asked for a database");
    assert_eq!(stand.world.requests(), []);
}

#[tokio::test]
async fn a_hold_before_the_first_pass_keeps_it_from_opening_a_pull_request() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let out = stand.ok(&["request", "hold", "a first look"]).await;
    assert!(out.contains("hold"), "{out}");
    assert_eq!(stand.world.requests(), []);
    stand.ok(&["once"]).await;
    assert_eq!(stand.world.pulls().len(), 0);
    let status = stand.ok(&["status"]).await;
    assert!(status.contains("on hold: hold by maya since"), "{status}");
    stand.ok(&["request", "unhold"]).await;
    stand.ok(&["once"]).await;
    assert_eq!(stand.world.open_pulls().len(), 1);
}

#[tokio::test]
async fn what_is_ignored_before_the_first_pass_is_left_out_by_it() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.ok(&["request", "ignore", "3.10.0"]).await;
    stand.ok(&["once"]).await;
    assert_eq!(stand.world.pulls().len(), 0);
    assert_eq!(stand.word("3.10.0").await, "skipped");
}

/// A watch on which one of everything happened.
async fn eventful() -> Stand {
    let stand = Stand::new().await;
    let world = &stand.world;
    world.release("3.9.4").publish().await;
    world.release("3.10.0").publish().await;
    world.release("3.11.0").breaks_contract("no /admin/peers").publish().await;
    world.release("3.12.0").version_label("3.9.9").publish().await;
    world.release("3.13.0").without_image().publish().await;
    world.release("3.14.0").tag("rust-main").publish().await;
    world.release("3.15.0-rc.1").prerelease().publish().await;
    stand.ok(&["once"]).await;
    stand
}

#[tokio::test]
async fn a_status_that_a_person_reads() {
    let stand = eventful().await;
    let before = snapshot(&stand.state());
    let out = stand.ok(&["status"]).await;
    insta::assert_snapshot!(stand.redact(&out), @r"
    townhouse: pinned at 3.9.3 (sha256:…)
      last pass: TIME, A MOMENT ago
      3.13.0     MINOR  waiting   its image is not there yet; until TIME (A WHILE from now)
      3.12.0     MINOR  held      linux/amd64 is labelled `3.9.9`, not 3.12.0
      3.11.0     MINOR  held      the canary failed: exit status 1: FAIL no /admin/peers; it passes at the pinned 3.9.3
      3.10.0     MINOR  proposed  pull request #1 proposes it
      3.9.4      patch  covered   3.10.0 contains it
      3.9.3             pinned    the downstream pins it
      v3.15.0-rc.1      ignored   it is a pre-release
      rust-main         ignored   the tag does not match `^v(?P<version>\d+\.\d+\.\d+.*)$`
      open #1: chore(connector): bump 3.9.3 → 3.10.0 <https://github.com/toon-protocol/town/pull/1>
    ");
    let changed = differences(&before, &snapshot(&stand.state()));
    assert_eq!(changed, Vec::<String>::new());
}

#[tokio::test]
async fn every_release_is_explained() {
    let stand = eventful().await;
    stand.world.clear_requests();
    let explain = async |release: &str| stand.redact(&stand.ok(&["explain", release]).await);
    insta::assert_snapshot!(explain("3.10.0").await, @"
    3.10.0 (MINOR, published TIME) is proposed: pull request #1 proposes it
      image sha256:…
      platforms linux/amd64, linux/arm64
      TIME  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      TIME  platforms: passed, linux/amd64, linux/arm64
      TIME  version label: passed, labelled 3.10.0
      TIME  source commit: passed, built from 7d176fea, the parent of v3.10.0's commit 8b52b79c
      TIME  tag unmoved: passed, DIGEST each time
      TIME  tag, package and image agree: passed, git tag v3.10.0 at 8b52b79c; npm 3.10.0 and the image are both of 7d176fea
      TIME  no known issue: passed, nothing is known against it
      TIME  pin sites: passed, 9 of 9 sites present, each as expected
      TIME  canary run 3 on COMMIT passed after A MOMENT: contract ok: 1 file, 3 tests passed
    ");
    insta::assert_snapshot!(explain("v3.11.0").await, @"
    3.11.0 (MINOR, published TIME) is held: the canary failed: exit status 1: FAIL no /admin/peers; it passes at the pinned 3.9.3
      image sha256:…
      platforms linux/amd64, linux/arm64
      TIME  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      TIME  platforms: passed, linux/amd64, linux/arm64
      TIME  version label: passed, labelled 3.11.0
      TIME  source commit: passed, built from 4eec21ec, the parent of v3.11.0's commit 1e3e905c
      TIME  tag unmoved: passed, DIGEST each time
      TIME  tag, package and image agree: passed, git tag v3.11.0 at 1e3e905c; npm 3.11.0 and the image are both of 4eec21ec
      TIME  no known issue: passed, nothing is known against it
      TIME  pin sites: passed, 9 of 9 sites present, each as expected
      TIME  canary run 1 on COMMIT failed after A MOMENT: the canary failed: exit status 1: FAIL no /admin/peers
    ");
    insta::assert_snapshot!(explain("3.12.0").await, @"
    3.12.0 (MINOR, published TIME) is held: linux/amd64 is labelled `3.9.9`, not 3.12.0
      image sha256:…
      platforms linux/amd64, linux/arm64
      TIME  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      TIME  platforms: passed, linux/amd64, linux/arm64
      TIME  version label: failed, linux/amd64 is labelled `3.9.9`, not 3.12.0
      TIME  source commit: passed, built from c6e9e634, the parent of v3.12.0's commit d3628534
      TIME  tag unmoved: passed, DIGEST each time
      TIME  tag, package and image agree: passed, git tag v3.12.0 at d3628534; npm 3.12.0 and the image are both of c6e9e634
      TIME  no known issue: passed, nothing is known against it
      TIME  pin sites: passed, 9 of 9 sites present, each as expected
    ");
    insta::assert_snapshot!(explain("3.13.0").await, @"3.13.0 (MINOR, published TIME) is waiting: its image is not there yet; until TIME (A WHILE from now)");
    insta::assert_snapshot!(explain("3.9.4").await, @"3.9.4 (patch, published TIME) is covered: 3.10.0 contains it");
    insta::assert_snapshot!(explain("3.9.3").await, @"
    3.9.3 (published TIME) is pinned: the downstream pins it
      TIME  canary run 2 on COMMIT passed after A MOMENT: contract ok: 1 file, 3 tests passed
    ");
    insta::assert_snapshot!(explain("rust-main").await, @r#"rust-main is ignored: the tag does not match `^v(?P<version>\d+\.\d+\.\d+.*)$`"#);
    insta::assert_snapshot!(explain("3.15.0-rc.1").await, @"v3.15.0-rc.1 is ignored: it is a pre-release");
    let out = stand.ok(&["explain", "rust-main", "--json"]).await;
    insta::assert_snapshot!(out, @r#"{"tag":"rust-main","word":"ignored","line":"the tag does not match `^v(?P<version>\\d+\\.\\d+\\.\\d+.*)$`"}"#);
    assert_eq!(stand.world.requests(), [], "it speaks from memory");
}

#[tokio::test]
async fn for_machines() {
    let stand = eventful().await;
    let told = stand.json(&["explain", "3.10.0"]).await;
    assert_eq!(told["stage"], "proposed");
    assert_eq!(told["pull"], 1);
    assert_eq!(told["digest"], stand.world.image_digest("3.10.0").unwrap());
    let history = told["history"].to_string();
    assert!(history.contains("  version_label passed: labelled 3.10.0"), "{history}");
    let status = stand.json(&["status"]).await;
    assert_eq!(status["pinned"], "3.9.3");
    assert_eq!(status["proposals"][0]["state"], "open");
    let held = status["releases"].as_array().unwrap().iter();
    let held: Vec<_> = held.filter(|it| it["stage"] == "held").collect();
    assert_eq!(held.len(), 2, "{status:#}");
}

#[tokio::test]
async fn a_release_that_nobody_knows() {
    let stand = eventful().await;
    for release in ["9.9.9", "nonsense"] {
        let said = stand.run(&["explain", release]).await;
        assert_eq!((said.code, said.out.as_str()), (1, ""));
        assert_eq!(said.err, format!("no release {release} is known\n"));
    }
}

#[tokio::test]
async fn an_offered_patch_and_what_came_of_asking_for_it() {
    let stand = Stand::new().await;
    stand.world.release("3.9.4").publish().await;
    stand.ok(&["once"]).await;
    let explain = async || stand.redact(&stand.ok(&["explain", "3.9.4"]).await);
    insta::assert_snapshot!(explain().await, @"
    3.9.4 (patch, published TIME) is offered: every check passed; `digest-bump request bump 3.9.4` proposes it
      image sha256:…
      platforms linux/amd64, linux/arm64
      TIME  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      TIME  platforms: passed, linux/amd64, linux/arm64
      TIME  version label: passed, labelled 3.9.4
      TIME  source commit: passed, built from a651d3ed, the parent of v3.9.4's commit 5ce0e374
      TIME  tag unmoved: passed, DIGEST each time
      TIME  tag, package and image agree: passed, git tag v3.9.4 at 5ce0e374; npm 3.9.4 and the image are both of a651d3ed
      TIME  no known issue: passed, nothing is known against it
      TIME  pin sites: passed, 9 of 9 sites present, each as expected
      TIME  canary run 1 on COMMIT passed after A MOMENT: contract ok: 1 file, 3 tests passed
    ");
    let out = stand.ok(&["request", "bump", "v3.9.4"]).await;
    insta::assert_snapshot!(out, @"request 1 is recorded: bump to 3.9.4. A running daemon acts on it at once, otherwise the next pass does; `digest-bump status` shows what comes of it.");
    insta::assert_snapshot!(explain().await, @"
    3.9.4 (patch, published TIME) is ready: every check passed; its pull request is due
      image sha256:…
      platforms linux/amd64, linux/arm64
      TIME  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      TIME  platforms: passed, linux/amd64, linux/arm64
      TIME  version label: passed, labelled 3.9.4
      TIME  source commit: passed, built from a651d3ed, the parent of v3.9.4's commit 5ce0e374
      TIME  tag unmoved: passed, DIGEST each time
      TIME  tag, package and image agree: passed, git tag v3.9.4 at 5ce0e374; npm 3.9.4 and the image are both of a651d3ed
      TIME  no known issue: passed, nothing is known against it
      TIME  pin sites: passed, 9 of 9 sites present, each as expected
      TIME  canary run 1 on COMMIT passed after A MOMENT: contract ok: 1 file, 3 tests passed
      TIME  request 1 by maya: not answered yet
    ");
    let out = stand.json(&["request", "bump", "9.9.9"]).await;
    insta::assert_snapshot!(out.to_string(), @r#"{"request":2,"version":"9.9.9","wish":"bump"}"#);
    let out = stand.ok(&["status"]).await;
    insta::assert_snapshot!(stand.redact(&out), @"
    townhouse: pinned at 3.9.3 (sha256:…)
      last pass: TIME, A MOMENT ago
      3.9.4      patch  offered   every check passed; `digest-bump request bump 3.9.4` proposes it
      3.9.3             pinned    the downstream pins it
      request 2 by maya: bump 9.9.9, open
      request 1 by maya: bump 3.9.4, open
    ");
    stand.ok(&["once"]).await;
    stand.ok(&["request", "bump", "3.9.4"]).await;
    stand.ok(&["once"]).await;
    insta::assert_snapshot!(explain().await, @"
    3.9.4 (patch, published TIME) is proposed: pull request #1 proposes it
      image sha256:…
      platforms linux/amd64, linux/arm64
      TIME  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      TIME  platforms: passed, linux/amd64, linux/arm64
      TIME  version label: passed, labelled 3.9.4
      TIME  source commit: passed, built from a651d3ed, the parent of v3.9.4's commit 5ce0e374
      TIME  tag unmoved: passed, DIGEST each time
      TIME  tag, package and image agree: passed, git tag v3.9.4 at 5ce0e374; npm 3.9.4 and the image are both of a651d3ed
      TIME  no known issue: passed, nothing is known against it
      TIME  pin sites: passed, 9 of 9 sites present, each as expected
      TIME  canary run 1 on COMMIT passed after A MOMENT: contract ok: 1 file, 3 tests passed
      TIME  request 1 by maya: a later request, 2, took its place
      TIME  request 3 by maya: pull request #1 proposes it
    ");
    let out = stand.ok(&["status"]).await;
    insta::assert_snapshot!(stand.redact(&out), @"
    townhouse: pinned at 3.9.3 (sha256:…)
      last pass: TIME, A MOMENT ago
      3.9.4      patch  proposed  pull request #1 proposes it
      3.9.3             pinned    the downstream pins it
      open #1: chore(connector): bump 3.9.3 → 3.9.4 <https://github.com/toon-protocol/town/pull/1>
      request 3 by maya: bump 3.9.4, granted: pull request #1 proposes it
      request 2 by maya: bump 9.9.9, refused: there is no release 9.9.9
      request 1 by maya: bump 3.9.4, refused: a later request, 2, took its place
    ");
}

#[tokio::test]
async fn a_patch_that_the_policy_skips() {
    let mut stand = Stand::new().await;
    stand.set_patches("skip");
    stand.world.release("3.9.4").publish().await;
    stand.ok(&["once"]).await;
    let out = stand.ok(&["explain", "3.9.4"]).await;
    insta::assert_snapshot!(stand.redact(&out), @"3.9.4 (patch, published TIME) is skipped: patches are skipped by policy");
}

#[tokio::test]
async fn a_declined_release_and_the_older_one_behind_it() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.world.release("3.11.0").publish().await;
    stand.ok(&["once"]).await;
    stand.world.close(1);
    stand.ok(&["once"]).await;
    let out = stand.ok(&["status"]).await;
    insta::assert_snapshot!(stand.redact(&out), @"
    townhouse: pinned at 3.9.3 (sha256:…)
      last pass: TIME, A MOMENT ago
      3.11.0     MINOR  declined  pull request #1 was closed without merging
      3.10.0     MINOR  skipped   3.11.0 was declined in #1
      3.9.3             pinned    the downstream pins it
    ");
}

#[tokio::test]
async fn all_of_it_works_beside_a_daemon_at_work() {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "* * * * * *");
    stand.set_watch("canary.env.CANARY_DELAY_MS", "2000");
    let daemon = Daemon::start(&stand);
    stand.world.release("3.10.0").publish().await;
    until("the canary", async || (stand.word("3.10.0").await == "canary").then_some(())).await;
    let out = stand.ok(&["explain", "3.10.0"]).await;
    assert!(out.contains("the canary has been running for"), "{out}");
    let out = stand.ok(&["plan"]).await;
    assert!(out.contains("do nothing"), "{out}");
    stand.ok(&["request", "bump", "3.10.0"]).await;
    until("the pull request", async || (stand.word("3.10.0").await == "proposed").then_some(()))
        .await;
    daemon.stop().await;
    assert_eq!(stand.world.pulls().len(), 1);
}
