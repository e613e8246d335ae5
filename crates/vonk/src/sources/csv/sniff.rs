//! Finds delimiter, quote, escape and header of a CSV file from its first bytes.

use arrow::datatypes::Schema;

use super::infer::{Kind, Sample};
use super::options::CsvOptions;
use super::records::{Dialect, Field, Form, Scanner, Step};

/// The delimiters that are tried, the likeliest first.
const DELIMITERS: &[u8] = b",;\t|\x01\x1f~^";
/// How much of the file is cut into fields with every delimiter.
const BYTES_TRIED: usize = 128 << 10;
/// The part of the records that must have as many fields as the first for a delimiter to be one.
const REGULAR_MIN: f64 = 0.7;
/// How many records are looked at for a header.
const HEADER_ROWS: usize = 1000;

/// How a dialect cuts a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fit {
    /// Fields of the first record.
    width: usize,
    /// The part of the records that are as wide as the first and well quoted.
    regular: f64,
}

/// The dialect in which the sample makes the most regular table.
pub(super) fn find_dialect(sample: &[u8], is_whole: bool, options: &CsvOptions) -> Dialect {
    let short = &sample[..sample.len().min(BYTES_TRIED)];
    let short_is_whole = is_whole && short.len() == sample.len();
    let told = options.dialect();
    let fit = |dialect: Dialect| {
        let columns = options.limits.columns;
        let fit = measure(&Scanner::new(dialect, columns), short, short_is_whole);
        // The first record may be longer than what is tried first.
        fit.or_else(|| measure(&Scanner::new(dialect, columns), sample, is_whole))
    };
    let mut best = told;
    let mut best_fit = Fit { width: 1, regular: REGULAR_MIN };
    for delimiter in options.delimiter.as_slice().iter().chain(untold(options)) {
        for quote in quotes(short, options) {
            for escape in escapes(short, quote, options) {
                let dialect = Dialect { delimiter: *delimiter, quote, escape, ..told };
                let Some(found) = fit(dialect) else { continue };
                let known = options.delimiter.is_some();
                let better = if found.regular == best_fit.regular {
                    found.width > best_fit.width
                } else {
                    found.regular > best_fit.regular && (found.width > 1 || known)
                };
                if better {
                    (best, best_fit) = (dialect, found);
                }
            }
        }
    }
    best
}

fn untold(options: &CsvOptions) -> &'static [u8] {
    if options.delimiter.is_some() { &[] } else { DELIMITERS }
}

fn quotes(sample: &[u8], options: &CsvOptions) -> Vec<Option<u8>> {
    match options.quote {
        Some(quote) => vec![quote],
        None if sample.contains(&b'\'') => vec![Some(b'"'), Some(b'\'')],
        None => vec![Some(b'"')],
    }
}

fn escapes(sample: &[u8], quote: Option<u8>, options: &CsvOptions) -> Vec<Option<u8>> {
    let Some(quote) = quote else { return vec![None] };
    match options.escape {
        Some(escape) => vec![escape.filter(|escape| *escape != quote)],
        None if sample.windows(2).any(|pair| pair == [b'\\', quote]) => vec![None, Some(b'\\')],
        None => vec![None],
    }
}

/// How regular the records are; `None` if there is not even one.
fn measure(scanner: &Scanner, sample: &[u8], is_whole: bool) -> Option<Fit> {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    let mut fields: Vec<Field> = Vec::new();
    let mut at = 0;
    let mut width = None;
    let (mut regular, mut all) = (0u32, 0u32);
    loop {
        match scanner.step(sample, at, is_whole, &mut fields) {
            Step::Skip { next } => at = next,
            Step::Record { next, .. } => {
                let width = *width.get_or_insert(fields.len());
                all += 1;
                regular += u32::from(is_regular(&fields, width));
                at = next;
            }
            Step::NeedMore | Step::TooManyColumns => break,
        }
    }
    Some(Fit { width: width?, regular: f64::from(regular) / f64::from(all) })
}

fn is_regular(fields: &[Field], width: usize) -> bool {
    let ends_in_delimiter = fields.len() == width + 1
        && fields.last().is_some_and(|last| last.start == last.end && last.form == Form::Plain);
    let well_quoted =
        fields.iter().all(|field| !matches!(field.form, Form::Trailing | Form::Unclosed));
    well_quoted && (fields.len() == width || ends_in_delimiter)
}

/// Whether the first record names the columns.
///
/// With a schema that the user gave, only what cannot be a row of it is a header, so that no row is
/// lost.
pub(super) fn has_header(sample: &Sample<'_>, schema: Option<&Schema>) -> bool {
    let mut first: Vec<String> = Vec::new();
    sample.for_each(|texts| {
        first = texts.to_vec();
        false
    });
    if first.is_empty() {
        return false;
    }
    let of_first: Vec<Kind> = first.iter().map(|text| Kind::of(text, sample.values)).collect();
    match schema {
        Some(schema) => is_header_of(schema, &first, &of_first),
        None => is_unlike_the_rest(sample, &first, &of_first),
    }
}

