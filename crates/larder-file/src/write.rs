//! Writing an entry: in one go when its body is in memory, else while the body arrives.
//!
//! Nothing is visible before it is whole: the file is built apart, and only then published.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use larder_core::{Body, CacheKey, CachedResponse, Codec, Compression, Compressor, ResponseHead, Timestamp};

use crate::cause::{Cause, Result};
use crate::frame::{self, MAX_HEAD_LEN, Prologue, Table};
use crate::publish::Draft;
use crate::random;
use crate::store::Shared;

/// A body up to this long is gathered before anything is written; beyond it, so much is written at a time.
const GATHER: usize = 512 * 1024;
/// A body this long begins at a multiple of the block size, so that a new head can share its blocks.
const ALIGN_FROM: u64 = 1024 * 1024;
/// The file time of an entry that no purge may delete, 9999-12-31: a purge that goes by file times passes over it.
const NEVER: Duration = Duration::from_secs(253_402_300_799);

/// Stores `response` under `key`.
pub(crate) async fn write(shared: &Arc<Shared>, key: &CacheKey, response: CachedResponse) -> Result<()> {
    let CachedResponse { head, mut body, .. } = response;
    let gathered = match body.as_bytes() {
        Some(bytes) => Gathered { pieces: vec![bytes.clone()], len: bytes.len(), ended: true },
        None => Gathered::next(&mut body).await?,
    };
    let key = key.clone();
    if gathered.ended {
        return shared.hop(move |shared| write_whole(shared, &key, &head, &gathered.concat())).await;
    }
    let expected = body.exact_len().map(|rest| rest.saturating_add(gathered.len as u64));
    let mut sink = shared
        .hop(move |shared| {
            let mut sink = Sink::begin(shared, key, &head, expected)?;
            sink.write(&gathered)?;
            Ok(sink)
        })
        .await?;
    loop {
        let gathered = Gathered::next(&mut body).await?;
        let written = shared.hop(move |_| {
            sink.write(&gathered)?;
            if gathered.ended { sink.finish().map(|()| None) } else { Ok(Some(sink)) }
        });
        match written.await? {
            Some(unfinished) => sink = unfinished,
            None => return Ok(()),
        }
    }
}

/// Gives the entry of `key` a new head, and its old body, if it is still at `revision`.
pub(crate) fn update_head(
    shared: &Arc<Shared>,
    key: &CacheKey,
    revision: &[u8],
    head: &ResponseHead,
) -> Result<bool> {
    let Some(old) = shared.open_to_copy(key)?.filter(|old| old.prologue.revision == *revision) else {
        return Ok(false);
    };
    let Beginning { mut prologue, mut prefix } =
        Beginning::new(shared, key, head, Some(old.prologue.stored_len))?;
    prologue.compression = old.prologue.compression;
    prologue.salt = old.prologue.salt;
    prologue.body_len = old.prologue.body_len;
    prologue.stored_len = old.prologue.stored_len;
    shared.check_len(&prologue)?;
    prologue.seal(&mut prefix);
    let draft = Draft::create(shared)?;
    let path = draft.path();
    let failed = || Cause::io("copy the entry", &path);
    shared.fs.write(&draft.file, &[&prefix], &path).map_err(failed())?;
    let body_and_table = old.prologue.stored_len + frame::table_len(old.prologue.stored_len);
    let offset = u64::from(old.prologue.body_offset);
    shared.fs.copy(&old.file, offset, body_and_table, &draft.file, &path).map_err(failed())?;
    shared.stamp(&draft, prologue.purge_at);
    draft.publish_over(key, revision)
}

fn write_whole(shared: &Arc<Shared>, key: &CacheKey, head: &ResponseHead, body: &Bytes) -> Result<()> {
    let body_len = body.len() as u64;
    let Beginning { mut prologue, mut prefix } = Beginning::new(shared, key, head, Some(body_len))?;
    let compressed = match shared.codecs.compression_for(head, Some(body_len)) {
        Some(compression) => compress(compression.as_ref(), body)?,
        None => None,
    };
    let stored = match &compressed {
        Some((id, bytes)) => {
            prologue.compression = *id;
            &bytes[..]
        }
        None => body,
    };
    prologue.body_len = body_len;
    prologue.stored_len = stored.len() as u64;
    shared.check_len(&prologue)?;
    prologue.seal(&mut prefix);
    let mut table = Table::new(prologue.salt);
    table.update(stored);
    shared.check_disk()?;
    let draft = Draft::create(shared)?;
    let path = draft.path();
    shared
        .fs
        .write(&draft.file, &[&prefix, stored, &table.finish()], &path)
        .map_err(Cause::io("write the entry", &path))?;
    shared.stamp(&draft, prologue.purge_at);
    draft.publish(key)
}

/// Compresses a body in memory; `None` when that does not make it shorter.
fn compress(compression: &dyn Compression, body: &[u8]) -> Result<Option<(u8, Vec<u8>)>> {
    let mut compressor = compression.compressor()?;
    let mut compressed = Vec::with_capacity(body.len() / 2);
    compressor.compress(body, &mut compressed)?;
    compressor.finish(&mut compressed)?;
    Ok((compressed.len() < body.len()).then_some((compression.id(), compressed)))
}

/// The next part of a body that arrives.
struct Gathered {
    pieces: Vec<Bytes>,
    len: usize,
    ended: bool,
}

impl Gathered {
    async fn next(body: &mut Body) -> Result<Self> {
        let mut gathered = Self { pieces: Vec::new(), len: 0, ended: false };
        while gathered.len < GATHER {
            let Some(piece) = body.chunk().await? else {
                gathered.ended = true;
                break;
            };
            gathered.len += piece.len();
            gathered.pieces.push(piece);
        }
        Ok(gathered)
    }

