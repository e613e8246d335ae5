//! From the text of a pattern to its parts, with what Spark and Java refuse in it.

use std::iter::Peekable;
use std::str::Chars;

use super::{Digits, Field, Item, OffsetStyle, Sign};
use crate::failure::Failure;

/// Letters that depend on the week, which Spark 3.0 dropped.
const WEEK_BASED: &str = "YWwuec";
/// Letters that Spark never took.
const UNSUPPORTED: &str = "ABnNp";
/// Letters that no formatter of Java's has.
const UNKNOWN: &str = "bCfiIjJloPrRtTU";
/// Letters by which Spark writes but does not read.
const ONLY_WRITTEN: &str = "EFqQ";
/// Letters whose narrow form meant the full one before Spark 3.0.
const WITHOUT_NARROW_FORM: &str = "GMLEQq";
/// How many letters are too many for a year.
const YEAR_LETTERS_MAX: usize = 6;
/// The letters of Java's older formatter: a pattern of these alone meant something before Spark 3.0.
const LEGACY: &str = "GyYMLwWDdFEuaHkKhmsSzZX";

/// The parts of a pattern.
pub(super) fn compile(pattern: &str, is_parsing: bool) -> Result<Vec<Item>, Failure> {
    let runs = refuse_letters(pattern, is_parsing)?;
    let uses_era = runs.iter().any(|(letter, _)| *letter == 'G');
    let mut compiler = Compiler { chars: pattern.chars().peekable(), is_parsing, uses_era };
    compiler.items(0).map_err(|problem| refusal(pattern, &runs, problem))
}

/// The runs of letters outside of quotes.
fn letter_runs(pattern: &str) -> Vec<(char, usize)> {
    let mut runs: Vec<(char, usize)> = Vec::new();
    let mut is_quoted = false;
    let mut previous = ' ';
    for letter in pattern.chars() {
        is_quoted ^= letter == '\'';
        if !is_quoted && letter.is_ascii_alphabetic() {
            match runs.last_mut() {
                Some((last, count)) if *last == letter && previous == letter => *count += 1,
                _ => runs.push((letter, 1)),
            }
        }
        previous = letter;
    }
    runs
}

fn refuse_letters(pattern: &str, is_parsing: bool) -> Result<Vec<(char, usize)>, Failure> {
    let runs = letter_runs(pattern);
    if let Some((letter, _)) = runs.iter().find(|(letter, _)| WEEK_BASED.contains(*letter)) {
        if !is_parsing && was_known(&runs) {
            return Err(unrecognized(pattern));
        }
        let condition = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN";
        let message = format!("the pattern `{pattern}` is based on weeks by its letter `{letter}`");
        return Err(Failure::new(condition, message).hint("use `extract` for parts of weeks"));
    }
    for (letter, count) in &runs {
        let is_refused =
            UNSUPPORTED.contains(*letter) || (is_parsing && ONLY_WRITTEN.contains(*letter));
        if is_refused {
            return Err(refusal(pattern, &runs, Problem::Letter(*letter)));
        }
        let is_narrow = *count >= 5 && WITHOUT_NARROW_FORM.contains(*letter);
        if is_narrow || (*letter == 'y' && *count > YEAR_LETTERS_MAX) {
            return Err(refusal(pattern, &runs, Problem::TooMany(*letter)));
        }
    }
    Ok(runs)
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, Copy)]
enum Problem {
    Letter(char),
    TooMany(char),
    Brackets,
    Quotes,
}

/// Whether the pattern meant something to Java's older formatter.
fn was_known(runs: &[(char, usize)]) -> bool {
    runs.iter().all(|(letter, count)| LEGACY.contains(*letter) && (*letter != 'X' || *count <= 3))
}

fn unrecognized(pattern: &str) -> Failure {
    let condition = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION";
    let message = format!("the pattern `{pattern}` is not recognized since Spark 3.0");
    Failure::new(condition, message).hint("write it with the letters of Spark's datetime patterns")
}

