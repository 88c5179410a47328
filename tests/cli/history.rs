//! The townhouse's history through `pin`, bump by bump, with the very config that ships. What has
//! to come out is found out here, line by line, with nothing of the code that edits.

use crate::bumps::{BUMPS, FIRST, Pin, SITES, Site, Spelled, TAG_LINE, bumped, first};
use crate::stand::{Said, Snapshot, bare, said, snapshot};
use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};
use tempfile::TempDir;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/digest-bump.toml");

const CONSTANTS: &str = "packages/townhouse/src/constants.ts";
const SCRIPT: &str = "scripts/townhouse-e2e-local-hs.sh";

/// The comment above `DEFAULT_CONNECTOR_TAG`, which is older than the line.
const ABOVE_THE_TAG: &str = "// What operators see of it:";

/// The version in hexadecimal, again and again: a digest from which one can tell its version.
fn digest(version: &str) -> String {
    let hex = version.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("sha256:{}", hex.chars().cycle().take(64).collect::<String>())
}

fn pin(version: &str) -> Pin {
    Pin { version: version.to_owned(), digest: digest(version) }
}

/// The townhouse as files, and what each of its sites spells.
struct Town {
    dir: TempDir,
    spelled: Spelled,
    /// The same before the last bump.
    before: Spelled,
    pinned: Pin,
}

impl Town {
    fn new() -> Self {
        let pinned = pin(FIRST);
        let spelled = first(&pinned);
        let town =
            Self { dir: tempfile::tempdir().unwrap(), before: spelled.clone(), spelled, pinned };
        let sites = SITES.iter().map(|site| site.path).collect::<BTreeSet<_>>();
        for (path, text) in FILES {
            let there = |site: &Site| site.path == *path && town.spelled.contains_key(site.name);
            if !sites.contains(path) || SITES.iter().any(there) {
                town.write(path, &town.filled(text));
            }
        }
        town.write("packages/townhouse/tests/pins.test.ts", &every_pin());
        town
    }

    fn filled(&self, text: &str) -> String {
        let Pin { version, digest } = &self.pinned;
        let text = text.replace("{v}", version).replace("{d}", digest);
        text.replace("{first}", &self::digest(FIRST)).replace("{other}", &self::digest("0.17.5"))
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        if path == SCRIPT {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dir.path().join(path)).unwrap()
    }

    /// People add a site, at the pin as it is now.
    fn add(&mut self, names: &[&str]) {
        for site in names.iter().map(|name| Site::named(name)) {
            if site.name == "DEFAULT_CONNECTOR_TAG" {
                let line = format!("{ABOVE_THE_TAG}{}", self.filled(TAG_LINE));
                let text = self.read(CONSTANTS).replace(&format!("{ABOVE_THE_TAG}\n"), &line);
                self.write(CONSTANTS, &text);
            } else {
                let (_, text) = FILES.iter().find(|(path, _)| *path == site.path).unwrap();
                self.write(site.path, &self.filled(text));
            }
            self.spelled.insert(site.name, self.pinned.clone());
        }
    }

    /// These sites spell what they spelled before the last bump, as if people had forgotten them.
    fn forget(&mut self, names: &[&str]) {
        for site in names.iter().map(|name| Site::named(name)) {
            let (now, old) = (&self.spelled[site.name], self.before[site.name].clone());
            self.write(site.path, &site.respelled(&self.read(site.path), now, &old));
            self.spelled.insert(site.name, old);
        }
    }

    async fn pin(&self, arguments: &[&str]) -> Said {
        let tree = self.dir.path().to_str().unwrap();
        let mut all = vec!["pin", "--tree", tree, "--config", SHIPPED];
        all.extend(arguments);
        said(bare(&all)).await
    }

