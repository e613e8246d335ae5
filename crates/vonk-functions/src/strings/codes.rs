//! Characters by their numbers, and bytes as text: hexadecimal, Base64, Base32 and character sets.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{Int32Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `ascii`: the code point of the first character, 0 for an empty text.
pub(super) fn ascii() -> ScalarUDF {
    Kernel::new("ascii", Parameters::exact(&[Kind::Text]), rows::int, |call| {
        let texts = call.text(0)?;
        rows::numbers::<Int32Type>(call, |row| {
            Ok(Some(texts.value(row).chars().next().map_or(0, |first| first as i32)))
        })
    })
    .udf()
}

/// Spark's `chr`: the character of the lowest byte of a number, none for a negative number.
pub(super) fn chr() -> ScalarUDF {
    Kernel::new("char", Parameters::exact(&[Kind::Long]), rows::text, |call| {
        let codes = call.primitive::<Int64Type>(0)?;
        rows::texts(call, |row, output| {
            let code = codes.value(row);
            if code >= 0 {
                output.push(char::from((code & 0xFF) as u8));
            }
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `hex` of a whole number, a text or bytes.
pub(super) fn hex() -> ScalarUDF {
    Kernel::new("hex", Parameters::exact(&[Kind::LongTextOrBytes]), rows::text, |call| {
        let array = call.array(0)?;
        if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
            return rows::texts(call, |row, output| {
                output.push_str(&format!("{:X}", numbers.value(row)));
                Ok(true)
            });
        }
        let inputs = call.raw(0)?;
        rows::texts(call, |row, output| {
            push_hex(inputs.value(row), output);
            Ok(true)
        })
    })
    .udf()
}

/// Appends two digits for each byte.
pub(crate) fn push_hex(bytes: &[u8], output: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        output.push(char::from(DIGITS[usize::from(byte >> 4)]));
        output.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Spark's `unhex`: NULL for what are no digits; an odd first digit is a byte of its own.
pub(super) fn unhex() -> ScalarUDF {
    Kernel::new("unhex", Parameters::exact(&[Kind::Text]), rows::binary, |call| {
        let texts = call.text(0)?;
        rows::bytes(call, |row, output| Ok(read_hex(texts.value(row), output).is_some()))
    })
    .udf()
}

/// Appends the bytes that hexadecimal digits stand for; `None` if there are others.
pub(crate) fn read_hex(text: &str, output: &mut Vec<u8>) -> Option<()> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (first, pairs) = text.as_bytes().split_at(text.len() % 2);
    for byte in first {
        output.push(digit(*byte)?);
    }
    for pair in pairs.chunks_exact(2) {
        output.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(())
}

/// An alphabet of as many characters as a few bits can tell apart.
struct Alphabet {
    characters: &'static [u8],
    bits: u32,
    /// How many characters a full group has; shorter ones are filled with `=`.
    group: usize,
}

const BASE64: Alphabet = Alphabet {
    characters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bits: 6,
    group: 4,
};

const BASE32: Alphabet =
    Alphabet { characters: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", bits: 5, group: 8 };

impl Alphabet {
    fn write(&self, bytes: &[u8], output: &mut String) {
        let (mut buffer, mut held) = (0_u32, 0);
        let mut count = 0_usize;
        let mut push = |index: u32| {
            output.push(char::from(self.characters[index as usize]));
            count += 1;
        };
        let mask = (1 << self.bits) - 1;
        for byte in bytes {
            buffer = (buffer << 8 | u32::from(*byte)) & 0xFFFF;
            held += 8;
            while held >= self.bits {
                held -= self.bits;
                push(buffer >> held & mask);
            }
        }
        if held > 0 {
            push(buffer << (self.bits - held) & mask);
        }
        output.extend((count..count.next_multiple_of(self.group)).map(|_| '='));
    }

    /// Reads characters of the alphabet, whose padding has been taken off.
    fn read(&self, text: impl Iterator<Item = u8>, output: &mut Vec<u8>) -> Option<()> {
        let (mut buffer, mut held) = (0_u32, 0);
        for character in text {
            let value = self.characters.iter().position(|known| *known == character)?;
            buffer = (buffer << self.bits | value as u32) & 0xFFFF;
            held += self.bits;
            if held >= 8 {
                held -= 8;
                output.push((buffer >> held) as u8);
            }
        }
        // A single character left over holds no byte.
        (held < self.bits).then_some(())
    }
}

/// Appends bytes in Base64.
pub(crate) fn push_base64(bytes: &[u8], output: &mut String) {
    BASE64.write(bytes, output);
}

/// Spark's `base64`.
pub(super) fn base64() -> ScalarUDF {
    Kernel::new("base64", Parameters::exact(&[Kind::Bytes]), rows::text, |call| {
        write(call, &BASE64)
    })
    .udf()
}

/// Spark's `to_base32`.
pub(super) fn to_base32() -> ScalarUDF {
    Kernel::new("to_base32", Parameters::exact(&[Kind::Bytes]), rows::text, |call| {
        write(call, &BASE32)
    })
    .udf()
}

fn write(call: &Call<'_>, alphabet: &Alphabet) -> Result<ArrayRef> {
    let inputs = call.bytes(0)?;
    rows::texts(call, |row, output| {
        alphabet.write(inputs.value(row), output);
        Ok(true)
    })
}

/// Spark's `unbase64`, which passes over what is not of the alphabet.
pub(super) fn unbase64() -> ScalarUDF {
    Kernel::new("unbase64", Parameters::exact(&[Kind::Text]), rows::binary, |call| {
        let texts = call.text(0)?;
        rows::bytes(call, |row, output| {
            let text = texts.value(row);
            let known = text.bytes().take_while(|byte| *byte != b'=');
            let known = known.filter(|byte| BASE64.characters.contains(byte));
            match BASE64.read(known, output) {
                Some(()) => Ok(true),
                None => Err(invalid_conversion(text, "BASE64").into()),
            }
        })
    })
    .udf()
}

/// Spark's `from_base32`.
pub(super) fn from_base32() -> ScalarUDF {
    Kernel::new("from_base32", Parameters::exact(&[Kind::Text]), rows::binary, |call| {
        let texts = call.text(0)?;
        rows::bytes(call, |row, output| {
            let text = texts.value(row);
            let digits = text.trim_end_matches('=').bytes().map(|byte| byte.to_ascii_uppercase());
            match BASE32.read(digits, output) {
                Some(()) => Ok(true),
                None => Err(invalid_conversion(text, "BASE32").into()),
            }
        })
    })
    .udf()
}

fn invalid_conversion(text: &str, format: &str) -> Failure {
    let message = format!("`{text}` cannot be read as bytes by the format {format}");
    Failure::new("CONVERSION_INVALID_INPUT", message)
        .hint("use `try_to_binary` to get NULL instead")
}

/// Spark's `to_binary(text[, format])`.
pub(super) fn to_binary() -> ScalarUDF {
    Kernel::new("to_binary", TO_BINARY, rows::binary, |call| read_binary(call, false)).udf()
}

/// Spark's `try_to_binary(text[, format])`.
pub(super) fn try_to_binary() -> ScalarUDF {
    Kernel::new("try_to_binary", TO_BINARY, rows::binary, |call| read_binary(call, true)).udf()
}

const TO_BINARY: Parameters = Parameters::with_optional(&[Kind::Text], &[Kind::Text]);

fn read_binary(call: &Call<'_>, is_try: bool) -> Result<ArrayRef> {
    let (texts, formats) = (call.text(0)?, call.optional_text(1)?);
    rows::bytes(call, |row, output| {
        let text = texts.value(row);
        let format = formats.as_ref().map_or("hex", |formats| formats.value(row));
        let read = match format.to_lowercase().as_str() {
            "hex" => read_hex(text, output),
            "utf-8" | "utf8" => {
                output.extend_from_slice(text.as_bytes());
                Some(())
            }
            "base64" => read_strict_base64(text, output),
            _ if is_try => None,
            other => {
                let message =
                    format!("the format `{other}` is not one of hex, utf-8, utf8 and base64");
                return Err(Failure::new("DATATYPE_MISMATCH.INVALID_ARG_VALUE", message).into());
            }
        };
        match read {
            Some(()) => Ok(true),
            None if is_try => Ok(false),
            None => Err(invalid_conversion(text, &format.to_uppercase()).into()),
        }
    })
}

/// Base64 with white space between its digits, but with nothing else that is wrong.
fn read_strict_base64(text: &str, output: &mut Vec<u8>) -> Option<()> {
    if text.trim_start_matches(|c| c != '=').contains(char::is_whitespace) {
        return None;
    }
    let bytes: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = bytes.len() - padding;
    let is_whole = match padding {
        0 => digits % 4 != 1,
        1 | 2 => bytes.len().is_multiple_of(4),
        _ => false,
    };
    if !is_whole {
        return None;
    }
    BASE64.read(bytes[..digits].iter().copied(), output)
}

/// Spark's `is_valid_utf8`.
pub(super) fn is_valid_utf8() -> ScalarUDF {
    Kernel::new("is_valid_utf8", TEXT_OR_BYTES, rows::boolean, |call| {
        let inputs = call.raw(0)?;
        rows::booleans(call, |row| Ok(Some(std::str::from_utf8(inputs.value(row)).is_ok())))
    })
    .udf()
}

const TEXT_OR_BYTES: Parameters = Parameters::exact(&[Kind::TextOrBytes]);

/// Spark's `make_valid_utf8`.
pub(super) fn make_valid_utf8() -> ScalarUDF {
    Kernel::new("make_valid_utf8", TEXT_OR_BYTES, rows::text, |call| {
        let inputs = call.raw(0)?;
        rows::texts(call, |row, output| {
            output.push_str(&String::from_utf8_lossy(inputs.value(row)));
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `validate_utf8`.
pub(super) fn validate_utf8() -> ScalarUDF {
    Kernel::new("validate_utf8", TEXT_OR_BYTES, rows::text, |call| validate(call, false)).udf()
}

/// Spark's `try_validate_utf8`.
pub(super) fn try_validate_utf8() -> ScalarUDF {
    Kernel::new("try_validate_utf8", TEXT_OR_BYTES, rows::text, |call| validate(call, true)).udf()
}

fn validate(call: &Call<'_>, is_try: bool) -> Result<ArrayRef> {
    let inputs = call.raw(0)?;
    rows::texts(call, |row, output| match std::str::from_utf8(inputs.value(row)) {
        Ok(text) => {
            output.push_str(text);
            Ok(true)
        }
        Err(_) if is_try => Ok(false),
        Err(_) => {
            let mut digits = String::new();
            push_hex(inputs.value(row), &mut digits);
            let message = format!("the bytes {digits} are no text in UTF-8");
            Err(Failure::new("INVALID_UTF8_STRING", message)
                .hint("use `try_validate_utf8` to get NULL instead")
                .into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{BASE32, BASE64, read_hex, read_strict_base64};

    #[test]
    fn bytes_come_back_from_each_alphabet() {
        for alphabet in [BASE32, BASE64] {
            for text in ["", "f", "fo", "foo", "foob", "fooba", "foobar"] {
                let (mut written, mut read) = (String::new(), Vec::new());
                alphabet.write(text.as_bytes(), &mut written);
                assert_eq!(written.len() % alphabet.group, 0);
                let digits = written.trim_end_matches('=').bytes();
                assert!(alphabet.read(digits, &mut read).is_some());
                assert_eq!(read, text.as_bytes());
            }
        }
    }

    #[test]
    fn half_a_byte_is_no_base64() {
        for text in ["a", "abcde", "abcd=", "a===", "ab==f", "a?"] {
            assert!(read_strict_base64(text, &mut Vec::new()).is_none(), "{text}");
        }
    }

    #[test]
    fn an_odd_digit_is_the_first_byte() {
        let mut bytes = Vec::new();
        assert!(read_hex("123", &mut bytes).is_some());
        assert_eq!(bytes, [1, 0x23]);
    }
}
