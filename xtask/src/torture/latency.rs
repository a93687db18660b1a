//! How long something took, many times: counts by length, in memory that does not grow with them.
//!
//! Lengths are told apart to 3 %; the longest is kept as it is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Each power of two is divided into so many, as a power of two.
const PARTS: u32 = 5;
const BUCKETS: usize = (64 - PARTS as usize + 1) << PARTS;

/// Counts of durations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Latencies {
    counts: Vec<u64>,
    longest: Duration,
}

impl Latencies {
    /// Returns none.
    pub(super) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], longest: Duration::ZERO }
    }

    /// Counts one.
    pub(super) fn add(&mut self, duration: Duration) {
        self.counts[bucket(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))] += 1;
        self.longest = self.longest.max(duration);
    }

    /// Counts all of `other` too.
    pub(super) fn merge(&mut self, other: &Self) {
        for (count, others) in self.counts.iter_mut().zip(&other.counts) {
            *count += others;
        }
        self.longest = self.longest.max(other.longest);
    }

    /// Returns how many were counted.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the longest.
    pub(super) fn longest(&self) -> Duration {
        self.longest
    }

    /// Returns what so many in a thousand did not exceed.
    pub(super) fn quantile(&self, per_mille: u64) -> Duration {
        let wanted = (self.count() * per_mille).div_ceil(1000);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map_or(self.longest, |bucket| Duration::from_nanos(end_of(bucket)).min(self.longest))
    }

    /// Returns the numbers for a person to read.
    pub(super) fn summary(&self) -> String {
        let [half, most, longest] = [self.quantile(500), self.quantile(990), self.longest];
        format!("p50 {half:.1?}, p99 {most:.1?}, longest {longest:.1?} of {}", self.count())
    }
}

fn bucket(nanos: u64) -> usize {
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(PARTS + 1);
    // The highest bits, of which the first is a one if anything was shifted out.
    let highest = usize::try_from(nanos >> shift).expect("below 64");
    ((shift as usize) << PARTS) + highest
}

/// Returns the longest that is counted there.
fn end_of(bucket: usize) -> u64 {
    let shift = (bucket >> PARTS).saturating_sub(1);
    let highest = (bucket - (shift << PARTS)) as u64;
    (highest << shift) + ((1 << shift) - 1)
}

/// One line for another process to read.
impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.longest.as_nanos())?;
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            write!(f, " {bucket}={count}")?;
        }
        Ok(())
    }
}

impl FromStr for Latencies {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut latencies = Self::new();
            let mut words = line.split(' ');
            latencies.longest = Duration::from_nanos(words.next()?.parse().ok()?);
            for word in words {
                let (bucket, count) = word.split_once('=')?;
                *latencies.counts.get_mut(bucket.parse::<usize>().ok()?)? = count.parse().ok()?;
            }
            Some(latencies)
        };
        parse().ok_or_else(|| format!("no latencies: {line:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_is_counted_where_it_belongs() {
        for nanos in
            (0..5000).chain((13..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, 1 << bit | 1 << (bit - 1)]))
        {
            let end = end_of(bucket(nanos));
            assert!(end >= nanos && end - nanos <= nanos / 32, "{nanos} is counted as {end}");
        }
        assert_eq!((bucket(u64::MAX), end_of(BUCKETS - 1)), (BUCKETS - 1, u64::MAX));
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted_and_a_line_is_read_back() {
        let mut latencies = Latencies::new();
        for micros in 1..=1000 {
            latencies.add(Duration::from_micros(micros));
        }
        for (per_mille, micros) in [(500, 500), (990, 990), (1000, 1000)] {
            let found = latencies.quantile(per_mille);
            let expected = Duration::from_micros(micros);
            assert!(found >= expected && found <= expected.mul_f64(1.04), "{per_mille}: {found:?}");
        }
        assert_eq!(latencies.to_string().parse(), Ok(latencies.clone()));
        let twice = {
            let mut twice = latencies.clone();
            twice.merge(&latencies);
            twice
        };
        assert_eq!((twice.count(), twice.longest()), (2000, latencies.longest()));
        assert!("".parse::<Latencies>().is_err());
    }
}
