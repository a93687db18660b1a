//! The recorder is told the same numbers, by the names that the guide lists.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use larder_client::{CacheOptions, ResponseCache};
use larder_core::CacheBackend;
use larder_memory::{MemoryRedirects, MemoryStore};
use metrics::Unit;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

use crate::support::{HOUR, ScriptedOrigin, World, get, ok};

/// A world whose cache counted first when a recorder was installed; nothing is installed any more when it goes on.
fn recorded(origin: ScriptedOrigin) -> (World, Snapshotter) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let world = metrics::with_local_recorder(&recorder, || {
        let world = World::with(CacheOptions::fixed(HOUR), origin, |builder| builder);
        // Nothing is deleted, and what the store knows of itself is told after it.
        let nothing = world.cache.backend().bulk_delete(&[]).now_or_never();
        assert_eq!(nothing.expect("it is done at once").expect("it is done"), 0);
        world
    });
    (world, snapshotter)
}

/// Returns what was told since the last time: by name and labels, the unit and the values, unless there are none but zero.
fn told(snapshotter: &Snapshotter) -> BTreeMap<String, (Unit, String)> {
    let mut told = BTreeMap::new();
    for (key, unit, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        let values = match value {
            DebugValue::Counter(count) => count.to_string(),
            DebugValue::Gauge(value) => value.to_string(),
            DebugValue::Histogram(values) => {
                values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            }
        };
        if !matches!(&*values, "" | "0") {
            told.insert(name, (unit.expect("every metric has a unit"), values));
        }
    }
    told
}

fn instant_origin() -> ScriptedOrigin {
    ScriptedOrigin::new(|_| async { Ok(ok("0123456789")) })
}

#[tokio::test(start_paused = true)]
async fn a_miss_and_its_hits_are_told_with_lengths_and_latencies() {
    let origin = ScriptedOrigin::new(|_| async {
        tokio::time::advance(Duration::from_millis(250)).await;
        Ok(ok("0123456789"))
    });
    let (world, snapshotter) = recorded(origin);
    for _ in 0..3 {
        world.get("/a").await;
    }
    let mut told = told(&snapshotter);
    let expected = [
        ("larder_body_bytes{outcome=hit}", Unit::Bytes, "10 10"),
        ("larder_body_bytes{outcome=miss}", Unit::Bytes, "10"),
        ("larder_bytes{}", Unit::Bytes, "10"),
        ("larder_entries{}", Unit::Count, "1"),
        ("larder_from_cache_bytes_total{}", Unit::Bytes, "20"),
        ("larder_lookups_found_total{}", Unit::Count, "2"),
        ("larder_request_seconds{outcome=hit}", Unit::Seconds, "0 0"),
        ("larder_request_seconds{outcome=miss}", Unit::Seconds, "0.25"),
        ("larder_requests_total{outcome=hit}", Unit::Count, "2"),
        ("larder_requests_total{outcome=miss}", Unit::Count, "1"),
        ("larder_stored_bytes_total{}", Unit::Bytes, "10"),
        ("larder_stored_total{}", Unit::Count, "1"),
    ];
    // How often a request looks before it asks the origin is its own affair.
    told.remove("larder_lookups_missed_total{}");
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|(name, unit, values)| (name.to_owned(), (unit, values.to_owned())))
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_recorder_is_asked_only_once() {
    let (world, snapshotter) = recorded(instant_origin());
    let late = DebuggingRecorder::new();
    let _installed = metrics::set_default_local_recorder(&late);
    world.get("/a").await;
    world.get("/a").await;
    assert!(late.snapshotter().snapshot().into_vec().is_empty(), "nothing is looked up for a request");
    assert!(told(&snapshotter).contains_key("larder_requests_total{outcome=hit}"));
}

#[tokio::test]
async fn looking_at_the_numbers_does_not_ask_for_the_recorder() {
    let world = World::with(CacheOptions::fixed(HOUR), instant_origin(), |builder| builder);
    assert_eq!(world.cache.backend().stats().requests(), 0);
    assert_eq!(world.cache.backend().failures(), 0);
    let recorder = DebuggingRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    world.get("/a").await;
    assert!(told(&recorder.snapshotter()).contains_key("larder_requests_total{outcome=miss}"));
    assert_eq!(world.cache.backend().stats().requests(), 1);
}

#[tokio::test]
async fn what_the_store_knows_of_itself_is_told_after_every_change() {
    let (world, snapshotter) = recorded(instant_origin());
    for path in ["/a", "/b", "/c"] {
        world.get(path).await;
    }
    let gauges = |told: &BTreeMap<String, (Unit, String)>| {
        ["larder_entries{}", "larder_bytes{}"]
            .map(|name| told.get(name).map_or("0".to_owned(), |(_, value)| value.clone()))
    };
    assert_eq!(gauges(&told(&snapshotter)), ["3", "30"]);
    world.cache.delete_url(get("/a").uri()).await.expect("it is deleted");
    assert_eq!(gauges(&told(&snapshotter)), ["2", "20"]);
    world.cache.backend().clear().await.expect("it is cleared");
    assert_eq!(gauges(&told(&snapshotter)), ["0", "0"]);
}

#[tokio::test]
async fn the_caches_of_a_process_are_told_apart_by_their_names() {
    let recorder = DebuggingRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let caches = ["pages", "images"].map(|name| {
        let parts = (Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new()));
        let backend = CacheBackend::new(parts.0, parts.1).named(name);
        ResponseCache::new(backend, CacheOptions::fixed(HOUR)).expect("the options are good")
    });
    for (cache, times) in caches.iter().zip([1, 2]) {
        for _ in 0..times {
            let response = cache.send(get("/a"), &mut instant_origin()).await.expect("an answer");
            response.bytes().await.expect("a whole body");
        }
    }
    let told = told(&recorder.snapshotter());
    let misses = ["pages", "images"]
        .map(|name| &*told[&format!("larder_requests_total{{cache={name},outcome=miss}}")].1);
    assert_eq!(misses, ["1", "1"]);
    assert!(told.contains_key("larder_requests_total{cache=images,outcome=hit}"));
    assert!(!told.contains_key("larder_requests_total{cache=pages,outcome=hit}"));
    assert!(told.keys().all(|name| name.contains("{cache=")), "nothing is told without a name: {told:?}");
}
