//! Placeholder until the reports branch lands.
use crate::domain::Verdict;
pub use crate::domain::{FailedTest, ReportDemand as Demand, ReportFormat as Format};
/// Judgement.
#[derive(Debug)]
pub struct Judgement {
    /// V.
    pub verdict: Verdict,
    /// S.
    pub summary: String,
    /// F.
    pub failed: Vec<FailedTest>,
}
/// R.
#[derive(Debug)]
pub struct Report;
/// E.
#[derive(Debug, thiserror::Error)]
#[error("placeholder")]
pub struct ReportError;
/// P.
pub fn parse(_: Format, _: &[u8]) -> Result<Report, ReportError> {
    Err(ReportError)
}
/// J.
pub fn judge(_: &Report, _: &Demand) -> Judgement {
    Judgement { verdict: Verdict::Inconclusive, summary: String::new(), failed: Vec::new() }
}
