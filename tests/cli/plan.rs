//! `plan`: what a pass would do, held against what the next real pass does.

use crate::pin::{checkout, git, push};
use crate::stand::{Stand, differences, said, snapshot};
use regex::Regex;
use serde_json::Value as Json;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// A plan must leave everything as it was.
async fn plan(stand: &Stand) -> Json {
    let temporary = stand.folder.path().join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    let places: [PathBuf; 3] =
        [stand.state(), temporary.clone(), stand.world.bare_repo().to_owned()];
    let look = || places.each_ref().map(|place| snapshot(place));
    let (before, existed) = (look(), stand.state().exists());
    stand.world.clear_requests();
    let mut command = stand.command(&["plan", "--json"]);
    command.env("TMPDIR", &temporary);
    let said = said(command).await;
    assert_eq!(said.code, 0, "{said:#?}");
    assert_eq!(stand.world.writes(), []);
    assert_eq!(stand.state().exists(), existed);
    for (before, after) in before.iter().zip(look()) {
        assert_eq!(differences(before, &after), Vec::<String>::new());
    }
    serde_json::from_str(&said.out).unwrap()
}

/// What a plan announces, in the words in which a pass reports it; the numbers of new pull
/// requests, which nobody can know, left out.
fn announced(plan: &Json) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let actions = plan["actions"].as_array().unwrap();
    let drafted = actions.iter().any(|action| action["action"] == "draft");
    for action in actions {
        let text = |key: &str| action[key].as_str().unwrap();
        // The next pass only opens the draft; CI takes its time.
        if drafted && action["if_canary_passes"] == true {
            continue;
        }
        let line = match text("action") {
            "draft" => {
                let (version, checks) = (text("version"), action["checks"][0].as_str().unwrap());
                lines.insert(format!("waiting for the checks of the draft at {version}: {checks}"));
                match action["over"].as_u64() {
                    None => format!("opened draft pull request: {}", text("title")),
                    Some(over) => format!("rewrote draft pull request #{over}: {}", text("title")),
                }
            }
            "hold" => {
                let (pull, why) = (&action["pull"], text("why"));
                format!("draft pull request #{pull} says why it is held: {why}")
            }
            "run_canary" => format!("canary started at {}", text("version")),
            "propose" => match action["over"].as_u64() {
                None => format!("opened pull request: {}", text("title")),
                Some(over) => format!("rewrote pull request #{over}: {}", text("title")),
            },
            "close" => format!("closed pull request #{}: {}", action["pull"], text("why")),
            "warn" => format!("warned in pull request #{}: {}", action["pull"], text("why")),
            "answer" => format!("answered request {}: {}", action["request"], text("answer")),
            other => panic!("{other}"),
        };
        lines.insert(line);
        if action["of_draft"] == true {
            lines.insert(format!("marked pull request #{} as ready", action["over"]));
        }
        if let Some(request) = action["answers"].as_u64() {
            let pull = action["over"].as_u64().map(|over| format!(" #{over}"));
            let pull = pull.unwrap_or_default();
            lines.insert(format!("answered request {request}: pull request{pull} proposes it"));
        }
    }
    lines
}

fn performed(report: &Json) -> BTreeSet<String> {
    let lines = report["performed"].as_array().unwrap().iter();
    let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    let opened = Regex::new("^opened (?:draft )?pull request( #[0-9]+)").unwrap();
    let new: Vec<&str> =
        lines.iter().filter_map(|line| Some(opened.captures(line)?.get(1)?.as_str())).collect();
    let answered = Regex::new("^(answered request [0-9]+) for [0-9.]+").unwrap();
    let plain = |line: &&str| {
        let line = new.iter().fold((*line).to_owned(), |line, new| line.replace(new, ""));
        answered.replace(&line, "$1").into_owned()
    };
    // What CI came to is read, not done.
    let readings = ["the checks came to ", "waiting for the checks of the base branch "];
    let read = |line: &&&str| readings.iter().any(|reading| line.starts_with(reading));
    lines.iter().filter(|line| !read(line)).map(plain).collect()
}

