//! Faults under the store: a plan that each file operation asks first.
//!
//! Without the feature `fault-injection` the plan is empty and asking it is nothing.

#[cfg(feature = "fault-injection")]
pub use planned::{Call, Fault, FaultPlan};
#[cfg(not(feature = "fault-injection"))]
pub(crate) use unplanned::FaultPlan;

/// An operation on the file system, as a fault plan sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "fault-injection"),
    expect(unreachable_pub, dead_code, reason = "public, and asked for, with the feature alone")
)]
pub enum Op {
    /// Making a directory.
    MakeDir,
    /// Opening a directory.
    OpenDir,
    /// Opening a file to read.
    OpenFile,
    /// Opening a file to read if nothing has to be waited for.
    OpenCached,
    /// Asking what stands under a name, or what an open file is.
    Stat,
    /// Making a temporary.
    Create,
    /// Giving a temporary its name.
    Link,
    /// Renaming over what is there.
    Rename,
    /// Swapping two names.
    Exchange,
    /// Removing a file.
    Unlink,
    /// Removing a directory with all that is in it.
    RemoveTree,
    /// Beginning to list a directory.
    List,
    /// Reading bytes.
    Read,
    /// Reading bytes that are in memory.
    ReadCached,
    /// Writing bytes.
    Write,
    /// Copying bytes from file to file.
    Copy,
    /// Setting a file's times.
    SetTimes,
    /// Waiting until a file or a directory is on the disk.
    Sync,
    /// Opening or taking a lock.
    Lock,
    /// Asking how much room is left.
    Room,
}

#[cfg(not(feature = "fault-injection"))]
mod unplanned {
    use std::io;
    use std::path::{Path, PathBuf};

    use super::Op;

    /// No faults.
    #[derive(Debug, Clone)]
    pub(crate) struct FaultPlan;

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the planned twin needs both")]
    impl FaultPlan {
        pub(crate) fn none() -> Self {
            Self
        }

        #[inline]
        pub(in super::super) fn check(&self, _op: Op, _path: impl FnOnce() -> PathBuf) -> io::Result<()> {
            Ok(())
        }

        #[inline]
        pub(in super::super) fn check_room(
            &self,
            _path: impl FnOnce() -> PathBuf,
        ) -> io::Result<Option<u64>> {
            Ok(None)
        }

        #[inline]
        pub(in super::super) fn check_write(&self, _len: usize, _path: &Path) -> io::Result<Option<usize>> {
            Ok(None)
        }

        #[inline]
        pub(in super::super) fn check_read(
            &self,
            _op: Op,
            _path: impl FnOnce() -> PathBuf,
        ) -> io::Result<Option<usize>> {
            Ok(None)
        }
    }
}

#[cfg(feature = "fault-injection")]
mod planned {
    use std::fmt;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Op;

    /// One operation that is about to be done.
    #[derive(Debug, Clone, Copy)]
    #[non_exhaustive]
    pub struct Call<'a> {
        /// What it is.
        pub op: Op,
        /// What it is on.
        pub path: &'a Path,
        /// How many operations of the store there were before it.
        pub number: u64,
    }

    /// What shall happen instead of an operation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Fault {
        /// It fails like this, and does nothing.
        Error(io::ErrorKind),
        /// A write writes this many bytes, then finds the disk full. Another operation is done as usual.
        ShortWrite(usize),
        /// Asking how much room is left has this many bytes as its answer. Another operation is done as usual.
        Room(u64),
        /// A read gets its bytes with the lowest bit of this one flipped. Another operation is done as usual.
        Flip(usize),
    }

    /// Decides for each operation of a store whether it shall fail, and how.
    #[derive(Clone)]
    pub struct FaultPlan {
        decide: Arc<dyn Fn(Call<'_>) -> Option<Fault> + Send + Sync>,
        calls: Arc<AtomicU64>,
    }

    impl FaultPlan {
        /// Returns the plan that `decide` makes; it is asked once before each operation.
        pub fn new(decide: impl Fn(Call<'_>) -> Option<Fault> + Send + Sync + 'static) -> Self {
            Self { decide: Arc::new(decide), calls: Arc::default() }
        }

        /// Returns the plan without faults.
        #[must_use]
        pub fn none() -> Self {
            Self::new(|_| None)
        }

        /// Returns how many operations there were.
        #[must_use]
        pub fn calls(&self) -> u64 {
            self.calls.load(Ordering::SeqCst)
        }

        fn ask(&self, op: Op, path: &Path) -> Option<Fault> {
            let number = self.calls.fetch_add(1, Ordering::SeqCst);
            (self.decide)(Call { op, path, number })
        }

        pub(in super::super) fn check(&self, op: Op, path: impl FnOnce() -> PathBuf) -> io::Result<()> {
            match self.ask(op, &path()) {
                Some(Fault::Error(kind)) => Err(kind.into()),
                _ => Ok(()),
            }
        }

        pub(in super::super) fn check_read(
            &self,
            op: Op,
            path: impl FnOnce() -> PathBuf,
        ) -> io::Result<Option<usize>> {
            match self.ask(op, &path()) {
                Some(Fault::Error(kind)) => Err(kind.into()),
                Some(Fault::Flip(at)) => Ok(Some(at)),
                _ => Ok(None),
            }
        }

        pub(in super::super) fn check_room(&self, path: impl FnOnce() -> PathBuf) -> io::Result<Option<u64>> {
            match self.ask(Op::Room, &path()) {
                Some(Fault::Error(kind)) => Err(kind.into()),
                Some(Fault::Room(bytes)) => Ok(Some(bytes)),
                _ => Ok(None),
            }
        }

        pub(in super::super) fn check_write(&self, len: usize, path: &Path) -> io::Result<Option<usize>> {
            match self.ask(Op::Write, path) {
                Some(Fault::Error(kind)) => Err(kind.into()),
                Some(Fault::ShortWrite(allowed)) => Ok(Some(allowed.min(len))),
                _ => Ok(None),
            }
        }
    }

    impl fmt::Debug for FaultPlan {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("FaultPlan").field("calls", &self.calls()).finish_non_exhaustive()
        }
    }
}
