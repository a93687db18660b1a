//! The process that has the disk: it fills it and makes room on it, and asks all the while.
//!
//! Each phase asks for URLs of its own, each twice: what was stored is a hit the second time, and nothing else is.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytesize::ByteSize;
use futures_util::TryStreamExt;
use larder::FileBackend;

use super::super::block_on;
use super::client::{Client, LONGEST, TASKS, Tally, check};
use crate::{Outcome, run};

const MIB: u64 = 1 << 20;
/// What the requests may have on the disk before it is stored.
const IN_FLIGHT: u64 = TASKS * LONGEST;

/// What the process is given.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    mib: u64,
    #[arg(long)]
    urls: u64,
    /// Whether a quarter of the disk is to be left free.
    #[arg(long)]
    min_free: bool,
}

/// Mounts the disk, and fills it.
///
/// # Errors
///
/// When a request is not answered rightly, something torn is there, or caching does not resume.
pub(crate) fn work(arguments: &Arguments) -> Outcome {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", &format!("size={}m", arguments.mib), "tmpfs"]);
    run::passed_through(mount.arg(&arguments.directory))?;
    let disk = Disk { path: arguments.directory.clone() };
    block_on(async {
        if arguments.min_free {
            bounded(&disk, arguments.mib * MIB / 4, arguments).await
        } else {
            unbounded(&disk, arguments).await
        }
    })?
}

/// Without limits: what is stored stays, and nothing else is until there is room again.
async fn unbounded(disk: &Disk, arguments: &Arguments) -> Outcome {
    println!("torture full: a disk of {} MiB that another file fills", arguments.mib);
    let client = Client::open(FileBackend::new(disk.path.join("cache"))).await?;
    let few = (arguments.urls / 10).max(TASKS);

    let roomy = client.ask("room", few).await?;
    report("room", &client, disk, roomy).await?;
    expect_all_hits(roomy, few)?;

    let filler = disk.filler()?;
    let (written, meanwhile) = tokio::join!(fill(filler, disk, 256 * 1024), client.ask("filling", few));
    let mut filler = written?;
    report("while it is filled", &client, disk, meanwhile?).await?;

    // What was given up meanwhile has left room.
    filler = fill(filler, disk, 4096).await?;
    let full = client.ask("full", arguments.urls).await?;
    report("full", &client, disk, full).await?;
    if full.hits > 0 {
        return Err(format!("{} hits of what there was no room for", full.hits).into());
    }
    // Asked for again, what had been stored before is still there.
    verify(&client).await?;

    drop(filler);
    disk.remove_filler()?;
    let again = client.ask("room-again", few).await?;
    report("room again", &client, disk, again).await?;
    expect_all_hits(again, few)?;
    verify(&client).await?;
    Ok(client.cache().backend().close().await?)
}

/// With `min_free_bytes`: the disk never has less free because of the cache.
async fn bounded(disk: &Disk, min_free: u64, arguments: &Arguments) -> Outcome {
    println!("torture full: the same, and {} MiB are to be left free", min_free / MIB);
    let backend = FileBackend::new(disk.path.join("cache")).min_free_bytes(min_free);
    let client = Client::open(backend).await?;
    let watched = |phase: &'static str| watch(&client, disk, phase, arguments.urls, min_free);

    let alone = watched("alone").await?;
    // Most of what was to be left; the cache has to make room for it.
    let filler = write_to(disk.filler()?, min_free / 4 * 3)?;
    let beside = watched("beside-a-file").await?;
    if disk.free()? < min_free - IN_FLIGHT {
        return Err(format!("{} bytes are free at last, and not {min_free}", disk.free()?).into());
    }
    // And all the rest of it.
    let filler = fill(filler, disk, 4096).await?;
    watched("full").await?;
    if disk.free()? < min_free - IN_FLIGHT {
        return Err(format!("{} bytes are free beside a full disk, and not {min_free}", disk.free()?).into());
    }
    drop(filler);
    disk.remove_filler()?;
    let again = watched("room-again").await?;
    for (phase, tally) in [("alone", alone), ("beside a file", beside), ("room again", again)] {
        // Entries that were stored may have been evicted before they were asked for again, but seldom.
        if tally.second_hits * 10 < arguments.urls * 9 {
            return Err(format!("{phase}: {} of {} were stored", tally.second_hits, arguments.urls).into());
        }
    }
    Ok(client.cache().backend().close().await?)
}

