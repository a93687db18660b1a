//! The task that takes a body from its source, one chunk at a time.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body::Body as _;
use larder_core::{Body, Error, ErrorKind};

use super::Shared;
use super::state::Room;
use crate::spool::Spool;

/// Takes `source` to its end, as fast as the readers of `shared` want it.
pub(super) async fn run(shared: Shared, mut source: Body) {
    let mut may_spool = true;
    let outcome = loop {
        if !wait_for_room(&shared, &mut may_spool).await {
            break Err(abandoned());
        }
        match next_chunk(&shared, &mut source).await {
            Some(Ok(Some(chunk))) => {
                // The end is noted with the last chunk, because a caller that has all of it may leave.
                let is_last = source.is_end_stream() || source.exact_len() == Some(0);
                push(&shared, chunk, is_last, &mut may_spool).await;
                if is_last {
                    break Ok(());
                }
            }
            Some(Ok(None)) => break Ok(()),
            Some(Err(error)) => break Err(error),
            None => break Err(abandoned()),
        }
    };
    shared.state().finish(outcome.map_err(Arc::new));
    shared.0.arrived.notify_waiters();
}

/// Waits until another chunk may be taken; `false` when nobody is left to take it for.
async fn wait_for_room(shared: &Shared, may_spool: &mut bool) -> bool {
    loop {
        let room = room(shared, *may_spool);
        match room {
            Room::Free => return true,
            Room::Abandoned => return false,
            Room::Full => shared.0.advanced.notified().await,
            Room::StoreLags => {
                let advanced =
                    tokio::time::timeout(shared.0.terms.store_timeout, store_advances(shared, *may_spool));
                if advanced.await.is_err() {
                    shared.state().cut_off_store();
                    shared.0.arrived.notify_waiters();
                }
            }
            Room::NeedsSpool => {
                let (base, chunks) = shared.state().window();
                *may_spool = spool_window(shared, base, chunks).await.is_ok();
            }
        }
    }
}

fn room(shared: &Shared, may_spool: bool) -> Room {
    let terms = &shared.0.terms;
    shared.state().room(terms.window, terms.in_background, may_spool)
}

/// Waits until it is not the store that everybody waits for.
async fn store_advances(shared: &Shared, may_spool: bool) {
    while room(shared, may_spool) == Room::StoreLags {
        shared.0.advanced.notified().await;
    }
}

/// Returns what the source gives, or `None` when nobody waits for it any more.
async fn next_chunk(shared: &Shared, source: &mut Body) -> Option<larder_core::Result<Option<Bytes>>> {
    loop {
        tokio::select! {
            biased;
            chunk = source.chunk() => return Some(chunk),
            () = shared.0.advanced.notified() => {
                if room(shared, false) == Room::Abandoned {
                    return None;
                }
            }
        }
    }
}

async fn spool_window(shared: &Shared, base: u64, chunks: Vec<Bytes>) -> io::Result<()> {
    let end = base + chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
    let spool = Spool::create(base).await?;
    spool.write(base, chunks).await?;
    shared.state().set_spooled(spool, end);
    Ok(())
}

async fn push(shared: &Shared, chunk: Bytes, is_last: bool, may_spool: &mut bool) {
    let (spool, end) = {
        let mut state = shared.state();
        let end = state.end();
        state.push(chunk.clone());
        if is_last {
            state.finish(Ok(()));
        }
        (state.spool().filter(|_| *may_spool), end)
    };
    shared.0.arrived.notify_waiters();
    if let Some(spool) = spool {
        let spooled = end + chunk.len() as u64;
        match spool.write(end, vec![chunk]).await {
            Ok(()) => shared.state().set_spooled(spool, spooled),
            // What the spool has can still be read; from here on the slowest reader sets the pace.
            Err(error) => {
                *may_spool = false;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot keep a body for its slow readers"
                );
            }
        }
    }
    shared.state().trim(shared.0.terms.window);
}

fn abandoned() -> Error {
    Error::new(ErrorKind::Body, "nobody waits for the body any more")
}
