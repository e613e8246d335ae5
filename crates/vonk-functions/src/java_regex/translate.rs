//! A pattern of Java in the words of the `regex` crate.
//!
//! `(?i)` is about ASCII letters in Java unless `u` stands with it, so that letters are written in
//! both cases here; `d` and `U` mean something else, or nothing, in the crate.

use datafusion::common::{Result, exec_err};

/// A pattern in the words of the crates.
pub(super) struct Translated {
    pub(super) text: String,
    /// Whether it has what cannot be matched in linear time.
    pub(super) wants_trying: bool,
}

/// What the letters of `(?…)` say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flags {
    ignores_case: bool,
    /// Letters beyond ASCII have cases too.
    unicode_case: bool,
    /// `\d`, `\w` and `\s` are of Unicode.
    unicode_classes: bool,
    /// A `#` begins a comment.
    has_comments: bool,
}

impl Flags {
    /// Whether letters are written in both cases.
    fn folds(self) -> bool {
        self.ignores_case && !self.in_crate()
    }

    /// Whether the crate ignores case.
    fn in_crate(self) -> bool {
        self.ignores_case && (self.unicode_case || self.unicode_classes)
    }
}

struct Translator<'p> {
    pattern: &'p str,
    rest: &'p str,
    output: String,
    wants_trying: bool,
    flags: Flags,
    /// The flags outside of each group that is open.
    around: Vec<Flags>,
    groups: usize,
    class_depth: usize,
}

/// Translates a pattern.
///
/// # Errors
/// For what the crates do not have.
pub(super) fn translate(pattern: &str, ignores_case: bool) -> Result<Translated> {
    let mut translator = Translator {
        pattern,
        rest: pattern,
        output: String::with_capacity(pattern.len() + 8),
        wants_trying: false,
        flags: Flags { ignores_case, ..Flags::default() },
        around: Vec::new(),
        groups: 0,
        class_depth: 0,
    };
    while let Some(next) = translator.take() {
        translator.sign(next)?;
    }
    Ok(Translated { text: translator.output, wants_trying: translator.wants_trying })
}

impl<'p> Translator<'p> {
    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn skip(&mut self, begin: &str) -> bool {
        match self.rest.strip_prefix(begin) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    /// Takes as it is what is left up to a sign, and the sign.
    fn copy_through(&mut self, end: char) {
        let length = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len_utf8());
        self.copy(length);
    }

    fn copy(&mut self, length: usize) {
        let (copied, rest) = self.rest.split_at(length);
        self.output.push_str(copied);
        self.rest = rest;
    }

    fn sign(&mut self, next: char) -> Result<()> {
        let in_class = self.class_depth > 0;
        match next {
            '\\' if !in_class && self.rest.starts_with(NUMBERS) => self.back_reference(),
            '\\' => self.escape()?,
            '#' if !in_class && self.flags.has_comments => {
                self.output.push('#');
                self.copy_through('\n');
            }
            '[' => self.begin_class(),
            ']' => {
                self.class_depth = self.class_depth.saturating_sub(1);
                self.output.push(']');
            }
            '(' if !in_class => self.begin_group()?,
            ')' if !in_class => {
                self.flags = self.around.pop().unwrap_or(self.flags);
                self.output.push(')');
            }
            '*' | '+' | '?' | '}' if !in_class => {
                self.wants_trying |= self.rest.starts_with('+');
                self.output.push(next);
            }
            letter => self.letter(letter),
        }
        Ok(())
    }

    /// A letter in both cases where case is ignored, and a range of a class with what it is in the
    /// other case.
    fn letter(&mut self, letter: char) {
        self.output.push(letter);
        if !self.flags.folds() {
            return;
        }
        if self.class_depth == 0 {
            if letter.is_ascii_alphabetic() {
                self.output.pop();
                self.output.push_str(&format!("[{letter}{}]", other_case(letter)));
            }
            return;
        }
        match range_end(self.rest) {
            Some((last, length)) => {
                self.copy(length);
                for (first, end) in [('a', 'z'), ('A', 'Z')] {
                    let (first, end) = (letter.max(first), last.min(end));
                    if first <= end {
                        let (first, end) = (other_case(first), other_case(end));
                        self.output.push_str(&format!("{first}-{end}"));
                    }
                }
            }
            _ if letter.is_ascii_alphabetic() => self.output.push(other_case(letter)),
            _ => {}
        }
    }

