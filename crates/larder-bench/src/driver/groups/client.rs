//! Hits through whole clients: a request in, a response out, with its key derived and the policy asked.

use std::future::ready;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};
use larder::client::RequestBody;
use larder::{CacheOptions, FileBackend, ResponseCache};
use larder_core::BoxError;

use super::tasks_shown;
use crate::driver::measure::{Lane, Measured, Turns};
use crate::driver::row::{Goal, LIMIT, Row};
use crate::driver::stage::{Stage, TASKS, keys, reading, scattered};
use crate::larder::FILE_TERMS;
use crate::{Contender, Limit, Origin, Terms, WholeClient, body, clients, number_of};

/// How many URLs there are.
const URLS: usize = 500;
const BYTES: usize = 10 << 10;
/// The lane that the goals are about: the client of larder that is used as the others are.
const SUBJECT: &str = "larder, reqwest client, RFC 9111";

/// Measures the group.
///
/// # Errors
///
/// When the clients cannot be made.
pub(crate) fn run(stage: &mut Stage) -> Result<(), BoxError> {
    let directory = stage.own()?;
    let origin = Arc::new(stage.runtime.block_on(Origin::start(BYTES))?);
    let urls: Arc<[String]> = (0..URLS).map(|number| origin.url(number)).collect();
    let limit: Arc<dyn Contender> = Arc::new(Limit::within(stage.directory())?);
    let (limits, _) = stage.fill(&[limit], BYTES, URLS);
    let mut all = stage.runtime.block_on(async {
        let mut all = clients(directory.path()).await?;
        all.insert(0, Arc::new(AnyClient::open(directory.path()).await?));
        Ok::<_, BoxError>(all)
    })?;
    let mut failed = Vec::new();
    all.retain(|client| match stage.runtime.block_on(fill(client, &origin, &urls)) {
        Ok(()) => true,
        Err(error) => {
            failed.push(Measured::failed(client.name(), error));
            false
        }
    });
    for tasks in TASKS {
        let keys = keys(URLS);
        let limits = limits.iter().map(|limit| reading(limit, tasks, &keys, BYTES));
        let lanes = limits.chain(all.iter().map(|client| {
            let lane = getting(client, tasks, &urls);
            if client.caches() { asking(lane, &origin, 0) } else { lane }
        }));
        #[cfg(feature = "peers")]
        let url = urls[0].clone();
        #[cfg(feature = "peers")]
        let python = stage.python(tasks, move |python, count| python.hit(&url, BYTES, count));
        // Before the first of its rounds it asks for what it is to have.
        #[cfg(feature = "peers")]
        let lanes = lanes.chain(python.map(|lane| asking(lane, &origin, 1)));
        let mut lanes = stage.measure(&stage.plan(), "whole client hit", &lanes.collect::<Vec<_>>());
        lanes.extend(failed.iter().cloned());
        let goals = if tasks == 1 {
            vec![
                Goal::Times { of: LIMIT, most: 3.0 },
                Goal::Faster { than: "http-cache-reqwest", least: 4.0 },
            ]
        } else {
            Vec::new()
        };
        let row = Row::new("client", "whole client hit, 10 KiB", tasks_shown(tasks), lanes);
        stage.rows.push(row.at(tasks).subject(SUBJECT).goals(goals));
    }
    Ok(())
}

/// Gets every URL twice, and compares what came; the origin must be asked the first time, and only then.
async fn fill(client: &Arc<dyn WholeClient>, origin: &Origin, urls: &[String]) -> Result<(), BoxError> {
    for expected in [URLS as u64, 0] {
        let before = origin.asked();
        for (number, url) in urls.iter().enumerate() {
            if client.get(url).await? != body(number, BYTES) {
                return Err(format!("response {number} has other bytes").into());
            }
        }
        let asked = origin.asked() - before;
        if client.caches() && asked != expected {
            return Err(format!("the origin was asked {asked} times, and not {expected}").into());
        }
    }
    Ok(())
}

/// Lets the lane fail if the origin is asked more often than so many times in a round.
fn asking(lane: Lane, origin: &Arc<Origin>, most: u64) -> Lane {
    let before = Arc::new(AtomicU64::new(0));
    let (noted, asked_first, asked_last) = (Arc::clone(&before), Arc::clone(origin), Arc::clone(origin));
    lane.prepare(move |_| {
        noted.store(asked_first.asked(), Ordering::Relaxed);
        ready(Ok(()))
    })
    .clean(move |_| {
        let asked = asked_last.asked() - before.load(Ordering::Relaxed);
        ready(if asked <= most { Ok(()) } else { Err(format!("{asked} hits asked the origin").into()) })
    })
}

fn getting(client: &Arc<dyn WholeClient>, tasks: usize, urls: &Arc<[String]>) -> Lane {
    let (shared, urls) = (Arc::clone(client), Arc::clone(urls));
    let worker = move |mut turns: Turns| {
        let (client, urls) = (Arc::clone(&shared), Arc::clone(&urls));
        async move {
            for number in &mut turns {
                let at = scattered(number) % urls.len();
                let got = client.get(&urls[at]).await?;
                if got.len() != BYTES || number_of(&got) != Some(at) {
                    return Err("another body came".into());
                }
            }
            Ok(turns)
        }
    };
    Lane::new(client.name(), tasks, worker).terms(client.terms())
}

/// larder's loop without the types of any client: what it costs by itself.
struct AnyClient {
    cache: ResponseCache,
    origin: reqwest::Client,
}

impl AnyClient {
    async fn open(directory: &Path) -> Result<Self, BoxError> {
        let backend = FileBackend::new(directory.join("any-client")).open().await?;
        let origin = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { cache: ResponseCache::new(backend, CacheOptions::standard())?, origin })
    }
}

#[async_trait]
impl WholeClient for AnyClient {
    fn name(&self) -> &'static str {
        "larder, any client, RFC 9111"
    }

    fn terms(&self) -> Terms {
        FILE_TERMS
    }

    async fn get(&self, url: &str) -> Result<Bytes, BoxError> {
        let request = Request::builder().method(Method::GET).uri(url).body(RequestBody::empty())?;
        let response = self.cache.send_once(request, &mut self.origin.clone()).await?;
        if response.status() != 200 {
            return Err(format!("the status is {}", response.status()).into());
        }
        Ok(response.bytes().await?)
    }
}
