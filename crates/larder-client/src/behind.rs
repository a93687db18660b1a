//! Validation behind an answer that was stale (RFC 5861, section 3): once for each key at a time, and bounded.

use std::time::Duration;

use http::Request;
use larder_core::Result;
use larder_policy::{Decision, Forward, RequestKeys, RequestOptions};

use crate::cache::key_request;
use crate::flights::Leader;
use crate::forward::{Forwarded, Outcome};
use crate::trail::Trail;
use crate::variants::Place;
use crate::{Origin, RequestBody, ResponseCache, request};

/// How many validations of one cache may be under way behind answers.
pub(crate) const MOST_BEHIND: usize = 64;
/// How long a validation behind an answer may take, its body included.
const LONGEST: Duration = Duration::from_mins(5);

impl ResponseCache {
    /// Validates what is stored for `request` in a task of its own, unless that is under way already.
    ///
    /// Returns whether it is validated; if not, there is nobody who could ask the origin behind the answer.
    pub(crate) fn validate_behind(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        keys: &RequestKeys,
        place: &Place,
        origin: &dyn Origin,
    ) -> bool {
        let Some(origin) = origin.detached() else { return false };
        let Some(body) = request.body().try_clone() else { return false };
        let mut request = request::with_body(request, body);
        // What is validated is the whole, whatever part of it was the answer.
        request::ask_for_whole(request.headers_mut());
        let Ok(permit) = self.inner.behind.clone().try_acquire_owned() else { return true };
        let flight = self.flight_key(&request, &keys.primary, place);
        let Some(leader) = self.inner.flights.lead(&flight, &keys.primary) else { return true };
        let (cache, options, keys) = (self.clone(), options.clone(), keys.clone());
        tokio::spawn(async move {
            let validate = cache.validate(request, &options, keys, leader, origin);
            match tokio::time::timeout(LONGEST, validate).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "not validated behind the answer"
                    );
                }
                Err(_elapsed) => tracing::debug!("validating behind the answer took too long"),
            }
            drop(permit);
        });
        true
    }

    async fn validate(
        &self,
        mut request: Request<RequestBody>,
        options: &RequestOptions,
        keys: RequestKeys,
        leader: Leader<Outcome>,
        mut origin: Box<dyn Origin>,
    ) -> Result<()> {
        let now = self.inner.clock.now();
        let (stored, place) = self.find(&request, &keys.primary, now).await;
        let head = stored.as_ref().map(crate::stored::Stored::head);
        let decision = self.inner.policy.decide(&key_request(&request), options, head, now);
        let (Decision::UseWhileValidating { conditions } | Decision::Validate { conditions, .. }) = decision
        else {
            // Somebody else was faster.
            leader.land();
            return Ok(());
        };
        let trail = Trail::default();
        let forwarded = Forwarded {
            request: &mut request,
            options,
            trail: &trail,
            keys,
            stored,
            place,
            conditions,
            reason: Forward::Stale,
            leader: Some(leader),
            is_behind: true,
        };
        let answer = self.forward(forwarded, &mut *origin).await?;
        let mut body = answer.body;
        while body.chunk().await?.is_some() {}
        Ok(())
    }
}
