//! What holds while several tasks use one instance.

pub(crate) mod aliases;
pub(crate) mod entries;
