//! What a store and an index do together, as a `CacheBackend`.

pub(crate) mod deleting;
pub(crate) mod listing;
pub(crate) mod lookup;
pub(crate) mod saving;
mod spies;
