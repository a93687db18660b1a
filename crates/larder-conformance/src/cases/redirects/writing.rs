//! Aliases are kept as they were written.

use crate::case::Setup;
use crate::failure::Verdict;

pub(crate) async fn an_alias_leads_to_its_target(setup: &Setup) -> Verdict {
    setup.index().await?;
    Ok(())
}
