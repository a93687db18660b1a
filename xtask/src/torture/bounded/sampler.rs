//! The sampler: adds up, again and again, how long the files of all entries are.
//!
//! A sum is not taken at one instant, and may count an entry together with what came in its place. One that is too
//! high is therefore taken again, of those alone that are still there: all of them were there at one time.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytesize::ByteSize;

use super::Bounds;
use crate::Outcome;

/// How often a sample is taken.
const EVERY: Duration = Duration::from_millis(10);

/// A thread that samples until it is stopped.
pub(super) struct Sampler {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Sampled>>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    samples: u64,
    looked_again: u64,
    most: Sum,
    /// The longest file.
    longest: u64,
    /// The longest time from the beginning of one sample to that of the next.
    widest: Duration,
}

/// Entries, and the bytes of their files.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    entries: u64,
    bytes: u64,
}

impl Sampler {
    /// Starts to sample `directory`.
    pub(super) fn start(directory: PathBuf, limits: Bounds) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut sampled = Sampled::default();
            let mut previous: Option<Instant> = None;
            while !told.load(Ordering::Relaxed) {
                let start = Instant::now();
                sampled.widest = sampled.widest.max(previous.map_or(Duration::ZERO, |before| start - before));
                previous = Some(start);
                sampled.add(&directory, limits)?;
                std::thread::sleep(EVERY.saturating_sub(start.elapsed()));
            }
            Ok(sampled)
        });
        Self { is_over, thread }
    }

    /// Stops, and returns what was seen.
    pub(super) fn stop(self) -> Outcome<Sampled> {
        self.is_over.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| "the sampler has panicked")??)
    }
}

impl Sampled {
    fn add(&mut self, directory: &PathBuf, limits: Bounds) -> io::Result<()> {
        self.samples += 1;
        let mut files = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            match entry.metadata() {
                Ok(metadata) => files.push((entry.file_name(), metadata.len())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if !is_within(limits, sum(&files), Sum::default()) {
            self.looked_again += 1;
            files.retain(|(name, _)| fs::symlink_metadata(directory.join(name)).is_ok());
        }
        let sum = sum(&files);
        self.most.bytes = self.most.bytes.max(sum.bytes);
        self.most.entries = self.most.entries.max(sum.entries);
        self.longest = files.iter().map(|(_, len)| *len).fold(self.longest, u64::max);
        Ok(())
    }

    /// Compares the most that was seen with the limits.
    ///
    /// # Errors
    ///
    /// When it is more than they and one entry of each writer.
    pub(super) fn check(&self, limits: Bounds, writers: u64) -> Outcome {
        let in_flight = Sum { entries: writers, bytes: writers * self.longest };
        if self.samples == 0 || self.most.entries == 0 {
            return Err("the sampler has seen nothing".into());
        }
        if is_within(limits, self.most, in_flight) {
            return Ok(());
        }
        Err(format!("{:?} are above the limit of {limits} and what is in flight, {in_flight:?}", self.most)
            .into())
    }
}

fn sum(files: &[(std::ffi::OsString, u64)]) -> Sum {
    Sum { entries: files.len() as u64, bytes: files.iter().map(|(_, len)| len).sum() }
}

fn is_within(limits: Bounds, sum: Sum, in_flight: Sum) -> bool {
    limits.max_total_bytes.is_none_or(|most| sum.bytes <= most.as_u64() + in_flight.bytes)
        && limits.max_entries.is_none_or(|most| sum.entries <= most + in_flight.entries)
}

impl fmt::Display for Sampled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sum { entries, bytes } = self.most;
        write!(
            f,
            "{} samples, at most {:.1?} apart, {} of them looked at twice: at most {} ({bytes} bytes) and \
             {entries} entries, the longest of {}",
            self.samples,
            self.widest,
            self.looked_again,
            ByteSize(bytes),
            ByteSize(self.longest),
        )
    }
}
