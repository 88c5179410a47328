//! The floors: a module uses only modules on lower floors. `docs/architecture.md` is the map.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Lowest first. A folder may be listed by its parts, as `clients/github` is.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["clock", "heartbeat", "panics", "telemetry", "command", "config", "edit", "policy"],
    &["render"],
    &["clients/wire", "clients/link", "clients/credential", "store"],
    &["clients/github", "clients/npm", "clients/registry", "clients/sigstore", "clients/git"],
    &["announce", "repository"],
    &["sources", "verify", "canary", "proposal"],
    &["reconcile"],
    &["http"],
    &["daemon"],
    &["cli"],
];
/// Files that only list or join modules.
const JOINTS: &[&str] = &["lib.rs", "main.rs", "clients/mod.rs"];
/// A file over this wants to be two.
const MAX_PRODUCTION_LINES: usize = 400;
/// Floors whose modules cannot wait, read a clock, or fail for outside reasons.
const PURE: &[&str] = &["domain", "command", "edit", "policy", "render"];
/// What betrays a module that is not pure.
const IMPURE: &[&str] = &[
    "async fn",
    ".await",
    "tokio",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "reqwest",
    "sqlx",
    "git2",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Clock",
];

#[test]
fn modules_only_look_down() {
    let root = root().join("src");
    let files = rust_files(&root);
    assert!(files.len() > 50, "only {} files were found", files.len());
    let faults: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let name = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            faults_in(&name, &production_text(&fs::read_to_string(file).unwrap()))
        })
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_rules_find_what_they_are_for() {
    let found = |file: &str, text: &str| faults_in(file, text).join("; ");
    assert!(found("policy/decide.rs", "use crate::store::Store;").contains("looks up or sideways"));
    assert!(found("policy/decide.rs", "use crate::edit::read;").contains("looks up or sideways"));
    assert!(found("policy/decide.rs", "crate::clock::Clock").contains("looks up or sideways"));
    assert!(found("clients/npm.rs", "crate::clients::github::Reader").contains("sideways"));
    assert!(found("surprise.rs", "").contains("on no floor"));
    assert!(found("domain/time.rs", "Utc::now()").contains("is not pure"));
    assert!(found("domain/time.rs", "use crate::{clock, domain};").contains("one plain"));
    assert!(found("http/mod.rs", &"line\n".repeat(401)).contains("over 400"));
    assert_eq!(found("reconcile/pass.rs", "use crate::store::Store; crate::policy::decide"), "");
}

#[test]
fn what_the_documents_name_is_there() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    for document in ["CONTRIBUTING.md", "docs/glossary.md"] {
        let text = read(document);
        let quoted = text.split('`').skip(1).step_by(2);
        let paths: Vec<&str> = quoted.filter(|it| is_path(it)).collect();
        assert!(paths.len() > 20, "{document}: only {paths:?}");
        for path in paths {
            assert!(root().join(path).exists(), "{document} names {path}");
        }
    }
    for row in read("docs/glossary.md").lines().filter(|line| line.starts_with("| **")) {
        let place = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let mut quoted = place.split('`').skip(1).step_by(2);
        let file = quoted.next().unwrap();
        let text = read(file);
        for name in quoted {
            assert!(text.contains(name), "docs/glossary.md: no {name} in {file}");
        }
    }
}

#[test]
fn every_effect_is_on_the_map() {
    let effects = fs::read_to_string(root().join("src/domain/effect.rs")).unwrap();
    let map = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, list) = effects.split_once("pub enum Effect {").unwrap();
    let (list, _) = list.split_once("\n}\n").unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {"));
    let names: Vec<&str> = names.filter(|name| !name.starts_with(' ')).collect();
    assert!(names.len() > 15, "{names:?}");
    let missing = names.iter().filter(|name| !map.contains(&format!("`{name}`")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new());
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a quoted word names a file or a folder of the project.
fn is_path(word: &str) -> bool {
    ["src/", "tests/", "docs/", "config/", ".ci/"].iter().any(|start| word.starts_with(start))
}

fn faults_in(file: &str, text: &str) -> Vec<String> {
    if JOINTS.contains(&file) {
        return Vec::new();
    }
    let Some((floor, module)) = place(file) else {
        return vec![format!("{file}: on no floor; add it to FLOORS")];
    };
    let mut faults = Vec::new();
    if text.lines().count() > MAX_PRODUCTION_LINES {
        faults.push(format!("{file}: over {MAX_PRODUCTION_LINES} lines"));
    }
    if text.contains("super::super") || text.contains("crate::{") {
        faults.push(format!("{file}: write one plain `crate::module` path per import"));
    }
    if PURE.contains(&module) {
        let signs = IMPURE.iter().filter(|sign| text.contains(**sign));
        faults.extend(signs.map(|sign| format!("{file}: `{module}` is not pure: {sign}")));
    }
    for used in text.split("crate::").skip(1) {
        let path =
            used.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next().unwrap();
        match place(&path.replace("::", "/")) {
            Some((_, other)) if other == module => {}
            Some((other_floor, _)) if other_floor < floor => {}
            None if path.starts_with("clients::install_tls_provider") => {}
            _ => faults.push(format!("{file}: `{module}` looks up or sideways at `{path}`")),
        }
    }
    faults
}

fn place(path: &str) -> Option<(usize, &'static str)> {
    let found = |module: &&str| {
        path.strip_prefix(*module)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
    };
    FLOORS
        .iter()
        .enumerate()
        .find_map(|(floor, modules)| Some((floor, *modules.iter().find(|m| found(m))?)))
}

/// The text without its tests and comments.
fn production_text(text: &str) -> String {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    production
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.chain(folders.iter().flat_map(|folder| rust_files(folder))).collect()
}
