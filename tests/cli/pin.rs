//! `pin`: the lockstep edit and its guard, in a plain checkout. Nothing but the config is there:
//! no token, no network, no state.

use crate::stand::{Said, Stand, said, snapshot};
use std::process::Command;
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path};
use tempfile::TempDir;

const WORKFLOW: &str = ".github/workflows/publish-townhouse-images.yml";
const MANIFEST: &str = "packages/townhouse/dist/image-manifest.json";
const SCRIPT: &str = "scripts/townhouse-e2e-local-hs.sh";

/// Plain git.
pub fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=maya", "-c", "user.email=maya@example.com"])
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A checkout of the downstream.
pub fn checkout(stand: &Stand) -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    let from = stand.world.bare_repo().to_str().unwrap();
    git(tree.path(), &["clone", "--quiet", "--branch", "main", from, "."]);
    tree
}

/// Commits everything and pushes it, as a person does.
pub fn push(stand: &Stand, tree: &TempDir, message: &str) {
    git(tree.path(), &["commit", "--quiet", "--all", "--message", message]);
    let to = stand.world.bare_repo().to_str().unwrap();
    git(tree.path(), &["push", "--quiet", to, "HEAD:main"]);
}

/// A stand whose world nobody can find.
async fn offline() -> (Stand, TempDir) {
    let mut stand = Stand::new().await;
    let tree = checkout(&stand);
    for key in ["github.api_url", "github.git_url", "npm.registry"] {
        stand.set(key, "http://127.0.0.1:1");
    }
    stand.set("state", "/nowhere/at/all");
    (stand, tree)
}

async fn pin(stand: &Stand, tree: &TempDir, arguments: &[&str]) -> Said {
    let mut all = vec!["pin", "--tree", tree.path().to_str().unwrap()];
    all.extend(arguments);
    said(stand.command(&all)).await
}

fn digest() -> String {
    format!("sha256:{}", "5a".repeat(32))
}

