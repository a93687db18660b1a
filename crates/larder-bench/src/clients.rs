//! Whole clients: a request in, a response out, with the cache that each has.
//!
//! All of them send with a client of reqwest without a proxy, so that what differs is the cache.

#[cfg(feature = "peers")]
mod http_cache;
mod larder;
mod plain;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::larder::CacheOptions;
use larder_core::BoxError;

use crate::contender::WholeClient;

/// How long the fixed mode of larder keeps a response: as long as the origin says, so that both modes do.
const FIXED: Duration = Duration::from_hours(24);

/// Returns every client, its cache empty, each in a directory of its own under `directory`.
///
/// Without the feature `peers`, these are larder's and one that has no cache.
///
/// # Errors
///
/// When one of them cannot be made.
pub async fn clients(directory: &Path) -> Result<Vec<Arc<dyn WholeClient>>, BoxError> {
    let own = |name: &str| -> Result<PathBuf, BoxError> {
        let own = directory.join(name);
        std::fs::create_dir_all(&own)?;
        Ok(own)
    };
    let standard = ("larder, reqwest client, RFC 9111", CacheOptions::standard());
    let fixed = ("larder, reqwest client, fixed expiry", CacheOptions::fixed(FIXED));
    let mut clients: Vec<Arc<dyn WholeClient>> = vec![
        Arc::new(larder::Larder::open(standard.0, standard.1, &own("larder-standard")?).await?),
        Arc::new(larder::Larder::open(fixed.0, fixed.1, &own("larder-fixed")?).await?),
    ];
    #[cfg(feature = "peers")]
    clients.extend(http_cache::all(own)?);
    clients.push(Arc::new(plain::Plain::new()?));
    Ok(clients)
}

/// Returns the options of every inner client.
fn inner(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.no_proxy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origin;
    use crate::sample::body;

    const BYTES: usize = 10 << 10;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_hit_asks_the_origin_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        for client in clients(directory.path()).await.expect("clients") {
            let name = client.name();
            let origin = Origin::start(BYTES).await.expect("an origin");
            for number in 0..4 {
                let got = client.get(&origin.url(number)).await.expect(name);
                assert_eq!(got, body(number, BYTES), "{name}");
            }
            assert_eq!(origin.asked(), 4, "{name}");
            for number in (0..4).cycle().take(20) {
                let got = client.get(&origin.url(number)).await.expect(name);
                assert_eq!(got, body(number, BYTES), "{name}");
            }
            let asked_again = if name == plain::NAME { 20 } else { 0 };
            assert_eq!(origin.asked(), 4 + asked_again, "{name}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let origin = Origin::start(BYTES).await.expect("an origin");
        for client in clients(directory.path()).await.expect("clients") {
            client.get(&format!("{}/none", origin.url(0))).await.expect_err(client.name());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_tasks_may_use_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let origin = Origin::start(BYTES).await.expect("an origin");
        for client in clients(directory.path()).await.expect("clients") {
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..64 {
                let (client, url) = (Arc::clone(&client), origin.url(number % 8));
                tasks.spawn(async move { (client.name(), number % 8, client.get(&url).await) });
            }
            for (name, number, got) in tasks.join_all().await {
                assert_eq!(got.expect(name), body(number, BYTES), "{name}");
            }
        }
    }
}
