//! `cargo xtask conformance`: every backend through the suite, with every format, as one matrix.
//!
//! The same cases are `#[test]`s in each backend's own crate; here they run for every variant of the file store. With
//! `--http`, exchanges through the proxy run instead.

mod fixture;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::ValueEnum;
use larder_conformance::{Case, CodecCase, Outcome as Ended, Subject, cases, codec_cases};

use crate::Outcome;
use crate::http;
use crate::variant::{Format, Variant};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs this one only
    #[arg(value_enum)]
    backend: Option<Backend>,
    /// Runs with these formats only
    #[arg(long, value_enum)]
    codec: Vec<Format>,
    /// Lists the cases instead of running them
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    http: http::Exchanges,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// Entries and aliases in memory
    Memory,
    /// The file store with the redirect index, in every layout, on Linux and portable
    File,
    /// The memory tier, in front of both
    Tier,
    /// The redirect index in SQLite alone
    Redirects,
    /// The formats themselves
    Codec,
}

/// The column of a row that has no format.
const NO_FORMAT: &str = "-";

/// One cell of the matrix, and what is run for it.
struct Cell {
    row: &'static str,
    column: &'static str,
    what: What,
}

enum What {
    Backend(Subject),
    Codec(Format),
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs the suite and prints the matrix, and each failure with its case.
///
/// # Errors
///
/// When a case fails.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match (arguments.http.is_wanted(), arguments.list) {
        (true, true) => return http::list(&arguments.http),
        (true, false) => return http::run(&arguments.http),
        (false, true) => return list(),
        (false, false) => {}
    }
    let cells = cells(arguments);
    let work: Vec<(usize, Job)> = cells.iter().enumerate().flat_map(|(at, cell)| jobs(at, cell)).collect();
    let ended = run_all(&cells, &work);

    let mut matrix: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    let mut failures: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((at, job), ended) in work.iter().zip(ended) {
        let Cell { row, column, .. } = cells[*at];
        let counts = matrix.entry((row, column)).or_default();
        match ended {
            Ended::Passed => counts.passed += 1,
            Ended::Skipped(_) => counts.skipped += 1,
            failed => {
                counts.failed += 1;
                let why = if let Ended::Failed(why) = failed { why } else { format!("{failed:?}") };
                let failure = format!("FAILED {}\n{why}", job.name());
                failures.entry(failure).or_default().push(format!("{row} ({column})"));
            }
        }
    }
    print(&cells, &matrix);
    if failures.is_empty() {
        return Ok(());
    }
    for (failure, cells) in &failures {
        println!("\n{failure}\n               in: {}", cells.join("; "));
    }
    let count: usize = failures.values().map(Vec::len).sum();
    Err(format!("conformance: {count} failures").into())
}

fn list() -> Outcome {
    let mut out = std::io::stdout().lock();
    for case in cases() {
        writeln!(out, "{case}: {}", case.proves())?;
    }
    for case in codec_cases() {
        writeln!(out, "{case}: {}", case.proves())?;
    }
    Ok(())
}

fn cells(arguments: &Arguments) -> Vec<Cell> {
    let is_wanted = |backend| arguments.backend.is_none_or(|wanted| wanted == backend);
    let formats: Vec<Format> = Format::ALL
        .into_iter()
        .filter(|format| arguments.codec.is_empty() || arguments.codec.contains(format))
        .collect();
    let mut cells = Vec::new();
    if is_wanted(Backend::Memory) {
        cells.push(Cell { row: "memory", column: NO_FORMAT, what: What::Backend(fixture::memory()) });
    }
    if is_wanted(Backend::Redirects) {
        cells.push(Cell { row: "redirects", column: NO_FORMAT, what: What::Backend(fixture::redirects()) });
    }
    if is_wanted(Backend::File) {
        for variant in Variant::ALL {
            cells.extend(formats.iter().map(|format| Cell {
                row: variant.name,
                column: format.name(),
                what: What::Backend(fixture::file(variant, *format)),
            }));
        }
    }
    if is_wanted(Backend::Tier) {
        let over_memory = What::Backend(fixture::tier_over_memory());
        cells.push(Cell { row: "tier, over memory", column: NO_FORMAT, what: over_memory });
        for variant in Variant::ALL.into_iter().take(1) {
            cells.extend(formats.iter().map(|format| Cell {
                row: "tier, over file",
                column: format.name(),
                what: What::Backend(fixture::tier_over_file(variant, *format)),
            }));
            cells.extend(formats.iter().map(|format| Cell {
                row: "tier, checked, over file",
                column: format.name(),
                what: What::Backend(fixture::checked_tier_over_file(variant, *format)),
            }));
        }
    }
    if is_wanted(Backend::Codec) {
        let cell = |format: &Format| Cell { row: "codec", column: format.name(), what: What::Codec(*format) };
        cells.extend(formats.iter().map(cell));
    }
    cells
}

/// One case, for one cell.
enum Job {
    Backend(&'static Case),
    Codec(&'static CodecCase),
}

impl Job {
    fn name(&self) -> String {
        match self {
            Self::Backend(case) => case.to_string(),
            Self::Codec(case) => case.to_string(),
        }
    }

    fn run(&self, what: &What) -> Ended {
        match (self, what) {
            (Self::Backend(case), What::Backend(subject)) => case.run(subject),
            (Self::Codec(case), What::Codec(format)) => case.run(format.codec().as_ref()),
            _ => Ended::Failed("a case of another kind than its cell".to_owned()),
        }
    }
}

fn jobs(at: usize, cell: &Cell) -> Vec<(usize, Job)> {
    match cell.what {
        What::Backend(_) => cases().iter().map(|case| (at, Job::Backend(case))).collect(),
        What::Codec(_) => codec_cases().iter().map(|case| (at, Job::Codec(case))).collect(),
    }
}

/// Runs everything on as many threads as there are processors, and returns how each ended, in order.
fn run_all(cells: &[Cell], work: &[(usize, Job)]) -> Vec<Ended> {
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((cell, job)) = work.get(at) else { break };
                    let outcome = job.run(&cells[*cell].what);
                    ended.lock().expect("no thread panics with the lock").insert(at, outcome);
                }
            });
        }
    });
    ended.into_inner().expect("no thread panicked").into_values().collect()
}

fn print(cells: &[Cell], matrix: &BTreeMap<(&str, &str), Counts>) {
    let rows = distinct(cells.iter().map(|cell| cell.row));
    let columns = distinct(cells.iter().map(|cell| cell.column));
    let line = |first: &str, cells: Vec<String>| {
        print!("{first:<26}");
        for cell in cells {
            print!("{cell:>12}");
        }
        println!();
    };
    line("passed/failed/skipped", columns.iter().map(ToString::to_string).collect());
    for row in rows {
        let cell = |column: &&str| match matrix.get(&(row, *column)) {
            Some(Counts { passed, failed, skipped }) => format!("{passed}/{failed}/{skipped}"),
            None => String::new(),
        };
        line(row, columns.iter().map(cell).collect());
    }
}

/// Returns each of `names` once, in the order in which they first come.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}
