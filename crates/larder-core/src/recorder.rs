//! What larder asks of a recorder of metrics: the handles of the `metrics` facade.
//!
//! A handle is asked for when a cache first counts and used ever after, so that nothing is looked up or allocated when a
//! number grows.

use std::sync::Arc;

use metrics::Label;
pub(crate) use metrics::{Counter, Gauge, Histogram, Unit};

/// Whether there may be a recorder.
pub(crate) const IS_THERE: bool = true;

/// The recorder that was installed when it is asked, and the name of the cache whose numbers it is told.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    cache: Option<Arc<str>>,
}

impl Recorder {
    pub(crate) fn unnamed() -> Self {
        Self { cache: None }
    }

    pub(crate) fn of(cache: String) -> Self {
        Self { cache: Some(cache.into()) }
    }

    pub(crate) fn counter(
        &self,
        name: &'static str,
        unit: Unit,
        what: &'static str,
        label: Option<(&'static str, &'static str)>,
    ) -> Counter {
        metrics::describe_counter!(name, unit, what);
        metrics::counter!(name, self.labels(label))
    }

    pub(crate) fn gauge(&self, name: &'static str, unit: Unit, what: &'static str) -> Gauge {
        metrics::describe_gauge!(name, unit, what);
        metrics::gauge!(name, self.labels(None))
    }

    pub(crate) fn histogram(
        &self,
        name: &'static str,
        unit: Unit,
        what: &'static str,
        label: (&'static str, &'static str),
    ) -> Histogram {
        metrics::describe_histogram!(name, unit, what);
        metrics::histogram!(name, self.labels(Some(label)))
    }

    fn labels(&self, label: Option<(&'static str, &'static str)>) -> Vec<Label> {
        let own = label.map(|(name, value)| Label::from_static_parts(name, value));
        let cache = self.cache.as_ref().map(|cache| Label::new("cache", Arc::clone(cache)));
        cache.into_iter().chain(own).collect()
    }
}
