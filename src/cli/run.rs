//! One function for each command.

use super::{
    args::{Arguments, Asked, Chosen, Command, Look},
    check,
    exit::{Exit, Misuse},
    offline, pin, text, verify,
};
use crate::clock::Clock;
use crate::config::{self, Access, Config, Environment, Watch};
use crate::daemon::{self, App};
use crate::domain::{Memory, Version};
use crate::policy::Ignored;
use crate::reconcile;
use crate::render;
use crate::store::Store;
use anyhow::{Result, bail};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs one command.
pub(super) async fn command(
    arguments: Arguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let json = arguments.json;
    if let Command::Verify(verify) = &arguments.command
        && verify.claim.is_none()
    {
        return offline::run(verify, json);
    }
    if let Command::Pin(pin) = &arguments.command
        && !pin.check
        && pin.to.is_none()
    {
        bail!(Misuse("pin needs either --check, or --to and --digest".to_owned()));
    }
    let config = config::load(&arguments.config, environment)?;
    match arguments.command {
        Command::Serve => serve(writing(config)?, clock).await,
        Command::Once => once(writing(config)?, clock, json).await,
        Command::Plan(chosen) => plan(&config, &chosen, &clock, json).await,
        Command::Explain { release, chosen } => {
            explain(&config, &chosen, &release, &clock, json).await
        }
        Command::Status(chosen) => status(&config, &chosen, &clock, json).await,
        Command::Verify(arguments) => match &arguments.claim {
            Some(claim) => verify::run(&config, &arguments, claim, &clock, json).await,
            None => offline::run(&arguments, json),
        },
        Command::Config { look: Look::Check } => {
            check::run(&config, &arguments.config, &clock, json).await
        }
        Command::Health => health(&config, json).await,
        Command::Request { wish } => {
            let actor = environment.user.as_deref().unwrap_or("the command line");
            let (asked, chosen) = wish.parts();
            request(&config, &chosen, asked, actor, &clock, json).await
        }
        Command::Pin(arguments) => pin::run(&arguments, chosen(&config, &arguments.chosen)?, json),
    }
}

async fn serve(config: Config, clock: Clock) -> Result<Exit> {
    let listen = config.listen;
    let app = App::build(config, clock).await?;
    let listener = match listen {
        Some(address) => Some(daemon::bind(address).await?),
        None => None,
    };
    let shutdown = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    daemon::serve(app, listener, shutdown).await?;
    Ok(Exit::Done)
}

async fn once(config: Config, clock: Clock, json: bool) -> Result<Exit> {
    let app = App::build(config, clock).await?;
    let reports = daemon::once(&app).await;
    app.supervisor.stop().await;
    app.store.close().await;
    let mut exit = Exit::Done;
    for (watch, report) in app.config.watches.iter().zip(reports?) {
        let Some(report) = report else {
            eprintln!("{}: another process was at work the whole time", watch.name);
            exit = Exit::Busy;
            continue;
        };
        if !report.troubles.is_empty() {
            exit = Exit::Trouble;
        }
        print(json, &text::ReportView::of(watch.name.as_str(), &report), text::report)?;
    }
    Ok(exit)
}

async fn plan(config: &Config, chosen: &Chosen, clock: &Clock, json: bool) -> Result<Exit> {
    let store = daemon::read_store(config).await?;
    let mut exit = Exit::Done;
    for watch in several(config, chosen)? {
        let memory = memory(store.as_ref(), watch).await?;
        let preview = daemon::preview_of(config, watch, store.clone(), clock)?;
        let (actions, decision, troubles) = preview.run(memory).await?;
        if !troubles.is_empty() {
            exit = Exit::Trouble;
        }
        let now = clock.now();
        let view = text::PlanView::of(watch.name.as_str(), actions, &decision, troubles, now);
        print(json, &view, text::plan)?;
    }
    Ok(exit)
}

async fn explain(
    config: &Config,
    which: &Chosen,
    release: &str,
    clock: &Clock,
    json: bool,
) -> Result<Exit> {
    let watch = chosen(config, which)?;
    let memory = memory(daemon::read_store(config).await?.as_ref(), watch).await?;
    let number = release.strip_prefix('v').unwrap_or(release);
    let version = number.parse::<Version>().ok();
    if let Some(version) = &version
        && let Ok(explanation) = reconcile::explain(watch, &memory, version, clock.now())
    {
        print(json, &explanation, render::explain)?;
        return Ok(Exit::Done);
    }
    let ignored = reconcile::look_at(watch, &memory, clock.now()).ignored;
    let named = |it: &&Ignored| it.tag.strip_prefix('v').unwrap_or(&it.tag) == number;
    if let Some(ignored) = ignored.iter().find(named) {
        print(json, &text::IgnoredView::of(ignored), text::ignored)?;
        return Ok(Exit::Done);
    }
    if let Some(version) = version
        && let known = reconcile::known_issues(watch, &memory, &version)
        && !known.is_empty()
    {
        print(json, &text::KnownView::of(&version, known), text::known)?;
        return Ok(Exit::Done);
    }
    let hint = match memory.releases().next() {
        Some(_) => "",
        None => ": no pass has read the releases yet",
    };
    eprintln!("no release {release} is known{hint}");
    Ok(Exit::No)
}

