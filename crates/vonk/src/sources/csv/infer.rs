//! Finds the types of CSV columns from sample records.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};

use super::super::literal;
use super::columns::Texts;
use super::options::ValueOptions;
use super::records::{Field, Scanner, Step};

/// What all values of a column have been so far, from the narrowest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but NULL.
    Null,
    Boolean,
    /// Whole numbers of up to 64 bits.
    Integer,
    /// Whole numbers, the longest of this many digits, more than 64 bits hold.
    LongInteger(u8),
    Double,
    Date,
    Timestamp,
    /// Timestamps of which some name their offset from UTC.
    ZonedTimestamp,
    Text,
}

/// The most digits that a decimal holds.
const DIGITS_MAX: usize = 38;

impl Kind {
    /// What a text is by itself.
    pub(super) fn of(text: &str, values: &ValueOptions) -> Self {
        if text.is_empty() || text == values.null_value {
            return Self::Null;
        }
        let text = text.trim();
        match text.bytes().next() {
            None => return Self::Null,
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => {
                if let Some(number) = Self::of_number(text) {
                    return number;
                }
            }
            Some(_) if literal::parse_boolean(text).is_some() => return Self::Boolean,
            Some(_) => {}
        }
        if values.double(text).is_some() {
            return Self::Double;
        }
        if values.times.date(text).is_some() {
            return Self::Date;
        }
        match values.times.timestamp(text) {
            Some(instant) if instant.has_offset => Self::ZonedTimestamp,
            Some(_) => Self::Timestamp,
            None => Self::Text,
        }
    }

    fn of_number(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match () {
            // Postal codes and the like lose their zeros as numbers.
            () if is_whole && digits.len() > 1 && digits.starts_with('0') => Some(Self::Text),
            () if literal::parse_integer(text.as_bytes()).is_some() => Some(Self::Integer),
            () if is_whole && digits.len() <= DIGITS_MAX => {
                u8::try_from(digits.len()).ok().map(Self::LongInteger)
            }
            () => literal::parse_double(text).map(|_| Self::Double),
        }
    }

    /// The narrowest kind that takes both.
    pub(super) fn merge(self, other: Self) -> Self {
        use Kind::{Date, Double, Integer, LongInteger, Null, Text, Timestamp, ZonedTimestamp};
        match (self, other) {
            (a, b) if a == b => a,
            (Null, kind) | (kind, Null) => kind,
            (LongInteger(a), LongInteger(b)) => LongInteger(a.max(b)),
            (Integer, LongInteger(digits)) | (LongInteger(digits), Integer) => LongInteger(digits),
            (Integer | LongInteger(_), Double) | (Double, Integer | LongInteger(_)) => Double,
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            (Date | Timestamp, ZonedTimestamp) | (ZonedTimestamp, Date | Timestamp) => {
                ZonedTimestamp
            }
            _ => Text,
        }
    }

    /// The type of a column of this kind; timestamps with an offset are shown in `zone`.
    pub(super) fn data_type(self, zone: &str) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::LongInteger(digits) => DataType::Decimal128(digits, 0),
            Self::Double => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::ZonedTimestamp => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from(zone)))
            }
            Self::Null | Self::Text => DataType::Utf8,
        }
    }
}

/// The first records of a file.
pub(super) struct Sample<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether this is the whole file.
    pub(super) is_whole: bool,
    pub(super) scanner: &'a Scanner,
    pub(super) values: &'a ValueOptions,
}

