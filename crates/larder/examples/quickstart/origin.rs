//! An origin on a free loopback port that serves a directory of documents over HTTP/1.1.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use larder::CacheKey;
use tokio::net::TcpListener;

use crate::BoxError;

/// The name that clients know the origin by; `.test` is nobody's (RFC 2606).
pub(crate) const HOST: &str = "docs.larder.test";
/// The redirects, from each path to the next, and from the last to a page.
const REDIRECTS: [(&str, StatusCode); 3] = [
    ("/manual", StatusCode::MOVED_PERMANENTLY),
    ("/docs", StatusCode::FOUND),
    ("/docs/latest", StatusCode::PERMANENT_REDIRECT),
];
/// The page that the redirects lead to, if the documents have it; else their first.
const START_PAGE: &str = "/architecture.md";

pub(crate) struct Origin {
    address: SocketAddr,
    site: Arc<Site>,
}

struct Site {
    pages: BTreeMap<String, Page>,
    start_page: String,
    answered: AtomicU64,
}

struct Page {
    bytes: Bytes,
    content_type: &'static str,
    entity_tag: String,
    last_modified: String,
}

impl Origin {
    /// Serves the files of `documents` as they are now, until the program ends.
    pub(crate) async fn start(documents: &Path) -> Result<Self, BoxError> {
        let mut pages = BTreeMap::new();
        read_pages(documents, "", &mut pages)?;
        let start_page = match pages.keys().next() {
            _ if pages.contains_key(START_PAGE) => START_PAGE.to_owned(),
            Some(first) => first.clone(),
            None => return Err(format!("there are no documents in {}", documents.display()).into()),
        };
        let site = Arc::new(Site { pages, start_page, answered: AtomicU64::new(0) });

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(serve(listener, Arc::clone(&site)));
        Ok(Self { address, site })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pages(&self) -> Vec<String> {
        self.site.pages.keys().map(|path| format!("http://{HOST}{path}")).collect()
    }

    /// Returns how many requests were answered, redirects included.
    pub(crate) fn answered(&self) -> u64 {
        self.site.answered.load(Ordering::Relaxed)
    }
}

/// Returns a URL that leads to a page by three redirects.
pub(crate) fn redirecting_url() -> String {
    format!("http://{HOST}{}", REDIRECTS[0].0)
}

async fn serve(listener: TcpListener, site: Arc<Site>) {
    while let Ok((connection, _)) = listener.accept().await {
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let service = service_fn(|request: Request<hyper::body::Incoming>| {
                let response = site.answer(request.method(), request.uri().path());
                async { Ok::<_, Infallible>(response) }
            });
            if let Err(error) =
                http1::Builder::new().serve_connection(TokioIo::new(connection), service).await
            {
                eprintln!("the origin lost a connection: {error}");
            }
        });
    }
}

impl Site {
    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        self.answered.fetch_add(1, Ordering::Relaxed);
        let mut response = Response::builder();
        if !matches!(*method, Method::GET | Method::HEAD) {
            return finish(response.status(StatusCode::METHOD_NOT_ALLOWED), Bytes::new());
        }
        if let Some(i) = REDIRECTS.iter().position(|(from, _)| *from == path) {
            let next = REDIRECTS.get(i + 1).map_or(self.start_page.as_str(), |(path, _)| path);
            response = response.status(REDIRECTS[i].1).header(LOCATION, next);
            return finish(response.header(CACHE_CONTROL, "max-age=86400"), Bytes::new());
        }
        let Some(page) = self.pages.get(path) else {
            return finish(response.status(StatusCode::NOT_FOUND), Bytes::new());
        };
        response = response
            .header(CONTENT_TYPE, page.content_type)
            .header(ETAG, &page.entity_tag)
            .header(LAST_MODIFIED, &page.last_modified)
            .header(CACHE_CONTROL, "max-age=3600");
        finish(response, page.bytes.clone())
    }
}

fn finish(response: http::response::Builder, body: Bytes) -> Response<Full<Bytes>> {
    response.body(Full::new(body)).unwrap_or_else(|_| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// Adds the files under `directory`, each under its path from `prefix` on.
fn read_pages(directory: &Path, prefix: &str, pages: &mut BTreeMap<String, Page>) -> Result<(), BoxError> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_pages(&entry.path(), &path, pages)?;
            continue;
        }
        let bytes = Bytes::from(std::fs::read(entry.path())?);
        let content_type = match entry.path().extension().and_then(|extension| extension.to_str()) {
            Some("md") => "text/markdown; charset=utf-8",
            Some("txt") => "text/plain; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        };
        let entity_tag = format!("\"{}\"", &CacheKey::digest(&bytes).as_str()[..16]);
        let last_modified = httpdate::fmt_http_date(entry.metadata()?.modified()?);
        pages.insert(path, Page { bytes, content_type, entity_tag, last_modified });
    }
    Ok(())
}
