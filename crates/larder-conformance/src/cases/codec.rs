//! What one serialization format does.

use larder_core::Codec;

use crate::failure::Verdict;

pub(crate) fn the_smallest_head_round_trips(_codec: &dyn Codec) -> Verdict {
    Ok(())
}
