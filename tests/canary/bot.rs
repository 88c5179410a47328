//! The whole bot, with the canary that ships, in its sandbox: pnpm sets the version and writes the
//! lockfile, installs, and runs the compiler and Vitest.

use crate::{
    engine::{Engine, connector},
    npm::{Npm, Tools},
    process::free_port,
    settings::{set, watch},
    stand::{Stand, run_in},
    workspace::Workspace,
};
use digest_bump::canary::sandbox::{Demand, Sandbox};
use std::{
    collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command,
};
use tempfile::TempDir;
use toml::{Table, Value};
use world::World;

/// What ships.
const SHIPPED: &str = include_str!("../../config/digest-bump.toml");

/// pnpm and its store where anybody may read them: the canary is not the user who fetched them.
struct Shelf(TempDir);

impl Shelf {
    fn filled(tools: &Tools) -> Self {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let pnpm = tools.bin.parent().unwrap().join("pnpm");
        for (from, name) in [(pnpm.as_path(), "pnpm"), (tools.store.as_path(), "kept")] {
            let to = folder.path().join(name);
            let copied = Command::new("cp").arg("-rL").arg(from).arg(&to).status().unwrap();
            assert!(copied.success());
            let readable = Command::new("chmod").args(["-R", "a+rX"]).arg(&to).status().unwrap();
            assert!(readable.success());
        }
        fs::create_dir(folder.path().join("bin")).unwrap();
        let pnpm = "../pnpm/bin/pnpm.cjs";
        std::os::unix::fs::symlink(pnpm, folder.path().join("bin/pnpm")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }
}

fn list(texts: impl IntoIterator<Item = String>) -> Value {
    Value::Array(texts.into_iter().map(Value::from).collect())
}

/// The shipped canary, pointed at this machine's tools and at this registry.
fn canary(stand: &mut Stand, shelf: &Shelf, npm: &Npm) {
    let shipped: Table = SHIPPED.parse().unwrap();
    let shipped = &shipped["watch"][0]["canary"];
    set(watch(&mut stand.config), "canary", shipped.clone());
    stand.set("canary.sandbox.tools", list([shelf.path("")]));
    stand.canary_env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", shelf.path("bin")));
    let address = npm.url.trim_start_matches("http://").trim_end_matches('/');
    for at in ["canary.prepare.network", "canary.step.0.network"] {
        stand.set(at, list([address.to_owned()]));
    }
    // What everything else comes from is copied, because it is written to; there is no other network.
    let commands = [
        ("canary.prepare.command", shipped["prepare"]["command"].clone()),
        ("canary.step.0.command", shipped["step"][0]["command"].clone()),
    ];
    for (command, words) in commands {
        let words = words.as_array().unwrap().iter();
        let words: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
        let script = format!(
            "test -d \"$HOME/kept\" || cp -r '{}' \"$HOME/kept\"; exec {} --prefer-offline \
             --store-dir \"$HOME/kept/store\" --config.cache-dir=\"$HOME/kept/metadata\"",
            shelf.path("kept"),
            words.join(" "),
        );
        stand.set(command, list(["sh".to_owned(), "-c".to_owned(), script]));
    }
}

/// Makes a town into a workspace that depends on 3.9.3, its lockfile among its files.
pub fn workspace(town: &mut BTreeMap<String, Vec<u8>>, tools: &Tools, registry: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in &*town {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let workspace = Workspace::new().registry(registry).store(&tools.store);
    workspace.write_to(folder.path());
    let mut pnpm = tools.command("pnpm");
    pnpm.args(["install", "--lockfile-only", "--ignore-scripts", "--prefer-offline"]);
    let output = pnpm.current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    // Where the store is on this machine is nothing that a repository knows.
    Workspace::new().registry(registry).write_to(folder.path());
    collect(folder.path(), folder.path(), town);
}

pub fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// The tools, where a canary can be confined as well.
async fn confined_tools() -> Option<Tools> {
    let tools = Tools::find()?;
    let program = Path::new(env!("CARGO_BIN_EXE_digest-bump"));
    // Said aloud where it is tried: here only that there is nothing to see.
    if Sandbox::choose(Demand::Strict, program).await.is_err() {
        crate::said::folder("BUBBLEWRAP");
        return None;
    }
    Some(tools)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_canary_proves_a_release_and_holds_one_that_breaks_the_contract() {
    let Some(tools) = confined_tools().await else { return };
    let (npm, shelf) = (Npm::start(&tools), Shelf::filled(&tools));
    let url = npm.url.clone();
    let builder = World::builder().town(move |files| workspace(files, &tools, &url));
    run_in(builder, async |stand| {
        canary(stand, &shelf, &npm);
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @r#"
        3.11.0 held: the canary failed: SDK types: exit status 2: tests/integration/connector-contract.types.ts(2,27): error TS2305: Module '"@toon-protocol/connector"' has no exported member 'isAddress'.; it passes at the pinned 3.9.3
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        "#);
        let pull = stand.only();
        let section = pull.body.split("###").find(|it| it.starts_with(" Contract canary"));
        // How long it takes differs.
        let numbers = regex::Regex::new("[0-9]+([.][0-9]+)?").unwrap();
        let section = numbers.replace_all(section.unwrap(), "N");
        let table = section.lines().filter(|line| line.starts_with('|'));
        insta::assert_snapshot!(table.collect::<Vec<_>>().join("\n"), @"
        | step | verdict | what was seen | saw the digest |
        | --- | --- | --- | --- |
        | prepare (setup) | ✅ passed | wrote packages/mill/package.json, packages/sdk/package.json, packages/town/package.json, pnpm-lock.yaml | no |
        | install (setup) | ✅ passed | Done in Ns | no |
        | SDK types | ✅ passed | exit status N | no |
        | SDK contract | ✅ passed | N of N passed in connector-contract.test.ts | no |
        | townhouse stub | ✅ passed | N of N passed in stub-canary.test.ts | no |
        ");
        let first = pull.body.lines().next().unwrap();
        assert!(first.contains("The canary never saw this digest"), "{first}");
        let changed = stand.git(&["diff", "--name-only", "main", &pull.head_branch]);
        assert!(
            changed.contains("pnpm-lock.yaml") && changed.contains("packages/sdk/package.json")
        );
        let lock = stand.git(&["show", &format!("{}:pnpm-lock.yaml", pull.head_branch)]);
        assert!(lock.contains("/@toon-protocol/connector@3.10.0:") && !lock.contains("3.9.3"));
    })
    .await;
}

/// The shipped step that boots the image, with this engine and a port that is free.
fn real_image(stand: &mut Stand, engine: &Engine) {
    let port = free_port();
    let step = "canary.step.4";
    stand.set(&format!("{step}.enabled"), true);
    stand.set(&format!("{step}.sockets"), list([engine.socket().to_string_lossy().into_owned()]));
    stand.set(&format!("{step}.forward"), list([format!("127.0.0.1:{port}")]));
    stand.set(&format!("{step}.env.DOCKER_HOST"), engine.docker_host());
    stand.set(&format!("{step}.env.CONNECTOR_PORT"), port.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_canary_boots_the_very_image_by_an_engine_of_another_user() {
    let Some(tools) = confined_tools().await else { return };
    let (npm, shelf) = (Npm::start(&tools), Shelf::filled(&tools));
    let url = npm.url.clone();
    let builder = World::builder().town(move |files| workspace(files, &tools, &url));
    let builder = builder.image(|image| image.program(connector(false)));
    run_in(builder, async |stand| {
        let Some(engine) = Engine::start(&stand.world.registry_url()) else { return };
        canary(stand, &shelf, &npm);
        real_image(stand, &engine);
        for (version, breaking) in [("3.10.0", false), ("3.12.0", true)] {
            let release = stand.world.release(version);
            release.image(|image| image.program(connector(breaking))).publish().await;
        }
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.12.0 held: the canary failed: townhouse real image: 1 of 4 failed: connector image > GET /admin/earnings.json answers 200 with JSON; it passes at the pinned 3.9.3
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
        let pull = stand.only();
        let row = |line: &&str| line.starts_with("| townhouse real image");
        insta::assert_snapshot!(pull.body.lines().find(row).unwrap(), @"| townhouse real image | ✅ passed | 4 of 4 passed in image-canary.test.ts | yes |");
        let first = pull.body.lines().next().unwrap();
        assert!(!first.contains("never saw this digest"), "{first}");
    })
    .await;
}
