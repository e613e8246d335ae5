//! Rust source with comments, texts and test modules blanked, so that a search finds only code.

/// The source with every character of comments, strings and character literals as a space; lines
/// stay where they are.
pub(super) fn code_only(source: &str) -> String {
    let mut masked = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let hidden = hidden_length(rest, masked.chars().next_back());
        if hidden == 0 {
            masked.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
            masked.extend(rest[..hidden].chars().map(blank));
            rest = &rest[hidden..];
        }
    }
    masked
}

/// How many bytes at the start of `rest` are a comment or a literal; zero if it starts with code.
fn hidden_length(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        rest.find("*/").map_or(rest.len(), |end| end + 2)
    } else if rest.starts_with('"') {
        quoted_length(rest, '"')
    } else if rest.starts_with('\'') {
        character_length(rest)
    } else if rest.starts_with('r') && !in_word {
        raw_length(rest)
    } else {
        0
    }
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; a lifetime is code.
fn character_length(rest: &str) -> usize {
    let mut following = rest.chars().skip(1);
    match (following.next(), following.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted_length(rest, '\''),
        _ => 0,
    }
}

fn raw_length(rest: &str) -> usize {
    let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len())
}

/// Masked source whose `#[cfg(test)]` items are blank too.
pub(super) fn without_tests(masked: &str) -> String {
    let mut left = masked.to_owned();
    while let Some(start) = left.find("#[cfg(test)]") {
        let end = block_end(&left, start).unwrap_or(left.len());
        let blank = left[start..end].replace(|c| c != '\n', " ");
        left.replace_range(start..end, &blank);
    }
    left
}

/// The byte after the block or statement that follows `start` in masked source.
pub(super) fn block_end(masked: &str, start: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in masked[start..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return Some(start + at + 1),
            '}' => depth -= 1,
            ';' if depth == 0 => return Some(start + at + 1),
            _ => {}
        }
    }
    None
}

/// The 1-based line of a byte.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_comments_are_blank_and_lifetimes_are_not() {
        let source = "fn f<'a>(x: &'a str) { g(\"}\", '{', r#\"\"}\"#); } // }\n";
        let masked = code_only(source);
        assert_eq!(masked.matches('}').count(), 1);
        assert_eq!(masked.matches('{').count(), 1);
        assert!(masked.contains("&'a str"));
        assert_eq!(masked.len(), source.len());
    }

    #[test]
    fn test_modules_are_blank() {
        let masked = "fn f() {}\n#[cfg(test)]\nmod tests { fn g() { h() } }\nfn i() {}\n";
        let left = without_tests(masked);
        assert!(left.contains("fn f") && left.contains("fn i") && !left.contains("fn g"));
        assert_eq!(line_of(&left, left.find("fn i").unwrap()), 4);
    }
}
