//! The groups of rows, one module each: every row of the targets is in one of them.

mod client;
mod limits;
mod lookup;
mod memory;
mod mix;
mod read;
mod scale;
mod stream;
mod write;

use clap::ValueEnum;
use larder_core::BoxError;

use super::stage::Stage;

/// A group of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// Warm hits, 1 KiB to 16 MiB
    Read,
    /// New entries and replaced ones, 1 KiB to 1 MiB
    Write,
    /// `contains`, misses and redirects
    Lookup,
    /// Hits through whole clients
    Client,
    /// Hits in memory
    Memory,
    /// Zipf and uniform keys, read-only, 95 to 5 and write-only, at 100,000 entries
    Mix,
    /// 2 GiB through the client, and how much memory that takes
    Stream,
    /// 1,000 to 1,000,000 entries: hits, writes, opening, listing, purging, clearing, memory
    Scale,
}

impl Group {
    /// The groups that are measured when none is named; that of a million entries is not.
    pub(crate) const DEFAULT: [Self; 7] =
        [Self::Read, Self::Write, Self::Lookup, Self::Client, Self::Memory, Self::Mix, Self::Stream];

    /// Measures the group, and adds its rows.
    ///
    /// # Errors
    ///
    /// When it cannot be prepared.
    pub(crate) fn run(self, stage: &mut Stage) -> Result<(), BoxError> {
        match self {
            Self::Read => read::run(stage),
            Self::Write => write::run(stage),
            Self::Lookup => lookup::run(stage),
            Self::Client => client::run(stage),
            Self::Memory => memory::run(stage),
            Self::Mix => mix::run(stage),
            Self::Stream => stream::run(stage),
            Self::Scale => scale::run(stage),
        }
    }
}

/// Returns how many tasks as a table says it.
fn tasks_shown(tasks: usize) -> String {
    if tasks == 1 { "1 task".into() } else { format!("{tasks} tasks") }
}
