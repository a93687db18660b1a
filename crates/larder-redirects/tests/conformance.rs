//! The contract of a redirect index, case by case, at every durability and with a single connection.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use larder_conformance::{Fixture, Instance};
use larder_core::{BoxError, Durability, async_trait};
use larder_redirects::SqliteRedirects;
use tempfile::TempDir;

/// A directory with an index in it.
struct Place {
    directory: TempDir,
    durability: Durability,
    max_connections: usize,
}

impl Place {
    fn new(durability: Durability, max_connections: usize) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self { directory, durability, max_connections }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("redirects.sqlite")
    }
}

#[async_trait]
impl Fixture for Place {
    async fn open(&self) -> Result<Instance, BoxError> {
        let index = SqliteRedirects::builder(self.path())
            .durability(self.durability)
            .max_connections(self.max_connections)
            .open()
            .await?;
        Ok(Instance::redirects_only(Arc::new(index)))
    }

    async fn damage_index(&self) -> Result<(), BoxError> {
        for suffix in ["", "-wal", "-shm"] {
            let path = self.directory.path().join(format!("redirects.sqlite{suffix}"));
            if let Ok(metadata) = fs::metadata(&path) {
                fs::write(path, vec![0xa5; usize::try_from(metadata.len())?])?;
            }
        }
        Ok(())
    }
}

mod relaxed {
    use super::{Durability, Place};
    larder_conformance::backend_tests! {
        fixture: || Place::new(Durability::Relaxed, 4),
        skip: [responses: "this crate is an index alone"],
    }
}

mod durable {
    use super::{Durability, Place};
    larder_conformance::backend_tests! {
        fixture: || Place::new(Durability::Durable, 4),
        skip: [responses: "this crate is an index alone"],
    }
}

mod one_connection {
    use super::{Durability, Place};
    larder_conformance::backend_tests! {
        fixture: || Place::new(Durability::Ordered, 1),
        skip: [responses: "this crate is an index alone"],
    }
}
