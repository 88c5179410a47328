//! What a workflow of the downstream's showed: its conclusion, and the reports and files that it
//! handed back in an artifact. The run itself is GitHub's business.

mod archive;
mod judge;

pub use archive::{ArchiveError, HandedBack, unpack};
pub use judge::{conclude, prepared};

/// The folder of the artifact in which the files lie that belong to the edit.
pub const PREPARED: &str = "prepared/";
