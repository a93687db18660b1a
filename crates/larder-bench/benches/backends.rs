//! Every operation of every backend, beside the plain system calls; one group per operation and size.
//!
//! What an operation needs is prepared, and what it leaves is removed, outside of the time that is measured.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use futures_util::TryStreamExt;
use larder_bench::{Index, Limit, SIZES, Store, key, response};
use larder_core::{CacheKey, Result};
use tokio::runtime::Runtime;

/// How many entries are in a store that is listed, and how many aliases in an index.
const MANY: usize = 1_000;
/// How many keys one bulk operation takes.
const BULK: usize = 100;
/// Why nothing of this may fail.
const PREPARED: &str = "what is measured can be prepared";

/// Everything that is measured.
struct Place {
    runtime: Runtime,
    stores: Vec<Store>,
    indexes: Vec<Index>,
    limit: Limit,
}

impl Place {
    fn new() -> Result<Self> {
        let runtime = Runtime::new()?;
        let stores = runtime.block_on(Store::all())?;
        let indexes = runtime.block_on(Index::all())?;
        Ok(Self { runtime, stores, indexes, limit: Limit::new()? })
    }
}

/// The benchmarks of one group, on one runtime.
struct Bench<'a> {
    group: BenchmarkGroup<'a, WallTime>,
    runtime: &'a Runtime,
}

impl<'a> Bench<'a> {
    fn new(criterion: &'a mut Criterion, runtime: &'a Runtime, name: impl Into<String>) -> Self {
        Self { group: criterion.benchmark_group(name), runtime }
    }

    /// Measures `operation`, which takes what `prepare` returns; neither may fail.
    fn measure<T, R>(
        &mut self,
        name: &str,
        mut prepare: impl AsyncFnMut() -> Result<T>,
        mut operation: impl AsyncFnMut(T) -> Result<R>,
    ) {
        self.group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                self.runtime.block_on(async {
                    let mut total = Duration::ZERO;
                    for _ in 0..count {
                        let input = prepare().await.expect(PREPARED);
                        let start = Instant::now();
                        let output = operation(input).await;
                        total += start.elapsed();
                        black_box(output.expect("what is measured succeeds"));
                    }
                    total
                })
            });
        });
    }
}

/// What every operation of a store on the disk costs at least, whatever it does there.
fn hop(criterion: &mut Criterion, Place { runtime, .. }: &Place) {
    let mut bench = Bench::new(criterion, runtime, "hop to a blocking thread");
    let hop = async |()| Ok(tokio::task::spawn_blocking(|| black_box(1)).await.expect(PREPARED));
    bench.measure("limit", async || Ok(()), hop);
}

fn read(criterion: &mut Criterion, Place { runtime, stores, limit, .. }: &Place) {
    let key = key(0);
    for size in SIZES {
        let mut bench = Bench::new(criterion, runtime, format!("read/{}", size.name));
        limit.replace(key.as_str(), &vec![1; size.bytes]).expect(PREPARED);
        bench.measure("limit", async || Ok(()), async |()| Ok(limit.read(key.as_str())?));
        for Store { name, store, .. } in stores {
            runtime.block_on(store.write(&key, response(0, size.bytes))).expect(PREPARED);
            bench.measure(
                name,
                async || Ok(()),
                async |()| store.read(&key).await?.expect(PREPARED).body.bytes().await,
            );
        }
    }
}

fn write_new(criterion: &mut Criterion, Place { runtime, stores, limit, .. }: &Place) {
    let key = key(0);
    for size in SIZES {
        let mut bench = Bench::new(criterion, runtime, format!("write_new/{}", size.name));
        let bytes = vec![1; size.bytes];
        bench.measure(
            "limit",
            async || Ok(limit.delete_if_there(key.as_str())?),
            async |()| Ok(limit.create(key.as_str(), &bytes)?),
        );
        for Store { name, store, .. } in stores {
            bench.measure(
                name,
                async || store.delete(&key).await.map(|_| response(0, size.bytes)),
                async |response| store.write(&key, response).await,
            );
        }
    }
}

