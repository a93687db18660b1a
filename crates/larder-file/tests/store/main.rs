//! The file store beyond its contract: damage, strange directories, the format, faults, and what
//! is read without waiting.

#[cfg(all(target_os = "linux", feature = "fault-injection"))]
mod cached;
mod corruption;
mod directory;
#[cfg(feature = "fault-injection")]
mod faults;
mod format;
mod limits;
#[cfg(feature = "fault-injection")]
mod limits_faults;
mod limits_shared;
mod support;