fn refusal(pattern: &str, runs: &[(char, usize)], problem: Problem) -> Failure {
    if was_known(runs) && !matches!(problem, Problem::Quotes) {
        return unrecognized(pattern);
    }
    let (condition, what) = match problem {
        Problem::Letter(letter) if UNKNOWN.contains(letter) => {
            ("INVALID_DATETIME_PATTERN.WITH_SUGGESTION", format!("letter `{letter}` is not known"))
        }
        Problem::Letter(letter) => (
            "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
            format!("letter `{letter}` is not known"),
        ),
        Problem::TooMany(letter) => {
            ("INVALID_DATETIME_PATTERN.LENGTH", format!("letter `{letter}` stands too often"))
        }
        Problem::Brackets => {
            ("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "`]` without `[`".to_owned())
        }
        Problem::Quotes => {
            ("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "a quote is not closed".to_owned())
        }
    };
    Failure::new(condition, format!("the pattern `{pattern}` is not valid: {what}"))
        .hint("a pattern looks like `yyyy-MM-dd` or `dd/MM/yyyy HH:mm:ss`")
}

struct Compiler<'a> {
    chars: Peekable<Chars<'a>>,
    is_parsing: bool,
    uses_era: bool,
}

impl Compiler<'_> {
    fn items(&mut self, depth: usize) -> Result<Vec<Item>, Problem> {
        let mut items = Vec::new();
        // The number that digits of the numbers behind it would be taken for.
        let mut open: Option<usize> = None;
        while let Some(first) = self.chars.next() {
            let item = match first {
                '[' => Item::Optional(self.items(depth + 1)?),
                ']' if depth > 0 => return Ok(items),
                ']' => return Err(Problem::Brackets),
                '\'' => Item::Literal(self.quoted()?),
                '{' | '}' | '#' => return Err(Problem::Letter(first)),
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while self.chars.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    self.field(letter, count)?
                }
                other => Item::Literal(other.to_string()),
            };
            open = match fixed_width(&item) {
                Some(width) => {
                    if let Some(
                        Item::Number { following, .. } | Item::ShortYear { following, .. },
                    ) = open.and_then(|at| items.get_mut(at))
                    {
                        *following += width;
                    }
                    open.or(Some(items.len()))
                }
                None => matches!(item, Item::Number { .. }).then_some(items.len()),
            };
            items.push(item);
        }
        Ok(items)
    }

    /// The text up to the closing quote; two quotes stand for one, also `''` alone.
    fn quoted(&mut self) -> Result<String, Problem> {
        let mut text = String::new();
        if self.chars.next_if_eq(&'\'').is_some() {
            return Ok("'".to_owned());
        }
        while let Some(next) = self.chars.next() {
            if next == '\'' && self.chars.next_if_eq(&'\'').is_none() {
                return Ok(text);
            }
            text.push(next);
        }
        Err(Problem::Quotes)
    }

    fn field(&self, letter: char, count: usize) -> Result<Item, Problem> {
        let too_many = Err(Problem::TooMany(letter));
        match (letter, count) {
            ('y', _) => Ok(self.year(count)),
            ('M' | 'L', 1..=4) => Ok(number_or_word(Field::Month, count)),
            ('Q' | 'q', 1..=4) => Ok(number_or_word(Field::Quarter, count)),
            ('E', 1..=4) => Ok(Item::Word { field: Field::DayOfWeek, in_full: count == 4 }),
            ('G', 1..=4) => Ok(Item::Word { field: Field::Era, in_full: count == 4 }),
            ('a', 1) => Ok(Item::Word { field: Field::AmPm, in_full: false }),
            ('D', 1) => Ok(free(Field::DayOfYear)),
            ('D', 2 | 3) => {
                let digits = Digits { min: count, max: 3, sign: Sign::Never };
                Ok(Item::Number { field: Field::DayOfYear, digits, following: 0 })
            }
            ('F', 1) => Ok(free(Field::DayOfWeekInMonth)),
            ('S', 1..=9) => {
                Ok(Item::Fraction { min: if self.is_parsing { 1 } else { count }, max: count })
            }
            ('d' | 'H' | 'h' | 'k' | 'K' | 'm' | 's', 1) => Ok(free(clock_field(letter))),
            ('d' | 'H' | 'h' | 'k' | 'K' | 'm' | 's', 2) => Ok(fixed(clock_field(letter), 2)),
            ('V', 2) => Ok(Item::ZoneId),
            ('z', 1..=4) => Ok(Item::ZoneName { in_full: count == 4 }),
            ('O', 1 | 4) | ('Z', 4) => Ok(Item::LocalizedOffset { in_full: count == 4 }),
            ('X' | 'x' | 'Z', 1..=5) => Ok(Item::Offset(offset_style(letter, count))),
            ('M' | 'L' | 'Q' | 'q' | 'E' | 'G' | 'a' | 'D' | 'F' | 'S' | 'V' | 'z' | 'O', _)
            | ('d' | 'H' | 'h' | 'k' | 'K' | 'm' | 's' | 'X' | 'x' | 'Z', _) => too_many,
            _ => Err(Problem::Letter(letter)),
        }
    }

    fn year(&self, count: usize) -> Item {
        let field = if self.uses_era { Field::YearOfEra } else { Field::Year };
        let sign = if count < 4 { Sign::Minus } else { Sign::Exceeding };
        match count {
            2 => Item::ShortYear { field, following: 0 },
            _ => Item::Number { field, digits: Digits { min: count, max: 19, sign }, following: 0 },
        }
    }
}

fn clock_field(letter: char) -> Field {
    match letter {
        'd' => Field::DayOfMonth,
        'H' => Field::HourOfDay,
        'h' => Field::ClockHourOfAmPm,
        'k' => Field::ClockHourOfDay,
        'K' => Field::HourOfAmPm,
        'm' => Field::Minute,
        _ => Field::Second,
    }
}

fn number_or_word(field: Field, count: usize) -> Item {
    match count {
        1 => free(field),
        2 => fixed(field, 2),
        _ => Item::Word { field, in_full: count == 4 },
    }
}

fn free(field: Field) -> Item {
    Item::Number { field, digits: Digits { min: 1, max: 19, sign: Sign::Minus }, following: 0 }
}

fn fixed(field: Field, width: usize) -> Item {
    Item::Number {
        field,
        digits: Digits { min: width, max: width, sign: Sign::Never },
        following: 0,
    }
}

/// How many digits an item has, if always as many.
fn fixed_width(item: &Item) -> Option<usize> {
    match item {
        Item::Number { digits, .. } => {
            (digits.min == digits.max && digits.sign == Sign::Never).then_some(digits.max)
        }
        Item::ShortYear { .. } => Some(2),
        Item::Fraction { min, max } => (min == max).then_some(*max),
        _ => None,
    }
}

fn offset_style(letter: char, count: usize) -> OffsetStyle {
    let colon = if count == 3 && letter != 'Z' || count == 5 { ":" } else { "" };
    let zero = match (letter, count) {
        ('X', _) | ('Z', 5) => "Z",
        ('Z', _) => "+0000",
        (_, 1) => "+00",
        (_, 2 | 4) => "+0000",
        _ => "+00:00",
    };
    OffsetStyle { colon, short: count == 1 && letter != 'Z', seconds: count >= 4, zero }
}