/// Asks, and looks all the while how much is free.
async fn watch(client: &Client, disk: &Disk, phase: &str, urls: u64, min_free: u64) -> Outcome<Tally> {
    let before = disk.free()?;
    let least = Arc::new(AtomicU64::new(before));
    let is_over = Arc::new(AtomicBool::new(false));
    let thread = {
        let (least, is_over, disk) = (Arc::clone(&least), Arc::clone(&is_over), disk.clone());
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                least.fetch_min(disk.free()?, Ordering::Relaxed);
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Outcome::Ok(())
        })
    };
    let tally = client.ask(phase, urls).await;
    is_over.store(true, Ordering::Relaxed);
    thread.join().map_err(|_| "the sampler has panicked")??;
    let (tally, least, after) = (tally?, least.load(Ordering::Relaxed), disk.free()?);
    report(phase, client, disk, tally).await?;
    let promised = min_free.min(before).saturating_sub(IN_FLIGHT);
    println!(
        "    free: {} before, {} at least, {} after; promised {}",
        ByteSize(before),
        ByteSize(least),
        ByteSize(after),
        ByteSize(promised)
    );
    if least < promised {
        return Err(format!("{phase}: {least} bytes were left free, and not {promised}").into());
    }
    verify(client).await?;
    Ok(tally)
}

async fn report(phase: &str, client: &Client, disk: &Disk, tally: Tally) -> Outcome {
    let backend = client.cache().backend();
    println!(
        "  {phase}: {} requests, all answered, {} compared; {} hits, the origin was asked {} times in all; \
         {} entries, {} free, {} failures of the cache passed over",
        tally.requests,
        ByteSize(tally.bytes),
        tally.hits,
        client.answered(),
        backend.size().await?,
        ByteSize(disk.free()?),
        client.cache().failures()
    );
    Ok(())
}

fn expect_all_hits(tally: Tally, urls: u64) -> Outcome {
    if tally.second_hits == urls {
        return Ok(());
    }
    Err(format!("{} of {urls} were stored, and there was room for all", tally.second_hits).into())
}

/// Reads every entry that is there, and looks for what is left of those that are not.
async fn verify(client: &Client) -> Outcome {
    let backend = client.cache().backend();
    let mut values = backend.responses().values();
    while let Some((key, response)) = values.try_next().await? {
        check(response).await.map_err(|error| format!("{key}: {error}"))?;
    }
    match backend.stats().store.damaged {
        0 => Ok(()),
        damaged => Err(format!("{damaged} entries were damaged").into()),
    }
}

/// The disk, and the other file on it.
#[derive(Clone)]
struct Disk {
    path: PathBuf,
}

impl Disk {
    fn filler_path(&self) -> PathBuf {
        self.path.join("filler")
    }

    fn filler(&self) -> Outcome<File> {
        Ok(File::create(self.filler_path())?)
    }

    fn remove_filler(&self) -> Outcome {
        Ok(fs::remove_file(self.filler_path())?)
    }

    fn free(&self) -> Outcome<u64> {
        free(&self.path)
    }
}

fn free(path: &Path) -> Outcome<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail * stat.f_frsize)
}

fn write_to(mut filler: File, len: u64) -> Outcome<File> {
    filler.write_all(&vec![1; usize::try_from(len)?])?;
    Ok(filler)
}

/// Writes until nothing is free, so much at a time.
async fn fill(mut filler: File, disk: &Disk, step: usize) -> Outcome<File> {
    let disk = disk.clone();
    tokio::task::spawn_blocking(move || {
        let bytes = vec![1; step];
        loop {
            match filler.write_all(&bytes) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => return Err(error.into()),
            }
        }
        println!("  the disk is full: {} free", ByteSize(disk.free()?));
        Ok(filler)
    })
    .await?
}
