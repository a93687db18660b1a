//! `cargo xtask torture proxy`: clients that go away at any moment, and what is left of them in the proxy.
//!
//! The proxy is the program as its users start it, so that its descriptors, threads and memory are its own.

mod load;
mod origin;
mod process;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::load::{Load, Tally};
use self::origin::Origin;
use self::process::{Level, Process};
use super::random::seed;
use super::{Place, block_on};
use crate::{Outcome, program};

/// The peak of memory that the proxy must stay below.
const LIMIT_MIB: u64 = 256;
/// How long the proxy is used before its level is taken: it opens its index, for instance, when it is first asked.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long threads without work may live on, and a little more.
const SETTLING: Duration = Duration::from_secs(15);
/// How long nothing may be left after the load.
const SETTLED: Duration = Duration::from_mins(1);

/// How long, and how many at a time.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long the load lasts
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many clients there are at a time
    #[arg(long, default_value_t = 64)]
    clients: u64,
    /// The program to run [default: built from here, in the profile of this one]
    #[arg(long)]
    program: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Loads a proxy, and checks that nothing is left of it.
///
/// # Errors
///
/// When a response is wrong, or something is left in the process or in its directory.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => program::build()?,
    };
    let scratch = arguments.place.scratch()?;
    let directory = scratch.path().join("cache");
    let seed = seed();
    println!(
        "torture proxy: {} clients for {} s, one in twenty going away, seed {seed}",
        arguments.clients, arguments.seconds
    );
    block_on(async {
        let origin = Origin::start().await?;
        let mut proxy = Process::start(&program, &directory, origin.address())?;
        let load = |seed, time| Load { clients: arguments.clients, seed, time }.run(proxy.address());

        load(seed, WARM_UP).await?;
        origin.close_connections();
        let before = least(&proxy, SETTLING).await?;

        let start = Instant::now();
        let tally = load(seed + 1, Duration::from_secs(arguments.seconds)).await?;
        report(&tally, start.elapsed(), origin.answered());
        origin.close_connections();
        let peak = proxy.peak_kib()?;
        let after = settled(&proxy, before).await?;
        println!("before: {before}; after: {after}; peak memory: {} MiB", peak / 1024);
        let left = process::names(&directory.join("tmp"))?;
        if !left.is_empty() {
            return Err(format!("temporaries are left: {left:?}").into());
        }
        if peak >= LIMIT_MIB * 1024 {
            return Err(format!("a peak of {} MiB is not below {LIMIT_MIB} MiB", peak / 1024).into());
        }
        let ended = proxy.end()?;
        println!("ended in order after {ended:?}; no temporaries are left");
        process::verify(&program, &directory)
    })?
}

/// Prints what the load came to.
fn report(tally: &Tally, time: Duration, asked: u64) {
    let Tally { requests, hits, bytes, left, broken, .. } = tally;
    let seconds = time.as_secs().max(1);
    println!("{requests} requests, {} a second; {hits} hits; {} MiB", requests / seconds, bytes >> 20);
    println!(
        "{left} clients went away in the middle, {broken} bodies broke off; the origin was asked {asked} times"
    );
}

/// Returns the lowest level of the process in `time`.
async fn least(proxy: &Process, time: Duration) -> Outcome<Level> {
    let start = Instant::now();
    let mut least = proxy.level()?;
    while start.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(250)).await;
        least = least.min(proxy.level()?);
    }
    Ok(least)
}

/// Waits until the process is at `level` again, and returns where it is then.
async fn settled(proxy: &Process, level: Level) -> Outcome<Level> {
    let start = Instant::now();
    loop {
        let now = proxy.level()?;
        if now.is_within(level) {
            return Ok(now);
        }
        if start.elapsed() > SETTLED {
            return Err(format!("before: {level}; {SETTLED:?} after: {now}").into());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
