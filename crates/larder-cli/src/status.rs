//! How the program ends: its exit codes, and failures that carry one.
//!
//! The codes are documented in the program's help, and never change their meaning.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

use larder::BoxError;

/// What the program has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NotInCache = 3,
    BadEntries = 4,
    HttpError = 22,
    Interrupted = 130,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// The result of a command.
pub(crate) type Result<T = Status, E = Failure> = std::result::Result<T, E>;

/// Why a command could not do what it was asked for: what to tell the user, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) error: BoxError,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { status: Status::Failed, error: message.into().into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { status: Status::Usage, ..Self::new(message) }
    }

    pub(crate) fn not_in_cache(message: impl Into<String>) -> Self {
        Self { status: Status::NotInCache, ..Self::new(message) }
    }

    pub(crate) fn http_error(message: impl Into<String>) -> Self {
        Self { status: Status::HttpError, ..Self::new(message) }
    }

    /// Sets the cause.
    pub(crate) fn because(self, source: impl Into<BoxError>) -> Self {
        let Self { status, error } = self;
        Self { status, error: Because { message: error.to_string(), source: source.into() }.into() }
    }

    /// Returns whether whoever reads the output has gone away: then nobody waits for more.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        let source = self.error.source().and_then(|source| source.downcast_ref::<io::Error>());
        source.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<larder::Error> for Failure {
    fn from(error: larder::Error) -> Self {
        Self { status: Status::Failed, error: error.into() }
    }
}

/// A message with its cause.
#[derive(Debug)]
struct Because {
    message: String,
    source: BoxError,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Because {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