/// Plans, then passes, and compares: what was done, and branch, commit and tree of each proposal.
async fn holds(stand: &Stand) {
    let plan = plan(stand).await;
    assert_eq!(plan["troubles"], serde_json::json!([]), "{plan:#}");
    let report = stand.json(&["once"]).await;
    // When a tag was seen to have moved is no part of it.
    let timeless = |lines: BTreeSet<String>| -> BTreeSet<String> {
        lines.iter().map(|line| stand.redact(line)).collect()
    };
    assert_eq!(timeless(announced(&plan)), timeless(performed(&report)), "{plan:#}");
    for action in plan["actions"].as_array().unwrap() {
        let mut actions = plan["actions"].as_array().unwrap().iter();
        let later = actions.any(|it| it["action"] == "draft") && action["if_canary_passes"] == true;
        if !matches!(action["action"].as_str(), Some("propose" | "draft")) || later {
            continue;
        }
        let branch = action["branch"].as_str().unwrap();
        let open = stand.world.open_pulls();
        let pull = open.iter().find(|pull| pull.head_branch == branch);
        let pull = pull.expect("the branch that was announced");
        assert_eq!(action["commit"], pull.head_sha.as_str());
        assert_eq!(action["title"], pull.title.as_str());
        if let Some(over) = action["over"].as_u64() {
            assert_eq!(over, pull.number);
        }
        if action["action"] == "draft" {
            continue;
        }
        let tree = format!("{}^{{tree}}", pull.head_sha);
        let tree = git(stand.world.bare_repo(), &["rev-parse", &tree]);
        assert_eq!(action["tree"], tree.trim());
    }
}

/// A person moves the pin with `pin` and pushes to main.
async fn bump_by_hand(stand: &Stand, to: &str) {
    let tree = checkout(stand);
    let digest = stand.world.image_digest(to).unwrap();
    let dir = tree.path().to_str().unwrap();
    let bump = ["pin", "--tree", dir, "--to", to, "--digest", &digest];
    stand.ok(&bump).await;
    push(stand, &tree, "chore: bump by hand");
}

#[tokio::test]
async fn a_minor_from_the_very_first_day() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    holds(&stand).await;
    holds(&stand).await;
}

#[tokio::test]
async fn a_major_beside_a_minor() {
    let stand = Stand::new().await;
    stand.ok(&["once"]).await;
    stand.world.release("3.10.0").publish().await;
    let notes = "### ⚠ BREAKING CHANGES\n\n* **admin:** peers is a map";
    stand.world.release("4.0.0").notes(notes).publish().await;
    holds(&stand).await;
    assert_eq!(stand.world.open_pulls().len(), 2);
    holds(&stand).await;
}

#[tokio::test]
async fn a_newer_release_rewrites_the_open_pull_request() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.ok(&["once"]).await;
    stand.world.release("3.11.0").publish().await;
    holds(&stand).await;
    assert_eq!(stand.world.pulls().len(), 1);
}

#[tokio::test]
async fn a_warning_in_a_pull_request_whose_tag_moved() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.ok(&["once"]).await;
    stand.world.retag("3.10.0").await;
    let plan = stand.redact(&stand.ok(&["plan"]).await);
    assert!(plan.contains("\n  warn in #1: the tag 3.10.0 moved: sha256:"), "{plan}");
    holds(&stand).await;
    assert!(stand.world.open_pulls()[0].body.starts_with("> [!WARNING]"));
    holds(&stand).await;
}

#[tokio::test]
async fn an_offered_patch_that_is_asked_for() {
    let stand = Stand::new().await;
    stand.world.release("3.9.4").publish().await;
    holds(&stand).await;
    assert_eq!(stand.world.pulls(), []);
    stand.ok(&["request", "bump", "3.9.4"]).await;
    holds(&stand).await;
    assert_eq!(stand.world.open_pulls().len(), 1);
}

