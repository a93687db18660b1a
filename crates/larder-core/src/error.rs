//! The one error type of larder's public interfaces.
//!
//! Every crate keeps a private cause of its own and turns it into this type at its edge. An [`Error`] names
//! what was attempted, on what, and why it failed; its [`ErrorKind`] is what a caller decides by.

use std::borrow::Cow;
use std::fmt;

use crate::CacheKey;

/// The result of a cache operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of another library, as the source of an [`Error`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is not valid, for instance the text of a cache key.
    InvalidInput,
    /// The options given at construction contradict each other or cannot be met.
    Configuration,
    /// The source of a streamed body failed, or ended early.
    Body,
    /// Something exceeds a limit: an entry, a head, a decompressed body.
    TooLarge,
    /// Stored bytes are not what was written: a checksum, a length or a format does not match.
    Corrupt,
    /// The format, codec or version is not one that this build reads.
    Unsupported,
    /// The store cannot answer now (busy, locked, not reachable); the same call may succeed later.
    Unavailable,
    /// Access was denied, or is refused because somebody else could write there.
    PermissionDenied,
    /// There is no room left.
    StorageFull,
    /// Another failure of reading or writing.
    Io,
    /// The backend was closed.
    Closed,
    /// The origin could not be reached, or did not answer.
    Origin,
    /// A redirect cannot be followed, or there were too many.
    Redirect,
    /// The response's status is an error (from `CachedResponse::error_for_status`).
    Status,
    /// None of the above.
    Other,
}

impl ErrorKind {
    fn describe(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid input",
            Self::Configuration => "invalid configuration",
            Self::Body => "body failed",
            Self::TooLarge => "too large",
            Self::Corrupt => "corrupt data",
            Self::Unsupported => "unsupported",
            Self::Unavailable => "unavailable",
            Self::PermissionDenied => "permission denied",
            Self::StorageFull => "storage full",
            Self::Io => "input or output failed",
            Self::Closed => "closed",
            Self::Origin => "origin failed",
            Self::Redirect => "redirect failed",
            Self::Status => "error status",
            Self::Other => "failed",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}

/// A failed cache operation: its kind, the operation, what it was on, and the cause.
///
/// # Examples
///
/// ```
/// use larder_core::{CacheKey, Error, ErrorKind};
///
/// let key = CacheKey::new("abc")?;
/// let error = Error::new(ErrorKind::Corrupt, "chunk 2 does not match its checksum")
///     .with_operation("read")
///     .with_key(&key);
/// assert_eq!(error.to_string(), "read: chunk 2 does not match its checksum (key: abc)");
/// assert_eq!(error.kind(), ErrorKind::Corrupt);
/// # Ok::<(), Error>(())
/// ```
pub struct Error(Box<Repr>);

struct Repr {
    kind: ErrorKind,
    message: Cow<'static, str>,
    operation: Option<&'static str>,
    context: Vec<(&'static str, String)>,
    source: Option<BoxError>,
}

impl Error {
    /// Returns an error of `kind`; `message` is lower case and names the thing.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Repr {
            kind,
            message: message.into(),
            operation: None,
            context: Vec::new(),
            source: None,
        }))
    }

    /// Returns the kind, by which a caller decides.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that failed, when it was set: `"read"`, `"write"` and so on.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Returns the value of one piece of context, for instance `"key"` or `"path"`.
    #[must_use]
    pub fn context(&self, name: &str) -> Option<&str> {
        self.0.context.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    /// Sets the operation that failed, unless a layer below has named a narrower one.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Adds the key of the entry that the operation was on, unless it is named already.
    #[must_use]
    pub fn with_key(self, key: &CacheKey) -> Self {
        self.with_context("key", key)
    }

    /// Adds one piece of context, unless `name` has a value already.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if self.context(name).is_none() {
            self.0.context.push((name, value.to_string()));
        }
        self
    }

    /// Sets the underlying cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.0.message)?;
        for (i, (name, value)) in self.0.context.iter().enumerate() {
            write!(f, "{}{name}: {value}", if i == 0 { " (" } else { ", " })?;
        }
        if !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(operation) = self.0.operation {
            debug.field("operation", &operation);
        }
        for (name, value) in &self.0.context {
            debug.field(name, value);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<std::io::Error> for Error {
    /// Maps an I/O error to its kind, and keeps it as the source.
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
            Io::StorageFull | Io::QuotaExceeded => ErrorKind::StorageFull,
            Io::FileTooLarge => ErrorKind::TooLarge,
            Io::InvalidData | Io::UnexpectedEof => ErrorKind::Corrupt,
            Io::Unsupported => ErrorKind::Unsupported,
            Io::TimedOut | Io::WouldBlock | Io::ResourceBusy | Io::ConnectionRefused => {
                ErrorKind::Unavailable
            }
            _ => ErrorKind::Io,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_operation_and_the_first_context_win() {
        let error = Error::new(ErrorKind::Io, "no such device")
            .with_operation("publish")
            .with_context("path", "a")
            .with_operation("write")
            .with_context("path", "b");
        assert_eq!(error.to_string(), "publish: no such device (path: a)");
    }

    #[test]
    fn an_io_error_keeps_its_source_and_gets_a_kind() {
        let error = Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(std::error::Error::source(&error).is_some());
    }
}
