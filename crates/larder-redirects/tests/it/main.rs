//! What the contract leaves to this index: files, recovery, migrations, locks, processes, sizes.
//!
//! The contract itself is tested by `larder-conformance`, in `tests/conformance.rs`.

mod bulk;
mod lifecycle;
mod locked;
#[cfg(unix)]
mod obstacles;
#[cfg(unix)]
mod permissions;
mod place;
mod processes;
mod recovery;
mod versions;
