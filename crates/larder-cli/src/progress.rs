//! Bars on standard error while a command works; they draw nothing where that is not a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Returns a bar of as many entries, which is seen at once and not only when the first entry is done.
pub(crate) fn of_entries(entries: u64) -> ProgressBar {
    drawn(ProgressBar::new(entries), "{wide_bar} {pos}/{len} entries, {eta} left")
}

/// Returns a bar of as many bytes.
pub(crate) fn of_bytes(bytes: u64) -> ProgressBar {
    drawn(ProgressBar::new(bytes), "{wide_bar} {binary_bytes}/{binary_total_bytes}, {eta} left")
}

/// Returns something that turns, for work of unknown length.
pub(crate) fn of_unknown(what: &'static str) -> ProgressBar {
    drawn(ProgressBar::new_spinner().with_message(what), "{spinner} {msg}")
}

fn drawn(bar: ProgressBar, template: &str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.force_draw();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