async fn status(config: &Config, which: &Chosen, clock: &Clock, json: bool) -> Result<Exit> {
    let store = daemon::read_store(config).await?;
    for watch in several(config, which)? {
        let memory = memory(store.as_ref(), watch).await?;
        let mut view = reconcile::look_at(watch, &memory, clock.now());
        if store.is_none() {
            let text = format!("there is no database at {}", config.database);
            view.pin_fault = Some(text + ", so no pass has run with this config");
        }
        print(json, &view, render::status)?;
    }
    Ok(Exit::Done)
}

async fn health(config: &Config, json: bool) -> Result<Exit> {
    let listen = match config.listen {
        None => bail!(Misuse("the config has no `listen`, so nobody can be asked".to_owned())),
        Some(address) if address.port() == 0 => {
            bail!(Misuse("`listen` has port 0, so nobody knows where to ask".to_owned()))
        }
        Some(address) => address,
    };
    let health = text::HealthView { healthy: crate::http::ask(listen).await? };
    print(json, &health, text::health)?;
    Ok(if health.healthy { Exit::Done } else { Exit::No })
}

async fn request(
    config: &Config,
    which: &Chosen,
    asked: Asked,
    actor: &str,
    clock: &Clock,
    json: bool,
) -> Result<Exit> {
    let watch = chosen(config, which)?;
    // An order may come before the first pass, which may open pull requests already.
    if matches!(asked, Asked::Wish(..)) && daemon::read_store(config).await?.is_none() {
        bail!(
            "there is no database yet at {}: run a pass first; `digest-bump plan` shows what the \
             first pass would do",
            config.database
        );
    }
    let store = daemon::open_store(config, clock).await?;
    let (name, now) = (&watch.name, clock.now());
    match asked {
        Asked::Wish(wish, version) => {
            let id = store.record_request(name, wish, &version, actor, now).await?;
            print(json, &text::Recorded { request: id.0, wish, version }, text::recorded)?;
        }
        Asked::Order(ordered) => {
            let id = store.record_order(name, &ordered, actor, now).await?;
            print(json, &text::OrderRecorded::of(id, &ordered), text::order_recorded)?;
        }
    }
    store.close().await;
    Ok(Exit::Done)
}

pub(super) async fn memory(store: Option<&Store>, watch: &Watch) -> Result<Memory> {
    match store {
        Some(store) => Ok(store.load_memory(&watch.name).await?),
        None => Ok(Memory::default()),
    }
}

/// A config that a pass can work with: one that writes needs something to write with.
fn writing(config: Config) -> Result<Config> {
    match &config.access {
        Access::Anybody(lacking) => bail!(Misuse(lacking.to_string())),
        Access::Token(_) | Access::App(_) => Ok(config),
    }
}

/// The one watch that is meant.
pub(super) fn chosen<'a>(config: &'a Config, chosen: &Chosen) -> Result<&'a Watch> {
    match several(config, chosen)?.as_slice() {
        [watch] => Ok(watch),
        _ => bail!(Misuse(format!(
            "there is more than one watch: say which with --watch ({})",
            names(config)
        ))),
    }
}

pub(super) fn several<'a>(config: &'a Config, chosen: &Chosen) -> Result<Vec<&'a Watch>> {
    let Some(name) = &chosen.watch else {
        return Ok(config.watches.iter().collect());
    };
    let watch = config.watches.iter().find(|watch| watch.name == *name);
    let unknown = || {
        let names = names(config);
        Misuse(format!("there is no watch `{name}` in the config, only {names}"))
    };
    Ok(vec![watch.ok_or_else(unknown)?])
}

fn names(config: &Config) -> String {
    let names: Vec<&str> = config.watches.iter().map(|it| it.name.as_str()).collect();
    names.join(", ")
}

/// Text for people, JSON for machines.
pub(super) fn print<T: Serialize>(json: bool, value: &T, text: fn(&T) -> String) -> Result<()> {
    use std::io::Write as _;
    let out = if json { serde_json::to_string(value)? + "\n" } else { text(value) };
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever read us has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
