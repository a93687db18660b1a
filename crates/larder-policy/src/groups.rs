//! Cache groups (RFC 9875): responses that an unsafe request makes invalid together.

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, List, ListEntry, Parser};

use crate::fields::combined;

/// The field by which a response says which groups it is in (RFC 9875, section 2).
const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");
/// The field by which a response to an unsafe request makes groups invalid (RFC 9875, section 3).
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");

/// Returns the groups that a response with these fields is in: `Cache-Groups` (RFC 9875, section 2).
///
/// A group is one of its origin (RFC 9110, section 4.3.1). None of them counts if the field is not a list of strings.
#[must_use]
pub fn cache_groups(headers: &HeaderMap) -> Vec<String> {
    strings(headers, &CACHE_GROUPS)
}

/// Returns the groups of the origin that a non-error response to an unsafe request with these fields makes invalid:
/// `Cache-Group-Invalidation` (RFC 9875, section 3).
#[must_use]
pub fn invalidated_groups(headers: &HeaderMap) -> Vec<String> {
    strings(headers, &CACHE_GROUP_INVALIDATION)
}

fn strings(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let Some(field) = combined(headers, name) else { return Vec::new() };
    let Ok(members) = Parser::new(&field).parse::<List>() else { return Vec::new() };
    let string = |member: ListEntry| match member {
        ListEntry::Item(sfv::Item { bare_item: BareItem::String(string), .. }) => Some(string.into()),
        _ => None,
    };
    members.into_iter().map(string).collect::<Option<_>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check(lines: &[&'static str], expected: &[&str]) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CACHE_GROUPS, HeaderValue::from_static(line));
        }
        assert_eq!(cache_groups(&headers), expected, "{lines:?}");
    }

    #[test]
    fn groups_are_a_list_of_strings() {
        check(&[], &[]);
        check(&["\"a\", \"b c\";x=1", "\"A\""], &["a", "b c", "A"]);
        for line in ["a", "\"a\", b", "\"a", "(\"a\")", "\"a\",", "1"] {
            check(&[line], &[]);
        }
    }
}
