//! Reads a text by the parts of a pattern, as strictly as Java does.

use chrono_tz::TZ_VARIANTS;

use super::{Digits, Field, Item, OffsetStyle, Sign, Values, words};
use crate::datetime::zone::Zone;
use crate::datetime::zone_names;

/// A place in the text where it does not fit.
struct Misfit(usize);

type Step = Result<usize, Misfit>;

/// The values of the fields that a text gives.
pub(super) fn read(items: &[Item], text: &str) -> Result<Values, String> {
    let mut values = Values::default();
    let at = |byte: usize| text.get(..byte).map_or(byte, |before| before.chars().count());
    match read_items(items, text, 0, &mut values) {
        Ok(end) if end == text.len() => Ok(values),
        Ok(end) => Err(format!(
            "text `{text}` could not be parsed, unparsed text found at index {}",
            at(end)
        )),
        Err(Misfit(byte)) => {
            Err(format!("text `{text}` could not be parsed at index {}", at(byte)))
        }
    }
}

fn read_items(items: &[Item], text: &str, mut at: usize, values: &mut Values) -> Step {
    for item in items {
        at = read_item(item, text, at, values)?;
    }
    Ok(at)
}

fn read_item(item: &Item, text: &str, at: usize, values: &mut Values) -> Step {
    match item {
        Item::Literal(expected) => starts_with(text, at, expected).ok_or(Misfit(at)),
        Item::Number { field, digits, following } => {
            let (value, end) = number(text, at, *digits, *following)?;
            set(values, *field, value, at, end)
        }
        Item::ShortYear { field, following } => {
            let digits = Digits { min: 2, max: 2, sign: Sign::Never };
            let (value, end) = number(text, at, digits, *following)?;
            set(values, *field, if end - at == 2 { 2000 + value } else { value }, at, end)
        }
        Item::Fraction { min, max } => fraction(text, at, (*min, *max), values),
        Item::Word { field, in_full } => word(text, at, (*field, *in_full), values),
        Item::Offset(style) => {
            let (offset, end) = offset(text, at, style).ok_or(Misfit(at))?;
            set_offset(values, offset, at, end)
        }
        Item::LocalizedOffset { in_full } => {
            let (offset, end) = localized_offset(text, at, *in_full).ok_or(Misfit(at))?;
            set_offset(values, offset, at, end)
        }
        Item::ZoneId => zone(text, at, None, values),
        Item::ZoneName { in_full } => zone(text, at, Some(*in_full), values),
        Item::Optional(inner) => {
            let mut tried = *values;
            Ok(match read_items(inner, text, at, &mut tried) {
                Ok(end) => {
                    *values = tried;
                    end
                }
                Err(_) => at,
            })
        }
    }
}

fn set(values: &mut Values, field: Field, value: i64, at: usize, end: usize) -> Step {
    if values.set(field, value) { Ok(end) } else { Err(Misfit(at)) }
}

fn set_offset(values: &mut Values, offset: i32, at: usize, end: usize) -> Step {
    if *values.offset.get_or_insert(offset) == offset { Ok(end) } else { Err(Misfit(at)) }
}

/// The end of an expected text that stands there in any case.
fn starts_with(text: &str, at: usize, expected: &str) -> Option<usize> {
    let end = at + expected.len();
    text.get(at..end).filter(|found| found.eq_ignore_ascii_case(expected)).map(|_| end)
}

fn digits_at(text: &str, at: usize, max: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.bytes().take(max).take_while(u8::is_ascii_digit).count();
    &rest[..length]
}

/// Java's `NumberPrinterParser` in its strict mode.
fn number(text: &str, at: usize, digits: Digits, following: usize) -> Result<(i64, usize), Misfit> {
    let sign = text.as_bytes().get(at).filter(|byte| matches!(byte, b'+' | b'-'));
    let begin = at + usize::from(sign.is_some());
    match (sign, digits.sign) {
        (Some(_), Sign::Never) | (Some(b'+'), Sign::Minus) => return Err(Misfit(at)),
        _ => {}
    }
    let mut found = digits_at(text, begin, digits.max + following);
    if following > 0 {
        let own = found.len().saturating_sub(following).max(digits.min);
        found = found.get(..own).unwrap_or(found);
    }
    if found.len() < digits.min {
        return Err(Misfit(begin));
    }
    let value: i64 = found.parse().map_err(|_| Misfit(begin))?;
    match sign {
        Some(b'-') if value == 0 => return Err(Misfit(at)),
        Some(b'-') => return Ok((-value, begin + found.len())),
        Some(_) if found.len() <= digits.min => return Err(Misfit(at)),
        None if digits.sign == Sign::Exceeding && found.len() > digits.min => {
            return Err(Misfit(begin));
        }
        _ => {}
    }
    Ok((value, begin + found.len()))
}