fn write_replace(criterion: &mut Criterion, Place { runtime, stores, limit, .. }: &Place) {
    let key = key(0);
    for size in SIZES {
        let mut bench = Bench::new(criterion, runtime, format!("write_replace/{}", size.name));
        let bytes = vec![1; size.bytes];
        bench.measure("limit", async || Ok(()), async |()| Ok(limit.replace(key.as_str(), &bytes)?));
        for Store { name, store, .. } in stores {
            bench.measure(
                name,
                async || Ok(response(0, size.bytes)),
                async |response| store.write(&key, response).await,
            );
        }
    }
}

fn contains(criterion: &mut Criterion, Place { runtime, stores, limit, .. }: &Place) {
    let key = key(0);
    let mut bench = Bench::new(criterion, runtime, "contains");
    limit.replace(key.as_str(), b"").expect(PREPARED);
    bench.measure("limit", async || Ok(()), async |()| Ok(limit.contains(key.as_str())?));
    for Store { name, store, .. } in stores {
        runtime.block_on(store.write(&key, response(0, 1024))).expect(PREPARED);
        bench.measure(name, async || Ok(()), async |()| store.contains(&key).await);
    }
}

fn keys(criterion: &mut Criterion, Place { runtime, stores, limit, .. }: &Place) {
    let mut bench = Bench::new(criterion, runtime, format!("keys/{MANY} entries"));
    for number in 0..MANY {
        limit.replace(key(number).as_str(), b"").expect(PREPARED);
    }
    bench.measure("limit", async || Ok(()), async |()| Ok(limit.list()?));
    for Store { name, store, .. } in stores {
        for number in 0..MANY {
            runtime.block_on(store.write(&key(number), response(0, 1024))).expect(PREPARED);
        }
        bench.measure(
            name,
            async || Ok(()),
            async |()| store.keys().try_fold(0_usize, async |count, _| Ok(count + 1)).await,
        );
    }
}

fn bulk_delete(criterion: &mut Criterion, Place { runtime, stores, limit, .. }: &Place) {
    let keys: Vec<CacheKey> = (0..BULK).map(key).collect();
    let mut bench = Bench::new(criterion, runtime, format!("bulk_delete/{BULK} keys"));
    bench.measure(
        "limit",
        async || Ok(keys.iter().try_for_each(|key| limit.replace(key.as_str(), b""))?),
        async |()| Ok(keys.iter().try_for_each(|key| limit.delete_if_there(key.as_str()))?),
    );
    for Store { name, store, .. } in stores {
        bench.measure(
            name,
            async || {
                for key in &keys {
                    store.write(key, response(0, 1024)).await?;
                }
                Ok(())
            },
            async |()| store.bulk_delete(&keys).await,
        );
    }
}

fn redirect_lookup(criterion: &mut Criterion, Place { runtime, indexes, .. }: &Place) {
    let mut bench = Bench::new(criterion, runtime, format!("redirect lookup/{MANY} aliases"));
    let aliases: Vec<CacheKey> = (0..MANY).map(key).collect();
    for Index { name, index, .. } in indexes {
        runtime.block_on(index.write(&aliases, &key(MANY), None)).expect(PREPARED);
        bench.measure(name, async || Ok(()), async |()| index.read(&aliases[MANY / 2]).await);
    }
}

fn all(criterion: &mut Criterion) {
    let place = Place::new().expect(PREPARED);
    for bench in [hop, read, write_new, write_replace, contains, keys, bulk_delete, redirect_lookup] {
        bench(criterion, &place);
    }
}

criterion_group! {
    name = backends;
    config = Criterion::default()
        .sample_size(20)
        .nresamples(2_000)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .without_plots();
    targets = all
}
criterion_main!(backends);
