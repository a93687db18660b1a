//! The redirect index of larder in SQLite: which requests led by redirect to which entry.
//!
//! [`SqliteRedirects`] implements [`RedirectIndex`](larder_core::RedirectIndex), whose documentation is the
//! contract. The index is one database, `redirects.sqlite` in a cache directory, in write-ahead mode. Any number
//! of processes, and of indexes in one process, may use it at the same time on a local file system.
//!
//! The database is a hint, so that it is never worth an error that can be avoided: one that is corrupt, that is
//! another program's, or that is no regular file, is renamed to `redirects.sqlite.corrupt` and replaced by an empty
//! one; one that vanished is created anew. Only a database of a newer larder is refused and left as it is.
//!
//! ```
//! use larder_core::{CacheKey, RedirectIndex};
//! use larder_redirects::SqliteRedirects;
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("redirects.sqlite");
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let index = SqliteRedirects::builder(&path).open().await?;
//! let (old, new) = (CacheKey::digest("http://example.org/"), CacheKey::digest("https://example.org/"));
//! index.write(&[old.clone()], &new, None).await?;
//! assert_eq!(index.read(&old).await?.map(|alias| alias.target), Some(new));
//! index.close().await?;
//! # Ok::<(), larder_core::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attempt;
mod builder;
mod busy;
mod change;
mod database;
mod error;
mod files;
mod held;
mod index;
mod lanes;
mod lock;
mod mirror;
mod opener;
mod queries;
mod schema;
mod session;
#[cfg(test)]
mod tests;
mod writer;

pub use builder::SqliteRedirectsBuilder;
pub use index::SqliteRedirects;
