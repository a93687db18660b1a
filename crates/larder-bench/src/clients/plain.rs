//! reqwest without a cache: what it costs to ask an origin that is as near as can be.

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::BoxError;
use reqwest::Client;

use crate::contender::{Survives, Terms, WholeClient};

pub(super) const NAME: &str = "reqwest, no cache";

/// A client that asks the origin every time.
pub(super) struct Plain {
    client: Client,
}

impl Plain {
    pub(super) fn new() -> Result<Self, BoxError> {
        Ok(Self { client: super::inner(Client::builder()).build()? })
    }
}

#[async_trait]
impl WholeClient for Plain {
    fn name(&self) -> &'static str {
        NAME
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "nothing",
            survives: Survives::Nothing,
            verification: "nothing",
            processes: "many processes",
            in_memory: false,
        }
    }

    fn caches(&self) -> bool {
        false
    }

    async fn get(&self, url: &str) -> Result<Bytes, BoxError> {
        Ok(self.client.get(url).send().await?.error_for_status()?.bytes().await?)
    }
}
