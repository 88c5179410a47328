//! The canary's runs. A pass starts them under its lease; their supervisors work outside of it, so
//! that a run's end counts once, whoever reports it.

use super::{
    Lease, Store, StoreError,
    write::{append_finding, storable},
};
use crate::domain::{
    CanaryReport, CommitId, Finding, IndexDigest, RunId, Timestamp, TreeId, Version, WatchName,
};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

/// A canary run that is about to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The release under test.
    pub version: Version,
    /// The digest under test.
    pub subject: IndexDigest,
    /// What else the result depends on.
    pub inputs: String,
    /// The commit that the draft was made on.
    pub base: CommitId,
    /// The draft's tree.
    pub tree: TreeId,
    /// What its result may be used for again; see [`crate::domain::CanaryRun`].
    pub remembered_by: String,
    /// The commit whose own checks are its result, if the bot does not run it itself.
    pub checked: Option<CommitId>,
    /// The marker of the workflow that was dispatched for it on that commit, if one was.
    pub dispatched: Option<String>,
    /// Now.
    pub started_at: Timestamp,
    /// When it counts as orphaned, unless its supervisor speaks before.
    pub alive_until: Timestamp,
}

/// What a workflow prepared for a run whose result is another commit's checks.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<'a> {
    /// The tree with what was prepared.
    pub tree: &'a TreeId,
    /// The files that were added.
    pub files: &'a [String],
    /// The commit whose checks are waited for from now on.
    pub commit: &'a CommitId,
}

/// What a run showed, beside its verdict.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The last part of what it printed, secrets masked.
    pub output: &'a str,
    /// All that it printed, as far as it is kept; empty if the last part is all.
    pub log: &'a str,
    /// Its steps, secrets masked.
    pub report: &'a CanaryReport,
    /// The tree that its steps ran on, if it is not the one that the run began with.
    pub tree: Option<&'a TreeId>,
}

impl Shown<'_> {
    /// A run that did not get so far.
    pub const NOTHING: Shown<'static> =
        Shown { output: "", log: "", report: &CanaryReport::NOTHING, tree: None };
}

