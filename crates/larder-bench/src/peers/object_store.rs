//! `object_store`'s local file system: an object is a file, published by a rename.
//!
//! Its default does not flush; neither do the others that are compared with it.

use std::path::Path as Directory;

use ::object_store::local::LocalFileSystem;
use ::object_store::path::Path;
use ::object_store::{Error, ObjectStore, ObjectStoreExt};
use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};

use crate::contender::{Contender, Survives, Terms};

/// A directory of objects.
pub(super) struct Local {
    store: Box<dyn ObjectStore>,
}

impl Local {
    pub(super) fn open(directory: &Directory) -> Result<Self, BoxError> {
        Ok(Self { store: Box::new(LocalFileSystem::new_with_prefix(directory)?) })
    }
}

#[async_trait]
impl Contender for Local {
    fn name(&self) -> &'static str {
        "object_store, LocalFileSystem"
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "the process's end; a power loss may tear it",
            survives: Survives::Torn,
            verification: "nothing",
            processes: "many processes",
            in_memory: false,
        }
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        self.store.put(&Path::from(key.as_str()), body.into()).await?;
        Ok(())
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        match self.store.get(&Path::from(key.as_str())).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        match self.store.head(&Path::from(key.as_str())).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        match self.store.delete(&Path::from(key.as_str())).await {
            Ok(()) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
