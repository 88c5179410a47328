//! What can go wrong with the database.

use std::{borrow::Cow, error::Error};

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
    /// These are no files of a database, or a row cannot be what this program wrote.
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
    /// The file cannot be read or written, or the server cannot be reached or lets nobody in.
    #[error("the database cannot be used")]
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
            sqlx::Error::Database(database) => database.code().map(Cow::into_owned),
            _ => None,
        };
        match (code.as_deref().map_or(Kind::Unknown, kind), &error) {
            (Kind::Busy, _) | (_, sqlx::Error::PoolTimedOut) => Self::Busy(cause(error)),
            (Kind::ReadOnly, _) => Self::ReadOnly(cause(error)),
            (Kind::Corrupt, _) => Self::corrupt("its files", cause(error)),
            (Kind::Full, _) => Self::Full(cause(error)),
            (Kind::Io, _) | (_, sqlx::Error::Io(_) | sqlx::Error::Tls(_)) => Self::Io(cause(error)),
            (_, sqlx::Error::ColumnDecode { index, .. }) => {
                Self::corrupt(format!("column {index}"), error)
            }
            _ => Self::Refused(cause(error)),
        }
    }
}

/// What is behind sqlx's error, which prints its source itself.
fn cause(error: sqlx::Error) -> Cause {
    match error {
        sqlx::Error::Database(error) => error.into_error(),
        sqlx::Error::Io(error) => error.into(),
        sqlx::Error::Tls(error) => error,
        error => error.into(),
    }
}

/// What a database's own code comes to.
enum Kind {
    Busy,
    ReadOnly,
    Corrupt,
    Full,
    Io,
    Unknown,
}

/// PostgreSQL's codes are the SQL standard's five characters; SQLite's numbers have four digits at
/// the most.
fn kind(code: &str) -> Kind {
    if code.len() == 5 { sqlstate(code) } else { code.parse().map_or(Kind::Unknown, result_code) }
}

/// The primary result code: an extended one carries its detail above the lowest byte
/// (sqlite.org/rescode.html).
fn result_code(code: i64) -> Kind {
    /// The index beside the log cannot grow: `SQLITE_IOERR_SHMSIZE`.
    const NO_ROOM_FOR_THE_INDEX: i64 = 4874;
    match code & 0xff {
        _ if code == NO_ROOM_FOR_THE_INDEX => Kind::Full,
        5 | 6 => Kind::Busy,
        8 => Kind::ReadOnly,
        11 | 26 => Kind::Corrupt,
        13 => Kind::Full,
        10 | 14 => Kind::Io,
        _ => Kind::Unknown,
    }
}

/// The classes and codes of PostgreSQL's manual, appendix A, that this program can meet.
fn sqlstate(code: &str) -> Kind {
    match code {
        // Not in time: a lock, a transaction of ours that idled, a connection too many.
        "55P03" | "25P03" | "53300" | "40001" | "40P01" => Kind::Busy,
        "25006" => Kind::ReadOnly,
        "53100" => Kind::Full,
        "XX001" | "XX002" => Kind::Corrupt,
        // Not let in, no such database, the connection or the server went away.
        _ if ["08", "28", "57", "58"].iter().any(|class| code.starts_with(class)) => Kind::Io,
        "3D000" => Kind::Io,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_one_database_are_not_read_as_the_others() {
        // As a number, the lowest byte of 42501 would be SQLite's "busy".
        assert!(matches!(kind("42501"), Kind::Unknown));
        assert!(matches!(kind("25006"), Kind::ReadOnly));
        assert!(matches!(kind("57P01"), Kind::Io));
        assert!(matches!(kind("53100"), Kind::Full));
        assert!(matches!(kind("5"), Kind::Busy));
        assert!(matches!(kind("261"), Kind::Busy), "an extended code");
        assert!(matches!(kind("8458"), Kind::Io));
        assert!(matches!(kind("4874"), Kind::Full));
        assert!(matches!(kind(""), Kind::Unknown));
    }
}
