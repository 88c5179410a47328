//! The names of the bot's branches. GitHub allows one open pull request from a branch, so the
//! name is the key that keeps a proposal unique, whatever else is lost.

use crate::domain::{BranchName, ImageName, ProposalKind, PullFacts, PullState, Version};

/// Every branch of the bot begins with this. Not `agent/`: those start other bots' review loops.
const PREFIX: &str = "digest-bump/";

/// The branch for a proposal: `digest-bump/connector` for the pin, `…/connector-4-migration` for
/// the stub of a major line.
///
/// A pull request that a person closed without merging keeps its branch, so that reopening works;
/// the next proposal then carries its version in the name.
///
/// # Errors
/// If the image's name makes no branch name, which its type forbids.
pub fn branch_for<'a>(
    kind: ProposalKind,
    image: &ImageName,
    version: &Version,
    pulls: impl IntoIterator<Item = &'a PullFacts>,
) -> Result<BranchName, crate::domain::Invalid> {
    let short = image.short();
    match kind {
        ProposalKind::MigrationStub => format!("{PREFIX}{short}-{}-migration", version.major).parse(),
        ProposalKind::PinBump => {
            let plain = format!("{PREFIX}{short}");
            let declined = pulls.into_iter().any(|pull| {
                pull.branch.as_str() == plain && pull.state == PullState::Closed
            });
            if declined { format!("{plain}-{version}").parse() } else { plain.parse() }
        }
    }
}

/// Whether `branch` is one that [`branch_for`] could have made for this image.
#[must_use]
pub fn is_own_branch(branch: &str, image: &ImageName) -> bool {
    branch
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_prefix(image.short()))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
