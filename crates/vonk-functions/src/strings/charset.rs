//! `encode` and `decode`: text in the bytes of a character set, and back.

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `encode(text, charset)`.
pub(super) fn encode() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text]);
    Kernel::new("encode", parameters, rows::binary, |call| {
        let (texts, names) = (call.text(0)?, call.text(1)?);
        rows::bytes(call, |row, output| {
            let name = names.value(row);
            let charset = Charset::of(name, "encode")?;
            if texts.value(row).chars().all(|letter| charset.write(letter, output)) {
                charset.mark(output);
                return Ok(true);
            }
            Err(malformed(name, "encode").into())
        })
    })
    .udf()
}

/// Spark's `decode(bytes, charset)`.
pub(super) fn decode() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Bytes, Kind::Text]);
    Kernel::new("decode", parameters, rows::text, decoded).udf()
}

fn decoded(call: &Call<'_>) -> Result<ArrayRef> {
    let (inputs, names) = (call.bytes(0)?, call.text(1)?);
    rows::texts(call, |row, output| {
        let name = names.value(row);
        match Charset::of(name, "decode")?.read(inputs.value(row), output) {
            Some(()) => Ok(true),
            None => Err(malformed(name, "decode").into()),
        }
    })
}

fn malformed(charset: &str, function: &str) -> Failure {
    let message = format!("`{function}` found what is not of the character set {charset}");
    Failure::new("MALFORMED_CHARACTER_CODING", message)
}

/// The character sets that Spark knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    /// With a mark of the order of bytes.
    Utf16,
    Utf16Be,
    Utf16Le,
    Utf32,
}

const CHARSETS: &[(&str, Charset)] = &[
    ("ISO-8859-1", Charset::Latin1),
    ("US-ASCII", Charset::Ascii),
    ("UTF-16", Charset::Utf16),
    ("UTF-16BE", Charset::Utf16Be),
    ("UTF-16LE", Charset::Utf16Le),
    ("UTF-32", Charset::Utf32),
    ("UTF-8", Charset::Utf8),
];

impl Charset {
    fn of(name: &str, function: &str) -> Result<Self> {
        match CHARSETS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, charset)) => Ok(*charset),
            None => {
                let message = format!("`{function}` does not know the character set `{name}`");
                let known: Vec<&str> = CHARSETS.iter().map(|(known, _)| *known).collect();
                Err(Failure::new("INVALID_PARAMETER_VALUE.CHARSET", message)
                    .hint(format!("it is one of {}", known.join(", ")))
                    .into())
            }
        }
    }

    /// Appends a character, if the set has it.
    fn write(self, letter: char, output: &mut Vec<u8>) -> bool {
        let code = letter as u32;
        match self {
            Charset::Ascii if code >= 0x80 => return false,
            Charset::Latin1 if code >= 0x100 => return false,
            Charset::Ascii | Charset::Latin1 => output.push(code as u8),
            Charset::Utf8 => output.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            Charset::Utf32 => output.extend_from_slice(&code.to_be_bytes()),
            Charset::Utf16 | Charset::Utf16Be | Charset::Utf16Le => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    output.extend_from_slice(&match self {
                        Charset::Utf16Le => unit.to_le_bytes(),
                        _ => unit.to_be_bytes(),
                    });
                }
            }
        }
        true
    }

    /// Puts the mark of the order of bytes in front.
    fn mark(self, output: &mut Vec<u8>) {
        if self == Charset::Utf16 && !output.is_empty() {
            output.splice(0..0, [0xFE, 0xFF]);
        }
    }

    fn read(self, bytes: &[u8], output: &mut String) -> Option<()> {
        match self {
            Charset::Ascii if !bytes.is_ascii() => return None,
            Charset::Ascii | Charset::Latin1 => output.extend(bytes.iter().map(|b| char::from(*b))),
            Charset::Utf8 => output.push_str(std::str::from_utf8(bytes).ok()?),
            Charset::Utf32 => {
                let units = bytes.as_chunks::<4>();
                for unit in units.0.iter().filter(|unit| **unit != [0, 0, 0xFE, 0xFF]) {
                    output.push(char::from_u32(u32::from_be_bytes(*unit))?);
                }
                return units.1.is_empty().then_some(());
            }
            Charset::Utf16 | Charset::Utf16Be | Charset::Utf16Le => {
                let is_little = self == Charset::Utf16Le
                    || self == Charset::Utf16 && bytes.starts_with(&[0xFF, 0xFE]);
                let has_mark = self == Charset::Utf16
                    && (bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]));
                let (units, rest) = bytes[if has_mark { 2 } else { 0 }..].as_chunks::<2>();
                let units = units.iter().map(|unit| match is_little {
                    true => u16::from_le_bytes(*unit),
                    false => u16::from_be_bytes(*unit),
                });
                for letter in char::decode_utf16(units) {
                    output.push(letter.ok()?);
                }
                return rest.is_empty().then_some(());
            }
        }
        Some(())
    }
}
