//! What one redirect index does, on its own.

pub(crate) mod writing;
