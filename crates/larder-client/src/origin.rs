//! What sends a request over the network: the one thing that an adapter implements.

use async_trait::async_trait;
use http::{Request, Response, Uri};
use larder_core::{Body, BoxError};

use crate::RequestBody;

/// What sends one request to its origin and returns what came back.
///
/// # Contract
///
/// - One call is one exchange. It retries nothing that has reached the origin, and does not follow redirects: the
///   request loop does, so that every hop is known. An origin that cannot help following them says where the
///   response came from with a [`FinalUrl`] among the response's extensions; such a response is not stored.
/// - The response is returned when its head is there; its body is streamed, and ends with an error if it is not
///   whole.
/// - If the future is dropped, the exchange is given up.
#[async_trait]
pub trait Origin: Send + Sync {
    /// Sends `request` and returns the response.
    ///
    /// # Errors
    ///
    /// Any error when there is no response. It becomes the source of an error of kind
    /// [`Origin`](larder_core::ErrorKind::Origin).
    async fn send(&mut self, request: Request<RequestBody>) -> Result<Response<Body>, BoxError>;

    /// Returns another handle of this origin that can be kept as long as a body is read, if there can be one.
    ///
    /// With it, a stored body that turns out to be damaged when a part of it was handed out is completed by the origin,
    /// where a strong entity tag says that it has the same bytes. Without it, such a body fails.
    fn detached(&self) -> Option<Box<dyn Origin>> {
        None
    }
}

/// Says that a request's exchange answers no other request; an extension of the request.
///
/// Set it where the exchange ends otherwise than others would, for instance by a timeout of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "that it is there is all it says")]
pub struct Unshared;

/// Where a response came from, when the origin followed redirects by itself; an extension of the response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is a name for a URI")]
pub struct FinalUrl(pub Uri);
