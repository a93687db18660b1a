//! The commands, one file each.
//!
//! Each opens the cache, works, closes it, and says how it ended.

pub(crate) mod clear;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod get;
pub(crate) mod ls;
pub(crate) mod path;
pub(crate) mod proxy;
pub(crate) mod prune;
pub(crate) mod rm;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod verify;