impl Sample<'_> {
    /// Calls `visit` with the texts of each record until it returns `false`; where the first record
    /// begins that was not visited.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&[String]) -> bool) -> usize {
        let bytes = self.bytes;
        let mut fields: Vec<Field> = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        let mut at = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        loop {
            let (next, end) = match self.scanner.step(bytes, at, self.is_whole, &mut fields) {
                Step::Skip { next } => (next, None),
                Step::Record { end, next } => (next, Some(end)),
                Step::NeedMore | Step::TooManyColumns => return at,
            };
            if let Some(end) = end {
                self.texts(&bytes[at..end], at, &fields, &mut texts);
                if !visit(&texts) {
                    return next;
                }
            }
            at = next;
        }
    }

    fn texts(&self, record: &[u8], offset: usize, fields: &[Field], texts: &mut Vec<String>) {
        let text = String::from_utf8_lossy(record);
        // A replaced byte shifts what follows; reading the record will be an error in any case.
        let is_valid = matches!(text, std::borrow::Cow::Borrowed(_));
        let source = Texts {
            text: if is_valid { &text } else { "" },
            offset,
            fields: &[],
            scanner: self.scanner,
            values: self.values,
        };
        texts.resize(fields.len(), String::new());
        for (text, field) in texts.iter_mut().zip(fields) {
            text.clear();
            text.push_str(&source.get(*field).0);
        }
    }

    /// The kinds of the columns over at most `rows_max` records after the first `skip`.
    pub(super) fn kinds(&self, skip: usize, rows_max: usize) -> Vec<Kind> {
        let mut found = Kinds { skip, rows_max, ..Kinds::default() };
        found.add(self);
        found.kinds
    }
}

/// The kinds of columns, found record by record.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    pub(super) kinds: Vec<Kind>,
    /// How many records are still to be passed over.
    pub(super) skip: usize,
    /// How many records are still to be looked at.
    pub(super) rows_max: usize,
}

impl Kinds {
    /// Takes the records of a sample into account; where the first begins that was not.
    pub(super) fn add(&mut self, sample: &Sample<'_>) -> usize {
        if self.rows_max == 0 {
            return sample.bytes.len();
        }
        sample.for_each(|texts| {
            if self.skip > 0 {
                self.skip -= 1;
                return true;
            }
            if self.kinds.len() < texts.len() {
                self.kinds.resize(texts.len(), Kind::Null);
            }
            for (kind, text) in self.kinds.iter_mut().zip(texts) {
                if *kind != Kind::Text {
                    *kind = kind.merge(Kind::of(text, sample.values));
                }
            }
            self.rows_max -= 1;
            self.rows_max > 0
        })
    }
}

/// Names for columns: blanks around them cut off, empty ones by number, equal ones made different
/// by `_1`, `_2` and so on, as DuckDB does.
pub(super) fn column_names(header: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    let mut taken = hashbrown::HashSet::new();
    for (index, name) in header.iter().enumerate() {
        let base = match name.trim() {
            "" => format!("_c{index}"),
            name => name.to_owned(),
        };
        let mut name = base.clone();
        let mut number = 0;
        while !taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::super::ReadOptions;
    use super::super::options::CsvOptions;
    use super::*;

    fn kind(texts: &[&str]) -> Kind {
        let values = CsvOptions::from_options(&ReadOptions::default()).unwrap().values;
        texts.iter().map(|text| Kind::of(text, &values)).fold(Kind::Null, Kind::merge)
    }

    #[test]
    fn kinds_of_columns() {
        assert_eq!(kind(&["1", "", "-5", " 7 "]), Kind::Integer);
        assert_eq!(kind(&["1", "2.5"]), Kind::Double);
        assert_eq!(kind(&["1", "NaN"]), Kind::Double);
        assert_eq!(kind(&["12345678901234567890123", "1"]), Kind::LongInteger(23));
        assert_eq!(kind(&["12345678901234567890123", "1.5"]), Kind::Double);
        assert_eq!(kind(&["10115", "01234"]), Kind::Text);
        assert_eq!(kind(&["0", "0.5"]), Kind::Double);
        assert_eq!(kind(&["1,5"]), Kind::Text);
        assert_eq!(kind(&["true", "FALSE"]), Kind::Boolean);
        assert_eq!(kind(&["true", "1"]), Kind::Text);
        assert_eq!(kind(&["2020-01-01", "2020-01-01 10:00:00"]), Kind::Timestamp);
        assert_eq!(kind(&["2020-01-01T10:00:00Z"]), Kind::ZonedTimestamp);
        assert_eq!(kind(&["2020-01-01", "n/a"]), Kind::Text);
        assert_eq!(kind(&["", ""]), Kind::Null);
    }

    #[test]
    fn names_are_unlike_each_other() {
        let names = |header: &[&str]| {
            let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
            column_names(&header)
        };
        assert_eq!(names(&["a", " b", ""]), ["a", "b", "_c2"]);
        assert_eq!(names(&["a", "a", "a_1"]), ["a", "a_1", "a_1_1"]);
        assert_eq!(names(&["a", "A"]), ["a", "A_1"]);
    }
}
