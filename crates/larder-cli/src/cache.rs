//! Where the cache directory is, and opening it.
//!
//! Nothing but a request makes a cache: every other command takes the one that is there, or says that there is none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use larder::file::FileStore;
use larder::{CacheBackend, FileBackend};

use crate::output::remark;
use crate::status::{Failure, Result};

/// The file that only a cache directory has: the record of its layout (`docs/format.md`).
const LAYOUT: &str = "layout";

/// The variable of the environment that names the cache directory; an empty one is as good as none.
const VARIABLE: &str = "LARDER_DIR";

/// The cache in a directory: its parts together, and the file store for what only that has.
pub(crate) struct Cache {
    pub(crate) backend: CacheBackend,
    pub(crate) files: FileStore,
}

impl Cache {
    /// Opens the cache that is in `dir`, or in the default directory.
    pub(crate) async fn open_existing(dir: Option<PathBuf>) -> Result<Self> {
        let dir = directory(dir)?;
        match dir.join(LAYOUT).try_exists() {
            Ok(true) => Self::open(&dir).await,
            Ok(false) => Err(Failure::not_in_cache(format!("there is no cache in {}", dir.display()))),
            Err(error) => Err(Failure::new(format!("cannot look into {}", dir.display())).because(error)),
        }
    }

    /// Opens the cache in `dir`, or in the default directory, after making it if it is not there.
    pub(crate) async fn open_or_make(dir: Option<PathBuf>) -> Result<Self> {
        Self::open(&directory(dir)?).await
    }

    async fn open(dir: &Path) -> Result<Self> {
        let (files, redirects) = FileBackend::new(dir).open_parts().await?;
        let backend = CacheBackend::new(Arc::new(files.clone()), Arc::new(redirects));
        Ok(Self { backend, files })
    }

    /// Waits for what is under way; says if the index failed where that was no failure of the command.
    pub(crate) async fn close(self) -> Result<()> {
        if self.backend.failures() > 0 {
            remark("the index of redirects failed; what is left in it leads nowhere, and does no harm");
        }
        Ok(self.backend.close().await?)
    }
}

/// Returns the cache directory as an absolute path: `dir`, else that of the environment, else that of the user.
pub(crate) fn directory(dir: Option<PathBuf>) -> Result<PathBuf> {
    let of_environment = || std::env::var_os(VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let Some(dir) = dir.or_else(of_environment) else {
        let base = etcetera::choose_base_strategy();
        let base = base.map_err(|error| {
            Failure::new("there is no default cache directory: name one with --dir").because(error)
        })?;
        return Ok(base.cache_dir().join("larder"));
    };
    // A variable of the environment comes as it was written, without a shell's expansion.
    let dir = match dir.strip_prefix("~") {
        Ok(rest) => etcetera::home_dir()
            .map_err(|error| Failure::new("there is no home directory").because(error))?
            .join(rest),
        Err(_) => dir,
    };
    let absolute = std::path::absolute(&dir);
    absolute.map_err(|error| Failure::new(format!("{} is no directory", dir.display())).because(error))
}
