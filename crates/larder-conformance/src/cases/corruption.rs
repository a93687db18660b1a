//! What holds when the stored bytes are not what was written.

pub(crate) mod aliases;
pub(crate) mod entries;
