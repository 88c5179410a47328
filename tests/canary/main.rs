//! The contract canary with real parts: pnpm, Vitest, the TypeScript compiler, a registry for npm
//! packages, a container engine and a registry for images. `.ci/canary.sh` fetches them.
//!
//! What is measured here is why reports are read: the commands below exit with 0 and have not
//! tested the contract.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panic")]

mod bot;
#[path = "../database/mod.rs"]
mod database;
mod engine;
mod npm;
mod process;
mod runner;
mod said;
#[path = "../e2e/settings.rs"]
mod settings;
#[path = "../e2e/stand.rs"]
#[expect(dead_code, reason = "these stories need only a part of it")]
mod stand;
mod workspace;

use digest_bump::{
    canary::report::{Demand, Format, Judgement, judge, parse},
    domain::Verdict,
};
use engine::{Engine, connector};
use npm::{Npm, Tools};
use std::{fs, process::Command};
use tempfile::TempDir;
use workspace::{CONTRACT, IMAGE_CANARY, STUB_CANARY, Workspace};
use world::World;

/// The downstream's script for integration tests, as its documents call it.
const INTEGRATION: [&str; 3] = ["--filter", "@toon-protocol/sdk", "test:integration"];
/// As pnpm is started in the package's folder, so is the file named from there.
const FILE: &str = "tests/integration/connector-contract.test.ts";

/// A workspace on the disk, with what it depends on.
struct Town {
    tools: Tools,
    tree: TempDir,
    npm: Npm,
}

/// What came of a command.
struct Ran {
    code: Option<i32>,
    said: String,
    judgement: Judgement,
}

impl Town {
    /// `None`, said aloud, where the tools are not there.
    fn found() -> Option<Self> {
        let tools = Tools::find()?;
        let npm = Npm::start(&tools);
        Some(Self { tree: tempfile::tempdir().unwrap(), tools, npm })
    }

    /// Depends on that version of the connector. Gives pnpm's exit status.
    fn install(&self, version: &str) -> (Option<i32>, String) {
        let workspace = Workspace::new().connector(version).registry(&self.npm.url);
        workspace.store(&self.tools.store).write_to(self.tree.path());
        let mut pnpm = self.tools.command("pnpm");
        pnpm.args(["install", "--no-frozen-lockfile", "--ignore-scripts", "--prefer-offline"]);
        ended(pnpm.current_dir(self.tree.path()))
    }

    fn must_install(&self, version: &str) {
        let (code, said) = self.install(version);
        assert_eq!(code, Some(0), "{said}");
    }

    /// Runs pnpm with a report in a format of Vitest's, and judges it by the file that counts.
    fn pnpm(&self, words: &[&str], rest: &[&str], format: (&str, Format), file: &str) -> Ran {
        self.pnpm_with(words, rest, format, file, |_| {})
    }

    fn pnpm_with(
        &self,
        words: &[&str],
        rest: &[&str],
        (reporter, format): (&str, Format),
        file: &str,
        adjust: impl FnOnce(&mut Command),
    ) -> Ran {
        let report = self.tree.path().join("report");
        let _ = fs::remove_file(&report);
        let mut pnpm = self.tools.command("pnpm");
        pnpm.args(words).args(["--reporter", reporter, "--outputFile"]).arg(&report).args(rest);
        adjust(pnpm.current_dir(self.tree.path()));
        let (code, said) = ended(&mut pnpm);
        let bytes = match format {
            // Vitest 1.6 writes it to no file, whatever it is told.
            Format::Tap => said.contains("TAP version").then(|| said.clone().into_bytes()),
            Format::VitestJson | Format::JestJson | Format::Junit => fs::read(&report).ok(),
        };
        Ran { code, said, judgement: judged(bytes.as_deref(), format, file) }
    }

    fn types(&self) -> (Option<i32>, String) {
        let sdk = self.tree.path().join("packages/sdk");
        let mut tsc = self.tools.command("node_modules/.bin/tsc");
        ended(tsc.args(["--noEmit", "-p", "tests/integration/tsconfig.json"]).current_dir(sdk))
    }
}

