//! The workflow that ships for `executor = "github-actions"`, its own scripts run by bash in a
//! checkout, as a runner would; the bot dispatches it, and reads what it hands back.

use crate::{
    bot::{collect, workspace},
    npm::{Npm, Tools},
    settings::{set, watch},
    stand::{Stand, run_in},
};
use std::{collections::BTreeMap, fs, process::Command};
use world::{Dispatch, World};

/// What ships.
const SHIPPED: &str = include_str!("../../config/workflows/digest-bump-canary.yml");

/// One step of the workflow.
struct Step {
    name: String,
    directory: String,
    env: BTreeMap<String, String>,
    script: String,
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The steps with a script, in their order. No more of YAML than this one file has.
fn steps() -> Vec<Step> {
    let (_, steps) = SHIPPED.split_once("    steps:\n").unwrap();
    let named = steps.split("      - name: ").skip(1);
    let parsed = named.filter_map(|text| {
        let mut lines = text.lines().peekable();
        let name = lines.next()?.to_owned();
        let (mut directory, mut env, mut script) = (".".to_owned(), BTreeMap::new(), None);
        while let Some(line) = lines.next() {
            let mut block = |deeper: usize| {
                let mut lines_of_it = Vec::new();
                while let Some(next) = lines.next_if(|it| it.is_empty() || indent(it) >= deeper) {
                    lines_of_it.push(next.get(deeper..).unwrap_or_default());
                }
                lines_of_it.join("\n")
            };
            match line.trim().split_once(':') {
                Some(("working-directory", path)) => path.trim().clone_into(&mut directory),
                Some(("run", rest)) if rest.trim().starts_with('|') => script = Some(block(10)),
                Some(("run", rest)) => script = Some(rest.trim().to_owned()),
                Some(("env", "")) => {
                    let pairs = block(10);
                    let pairs = pairs.lines().filter_map(|line| line.split_once(": "));
                    env.extend(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
                }
                _ => {}
            }
        }
        Some(Step { name, directory, env, script: script? })
    });
    parsed.collect()
}

/// Runs the workflow at the dispatched commit, and concludes the run. What needs a network that is
/// not there, the installation of pnpm, is done already.
fn run(stand: &Stand, tools: &Tools, dispatch: &Dispatch) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (tree, handed_back) = (folder.path().join("tree"), folder.path().join("digest-bump"));
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (from, to) = (stand.world.bare_repo().to_str().unwrap(), tree.to_str().unwrap());
    git(&["clone", "--quiet", "--no-checkout", from, to]);
    git(&["-C", to, "checkout", "--quiet", &dispatch.sha]);
    fs::create_dir(&handed_back).unwrap();
    stand.world.run_begins(dispatch.id);
    let (mut ran, mut conclusion) = (Vec::new(), "success");
    for step in steps().into_iter().filter(|step| step.name != "Install pnpm") {
        let mut bash = tools.command("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &step.script]);
        bash.current_dir(tree.join(&step.directory)).env("HANDED_BACK", &handed_back);
        bash.env("npm_config_store_dir", tools.store.join("store"));
        bash.env("npm_config_cache_dir", tools.store.join("metadata"));
        bash.env("npm_config_prefer_offline", "true");
        for (name, value) in &step.env {
            let input = value.strip_prefix("${{ inputs.").and_then(|it| it.strip_suffix(" }}"));
            bash.env(name, &dispatch.inputs[input.expect("an input")]);
        }
        let output = bash.output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        eprintln!("== {}: {}\n{said}", step.name, output.status);
        ran.push(step.name);
        if !output.status.success() {
            conclusion = "failure";
            break;
        }
    }
    let mut files = BTreeMap::new();
    collect(&handed_back, &handed_back, &mut files);
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    stand.world.run_hands_back(dispatch.id, "digest-bump", &files);
    stand.world.run_concludes(dispatch.id, conclusion);
    ran
}

fn by_workflow(stand: &mut Stand) {
    let canary = toml::toml! {
        executor = "github-actions"
        workflow = "digest-bump-canary.yml"
        report = [
            { name = "SDK types", format = "tap", path = "sdk-types.tap" },
            { name = "SDK contract", format = "vitest-json", path = "sdk-contract.json", files = ["packages/sdk/tests/integration/connector-contract.test.ts"] },
            { name = "townhouse stub", format = "vitest-json", path = "townhouse-stub.json" },
        ]
        prepare = { files = ["pnpm-lock.yaml", "packages/*/package.json"] }
    };
    set(watch(&mut stand.config), "canary", canary.into());
}

/// Every run that is due is run, until nothing more is dispatched.
async fn settle(stand: &Stand, tools: &Tools) {
    stand.settle().await;
    loop {
        let waiting = stand.world.dispatches().into_iter().find(|run| run.state == "queued");
        let Some(waiting) = waiting else { return };
        let ran = run(stand, tools, &waiting);
        assert_eq!(ran.first().unwrap(), "Prepare");
        stand.wait_minutes(2);
        stand.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_workflow_proves_a_release_and_holds_one_that_breaks_the_contract() {
    let Some(tools) = Tools::find() else { return };
    let npm = Npm::start(&tools);
    let (url, of_town) =
        (npm.url.clone(), Tools { bin: tools.bin.clone(), store: tools.store.clone() });
    let builder = World::builder().town(move |files| {
        workspace(files, &of_town, &url);
        let path = ".github/workflows/digest-bump-canary.yml".to_owned();
        files.insert(path, SHIPPED.as_bytes().to_vec());
    });
    run_in(builder, async |stand| {
        by_workflow(stand);
        stand.world.release("3.10.0").publish().await;
        settle(stand, &tools).await;
        let pull = stand.only();
        let changed = stand.git(&[
            "diff",
            "--name-only",
            "main",
            &pull.head_branch,
            "--",
            "pnpm-lock.yaml",
            "packages/*/package.json",
        ]);
        insta::assert_snapshot!(changed, @"
        packages/mill/package.json
        packages/sdk/package.json
        packages/town/package.json
        pnpm-lock.yaml
        ");
        let lock = stand.git(&["show", &format!("{}:pnpm-lock.yaml", pull.head_branch)]);
        assert!(lock.contains("/@toon-protocol/connector@3.10.0:") && !lock.contains("3.9.3"));
        let table: Vec<&str> = pull
            .body
            .lines()
            .filter(|line| line.contains("✅ passed") && line.ends_with("| no |"))
            .collect();
        insta::assert_snapshot!(stand.redact(&table.join("\n")), @"
        | [workflow digest-bump-canary.yml](https://github.com/toon-protocol/town/actions/runs/N) | ✅ passed | success | no |
        | SDK types | ✅ passed | 1 of 1 passed | no |
        | SDK contract | ✅ passed | 4 of 4 passed in connector-contract.test.ts | no |
        | townhouse stub | ✅ passed | 1 of 1 passed | no |
        ");

        stand.world.release("3.11.0").publish().await;
        settle(stand, &tools).await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 held: the canary failed: SDK types: 1 of 1 failed: SDK types; SDK contract: 3 of 4 failed: connector contract > accepts g.town.a as an address; connector contract > accepts g.town.b as an address; connector contract > refuses what is no address, https://github.com/toon-protocol/town/actions/runs/N; it passes at the pinned 3.9.3
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}