#[tokio::test]
async fn a_patch_that_is_asked_for_unchecked() {
    let mut stand = Stand::new().await;
    stand.set_patches("skip");
    stand.ok(&["once"]).await;
    stand.world.release("3.9.4").publish().await;
    stand.ok(&["request", "bump", "3.9.4"]).await;
    holds(&stand).await;
    assert_eq!(stand.world.open_pulls().len(), 1);
}

#[tokio::test]
async fn a_wish_that_cannot_be_met() {
    let stand = Stand::new().await;
    stand.ok(&["once"]).await;
    stand.ok(&["request", "bump", "3.8.0"]).await;
    stand.ok(&["request", "bump", "9.9.9"]).await;
    holds(&stand).await;
}

#[tokio::test]
async fn a_pull_request_that_has_nothing_left_to_propose() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.ok(&["once"]).await;
    bump_by_hand(&stand, "3.10.0").await;
    holds(&stand).await;
    assert_eq!(stand.world.open_pulls(), []);
}

#[tokio::test]
async fn one_closed_and_another_opened() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.ok(&["once"]).await;
    bump_by_hand(&stand, "3.10.0").await;
    stand.world.release("3.11.0").publish().await;
    holds(&stand).await;
    assert_eq!(stand.world.open_pulls().len(), 1);
}

#[tokio::test]
async fn one_that_was_withdrawn_is_closed_and_an_older_one_opened() {
    let stand = Stand::new().await;
    for version in ["3.10.0", "3.11.0"] {
        stand.world.release(version).publish().await;
        stand.ok(&["once"]).await;
    }
    stand.world.withdraw_release("3.11.0");
    holds(&stand).await;
    let open = stand.world.open_pulls();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].title, "chore(connector): bump 3.9.3 → 3.10.0");
}

#[tokio::test]
async fn the_canary_never_runs_and_a_token_changes_nothing() {
    let mut stand = Stand::new().await;
    let mark = stand.folder.path().join("the canary ran");
    let command = vec!["touch".to_owned(), mark.display().to_string()];
    stand.set_watch("canary.step.0.command", command);
    stand.world.release("3.10.0").publish().await;
    let without = plan(&stand).await;
    let with = stand.json(&["plan"]).await;
    assert_eq!(without, with);
    assert!(!mark.exists());
    assert!(stand.world.requests().iter().any(|it| it.authorised));
}

