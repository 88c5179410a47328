//! One settled pass, for cron.

use super::build::App;
use crate::reconcile::{Bot, PassReport};
use anyhow::Result;
use std::time::Duration;

/// How long another process's pass is waited for. A canary is none: it runs outside the lease.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the lease is asked for meanwhile.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Lets every watch settle, canaries included that were started here. `None` for a watch on which
/// somebody else was at work the whole time.
///
/// # Errors
/// If the store fails. Troubles in the world are part of the reports.
pub async fn once(app: &App) -> Result<Vec<Option<PassReport>>> {
    let mut reports: Vec<Option<PassReport>> = app.bots.iter().map(|_| None).collect();
    loop {
        // Asked before the pass: a run that ends during it wants another one.
        let idle = app.supervisor.is_idle();
        for (bot, report) in app.bots.iter().zip(&mut reports) {
            if let Some(next) = patient(bot, &app.owner).await? {
                *report = Some(match report.take() {
                    Some(before) => before.then(next),
                    None => next,
                });
            }
        }
        let quiet = idle && app.supervisor.is_idle();
        // A short run may even have begun and ended during the pass.
        if !a_run_ended(app).await && quiet {
            return Ok(reports);
        }
        a_run_ends(app).await;
    }
}

/// Whether some run ended since this was last asked or waited for.
async fn a_run_ended(app: &App) -> bool {
    tokio::select! {
        biased;
        () = app.wake.notified() => true,
        () = std::future::ready(()) => false,
    }
}

/// Waits until some canary run has ended.
async fn a_run_ends(app: &App) {
    while !app.supervisor.is_idle() {
        tokio::select! {
            () = app.wake.notified() => return,
            () = tokio::time::sleep(ASK_AGAIN) => {}
        }
    }
}

async fn patient(bot: &Bot, owner: &str) -> Result<Option<PassReport>> {
    let tries = PATIENCE.as_millis() / ASK_AGAIN.as_millis();
    for _ in 0..tries {
        if let Some(report) = bot.pass(owner).await? {
            return Ok(Some(report));
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
    Ok(None)
}
