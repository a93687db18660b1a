//! A row of the benchmark: what was measured, of whom, and whether it is what was aimed at.

use super::measure::Measured;
use super::statistics::{Ratio, float, median};
use crate::Terms;

/// The lane of plain system calls.
pub(crate) const LIMIT: &str = "limit";
/// The lane that goals are about, unless a row says otherwise.
pub(crate) const LARDER: &str = "larder";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Bytes,
}

impl Unit {
    /// Returns `value` as a table shows it.
    pub(crate) fn shown(self, value: f64) -> String {
        let (steps, names): (f64, &[&str]) = match self {
            Self::Nanoseconds => (1000.0, &["ns", "µs", "ms", "s"]),
            Self::Bytes => (1024.0, &["B", "KiB", "MiB", "GiB"]),
        };
        let mut value = value;
        let mut at = 0;
        // What would be rounded to a thousand is one of the next.
        while value >= steps - 0.5 && at + 1 < names.len() {
            value /= steps;
            at += 1;
        }
        let name = names[at];
        match value {
            ..10.0 if at > 0 => format!("{value:.2} {name}"),
            ..100.0 if at > 0 => format!("{value:.1} {name}"),
            _ => format!("{value:.0} {name}"),
        }
    }
}

/// What a row aims at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// At most so many times the cost of another lane.
    Times { of: &'static str, most: f64 },
    /// At most so much.
    Most(f64),
    /// At least so many times faster than each lane whose name begins like this.
    Faster { than: &'static str, least: f64 },
    /// Faster than each peer that is not in memory only.
    FasterThanPeersOnDisk,
    /// Faster than each peer of whose writes at least as much is left.
    FasterThanPeersAsSafe,
}

/// Whether a goal is reached.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) goal: String,
    pub(crate) measured: String,
    /// `None` when what it is compared with was not measured.
    pub(crate) met: Option<bool>,
}

/// A contender that is faster than the subject of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loss<'a> {
    pub(crate) to: &'a str,
    /// How many times as much the subject costs.
    pub(crate) times: Ratio,
    /// Whether at least as much is left of its writes.
    pub(crate) is_as_safe: bool,
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    /// The table that it is in: what was done, by how many tasks.
    pub(crate) table: String,
    /// Its column there: how large the entries are, or how many.
    pub(crate) column: String,
    pub(crate) unit: Unit,
    /// What varies along the columns, as a number.
    pub(crate) at: f64,
    /// Whom the goals are about.
    pub(crate) subject: &'static str,
    pub(crate) goals: Vec<Goal>,
    pub(crate) lanes: Vec<Measured>,
}

impl Row {
    /// Returns a row of times.
    pub(crate) fn new(
        group: &'static str,
        table: impl Into<String>,
        column: impl Into<String>,
        lanes: Vec<Measured>,
    ) -> Self {
        Self {
            group,
            table: table.into(),
            column: column.into(),
            unit: Unit::Nanoseconds,
            at: 0.0,
            subject: LARDER,
            goals: Vec::new(),
            lanes,
        }
    }

    /// Sets where the row is along its axis.
    pub(crate) fn at(mut self, at: usize) -> Self {
        self.at = float(at);
        self
    }

    /// Sets what is counted.
    pub(crate) fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Sets whom the goals are about.
    pub(crate) fn subject(mut self, subject: &'static str) -> Self {
        self.subject = subject;
        self
    }

    /// Sets what is aimed at.
    pub(crate) fn goals(mut self, goals: impl IntoIterator<Item = Goal>) -> Self {
        self.goals = goals.into_iter().collect();
        self
    }

    /// Returns the lane called `name`, if it has been measured.
    pub(crate) fn lane(&self, name: &str) -> Option<&Measured> {
        self.lanes.iter().find(|lane| lane.name == name && !lane.rounds.is_empty() && lane.failure.is_none())
    }

    /// Returns the ratio of a lane to another.
    pub(crate) fn ratio(&self, name: &str, base: &str) -> Option<Ratio> {
        Ratio::of(&self.lane(name)?.rounds, &self.lane(base)?.rounds)
    }

