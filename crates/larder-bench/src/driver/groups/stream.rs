//! A body of 2 GiB through the client to the store, and back, each in a process of its own, for its peak memory.

use larder_core::BoxError;

use crate::driver::child::{self, Child};
use crate::driver::measure::Measured;
use crate::driver::row::{Goal, LIMIT, Row, Unit};
use crate::driver::stage::Stage;

const GIB: u64 = 1 << 30;

/// Measures the group.
///
/// # Errors
///
/// When a process cannot be started or fails.
pub(crate) fn run(stage: &mut Stage) -> Result<(), BoxError> {
    let bytes = if stage.arguments.quick { GIB / 4 } else { 2 * GIB };
    let rounds = if stage.arguments.quick { 1 } else { 3 };
    let directory = stage.own()?;
    let column = Unit::Bytes.shown(crate::driver::statistics::float(usize::try_from(bytes)?));
    for (table, copy, larder, most) in [
        ("stream to the store", Child::CopyIn, Child::StreamIn, 1.0 / 0.7),
        ("stream from the store", Child::CopyOut, Child::StreamOut, 1.4),
    ] {
        let mut peaks = vec![Vec::new(), Vec::new()];
        let mut times_taken = vec![Vec::new(), Vec::new()];
        eprintln!("{table}");
        for _ in 0..rounds {
            for (lane, child) in [copy, larder].into_iter().enumerate() {
                let report = child::run(child, directory.path(), bytes)?;
                times_taken[lane].push(report.nanoseconds);
                peaks[lane].push(report.bytes);
            }
        }
        let lanes = |values: Vec<Vec<f64>>| -> Vec<Measured> {
            let named = [LIMIT, "larder"].into_iter().zip(values);
            named.map(|(name, rounds)| Measured::of(name, rounds)).collect()
        };
        let row = Row::new("stream", format!("{table}, time"), &column, lanes(times_taken));
        stage.rows.push(row.goals([Goal::Times { of: LIMIT, most }]));
        let row = Row::new("stream", format!("{table}, peak memory"), &column, lanes(peaks));
        stage.rows.push(row.unit(Unit::Bytes).goals([Goal::Most(64.0 * 1024.0 * 1024.0)]));
    }
    Ok(())
}
