//! The options of an index. They are checked once, when it is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use larder_core::{Durability, Result};

use crate::database::Database;
use crate::error::Cause;
use crate::files;
use crate::index::SqliteRedirects;
use crate::lanes::Lanes;

/// The longest time that an index may wait for locks; who waits longer than this for a hint has a bug.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);
const MOST_CONNECTIONS: u32 = 64;

/// The options of a [`SqliteRedirects`], from [`SqliteRedirects::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing is opened until `open` is called"]
pub struct SqliteRedirectsBuilder {
    path: PathBuf,
    durability: Durability,
    busy_timeout: Duration,
    max_connections: usize,
    max_rows_in_memory: usize,
}

impl SqliteRedirectsBuilder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            durability: Durability::default(),
            busy_timeout: Duration::from_secs(1),
            max_connections: 4,
            max_rows_in_memory: 1 << 16,
        }
    }

    /// Sets what survives a power loss.
    ///
    /// At [`Durability::Durable`] each transaction is synced before its operation returns. At the other levels a
    /// power loss takes the latest transactions, each of them whole; aliases are then absent or older.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how long an operation waits for other processes' locks: above zero, at most a minute. Default: 1 s.
    ///
    /// An operation that queues behind others in this process may take about twice as long.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets how many connections there are at most: 1 to 64, of which one writes. Default: 4.
    ///
    /// Each is opened when it is first needed. The aliases in memory need one more.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets up to how many aliases the index keeps a copy of in memory; 0 is never. Default: 65,536.
    ///
    /// With the copy, looking up is a matter of microseconds on the caller's thread; without it SQLite is asked on a
    /// blocking thread, which takes a few times as long. The copy is made at the second lookup, and again when another
    /// process has written and lookups have taken about as long as it takes. It is used only while it is the database's
    /// content, and takes about 400 bytes for each alias.
    ///
    /// An index with more aliases has no copy at all. Whether they have become few enough is looked at after 1,024 lookups,
    /// and each time after twice as many as before, up to 65,536.
    pub fn max_rows_in_memory(mut self, rows: usize) -> Self {
        self.max_rows_in_memory = rows;
        self
    }

    /// Opens the index, and creates it and its directory (for its owner alone) if they are missing.
    ///
    /// If the future is dropped, an empty index may have been created.
    ///
    /// # Errors
    ///
    /// [`Configuration`](larder_core::ErrorKind::Configuration) when an option is out of its range, the path has no
    /// file name or (other than on Unix) is not Unicode, or no Tokio runtime is running;
    /// [`Unsupported`](larder_core::ErrorKind::Unsupported) when the database is of a newer larder, or the file
    /// system cannot share memory between processes; the database is then left as it is;
    /// [`Unavailable`](larder_core::ErrorKind::Unavailable) when another process holds it locked;
    /// and the kinds of input and output.
    pub async fn open(self) -> Result<SqliteRedirects> {
        let path = self.path.clone();
        let lanes = self.into_lanes().map_err(|cause| cause.into_error("open", &path))?;
        lanes.read(|_| Ok(())).await.map_err(|cause| cause.into_shared_error("open", &path))?;
        Ok(SqliteRedirects::new(lanes))
    }

    fn into_lanes(self) -> Result<Lanes, Cause> {
        if self.busy_timeout.is_zero() || self.busy_timeout > LONGEST_TIMEOUT {
            let value = format!("{:?}", self.busy_timeout);
            return Err(Cause::Option {
                option: "busy_timeout",
                value,
                wanted: "above zero and at most 60s",
            });
        }
        let Ok(connections @ 1..=MOST_CONNECTIONS) = u32::try_from(self.max_connections) else {
            let value = self.max_connections.to_string();
            return Err(Cause::Option { option: "max_connections", value, wanted: "1 to 64" });
        };
        let database = Database::new(resolve(&self.path)?, self.durability, self.max_connections)?;
        Lanes::new(database, connections, self.max_rows_in_memory, self.busy_timeout)
    }
}

/// Returns `path` with its directory made, absolute and free of links, so that one in its place later is noticed.
fn resolve(path: &Path) -> Result<PathBuf, Cause> {
    let Some(name) = path.file_name() else {
        let value = path.display().to_string();
        return Err(Cause::Option { option: "path", value, wanted: "the path of a file" });
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    files::create_directory(directory)?;
    let directory = directory.canonicalize().map_err(|error| Cause::file("resolve", directory, error))?;
    Ok(directory.join(name))
}
