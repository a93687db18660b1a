//! redb: a B-tree in one file, written by one transaction at a time.
//!
//! A commit that is flushed costs milliseconds, so commits are not, but every 64th is, which bounds what a crash loses
//! and lets redb use freed pages again. http-cache's manager does the same.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::redb::{Database, Durability, ReadableDatabase, Table, TableDefinition};
use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};

use super::Place;
use crate::contender::{Contender, Survives, Terms};

const BLOBS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("blob");

/// How many commits share one flush.
const FLUSHED_EVERY: u64 = 64;

/// A database of redb.
pub(super) struct Redb {
    place: Place,
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    commits: AtomicU64,
}

impl Redb {
    pub(super) fn open(directory: &Path, place: Place) -> Result<Self, BoxError> {
        let database = Database::create(directory.join("blobs.redb"))?;
        let transaction = database.begin_write()?;
        transaction.open_table(BLOBS)?;
        transaction.commit()?;
        Ok(Self { place, shared: Arc::new(Shared { database, commits: AtomicU64::new(0) }) })
    }

    async fn run<T: Send + 'static>(
        &self,
        key: &CacheKey,
        work: impl FnOnce(&Shared, &str) -> Result<T, BoxError> + Send + 'static,
    ) -> Result<T, BoxError> {
        let shared = Arc::clone(&self.shared);
        let key = key.clone();
        self.place.run(move || work(&shared, key.as_str())).await
    }
}

impl Shared {
    fn write<T>(
        &self,
        work: impl FnOnce(&mut Table<'_, &'static str, &'static [u8]>) -> Result<T, BoxError>,
    ) -> Result<T, BoxError> {
        let mut transaction = self.database.begin_write()?;
        if !self.commits.fetch_add(1, Ordering::Relaxed).is_multiple_of(FLUSHED_EVERY) {
            transaction.set_durability(Durability::None)?;
        }
        let outcome = work(&mut transaction.open_table(BLOBS)?)?;
        transaction.commit()?;
        Ok(outcome)
    }
}

#[async_trait]
impl Contender for Redb {
    fn name(&self) -> &'static str {
        match self.place {
            Place::Hop => "redb, one hop",
            Place::Inline => "redb, inline (blocks)",
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "nothing: up to 63 writes are lost when the process is killed",
            survives: Survives::Nothing,
            verification: "nothing",
            processes: "one process",
            in_memory: false,
        }
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        self.run(key, move |shared, key| {
            shared.write(|table| {
                table.insert(key, &body[..])?;
                Ok(())
            })
        })
        .await
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        self.run(key, |shared, key| {
            let table = shared.database.begin_read()?.open_table(BLOBS)?;
            Ok(table.get(key)?.map(|body| Bytes::copy_from_slice(body.value())))
        })
        .await
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        self.run(key, |shared, key| Ok(shared.database.begin_read()?.open_table(BLOBS)?.get(key)?.is_some()))
            .await
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        self.run(key, |shared, key| shared.write(|table| Ok(table.remove(key)?.is_some()))).await
    }
}
