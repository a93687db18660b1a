//! A store of bytes with checksums, and with one flaw in how it takes them.
//!
//! An entry is stored as the length of its key, the key, the number of its head, its body and a checksum. The heads
//! are kept beside, by number: a codec would add nothing to what is tested.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future, stream};
use larder_conformance::{Fixture, Instance};
use larder_core::{
    BoxError, BoxStream, CacheKey, CachedResponse, Error, ErrorKind, ResponseHead, ResponseStore, Result,
    Revision, StoreStats, StoredHead, Timestamp, async_trait,
};
use larder_memory::MemoryRedirects;

use crate::store::Held;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Flaw {
    None,
    ChecksNothing,
    IgnoresTheKey,
    BrokenIsAnError,
    BrokenPanics,
    BrokenIsNotCounted,
    BrokenStaysBroken,
    BrokenEndsListings,
    BrokenStopsDeleting,
    UpdateHeadHealsTheBroken,
    TheFixtureDamagesNothing,
    TheFixtureCannotDamage,
}

/// A place in memory whose bytes can be damaged.
pub(crate) struct Place {
    flaw: Flaw,
    map: Arc<Mutex<Map>>,
    index: MemoryRedirects,
}

#[derive(Debug, Default)]
struct Map {
    stored: BTreeMap<CacheKey, Vec<u8>>,
    heads: Vec<ResponseHead>,
    damaged: u64,
}

impl Place {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self { flaw, map: Arc::default(), index: MemoryRedirects::new() }
    }
}

#[async_trait]
impl Fixture for Place {
    async fn open(&self) -> Result<Instance, BoxError> {
        let store = Checked { flaw: self.flaw, map: Arc::clone(&self.map) };
        Ok(Instance::new(Arc::new(store), Arc::new(self.index.clone())))
    }

    async fn stored_entry(&self, key: &CacheKey) -> Result<Vec<u8>, BoxError> {
        self.map.held().stored.get(key).cloned().ok_or_else(|| "no such entry".into())
    }

    async fn set_stored_entry(&self, key: &CacheKey, bytes: Vec<u8>) -> Result<(), BoxError> {
        match self.flaw {
            Flaw::TheFixtureCannotDamage => return Err("no way to the bytes".into()),
            Flaw::TheFixtureDamagesNothing => {}
            _ => drop(self.map.held().stored.insert(key.clone(), bytes)),
        }
        Ok(())
    }

    async fn damage_index(&self) -> Result<(), BoxError> {
        if self.flaw == Flaw::TheFixtureDamagesNothing {
            return Ok(());
        }
        Ok(larder_core::RedirectIndex::clear(&self.index).await?)
    }
}

#[derive(Debug, Clone)]
struct Checked {
    flaw: Flaw,
    map: Arc<Mutex<Map>>,
}

struct Entry {
    number: u64,
    head: ResponseHead,
    body: Bytes,
}

fn encode(key: &CacheKey, number: u64, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(key.as_str().len()).expect("at most 128");
    let mut bytes = vec![length];
    bytes.extend_from_slice(key.as_str().as_bytes());
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&checksum(&bytes).to_be_bytes());
    bytes
}

/// FNV-1a over words of eight bytes, and the length.
fn checksum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_be_bytes(word)
    });
    let length = std::iter::once(bytes.len() as u64);
    words.chain(length).fold(0xcbf2_9ce4_8422_2325, |sum, word| (sum ^ word).wrapping_mul(0x0100_0000_01b3))
}

impl Checked {
    /// Returns the entry that `bytes` are of, as far as this store looks.
    fn decode(&self, map: &Map, key: &CacheKey, bytes: &[u8]) -> Option<Entry> {
        let (length, rest) = bytes.split_first()?;
        let (stored_key, rest) = rest.split_at_checked(usize::from(*length))?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (body, sum) = rest.split_last_chunk::<8>()?;
        let covered = &bytes[..bytes.len() - 8];
        let sound = self.flaw == Flaw::ChecksNothing || checksum(covered).to_be_bytes() == *sum;
        let own = stored_key == key.as_str().as_bytes()
            || matches!(self.flaw, Flaw::IgnoresTheKey | Flaw::ChecksNothing);
        let number = u64::from_be_bytes(*number);
        let head = map.heads.get(usize::try_from(number).ok()?)?.clone();
        (sound && own).then(|| Entry { number, head, body: Bytes::copy_from_slice(body) })
    }

