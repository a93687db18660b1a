//! What one redirect index does, on its own.

pub(crate) mod deleting;
pub(crate) mod listing;
pub(crate) mod writing;
