//! A table of blobs in SQLite: one connection that writes, and one that reads for each thread that reads at once.
//!
//! The configuration is what SQLite's documentation gives for speed without losing consistency: a write-ahead log,
//! `synchronous = NORMAL`, prepared statements, pages of 8 KiB for blobs, and reads from mapped memory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};
use rusqlite::{Connection, OptionalExtension};

use super::Place;
use crate::contender::{Contender, Survives, Terms};

/// What every connection is told. The size of a page holds only for a file that is new.
const OPTIONS: &str = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
     PRAGMA mmap_size = 1073741824; PRAGMA busy_timeout = 5000;";

/// A file of SQLite.
pub(super) struct Sqlite {
    place: Place,
    connections: Arc<Connections>,
}

/// The connections to one file.
struct Connections {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Sqlite {
    pub(super) fn open(directory: &Path, place: Place) -> Result<Self, BoxError> {
        let path = directory.join("blobs.sqlite");
        let writer = connect(&path)?;
        writer.execute_batch("CREATE TABLE IF NOT EXISTS blob (key TEXT PRIMARY KEY, body BLOB NOT NULL)")?;
        let connections = Connections { path, writer: Mutex::new(writer), readers: Mutex::default() };
        Ok(Self { place, connections: Arc::new(connections) })
    }

    async fn run<T: Send + 'static>(
        &self,
        key: &CacheKey,
        work: impl FnOnce(&Connections, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, BoxError> {
        let connections = Arc::clone(&self.connections);
        let key = key.clone();
        self.place.run(move || Ok(work(&connections, key.as_str())?)).await
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(OPTIONS)?;
    Ok(connection)
}

impl Connections {
    fn write<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        work(&self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| connect(&self.path), Ok)?;
        let outcome = work(&connection);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        outcome
    }
}

#[async_trait]
impl Contender for Sqlite {
    fn name(&self) -> &'static str {
        match self.place {
            Place::Hop => "rusqlite, one hop",
            Place::Inline => "rusqlite, inline (blocks)",
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "the process's end; a power loss undoes the last writes",
            survives: Survives::Whole,
            verification: "nothing",
            processes: "many processes, of which one writes at a time",
            in_memory: false,
        }
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        self.run(key, move |connections, key| {
            connections.write(|connection| {
                let mut insert =
                    connection.prepare_cached("INSERT OR REPLACE INTO blob (key, body) VALUES (?1, ?2)")?;
                insert.execute((key, &body[..])).map(drop)
            })
        })
        .await
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        self.run(key, |connections, key| {
            connections.read(|connection| {
                let mut select = connection.prepare_cached("SELECT body FROM blob WHERE key = ?1")?;
                let body =
                    select.query_one([key], |row| Ok(Bytes::copy_from_slice(row.get_ref(0)?.as_blob()?)));
                body.optional()
            })
        })
        .await
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        self.run(key, |connections, key| {
            connections.read(|connection| {
                connection.prepare_cached("SELECT 1 FROM blob WHERE key = ?1")?.exists([key])
            })
        })
        .await
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        self.run(key, |connections, key| {
            connections.write(|connection| {
                Ok(connection.prepare_cached("DELETE FROM blob WHERE key = ?1")?.execute([key])? > 0)
            })
        })
        .await
    }
}
