//! Python's hashes as Spark's workers have them, for the partition that a key belongs to.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::redo::{Redo, Result};
use crate::value::{Value, whole};

/// Python's numbers hash modulo this prime, so that equal numbers of all types hash alike.
const MODULUS: u64 = (1 << 61) - 1;

/// Spark's `portable_hash` of a key.
pub(crate) fn portable(key: &Value<'_>) -> Result<i64> {
    match key {
        Value::None => Ok(0),
        Value::Bool(value) => Ok(i64::from(*value)),
        Value::Int(value) => Ok(of_int(*value)),
        Value::Float(value) => of_float(*value),
        Value::Str(text) => Ok(of_text(text)),
        Value::Tuple(items) => of_tuple(items),
        Value::List(_) => Err(Redo("a list as a key")),
    }
}

/// The hash of tuples of Python 2, which Spark keeps.
#[expect(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "bits are mixed")]
fn of_tuple(items: &[Value<'_>]) -> Result<i64> {
    let mut mixed = 0x0034_5678_u64;
    for item in items {
        mixed = (mixed ^ portable(item)? as u64).wrapping_mul(1_000_003) & (i64::MAX as u64);
    }
    Ok((mixed ^ items.len() as u64) as i64)
}

#[expect(clippy::cast_possible_wrap, reason = "the modulus fits")]
fn of_int(value: i64) -> i64 {
    let rest = (value.unsigned_abs() % MODULUS) as i64;
    never_minus_one(if value < 0 { -rest } else { rest })
}

/// Minus one is how Python's C code says that a hash failed.
fn never_minus_one(hash: i64) -> i64 {
    if hash == -1 { -2 } else { hash }
}

fn of_float(value: f64) -> Result<i64> {
    if let Some(value) = whole(value) {
        return Ok(of_int(value));
    }
    if value.is_nan() {
        return Err(Redo("NaN as a key"));
    }
    if value.is_infinite() {
        return Ok(if value > 0.0 { 314_159 } else { -314_159 });
    }
    Ok(of_fraction(value))
}

/// mantissa * 2^exponent modulo the prime, where a power of two is a rotation of 61 bits.
#[expect(clippy::cast_possible_wrap, reason = "61 bits fit")]
fn of_fraction(value: f64) -> i64 {
    let bits = value.to_bits();
    let biased = i64::try_from((bits >> 52) & 0x7ff).unwrap_or_default();
    let fraction = bits & ((1 << 52) - 1);
    let mantissa = if biased == 0 { fraction } else { fraction | (1 << 52) };
    let exponent = biased.max(1) - 1075;
    let turn = exponent.rem_euclid(61);
    let turned = if turn == 0 {
        mantissa
    } else {
        ((mantissa << turn) & MODULUS) | (mantissa >> (61 - turn))
    };
    let hash = (turned % MODULUS) as i64;
    never_minus_one(if value < 0.0 { -hash } else { hash })
}

/// `hash(text)` under PYTHONHASHSEED=0, of the characters as Python stores them.
pub(crate) fn of_text(text: &str) -> i64 {
    if text.is_ascii() {
        return of_bytes(text.as_bytes());
    }
    let widest = text.chars().max().map_or(0, u32::from);
    let mut stored = Vec::with_capacity(text.len() * 2);
    for character in text.chars().map(u32::from) {
        let bytes = character.to_ne_bytes();
        let width = if widest < 0x100 {
            1
        } else if widest < 0x1_0000 {
            2
        } else {
            4
        };
        let bytes =
            if cfg!(target_endian = "little") { &bytes[..width] } else { &bytes[4 - width..] };
        stored.extend_from_slice(bytes);
    }
    of_bytes(&stored)
}

/// `hash(bytes)` under PYTHONHASHSEED=0.
#[expect(clippy::cast_possible_wrap, reason = "bits are mixed")]
pub(crate) fn of_bytes(bytes: &[u8]) -> i64 {
    if bytes.is_empty() {
        return 0;
    }
    let mut hasher = SipHasher13::new_with_keys(0, 0);
    hasher.write(bytes);
    never_minus_one(hasher.finish() as i64)
}
