//! Requests have equal keys exactly if they are the same request, by an oracle that was written another way.
//!
//! The oracle compares structures, not text: it never joins two parts of a request, so that nothing can be shifted
//! between them, and it removes dot segments by the buffers of RFC 3986, section 5.2.4, word for word.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use larder_policy::{CacheKeys, Content, KeyRequest, canonical_url};
use proptest::collection::vec;
use proptest::prelude::*;

/// A request as it is written down, from alphabets that are small enough for two of them to be alike.
#[derive(Debug, Clone)]
struct Written {
    method: Method,
    scheme: &'static str,
    userinfo: Option<&'static str>,
    host: &'static str,
    port: &'static str,
    path: Vec<&'static str>,
    query: Option<Vec<&'static str>>,
    fragment: &'static str,
    chosen: Vec<(&'static str, &'static str)>,
    authorization: Vec<&'static str>,
    content: &'static [u8],
}

const PIECES: [&str; 24] = [
    "/", "/", "/a", "/.", "/..", "/%2e", "/%2E%2e", "a", "A", "%41", "%61", "%7E", "~", "%2f", "%2F", "%25",
    "41", "+", "%2B", ",", ":", "é", "%", "%zz",
];
const QUERY_PIECES: [&str; 14] =
    ["a", "%61", "=", "&", "%26", "+", "%2B", "%2b", "/", "?", "..", ",", "%", "U3:"];

fn written() -> impl Strategy<Value = Written> {
    let sample = prop::sample::select::<&'static str>;
    (
        prop::sample::select(vec![Method::GET, Method::GET, Method::HEAD, Method::QUERY]),
        sample(vec!["http", "HTTP", "https"]),
        prop::option::weighted(0.2, sample(vec!["a", "a:b", "b"])),
        sample(vec!["h", "H", "h.", "[::1]"]),
        sample(vec!["", "", ":", ":80", ":443", ":080", ":8"]),
        vec(sample(PIECES.to_vec()), 0..6),
        prop::option::of(vec(sample(QUERY_PIECES.to_vec()), 0..4)),
        sample(vec!["", "", "#", "#a"]),
        vec((sample(vec!["x-a", "x-b"]), sample(vec!["", "1", " 1", "1,2", "2", "V1:2"])), 0..3),
        vec(sample(vec!["a", "a ", "b"]), 0..2),
        prop::sample::select(vec![&b""[..], b"", b"1", b"2"]),
    )
        .prop_map(
            |(
                method,
                scheme,
                userinfo,
                host,
                port,
                path,
                query,
                fragment,
                chosen,
                authorization,
                content,
            )| {
                Written {
                    method,
                    scheme,
                    userinfo,
                    host,
                    port,
                    path,
                    query,
                    fragment,
                    chosen,
                    authorization,
                    content,
                }
            },
        )
}

impl Written {
    /// Returns the path as it is written: with a first slash, for it would run into the authority without.
    fn path(&self) -> String {
        let path = self.path.concat();
        if path.is_empty() || path.starts_with('/') { path } else { format!("/{path}") }
    }

    fn url(&self) -> String {
        let userinfo = self.userinfo.map(|userinfo| format!("{userinfo}@")).unwrap_or_default();
        let query = self.query.as_ref().map(|query| format!("?{}", query.concat())).unwrap_or_default();
        let (scheme, host, port, path) = (self.scheme, self.host, self.port, self.path());
        format!("{scheme}://{userinfo}{host}{port}{path}{query}{}", self.fragment)
    }

