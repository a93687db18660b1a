//! Why an operation of the file store failed, and which of these reasons are a miss.

use std::io;
use std::path::{Path, PathBuf};

use larder_core::{Error, ErrorKind};

pub(crate) type Result<T, E = Cause> = std::result::Result<T, E>;

/// A failure inside the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("cannot {action}: {source}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("what stands in the entry's place is not an entry: {0}")]
    Foreign(&'static str),
    #[error("{whole} needs {what} {id}, which this build does not read")]
    Unknown { whole: &'static str, what: &'static str, id: u64 },
    #[error("the entry's {0} is not what was written")]
    Damaged(&'static str),
    #[error("the entry is {len} bytes long, more than the limit of {limit}")]
    TooLarge { len: u64, limit: u64 },
    #[error("there is no room within the limits of the cache")]
    NoRoom,
    #[error("another process holds the lock of the entry")]
    Locked,
    #[error("others hold the lock of the usage")]
    Busy,
    #[error("the store is closed")]
    Closed,
    #[error("there is no tokio runtime to run blocking work on")]
    NoRuntime,
    #[error("the blocking task did not finish: {0}")]
    Task(tokio::task::JoinError),
    #[error(transparent)]
    Core(Error),
}

impl Cause {
    /// Returns a function for `map_err` that says what was attempted, on what.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// Returns whether a reader that meets this has a miss, and not an error.
    pub(crate) fn is_miss(&self) -> bool {
        matches!(self, Self::Foreign(_) | Self::Unknown { .. } | Self::Damaged(_))
    }

    /// Returns whether the entry is one of ours that went bad, so that it may be removed.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } | Self::Core(_) | Self::Task(_) | Self::NoRuntime => ErrorKind::Other,
            Self::Foreign(_) | Self::Damaged(_) => ErrorKind::Corrupt,
            Self::Unknown { .. } => ErrorKind::Unsupported,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::NoRoom => ErrorKind::StorageFull,
            Self::Locked | Self::Busy => ErrorKind::Unavailable,
            Self::Closed => ErrorKind::Closed,
        }
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Core(error) => error,
            Cause::Io { action, path, source } => {
                let kind = Self::from(io::Error::from(source.kind())).kind();
                Self::new(kind, format!("cannot {action}: {source}"))
                    .with_context("path", path.display())
                    .with_source(source)
            }
            cause => Self::new(cause.kind(), cause.to_string()).with_source(cause),
        }
    }
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

/// Carries a cause through an interface that speaks `io::Error`; [`from_io`] takes it out again.
pub(crate) fn into_io(cause: Cause) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

/// Returns the cause that an I/O error carries; one that a decompressor made is damage.
pub(crate) fn from_io(error: io::Error, path: impl FnOnce() -> PathBuf) -> Cause {
    let kind = error.kind();
    match error.downcast::<Cause>() {
        Ok(cause) => cause,
        Err(_) if matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            Cause::Damaged("compressed body")
        }
        Err(source) => Cause::Io { action: "read the entry's body", path: path(), source },
    }
}
