//! The target URI of a request: the cache knows requests by whole URIs, and servers receive parts of them.

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri};

/// Returns the whole URI of a request for `uri` with `headers` (RFC 9112, section 3.3), or nothing if it has none.
///
/// In authority form (`CONNECT`) and in asterisk form (`OPTIONS *`) there is no resource to be known by it.
pub(super) fn target(uri: &Uri, headers: &HeaderMap, scheme: &Scheme) -> Option<Uri> {
    if uri.authority().is_some() || !uri.path().starts_with('/') {
        return uri.scheme().is_some().then(|| uri.clone());
    }
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(host(headers)?);
    parts.scheme = Some(scheme.clone());
    Uri::from_parts(parts).ok()
}

/// Returns the authority that the request's `Host` field names, if there is exactly one (RFC 9112, section 3.2).
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut values = headers.get_all(HOST).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let authority = Authority::try_from(value.as_bytes()).ok()?;
    let is_host = !authority.host().is_empty() && !authority.as_str().contains('@');
    is_host.then_some(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &'static str, hosts: &[&'static str], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, http::HeaderValue::from_static(host));
        }
        let target = target(&Uri::from_static(uri), &headers, &Scheme::HTTPS);
        assert_eq!(target.map(|uri| uri.to_string()).as_deref(), expected, "{uri} {hosts:?}");
    }

    #[test]
    fn the_host_field_makes_an_origin_form_whole() {
        check("/a?b", &["example.org:8080"], Some("https://example.org:8080/a?b"));
        check("/", &["[::1]:80"], Some("https://[::1]:80/"));
    }

    #[test]
    fn a_whole_uri_stays_as_it_is() {
        check("http://example.org/a", &[], Some("http://example.org/a"));
        check("http://example.org/a", &["other.example"], Some("http://example.org/a"));
    }

    #[test]
    fn without_one_host_there_is_no_target() {
        for hosts in [&[][..], &[""], &["a b"], &["me@example.org"], &["a.example", "b.example"], &["/a"]] {
            check("/", hosts, None);
        }
    }

    #[test]
    fn what_names_no_resource_has_no_target() {
        check("*", &["example.org"], None);
        check("example.org:443", &["example.org"], None);
    }
}
