//! What the program writes: lines to standard output, complaints to standard error.
//!
//! Text from the network is in nearly all of it, so every line is escaped here, where all of them pass: none can
//! send control characters to a terminal.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{Display, Write as _};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde::Serialize;

use crate::status::{Failure, Result};

/// Standard output.
pub(crate) struct Output {
    stdout: BufWriter<Stdout>,
    is_terminal: bool,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        Self { is_terminal: stdout.is_terminal(), stdout: BufWriter::new(stdout) }
    }

    /// Returns whether a person reads along: then sizes are rounded and lists have a head.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes one line; control characters in it, line breaks included, are escaped.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<()> {
        let text = text.to_string();
        let written = writeln!(self.stdout, "{}", escaped(text.trim_end()));
        written.map_err(cannot_write)
    }

    /// Writes one object on a line of its own.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string(value);
        let json = json.map_err(|error| Failure::new("cannot write JSON").because(error))?;
        let written = writeln!(self.stdout, "{}", escaped_json(&json));
        written.map_err(cannot_write)
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.stdout.write_all(bytes).map_err(cannot_write)
    }

    /// Hands over what was written so far.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.stdout.flush().map_err(cannot_write)
    }

    /// Hands over the rest of what was written.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.flush()
    }
}

fn cannot_write(error: io::Error) -> Failure {
    Failure::new("cannot write to standard output").because(error)
}

/// Says on standard error what went wrong, and why, one cause a line; what a line has said is not said again.
pub(crate) fn complain(error: &(dyn Error + 'static)) {
    let mut said = error.to_string();
    let mut text = format!("larder: {}\n", escaped(&said));
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !said.contains(&why) {
            let _ = writeln!(text, "because: {}", escaped(&why));
            said = why;
        }
        cause = error.source();
    }
    // If standard error is closed, there is no way left to say so.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Says something on standard error that is no failure.
pub(crate) fn remark(text: impl Display) {
    let _ = writeln!(io::stderr(), "larder: {}", escaped(&text.to_string()));
}

/// Returns `text` with what could steer a terminal, or mislead about the order of the text, as escapes.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unprintable(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

/// Returns `json` with the same characters as JSON has escapes for; they can only be inside its strings.
fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            // All of them are in the Basic Multilingual Plane, so that one escape is enough (RFC 8259, section 7).
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Control characters of both sets, line and paragraph separators, and marks that reorder text (Unicode UAX #9).
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns what a header field's value says: as UTF-8, else as ISO-8859-1, which has a character for every byte.
pub(crate) fn field_text(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => text.into(),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        for (text, expected) in [
            ("plain text, Grüße, 日本語", "plain text, Grüße, 日本語"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\rb\nc\td", "a\\rb\\nc\\td"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("exe\u{202e}gpj", "exe\\u{202e}gpj"),
        ] {
            assert_eq!(escaped(text), expected);
            assert!(!escaped(text).chars().any(is_unprintable));
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "\u{1b}[2J \u{7f} \u{9b}31m \u{202e} \" \\ Grüße\n";
        let json = escaped_json(&serde_json::to_string(text).expect("text"));
        assert!(!json.chars().any(is_unprintable), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("still JSON"), text);
    }

    #[test]
    fn a_field_of_any_bytes_has_a_text() {
        assert_eq!(field_text("Grüße".as_bytes()), "Grüße");
        assert_eq!(field_text(b"Gr\xfc\xdfe"), "Grüße");
    }
}
