//! What can go wrong with the database.

use std::error::Error;

type Cause = Box<dyn Error + Send + Sync>;

/// Why the store could not answer or write.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A later version of this program wrote the database.
    #[error("the database's schema {found} is newer than this program's {known}")]
    Newer {
        /// The last migration in the database.
        found: i64,
        /// The last migration that this program knows.
        known: i64,
    },
    /// An earlier version of this program wrote the database, and it was opened for reading only.
    #[error("the database's schema {found} is older than this program's {known}")]
    Older {
        /// The last migration in the database; 0 if there is none.
        found: i64,
        /// The last migration that this program knows.
        known: i64,
    },
    /// A migration that was applied reads differently in this program.
    #[error("migration {version} was applied with another text")]
    Altered {
        /// The migration.
        version: i64,
    },
    /// Somebody else holds the lease: whatever was about to be written must not be.
    #[error("the lease `{name}` was lost")]
    LeaseLost {
        /// The lease.
        name: String,
    },
    /// Something that should have been recorded before was not.
    #[error("there is no {what}")]
    Absent {
        /// What was looked for.
        what: String,
    },
    /// The file is no database, or a row cannot be what this program wrote.
    #[error("the database is corrupt: {what}")]
    Corrupt {
        /// Where.
        what: String,
        /// The reader's complaint.
        #[source]
        source: Cause,
    },
    /// No room is left on the disk.
    #[error("the database's disk is full")]
    Full(#[source] Cause),
    /// The file cannot be read or written.
    #[error("the database's file cannot be used")]
    Io(#[source] Cause),
    /// The database was opened for reading only.
    #[error("the database is open for reading only")]
    ReadOnly(#[source] Cause),
    /// Somebody else held the database for too long. Worth another try.
    #[error("the database is busy")]
    Busy(#[source] Cause),
    /// Anything else: a fault of this program.
    #[error("the database refused a statement")]
    Refused(#[source] Cause),
}

impl StoreError {
    pub(super) fn corrupt(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Corrupt { what: what.into(), source: source.into() }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            Self::Full(error.into())
        } else {
            Self::Io(error.into())
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(database) => database.code().and_then(|code| code.parse().ok()),
            _ => None,
        };
        match (primary(code), &error) {
            (Some(5 | 6), _) | (None, sqlx::Error::PoolTimedOut) => Self::Busy(error.into()),
            (Some(8), _) => Self::ReadOnly(error.into()),
            (Some(11 | 26), _) => Self::corrupt("the file", error),
            (Some(13), _) => Self::Full(error.into()),
            (Some(10 | 14), _) | (None, sqlx::Error::Io(_)) => Self::Io(error.into()),
            (None, sqlx::Error::ColumnDecode { index, .. }) => {
                Self::corrupt(format!("column {index}"), error)
            }
            _ => Self::Refused(error.into()),
        }
    }
}

/// The primary result code: an extended one carries its detail above the lowest byte
/// (sqlite.org/rescode.html).
fn primary(code: Option<i64>) -> Option<i64> {
    code.map(|code| code & 0xff)
}