fn fraction(text: &str, at: usize, (min, max): (usize, usize), values: &mut Values) -> Step {
    let digits = digits_at(text, at, max);
    if digits.len() < min {
        return Err(Misfit(at));
    }
    let value: i64 = digits.parse().map_err(|_| Misfit(at))?;
    let nanos = value * 10_i64.pow(9 - digits.len() as u32);
    set(values, Field::Nano, nanos, at, at + digits.len())
}

fn word(text: &str, at: usize, (field, in_full): (Field, bool), values: &mut Values) -> Step {
    let (words, first) = words::of(field, in_full);
    let found = (first..)
        .zip(words)
        .find_map(|(value, word)| starts_with(text, at, word).map(|end| (value, end)));
    let (value, end) = found.ok_or(Misfit(at))?;
    set(values, field, value, at, end)
}

/// Java's `OffsetIdPrinterParser` in its strict mode.
fn offset(text: &str, at: usize, style: &OffsetStyle) -> Option<(i32, usize)> {
    if let Some(end) = starts_with(text, at, style.zero) {
        return Some((0, end));
    }
    let sign = sign_at(text, at)?;
    let (hours, mut end) = two_digits(text, at + 1, "")?;
    let mut total = hours * 3600;
    match two_digits(text, end, style.colon) {
        Some((minutes, after)) => {
            total += minutes * 60;
            end = after;
        }
        None if style.short => {}
        None => return None,
    }
    if style.seconds
        && let Some((seconds, after)) = two_digits(text, end, style.colon)
    {
        total += seconds;
        end = after;
    }
    (hours < 24).then_some((sign * total, end))
}

fn sign_at(text: &str, at: usize) -> Option<i32> {
    match text.as_bytes().get(at)? {
        b'+' => Some(1),
        b'-' => Some(-1),
        _ => None,
    }
}

/// A number of two digits below 60 behind a separator.
fn two_digits(text: &str, at: usize, separator: &str) -> Option<(i32, usize)> {
    let begin = starts_with(text, at, separator)?;
    let digits = digits_at(text, begin, 2);
    let value: i32 = digits.parse().ok()?;
    (digits.len() == 2 && value < 60).then_some((value, begin + 2))
}

fn localized_offset(text: &str, at: usize, in_full: bool) -> Option<(i32, usize)> {
    let begin = starts_with(text, at, "GMT")?;
    let Some(sign) = sign_at(text, begin) else { return Some((0, begin)) };
    let (hours, mut end) = match two_digits(text, begin + 1, "") {
        Some(found) => found,
        None if in_full => return None,
        None => (digits_at(text, begin + 1, 1).parse().ok()?, begin + 2),
    };
    let mut total = hours * 3600;
    let mut unit = 60;
    while unit > 0
        && let Some((value, after)) = two_digits(text, end, ":")
    {
        total += value * unit;
        end = after;
        unit /= 60;
    }
    if in_full && unit == 60 {
        return None;
    }
    Some((sign * total, end))
}

/// A region, an offset, one behind `UTC` or `GMT`; and, if `names` tells which, the name of a zone.
fn zone(text: &str, at: usize, names: Option<bool>, values: &mut Values) -> Step {
    let rest = text.get(at..).unwrap_or_default();
    let (length, zone) = longest_zone(rest, names).ok_or(Misfit(at))?;
    values.zone = Some(zone);
    Ok(at + length)
}

fn longest_zone(rest: &str, names: Option<bool>) -> Option<(usize, Zone)> {
    const ID: OffsetStyle = OffsetStyle { colon: ":", short: false, seconds: true, zero: "Z" };
    let prefix = ["UTC", "GMT", "UT", ""].into_iter().find(|prefix| {
        starts_with(rest, 0, prefix).is_some_and(|end| sign_at(rest, end).is_some())
    });
    if let Some(prefix) = prefix {
        let (offset, end) = offset(rest, prefix.len(), &ID)?;
        return Some((end, Zone::Fixed(offset)));
    }
    let named = names.and_then(|in_full| {
        let (length, region) = zone_names::at_start(rest, in_full)?;
        Some((length, Zone::parse(region)?))
    });
    let regions = TZ_VARIANTS.iter().filter(|tz| starts_with(rest, 0, tz.name()).is_some());
    let region = regions.map(|tz| (tz.name().len(), Zone::Region(*tz)));
    let utc = ["UTC", "GMT", "UT", "Z"]
        .into_iter()
        .filter_map(|name| starts_with(rest, 0, name).map(|end| (end, Zone::UTC)));
    // Of the same length, a name is meant before an identifier.
    region.chain(utc).chain(named).max_by_key(|(length, _)| *length)
}
