//! `cargo xtask torture kill`: `kill -9` of a writer, again and again, and what the next one finds.
//!
//! Nothing that was acknowledged may be lost, nothing may be there that nobody wrote, and opening the cache again
//! must leave nothing of the dead writer behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::time::Duration;

use futures_util::TryStreamExt;
use larder::{CacheBackend, CacheKey, Lookup, Timestamp};

use super::kill_model::{Line, Model, State};
use super::kill_writer::{Setup, alias_of, keys};
use super::random::{Random, seed};
use super::record::Record;
use super::{Place, block_on, worker};
use crate::Outcome;
use crate::variant::Variant;

/// How to kill.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many writers to kill
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// Repeats the decisions of an earlier run, though not its timing
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    place: Place,
}

/// What was seen in all rounds.
#[derive(Default)]
struct Tally {
    acknowledged: u64,
    cut_off: u64,
    before_ready: u64,
    left_over: u64,
    entries: u64,
}

/// Kills writers in every variant of the store in turn.
///
/// # Errors
///
/// At the first broken promise, with the round and what was found.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let seed = arguments.seed.unwrap_or_else(seed);
    println!("torture kill: {} rounds, seed {seed}", arguments.rounds);
    let scratch = arguments.place.scratch()?;
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    let mut places = Vec::new();
    for (number, variant) in Variant::ALL.into_iter().enumerate() {
        let setup = Setup { directory: scratch.path().join(number.to_string()), variant: number };
        places.push((variant, setup, Model::new(keys().map(|key| key.to_string()))));
    }
    for round in 0..arguments.rounds {
        let at = usize::try_from(round % places.len() as u64)?;
        let (variant, setup, model) = &mut places[at];
        kill_one(setup, round, model, &mut random, &mut tally)
            .and_then(|()| check(setup, model, &mut tally))
            .map_err(|error| format!("round {round} ({}), seed {seed}: {error}", variant.name))?;
    }
    println!(
        "{} operations acknowledged, {} cut off; {} writers killed before the cache was open;\n\
         {} entries read and found whole; {} leftovers of dead writers, all swept by the next open",
        tally.acknowledged, tally.cut_off, tally.before_ready, tally.entries, tally.left_over,
    );
    Ok(())
}

/// Starts a writer, and kills it after a random number of acknowledgements and a random time.
fn kill_one(setup: &Setup, round: u64, model: &mut Model, random: &mut Random, tally: &mut Tally) -> Outcome {
    let mut command = worker("kill-writer")?;
    command.args(setup.arguments()).args(["--round", &round.to_string()]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("the writer has no output")?);
    let mut seen = Seen { model, tally, ready: false };
    let noted = if random.below(10) == 0 {
        std::thread::sleep(Duration::from_micros(random.below(30_000)));
        Ok(())
    } else {
        let wanted = seen.tally.acknowledged + random.below(120);
        let noted = read_until(&mut lines, &mut seen, |seen| seen.ready && seen.tally.acknowledged >= wanted);
        std::thread::sleep(Duration::from_micros(random.below(3_000)));
        noted
    };
    let by_itself = child.try_wait()?;
    child.kill()?;
    child.wait()?;
    noted?;
    read_until(&mut lines, &mut seen, |_| false)?;
    if let Some(status) = by_itself {
        return Err(format!("the writer ended by itself: {status}").into());
    }
    seen.tally.before_ready += u64::from(!seen.ready);
    seen.tally.cut_off += seen.model.under_way();
    Ok(())
}

struct Seen<'a> {
    model: &'a mut Model,
    tally: &'a mut Tally,
    ready: bool,
}

/// Takes note of lines until `enough`, or to their end.
fn read_until(
    lines: &mut BufReader<ChildStdout>,
    seen: &mut Seen<'_>,
    enough: impl Fn(&Seen<'_>) -> bool,
) -> Outcome {
    let mut text = String::new();
    while !enough(seen) && lines.read_line(&mut text)? > 0 {
        // A line that was cut off by the kill says nothing: what it announces had not begun.
        if let Some(line) = text.strip_suffix('\n') {
            let line = Line::parse(line).ok_or_else(|| format!("the writer says {line:?}"))?;
            seen.model.note(&line)?;
            seen.ready |= line == Line::Ready;
            seen.tally.acknowledged += u64::from(matches!(line, Line::Done(_) | Line::Cleared));
        }
        text.clear();
    }
    Ok(())
}

/// Opens the cache as the next process would, and compares all that is in it with the model.
fn check(setup: &Setup, model: &mut Model, tally: &mut Tally) -> Outcome {
    tally.left_over += files_in(&setup.directory.join("tmp"))?;
    block_on(async {
        let cache = setup.open().await?;
        let mut there = 0;
        for key in keys() {
            let found = look_up(&cache, &key).await?;
            model.found(key.as_str(), found)?;
            there += u64::from(found.is_some());
        }
        let mut listed: Vec<CacheKey> = cache.keys().try_collect().await?;
        listed.sort();
        let distinct = listed.windows(2).all(|pair| pair[0] != pair[1]);
        if listed.len() as u64 != there || !distinct || cache.size().await? != there {
            return Err(format!("{there} entries, but the listing is {listed:?}").into());
        }
        tally.entries += there;
        cache.close().await?;
        if cache.failures() > 0 {
            return Err("a failure of the cache was passed over".into());
        }
        Ok(())
    })
    .flatten()?;
    let left = files_in(&setup.directory.join("tmp"))?;
    if left > 0 {
        return Err(format!("{left} leftovers after the cache was opened").into());
    }
    Ok(())
}

/// Returns what is stored under `key`, which its alias must agree with.
async fn look_up(cache: &CacheBackend, key: &CacheKey) -> Outcome<Option<State>> {
    let now = Timestamp::UNIX_EPOCH;
    let record = match cache.get_response(key, now).await {
        Lookup::Hit(response) => Some(Record::of(key, response).await?),
        Lookup::Miss => None,
        other => return Err(format!("{key}: looking it up gave {other:?}").into()),
    };
    let alias = cache.redirects().read(&alias_of(key)).await?;
    match (record, alias) {
        (_, Some(alias)) if alias.target != *key => Err(format!("{key}: its alias is {alias:?}").into()),
        (None, Some(_)) => Err(format!("{key}: its alias is there without it").into()),
        (record, alias) => Ok(record.map(|record| State { record, aliased: alias.is_some() })),
    }
}

/// Returns how many files and directories are in `directory`, which may be missing.
fn files_in(directory: &Path) -> Outcome<u64> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(entries.count() as u64),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}
