//! `cargo xtask conformance --http`: exchanges through the real proxy, over TCP, as the standards have them.
//!
//! The expectations come from the text of the standards, never from what the proxy does. Every case has a path of its
//! own, so that all of them run at once.

mod case;
mod check;
mod groups;
mod lines;
mod message;
mod origin;
mod proxy;
mod reply;
mod stage;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::{Outcome, program};
use case::{Case, Mode, Verdict};
use groups::Group;
use origin::Origin;
use proxy::Proxy;
use stage::Stage;

/// Exchanges that run at once; more of them only wait for each other.
const AT_ONCE: usize = 24;

/// Which cases to run.
#[derive(clap::Args)]
pub(crate) struct Exchanges {
    /// Runs the HTTP exchanges through the proxy instead
    #[arg(long, conflicts_with_all = ["backend", "codec"])]
    http: bool,
    /// Runs the exchanges whose group, section or name has this text
    #[arg(long, requires = "http")]
    filter: Option<String>,
    /// Runs the exchanges through a shared cache only
    #[arg(long, requires = "http", conflicts_with = "private")]
    shared: bool,
    /// Runs the exchanges through a private cache only
    #[arg(long, requires = "http")]
    private: bool,
    /// Runs the exchanges through this program instead of building it
    #[arg(long, requires = "http")]
    program: Option<PathBuf>,
}

impl Exchanges {
    /// Whether the exchanges are asked for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.http
    }

    fn modes(&self) -> Vec<Mode> {
        let is_wanted = |mode: &Mode| match mode {
            Mode::Shared => !self.private,
            Mode::Private => !self.shared,
        };
        Mode::ALL.into_iter().filter(is_wanted).collect()
    }

    fn cases(&self) -> Vec<(&'static str, Case)> {
        let filter = self.filter.as_deref().unwrap_or_default().to_lowercase();
        let is_wanted = |group: &str, case: &Case| {
            let shown = format!("{group} | {} | {}", section(case), case.name);
            shown.to_lowercase().contains(&filter)
        };
        let all = groups::ALL
            .iter()
            .flat_map(|Group { name, cases }| cases().into_iter().map(|case| (*name, case)));
        all.filter(|(group, case)| is_wanted(group, case)).collect()
    }
}

/// Prints the cases, one a line: group, section, name.
///
/// # Errors
///
/// When standard output is closed.
pub(crate) fn list(arguments: &Exchanges) -> Outcome {
    let mut out = std::io::stdout().lock();
    for (group, case) in arguments.cases() {
        writeln!(out, "{group} | {} | {}", section(&case), case.name)?;
    }
    Ok(())
}

/// Returns the group and the name of every case.
pub(crate) fn names() -> Vec<(&'static str, String)> {
    let named = |group: &'static Group| (group.cases)().into_iter().map(|case| (group.name, case.name));
    groups::ALL.iter().flat_map(named).collect()
}

/// Runs the cases in every wanted mode, prints how many passed by group, then each failure.
///
/// # Errors
///
/// When a case fails, or the proxy cannot be built or started.
pub(crate) fn run(arguments: &Exchanges) -> Outcome {
    let program = arguments.program.clone().map_or_else(program::build, Ok)?;
    let cases = Arc::new(arguments.cases());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let begin = Instant::now();
    let ended = runtime.block_on(async {
        let runs = arguments.modes().into_iter().map(|mode| run_mode(&program, mode, Arc::clone(&cases)));
        futures_util::future::try_join_all(runs).await
    })?;
    let ended: Vec<_> = ended.into_iter().flatten().collect();
    print(&cases, &ended);
    let failures = ended.iter().filter(|ended| ended.verdict.is_err()).count();
    println!("{} exchanges in {:.1} s", ended.len(), begin.elapsed().as_secs_f32());
    if failures == 0 { Ok(()) } else { Err(format!("conformance: {failures} failures").into()) }
}

/// How one case ended in one mode.
struct Ended {
    mode: Mode,
    case: usize,
    verdict: Verdict,
}

async fn run_mode(program: &Path, mode: Mode, cases: Arc<Vec<(&'static str, Case)>>) -> Outcome<Vec<Ended>> {
    let origin = Origin::listen().await?;
    let proxy = Arc::new(Proxy::start(program, mode, origin.address())?);
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let in_mode = (0..cases.len()).filter(|at| cases[*at].1.only.is_none_or(|only| only == mode));
    let running: Vec<_> = in_mode
        .map(|at| {
            let (cases, permits) = (Arc::clone(&cases), Arc::clone(&permits));
            let (origin, proxy) = (origin.clone(), Arc::clone(&proxy));
            let task = tokio::spawn(async move {
                Stage::new(at, proxy.address(), &origin).play(&cases[at].1, &permits).await
            });
            (at, task)
        })
        .collect();
    let mut ended = Vec::with_capacity(running.len());
    for (case, task) in running {
        let verdict = task.await.unwrap_or_else(|error| Err(format!("the case panicked: {error}")));
        let verdict = verdict.map_err(|problems| problems + &proxy.lines_about(&stage::path(case)));
        ended.push(Ended { mode, case, verdict });
    }
    match proxy.panics()[..] {
        [] => Ok(ended),
        ref panics => {
            print(&cases, &ended);
            Err(format!("the {} proxy panicked:\n    {}", mode.name(), panics.join("\n    ")).into())
        }
    }
}

fn print(cases: &[(&'static str, Case)], ended: &[Ended]) {
    let mut counts: BTreeMap<(&str, Mode), (usize, usize)> = BTreeMap::new();
    for Ended { mode, case, verdict } in ended {
        for row in [cases[*case].0, "total"] {
            let (passed, total) = counts.entry((row, *mode)).or_default();
            *passed += usize::from(verdict.is_ok());
            *total += 1;
        }
    }
    println!("{:<20}{:>10}{:>10}", "passed/total", "shared", "private");
    for row in groups::ALL.iter().map(|group| group.name).chain(["total"]) {
        let cells = Mode::ALL.map(|mode| match counts.get(&(row, mode)) {
            Some((passed, total)) => format!("{passed}/{total}"),
            None => String::new(),
        });
        if cells.iter().any(|cell| !cell.is_empty()) {
            println!("{row:<20}{:>10}{:>10}", cells[0], cells[1]);
        }
    }
    for Ended { mode, case, verdict } in ended {
        if let Err(problems) = verdict {
            let (group, case) = &cases[*case];
            println!("\nFAILED {} | {group} | {} | {}", mode.name(), section(case), case.name);
            println!("  {problems}");
        }
    }
}

/// Returns the section of a case with the name of its document.
fn section(case: &Case) -> String {
    format!("RFC {}", case.section)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_short_enough_for_a_table() {
        let mut seen = HashSet::new();
        for case in groups::ALL.iter().flat_map(|group| (group.cases)()) {
            assert!(case.name.chars().count() <= 90, "{} is long", case.name);
            assert!(!case.name.contains('|'), "{} does not fit in a table", case.name);
            assert!(seen.insert(case.name.clone()), "{} is there twice", case.name);
        }
    }
}