impl Store {
    /// Records that a canary run starts.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn start_run(
        &self,
        lease: &Lease,
        watch: &WatchName,
        run: &NewRun,
    ) -> Result<RunId, StoreError> {
        let mut transaction = self.writing_under(lease).await?;
        let id = sqlx::query(
            "INSERT INTO canary_run (id, watch, version, subject, inputs, base, tree, \
             remembered_by, checked, dispatched, started_at, alive_until) \
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM canary_run), \
             $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        )
        .bind(watch.as_str())
        .bind(run.version.to_string())
        .bind(run.subject.as_str())
        .bind(&run.inputs)
        .bind(run.base.as_str())
        .bind(run.tree.as_str())
        .bind(&run.remembered_by)
        .bind(run.checked.as_ref().map(CommitId::as_str))
        .bind(run.dispatched.as_deref())
        .bind(run.started_at.millis())
        .bind(run.alive_until.millis())
        .fetch_one(&mut *transaction)
        .await?
        .try_get("id")?;
        transaction.commit("run").await?;
        Ok(RunId(id))
    }

    /// Records that a run's tree was prepared, and that it now waits for the checks of another
    /// commit. `false`, and nothing is written, if the run had ended before.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn advance_run(
        &self,
        lease: &Lease,
        run: RunId,
        prepared: &Prepared<'_>,
        alive_until: Timestamp,
    ) -> Result<bool, StoreError> {
        let files = prepared.files.to_vec();
        let report = CanaryReport { prepared: files, ..CanaryReport::NOTHING };
        let report = report_text(&report)?;
        let mut transaction = self.writing_under(lease).await?;
        let rows = sqlx::query(
            "UPDATE canary_run SET tree = $1, checked = $2, dispatched = NULL, report = $3, \
             alive_until = $4 WHERE id = $5 AND ended_at IS NULL",
        )
        .bind(prepared.tree.as_str())
        .bind(prepared.commit.as_str())
        .bind(storable(&report).as_ref())
        .bind(alive_until.millis())
        .bind(run.0)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit("prepared run").await?;
        Ok(rows == 1)
    }

    /// A sign of life of a run's supervisor. `false` if the run is over: somebody took it for
    /// orphaned, and its result no longer counts.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn keep_run_alive(&self, run: RunId, until: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let rows = sqlx::query(
            "UPDATE canary_run SET alive_until = $1 WHERE id = $2 AND ended_at IS NULL",
        )
        .bind(until.millis())
        .bind(run.0)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit("sign of life").await?;
        Ok(rows == 1)
    }

    /// Ends a run with what it found, and appends the finding, both or neither. `false`, and
    /// nothing is written, if the run had ended before.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn end_run(
        &self,
        watch: &WatchName,
        run: RunId,
        shown: Shown<'_>,
        finding: &Finding,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        if !close_run(&mut transaction, watch, run, finding, shown).await? {
            return Ok(false);
        }
        append_finding(&mut transaction, watch, finding).await?;
        transaction.commit("end of a run").await?;
        Ok(true)
    }

    /// Ends a run whose supervisor fell silent, and appends the finding, both or neither. `false`,
    /// and nothing is written, if the run ended or its supervisor spoke meanwhile, so that at the
    /// finding's time it counts as alive.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn bury_run(
        &self,
        lease: &Lease,
        watch: &WatchName,
        run: RunId,
        finding: &Finding,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing_under(lease).await?;
        let silent = sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM canary_run \
             WHERE id = $1 AND ended_at IS NULL AND alive_until <= $2",
        )
        .bind(run.0)
        .bind(finding.at.millis())
        .fetch_one(&mut *transaction)
        .await?;
        if silent == 0 || !close_run(&mut transaction, watch, run, finding, Shown::NOTHING).await? {
            return Ok(false);
        }
        append_finding(&mut transaction, watch, finding).await?;
        transaction.commit("end of a run").await?;
        Ok(true)
    }

    /// All that a run printed, if it is kept still.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn canary_log(&self, run: RunId) -> Result<Option<String>, StoreError> {
        let log = sqlx::query_scalar("SELECT log FROM canary_log WHERE run = $1").bind(run.0);
        Ok(log.fetch_optional(&self.pool).await?)
    }

    /// Forgets what `watch`'s runs printed that ended before `until`; how many there were.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn forget_logs(
        &self,
        lease: &Lease,
        watch: &WatchName,
        until: Timestamp,
    ) -> Result<u64, StoreError> {
        let old = "FROM canary_log WHERE ended_at < $1 AND run IN \
                   (SELECT id FROM canary_run WHERE watch = $2)";
        let count = AssertSqlSafe(format!("SELECT COUNT(*) {old}"));
        let count = sqlx::query_scalar::<_, i64>(count).bind(until.millis()).bind(watch.as_str());
        if count.fetch_one(&self.pool).await? == 0 {
            return Ok(0);
        }
        let mut transaction = self.writing_under(lease).await?;
        let gone = sqlx::query(AssertSqlSafe(format!("DELETE {old}")))
            .bind(until.millis())
            .bind(watch.as_str())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        transaction.commit("forgotten logs").await?;
        Ok(gone)
    }

    /// Ends a run that was interrupted before it found out anything. `why` stands in the run's own
    /// row; it is no answer to the check. `false`, and nothing is written, if the run had ended
    /// before.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn interrupt_run(
        &self,
        watch: &WatchName,
        run: RunId,
        why: &Finding,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let ended = close_run(&mut transaction, watch, run, why, Shown::NOTHING).await?;
        transaction.commit("interrupted run").await?;
        Ok(ended)
    }
}

/// Whether the run was still under way.
async fn close_run(
    transaction: &mut AnyConnection,
    watch: &WatchName,
    run: RunId,
    finding: &Finding,
    shown: Shown<'_>,
) -> Result<bool, StoreError> {
    let report = report_text(shown.report)?;
    let report = storable(&report);
    let rows = sqlx::query(
        "UPDATE canary_run SET ended_at = $1, verdict = $2, summary = $3, output = $4, \
         report = $5, tree = COALESCE($6, tree) \
         WHERE id = $7 AND watch = $8 AND ended_at IS NULL",
    )
    .bind(finding.at.millis())
    .bind(finding.verdict.name())
    .bind(storable(&finding.summary).as_ref())
    .bind(storable(shown.output).as_ref())
    .bind(report.as_ref())
    .bind(shown.tree.map(TreeId::as_str))
    .bind(run.0)
    .bind(watch.as_str())
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if rows == 1 && !shown.log.is_empty() {
        sqlx::query("INSERT INTO canary_log (run, log, ended_at) VALUES ($1, $2, $3)")
            .bind(run.0)
            .bind(storable(shown.log).as_ref())
            .bind(finding.at.millis())
            .execute(&mut *transaction)
            .await?;
    }
    Ok(rows == 1)
}

fn report_text(report: &CanaryReport) -> Result<String, StoreError> {
    serde_json::to_string(report).map_err(|error| StoreError::corrupt("a canary's report", error))
}
