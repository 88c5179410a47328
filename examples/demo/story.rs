//! The story: a MINOR, a patch, a MAJOR, an image that comes late, a canary that fails.

use crate::{bot::Bot, show};
use anyhow::{Context as _, Result, ensure};
use std::process::Command;
use world::{Pull, World};

const MANIFEST: &str = "packages/townhouse/dist/image-manifest.json";
const MIGRATION: &str = "packages/sdk/CONNECTOR_MIGRATION.md";

/// Plays the story, and leaves the page open unless `once`.
pub async fn play(once: bool) -> Result<()> {
    println!("A world on loopback ports: GitHub, git, an image registry, npm.");
    let world = World::start().await;
    let bot = Bot::start(&world, true).await?;
    let page = bot.page().context("the daemon has a page")?;
    println!("The daemon runs in a process of its own. Its status page: {page}");

    minor(&world, &bot).await?;
    patch(&world, &bot).await?;
    major(&world, &bot).await?;
    late_image(&world, &bot).await?;
    failing_canary(&world, &bot).await?;
    outcome(&world, &bot).await?;

    finish(bot, &page, once).await?;
    let violations = world.violations();
    ensure!(violations.is_empty(), "the world saw what it should not: {violations:?}");
    Ok(())
}

/// Leaves the page open until Ctrl-C, then ends the daemon.
pub async fn finish(bot: Bot, page: &str, once: bool) -> Result<()> {
    if !once {
        println!("\nThe status page stays open at {page} until Ctrl-C.");
        tokio::signal::ctrl_c().await?;
    }
    bot.stop().await?;
    show::held("the daemon drained and ended with status 0");
    Ok(())
}

async fn minor(world: &World, bot: &Bot) -> Result<()> {
    show::scene("3.10.0, a MINOR, is released. The pin is at 3.9.3.");
    let notes = "## 3.10.0\n\n### Features\n\n* **admin:** `GET /admin/settlements` lists open settlements ([1a2b3c4](https://github.com/toon-protocol/connector/commit/1a2b3c4)), closes [#71](https://github.com/toon-protocol/connector/issues/71)\n\n### Bug Fixes\n\n* keep-alives no longer count as traffic\n";
    world.release("3.10.0").notes(notes).publish().await;
    bot.until("3.10.0", &["proposed"]).await?;
    let pull = only_open(world)?;
    show::pull(world, &pull);
    proves(world, &pull, "3.10.0")?;

    show::scene("A maintainer merges it.");
    world.merge(pull.number);
    bot.until("3.10.0", &["pinned"]).await?;
    show::held("the pin is at 3.10.0");
    Ok(())
}

async fn patch(world: &World, bot: &Bot) -> Result<()> {
    show::scene("3.10.1, a patch, is released.");
    world.release("3.10.1").publish().await;
    let (_, why) = bot.until("3.10.1", &["offered"]).await?;
    ensure!(world.open_pulls().is_empty(), "a patch must not be proposed unasked");
    show::held(&format!("no pull request; it is offered: {why}"));
    Ok(())
}

async fn major(world: &World, bot: &Bot) -> Result<()> {
    show::scene("4.0.0, a MAJOR, is released. It takes something away.");
    let notes = "## 4.0.0\n\n### ⚠ BREAKING CHANGES\n\n* **admin:** `GET /admin/peers` is now `GET /admin/neighbours`\n* the field `balance | pending` of a settlement is gone\n\nCo-Authored-By: Somebody <somebody@example.test>\n\n### Features\n\n* **admin:** neighbours carry their latency\n";
    world
        .release("4.0.0")
        .notes(notes)
        .breaks_contract("GET /admin/peers answers 404")
        .publish()
        .await;
    bot.until("4.0.0", &["proposed"]).await?;
    let pull = only_open(world)?;
    show::pull(world, &pull);
    let document = git(world, &["show", &format!("{}:{MIGRATION}", pull.head_branch)])?;
    ensure!(document.contains("v3.10.0 → v4.0.0"), "the stub has no section");
    let manifest = git(world, &["show", &format!("{}:{MANIFEST}", pull.head_branch)])?;
    ensure!(manifest.contains("\"tag\": \"3.10.0\""), "a stub must not move the pin");
    show::held("a migration stub; the pin is untouched");
    Ok(())
}

