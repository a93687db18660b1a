//! What a backend's author writes for the suite: a place to store in, and how to open it.
//!
//! A fixture is made anew for each case and stands for one empty place (a directory, a key prefix, a bucket).
//! Everything that the suite knows about sharing and durability it does by opening that place again.

use std::sync::Arc;

use larder_core::{BoxError, CacheKey, RedirectIndex, ResponseStore, async_trait};

/// A place to store in, empty when it is made, and gone when it is dropped.
///
/// Implement [`open`](Fixture::open); the other methods are for the cases of
/// [`Capability::Corruption`](crate::Capability::Corruption), and a fixture that leaves them out skips it.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use larder_conformance::{Fixture, Instance};
/// use larder_core::{BoxError, async_trait};
/// use larder_memory::{MemoryRedirects, MemoryStore};
///
/// struct Memory;
///
/// #[async_trait]
/// impl Fixture for Memory {
///     async fn open(&self) -> Result<Instance, BoxError> {
///         Ok(Instance::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new())))
///     }
/// }
/// ```
#[async_trait]
pub trait Fixture: Send + Sync + 'static {
    /// Opens the place.
    ///
    /// Every case calls it once. Cases of [`Capability::Sharing`](crate::Capability::Sharing) call it again
    /// while the first instance is in use, as another process would; those of
    /// [`Capability::Durability`](crate::Capability::Durability) after the first one was closed or dropped.
    ///
    /// # Errors
    ///
    /// Any; the case then fails with it.
    async fn open(&self) -> Result<Instance, BoxError>;

    /// Returns the bytes that the place holds for the entry under `key`, as they are stored.
    ///
    /// # Errors
    ///
    /// Any; the case then fails with it. The default always fails.
    async fn stored_entry(&self, key: &CacheKey) -> Result<Vec<u8>, BoxError> {
        Err(format!("this fixture cannot tell the stored bytes of {key}").into())
    }

    /// Puts `bytes` in the place of what is stored for the entry under `key`, behind the store's back.
    ///
    /// It is called while an instance is open. What the store remembers of the entry outside of the place (a
    /// cache of its own, say) must be forgotten.
    ///
    /// # Errors
    ///
    /// Any; the case then fails with it. The default always fails.
    async fn set_stored_entry(&self, key: &CacheKey, bytes: Vec<u8>) -> Result<(), BoxError> {
        Err(format!("this fixture cannot put {} bytes in the place of {key}", bytes.len()).into())
    }

    /// Overwrites the whole of the redirect index with bytes that mean nothing, behind the index's back.
    ///
    /// It is called while no instance is open.
    ///
    /// # Errors
    ///
    /// Any; the case then fails with it. The default always fails.
    async fn damage_index(&self) -> Result<(), BoxError> {
        Err("this fixture cannot damage its redirect index".into())
    }
}

/// What [`Fixture::open`] returns: a response store, a redirect index, or both.
#[derive(Debug, Clone)]
pub struct Instance {
    responses: Option<Arc<dyn ResponseStore>>,
    redirects: Option<Arc<dyn RedirectIndex>>,
}

impl Instance {
    /// Returns an instance of both parts.
    #[must_use]
    pub fn new(responses: Arc<dyn ResponseStore>, redirects: Arc<dyn RedirectIndex>) -> Self {
        Self { responses: Some(responses), redirects: Some(redirects) }
    }

    /// Returns an instance without a redirect index; skip [`Capability::Redirects`](crate::Capability::Redirects).
    #[must_use]
    pub fn responses_only(responses: Arc<dyn ResponseStore>) -> Self {
        Self { responses: Some(responses), redirects: None }
    }

    /// Returns an instance without a store; skip [`Capability::Responses`](crate::Capability::Responses).
    #[must_use]
    pub fn redirects_only(redirects: Arc<dyn RedirectIndex>) -> Self {
        Self { responses: None, redirects: Some(redirects) }
    }

    /// Returns the response store, if there is one.
    #[must_use]
    pub fn responses(&self) -> Option<&Arc<dyn ResponseStore>> {
        self.responses.as_ref()
    }

    /// Returns the redirect index, if there is one.
    #[must_use]
    pub fn redirects(&self) -> Option<&Arc<dyn RedirectIndex>> {
        self.redirects.as_ref()
    }
}
