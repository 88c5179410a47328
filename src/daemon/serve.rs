//! The daemon: one pass at the start, then whenever the alarm rings; never two at once.

use super::{alarm::Alarm, build::App};
use crate::domain::{Timestamp, WatchName};
use crate::http::{Hooks, Inbox, Page, WEBHOOK, router};
use crate::panics::catch_panic;
use crate::reconcile::{Bot, PassReport};
use anyhow::{Context as _, Result};
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// After a trouble that gave no time of its own.
const TRY_AGAIN: Duration = Duration::from_mins(1);
/// For what remains after the grace period: ending children, writing a row.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Opens the status page's address.
///
/// # Errors
/// If it cannot be listened on.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

/// Runs until `shutdown` is cancelled; then drains within the grace period.
///
/// # Errors
/// If the alarm clock or the page cannot be started, or no passes are made any more: whoever
/// supervises the process starts it anew.
pub async fn serve(
    app: App,
    listener: Option<TcpListener>,
    shutdown: CancellationToken,
) -> Result<()> {
    let app = Arc::new(app);
    let schedule = app.config.schedule.clone();
    let grace = schedule.grace;
    let (store, clock) = (app.store.clone(), app.clock.clone());
    let alarm = Alarm::new(schedule, store, clock, app.wake.clone(), app.owner.clone());
    info!(next = ?alarm.preview(3), "the schedule's next times");
    let mut scheduler = alarm.start(shutdown.clone()).await?;
    let page = listener.map(|listener| tokio::spawn(show(app.clone(), listener, shutdown.clone())));

    let passes = tokio::spawn(keep_passing(app.clone(), alarm, shutdown.clone()));
    shutdown.cancelled().await;
    info!(grace = ?grace, "draining");
    app.supervisor.drain();
    // A pass under way settles first, so that the runs that it starts are ended as well.
    let ended = tokio::time::timeout(grace, passes).await;
    if ended.is_err() {
        warn!("the grace period ended before the pass did; what it was doing is due again");
    }
    // In any case: a canary must not outlive the bot, and its end is to be remembered.
    if tokio::time::timeout(LAST_WAIT, app.supervisor.stop()).await.is_err() {
        warn!("a canary's end was not recorded; it is taken for dead later");
    }
    let _ = scheduler.shutdown().await;
    if let Some(page) = page {
        let _ = tokio::time::timeout(Duration::from_secs(1), page).await;
    }
    app.store.close().await;
    info!("stopped");
    match ended {
        Ok(Err(error)) => Err(error).context("no passes were made any more"),
        Ok(Ok(())) | Err(_) => Ok(()),
    }
}

async fn keep_passing(app: Arc<App>, alarm: Alarm, shutdown: CancellationToken) {
    // Should this end in any other way, by a panic, the daemon must not go on without it.
    let _daemon_ends = shutdown.clone().drop_guard();
    let mut kept_out = BTreeSet::new();
    loop {
        let parked = pass_all(&app, &alarm, &mut kept_out).await;
        alarm.pass_ended(parked);
        tokio::select! {
            // First: whatever woke it as well, no pass begins any more.
            biased;
            () = shutdown.cancelled() => return,
            () = app.wake.notified() => {}
        }
    }
}

/// One pass of each watch; when something changes by itself. `kept_out` are the watches of which
/// another process had the lease the last time: that is said once.
async fn pass_all(
    app: &App,
    alarm: &Alarm,
    kept_out: &mut BTreeSet<WatchName>,
) -> Option<Timestamp> {
    if let Err(error) = alarm.pass_begins().await {
        error!(error = %format!("{error:#}"), "the store cannot be read; a person must look");
        return Some(app.clock.now() + TRY_AGAIN);
    }
    let mut wakes = Vec::new();
    for bot in &app.bots {
        match pass(bot, &app.owner).await {
            Ok(Some(report)) => {
                kept_out.remove(&bot.watch.name);
                wakes.extend(wake_after(&report, app.clock.now() + TRY_AGAIN));
            }
            // Another process is at it. It may have been asked before what woke us happened.
            Ok(None) => {
                wakes.push(app.clock.now() + Duration::from_secs(2));
                if kept_out.insert(bot.watch.name.clone()) {
                    info!(watch = %bot.watch.name, "another process is at work; this one waits");
                }
            }
            Err(error) => {
                error!(error = %format!("{error:#}"), "the pass failed; a person must look");
                wakes.push(app.clock.now() + TRY_AGAIN);
            }
        }
    }
    wakes.into_iter().min()
}

/// One pass of a watch. A panic in it is a pass that failed: the next one is made all the same.
async fn pass(bot: &Bot, owner: &str) -> Result<Option<PassReport>> {
    let (bot, owner) = (bot.clone(), owner.to_owned());
    catch_panic(Box::pin(async move { bot.pass(&owner).await })).await?
}

/// When a watch's next pass is due after one that reported this: `again`, if something did not work
/// and gave no time of its own, however late anything else is due.
fn wake_after(report: &PassReport, again: Timestamp) -> Option<Timestamp> {
    report.wake.into_iter().chain(report.try_again.then_some(again)).min()
}

async fn show(app: Arc<App>, listener: TcpListener, shutdown: CancellationToken) {
    let page = Page {
        watches: app.config.watches.clone(),
        store: app.store.clone(),
        clock: app.clock.clone(),
    };
    crate::telemetry::metrics();
    let hooks = app.config.webhook_secret.clone().map(|secret| Hooks {
        secret,
        watches: app.config.watches.clone(),
        inbox: Inbox::open(app.store.clone(), app.clock.clone(), app.wake.clone()),
    });
    match listener.local_addr() {
        Ok(address) => info!("the status page is at http://{address}/"),
        Err(error) => error!(%error, "the status page has no address"),
    }
    if hooks.is_some() {
        info!("webhooks are taken there, at {WEBHOOK}");
    }
    let served = axum::serve(listener, router(page, hooks))
        .with_graceful_shutdown(async move { shutdown.cancelled().await })
        .await;
    if let Err(error) = served {
        error!(%error, "the status page ended; a person must look");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gave_no_time_of_its_own_is_tried_again_soon_whatever_else_is_due() {
        let at = Timestamp::from_millis;
        let again = at(60);
        for (wake, try_again, due) in [
            (None, false, None),
            (None, true, Some(60)),
            // A release that waits for days.
            (Some(1_000), true, Some(60)),
            (Some(20), true, Some(20)),
            // A rate limit says itself when it ends.
            (Some(1_000), false, Some(1_000)),
        ] {
            let report = PassReport { wake: wake.map(at), try_again, ..PassReport::default() };
            assert_eq!(wake_after(&report, again), due.map(at), "{wake:?} {try_again}");
        }
    }
}
