//! The grammar: a list of directives, each a token, perhaps with a token or a quoted string as its argument.
//!
//! Each line is read by itself, so that a quoted string that is not closed hides no line after it.

use std::time::Duration;

use http::HeaderValue;

/// The greatest number of seconds (RFC 9111, section 1.2.2).
pub(crate) const GREATEST: Duration = Duration::from_secs(1 << 31);

/// The directives that mean something here; of others only the grammar is checked (RFC 9111, section 5.2.3).
const KNOWN: [&str; 15] = [
    "max-age",
    "no-cache",
    "no-store",
    "private",
    "public",
    "s-maxage",
    "must-revalidate",
    "stale-while-revalidate",
    "stale-if-error",
    "immutable",
    "proxy-revalidate",
    "must-understand",
    "max-stale",
    "min-fresh",
    "only-if-cached",
];

/// The directives of one message that are known here, all lines together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    list: Vec<Directive>,
    is_malformed: bool,
}

/// One directive, and its argument as it was meant.
#[derive(Debug, PartialEq, Eq)]
struct Directive {
    name: &'static str,
    argument: Option<Vec<u8>>,
}

/// The argument of a directive that should have a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// There is no argument.
    Absent,
    /// It is this number, at most [`GREATEST`].
    Seconds(Duration),
    /// It is no number.
    Malformed,
}

impl Number {
    pub(super) fn seconds(self) -> Option<Duration> {
        match self {
            Self::Seconds(seconds) => Some(seconds),
            Self::Absent | Self::Malformed => None,
        }
    }

    pub(super) fn of(argument: Option<&[u8]>) -> Self {
        let Some(digits) = argument else { return Self::Absent };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Self::Malformed;
        }
        let add = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
        Self::Seconds(Duration::from_secs(digits.iter().fold(0, add)).min(GREATEST))
    }
}

impl Directives {
    pub(super) fn parse<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let mut directives = Self::default();
        for line in lines {
            directives.parse_line(line.as_bytes());
        }
        directives
    }

    /// Returns whether the directive is there, with or without an argument.
    pub(super) fn has(&self, name: &str) -> bool {
        self.list.iter().any(|directive| directive.name == name)
    }

    /// Returns whether the directive is there without an argument.
    pub(super) fn has_plain(&self, name: &str) -> bool {
        self.list.iter().any(|directive| directive.name == name && directive.argument.is_none())
    }

    /// Returns the numbers of a directive, as often as it is there.
    pub(super) fn numbers(&self, name: &str) -> impl Iterator<Item = Number> {
        let named = self.list.iter().filter(move |directive| directive.name == name);
        named.map(|directive| Number::of(directive.argument.as_deref()))
    }

    /// Returns whether anything could not be read.
    pub(super) fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    fn parse_line(&mut self, line: &[u8]) {
        let mut rest = line;
        let mut has_quotes = true;
        while !rest.is_empty() {
            let Some(end) = end_of_member(rest, has_quotes) else {
                // Whatever the open quote was to hide is read as directives, once: the time stays linear.
                has_quotes = false;
                self.is_malformed = true;
                continue;
            };
            self.push(rest[..end].trim_ascii());
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }

    fn push(&mut self, member: &[u8]) {
        if member.is_empty() {
            return;
        }
        let equals = member.iter().position(|byte| *byte == b'=');
        let (name, argument) = equals.map_or((member, None), |at| (&member[..at], Some(&member[at + 1..])));
        let argument = argument.map(unquoted);
        let is_read = is_token(name) && argument.as_ref().is_none_or(|(_, is_read)| *is_read);
        self.is_malformed |= !is_read;
        let name = name.trim_ascii();
        if let Some(name) = KNOWN.into_iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
            self.list.push(Directive { name, argument: argument.map(|(text, _)| text) });
        }
    }
}

/// Returns where the first member of a list ends, or `None` if a quoted string in it is not closed.
fn end_of_member(list: &[u8], has_quotes: bool) -> Option<usize> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, byte) in list.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' if has_quotes => is_quoted = !is_quoted,
            b',' if !is_quoted => return Some(at),
            _ => {}
        }
    }
    (!is_quoted).then_some(list.len())
}

/// Returns the text of a token or a quoted string, and whether it is either (RFC 9110, section 5.6.4).
fn unquoted(argument: &[u8]) -> (Vec<u8>, bool) {
    let Some(quoted) = argument.strip_prefix(b"\"") else { return (argument.to_vec(), is_token(argument)) };
    let mut text = Vec::new();
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return (text, bytes.as_slice().is_empty()),
            b'\\' => text.extend(bytes.next()),
            byte => text.push(*byte),
        }
    }
    (text, false)
}

/// Returns whether `text` is a token (RFC 9110, section 5.6.2).
fn is_token(text: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_tchar)
}
