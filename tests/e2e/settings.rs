//! The shipped townhouse config, pointed at a world. Shared by the tests and the demo.

use std::path::Path;
use toml::{Table, Value};
use world::World;

/// What ships, so that what ships is what is tested.
const SHIPPED: &str = include_str!("../../config/digest-bump.toml");

/// The shipped config with the world's addresses, its canary, and a state directory.
pub fn settings(world: &World, state: &Path) -> Table {
    let mut config: Table = SHIPPED.parse().expect("the shipped config is TOML");
    let text = |value: &str| Value::String(value.to_owned());
    config.insert("state".into(), text(&state.to_string_lossy()));
    config.remove("listen");
    let github = [("api_url", world.github_url()), ("git_url", world.git_url())];
    let github: Table = github.into_iter().map(|(k, v)| (k.to_owned(), Value::String(v))).collect();
    config.insert("github".into(), Value::Table(github));
    set(&mut config, "npm.registry", text(&world.npm_url()));
    let mut sigstore = Table::new();
    sigstore.insert("source".into(), text("file"));
    sigstore.insert("trusted_root".into(), text(&world.trusted_root_file().to_string_lossy()));
    config.insert("sigstore".into(), Value::Table(sigstore));
    let mut registry = Table::new();
    registry.insert("url".into(), Value::String(world.registry_url()));
    let mut registries = Table::new();
    registries.insert("ghcr.io".into(), Value::Table(registry));
    config.insert("registries".into(), Value::Table(registries));
    let mut step = Table::new();
    step.insert("name".into(), text("contract"));
    step.insert("command".into(), Value::Array(vec![text(world::CANARY)]));
    step.insert("sees_digest".into(), Value::Boolean(true));
    // Its own program, on whatever machine this is: `tests/sandbox` is about the others.
    let sandbox = Table::from_iter([("demand".to_owned(), text("off"))]);
    let canary = Table::from_iter([
        ("sandbox".to_owned(), Value::Table(sandbox)),
        ("step".to_owned(), Value::Array(vec![Value::Table(step)])),
    ]);
    watch(&mut config).insert("canary".into(), Value::Table(canary));
    let env =
        [("WORLD_REGISTRY", world.registry_url()), ("EXPECT_DIGEST", "{{digest}}".to_owned())];
    let env: Table = env.into_iter().map(|(k, v)| (k.to_owned(), Value::String(v))).collect();
    set(watch(&mut config), "canary.env", Value::Table(env));
    // It would take a number among those of the pull requests: `e2e/dashboard.rs` turns it on, and
    // so does the end of each story.
    set(watch(&mut config), "downstream.dashboard.enabled", Value::Boolean(false));
    if let Some(writer) = writer() {
        set(watch(&mut config), "downstream.writer", Value::String(writer));
    }
    // Few stories have CI that starts on its own: `e2e/ci.rs` is about it.
    set(watch(&mut config), "downstream.ci_starts_within", text("0"));
    config
}

/// The writer with which the stories are told, if not with the one by default. `.ci/run` tells them a
/// second time with the other one.
pub fn writer() -> Option<String> {
    let mut all = std::env::vars_os();
    let (_, writer) = all.find(|(name, _)| name == "DIGEST_BUMP_TEST_WRITER")?;
    writer.into_string().ok().filter(|writer| !writer.is_empty())
}

/// The only watch.
pub fn watch(config: &mut Table) -> &mut Table {
    config["watch"][0].as_table_mut().expect("the shipped config has a watch")
}

/// Sets a value by its dotted path; a number counts the entries of a list.
pub fn set(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            match (inner, rest.split_once('.')) {
                (Value::Array(list), Some((index, rest))) => {
                    let index: usize = index.parse().expect("a number");
                    set(list[index].as_table_mut().expect("a table"), rest, value);
                }
                (inner, _) => set(inner.as_table_mut().expect("a table"), rest, value),
            }
        }
    }
}
