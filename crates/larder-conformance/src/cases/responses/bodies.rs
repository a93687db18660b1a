//! Bodies are kept byte for byte, whatever their length and however they arrive.

use crate::case::Setup;
use crate::failure::Verdict;

pub(crate) async fn an_empty_body_is_kept(setup: &Setup) -> Verdict {
    setup.store().await?;
    Ok(())
}
