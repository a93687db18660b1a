//! Targeted fields (RFC 9213): what a response says to one class of caches, in place of `Cache-Control` and `Expires`.
//!
//! They are structured fields. One that does not parse is ignored as a whole; a member of another type than its
//! directive has counts as the stricter of what it may have meant.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use crate::cache_control::{GREATEST, ResponseDirectives};
use crate::fields::combined;

/// Returns the directives of the first of `fields` that is there, is valid and says anything (RFC 9213, section 2.2).
pub(crate) fn directives(headers: &HeaderMap, fields: &[HeaderName]) -> Option<ResponseDirectives> {
    fields.iter().find_map(|name| {
        let members: Dictionary = Parser::new(&combined(headers, name)?).parse().ok()?;
        (!members.is_empty()).then(|| of(&members))
    })
}

fn of(members: &Dictionary) -> ResponseDirectives {
    let value = |name: &str| match members.get(name)? {
        ListEntry::Item(item) => Some(Some(&item.bare_item)),
        ListEntry::InnerList(_) => Some(None),
    };
    // False says that the directive is not there.
    let has = |name| value(name).is_some_and(|value| value != Some(&BareItem::Boolean(false)));
    let has_plain = |name| value(name) == Some(Some(&BareItem::Boolean(true)));
    let seconds = |name| {
        value(name).map(|value| match value {
            Some(BareItem::Integer(seconds)) => {
                u64::try_from(i64::from(*seconds)).map_or(Duration::ZERO, Duration::from_secs).min(GREATEST)
            }
            _ => Duration::ZERO,
        })
    };
    ResponseDirectives {
        no_store: has("no-store"),
        no_cache: has("no-cache"),
        private: has("private"),
        public: has_plain("public"),
        must_revalidate: has("must-revalidate"),
        proxy_revalidate: has("proxy-revalidate"),
        must_understand: has("must-understand"),
        immutable: has_plain("immutable"),
        max_age: seconds("max-age"),
        s_maxage: seconds("s-maxage"),
        stale_if_error: seconds("stale-if-error"),
        stale_while_revalidate: seconds("stale-while-revalidate"),
        is_targeted: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const FIELD: HeaderName = HeaderName::from_static("cdn-cache-control");

    #[track_caller]
    fn check(lines: &[&str], expected: Option<&ResponseDirectives>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FIELD, HeaderValue::from_str(line).expect("a value"));
        }
        assert_eq!(directives(&headers, &[FIELD]).as_ref(), expected, "{lines:?}");
    }

    const NONE: ResponseDirectives = ResponseDirectives {
        no_store: false,
        no_cache: false,
        private: false,
        public: false,
        must_revalidate: false,
        proxy_revalidate: false,
        must_understand: false,
        immutable: false,
        max_age: None,
        s_maxage: None,
        stale_if_error: None,
        stale_while_revalidate: None,
        is_targeted: true,
    };

    fn max_age(seconds: u64) -> ResponseDirectives {
        ResponseDirectives { max_age: Some(Duration::from_secs(seconds)), ..NONE }
    }

    #[test]
    fn what_is_valid_and_says_anything_counts() {
        check(&[], None);
        check(&[""], None);
        check(&["max-age=60"], Some(&max_age(60)));
        check(&["max-age=60;a=b, unknown=\"x\""], Some(&max_age(60)));
        check(&["max-age=60", "no-store"], Some(&ResponseDirectives { no_store: true, ..max_age(60) }));
        check(&["max-age=1, max-age=60"], Some(&max_age(60)));
        check(&["max-age=99999999999"], Some(&max_age(1 << 31)));
        check(&["unknown"], Some(&NONE));
    }

    #[test]
    fn what_does_not_parse_is_ignored_as_a_whole() {
        for line in ["max-age=60, &&", "MAX-AGE=60", "max-age =60", "max-age=60,", "max-age=\"60"] {
            check(&[line], None);
        }
    }

    #[test]
    fn another_type_is_read_the_stricter_way() {
        for line in ["max-age=-1", "max-age=\"60\"", "max-age=60.5", "max-age", "max-age=(60)", "max-age=a"] {
            check(&[line], Some(&max_age(0)));
        }
        check(&["no-store=?0, private=a"], Some(&ResponseDirectives { private: true, ..NONE }));
        check(&["public=1, immutable=\"\""], Some(&NONE));
    }
}
