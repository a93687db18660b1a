//! The command, run as a process on caches that were filled through the library.

mod damage;
mod entries;
mod generated;
mod get;
mod origin;
mod pipes;
#[cfg(unix)]
mod proxy;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
mod usage;