    /// Returns whether each goal is reached.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.goals.iter().map(|goal| self.verdict(*goal)).collect()
    }

    fn verdict(&self, goal: Goal) -> Verdict {
        let shown = |value| self.unit.shown(value);
        let times = |ratio: &Ratio| format!("{:.2}x ({:.2}–{:.2})", ratio.median, ratio.p10, ratio.p90);
        let verdict = |goal, measured: Option<(String, bool)>| {
            let (measured, met) = measured.map_or((String::new(), None), |(text, met)| (text, Some(met)));
            Verdict { goal, measured, met }
        };
        match goal {
            Goal::Times { of, most } => {
                let ratio = self.ratio(self.subject, of);
                verdict(
                    format!("<= {}x {of}", (most * 100.0).round() / 100.0),
                    ratio.map(|ratio| (times(&ratio), ratio.median <= most)),
                )
            }
            Goal::Most(most) => {
                let cost = self.lane(self.subject).and_then(|lane| median(&lane.rounds));
                verdict(format!("<= {}", shown(most)), cost.map(|cost| (shown(cost), cost <= most)))
            }
            Goal::Faster { than, least } => {
                let rivals = self.lanes.iter().filter(|lane| lane.name.starts_with(than));
                let slowest = rivals.filter_map(|lane| self.ratio(&lane.name, self.subject));
                let least_ratio = slowest.min_by(|a, b| a.median.total_cmp(&b.median));
                let goal = match least {
                    1.0 => format!("faster than {than}"),
                    _ => format!(">= {least}x faster than {than}"),
                };
                verdict(goal, least_ratio.map(|ratio| (times(&ratio), ratio.median >= least)))
            }
            Goal::FasterThanPeersOnDisk => {
                let nearest = self.nearest_peer(|terms| !terms.in_memory);
                verdict("faster than every peer on the disk".into(), nearest)
            }
            Goal::FasterThanPeersAsSafe => {
                let nearest = self.nearest_peer(|terms| self.is_as_safe(terms));
                verdict("faster than every peer that is at least as safe".into(), nearest)
            }
        }
    }

    /// Returns who is faster, the first of them the most, and by how much.
    pub(crate) fn losses(&self) -> Vec<Loss<'_>> {
        let rivals = self.peers().filter_map(|lane| {
            let times = self.ratio(self.subject, &lane.name)?;
            let is_as_safe = lane.terms.as_ref().is_some_and(|terms| self.is_as_safe(terms));
            Some(Loss { to: &lane.name, times, is_as_safe })
        });
        let mut losses: Vec<_> = rivals.filter(|loss| loss.times.median > 1.0).collect();
        losses.sort_by(|a, b| b.times.median.total_cmp(&a.times.median));
        losses
    }

    /// Returns whether anybody else was measured.
    pub(crate) fn has_peers(&self) -> bool {
        self.peers().any(|lane| !lane.rounds.is_empty())
    }

    /// Returns the contenders of others.
    fn peers(&self) -> impl Iterator<Item = &Measured> {
        self.lanes.iter().filter(|lane| !lane.name.starts_with(LIMIT) && !lane.name.starts_with(LARDER))
    }

    /// Returns whether at least as much is left of a write as of one of the subject.
    fn is_as_safe(&self, terms: &Terms) -> bool {
        let subject = self.lane(self.subject).and_then(|lane| lane.terms);
        subject.is_none_or(|subject| terms.survives >= subject.survives)
    }

    /// Returns how the peer of such terms that is nearest to the subject compares, and whether it is slower.
    fn nearest_peer(&self, is_rival: impl Fn(&Terms) -> bool) -> Option<(String, bool)> {
        let rivals = self.peers().filter(|lane| lane.terms.as_ref().is_some_and(&is_rival));
        let ratios = rivals.filter_map(|lane| Some((&lane.name, self.ratio(&lane.name, self.subject)?)));
        let (name, Ratio { median, p10, p90 }) =
            ratios.min_by(|(_, a), (_, b)| a.median.total_cmp(&b.median))?;
        Some((format!("{median:.2}x ({p10:.2}–{p90:.2}), the nearest is {name}"), median > 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Survives;
    use crate::larder::FILE_TERMS;

    fn row() -> Row {
        let lanes = vec![
            Measured::of(LIMIT, vec![10.0, 10.0, 10.0]),
            Measured::of(LARDER, vec![15.0, 14.0, 40.0]),
            Measured::of("other, fast", vec![30.0, 28.0, 80.0]),
            Measured::of("other, slow", vec![300.0, 280.0, 800.0]),
            Measured::failed("broken", "it is"),
        ];
        Row::new("read", "read", "1 KiB", lanes)
    }

    #[test]
    fn a_goal_is_met_missed_or_not_measured() {
        for (goal, met) in [
            (Goal::Times { of: LIMIT, most: 1.5 }, Some(true)),
            (Goal::Times { of: LIMIT, most: 1.4 }, Some(false)),
            (Goal::Times { of: "absent", most: 1.4 }, None),
            (Goal::Times { of: "broken", most: 1.4 }, None),
            (Goal::Most(20.0), Some(true)),
            (Goal::Most(10.0), Some(false)),
            (Goal::Faster { than: "other", least: 2.0 }, Some(true)),
            (Goal::Faster { than: "other", least: 3.0 }, Some(false)),
            (Goal::Faster { than: "another", least: 3.0 }, None),
        ] {
            assert_eq!(row().verdict(goal).met, met, "{goal:?}");
        }
    }

    #[test]
    fn who_is_faster_is_named_with_what_is_left_of_its_writes() {
        let of = |name: &str, rounds: [f64; 2], survives| {
            let mut lane = Measured::of(name, rounds.to_vec());
            lane.terms = Some(Terms { survives, ..FILE_TERMS });
            lane
        };
        let lanes = vec![
            of(LIMIT, [1.0, 1.0], Survives::Torn),
            of(LARDER, [10.0, 10.0], Survives::Whole),
            of("torn", [2.0, 2.0], Survives::Torn),
            of("safe", [5.0, 5.0], Survives::PowerLoss),
            of("slow", [11.0, 11.0], Survives::PowerLoss),
        ];
        let row = Row::new("write", "write", "1 KiB", lanes);
        let losses: Vec<_> =
            row.losses().iter().map(|loss| (loss.to, loss.times.median, loss.is_as_safe)).collect();
        assert_eq!(losses, [("torn", 5.0, false), ("safe", 2.0, true)]);
        assert_eq!(row.verdict(Goal::FasterThanPeersAsSafe).met, Some(false));
    }

    #[test]
    fn values_are_shown_with_three_digits() {
        for (value, shown) in [(4.0, "4 ns"), (1234.0, "1.23 µs"), (999.7, "1.00 µs"), (56_700.0, "56.7 µs")]
        {
            assert_eq!(Unit::Nanoseconds.shown(value), shown);
        }
        assert_eq!(Unit::Bytes.shown(64.0 * 1024.0 * 1024.0), "64.0 MiB");
    }
}
