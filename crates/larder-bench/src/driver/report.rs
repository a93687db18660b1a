//! What was measured, as Markdown for `docs/benchmarks.md` and as JSON with every round.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::machine::Machine;
use super::measure::Measured;
use super::row::{LARDER, LIMIT, Loss, Row, Unit};
use super::statistics::{Ratio, median};
use crate::Terms;

/// Returns every table: the goals, what each contender promises, and the numbers.
pub(crate) fn markdown(machine: &Machine, rows: &[Row]) -> String {
    let mut text = format!("{machine}\n");
    for part in [goals(rows), losses(rows), numbers(rows), latencies(rows), terms(rows), failures(rows)] {
        if !part.is_empty() {
            let _ = write!(text, "\n{part}");
        }
    }
    text
}

/// Returns a line for each goal.
fn goals(rows: &[Row]) -> String {
    let mut lines = Vec::new();
    let mut unknown = 0;
    for row in rows {
        for verdict in row.verdicts() {
            let met = match verdict.met {
                Some(true) => "met",
                Some(false) => "**missed**",
                None => {
                    unknown += 1;
                    continue;
                }
            };
            let what = [row.table.as_str(), row.column.as_str()].join(", ");
            lines.push(format!("| {what} | {} | {} | {met} |", verdict.goal, verdict.measured));
        }
    }
    let mut text = String::new();
    if !lines.is_empty() {
        text = format!(
            "### Targets\n\n| row | target | measured | |\n|---|---|---|---|\n{}\n",
            lines.join("\n")
        );
    }
    if unknown > 0 {
        let _ = writeln!(text, "\n{unknown} targets are about contenders that were not measured.");
    }
    text
}

/// Returns a line for each contender that is faster than larder, those first that are at least as safe.
fn losses(rows: &[Row]) -> String {
    let compared = rows.iter().filter(|row| row.has_peers()).count();
    if compared == 0 {
        return String::new();
    }
    let (mut lines, mut less_safe) = (Vec::new(), Vec::new());
    for row in rows {
        for Loss { to, times: Ratio { median, p10, p90 }, is_as_safe } in row.losses() {
            let (lines, left) =
                if is_as_safe { (&mut lines, "at least as much") } else { (&mut less_safe, "less") };
            let what = [row.table.as_str(), row.column.as_str()].join(", ");
            let times = format!("{} ({}–{})", times(median) + "x", times(p10), times(p90));
            lines.push(format!("| {what} | {to} | {times} | {left} |"));
        }
    }
    lines.append(&mut less_safe);
    let mut text = String::from("### What larder loses\n\n");
    if lines.is_empty() {
        let _ = writeln!(text, "Nobody else is faster in any of {compared} rows.");
    } else {
        let head = "| row | faster | cost of larder | what is left of its writes |\n|---|---|---:|---|";
        let _ = writeln!(text, "{head}\n{}", lines.join("\n"));
    }
    text
}

/// Returns a table for each name of one: a line for each contender, a column for each row.
fn numbers(rows: &[Row]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.table.as_str()) {
            names.push(&row.table);
        }
    }
    let tables: Vec<String> = names
        .into_iter()
        .map(|name| table(name, &rows.iter().filter(|row| row.table == name).collect::<Vec<_>>()))
        .collect();
    tables.join("\n")
}

fn table(name: &str, rows: &[&Row]) -> String {
    let mut text = format!("### {}\n\n| |", capitalised(name));
    for row in rows {
        let _ = write!(text, " {} |", row.column);
    }
    let _ = write!(text, "\n|---|{}\n", "---:|".repeat(rows.len()));
    for lane in lanes(rows) {
        let _ = write!(text, "| {lane} |");
        for row in rows {
            let _ = write!(text, " {} |", cell(row, lane));
        }
        text.push('\n');
    }
    text
}

/// Returns the names of the contenders of `rows`, in the order of their first row.
fn lanes<'a>(rows: &[&'a Row]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for lane in rows.iter().flat_map(|row| &row.lanes) {
        if !names.contains(&lane.name.as_str()) {
            names.push(&lane.name);
        }
    }
    names
}

/// Returns the median of a contender, and its ratio to the limit with the spread.
fn cell(row: &Row, name: &str) -> String {
    let Some(lane) = row.lanes.iter().find(|lane| lane.name == name) else { return String::new() };
    if lane.failure.is_some() {
        return "failed".into();
    }
    let Some(median) = median(&lane.rounds) else { return String::new() };
    let shown = row.unit.shown(median);
    match row.ratio(name, LIMIT) {
        Some(Ratio { median, p10, p90 }) if name != LIMIT => {
            format!("{shown}, {} ({}–{})", times(median) + "x", times(p10), times(p90))
        }
        _ => shown,
    }
}

