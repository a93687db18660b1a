//! Connections to the origin: TCP, and TLS for `https`.
//!
//! The provider of cryptography and the trusted certificates are those of the other commands: rustls with *ring*, and
//! the certificates of the system.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use larder::BoxError;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

use super::interim::{MOST_AT_ONCE, read_some};
use crate::status::{Failure, Result};

pub(crate) type Connector = HttpsConnector<Tcp>;

/// Returns what connects to origins, with TLS if the origin has it.
pub(crate) fn connector(with_tls: bool) -> Result<Connector> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let provider = rustls::crypto::ring::default_provider();
    let config = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
    let config = config.and_then(|config| {
        // A machine without certificates has no use for them before an origin without TLS.
        Ok(if with_tls {
            config.try_with_platform_verifier()?.with_no_client_auth()
        } else {
            config.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        })
    });
    let config = config.map_err(|error| Failure::new("cannot set up TLS").because(error))?;
    Ok(HttpsConnector::from((Tcp(tcp), config)))
}

/// What makes connections over TCP.
#[derive(Debug, Clone)]
pub(crate) struct Tcp(HttpConnector);

impl Service<Uri> for Tcp {
    type Response = TokioIo<OriginStream>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        let connecting = self.0.call(origin);
        Box::pin(async move { Ok(TokioIo::new(OriginStream(connecting.await?.into_inner()))) })
    }
}

/// A connection to an origin, read in pieces of bounded size.
#[derive(Debug)]
pub(crate) struct OriginStream(TcpStream);

impl Connection for OriginStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for OriginStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match read_some(Pin::new(&mut self.0), cx, buffer) {
            Poll::Pending => read_now(&self.0, buffer),
            read @ Poll::Ready(_) => read,
        }
    }
}

/// Reads what is there already, though the runtime has not heard of it yet.
///
/// hyper reads from an idle connection before it writes a request to it. With this it learns of an end and of surplus
/// bytes up to that very moment, and takes another connection before anything is sent.
#[cfg(unix)]
fn read_now(stream: &TcpStream, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    use rustix::io::Errno;

    let room = buffer.remaining().min(MOST_AT_ONCE);
    // Registered with the runtime, so that it never blocks.
    match rustix::io::read(stream, buffer.initialize_unfilled_to(room)) {
        Ok(read) => {
            buffer.advance(read);
            Poll::Ready(Ok(()))
        }
        Err(Errno::WOULDBLOCK | Errno::INTR) => Poll::Pending,
        Err(error) => Poll::Ready(Err(error.into())),
    }
}

#[cfg(not(unix))]
fn read_now(_: &TcpStream, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    Poll::Pending
}

impl AsyncWrite for OriginStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
