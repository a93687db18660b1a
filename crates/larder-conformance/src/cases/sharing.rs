//! What holds when the same place is open twice, as it is for two processes.

pub(crate) mod aliases;
pub(crate) mod entries;