    fn entry(&self, key: &CacheKey) -> Result<Option<Entry>> {
        let mut map = self.map.held();
        let Some(bytes) = map.stored.get(key) else { return Ok(None) };
        let entry = self.decode(&map, key, bytes);
        map.damaged += u64::from(entry.is_none() && self.flaw != Flaw::BrokenIsNotCounted);
        assert!(entry.is_some() || self.flaw != Flaw::BrokenPanics, "a broken entry");
        if entry.is_none() && self.flaw == Flaw::BrokenIsAnError {
            return Err(Error::new(ErrorKind::Corrupt, "the checksum does not match").with_key(key));
        }
        Ok(entry)
    }

    fn put(&self, key: &CacheKey, head: ResponseHead, body: &[u8]) {
        let mut map = self.map.held();
        let number = map.heads.len() as u64;
        map.heads.push(head);
        map.stored.insert(key.clone(), encode(key, number, body));
    }

    fn list<T: Send + 'static>(
        &self,
        view: impl Fn(Entry) -> T + Send + 'static,
    ) -> BoxStream<'static, Result<(CacheKey, T)>> {
        let (store, mut ended) = (self.clone(), false);
        let mut item = move |key: Result<CacheKey>| {
            let key = key.ok().filter(|_| !ended)?;
            match store.entry(&key) {
                Ok(Some(entry)) => Some(Ok((key, view(entry)))),
                Ok(None) => {
                    ended =
                        store.flaw == Flaw::BrokenEndsListings && store.map.held().stored.contains_key(&key);
                    None
                }
                Err(error) => Some(Err(error)),
            }
        };
        self.keys().filter_map(move |key| future::ready(item(key))).boxed()
    }
}

fn revision(number: u64) -> Revision {
    Revision::new(number.to_string())
}

impl Entry {
    fn stored(self) -> StoredHead {
        StoredHead::new(self.head, revision(self.number), self.body.len() as u64)
    }

    fn response(self) -> CachedResponse {
        CachedResponse::new(self.head, self.body).at_revision(revision(self.number))
    }
}

#[async_trait]
impl ResponseStore for Checked {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        Ok(self.entry(key)?.map(Entry::response))
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        Ok(self.entry(key)?.map(Entry::stored))
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        let CachedResponse { head, body, .. } = response;
        let body = body.bytes().await?;
        if self.flaw == Flaw::BrokenStaysBroken {
            let map = self.map.held();
            if map.stored.get(key).is_some_and(|bytes| self.decode(&map, key, bytes).is_none()) {
                return Err(Error::new(ErrorKind::Corrupt, "a broken entry is in the way"));
            }
        }
        self.put(key, head, &body);
        Ok(())
    }

    async fn update_head(&self, key: &CacheKey, at: &Revision, head: ResponseHead) -> Result<bool> {
        let entry = self.entry(key)?;
        if self.flaw == Flaw::UpdateHeadHealsTheBroken && entry.is_none() && self.contains(key).await? {
            self.put(key, head, b"");
            return Ok(true);
        }
        let mut map = self.map.held();
        let bytes = map.stored.get(key).cloned().unwrap_or_default();
        let Some(entry) = self.decode(&map, key, &bytes).filter(|entry| revision(entry.number) == *at) else {
            return Ok(false);
        };
        let number = map.heads.len() as u64;
        map.heads.push(head);
        map.stored.insert(key.clone(), encode(key, number, &entry.body));
        Ok(true)
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        Ok(self.map.held().stored.contains_key(key))
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        Ok(self.map.held().stored.remove(key).is_some())
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        let mut map = self.map.held();
        Ok(keys.iter().filter(|key| map.stored.remove(*key).is_some()).count() as u64)
    }

    async fn clear(&self) -> Result<()> {
        self.map.held().stored.clear();
        Ok(())
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        let mut map = self.map.held();
        let mut expired = Vec::new();
        for (key, bytes) in &map.stored {
            match self.decode(&map, key, bytes) {
                Some(entry) if entry.head.purge_at().is_some_and(|at| at <= now) => expired.push(key.clone()),
                None if self.flaw == Flaw::BrokenStopsDeleting => break,
                _ => {}
            }
        }
        Ok(expired.iter().filter(|key| map.stored.remove(*key).is_some()).count() as u64)
    }

    async fn size(&self) -> Result<u64> {
        Ok(self.map.held().stored.len() as u64)
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        let map = Arc::clone(&self.map);
        let listing = future::lazy(move |_| {
            let keys: Vec<_> = map.held().stored.keys().cloned().map(Ok).collect();
            stream::iter(keys)
        });
        listing.flatten_stream().boxed()
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        self.list(Entry::stored)
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        self.list(Entry::response)
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default().with_counts(0, self.map.held().damaged)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
