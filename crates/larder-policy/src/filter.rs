//! What the caller admits to the store, or from it, by looking at the head.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use larder_core::ResponseHead;

type Admitted = Pin<Box<dyn Future<Output = bool> + Send>>;

/// A function that decides whether a response may be stored, or used once it is.
///
/// It is called where it is asked, and a panic in it is not caught here. Cloning is cheap.
///
/// # Examples
///
/// ```
/// use larder_policy::{CacheOptions, Expiry, Filter};
///
/// let options = CacheOptions::fixed(Expiry::Never)
///     .filter_on_write(Filter::new(|head| !head.headers.contains_key("x-preview")))
///     .filter_on_read(Filter::new_async(async |head| head.url.path() != "/status"));
/// assert!(options.build().is_ok());
/// ```
#[derive(Clone)]
pub struct Filter(Kind);

#[derive(Clone)]
enum Kind {
    Sync(Arc<dyn Fn(&ResponseHead) -> bool + Send + Sync>),
    Async(Arc<dyn Fn(ResponseHead) -> Admitted + Send + Sync>),
}

impl Filter {
    /// Returns the filter that admits what `admits` returns `true` for.
    #[must_use]
    pub fn new(admits: impl Fn(&ResponseHead) -> bool + Send + Sync + 'static) -> Self {
        Self(Kind::Sync(Arc::new(admits)))
    }

    /// Returns the filter that admits what the future of `admits` ends with `true` for.
    #[must_use]
    pub fn new_async<F>(admits: impl Fn(ResponseHead) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        Self(Kind::Async(Arc::new(move |head| Box::pin(admits(head)))))
    }

    /// Returns whether the filter admits the response; a dropped future has no effect but the function's own.
    pub async fn admits(&self, head: &ResponseHead) -> bool {
        match &self.0 {
            Kind::Sync(admits) => admits(head),
            Kind::Async(admits) => admits(head.clone()).await,
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Sync(_) => "Filter(sync)",
            Kind::Async(_) => "Filter(async)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;
    use http::{Method, StatusCode, Uri};
    use larder_core::Timestamp;

    #[test]
    fn a_filter_is_asked_with_the_head() {
        let head = |status| ResponseHead::new(Method::GET, Uri::default(), status, Timestamp::UNIX_EPOCH);
        let is_ok = |head: &ResponseHead| head.status == StatusCode::OK;
        for filter in [Filter::new(is_ok), Filter::new_async(move |head| async move { is_ok(&head) })] {
            assert!(block_on(filter.admits(&head(StatusCode::OK))), "{filter:?}");
            assert!(!block_on(filter.admits(&head(StatusCode::NOT_FOUND))), "{filter:?}");
        }
    }
}
