//! What one response store does, on its own.

pub(crate) mod bodies;
