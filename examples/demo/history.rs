//! A recorded history of releases, played through the same bot, with a maintainer who merges what
//! is proposed at the end of each day.

use crate::{bot::Bot, show, story::finish};
use anyhow::{Context as _, Result, ensure};
use digest_bump::domain::Notes;
use std::{collections::BTreeMap, path::Path};
use world::{HistoryEntry, World, history};

/// Where each release comes to rest before the next one. Not where it may pass through: the dates
/// are of the past, so a pass that asks npm just before the publication and GitHub just after it
/// takes the release for torn, and the next pass does not.
const SETTLED: &[&str] = &["proposed", "offered"];

/// What became of one release.
struct Fate {
    class: String,
    stage: String,
    line: String,
}

/// Plays the history in `directory` from a pin at its first release.
pub async fn play(directory: &Path, once: bool) -> Result<()> {
    let past = history(directory);
    let first = past.first().context("the history is empty")?;
    println!("{} releases, from {} on. The pin is at the first.", past.len(), version(first));
    let world = World::builder().pinned(version(first)).start().await;
    let bot = Bot::start(&world, false).await?;
    let page = bot.page().context("the daemon has a page")?;
    println!("The daemon's status page: {page}");

    let mut fates = BTreeMap::new();
    for (number, release) in past.iter().enumerate().skip(1) {
        publish(&world, release).await;
        let (stage, line) = bot.until(version(release), SETTLED).await?;
        let class = class(&bot, version(release)).await?;
        show::line(&format!(
            "{} {:<8} {class:<6} {stage:<9} {line}",
            day(release),
            version(release)
        ));
        fates.insert(number, Fate { class, stage, line });
        ensure!(world.open_pulls().len() <= 1, "more than one pull request is open");
        if past.get(number + 1).is_none_or(|next| day(next) != day(release)) {
            evening(&world, &bot, past.len() == number + 1).await?;
        }
    }
    told(&past, &fates, &world)?;
    finish(bot, &page, once).await
}

async fn publish(world: &World, release: &HistoryEntry) {
    world
        .release(version(release))
        .notes(&release.notes)
        .published_at(&release.date)
        .sha(&release.sha)
        .parent(&release.parent)
        .publish()
        .await;
}

/// The maintainer merges what is open; the last one is shown first.
async fn evening(world: &World, bot: &Bot, last: bool) -> Result<()> {
    let Some(pull) = world.open_pulls().pop() else {
        return Ok(());
    };
    if last {
        show::pull(world, &pull);
    }
    world.merge(pull.number);
    let (_, proposed) = pull.title.rsplit_once("→ ").context("the title names the version")?;
    bot.until(proposed, &["pinned"]).await?;
    show::line(&format!("           merged #{} {}", pull.number, pull.title));
    Ok(())
}

fn told(past: &[HistoryEntry], fates: &BTreeMap<usize, Fate>, world: &World) -> Result<()> {
    show::scene("What became of each release");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (number, release) in past.iter().enumerate().skip(1) {
        let fate = fates.get(&number).with_context(|| format!("{} has no fate", release.tag))?;
        let notes = Notes::parse(&release.notes);
        let items: usize = notes.sections.iter().map(|section| section.items.len()).sum();
        let bullets = release.notes.lines().filter(|l| l.trim_start().starts_with("* ")).count();
        ensure!(
            items + notes.breaking.len() == bullets,
            "{}: {items} notes of {bullets} bullets",
            release.tag
        );
        ensure!(["MINOR", "patch", "MAJOR"].contains(&fate.class.as_str()), "{}", fate.class);
        ensure!(["proposed", "offered"].contains(&fate.stage.as_str()), "{}", fate.line);
        *counts.entry(format!("{} {}", fate.class, fate.stage)).or_default() += 1;
    }
    for (what, count) in counts {
        show::line(&format!("{count:>3} × {what}"));
    }
    let merged = world.pulls().iter().filter(|pull| pull.merged).count();
    show::held(&format!("{merged} pull requests, each merged; never two open at once"));
    show::held("every bullet of every release's notes was read");
    Ok(())
}

async fn class(bot: &Bot, version: &str) -> Result<String> {
    let status = bot.status().await?;
    let releases = status["releases"].as_array().context("releases")?;
    let release = releases.iter().find(|r| r["version"] == version).context("the release")?;
    Ok(match release["bump"].as_str() {
        Some("minor") => "MINOR".to_owned(),
        Some("major") => "MAJOR".to_owned(),
        other => other.unwrap_or_default().to_owned(),
    })
}

fn version(release: &HistoryEntry) -> &str {
    release.tag.trim_start_matches('v')
}

fn day(release: &HistoryEntry) -> &str {
    &release.date[..10]
}