/// A plan as a person reads it, of the diffs only the files.
async fn read(stand: &Stand) -> String {
    let out = stand.redact(&stand.ok(&["plan"]).await);
    let file = Regex::new("^    diff --git a/(.*) b/.*$").unwrap();
    let kept = |line: &&str| {
        let ours = ["    from the branch", "    in answer", "    diff --git"];
        !line.starts_with("    ") || ours.iter().any(|start| line.starts_with(start))
    };
    let lines = out.lines().filter(kept);
    let lines = lines.map(|line| file.replace(line, "    diff of $1").into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn comments_that_command_make_no_plan_need_a_token() {
    let mut stand = Stand::new().await;
    stand.set_watch("downstream.commands.enabled", true);
    stand.world.release("3.10.0").publish().await;
    let plan = plan(&stand).await;
    assert_eq!(plan["actions"][0]["action"], "run_canary", "{plan:#}");
    assert_eq!(plan["troubles"], serde_json::json!([]), "{plan:#}");
}

#[tokio::test]
async fn a_plan_knows_of_a_hold_that_the_database_has_lost() {
    let mut stand = Stand::new().await;
    stand.set_watch("downstream.dashboard.enabled", true);
    stand.ok(&["once"]).await;
    stand.ok(&["request", "hold", "a freeze"]).await;
    stand.ok(&["once"]).await;
    fs::remove_dir_all(stand.state()).unwrap();
    stand.world.release("3.10.0").publish().await;
    let told = stand.ok(&["plan"]).await;
    assert!(told.contains("run the canary at 3.10.0"), "{told}");
    assert!(!told.contains("open \"chore"), "{told}");
}

#[tokio::test]
async fn a_plan_that_a_person_reads() {
    let stand = Stand::new().await;
    stand.world.release("3.9.4").publish().await;
    stand.world.release("3.10.0").publish().await;
    let notes = "### ⚠ BREAKING CHANGES\n\n* **admin:** peers is a map";
    stand.world.release("4.0.0").notes(notes).publish().await;
    insta::assert_snapshot!(read(&stand).await, @r#"
    townhouse: a pass would
      run the canary at 4.0.0
      … then, whatever the canary finds: open "docs(connector): migration stub for 3.9.3 → 4.0.0"
        from the branch digest-bump/connector-4-migration
        diff of packages/sdk/CONNECTOR_MIGRATION.md
      run the canary at 3.10.0
      … then, if the canary passes: open "chore(connector): bump 3.9.3 → 3.10.0"
        from the branch digest-bump/connector
        diff of .github/workflows/publish-townhouse-images.yml
        diff of docker-compose-townhouse.yml
        diff of packages/sdk/CONNECTOR_MIGRATION.md
        diff of packages/townhouse/compose/townhouse-dev.yml
        diff of packages/townhouse/dist/image-manifest.json
        diff of packages/townhouse/src/constants.ts
        diff of scripts/townhouse-e2e-local-hs.sh
    Releases:
      4.0.0      checking  its evidence is being collected
      3.10.0     checking  its evidence is being collected
      3.9.4      queued    3.10.0 is looked at first
      3.9.3      pinned    the downstream pins it
    "#);
    stand.ok(&["once"]).await;
    insta::assert_snapshot!(read(&stand).await, @"
    townhouse: a pass would
      do nothing
    Releases:
      4.0.0      proposed  pull request #1 proposes it
      3.10.0     proposed  pull request #2 proposes it
      3.9.4      covered   3.10.0 contains it
      3.9.3      pinned    the downstream pins it
    ");
    stand.world.release("3.11.0").publish().await;
    stand.ok(&["request", "bump", "3.8.0"]).await;
    insta::assert_snapshot!(read(&stand).await, @r#"
    townhouse: a pass would
      answer request 1: the pin is at 3.9.3, and a downgrade is only proposed where that has to be left
      run the canary at 3.11.0
      … then, if the canary passes: rewrite #2 as "chore(connector): bump 3.9.3 → 3.11.0"
        from the branch digest-bump/connector
        diff of .github/workflows/publish-townhouse-images.yml
        diff of docker-compose-townhouse.yml
        diff of packages/sdk/CONNECTOR_MIGRATION.md
        diff of packages/townhouse/compose/townhouse-dev.yml
        diff of packages/townhouse/dist/image-manifest.json
        diff of packages/townhouse/src/constants.ts
        diff of scripts/townhouse-e2e-local-hs.sh
    Releases:
      4.0.0      proposed  pull request #1 proposes it
      3.11.0     checking  its evidence is being collected
      3.10.0     proposed  pull request #2 proposes it
      3.9.4      covered   3.10.0 contains it
      3.9.3      pinned    the downstream pins it
    "#);
}

#[tokio::test]
async fn a_wish_that_is_about_to_be_granted() {
    let stand = Stand::new().await;
    stand.world.release("3.9.4").publish().await;
    stand.ok(&["once"]).await;
    stand.ok(&["request", "bump", "3.9.4"]).await;
    insta::assert_snapshot!(read(&stand).await, @r#"
    townhouse: a pass would
      open "chore(connector): bump 3.9.3 → 3.9.4"
        from the branch digest-bump/connector
        in answer to request 1
        diff of .github/workflows/publish-townhouse-images.yml
        diff of docker-compose-townhouse.yml
        diff of packages/sdk/CONNECTOR_MIGRATION.md
        diff of packages/townhouse/compose/townhouse-dev.yml
        diff of packages/townhouse/dist/image-manifest.json
        diff of packages/townhouse/src/constants.ts
        diff of scripts/townhouse-e2e-local-hs.sh
    Releases:
      3.9.4      ready     every check passed; its pull request is due
      3.9.3      pinned    the downstream pins it
    "#);
}

#[tokio::test]
async fn the_edit_is_shown_as_a_diff() {
    let stand = Stand::new().await;
    let notes = "### ⚠ BREAKING CHANGES\n\n* **admin:** peers is a map";
    stand.world.release("4.0.0").notes(notes).publish().await;
    let out = stand.ok(&["plan"]).await;
    insta::assert_snapshot!(stand.redact(&out), @r#"
    townhouse: a pass would
      run the canary at 4.0.0
      … then, whatever the canary finds: open "docs(connector): migration stub for 3.9.3 → 4.0.0"
        from the branch digest-bump/connector-4-migration
        diff --git a/packages/sdk/CONNECTOR_MIGRATION.md b/packages/sdk/CONNECTOR_MIGRATION.md
        index DIGEST..DIGEST 100644
        --- a/packages/sdk/CONNECTOR_MIGRATION.md
        +++ b/packages/sdk/CONNECTOR_MIGRATION.md
        @@ -13,6 +13,12 @@ The contract canary passes through `3.9.3`.
         
         ---
         
        +## Breaking Changes — v3.9.3 → v4.0.0
        +
        +| API | v3.9.3 Behavior | v4.0.0 Behavior | Migration |
        +| --- | --- | --- | --- |
        +| admin | TODO | peers is a map | TODO |
        +
         ## Breaking Changes — v2.3.0 → v3.3.2
         
         | API | v2.3.0 Behavior | v3.3.2 Behavior | Migration |
    Releases:
      4.0.0      checking  its evidence is being collected
      3.9.3      pinned    the downstream pins it
    "#);
}

#[tokio::test]
async fn a_world_out_of_reach_is_no_empty_plan() {
    let mut stand = Stand::new().await;
    stand.set("github.git_url", "http://127.0.0.1:1");
    let said = stand.run(&["plan"]).await;
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    insta::assert_snapshot!(stand.redact(&said.err), @"
    digest-bump: too little could be read:
      main of toon-protocol/town: the git server could not be used: http://HOST: Connection refused (os error 111)
    ");
    assert!(!stand.state().exists());
}

/// Leaves the canary to the downstream's own CI.
fn by_checks(stand: &mut Stand) {
    let canary = toml::toml! { executor = "checks" checks = ["Connector Contract Canary"] };
    stand.set_watch("canary", canary);
}

fn ci(stand: &Stand, conclusion: &str) {
    let open = stand.world.open_pulls();
    let draft = open.iter().find(|pull| pull.draft).expect("a draft");
    stand.world.ci_concludes(&draft.head_sha, "Connector Contract Canary", conclusion);
}

#[tokio::test]
async fn a_draft_from_its_opening_to_its_end() {
    let mut stand = Stand::new().await;
    by_checks(&mut stand);
    let main = git(stand.world.bare_repo(), &["rev-parse", "main"]);
    stand.world.ci_concludes(main.trim(), "Connector Contract Canary", "success");
    stand.world.release("3.10.0").publish().await;
    let told = stand.redact(&stand.ok(&["plan"]).await);
    let diff = |line: &&str| {
        let line = line.strip_prefix("    ").unwrap_or_default();
        ["diff", "index", "---", "+++", "@@", "+", "-", " "].iter().any(|it| line.starts_with(it))
    };
    let told = told.lines().filter(|line| !diff(line));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    townhouse: a pass would
      open the draft "chore(connector): bump 3.9.3 → 3.10.0"
        from the branch digest-bump/connector
        and wait for Connector Contract Canary
      … then, if its checks succeed: mark the draft as ready: "chore(connector): bump 3.9.3 → 3.10.0"
        from the branch digest-bump/connector
    Releases:
      3.10.0     checking  its evidence is being collected
      3.9.3      pinned    the downstream pins it
    "#);
    holds(&stand).await;
    holds(&stand).await;
    ci(&stand, "success");
    holds(&stand).await;
    assert!(!stand.world.open_pulls()[0].draft);
    stand.world.release("3.11.0").publish().await;
    holds(&stand).await;
    ci(&stand, "failure");
    holds(&stand).await;
    holds(&stand).await;
    assert_eq!(stand.world.open_pulls().len(), 2);
}