    fn begin_class(&mut self) {
        self.class_depth += 1;
        self.output.push('[');
        if self.skip("^") {
            self.output.push('^');
        }
        // There it is a sign like others.
        if self.skip("]") {
            self.output.push_str(r"\]");
        }
    }

    /// What stands behind an opening parenthesis: the kind of the group, its name, flags.
    fn begin_group(&mut self) -> Result<()> {
        self.groups += usize::from(is_group(self.rest));
        self.wants_trying |= is_look_around(self.rest);
        self.output.push('(');
        if !self.rest.starts_with('?') {
            self.around.push(self.flags);
            return Ok(());
        }
        if let Some(kind) = KINDS.iter().find(|kind| self.rest.starts_with(**kind)) {
            self.around.push(self.flags);
            self.copy(kind.len());
            return Ok(());
        }
        if self.rest.starts_with("?<") {
            self.around.push(self.flags);
            self.copy_through('>');
            return Ok(());
        }
        self.flags()
    }

    /// `?i-s)` up to the end of the group, or `?i:` before what they are for.
    fn flags(&mut self) -> Result<()> {
        let (mut flags, mut is_on) = (self.flags, true);
        let (mut on, mut off) = (String::new(), String::new());
        let begin = self.rest;
        self.skip("?");
        let end = loop {
            match self.take() {
                Some('-') => is_on = false,
                Some('i') => flags.ignores_case = is_on,
                Some('u') => flags.unicode_case = is_on,
                Some('U') => flags.unicode_classes = is_on,
                // Only line feeds end lines: `.` and `$` know no others here.
                Some('d') => {}
                Some(flag @ ('m' | 's' | 'x')) => {
                    if flag == 'x' {
                        flags.has_comments = is_on;
                    }
                    if is_on { on.push(flag) } else { off.push(flag) }
                }
                Some(end @ (':' | ')')) => break end,
                _ => {
                    return exec_err!(
                        "`({begin}` of the regular expression `{}` is no group",
                        self.pattern
                    );
                }
            }
        };
        if flags.in_crate() {
            on.push('i')
        } else {
            off.push('i')
        }
        self.output.push_str(&format!("?{on}-{off}"));
        if off.is_empty() {
            self.output.pop();
        }
        self.output.push(end);
        if end == ':' {
            self.around.push(self.flags);
        }
        self.flags = flags;
        Ok(())
    }

