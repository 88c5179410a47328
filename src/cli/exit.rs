//! Exit codes, the same for every command.

use crate::config::ConfigError;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or the answer is yes.
    Done,
    /// 1: the answer is no: sites disagree, a release is not known, the daemon is not healthy.
    No,
    /// 2: the arguments or the config cannot be used, or the token is missing.
    Usage,
    /// 3: something could not be read or done; it is due again at the next pass.
    Trouble,
    /// 4: somebody else was at work the whole time.
    Busy,
}

/// Something that whoever called has to change: an argument, the environment.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misuse(pub(super) String);

impl Exit {
    /// What an error comes to.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<ConfigError>() || error.is::<Misuse>() { Self::Usage } else { Self::Trouble }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Trouble => 3,
            Exit::Busy => 4,
        })
    }
}
