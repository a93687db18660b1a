//! A connection of the pool that is kept out of it for as long as it is sound.
//!
//! The pool's wrapper closes its connection on a blocking thread of the runtime in whose context it is dropped, and
//! panics where there is none. Every wrapper of this crate is therefore in a [`Held`], which may be dropped anywhere.

use std::mem::ManuallyDrop;
use std::sync::LazyLock;
use std::thread;

use deadpool_sqlite::Object;
use rusqlite::Connection;
use tokio::runtime::{Builder, Handle};

use crate::error::Cause;

/// A runtime that has shut down. What is given to its blocking threads is dropped at once, by who gives it.
static GONE: LazyLock<Option<Handle>> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().build().ok()?;
    let handle = runtime.handle().clone();
    // Unlike dropping it, this is allowed in a task.
    runtime.shutdown_background();
    Some(handle)
});

/// A connection that comes from the pool and never goes back there.
#[derive(Debug)]
pub(crate) struct Held(Option<Object>);

impl Held {
    pub(crate) fn new(object: Object) -> Self {
        Self(Some(object))
    }

    /// Does `work` on this thread, which may block.
    pub(crate) fn interact_here<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let Some(object) = &self.0 else { return Err(Cause::Closed) };
        let mut connection = object.lock().map_err(|_| Cause::Panicked)?;
        work(&mut connection)
    }
}

impl Drop for Held {
    /// Closes the connection on this thread, or when the operation ends that is at work on it.
    fn drop(&mut self) {
        let Some(object) = self.0.take() else { return };
        // What cannot be closed without a panic is leaked.
        let object = ManuallyDrop::new(object);
        let close = move || {
            if let Some(gone) = &*GONE {
                let _entered = gone.enter();
                drop(Object::take(ManuallyDrop::into_inner(object)));
            }
        };
        match Handle::try_current() {
            // A thread that is ending can enter no runtime any more.
            Err(error) if error.is_thread_local_destroyed() => {
                let _ = thread::Builder::new().spawn(close).map(thread::JoinHandle::join);
            }
            _ => close(),
        }
    }
}