    /// Translates what follows a backslash.
    fn escape(&mut self) -> Result<()> {
        let in_class = self.class_depth > 0;
        if self.flags.folds()
            && let Some((letter, length)) = written_by_number(self.rest)
            && letter.is_ascii_alphabetic()
        {
            self.rest = &self.rest[length..];
            self.letter(letter);
            return Ok(());
        }
        let Some(next) = self.take() else {
            return exec_err!("`{}` ends in a backslash", self.pattern);
        };
        let class = match next {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' if self.flags.unicode_classes => {
                self.output.extend(['\\', next]);
                return Ok(());
            }
            'd' => "[0-9]",
            'D' => "[^0-9]",
            'w' => "[a-zA-Z0-9_]",
            'W' => "[^a-zA-Z0-9_]",
            's' => r"[ \t\n\x0B\f\r]",
            'S' => r"[^ \t\n\x0B\f\r]",
            'h' => r"[ \t\u{A0}\u{1680}\u{180e}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]",
            'R' if !in_class => r"(?:\r\n|[\n\x0B\f\r\u{85}\u{2028}\u{2029}])",
            'Z' if !in_class => r"(?:\n?\z)",
            'e' => r"\x1B",
            'Q' => {
                self.quoted();
                return Ok(());
            }
            'G' | 'K' => {
                return exec_err!(
                    "the regular expression `{}` uses `\\{next}`, which vonk does not have",
                    self.pattern
                );
            }
            'k' if !in_class => {
                self.wants_trying = true;
                let open = if self.flags.folds() { "(?i:\\k" } else { "\\k" };
                self.output.push_str(open);
                self.copy_through('>');
                if self.flags.folds() {
                    self.output.push(')');
                }
                return Ok(());
            }
            _ => {
                self.output.extend(['\\', next]);
                self.copy_argument(next);
                return Ok(());
            }
        };
        self.output.push_str(class);
        Ok(())
    }

    /// The digits or the name that belong to an escape: `\x41`, `\x{41}`, `\u0041`, `\pL`, `\p{L}`.
    fn copy_argument(&mut self, escape: char) {
        let length = match escape {
            'x' | 'u' | 'p' | 'P' if self.rest.starts_with('{') => return self.copy_through('}'),
            'x' => 2,
            'u' => 4,
            'p' | 'P' => 1,
            _ => 0,
        };
        let length = self.rest.char_indices().nth(length).map_or(self.rest.len(), |(at, _)| at);
        self.copy(length);
    }

    /// The text up to `\E` without any meaning.
    fn quoted(&mut self) {
        let (quoted, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        for letter in quoted.chars() {
            match letter.is_ascii_alphabetic() {
                true => {
                    // What comes behind is no range of a class.
                    self.rest = "";
                    self.letter(letter);
                }
                false => self.output.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
            }
        }
        self.rest = after;
    }

    /// Translates the number of a group behind a backslash. As in Java it has as many digits as name
    /// one of the groups so far, and one that names none matches nothing.
    fn back_reference(&mut self) {
        self.wants_trying = true;
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let named = (1..=digits).rev().find(|count| {
            self.rest[..*count].parse::<usize>().is_ok_and(|group| group <= self.groups)
        });
        match named {
            Some(count) => {
                // The group around it parts the number from a digit that follows.
                let flag = if self.flags.folds() { "i" } else { "" };
                self.output.push_str(&format!("(?{flag}:\\{})", &self.rest[..count]));
            }
            None => self.output.push_str("(?!)"),
        }
        self.rest = &self.rest[named.unwrap_or(1)..];
    }
}

/// The last sign of a range, and how long `-` and what stands for it is, if a range begins here.
fn range_end(rest: &str) -> Option<(char, usize)> {
    let behind = rest.strip_prefix('-')?;
    let last = behind.chars().next()?;
    match last {
        ']' | '[' => None,
        '\\' => {
            let (last, length) = written_by_number(&behind[1..])?;
            Some((last, 2 + length))
        }
        last => Some((last, 1 + last.len_utf8())),
    }
}

/// The sign of `x41`, `x{41}` or `u0041` behind a backslash, and how long that is.
fn written_by_number(rest: &str) -> Option<(char, usize)> {
    let (digits, length) = match rest.strip_prefix("x{") {
        Some(behind) => {
            let digits = behind.split_once('}')?.0;
            (digits, digits.len() + 3)
        }
        None if rest.starts_with('x') => (rest.get(1..3)?, 3),
        None if rest.starts_with('u') => (rest.get(1..5)?, 5),
        None => return None,
    };
    let sign = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
    Some((sign, length))
}

/// What a back-reference by number begins with.
const NUMBERS: [char; 9] = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// What groups without a number begin with.
const KINDS: &[&str] = &["?:", "?=", "?!", "?<=", "?<!", "?>"];

fn is_look_around(rest: &str) -> bool {
    KINDS.iter().any(|begin| *begin != "?:" && rest.starts_with(begin))
}

/// Whether what follows an opening parenthesis makes it a group with a number.
fn is_group(rest: &str) -> bool {
    match rest.strip_prefix("?<") {
        Some(name) => !name.starts_with(['=', '!']),
        None => !rest.starts_with('?'),
    }
}

/// An ASCII letter in its other case.
fn other_case(letter: char) -> char {
    match letter.is_ascii_lowercase() {
        true => letter.to_ascii_uppercase(),
        false => letter.to_ascii_lowercase(),
    }
}
