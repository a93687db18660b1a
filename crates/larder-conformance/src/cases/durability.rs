//! What is there when the place is opened again.

pub(crate) mod aliases;
pub(crate) mod entries;