#[tokio::test]
async fn a_bump_by_hand_edits_every_site_and_nothing_else() {
    let (stand, tree) = offline().await;
    let script = tree.path().join(SCRIPT);
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&script), 0o755, "the world's script is executable");
    let (to, digest) = ("3.10.4", digest());
    let said = pin(&stand, &tree, &["--to", to, "--digest", &digest]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:#?}");
    insta::assert_snapshot!(stand.redact(&said.out), @"
    packages/townhouse/dist/image-manifest.json:28 (image manifest): 3.9.3 (DIGEST) → 3.10.4 (DIGEST)
    packages/townhouse/src/constants.ts:23 (DEFAULT_CONNECTOR_IMAGE): DIGEST → DIGEST
    packages/townhouse/src/constants.ts:26 (DEFAULT_CONNECTOR_TAG): 3.9.3 → 3.10.4
    .github/workflows/publish-townhouse-images.yml:17 (publish workflow): 3.9.3 → 3.10.4
    docker-compose-townhouse.yml:10 (compose): DIGEST → DIGEST
    packages/townhouse/compose/townhouse-dev.yml:4 (dev compose): 3.9.3 → 3.10.4
    scripts/townhouse-e2e-local-hs.sh:7 (e2e script): 3.9.3 → 3.10.4
    packages/sdk/CONNECTOR_MIGRATION.md:5 (migration heading): 3.9.3 → 3.10.4
    packages/sdk/CONNECTOR_MIGRATION.md:7 (migration sentence): 3.9.3 → 3.10.4
    ");
    assert_eq!(mode(&script), 0o755);
    let changed = git(tree.path(), &["diff", "--numstat"]);
    insta::assert_snapshot!(changed, @"
    1	1	.github/workflows/publish-townhouse-images.yml
    1	1	docker-compose-townhouse.yml
    2	2	packages/sdk/CONNECTOR_MIGRATION.md
    1	1	packages/townhouse/compose/townhouse-dev.yml
    2	2	packages/townhouse/dist/image-manifest.json
    2	2	packages/townhouse/src/constants.ts
    1	1	scripts/townhouse-e2e-local-hs.sh
    ");
    assert_eq!(git(tree.path(), &["status", "--short"]).lines().count(), 7);

    let again = pin(&stand, &tree, &["--to", "v3.10.4", "--digest", &digest]).await;
    assert_eq!(again.code, 0);
    insta::assert_snapshot!(stand.redact(&again.out), @"
    packages/townhouse/dist/image-manifest.json:28 (image manifest): already there
    packages/townhouse/src/constants.ts:23 (DEFAULT_CONNECTOR_IMAGE): already there
    packages/townhouse/src/constants.ts:26 (DEFAULT_CONNECTOR_TAG): already there
    .github/workflows/publish-townhouse-images.yml:17 (publish workflow): already there
    docker-compose-townhouse.yml:10 (compose): already there
    packages/townhouse/compose/townhouse-dev.yml:4 (dev compose): already there
    scripts/townhouse-e2e-local-hs.sh:7 (e2e script): already there
    packages/sdk/CONNECTOR_MIGRATION.md:5 (migration heading): already there
    packages/sdk/CONNECTOR_MIGRATION.md:7 (migration sentence): already there
    ");
    let check = pin(&stand, &tree, &["--check"]).await;
    assert_eq!(check.code, 0);
    assert!(!Path::new("/nowhere").exists());
    assert_eq!(stand.world.requests(), []);
}

#[tokio::test]
async fn a_site_at_fault_means_that_nothing_is_written() {
    let (stand, tree) = offline().await;
    let workflow = tree.path().join(WORKFLOW);
    let text = fs::read_to_string(&workflow).unwrap();
    fs::write(&workflow, text.replace("CONNECTOR_VERSION_DEFAULT", "CONNECTOR_VERSION")).unwrap();
    fs::remove_file(tree.path().join("docker-compose-townhouse.yml")).unwrap();
    let before = snapshot(tree.path());
    let said = pin(&stand, &tree, &["--to", "3.10.4", "--digest", &digest()]).await;
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(stand.redact(&said.out), @"
    ✗ .github/workflows/publish-townhouse-images.yml (publish workflow): expected 1 match, found none
    ✗ docker-compose-townhouse.yml (compose): the file is not there
    nothing was written
    ");
    assert!(snapshot(tree.path()) == before, "something was written");
}

#[tokio::test]
async fn the_guard_is_content_with_a_tree_that_agrees() {
    let (stand, tree) = offline().await;
    let said = pin(&stand, &tree, &["--check"]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    insta::assert_snapshot!(stand.redact(&said.out), @"all sites agree on 3.9.3 at sha256:…");
    let said = pin(&stand, &tree, &["--check", "--json"]).await;
    insta::assert_snapshot!(stand.redact(&said.out), @r#"{"agrees":true,"version":"3.9.3","digest":"sha256:…","sites":[],"faults":[]}"#);
}

#[tokio::test]
async fn the_guard_names_the_sites_that_were_forgotten() {
    let (stand, tree) = offline().await;
    for path in [WORKFLOW, SCRIPT] {
        let file = tree.path().join(path);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("3.9.3", "3.9.2")).unwrap();
    }
    let before = snapshot(tree.path());
    let said = pin(&stand, &tree, &["--check"]).await;
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    insta::assert_snapshot!(stand.redact(&said.out), @"
    ✗ .github/workflows/publish-townhouse-images.yml:17 (publish workflow) spells 3.9.2, the pin is 3.9.3 (DIGEST)
    ✗ scripts/townhouse-e2e-local-hs.sh:7 (e2e script) spells 3.9.2, the pin is 3.9.3 (DIGEST)
    ");
    let said = pin(&stand, &tree, &["--check", "--json"]).await;
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(stand.redact(&said.out), @r#"{"agrees":false,"version":"3.9.3","digest":"sha256:…","sites":[],"faults":[".github/workflows/publish-townhouse-images.yml:17 (publish workflow) spells 3.9.2, the pin is 3.9.3 (DIGEST)","scripts/townhouse-e2e-local-hs.sh:7 (e2e script) spells 3.9.2, the pin is 3.9.3 (DIGEST)"]}"#);
    assert!(snapshot(tree.path()) == before);
}

#[tokio::test]
async fn the_guard_wants_a_manifest_that_townhouse_can_read() {
    let (stand, tree) = offline().await;
    let file = tree.path().join(MANIFEST);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"connector\"", "\"conductor\"")).unwrap();
    let said = pin(&stand, &tree, &["--check"]).await;
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(stand.redact(&said.out), @"✗ packages/townhouse/dist/image-manifest.json (image manifest): `/images/connector` is not there");
}

#[tokio::test]
async fn a_site_without_a_name_is_called_by_its_path_once() {
    let (mut stand, tree) = offline().await;
    let sites = stand.config["watch"][0]["downstream"]["site"].as_array_mut().unwrap();
    for site in sites.iter_mut() {
        site.as_table_mut().unwrap().remove("name");
    }
    let file = tree.path().join(MANIFEST);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"connector\"", "\"conductor\"")).unwrap();
    let said = pin(&stand, &tree, &["--check"]).await;
    assert_eq!(said.code, 1);
    let fault = "✗ packages/townhouse/dist/image-manifest.json: `/images/connector` is not there\n";
    assert!(said.out.starts_with(fault), "{}", said.out);
}

#[tokio::test]
async fn the_placeholder_is_no_pin() {
    let (stand, tree) = offline().await;
    let placeholder = format!("sha256:dead{}", "0".repeat(60));
    let before = snapshot(tree.path());
    let said = pin(&stand, &tree, &["--to", "3.10.4", "--digest", &placeholder]).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @"digest-bump: --digest is the placeholder, which is no pin and is never written");
    assert!(snapshot(tree.path()) == before);
    let file = tree.path().join(MANIFEST);
    let text = fs::read_to_string(&file).unwrap();
    let real = stand.world.image_digest("3.9.3").unwrap();
    fs::write(&file, text.replace(&real, &placeholder)).unwrap();
    let said = pin(&stand, &tree, &["--check"]).await;
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(stand.redact(&said.out), @"✗ packages/townhouse/dist/image-manifest.json (image manifest): `/images/connector/digest` is the placeholder `sha256:DIGEST…`, which is no pin");
}

#[tokio::test]
async fn a_directory_that_is_none() {
    let (stand, tree) = offline().await;
    let file = tree.path().join("README.md");
    let arguments = ["pin", "--check", "--tree", file.to_str().unwrap()];
    let said = said(stand.command(&arguments)).await;
    assert_eq!(said.code, 2);
    assert!(said.err.ends_with("README.md is not a directory\n"), "{said:?}");
}

#[tokio::test]
async fn only_what_is_declared_is_touched() {
    let (stand, tree) = offline().await;
    pin(&stand, &tree, &["--to", "3.10.4", "--digest", &digest()]).await;
    let changed: BTreeSet<String> =
        git(tree.path(), &["diff", "--name-only"]).lines().map(str::to_owned).collect();
    let file = stand.config["watch"][0]["downstream"]["site"].as_array().unwrap();
    let declared = file.iter().map(|site| site["path"].as_str().unwrap().to_owned());
    assert_eq!(changed, declared.collect());
}
