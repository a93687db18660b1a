//! `larder proxy`: a caching reverse proxy.
//!
//! Unlike a request, a proxy without its cache is of no use: what is wrong with that ends the command before it serves.

use std::path::PathBuf;

use larder::client::{CacheMode, RequestOptions, ResponseCache};
use tokio::net::TcpListener;

use crate::arguments::Proxy as Arguments;
use crate::cache::Cache;
use crate::output::Output;
use crate::proxy::{Ended, Journal, Proxy, Signals, Target, Upstream, serve};
use crate::status::{Failure, Result, Status};

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Arguments, output: &mut Output) -> Result {
    let target = Target::new(&arguments.origin)?;
    let upstream = Upstream::new(target.clone(), arguments.timeout)?;
    let cache =
        if arguments.offline { Cache::open_existing(dir).await? } else { Cache::open_or_make(dir).await? };
    let builder = ResponseCache::builder(cache.backend.clone(), arguments.policy.options());
    let (journal, written) = if arguments.quiet {
        (Journal::silent(), None)
    } else {
        let (journal, written) = Journal::on_stderr();
        (journal, Some(written))
    };
    let mode = if arguments.offline { CacheMode::OnlyIfCached } else { CacheMode::Default };
    let proxy = Proxy {
        cache: builder.cache_status_field(true).build()?,
        upstream,
        target,
        options: RequestOptions::default().mode(mode),
        journal,
    };

    // Before anybody is told that there is a proxy, so that a signal from them is not lost.
    let signals = Signals::listen();
    let mut signals = signals.map_err(|error| Failure::new("cannot listen for signals").because(error))?;
    let listener = listen(&arguments.listen, output).await?;
    let ended = serve(listener, proxy, &mut signals).await;
    if ended == Ended::AtOnce {
        return Ok(Status::Interrupted);
    }
    cache.close().await?;
    if let Some(written) = written {
        written.wait();
    }
    Ok(Status::Done)
}

/// Returns the listener at `address`, after saying where that is.
async fn listen(address: &str, output: &mut Output) -> Result<TcpListener> {
    let failed = |error| Failure::new(format!("cannot listen at {address}")).because(error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    match output.line(format_args!("listening on http://{address}")).and_then(|()| output.flush()) {
        // Nobody has to read it.
        Err(failure) if !failure.is_broken_pipe() => Err(failure),
        _ => Ok(listener),
    }
}