fn times(ratio: f64) -> String {
    match ratio {
        ..9.95 => format!("{ratio:.2}"),
        ..99.5 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}

/// Returns how long single operations took, where that was looked at.
fn latencies(rows: &[Row]) -> String {
    let mut lines = Vec::new();
    for row in rows {
        for lane in &row.lanes {
            let (Some((p50, p99)), Some(cost)) = (lane.latency, median(&lane.rounds)) else { continue };
            let shown = |nanoseconds: f64| Unit::Nanoseconds.shown(nanoseconds);
            lines.push(format!(
                "| {}, {} | {} | {:.0} | {} | {} |",
                row.table,
                row.column,
                lane.name,
                1e9 / cost,
                shown(p50),
                shown(p99)
            ));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let head = "| row | contender | operations/s | p50 | p99 |\n|---|---|---:|---:|---:|";
    format!("### Single operations\n\n{head}\n{}\n", lines.join("\n"))
}

/// Returns what each contender promises.
fn terms(rows: &[Row]) -> String {
    // Where a contender promises more in some of the groups, these are named.
    let mut seen: BTreeMap<&str, Vec<(Terms, Vec<&str>)>> = BTreeMap::new();
    for row in rows {
        for lane in &row.lanes {
            let Some(terms) = lane.terms else { continue };
            let of_lane = seen.entry(&lane.name).or_default();
            match of_lane.iter_mut().find(|(known, _)| *known == terms) {
                Some((_, groups)) if groups.contains(&row.group) => {}
                Some((_, groups)) => groups.push(row.group),
                None => of_lane.push((terms, vec![row.group])),
            }
        }
    }
    if seen.is_empty() {
        return String::new();
    }
    let head = "| contender | a write that returned survives | a read verifies | used by | answers from |\n\
                |---|---|---|---|---|\n";
    let mut text = format!("### Terms\n\n{head}");
    for (name, of_lane) in seen {
        for (terms, groups) in &of_lane {
            let name =
                if of_lane.len() == 1 { name.into() } else { [name, " in ", &groups.join(", ")].concat() };
            let from = if terms.in_memory { "memory" } else { "disk" };
            let Terms { durability, verification, processes, .. } = terms;
            let _ = writeln!(text, "| {name} | {durability} | {verification} | {processes} | {from} |");
        }
    }
    text
}

/// Returns who failed, and how.
fn failures(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        for lane in &row.lanes {
            if let Some(failure) = &lane.failure {
                let _ = writeln!(text, "- {}, {}: {} failed: {failure}", row.table, row.column, lane.name);
            }
        }
    }
    if text.is_empty() { text } else { format!("### Failures\n\n{text}") }
}

/// Returns how many lanes of larder and of the limit failed; those of peers are shown and no more.
pub(crate) fn failures_of_ours(rows: &[Row]) -> usize {
    let lanes = rows.iter().flat_map(|row| &row.lanes);
    lanes
        .filter(|lane| {
            lane.failure.is_some() && [LARDER, LIMIT].iter().any(|ours| lane.name.starts_with(ours))
        })
        .count()
}

/// Returns all that was measured.
pub(crate) fn json(machine: &Machine, rows: &[Row]) -> Value {
    let rows: Vec<Value> = rows.iter().map(row).collect();
    json!({ "machine": machine.json(), "rows": rows })
}

fn row(row: &Row) -> Value {
    let lanes: Vec<Value> = row.lanes.iter().map(|measured| lane(row, measured)).collect();
    let verdicts: Vec<Value> = row
        .verdicts()
        .into_iter()
        .map(|verdict| json!({ "goal": verdict.goal, "measured": verdict.measured, "met": verdict.met }))
        .collect();
    let losses: Vec<Value> = row
        .losses()
        .into_iter()
        .map(|Loss { to, times, is_as_safe }| {
            json!({ "to": to, "times": ratio(times), "is_as_safe": is_as_safe })
        })
        .collect();
    json!({
        "group": row.group,
        "table": row.table,
        "column": row.column,
        "at": row.at,
        "unit": match row.unit { Unit::Nanoseconds => "ns", Unit::Bytes => "bytes" },
        "contenders": lanes,
        "targets": verdicts,
        "losses": losses,
    })
}

fn ratio(Ratio { median, p10, p90 }: Ratio) -> Value {
    json!({ "median": median, "p10": p10, "p90": p90 })
}

fn lane(row: &Row, lane: &Measured) -> Value {
    let to_limit = row.ratio(&lane.name, LIMIT);
    json!({
        "name": lane.name,
        "terms": lane.terms.map(|terms| json!({
            "durability": terms.durability,
            "verification": terms.verification,
            "processes": terms.processes,
            "in_memory": terms.in_memory,
        })),
        "median": median(&lane.rounds),
        "ratio_to_limit": to_limit.map(ratio),
        "latency_ns": lane.latency.map(|(p50, p99)| json!({ "p50": p50, "p99": p99 })),
        "operations_per_round": lane.operations,
        "rounds": lane.rounds,
        "failure": lane.failure,
    })
}

fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::row::Goal;

    #[test]
    fn a_table_has_a_line_for_each_contender_and_a_column_for_each_row() {
        let lanes = vec![
            Measured::of(LIMIT, vec![2_000.0, 2_000.0]),
            Measured::of(LARDER, vec![3_000.0, 3_000.0]),
            Measured::failed("other", "it lost a byte"),
        ];
        let goals = [Goal::Times { of: LIMIT, most: 1.4 }];
        let rows = [Row::new("read", "read, 1 task", "1 KiB", lanes).goals(goals)];
        assert_eq!(
            numbers(&rows),
            "### Read, 1 task\n\n| | 1 KiB |\n|---|---:|\n| limit | 2.00 µs |\n\
             | larder | 3.00 µs, 1.50x (1.50–1.50) |\n| other | failed |\n"
        );
        assert!(
            super::goals(&rows)
                .ends_with("| read, 1 task, 1 KiB | <= 1.4x limit | 1.50x (1.50–1.50) | **missed** |\n")
        );
        assert!(failures(&rows).ends_with("- read, 1 task, 1 KiB: other failed: it lost a byte\n"));
    }
}
