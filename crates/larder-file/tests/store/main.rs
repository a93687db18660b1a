//! The file store beyond its contract: damage, strange directories, the format, faults.

mod corruption;
mod directory;
#[cfg(feature = "fault-injection")]
mod faults;
mod format;
mod support;
