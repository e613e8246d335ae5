//! Functions of text.

use crate::function::Function;

mod change;
mod charset;
mod codes;
mod collate;
mod find;
mod likeness;
mod mask;
mod pad;
mod parts;
mod rlike;
mod sentences;
pub(crate) mod split;
mod substring;
mod trim;
mod urls;

pub(crate) use codes::{push_base64, push_hex};

/// Every function of text that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["rlike", "regexp", "regexp_like"],
        "rlike(text, pattern)",
        "Tells whether a regular expression of Java matches a part of a text.",
        rlike::udf,
    ),
    Function::scalar(
        &["split"],
        "split(text, pattern[, limit])",
        "Gives the parts of a text between the matches of a regular expression of Java.",
        split::udf,
    ),
    Function::scalar(
        &["upper", "ucase"],
        "upper(text)",
        "Gives a text in large letters.",
        change::upper,
    ),
    Function::scalar(
        &["lower", "lcase"],
        "lower(text)",
        "Gives a text in small letters.",
        change::lower,
    ),
    Function::scalar(
        &["initcap"],
        "initcap(text)",
        "Gives a text with the first letter of each word large and the others small.",
        change::initcap,
    ),
    Function::scalar(&["quote"], "quote(text)", "Gives a text in single quotes.", change::quote),
    Function::scalar(
        &["replace"],
        "replace(text, search[, replacement])",
        "Replaces a text wherever it stands in another.",
        change::replace,
    ),
    Function::scalar(
        &["translate"],
        "translate(text, from, to)",
        "Replaces characters one by one.",
        change::translate,
    ),
    Function::scalar(
        &["overlay"],
        "overlay(text, replacement, position[, length])",
        "Writes a text over a part of another.",
        change::overlay,
    ),
    Function::scalar(
        &["repeat"],
        "repeat(text, times)",
        "Gives a text many times over.",
        change::repeat,
    ),
    Function::scalar(&["space"], "space(count)", "Gives so many spaces.", change::space),
    Function::scalar(
        &["reverse"],
        "reverse(value)",
        "Gives a text or an array backwards.",
        change::reverse,
    ),
    Function::scalar(
        &["encode"],
        "encode(text, charset)",
        "Gives a text in the bytes of a character set.",
        charset::encode,
    ),
    Function::scalar(
        &["decode"],
        "decode(bytes, charset)",
        "Reads bytes of a character set as text.",
        charset::decode,
    ),
    Function::scalar(
        &["collate"],
        "collate(text, collation)",
        "Gives a text that compares by a collation: UTF8_BINARY is the only one.",
        collate::udf,
    ),
    Function::scalar(
        &["ascii"],
        "ascii(text)",
        "Gives the code of the first character.",
        codes::ascii,
    ),
    Function::scalar(&["char", "chr"], "char(code)", "Gives the character of a code.", codes::chr),
    Function::scalar(
        &["hex"],
        "hex(value)",
        "Gives a number, a text or bytes in hexadecimal digits.",
        codes::hex,
    ),
    Function::scalar(
        &["unhex"],
        "unhex(digits)",
        "Gives the bytes that hexadecimal digits stand for.",
        codes::unhex,
    ),
    Function::scalar(&["base64"], "base64(bytes)", "Gives bytes in Base64.", codes::base64),
    Function::scalar(
        &["unbase64"],
        "unbase64(text)",
        "Gives the bytes of a text in Base64.",
        codes::unbase64,
    ),
    Function::scalar(
        &["to_base32"],
        "to_base32(bytes)",
        "Gives bytes in Base32.",
        codes::to_base32,
    ),
    Function::scalar(
        &["from_base32"],
        "from_base32(text)",
        "Gives the bytes of a text in Base32.",
        codes::from_base32,
    ),
    Function::scalar(
        &["to_binary"],
        "to_binary(text[, format])",
        "Reads a text as bytes: hex, utf-8 or base64.",
        codes::to_binary,
    ),
    Function::scalar(
        &["try_to_binary"],
        "try_to_binary(text[, format])",
        "Reads a text as bytes, NULL where it cannot.",
        codes::try_to_binary,
    ),
    Function::scalar(
        &["is_valid_utf8"],
        "is_valid_utf8(value)",
        "Tells whether bytes are a text in UTF-8.",
        codes::is_valid_utf8,
    ),
    Function::scalar(
        &["make_valid_utf8"],
        "make_valid_utf8(value)",
        "Gives the text of bytes, with a sign for what is none.",
        codes::make_valid_utf8,
    ),
    Function::scalar(
        &["validate_utf8"],
        "validate_utf8(value)",
        "Gives the text of bytes, which must be one.",
        codes::validate_utf8,
    ),
    Function::scalar(
        &["try_validate_utf8"],
        "try_validate_utf8(value)",
        "Gives the text of bytes, NULL if they are none.",
        codes::try_validate_utf8,
    ),
    Function::scalar(
        &["contains"],
        "contains(text, part)",
        "Tells whether a text contains another.",
        find::contains,
    ),
    Function::scalar(
        &["startswith"],
        "startswith(text, part)",
        "Tells whether a text begins with another.",
        find::startswith,
    ),
    Function::scalar(
        &["endswith"],
        "endswith(text, part)",
        "Tells whether a text ends with another.",
        find::endswith,
    ),
    Function::scalar(
        &["instr"],
        "instr(text, part[, position[, occurrence]])",
        "Gives the position of a part from 1, 0 if it is not there.",
        find::instr,
    ),
    Function::scalar(
        &["locate", "position"],
        "locate(part, text[, position])",
        "Gives the position of a part from 1, 0 if it is not there.",
        find::locate,
    ),
    Function::scalar(
        &["find_in_set"],
        "find_in_set(text, list)",
        "Gives the position of a text in a list with commas, 0 if it is not there.",
        find::find_in_set,
    ),
    Function::scalar(
        &["levenshtein"],
        "levenshtein(left, right[, threshold])",
        "Counts how many letters must change to turn one text into the other.",
        likeness::levenshtein,
    ),
    Function::scalar(
        &["jaro_winkler_similarity"],
        "jaro_winkler_similarity(left, right)",
        "Gives how alike two texts are, from 0 to 1.",
        likeness::jaro_winkler,
    ),
    Function::scalar(
        &["soundex"],
        "soundex(text)",
        "Gives the code of how an English word sounds.",
        likeness::soundex,
    ),
    Function::scalar(
        &["luhn_check"],
        "luhn_check(digits)",
        "Tells whether the last digit is the right check digit.",
        likeness::luhn_check,
    ),
    Function::scalar(
        &["mask"],
        "mask(text[, upper, lower, digit, other])",
        "Hides the letters and digits of a text.",
        mask::udf,
    ),
    Function::scalar(
        &["lpad"],
        "lpad(value, length[, filling])",
        "Fills a text or bytes on the left to a length.",
        pad::lpad,
    ),
    Function::scalar(
        &["rpad"],
        "rpad(value, length[, filling])",
        "Fills a text or bytes on the right to a length.",
        pad::rpad,
    ),
    Function::scalar(
        &["split_part"],
        "split_part(text, separator, index)",
        "Gives the part at an index from 1.",
        parts::split_part,
    ),
    Function::scalar(
        &["substring_index"],
        "substring_index(text, separator, count)",
        "Gives what stands before so many separators.",
        parts::substring_index,
    ),
    Function::scalar(
        &["elt"],
        "elt(index, value, ...)",
        "Gives the value at an index from 1.",
        parts::elt,
    ),
    Function::scalar(
        &["concat_ws"],
        "concat_ws(separator, value, ...)",
        "Joins texts with a separator between them, without NULL.",
        parts::concat_ws,
    ),
    Function::scalar(
        &["concat"],
        "concat(value, ...)",
        "Joins texts, bytes or arrays.",
        parts::concat,
    ),
    Function::scalar(
        &["length", "len", "char_length", "character_length"],
        "length(value)",
        "Gives the length of a text in characters, of bytes in bytes.",
        parts::length,
    ),
    Function::scalar(
        &["bit_length"],
        "bit_length(value)",
        "Gives the length in bits.",
        parts::bit_length,
    ),
    Function::scalar(
        &["octet_length"],
        "octet_length(value)",
        "Gives the length in bytes.",
        parts::octet_length,
    ),
    Function::scalar(
        &["sentences"],
        "sentences(text[, language, country])",
        "Gives the words of each sentence of a text.",
        sentences::udf,
    ),
    Function::scalar(
        &["substring", "substr"],
        "substring(value, position[, length])",
        "Gives a part of a text or of bytes.",
        substring::substring,
    ),
    Function::scalar(
        &["left"],
        "left(value, length)",
        "Gives the first characters.",
        substring::left,
    ),
    Function::scalar(
        &["right"],
        "right(text, length)",
        "Gives the last characters.",
        substring::right,
    ),
    Function::scalar(
        &["trim"],
        "trim(text)",
        "Gives a text without spaces at both ends.",
        trim::trim,
    ),
    Function::scalar(
        &["ltrim"],
        "ltrim([characters, ]text)",
        "Gives a text without spaces, or characters, at its beginning.",
        trim::ltrim,
    ),
    Function::scalar(
        &["rtrim"],
        "rtrim([characters, ]text)",
        "Gives a text without spaces, or characters, at its end.",
        trim::rtrim,
    ),
    Function::scalar(
        &["btrim"],
        "btrim(text[, characters])",
        "Gives a text without spaces, or characters, at both ends.",
        trim::btrim,
    ),
    Function::scalar(
        &["url_encode"],
        "url_encode(text)",
        "Gives a text as it stands in an address.",
        urls::encode,
    ),
    Function::scalar(
        &["url_decode"],
        "url_decode(text)",
        "Reads a text that stands in an address.",
        urls::decode,
    ),
    Function::scalar(
        &["try_url_decode"],
        "try_url_decode(text)",
        "Reads a text that stands in an address, NULL where it cannot.",
        urls::try_decode,
    ),
    Function::scalar(
        &["parse_url"],
        "parse_url(address, part[, key])",
        "Gives a part of an address.",
        urls::parse,
    ),
    Function::scalar(
        &["try_parse_url"],
        "try_parse_url(address, part[, key])",
        "Gives a part of an address, NULL if it is none.",
        urls::try_parse,
    ),
];
