//! What stands in for a recorder where the feature `metrics` is off: handles that do nothing and take no room.

use std::time::Duration;

/// Whether there may be a recorder.
pub(crate) const IS_THERE: bool = false;

#[derive(Debug, Clone)]
pub(crate) struct Recorder;

#[derive(Debug)]
pub(crate) struct Counter;

#[derive(Debug)]
pub(crate) struct Gauge;

#[derive(Debug)]
pub(crate) struct Histogram;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Bytes,
    Count,
    Seconds,
}

#[expect(clippy::unused_self, reason = "the same calls as where there is a recorder")]
impl Recorder {
    pub(crate) fn unnamed() -> Self {
        Self
    }

    pub(crate) fn counter(
        &self,
        _name: &'static str,
        _unit: Unit,
        _what: &'static str,
        _label: Option<(&'static str, &'static str)>,
    ) -> Counter {
        Counter
    }

    pub(crate) fn gauge(&self, _name: &'static str, _unit: Unit, _what: &'static str) -> Gauge {
        Gauge
    }

    pub(crate) fn histogram(
        &self,
        _name: &'static str,
        _unit: Unit,
        _what: &'static str,
        _label: (&'static str, &'static str),
    ) -> Histogram {
        Histogram
    }
}

#[expect(clippy::unused_self, reason = "the same calls as where there is a recorder")]
impl Counter {
    pub(crate) fn increment(&self, _by: u64) {}
}

#[expect(clippy::unused_self, reason = "the same calls as where there is a recorder")]
impl Gauge {
    pub(crate) fn set(&self, _value: f64) {}
}

#[expect(clippy::unused_self, reason = "the same calls as where there is a recorder")]
impl Histogram {
    pub(crate) fn record(&self, _value: impl IntoValue) {}
}

/// What a histogram records.
pub(crate) trait IntoValue {}

impl IntoValue for f64 {}
impl IntoValue for Duration {}