fn ended(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn judged(report: Option<&[u8]>, format: Format, file: &str) -> Judgement {
    let Some(report) = report else { return Judgement::without_report() };
    let demand = Demand { files: vec![file.to_owned()], at_least: 1 };
    judge(&parse(format, report).unwrap(), &demand)
}

impl Ran {
    fn shows(&self, code: i32, verdict: Verdict, summary: &str) {
        let seen = (self.code, self.judgement.verdict, &*self.judgement.summary);
        assert_eq!(seen, (Some(code), verdict, summary), "{}", self.said);
    }
}

const JSON: (&str, Format) = ("json", Format::VitestJson);
const FORMATS: [(&str, Format); 4] =
    [JSON, ("junit", Format::Junit), ("tap", Format::Tap), ("tap-flat", Format::Tap)];

#[test]
fn a_command_that_exits_with_0_need_not_have_tested_the_contract() {
    let Some(town) = Town::found() else { return };
    town.must_install("3.10.0");

    // As documented: after `--`, every integration file runs. Only the named one counts.
    for format in FORMATS {
        let ran = town.pnpm(&INTEGRATION, &["--", FILE], format, CONTRACT);
        ran.shows(0, Verdict::Passed, "4 of 4 passed in connector-contract.test.ts");
        assert_eq!(ran.judgement.other_files, 1, "{format:?}");
    }
    let ran = town.pnpm_with(&INTEGRATION, &["--", FILE], JSON, CONTRACT, |pnpm| {
        pnpm.env("RELAY_IS_DOWN", "1");
    });
    let summary = "4 of 4 passed in connector-contract.test.ts; 1 failed in other files";
    ran.shows(1, Verdict::Passed, summary);
    // Without `--`, only the named one runs.
    let ran = town.pnpm(&INTEGRATION, &[FILE], JSON, CONTRACT);
    ran.shows(0, Verdict::Passed, "4 of 4 passed in connector-contract.test.ts");
    assert_eq!(ran.judgement.other_files, 0);

    // A package that is not there, a script that is not there.
    let nobody = ["--filter", "@toon-protocol/hub", "test:integration"];
    let nothing = "did not run: no report was written";
    town.pnpm(&nobody, &[FILE], JSON, CONTRACT).shows(0, Verdict::Inconclusive, nothing);
    let nameless = ["--filter", "@toon-protocol/sdk", "test:contract"];
    town.pnpm(&nameless, &[FILE], JSON, CONTRACT).shows(0, Verdict::Inconclusive, nothing);

    // All tests skipped.
    for format in FORMATS {
        let ran = town.pnpm(&INTEGRATION, &["-t", "no such test", FILE], format, CONTRACT);
        ran.shows(0, Verdict::Inconclusive, "did not run: all 4 tests were skipped");
    }

    // The file is gone: unnoticed after `--`, and without it no report is written.
    fs::remove_file(town.tree.path().join(CONTRACT)).unwrap();
    let gone = "did not run: no test of connector-contract.test.ts is in the report \
                (it ran 1 test of 1 other file)";
    for format in FORMATS {
        let ran = town.pnpm(&INTEGRATION, &["--", FILE], format, CONTRACT);
        ran.shows(0, Verdict::Inconclusive, gone);
    }
    town.pnpm(&INTEGRATION, &[FILE], JSON, CONTRACT).shows(1, Verdict::Inconclusive, nothing);
}

#[test]
fn a_package_that_lacks_an_export_fails_its_tests_and_its_types() {
    let Some(town) = Town::found() else { return };
    // One that nobody published is no broken contract: there is nothing to run.
    let (code, said) = town.install("3.99.0");
    assert!(code != Some(0) && said.contains("3.99.0"), "{code:?} {said}");
    let nothing = "did not run: no report was written";
    town.pnpm(&INTEGRATION, &[FILE], JSON, CONTRACT).shows(1, Verdict::Inconclusive, nothing);

    town.must_install("3.10.0");
    assert_eq!(town.types(), (Some(0), String::new()));

    town.must_install("3.11.0");
    let broken = "3 of 4 failed: connector contract > accepts g.town.a as an address; \
                  connector contract > accepts g.town.b as an address; \
                  connector contract > refuses what is no address";
    for format in FORMATS {
        town.pnpm(&INTEGRATION, &[FILE], format, CONTRACT).shows(1, Verdict::Failed, broken);
    }
    let (code, said) = town.types();
    assert_eq!(code, Some(2));
    assert!(said.contains("TS2305") && said.contains("isAddress"), "{said}");

    // Where the file asks for what is gone while it is loaded, none of its tests is there to fail.
    let contract = town.tree.path().join(CONTRACT);
    let text = fs::read_to_string(&contract).unwrap();
    fs::write(&contract, format!("{text}\nconnector.isAddress('g.town');\n")).unwrap();
    let unloaded = town.pnpm(&INTEGRATION, &[FILE], JSON, CONTRACT);
    assert_eq!(unloaded.judgement.verdict, Verdict::Failed, "{}", unloaded.judgement.summary);
    // A module that is missing says nothing about the contract.
    fs::write(&contract, format!("import '@toon-protocol/nowhere';\n{text}")).unwrap();
    let unresolved = town.pnpm(&INTEGRATION, &[FILE], JSON, CONTRACT);
    let summary = &unresolved.judgement.summary;
    assert_eq!(unresolved.judgement.verdict, Verdict::Inconclusive, "{summary}");
    assert!(summary.contains("failed before its first test"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_booted_by_its_digest_and_asked() {
    let Some(town) = Town::found() else { return };
    let world = World::builder().image(|image| image.program(connector(false))).start().await;
    let Some(engine) = Engine::start(&world.registry_url()) else { return };
    let broken = world.release("3.10.0").image(|image| image.program(connector(true)));
    broken.publish().await;
    let image = |version: &str| {
        format!("ghcr.io/toon-protocol/connector@{}", world.image_digest(version).unwrap())
    };
    town.must_install("3.10.0");
    let canary = ["--filter", "@toon-protocol/townhouse", "test:canary"];
    let ask = |image: &str, host: &str| {
        town.pnpm_with(&canary, &[], JSON, IMAGE_CANARY, |pnpm| {
            pnpm.env("CONNECTOR_IMAGE_OVERRIDE", image);
            pnpm.env("CONNECTOR_PORT", process::free_port().to_string()).env("DOCKER_HOST", host);
        })
    };
    let host = engine.docker_host();

    let good = image("3.9.3");
    ask(&good, &host).shows(0, Verdict::Passed, "4 of 4 passed in image-canary.test.ts");
    let broken = "1 of 4 failed: connector image > GET /admin/earnings.json answers 200 with JSON";
    ask(&image("3.10.0"), &host).shows(1, Verdict::Failed, broken);

    // No such digest, no engine: nobody can tell.
    let unknown = format!("{}@sha256:{}", good.split('@').next().unwrap(), "0".repeat(64));
    let nowhere = format!("unix://{}/none.sock", town.tree.path().display());
    for (image, host) in [(&unknown, &host), (&good, &nowhere)] {
        let ran = ask(image, host);
        let summary = &ran.judgement.summary;
        assert_eq!(
            (ran.code, ran.judgement.verdict),
            (Some(1), Verdict::Inconclusive),
            "{summary}"
        );
        assert!(summary.starts_with("did not run: image-canary.test.ts"), "{summary}");
    }
    // It skips itself, and says so nowhere but in its report.
    let skipped = town.pnpm_with(&canary, &[], JSON, IMAGE_CANARY, |pnpm| {
        pnpm.env("SKIP_DOCKER", "1");
    });
    skipped.shows(0, Verdict::Inconclusive, "did not run: all 4 tests were skipped");

    // The one that needs no engine.
    let stub = ["--filter", "@toon-protocol/townhouse", "run", "test"];
    let ran = town.pnpm(&stub, &[], JSON, STUB_CANARY);
    ran.shows(0, Verdict::Passed, "1 of 1 passed in stub-canary.test.ts");
}