async fn late_image(world: &World, bot: &Bot) -> Result<()> {
    show::scene("3.11.0 is released, but its image is not there yet.");
    world.release("3.11.0").without_image().publish().await;
    let (_, why) = bot.until("3.11.0", &["waiting"]).await?;
    ensure!(bumps(world).is_empty(), "nothing may be proposed before the image is there");
    show::held(&format!("no pull request: {why}"));

    show::scene("Now the image is pushed.");
    world.publish_image("3.11.0").await;
    bot.until("3.11.0", &["proposed"]).await?;
    let pull = bumps(world).pop().context("3.11.0 has no pull request")?;
    show::line(&format!("#{} {}", pull.number, pull.title));
    proves(world, &pull, "3.11.0")
}

async fn failing_canary(world: &World, bot: &Bot) -> Result<()> {
    show::scene("3.12.0, a MINOR by its number, breaks the contract.");
    let before = bumps(world);
    let why = "GET /admin/peers lost its field `latency`";
    world.release("3.12.0").breaks_contract(why).publish().await;
    let (_, line) = bot.until("3.12.0", &["held"]).await?;
    ensure!(bumps(world) == before, "a failed canary must change no pull request");
    show::held(&format!("no pull request: {line}"));
    Ok(())
}

/// The whole outcome, read from the world and from the bare repository with plain git.
async fn outcome(world: &World, bot: &Bot) -> Result<()> {
    show::scene("The outcome");
    let told: Vec<(u64, String, String)> = world
        .pulls()
        .into_iter()
        .map(|pull| {
            let state = if pull.merged { "merged".to_owned() } else { pull.state.clone() };
            (pull.number, state, pull.title)
        })
        .collect();
    let expected = [
        (1, "merged", "chore(connector): bump 3.9.3 → 3.10.0"),
        (2, "open", "docs(connector): migration stub for 3.10.0 → 4.0.0"),
        (3, "open", "chore(connector): bump 3.10.0 → 3.11.0"),
    ];
    let expected = expected.map(|(n, state, title)| (n, state.to_owned(), title.to_owned()));
    ensure!(told == expected, "the pull requests should be {expected:#?}, and are {told:#?}");
    for (number, state, title) in &told {
        show::line(&format!("#{number} {state:<6} {title}"));
    }
    for (version, word) in [
        ("3.10.0", "pinned"),
        ("3.10.1", "covered"),
        ("3.11.0", "proposed"),
        ("3.12.0", "held"),
        ("4.0.0", "proposed"),
    ] {
        let (found, line) = bot.stage(version).await?;
        ensure!(found == word, "{version} should be {word}, and is {found}: {line}");
        show::line(&format!("{version:<7} {found:<9} {line}"));
    }
    show::held("the pull requests that must exist, and none besides");
    Ok(())
}

/// Reads the pushed branch back with plain git: the pin is the digest that the registry serves.
fn proves(world: &World, pull: &Pull, version: &str) -> Result<()> {
    let manifest = git(world, &["show", &format!("{}:{MANIFEST}", pull.head_branch)])?;
    let digest = world.image_digest(version).context("the registry has the image")?;
    ensure!(manifest.contains(&format!("\"tag\": \"{version}\"")), "the manifest's tag is another");
    ensure!(manifest.contains(&digest), "the manifest's digest is not {digest}");
    let base = git(world, &["show", &format!("{}:{MANIFEST}", pull.base_branch)])?;
    let changed = base.lines().zip(manifest.lines()).filter(|(old, new)| old != new).count();
    ensure!(changed == 2, "{changed} lines of the manifest changed, not 2");
    ensure!(base.lines().count() == manifest.lines().count(), "the manifest's length changed");
    let head = git(world, &["rev-parse", &pull.head_branch])?;
    ensure!(head.trim() == pull.head_sha, "the branch is not where the pull request says");
    show::held("plain git reads the same from the bare repository: tag and digest, nothing else");
    Ok(())
}

fn only_open(world: &World) -> Result<Pull> {
    let mut open = world.open_pulls();
    ensure!(open.len() == 1, "there should be one open pull request, not {}", open.len());
    open.pop().context("there is one")
}

/// The open pull requests that move the pin.
fn bumps(world: &World) -> Vec<Pull> {
    let mut open = world.open_pulls();
    open.retain(|pull| !pull.head_branch.ends_with("-migration"));
    open
}

fn git(world: &World, arguments: &[&str]) -> Result<String> {
    let output =
        Command::new("git").arg("--git-dir").arg(world.bare_repo()).args(arguments).output()?;
    ensure!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
