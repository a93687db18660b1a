//! What one response store does, on its own.

pub(crate) mod bodies;
pub(crate) mod deleting;
pub(crate) mod expiry;
pub(crate) mod heads;
pub(crate) mod keys;
pub(crate) mod listing;
pub(crate) mod revisions;
pub(crate) mod stats;
pub(crate) mod writing;
