//! Rust source without its comments and literals, as far as checks need it.
//!
//! Lines keep their numbers: every newline stays where it is.

/// Returns `source` with comments and the contents of string and character literals left out.
pub(super) fn code_of(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest, code.chars().next_back());
        if length > 0 {
            let (literal, after) = rest.split_at(length);
            code.push_str(if literal.starts_with('/') { " " } else { "\"\"" });
            code.extend(literal.chars().filter(|c| *c == '\n'));
            rest = after;
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

/// Returns how many lines of `source` hold code.
pub(super) fn code_lines(source: &str) -> usize {
    code_of(source).lines().filter(|line| !line.trim().is_empty()).count()
}

/// Returns the length of the comment or literal that `rest` begins with, or 0.
fn skipped(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with('"') {
        quoted(rest, 0, '"')
    } else if rest.starts_with('\'') {
        character(rest)
    } else if !in_word {
        prefixed(rest)
    } else {
        0
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Returns where the literal ends whose opening quote stands at `open`.
fn quoted(rest: &str, open: usize, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip_while(|(at, _)| *at <= open) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A quote begins a character if another follows where one must end; else it is a lifetime.
fn character(rest: &str) -> usize {
    let mut after = rest[1..].chars();
    match (after.next(), after.next()) {
        (Some('\\'), _) => quoted(rest, 0, '\''),
        (Some(c), Some('\'')) => 1 + c.len_utf8() + 1,
        _ => 0,
    }
}

/// Byte, C and raw strings: `b"…"`, `c"…"`, `r"…"`, `br#"…"#` and the like.
fn prefixed(rest: &str) -> usize {
    let letters = rest.len() - rest.trim_start_matches(['b', 'c', 'r']).len();
    if letters == 0 || letters > 2 {
        return 0;
    }
    let raw = rest[..letters].ends_with('r');
    let hashes = rest[letters..].len() - rest[letters..].trim_start_matches('#').len();
    let open = letters + hashes;
    if !rest[open..].starts_with('"') || (hashes > 0 && !raw) {
        return 0;
    }
    if !raw {
        return quoted(rest, open, '"');
    }
    let end = format!("\"{}", "#".repeat(hashes));
    rest[open + 1..].find(&end).map_or(rest.len(), |at| open + 1 + at + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_left_out() {
        for (source, code) in [
            ("a // b\nc", "a  \nc"),
            ("a /* b /* c */ d */ e", "a   e"),
            (r#"f("x // y \" z", 1)"#, r#"f("", 1)"#),
            ("r#\"a \" b\"# + b\"c\"", "\"\" + \"\""),
            ("'a' + '\\'' + f::<'a>()", "\"\" + \"\" + f::<'a>()"),
            ("br + bar(\"x\")", "br + bar(\"\")"),
            ("\"a\nb\"", "\"\"\n"),
        ] {
            assert_eq!(code_of(source), code, "{source}");
        }
    }

    #[test]
    fn only_lines_of_code_count() {
        assert_eq!(code_lines("//! head\n\nfn f() {\n    // why\n    g();\n}\n/* a\nb */\n"), 3);
    }
}
