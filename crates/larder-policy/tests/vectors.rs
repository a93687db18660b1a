//! The golden vectors of `vectors/keys-v1.txt`: what was a key yesterday is the same key today.

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use larder_policy::{CacheKeys, CanonicalKey, Content, KeyRequest};

#[test]
fn keys_are_those_of_the_golden_vectors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/keys-v1.txt");
    let golden = std::fs::read_to_string(&path).expect("the vectors");
    let computed = golden.trim_end().split("\n\n").map(recompute).collect::<Vec<_>>().join("\n\n") + "\n";
    if std::env::var_os("LARDER_BLESS").is_some() {
        std::fs::write(&path, &computed).expect("the vectors, blessed");
    } else {
        assert_eq!(computed, golden);
    }
}

/// Returns the paragraph with its computed lines as they are now.
fn recompute(paragraph: &str) -> String {
    let mut lines: Vec<String> = paragraph
        .lines()
        .filter(|line| !line.starts_with("canonical: ") && !line.starts_with("key: "))
        .map(str::to_owned)
        .collect();
    if lines.iter().any(|line| line.starts_with("request: ")) {
        let key = key(&lines);
        lines.push(format!("canonical: {}", key.as_str()));
        lines.push(format!("key: {}", key.to_cache_key()));
    }
    lines.join("\n")
}

fn key(lines: &[String]) -> CanonicalKey {
    let mut request: Option<(Method, Uri)> = None;
    let mut headers = HeaderMap::new();
    let mut content = Content::Empty;
    let mut keys = CacheKeys::private();
    for line in lines {
        let (what, value) = line.split_once(": ").expect("`what: value`");
        match what {
            "request" => {
                let (method, url) = value.split_once(' ').expect("a method and a URL");
                request = Some((method.parse().expect("a method"), url.parse().expect("a URL")));
            }
            "header" => {
                let (name, value) = value.split_once(": ").expect("`name: value`");
                let name: HeaderName = name.parse().expect("a name");
                headers.append(name, HeaderValue::from_str(value).expect("a value"));
            }
            "content" => content = Content::Bytes(value.as_bytes()),
            "option" => {
                keys = match value.split_once(' ') {
                    None if value == "shared" => CacheKeys::shared(),
                    None if value == "include_all_headers" => keys.include_all_headers(),
                    Some(("ignored_params", name)) => keys.ignored_params([name]),
                    Some(("include_headers", name)) => keys.include_headers([name.parse().expect("a name")]),
                    Some(("allow_methods", name)) => keys.allow_methods([name.parse().expect("a method")]),
                    _ => panic!("no such option: {value}"),
                }
            }
            _ => panic!("no such line: {what}"),
        }
    }
    let (method, url) = request.expect("a request");
    let request = KeyRequest::new(&method, &url).with_headers(&headers).with_content(content);
    keys.key(&request).expect("a key")
}
