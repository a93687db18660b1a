//! The task that takes a body from its source, one chunk at a time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use larder_core::{Body, Error, ErrorKind, Result};
use tokio::time::Instant;

use super::state::Room;
use super::{Role, Shared};
use crate::spool::Spool;

/// A body on its way from its source to its readers.
///
/// Dropping it ends the body, so that nobody waits for a task that panicked or whose runtime is gone.
pub(super) struct Pump {
    shared: Shared,
    source: Body,
    may_spool: bool,
    /// How much longer those who asked may be made to wait for the store, until another window has come.
    patience_with_store: Duration,
    /// How much longer they may be made to wait for one another, likewise.
    patience_with_callers: Duration,
    /// Where in the body the patience was last as long as it may be.
    patient_at: u64,
}

impl Pump {
    pub(super) fn new(shared: Shared, source: Body) -> Self {
        let timeout = shared.0.terms.store_timeout;
        Self {
            shared,
            source,
            may_spool: true,
            patience_with_store: timeout,
            patience_with_callers: timeout,
            patient_at: 0,
        }
    }

    /// Takes the source to its end, as fast as the readers want it.
    pub(super) async fn run(mut self) {
        while self.wait_for_room().await {
            let Some(next) = self.next_chunk().await else { return };
            match next {
                Ok(Some(chunk)) => {
                    // The end is noted with the last chunk, because a caller that has all of it may leave.
                    let is_last = self.source.is_end_stream() || self.source.exact_len() == Some(0);
                    self.push(chunk, is_last).await;
                    if is_last {
                        return;
                    }
                }
                Ok(None) => return self.finish(Ok(())),
                Err(error) => return self.finish(Err(error)),
            }
        }
    }

    fn finish(&self, outcome: Result<()>) {
        self.shared.state().finish(outcome.map_err(Arc::new));
        self.shared.0.arrived.notify_waiters();
    }

    /// Returns whether nobody is left; the body has then ended.
    fn is_abandoned(&self) -> bool {
        self.shared.state().abandon(self.shared.0.terms.in_background)
    }

    fn room(&self) -> Room {
        self.shared.state().room(self.shared.0.terms.window, self.may_spool)
    }

    /// Waits until another chunk may be taken; `false` when nobody is left to take it for.
    async fn wait_for_room(&mut self) -> bool {
        while !self.is_abandoned() {
            match self.room() {
                Room::Free => return true,
                Room::Full => self.shared.0.advanced.notified().await,
                Room::Lags(role) => {
                    let began = Instant::now();
                    let patience = match role {
                        Role::Store => &mut self.patience_with_store,
                        Role::Caller => &mut self.patience_with_callers,
                    };
                    let advanced = self.shared.0.advanced.notified();
                    if tokio::time::timeout(*patience, advanced).await.is_err() {
                        self.shared.state().cut_off(role, self.shared.0.terms.window);
                        self.shared.0.arrived.notify_waiters();
                    }
                    *patience = patience.saturating_sub(began.elapsed());
                }
                Room::NeedsSpool => {
                    let (base, chunks) = self.shared.state().window();
                    if let Err(error) = self.spool_window(base, chunks).await {
                        self.give_up_spooling(&error);
                    }
                }
            }
        }
        false
    }

    /// Returns what the source gives, or `None` when nobody waits for it any more.
    async fn next_chunk(&mut self) -> Option<Result<Option<Bytes>>> {
        loop {
            tokio::select! {
                biased;
                chunk = self.source.chunk() => return Some(chunk),
                () = self.shared.0.advanced.notified() => {
                    if self.is_abandoned() {
                        return None;
                    }
                }
            }
        }
    }

    async fn spool_window(&self, base: u64, chunks: Vec<Bytes>) -> io::Result<()> {
        let end = base + chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        let spool = Spool::create(base).await?;
        spool.write(base, chunks).await?;
        self.shared.state().set_spooled(spool, end);
        Ok(())
    }

    async fn push(&mut self, chunk: Bytes, is_last: bool) {
        let (spool, end) = {
            let mut state = self.shared.state();
            let end = state.end();
            state.push(chunk.clone());
            if is_last {
                state.finish(Ok(()));
            }
            (state.spool().filter(|_| self.may_spool), end)
        };
        self.shared.0.arrived.notify_waiters();
        let terms = self.shared.0.terms;
        if end - self.patient_at >= terms.window {
            self.patience_with_store = terms.store_timeout;
            self.patience_with_callers = terms.store_timeout;
            self.patient_at = end;
        }
        if let Some(spool) = spool {
            let spooled = end + chunk.len() as u64;
            match spool.write(end, vec![chunk]).await {
                Ok(()) => self.shared.state().set_spooled(spool, spooled),
                Err(error) => self.give_up_spooling(&error),
            }
        }
        self.shared.state().trim(terms.window);
    }

    /// Spools nothing more. What the spool has can still be read; from here on the slowest sets the pace.
    fn give_up_spooling(&mut self, error: &io::Error) {
        self.may_spool = false;
        let error: &dyn std::error::Error = error;
        tracing::warn!(error, "cannot keep a body for its slow readers");
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.finish(Err(Error::new(ErrorKind::Body, "what was taking the body has stopped")));
    }
}