    /// Bumps, and looks at everything that there is. What was said.
    async fn bump(&mut self, version: &str) -> String {
        let to = pin(version);
        self.guard_sees_what_is_behind().await;
        let before = snapshot(self.dir.path());
        let (lines, spoken) = self.expected(&to);
        let files = bumped(&self.spelled, &to, |path| self.read(path));

        let said = self.pin(&["--to", version, "--digest", &to.digest]).await;
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{version}: {said:#?}");
        assert_eq!(said.out, spoken, "{version}");
        let after = snapshot(self.dir.path());
        let mut wanted = before.clone();
        for (path, text) in files {
            wanted.get_mut(&self.dir.path().join(path)).unwrap().0 = text.into_bytes();
        }
        assert!(after == wanted, "{version}: other bytes or modes than expected");
        assert_eq!(changed_lines(self.dir.path(), &before, &after), lines, "{version}");

        let check = self.pin(&["--check"]).await;
        let agree = format!("all sites agree on {version} at {}\n", to.digest);
        assert_eq!((check.code, check.out), (0, agree));

        self.before = self.spelled.clone();
        for at in self.spelled.values_mut() {
            *at = to.clone();
        }
        self.pinned = to;
        said.out
    }

    /// Which lines have to change, and what has to be said.
    fn expected(&self, to: &Pin) -> (BTreeSet<(String, usize)>, String) {
        let (mut lines, mut said) = (BTreeSet::new(), String::new());
        for site in &SITES {
            let Site { name, path, .. } = site;
            let Some(from) = self.spelled.get(name) else {
                let _ = writeln!(said, "{path} ({name}): absent, skipped");
                continue;
            };
            let line = site.line(&self.read(path), from);
            if from == to {
                let _ = writeln!(said, "{path}:{line} ({name}): already there");
                continue;
            }
            let (old, new) = (site.shown(from), site.shown(to));
            let _ = writeln!(said, "{path}:{line} ({name}): {old} → {new}");
            lines.insert(((*path).to_owned(), line));
        }
        (lines, said)
    }

    /// Whatever is behind, `pin --check` fails.
    async fn guard_sees_what_is_behind(&self) {
        let behind: Vec<&Site> = SITES
            .iter()
            .filter(|site| self.spelled.get(site.name).is_some_and(|at| *at != self.pinned))
            .collect();
        let check = self.pin(&["--check"]).await;
        assert_eq!(check.code, i32::from(!behind.is_empty()), "{check:#?}");
        // Without the manifest and the constant, the workflow is the first to spell a version.
        let leads = |site: &&Site| site.name == "publish workflow" || site.name == "image manifest";
        if behind.iter().any(leads) {
            return;
        }
        let blamed = check.out.lines().filter(|line| line.starts_with('✗')).count();
        assert_eq!(blamed, behind.len(), "{}", check.out);
        for site in behind {
            let spelled = site.shown(&self.spelled[site.name]);
            let blame = format!("({}) spells {spelled}, the pin is", site.name);
            assert!(check.out.contains(&blame), "{blame}: {}", check.out);
        }
    }
}

/// The lines that differ, in all files: path and number. No line comes or goes.
fn changed_lines(dir: &Path, before: &Snapshot, after: &Snapshot) -> BTreeSet<(String, usize)> {
    let mut changed = BTreeSet::new();
    for (path, (old, _)) in before {
        let (old, new) = (old.split(|b| *b == b'\n'), after[path].0.split(|b| *b == b'\n'));
        assert_eq!(old.clone().count(), new.clone().count(), "{}", path.display());
        let path = path.strip_prefix(dir).unwrap().display().to_string();
        for (number, _) in (1..).zip(old.zip(new)).filter(|(_, (old, new))| old != new) {
            changed.insert((path.clone(), number));
        }
    }
    changed
}

#[test]
fn every_site_that_ships_is_in_the_history() {
    let config: toml::Table = fs::read_to_string(SHIPPED).unwrap().parse().unwrap();
    let shipped = config["watch"][0]["downstream"]["site"].as_array().unwrap().iter();
    let shipped =
        shipped.map(|site| (site["name"].as_str().unwrap(), site["path"].as_str().unwrap()));
    assert!(shipped.eq(SITES.iter().map(|site| (site.name, site.path))));
}

#[tokio::test]
async fn every_bump_of_the_history_moves_the_lines_that_are_there_and_no_other_byte() {
    let mut town = Town::new();
    let mut said = Vec::new();
    for bump in &BUMPS {
        town.add(bump.new);
        said.push(town.bump(bump.to).await);
        town.forget(bump.forgotten);
    }
    assert_eq!(town.spelled.len(), SITES.len(), "all have come by now");
    // The workflow had been forgotten at 3.7.2, and three files are not there yet.
    let telling = BUMPS.iter().position(|bump| bump.to == "3.7.4").unwrap();
    insta::assert_snapshot!(said[telling], @"
    packages/townhouse/dist/image-manifest.json (image manifest): absent, skipped
    packages/townhouse/src/constants.ts:10 (DEFAULT_CONNECTOR_IMAGE): 332e372e3333 → 332e372e3433
    packages/townhouse/src/constants.ts (DEFAULT_CONNECTOR_TAG): absent, skipped
    .github/workflows/publish-townhouse-images.yml:7 (publish workflow): 3.7.2 → 3.7.4
    docker-compose-townhouse.yml:6 (compose): 332e372e3333 → 332e372e3433
    packages/townhouse/compose/townhouse-dev.yml:4 (dev compose): 3.7.3 → 3.7.4
    scripts/townhouse-e2e-local-hs.sh (e2e script): absent, skipped
    packages/sdk/CONNECTOR_MIGRATION.md:5 (migration heading): 3.7.3 → 3.7.4
    packages/sdk/CONNECTOR_MIGRATION.md:7 (migration sentence): 3.7.3 → 3.7.4
    ");
}

#[tokio::test]
async fn what_people_left_behind_at_the_newest_pin_follows_without_a_release() {
    let mut town = Town::new();
    for bump in &BUMPS {
        town.add(bump.new);
    }
    town.bump("3.10.0").await;
    town.bump("3.10.3").await;
    town.forget(&["dev compose", "e2e script"]);
    town.bump("3.10.4").await;
    town.forget(&["image manifest", "publish workflow", "dev compose", "e2e script"]);
    insta::assert_snapshot!(town.bump("3.10.4").await, @"
    packages/townhouse/dist/image-manifest.json:8 (image manifest): 3.10.3 (332e31302e33) → 3.10.4 (332e31302e34)
    packages/townhouse/src/constants.ts:10 (DEFAULT_CONNECTOR_IMAGE): already there
    packages/townhouse/src/constants.ts:13 (DEFAULT_CONNECTOR_TAG): already there
    .github/workflows/publish-townhouse-images.yml:7 (publish workflow): 3.10.3 → 3.10.4
    docker-compose-townhouse.yml:6 (compose): already there
    packages/townhouse/compose/townhouse-dev.yml:4 (dev compose): 3.10.0 → 3.10.4
    scripts/townhouse-e2e-local-hs.sh:4 (e2e script): 3.10.0 → 3.10.4
    packages/sdk/CONNECTOR_MIGRATION.md:5 (migration heading): already there
    packages/sdk/CONNECTOR_MIGRATION.md:7 (migration sentence): already there
    ");
}

/// A test of the townhouse's that names every version and digest there ever was, on purpose, and a
/// line like each site's.
fn every_pin() -> String {
    let versions = BUMPS.iter().flat_map(|bump| bump.over.iter().chain([&bump.to]));
    let mut text = String::from("export const PINS = [\n");
    for version in [&FIRST].into_iter().chain(versions) {
        let digest = digest(version);
        let _ = write!(
            text,
            "  ['{version}', '{digest}'],\n  'ghcr.io/toon-protocol/connector@{digest}';\n\
            export const DEFAULT_CONNECTOR_TAG = '{version}';\n    \
            image: ghcr.io/toon-protocol/connector:{version}\n"
        );
    }
    // No newline at the end.
    text + "];"
}

/// Every file as it is once it is there.
const FILES: &[(&str, &str)] = &[
    ("packages/townhouse/dist/image-manifest.json", MANIFEST),
    (CONSTANTS, CONSTANTS_TS),
    (".github/workflows/publish-townhouse-images.yml", WORKFLOW),
    ("docker-compose-townhouse.yml", COMPOSE),
    ("packages/townhouse/compose/townhouse-dev.yml", DEV_COMPOSE),
    (SCRIPT, E2E),
    ("packages/sdk/CONNECTOR_MIGRATION.md", MIGRATION),
    ("packages/sdk/package.json", PACKAGE),
    ("pnpm-lock.yaml", LOCKFILE),
];

const MANIFEST: &str = r#"{
  "schemaVersion": 1,
  "townhouseVersion": "0.17.5",
  "builtAt": "2026-06-10T20:46:30.000Z",
  "images": {
    "townhouse-api": { "name": "ghcr.io/toon-protocol/townhouse-api", "tag": "0.17.5", "digest": "{other}" },
    "town":          { "name": "ghcr.io/toon-protocol/town",          "tag": "0.17.5", "digest": "{other}" },
    "connector":     { "name": "ghcr.io/toon-protocol/connector",     "tag": "{v}", "digest": "{d}" }
  }
}
"#;

const CONSTANTS_TS: &str = r"// scripts/check-pin.mjs reads this file line by line.
/**
 * The image that the townhouse starts, by its digest. Before that:
 *   'ghcr.io/toon-protocol/connector:3.6.3'
 *   'ghcr.io/toon-protocol/connector@{first}';
 */
// 'ghcr.io/toon-protocol/connector@{first}';
// A tag such as ghcr.io/toon-protocol/connector:3.10.0 can be moved.
export const DEFAULT_CONNECTOR_IMAGE =
  'ghcr.io/toon-protocol/connector@{d}';

// What operators see of it:

// export const DEFAULT_CONNECTOR_TAG = '3.6.3';
export const DEFAULT_API_IMAGE = 'ghcr.io/toon-protocol/townhouse-api:0.17.5';
";

const WORKFLOW: &str = r"name: Publish townhouse images
on:
  push:
    branches: [main]
env:
  # CONNECTOR_VERSION_DEFAULT: '3.6.3'
  CONNECTOR_VERSION_DEFAULT: '{v}'
  CONNECTOR_VERSION_FLOOR: '3.6.3'
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - run: echo CONNECTOR_VERSION_DEFAULT '3.6.3'
";

const COMPOSE: &str = r"services:
  api:
    image: ghcr.io/toon-protocol/townhouse-api@{first}
  connector:
    # image: ghcr.io/toon-protocol/connector@{first}
    image: ghcr.io/toon-protocol/connector@{d}
";

const DEV_COMPOSE: &str = r"services:
  connector:
    # image: ghcr.io/toon-protocol/connector:3.7.1
    image: ghcr.io/toon-protocol/connector:{v}
  sidecar:
    image: ghcr.io/toon-protocol/ator-sidecar:3.7.1
";

const E2E: &str = r#"#!/usr/bin/env bash
# CONNECTOR_TAG="${CONNECTOR_TAG:-3.7.4}" in a comment
start() {
  local CONNECTOR_TAG="${CONNECTOR_TAG:-{v}}"
  local FLOOR="${FLOOR:-3.7.4}"
}
"#;

const MIGRATION: &str = r"# Connector migration guide

> See also: `CONNECTOR_RELEASE_CONTRACT.md`

## Current Contract — connector v3 (verified through {v})

The contract canary passes through `{v}`.

> **3.6.5** changes nothing for us (verified through 3.6.5 by hand).

> **3.6.3** was the first that we saw through.

---

## Breaking Changes — v2.3.0 → v3.3.2

| API | v2.3.0 Behavior | v3.3.2 Behavior | Migration |
| --- | --- | --- | --- |
| `POST /admin/peers` | takes one | takes a list | wrap it |
";

const PACKAGE: &str = r#"{
  "name": "@toon-protocol/sdk",
  "dependencies": { "@toon-protocol/connector": "^{v}" },
  "peerDependencies": { "@toon-protocol/connector": ">=3.3.3" }
}
"#;

const LOCKFILE: &str = r"lockfileVersion: '6.0'
packages:
  /@toon-protocol/connector@{v}:
    resolution: {integrity: sha512-d29ybGQ=}
";
