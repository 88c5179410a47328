//! Logging: a sentence with fields, to standard error. `error!` only when a person must act. And
//! metrics, in the text format of Prometheus.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{io::IsTerminal as _, sync::OnceLock};
use tracing_subscriber::{EnvFilter, filter::ParseError};

/// What is logged unless `DIGEST_BUMP_LOG` says otherwise.
const DEFAULT_FILTER: &str = "digest_bump=info,warn";

/// The target of the events on either side of each change outside this process's memory: a record
/// in the database, an effect in the world, a canary's child. An operator sees in them how far a
/// process got that died; a crash test stops the process at each.
const STEP: &str = "digest_bump::step";

/// Where a step's event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing of it was done yet.
    Before,
    /// It is done, and nothing that follows from it.
    After,
}

/// Says that the process is just before or just after a step; `of` names it.
pub fn step(moment: Moment, kind: &'static str, of: &str) {
    match moment {
        Moment::Before => tracing::trace!(target: STEP, kind, of, "before"),
        Moment::After => tracing::trace!(target: STEP, kind, of, "after"),
    }
}

/// A setting of the log that means nothing.
#[derive(Debug, thiserror::Error)]
pub enum BadSetting {
    /// The filter.
    #[error("DIGEST_BUMP_LOG: `{0}` is no filter such as `digest_bump=debug`: {1}")]
    Filter(String, ParseError),
    /// The format.
    #[error("DIGEST_BUMP_LOG_FORMAT: `{0}` is neither `text` nor `json`")]
    Format(String),
}

/// Sets logging up for the whole process; a second call does nothing.
///
/// `filter` is in the syntax of `tracing_subscriber::EnvFilter`. `format` is `text`, the default, or
/// `json`, in capitals or not: each line is one JSON object.
///
/// # Errors
/// If one of the two cannot be read.
pub fn init(filter: Option<&str>, format: Option<&str>) -> Result<(), BadSetting> {
    let json = match format {
        Some(format) if format.eq_ignore_ascii_case("json") => true,
        Some(format) if !format.eq_ignore_ascii_case("text") => {
            return Err(BadSetting::Format(format.to_owned()));
        }
        Some(_) | None => false,
    };
    let text = filter.unwrap_or(DEFAULT_FILTER);
    let filter =
        EnvFilter::try_new(text).map_err(|error| BadSetting::Filter(text.to_owned(), error))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error only says that logging is set up already.
    let _ = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        let colours = std::io::stderr().is_terminal();
        builder.with_target(false).with_ansi(colours).try_init()
    };
    Ok(())
}

/// What was counted in this process. The first call begins to count.
pub fn metrics() -> &'static PrometheusHandle {
    static COUNTED: OnceLock<PrometheusHandle> = OnceLock::new();
    COUNTED.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // An error only says that somebody else counts.
        let _ = metrics::set_global_recorder(recorder);
        metrics::describe_counter!(
            "digest_bump_webhooks_total",
            "Webhooks that came in, by event and by what was done with them"
        );
        metrics::describe_gauge!(
            "digest_bump_last_pass_timestamp_seconds",
            metrics::Unit::Seconds,
            "When the last pass of a watch ended in this process, since 1970"
        );
        metrics::describe_gauge!(
            "digest_bump_pass_troubles",
            "How much of the last pass of a watch could not be read or done"
        );
        handle
    })
}