    fn key(&self) -> String {
        let url: Uri = self.url().parse().expect("a URL");
        let mut headers = HeaderMap::new();
        for (name, value) in &self.chosen {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        for value in &self.authorization {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        let keys = CacheKeys::private().include_headers(["x-a", "x-b"].map(HeaderName::from_static));
        let content = Content::Bytes(self.content);
        let request = KeyRequest::new(&self.method, &url).with_headers(&headers).with_content(content);
        keys.key(&request).expect("a key").as_str().to_owned()
    }
}

/// What a request means, part by part.
#[derive(Debug, PartialEq, Eq)]
struct Meaning {
    method: Method,
    is_https: bool,
    userinfo: Option<&'static str>,
    host: String,
    port: u32,
    path: Text,
    query: Option<Text>,
    chosen: [Vec<&'static str>; 2],
    authorization: Vec<&'static str>,
    content: &'static [u8],
}

/// Text of a URL: its characters, or all of it as it is written if it is not well-formed.
#[derive(Debug, PartialEq, Eq)]
enum Text {
    WellFormed(Vec<Char>),
    Malformed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Char {
    Plain(char),
    Escaped(u8),
}

fn text(written: &str) -> Text {
    let mut chars = Vec::new();
    let mut rest = written.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            chars.push(Char::Plain(c));
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(|digit| digit.to_digit(16)));
        let [Some(high), Some(low)] = digits else { return Text::Malformed(written.to_owned()) };
        let c = char::from_u32(high * 16 + low).expect("below 256");
        if c.is_ascii_alphanumeric() || "-._~".contains(c) {
            chars.push(Char::Plain(c));
        } else {
            chars.push(Char::Escaped(c as u8));
        }
    }
    Text::WellFormed(chars)
}

/// The loop of RFC 3986, section 5.2.4; steps 2A and the bare "." and ".." of 2D cannot arise in an absolute path.
fn without_dot_segments(mut input: Vec<Char>) -> Vec<Char> {
    let chars = |text: &str| text.chars().map(Char::Plain).collect::<Vec<_>>();
    let mut output: Vec<Char> = Vec::new();
    while !input.is_empty() {
        let mut replace = |prefix: &str| {
            let is_whole = input == chars(&prefix[..prefix.len() - 1]);
            let applies = is_whole || input.starts_with(&chars(prefix));
            if applies {
                let end = if is_whole { prefix.len() - 1 } else { prefix.len() };
                input.splice(..end, chars("/"));
            }
            applies
        };
        if replace("/./") {
        } else if replace("/../") {
            let last = output.iter().rposition(|c| *c == Char::Plain('/')).unwrap_or(0);
            output.truncate(last);
        } else {
            let next = input.iter().skip(1).position(|c| *c == Char::Plain('/'));
            let end = next.map_or(input.len(), |next| next + 1);
            output.extend(input.drain(..end));
        }
    }
    output
}

impl Meaning {
    fn of(written: &Written) -> Self {
        let is_https = written.scheme.eq_ignore_ascii_case("https");
        let default_port = if is_https { 443 } else { 80 };
        let port = written.port.trim_start_matches(':');
        let path = match text(&written.path()) {
            Text::WellFormed(chars) if chars.is_empty() => Text::WellFormed(vec![Char::Plain('/')]),
            Text::WellFormed(chars) => Text::WellFormed(without_dot_segments(chars)),
            malformed @ Text::Malformed(_) => malformed,
        };
        let values = |wanted: &str| {
            let chosen = written.chosen.iter().filter(|(name, _)| *name == wanted);
            chosen.map(|(_, value)| value.trim()).collect::<Vec<_>>()
        };
        Self {
            method: written.method.clone(),
            is_https,
            userinfo: written.userinfo,
            host: written.host.to_lowercase(),
            port: if port.is_empty() { default_port } else { port.parse().expect("a port") },
            path,
            query: written.query.as_ref().map(|query| text(&query.concat())),
            chosen: [values("x-a"), values("x-b")],
            authorization: written.authorization.iter().map(|value| value.trim()).collect(),
            content: written.content,
        }
    }
}

/// A request, and another that takes one or two of its parts from elsewhere, so that many pairs mean the same.
fn pair() -> impl Strategy<Value = (Written, Written)> {
    (written(), written(), 0..11, 0..11).prop_map(|(left, other, one, two)| {
        let mut right = left.clone();
        for part in [one, two] {
            match part {
                0 => right.method = other.method.clone(),
                1 => right.scheme = other.scheme,
                2 => right.userinfo = other.userinfo,
                3 => right.host = other.host,
                4 => right.port = other.port,
                5 => right.path.clone_from(&other.path),
                6 => right.query.clone_from(&other.query),
                7 => right.fragment = other.fragment,
                8 => right.chosen.clone_from(&other.chosen),
                9 => right.authorization.clone_from(&other.authorization),
                _ => right.content = other.content,
            }
        }
        (left, right)
    })
}

/// A path spelled in two ways: each character plain or escaped, its escapes in either case.
fn spelled() -> impl Strategy<Value = (String, String)> {
    let one = (prop::sample::select(b"ab-._~/%+&=?".to_vec()), any::<[bool; 4]>());
    vec(one, 0..20).prop_map(|chars| {
        let spell = |n: usize| {
            chars.iter().fold("http://h/".to_owned(), |url, (byte, choice)| {
                let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
                let is_escaped = if is_unreserved { choice[n] } else { *byte == b'%' || choice[3] };
                match (is_escaped, choice[n + 1]) {
                    (false, _) => url + &char::from(*byte).to_string(),
                    (true, false) => url + &format!("%{byte:02x}"),
                    (true, true) => url + &format!("%{byte:02X}"),
                }
            })
        };
        (spell(0), spell(1))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn keys_are_equal_exactly_if_the_requests_mean_the_same((left, right) in pair()) {
        prop_assert_eq!(left.key() == right.key(), Meaning::of(&left) == Meaning::of(&right));
    }

    #[test]
    fn spellings_of_one_url_have_one_form((left, right) in spelled()) {
        let canonical = |url: &str| canonical_url(&url.parse().expect("a URL")).expect("a form");
        prop_assert_eq!(canonical(&left), canonical(&right));
    }

    #[test]
    fn a_canonical_form_is_its_own(written in written()) {
        let once = canonical_url(&written.url().parse().expect("a URL")).expect("a form");
        prop_assert_eq!(canonical_url(&once.parse().expect("a form is a URL")).expect("a form"), once);
    }

    #[test]
    fn any_url_has_a_form_or_none(url in "(https?|[a-z+]{1,5})?(://)?[!-~é]{0,40}") {
        if let Ok(parsed) = url.parse::<Uri>()
            && let Ok(form) = canonical_url(&parsed)
        {
            prop_assert_eq!(canonical_url(&form.parse().expect("a form is a URL")).expect("a form"), form);
        }
    }
}

#[test]
fn many_of_the_generated_pairs_mean_the_same_and_many_do_not() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let same = (0..1000)
        .filter(|_| {
            let (left, right) = pair().new_tree(&mut runner).expect("a pair").current();
            left.url() != right.url() && Meaning::of(&left) == Meaning::of(&right)
        })
        .count();
    assert!((50..950).contains(&same), "{same} of 1000 pairs are different spellings of one request");
}