    fn concat(self) -> Bytes {
        match <[Bytes; 1]>::try_from(self.pieces) {
            Ok([only]) => only,
            Err(pieces) => pieces.concat().into(),
        }
    }
}

/// The file of an entry up to its body, before it is sealed.
struct Beginning {
    prologue: Prologue,
    prefix: Vec<u8>,
}

impl Beginning {
    fn new(shared: &Shared, key: &CacheKey, head: &ResponseHead, body_len: Option<u64>) -> Result<Self> {
        let codec: &dyn Codec = shared.codecs.writer().as_ref();
        let mut encoded = Vec::with_capacity(1024);
        codec.encode(head, &mut encoded)?;
        if encoded.len() > MAX_HEAD_LEN {
            return Err(Cause::TooLarge { len: encoded.len() as u64, limit: MAX_HEAD_LEN as u64 });
        }
        let prefix = frame::prefix(key, &encoded, body_len.is_none_or(|len| len >= ALIGN_FROM));
        let fits = "a head of at most 16 MiB and a key of at most 128 bytes fit";
        let prologue = Prologue {
            codec: codec.id(),
            compression: 0,
            revision: random::bytes()?,
            salt: random::bytes()?,
            purge_at: head.purge_at(),
            body_len: 0,
            stored_len: 0,
            head_len: u32::try_from(encoded.len()).expect(fits),
            body_offset: u32::try_from(prefix.len()).expect(fits),
            key_len: u8::try_from(key.as_str().len()).expect(fits),
        };
        Ok(Self { prologue, prefix })
    }
}

/// An entry that is written while its body arrives.
struct Sink {
    shared: Arc<Shared>,
    key: CacheKey,
    draft: Draft,
    prologue: Prologue,
    prefix: Vec<u8>,
    table: Table,
    compressor: Option<Box<dyn Compressor>>,
    compressed: Vec<u8>,
}

impl Sink {
    fn begin(
        shared: &Arc<Shared>,
        key: CacheKey,
        head: &ResponseHead,
        body_len: Option<u64>,
    ) -> Result<Self> {
        let Beginning { mut prologue, prefix } = Beginning::new(shared, &key, head, body_len)?;
        let compression = shared.codecs.compression_for(head, body_len);
        prologue.compression = compression.map_or(0, |compression| compression.id());
        let compressor = compression.map(|compression| compression.compressor()).transpose()?;
        shared.check_disk()?;
        let draft = Draft::create(shared)?;
        let path = draft.path();
        shared.fs.write(&draft.file, &[&prefix], &path).map_err(Cause::io("write the entry", &path))?;
        Ok(Self {
            shared: Arc::clone(shared),
            key,
            draft,
            table: Table::new(prologue.salt),
            prologue,
            prefix,
            compressor,
            compressed: Vec::new(),
        })
    }

    fn write(&mut self, gathered: &Gathered) -> Result<()> {
        self.prologue.body_len += gathered.len as u64;
        let Some(compressor) = &mut self.compressor else {
            let pieces: Vec<&[u8]> = gathered.pieces.iter().map(AsRef::as_ref).collect();
            return self.store(&pieces);
        };
        let mut compressed = std::mem::take(&mut self.compressed);
        for piece in &gathered.pieces {
            compressor.compress(piece, &mut compressed)?;
        }
        self.store(&[&compressed])?;
        compressed.clear();
        self.compressed = compressed;
        Ok(())
    }

    fn store(&mut self, pieces: &[&[u8]]) -> Result<()> {
        for piece in pieces {
            self.table.update(piece);
            self.prologue.stored_len += piece.len() as u64;
        }
        self.shared.check_len(&self.prologue)?;
        self.shared.check_disk()?;
        let path = self.draft.path();
        self.shared.fs.write(&self.draft.file, pieces, &path).map_err(Cause::io("write the entry", &path))
    }

    fn finish(mut self) -> Result<()> {
        if let Some(compressor) = self.compressor.take() {
            let mut rest = Vec::new();
            compressor.finish(&mut rest)?;
            self.store(&[&rest])?;
        }
        let path = self.draft.path();
        let failed = || Cause::io("write the entry", &path);
        let fs = &self.shared.fs;
        fs.write(&self.draft.file, &[&self.table.finish()], &path).map_err(failed())?;
        self.prologue.seal(&mut self.prefix);
        fs.write_first(&self.draft.file, &self.prefix, &path).map_err(failed())?;
        self.shared.stamp(&self.draft, self.prologue.purge_at);
        self.draft.publish(&self.key)
    }
}

impl Shared {
    fn check_len(&self, prologue: &Prologue) -> Result<()> {
        let limit = self.options.longest_entry();
        match prologue.file_len() {
            Some(len) if len <= limit => Ok(()),
            len => Err(Cause::TooLarge { len: len.unwrap_or(u64::MAX), limit }),
        }
    }

    /// Sets the draft's file time to when a purge may delete it; a purge opens what has another for nothing.
    fn stamp(&self, draft: &Draft, purge_at: Option<Timestamp>) {
        let never = SystemTime::UNIX_EPOCH + NEVER;
        let time = purge_at.and_then(Timestamp::to_system_time).unwrap_or(never).min(never);
        let path = draft.path();
        if let Err(error) = self.fs.set_times(&draft.file, time, &path) {
            tracing::debug!(path = %path.display(), %error, "cannot set the time of an entry");
        }
    }
}