fn is_header_of(schema: &Schema, first: &[String], of_first: &[Kind]) -> bool {
    let names = schema.fields().iter().map(|field| field.name());
    let same = |(name, text): (&String, &String)| name.eq_ignore_ascii_case(text.trim());
    if first.len() <= schema.fields().len() && names.zip(first).all(same) {
        return true;
    }
    let typed = schema
        .fields()
        .iter()
        .zip(of_first)
        .filter(|(field, _)| field.data_type().is_numeric() || field.data_type().is_temporal());
    let mut typed = typed.peekable();
    typed.peek().is_some() && typed.all(|(_, kind)| *kind == Kind::Text)
}

fn is_unlike_the_rest(sample: &Sample<'_>, first: &[String], of_first: &[Kind]) -> bool {
    let rest = sample.kinds(1, HEADER_ROWS);
    let unlike = |(first, rest): (&Kind, &Kind)| {
        !matches!(rest, Kind::Null | Kind::Text) && first.merge(*rest) == Kind::Text
    };
    if of_first.iter().zip(&rest).any(unlike) {
        return true;
    }
    // Texts over texts: a header names each column, differently, and its words do not come again.
    let mut names: Vec<&str> = first.iter().map(|name| name.trim()).collect();
    let mut again = false;
    let mut row = 0;
    sample.for_each(|texts| {
        row += 1;
        again |= row > 1 && texts.iter().zip(first).any(|(text, name)| text == name);
        row < HEADER_ROWS && !again
    });
    names.sort_unstable();
    names.dedup();
    let distinct = names.len() == first.len();
    of_first.iter().all(|kind| *kind == Kind::Text) && distinct && !again
}

#[cfg(test)]
mod tests {
    use super::super::super::ReadOptions;
    use super::*;

    fn sniff(text: &str) -> (Dialect, bool) {
        let options = CsvOptions::from_options(&ReadOptions::default()).unwrap();
        let dialect = find_dialect(text.as_bytes(), true, &options);
        let scanner = Scanner::new(dialect, 100);
        let sample = Sample {
            bytes: text.as_bytes(),
            is_whole: true,
            scanner: &scanner,
            values: &options.values,
        };
        (dialect, has_header(&sample, None))
    }

    /// The expected values are what DuckDB 2.0 finds in the same texts.
    #[test]
    fn delimiters_and_headers() {
        let check = |text: &str, delimiter: u8, header: bool| {
            let (dialect, found) = sniff(text);
            assert_eq!(char::from(dialect.delimiter), char::from(delimiter), "{text:?}");
            assert_eq!(found, header, "{text:?}");
        };
        check("a,b\n1,2\n", b',', true);
        check("1,2\n3,4\n", b',', false);
        check("a;b\n1,5;2\n2,5;3\n", b';', true);
        check("a;b\n\"x\";1,5\n\"y\";2,5\n", b';', true);
        check("a|b\n1|x\n2|y\n", b'|', true);
        check("a\tb\n1\tx\n2\ty\n", b'\t', true);
        check("a,b\nc,d\n", b',', true);
        check("name\nbob\nalice\n", b',', true);
        check("hello\n", b',', true);
        check("hello world, this is\na text file with\nsome lines, and commas\n", b',', true);
        check("a,b,\n1,2,\n3,4,\n", b',', true);
        check("a,b\n1,2,\n3,4,\n", b',', true);
        check("a,,c\n1,2,3\n", b',', true);
        check("d\n2020-01-01\n2021-02-03\n", b',', true);
        check("\u{feff}a,b\r\n1,2\r\n", b',', true);
    }

    #[test]
    fn quotes_and_escapes() {
        assert_eq!(sniff("a,b\n'x,y',1\n'z,w',2\n").0.quote, Some(b'\''));
        assert_eq!(sniff("a,b\nx's,1\n'n',2\n").0.quote, Some(b'"'));
        assert_eq!(sniff("a,b\n\"x\\\"y\",1\n\"z,w\",2\n").0.escape, Some(b'\\'));
        assert_eq!(sniff("a,b\n\"x\"\"y\",1\n\"z\\\",2\n").0.escape, None);
        assert_eq!(sniff("a,b\n\"x\ny\",1\n\"z,w\",2\n").0.quote, Some(b'"'));
    }

    #[test]
    fn no_row_of_a_given_schema_is_a_header() {
        use arrow::datatypes::{DataType, Field};
        let options = CsvOptions::from_options(&ReadOptions::default()).unwrap();
        let scanner = Scanner::new(Dialect::new(b','), 100);
        let check = |text: &str, data_type: DataType| {
            let fields =
                vec![Field::new("a", data_type.clone(), true), Field::new("b", data_type, true)];
            let sample = Sample {
                bytes: text.as_bytes(),
                is_whole: true,
                scanner: &scanner,
                values: &options.values,
            };
            has_header(&sample, Some(&Schema::new(fields)))
        };
        assert!(check("A,b\nx,y\n", DataType::Utf8));
        assert!(!check("x,y\nz,w\n", DataType::Utf8));
        assert!(check("x,y\n1,2\n", DataType::Int64));
        assert!(!check("1,y\n1,2\n", DataType::Int64));
    }
}
