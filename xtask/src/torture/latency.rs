//! How long something took, many times: told apart to a tenth of a percent, in memory that does not grow with them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Counts of durations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Latencies(Histogram<u64>);

impl Latencies {
    /// Returns none.
    pub(super) fn new() -> Self {
        Self(Histogram::new(3).expect("three digits can be had"))
    }

    /// Counts one.
    pub(super) fn add(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.record(nanos).expect("it grows to any length");
    }

    /// Counts all of `other` too.
    pub(super) fn merge(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// Returns how many were counted.
    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    /// Returns the longest.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_nanos(self.0.max())
    }

    /// Returns what so many in a hundred did not exceed.
    pub(super) fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_percentile(percent))
    }

    /// Returns the numbers for a person to read.
    pub(super) fn summary(&self) -> String {
        let [half, most, longest] = [self.percentile(50.0), self.percentile(99.0), self.longest()];
        format!("p50 {half:.1?}, p99 {most:.1?}, longest {longest:.1?} of {}", self.count())
    }
}

/// One line for another process to read.
impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "latencies")?;
        for step in self.0.iter_recorded() {
            write!(f, " {}={}", step.value_iterated_to(), step.count_at_value())?;
        }
        Ok(())
    }
}

impl FromStr for Latencies {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut latencies = Self::new();
            for word in line.strip_prefix("latencies")?.split_whitespace() {
                let (nanos, count) = word.split_once('=')?;
                latencies.0.record_n(nanos.parse().ok()?, count.parse().ok()?).ok()?;
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
    fn quantiles_are_those_of_what_was_counted_and_a_line_is_read_back() {
        let mut latencies = Latencies::new();
        for micros in 1..=1000 {
            latencies.add(Duration::from_micros(micros));
        }
        for (percent, micros) in [(50.0, 500), (99.0, 990), (100.0, 1000)] {
            let found = latencies.percentile(percent);
            let expected = Duration::from_micros(micros);
            assert!(found >= expected && found <= expected.mul_f64(1.01), "{percent}: {found:?}");
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
