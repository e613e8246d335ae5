//! How much texts are alike, in letters and in sound.

use arrow::datatypes::{Float64Type, Int32Type};
use datafusion::logical_expr::ScalarUDF;

use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `levenshtein(left, right[, threshold])`, -1 where the distance is over the threshold.
pub(super) fn levenshtein() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text, Kind::Text], &[Kind::Int]);
    Kernel::new("levenshtein", parameters, rows::int, |call| {
        let (left, right) = (call.text(0)?, call.text(1)?);
        let thresholds = call.optional::<Int32Type>(2)?;
        rows::numbers::<Int32Type>(call, |row| {
            let distance = strsim::levenshtein(left.value(row), right.value(row)) as i32;
            let threshold = thresholds.as_ref().map_or(i32::MAX, |limits| limits.value(row));
            Ok(Some(if distance > threshold { -1 } else { distance }))
        })
    })
    .udf()
}

/// Spark's `jaro_winkler_similarity`.
pub(super) fn jaro_winkler() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text]);
    Kernel::new("jaro_winkler_similarity", parameters, rows::double, |call| {
        let (left, right) = (call.text(0)?, call.text(1)?);
        rows::numbers::<Float64Type>(call, |row| {
            Ok(Some(strsim::jaro_winkler(left.value(row), right.value(row))))
        })
    })
    .udf()
}

/// Spark's `soundex`; a text that does not begin with a letter of ASCII stays.
pub(super) fn soundex() -> ScalarUDF {
    Kernel::new("soundex", Parameters::exact(&[Kind::Text]), rows::text, |call| {
        let texts = call.text(0)?;
        rows::texts(call, |row, output| {
            sound(texts.value(row), output);
            Ok(true)
        })
    })
    .udf()
}

/// The digit of each letter from A to Z; 0 is a vowel, 7 is passed over as if it were not there.
const SOUNDS: &[u8; 26] = b"01230127022455012623017202";

fn sound(text: &str, output: &mut String) {
    let Some(first) = text.bytes().next().filter(u8::is_ascii_alphabetic) else {
        output.push_str(text);
        return;
    };
    let digit = |letter: u8| SOUNDS[usize::from(letter.to_ascii_uppercase() - b'A')];
    output.push(char::from(first.to_ascii_uppercase()));
    let mut last = digit(first);
    for letter in text.bytes().skip(1) {
        if output.len() == 4 {
            break;
        }
        if !letter.is_ascii_alphabetic() {
            last = b'0';
            continue;
        }
        match digit(letter) {
            b'7' => {}
            next => {
                if next != b'0' && next != last {
                    output.push(char::from(next));
                }
                last = next;
            }
        }
    }
    output.extend((output.len()..4).map(|_| '0'));
}

/// Spark's `luhn_check`: whether the last digit of a number is its right check digit.
pub(super) fn luhn_check() -> ScalarUDF {
    Kernel::new("luhn_check", Parameters::exact(&[Kind::Text]), rows::boolean, |call| {
        let texts = call.text(0)?;
        rows::booleans(call, |row| Ok(Some(is_luhn(texts.value(row)))))
    })
    .udf()
}

fn is_luhn(text: &str) -> bool {
    let mut sum = 0;
    for (at, letter) in text.chars().rev().enumerate() {
        let Some(digit) = letter.to_digit(10) else { return false };
        sum += match at % 2 {
            0 => digit,
            _ if digit > 4 => 2 * digit - 9,
            _ => 2 * digit,
        };
    }
    !text.is_empty() && sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::sound;

    #[test]
    fn sounds_are_those_of_the_census() {
        for (text, expected) in [
            ("Miller", "M460"),
            ("Robert", "R163"),
            ("Tymczak", "T522"),
            ("Ashcraft", "A261"),
            ("#a", "#a"),
            ("", ""),
        ] {
            let mut output = String::new();
            sound(text, &mut output);
            assert_eq!(output, expected);
        }
    }
}
