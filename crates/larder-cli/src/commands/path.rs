//! `larder path`: where the cache directory is.

use std::path::PathBuf;

use crate::cache;
use crate::output::Output;
use crate::status::{Result, Status};

pub(crate) fn run(dir: Option<PathBuf>, output: &mut Output) -> Result {
    output.line(cache::directory(dir)?.display())?;
    Ok(Status::Done)
}
