//! The functions that only pass their arguments on, by category: one row each.

use super::{Column, Operand, call, columns};

/// Rows are `name(columns; constants) = sql name`: text for a column is its name, text for a
/// constant is itself.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($column:ident),*; $($constant:ident),*) = $sql:literal;)*) => {
        $($(#[$doc])*
        pub fn $name(
            $($column: impl Into<Column>,)*
            $($constant: impl Operand,)*
        ) -> Column {
            let args: Vec<Column> =
                vec![$($column.into(),)* $($constant.into_operand(),)*];
            call($sql, args)
        })*

        /// The SQL names of the functions of this table.
        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$($sql),*];
    };
}

/// Functions of any number of columns.
macro_rules! variadic {
    ($($(#[$doc:meta])* $name:ident = $sql:literal;)*) => {
        $($(#[$doc])*
        pub fn $name<C: Into<Column>>(values: impl IntoIterator<Item = C>) -> Column {
            call($sql, columns(values))
        })*
    };
}

variadic! {
    /// An array of values.
    array = "array";
    /// A struct of columns.
    struct_ = "struct";
    /// The texts or arrays one after the other; NULL if one is NULL.
    concat = "concat";
    /// The largest of the values that are not NULL.
    greatest = "greatest";
    /// The smallest of the values that are not NULL.
    least = "least";
    /// A map of keys and values in turn.
    create_map = "map";
    /// A struct of names and values in turn.
    named_struct = "named_struct";
    /// The 64-bit hash xxHash of the values.
    xxhash64 = "xxhash64";
}

functions! {
    // Aggregates.

    /// About how many distinct values there are, in little memory.
    approx_count_distinct(value;) = "approx_count_distinct";
    /// The number of rows where a condition is true.
    count_if(condition;) = "count_if";
    /// How heavy the tails of the numbers are.
    kurtosis(value;) = "kurtosis";
    /// The texts of a group, joined.
    listagg(value; separator) = "listagg";
    /// The value of the row with the greatest order.
    max_by(value, order;) = "max_by";
    /// The value of the row with the least order.
    min_by(value, order;) = "min_by";
    /// The value that is there most often.
    mode(value;) = "mode";
    /// The number at a part of the way through the group.
    percentile(value; percentage) = "percentile";
    /// How far the numbers lean to one side.
    skewness(value;) = "skewness";
    /// The average.
    avg(value;) = "avg";
    /// The average.
    mean(value;) = "avg";
    /// Some value of the group.
    any_value(value;) = "any_value";
    /// The bits that all values have.
    bit_and(value;) = "bit_and";
    /// The bits that some value has.
    bit_or(value;) = "bit_or";
    /// The exclusive or of all values.
    bit_xor(value;) = "bit_xor";
    /// Whether all values are true.
    bool_and(value;) = "bool_and";
    /// Whether some value is true.
    bool_or(value;) = "bool_or";
    /// All values without NULL as an array.
    collect_list(value;) = "collect_list";
    /// The distinct values without NULL as an array.
    collect_set(value;) = "collect_set";
    /// Pearson's correlation.
    corr(x, y;) = "corr";
    /// Counts rows: all with `"*"`, else those where the value is not NULL.
    count(value;) = "count";
    /// The covariance of the population.
    covar_pop(x, y;) = "covar_pop";
    /// The covariance of the sample.
    covar_samp(x, y;) = "covar_samp";
    /// The first value of the group, in the order the rows come.
    first(value;) = "first_value";
    /// Whether rollup or cube left this key out of the group: 1, else 0.
    grouping(value;) = "grouping";
    /// The last value of the group, in the order the rows come.
    last(value;) = "last_value";
    /// The largest value.
    max(value;) = "max";
    /// The middle value.
    median(value;) = "median";
    /// The smallest value.
    min(value;) = "min";
    /// About the value below which this share of the values lies.
    percentile_approx(value; share) = "percentile_approx";
    /// The number of pairs without NULL.
    regr_count(y, x;) = "regr_count";
    /// The slope of the regression line.
    regr_slope(y, x;) = "regr_slope";
    /// Where the regression line crosses zero.
    regr_intercept(y, x;) = "regr_intercept";
    /// How well the regression line fits.
    regr_r2(y, x;) = "regr_r2";
    /// The standard deviation of the sample.
    stddev(value;) = "stddev";
    /// The standard deviation of the population.
    stddev_pop(value;) = "stddev_pop";
    /// The standard deviation of the sample.
    stddev_samp(value;) = "stddev_samp";
    /// The sum.
    sum(value;) = "sum";
    /// The sum, NULL on overflow.
    try_sum(value;) = "try_sum";
    /// The variance of the population.
    var_pop(value;) = "var_pop";
    /// The variance of the sample.
    var_samp(value;) = "var_samp";
    /// The variance of the sample.
    variance(value;) = "var_samp";

    // Window functions.

    /// The share of the partition's rows up to the current one.
    cume_dist(;) = "cume_dist";
    /// The rank in the window's order, without gaps after ties.
    dense_rank(;) = "dense_rank";
    /// Which of so many equal buckets the row falls into.
    ntile(; buckets) = "ntile";
    /// The value of the window's row at a position from 1.
    nth_value(value; position) = "nth_value";
    /// The rank as a share from 0 to 1.
    percent_rank(;) = "percent_rank";
    /// The rank in the window's order, with gaps after ties.
    rank(;) = "rank";

    // Mathematics.

    /// The absolute value.
    abs(value;) = "abs";
    /// The arc cosine in radians.
    acos(value;) = "acos";
    /// The inverse hyperbolic cosine.
    acosh(value;) = "acosh";
    /// The arc sine in radians.
    asin(value;) = "asin";
    /// The inverse hyperbolic sine.
    asinh(value;) = "asinh";
    /// The arc tangent in radians.
    atan(value;) = "atan";
    /// The angle of a point in radians.
    atan2(y, x;) = "atan2";
    /// The inverse hyperbolic tangent.
    atanh(value;) = "atanh";
    /// The whole number in binary digits.
    bin(value;) = "bin";
    /// The number of bits that are one.
    bit_count(value;) = "bit_count";
    /// All bits inverted.
    bitwise_not(value;) = "bitwise_not";
    /// The cube root.
    cbrt(value;) = "cbrt";
    /// The smallest whole number that is not smaller.
    ceil(value;) = "ceil";
    /// The cosine of radians.
    cos(value;) = "cos";
    /// The hyperbolic cosine.
    cosh(value;) = "cosh";
    /// The cotangent of radians.
    cot(value;) = "cot";
    /// The cosecant of radians.
    csc(value;) = "csc";
    /// Radians in degrees.
    degrees(value;) = "degrees";
    /// e to the power of the value.
    exp(value;) = "exp";
    /// `exp` minus one, exact near zero.
    expm1(value;) = "expm1";
    /// The product of the whole numbers up to the value.
    factorial(value;) = "factorial";
    /// The largest whole number that is not larger.
    floor(value;) = "floor";
    /// A number or text in hexadecimal digits.
    hex(value;) = "hex";
    /// The length of a vector.
    hypot(x, y;) = "hypot";
    /// The natural logarithm.
    ln(value;) = "ln";
    /// The logarithm to base 10.
    log10(value;) = "log10";
    /// The logarithm to base 2.
    log2(value;) = "log2";
    /// The value with the other sign.
    negative(value;) = "negative";
    /// The remainder that is never negative.
    pmod(value; divisor) = "pmod";
    /// The value to a power.
    pow(value; exponent) = "pow";
    /// Degrees in radians.
    radians(value;) = "radians";
    /// The nearest whole number, as a floating-point number.
    rint(value;) = "rint";
    /// Rounds half up to so many digits behind the point.
    round(value; digits) = "round";
    /// The secant of radians.
    sec(value;) = "sec";
    /// The bits moved to the left.
    shiftleft(value; bits) = "shiftleft";
    /// The bits moved to the right, keeping the sign.
    shiftright(value; bits) = "shiftright";
    /// The bits moved to the right, filled with zero.
    shiftrightunsigned(value; bits) = "shiftrightunsigned";
    /// -1, 0 or 1 by the sign.
    signum(value;) = "signum";
    /// The sine of radians.
    sin(value;) = "sin";
    /// The hyperbolic sine.
    sinh(value;) = "sinh";
    /// The square root.
    sqrt(value;) = "sqrt";
    /// The tangent of radians.
    tan(value;) = "tan";
    /// The hyperbolic tangent.
    tanh(value;) = "tanh";
    /// The bytes that hexadecimal digits write.
    unhex(value;) = "unhex";
    /// The number of the histogram's bucket that the value falls into.
    width_bucket(value; low, high, buckets) = "width_bucket";

    // Text.

    /// The code of the first character.
    ascii(value;) = "ascii";
    /// Bytes as Base64 text.
    base64(value;) = "base64";
    /// The length in bits.
    bit_length(value;) = "bit_length";
    /// The text without spaces at both ends.
    btrim(value;) = "btrim";
    /// The character of a code.
    char(value;) = "char";
    /// The length in characters.
    char_length(value;) = "char_length";
    /// Whether the text contains another.
    contains(value; text) = "contains";
    /// The text at a position.
    elt(index, first, second;) = "elt";
    /// Whether the text ends with another.
    endswith(value; text) = "endswith";
    /// The position of the text in a list with commas, 0 if it is not there.
    find_in_set(value; list) = "find_in_set";
    /// The first letter of each word large.
    initcap(value;) = "initcap";
    /// The position of another text from 1, 0 if it is not there.
    instr(value; text) = "instr";
    /// The length of text in characters, of bytes in bytes.
    length(value;) = "length";
    /// How many letters must change to turn one text into the other.
    levenshtein(left, right;) = "levenshtein";
    /// The text in small letters.
    lower(value;) = "lower";
    /// The text filled on the left to a length.
    lpad(value; length, fill) = "lpad";
    /// The text without spaces at its beginning.
    ltrim(value;) = "ltrim";
    /// The length in bytes.
    octet_length(value;) = "octet_length";
    /// The text with another written over it at a position from 1.
    overlay(value, text; position) = "overlay";
    /// The text in quotes.
    quote(value;) = "quote";
    /// How often a regular expression matches.
    regexp_count(value; pattern) = "regexp_count";
    /// Whether a regular expression matches.
    regexp_like(value; pattern) = "regexp_like";
    /// The text with all matches of a regular expression replaced.
    regexp_replace(value; pattern, replacement) = "regexp_replace";
    /// The text repeated.
    repeat(value; times) = "repeat";
    /// The text with another replaced wherever it stands.
    replace(value; text, replacement) = "replace";
    /// The text or array backwards.
    reverse(value;) = "reverse";
    /// The last characters.
    right(value; length) = "right";
    /// The first characters.
    left(value; length) = "left";
    /// The text filled on the right to a length.
    rpad(value; length, fill) = "rpad";
    /// The text without spaces at its end.
    rtrim(value;) = "rtrim";
    /// The code of how the text sounds in English.
    soundex(value;) = "soundex";
    /// So many spaces.
    space(length;) = "space";
    /// The parts of the text between the matches of a regular expression.
    split(value; pattern) = "split";
    /// One part of the text between separators, from 1.
    split_part(value; separator, part) = "split_part";
    /// Whether the text starts with another.
    startswith(value; text) = "startswith";
    /// Part of the text from a position from 1.
    substring(value; position, length) = "substring";
    /// The text before so many separators, from the end if negative.
    substring_index(value; separator, count) = "substring_index";
    /// The text with single characters exchanged.
    translate(value; from, to) = "translate";
    /// The text without spaces at both ends.
    trim(value;) = "btrim";
    /// The bytes that Base64 text writes.
    unbase64(value;) = "unbase64";
    /// The text in large letters.
    upper(value;) = "upper";
    /// The text of a percent-encoded address.
    url_decode(value;) = "url_decode";
    /// The text percent-encoded for an address.
    url_encode(value;) = "url_encode";
    /// A part of an address, such as `HOST` or `QUERY`.
    parse_url(value; part) = "parse_url";

    // Dates and times.

    /// The date so many months later.
    add_months(date; months) = "add_months";
    /// Today.
    current_date(;) = "current_date";
    /// Now.
    current_timestamp(;) = "current_timestamp";
    /// The date so many days later.
    date_add(date; days) = "date_add";
    /// The number of days from start to end.
    date_diff(end, start;) = "date_diff";
    /// The number of days from start to end.
    datediff(end, start;) = "datediff";
    /// The timestamp as text by a pattern.
    date_format(timestamp; pattern) = "date_format";
    /// The date so many days earlier.
    date_sub(date; days) = "date_sub";
    /// The timestamp of the seconds since 1970.
    from_unixtime(seconds;) = "from_unixtime";
    /// A timestamp of UTC as clocks show it in a time zone.
    from_utc_timestamp(timestamp; zone) = "from_utc_timestamp";
    /// The hour, 0 to 23.
    hour(timestamp;) = "hour";
    /// The last day of the date's month.
    last_day(date;) = "last_day";
    /// The date of its numbers.
    make_date(year, month, day;) = "make_date";
    /// The minute, 0 to 59.
    minute(timestamp;) = "minute";
    /// The month's name in three letters.
    monthname(date;) = "monthname";
    /// The first date after this one that is such a day of the week.
    next_day(date; day) = "next_day";
    /// Now.
    now(;) = "now";
    /// The second, 0 to 59.
    second(timestamp;) = "second";
    /// The date of a timestamp or of text.
    to_date(value;) = "to_date";
    /// The timestamp of text.
    to_timestamp(value;) = "to_timestamp";
    /// A timestamp as clocks show it in a time zone, in UTC.
    to_utc_timestamp(timestamp; zone) = "to_utc_timestamp";
    /// A date cut to a unit such as `month` or `year`.
    trunc(date; unit) = "trunc";
    /// The days since 1970.
    unix_date(date;) = "unix_date";
    /// The microseconds since 1970.
    unix_micros(timestamp;) = "unix_micros";
    /// The milliseconds since 1970.
    unix_millis(timestamp;) = "unix_millis";
    /// The seconds since 1970.
    unix_seconds(timestamp;) = "unix_seconds";
    /// The day of the week, 0 for Monday.
    weekday(date;) = "weekday";

    // Arrays and maps.

    /// The array with an item at its end.
    array_append(array; item) = "array_append";
    /// The array without NULL.
    array_compact(array;) = "array_compact";
    /// Whether the array has an item.
    array_contains(array; item) = "array_contains";
    /// The array's distinct items.
    array_distinct(array;) = "array_distinct";
    /// The items of one array that the other has not.
    array_except(left, right;) = "array_except";
    /// The items that both arrays have.
    array_intersect(left, right;) = "array_intersect";
    /// The items as one text.
    array_join(array; separator) = "array_join";
    /// The largest item.
    array_max(array;) = "array_max";
    /// The smallest item.
    array_min(array;) = "array_min";
    /// The position of an item from 1.
    array_position(array; item) = "array_position";
    /// The array with an item at its beginning.
    array_prepend(array; item) = "array_prepend";
    /// The array without an item.
    array_remove(array; item) = "array_remove";
    /// An array of one value repeated.
    array_repeat(value; times) = "array_repeat";
    /// The array in ascending order.
    array_sort(array;) = "array_sort";
    /// The distinct items of both arrays.
    array_union(left, right;) = "array_union";
    /// Whether both arrays have an item in common.
    arrays_overlap(left, right;) = "arrays_overlap";
    /// The number of items of an array or map.
    cardinality(value;) = "cardinality";
    /// The item of an array by position from 1, or of a map by key.
    element_at(value; key) = "element_at";
    /// The items of an array's arrays.
    flatten(array;) = "flatten";
    /// The map as an array of structs of key and value.
    map_entries(map;) = "map_entries";
    /// A map of an array of keys and one of values.
    map_from_arrays(keys, values;) = "map_from_arrays";
    /// A map of an array of structs of key and value.
    map_from_entries(array;) = "map_from_entries";
    /// The map's keys as an array.
    map_keys(map;) = "map_keys";
    /// The map's values as an array.
    map_values(map;) = "map_values";
    /// The array in random order.
    shuffle(array;) = "shuffle";
    /// The number of items of an array or map.
    size(value;) = "size";
    /// The array with an item at a place, counted from 1 or from -1 at the end.
    array_insert(array; place, item) = "array_insert";
    /// The number of items of an array.
    array_size(array;) = "array_size";
    /// An array of structs of the items at the same places.
    arrays_zip(left, right;) = "arrays_zip";
    /// The item of an array by position from 0, or NULL.
    get(array; place) = "get";
    /// Whether the map has a key.
    map_contains_key(map; key) = "map_contains_key";
    /// The numbers, dates or timestamps from one to another.
    sequence(start, stop;) = "sequence";
    /// The array in ascending order, NULL first.
    sort_array(array;) = "sort_array";
    /// The item of an array by position from 1, or of a map by key, or NULL.
    try_element_at(value; key) = "try_element_at";
    /// Part of the array from a position from 1.
    slice(array; start, length) = "slice";
    /// A map of text such as `a:1,b:2`.
    str_to_map(value;) = "str_to_map";

    // Conditions, hashes and random values.

    /// The checksum CRC-32.
    crc32(value;) = "crc32";
    /// The value, or another where it is NULL.
    ifnull(value; other) = "ifnull";
    /// Whether the value is NaN.
    isnan(value;) = "isnan";
    /// The MD5 hash in hexadecimal digits.
    md5(value;) = "md5";
    /// The value, or another where it is NaN.
    nanvl(value, other;) = "nanvl";
    /// NULL where both are equal, else the value.
    nullif(value; other) = "nullif";
    /// The value, or another where it is NULL.
    nvl(value; other) = "nvl";
    /// One value where it is not NULL, another where it is.
    nvl2(value, present, absent;) = "nvl2";
    /// A random number from 0 up to but without 1.
    rand(;) = "rand";
    /// The SHA-1 hash in hexadecimal digits.
    sha1(value;) = "sha1";
    /// The SHA-2 hash of so many bits in hexadecimal digits.
    sha2(value; bits) = "sha2";
    /// A random identifier.
    uuid(;) = "uuid";

    // Documents, and what is of no other category.

    /// The bytes that `aes_encrypt` encrypted.
    aes_decrypt(bytes, key;) = "aes_decrypt";
    /// The bytes encrypted by AES.
    aes_encrypt(bytes, key;) = "aes_encrypt";
    /// NULL, or an error where the condition is not true.
    assert_true(condition;) = "assert_true";
    /// The bit at a position from 0.
    bit_get(value; position) = "bit_get";
    /// The place of a number within its bitmap.
    bitmap_bit_position(value;) = "bitmap_bit_position";
    /// The number of the bitmap that a number is in.
    bitmap_bucket_number(value;) = "bitmap_bucket_number";
    /// The number of bits of a bitmap.
    bitmap_count(bitmap;) = "bitmap_count";
    /// Rounds to so many digits, halves to the even neighbour.
    bround(value; digits) = "bround";
    /// The character of a code.
    chr(value;) = "chr";
    /// How a text compares.
    collation(value;) = "collation";
    /// The number in digits of another base.
    conv(value; from, to) = "conv";
    /// The catalog.
    current_catalog(;) = "current_catalog";
    /// The database in use.
    current_database(;) = "current_database";
    /// The database in use.
    current_schema(;) = "current_schema";
    /// The user.
    current_user(;) = "current_user";
    /// The text that bytes of a character set write.
    decode(bytes; charset) = "decode";
    /// Euler's number.
    e(;) = "e";
    /// The text in bytes of a character set.
    encode(value; charset) = "encode";
    /// The number with commas and so many digits behind the point.
    format_number(value; digits) = "format_number";
    /// The struct that a record of CSV writes.
    from_csv(value; schema) = "from_csv";
    /// The value that JSON writes.
    from_json(value; schema) = "from_json";
    /// The struct that an element of XML writes.
    from_xml(value; schema) = "from_xml";
    /// What stands at a path of JSON.
    get_json_object(value; path) = "get_json_object";
    /// The bit at a position from 0.
    getbit(value; position) = "getbit";
    /// Whether the text has the form of a pattern, in large or small letters.
    ilike(value; pattern) = "ilike";
    /// -1: rows do not know their block.
    input_file_block_length(;) = "input_file_block_length";
    /// -1: rows do not know their block.
    input_file_block_start(;) = "input_file_block_start";
    /// An empty text: rows do not know their file.
    input_file_name(;) = "input_file_name";
    /// Whether bytes are a text in UTF-8.
    is_valid_utf8(value;) = "is_valid_utf8";
    /// The number of items of an array in JSON.
    json_array_length(value;) = "json_array_length";
    /// The names of the members of an object in JSON.
    json_object_keys(value;) = "json_object_keys";
    /// The text in small letters.
    lcase(value;) = "lcase";
    /// The length of text in characters, of bytes in bytes.
    len(value;) = "len";
    /// Whether the text has the form of a pattern.
    like(value; pattern) = "like";
    /// The logarithm of one more, exact near zero.
    log1p(value;) = "log1p";
    /// Whether the last digit is the right check digit.
    luhn_check(value;) = "luhn_check";
    /// The text of bytes, with a sign for what is none.
    make_valid_utf8(value;) = "make_valid_utf8";
    /// The text with its letters and digits hidden.
    mask(value;) = "mask";
    /// The number of the row.
    monotonically_increasing_id(;) = "monotonically_increasing_id";
    /// The ratio of a circle's circumference to its diameter.
    pi(;) = "pi";
    /// The number as it is.
    positive(value;) = "positive";
    /// The value to a power.
    power(value; exponent) = "power";
    /// An error with a message.
    raise_error(message;) = "raise_error";
    /// A random number of the standard normal distribution.
    randn(;) = "randn";
    /// A text of random letters and digits.
    randstr(; length) = "randstr";
    /// Whether a regular expression matches.
    regexp(value; pattern) = "regexp";
    /// A group of the first match of a regular expression.
    regexp_extract(value; pattern, group) = "regexp_extract";
    /// A group of every match of a regular expression.
    regexp_extract_all(value; pattern, group) = "regexp_extract_all";
    /// The position of the first match of a regular expression.
    regexp_instr(value; pattern) = "regexp_instr";
    /// The first match of a regular expression.
    regexp_substr(value; pattern) = "regexp_substr";
    /// Whether a regular expression matches.
    rlike(value; pattern) = "rlike";
    /// The type that a record of CSV has.
    schema_of_csv(; example) = "schema_of_csv";
    /// The type that JSON has.
    schema_of_json(; example) = "schema_of_json";
    /// The type that an element of XML has.
    schema_of_xml(; example) = "schema_of_xml";
    /// The words of each sentence.
    sentences(value;) = "sentences";
    /// The user.
    session_user(;) = "session_user";
    /// The SHA-1 hash in hexadecimal digits.
    sha(value;) = "sha";
    /// -1, 0 or 1 by the sign.
    sign(value;) = "sign";
    /// 0: rows do not know their partition.
    spark_partition_id(;) = "spark_partition_id";
    /// Part of the text from a position from 1.
    substr(value; position, length) = "substr";
    /// The bytes that a text writes: hex, utf-8 or base64.
    to_binary(value; format) = "to_binary";
    /// The number by a format.
    to_char(value; format) = "to_char";
    /// The struct as a record of CSV.
    to_csv(value;) = "to_csv";
    /// The value as JSON.
    to_json(value;) = "to_json";
    /// The number that a text writes by a format.
    to_number(value; format) = "to_number";
    /// The number by a format.
    to_varchar(value; format) = "to_varchar";
    /// The struct as an element of XML.
    to_xml(value;) = "to_xml";
    /// The bytes that `aes_encrypt` encrypted, NULL if they are not.
    try_aes_decrypt(bytes, key;) = "try_aes_decrypt";
    /// A part of an address, NULL if it is none.
    try_parse_url(value; part) = "try_parse_url";
    /// The bytes that a text writes, NULL if it does not.
    try_to_binary(value; format) = "try_to_binary";
    /// The number that a text writes by a format, NULL if it does not.
    try_to_number(value; format) = "try_to_number";
    /// The text of a percent-encoded address, NULL if it is none.
    try_url_decode(value;) = "try_url_decode";
    /// The text of bytes, NULL if they are none.
    try_validate_utf8(value;) = "try_validate_utf8";
    /// The text in large letters.
    ucase(value;) = "ucase";
    /// A random number between two others.
    uniform(; low, high) = "uniform";
    /// The user.
    user(;) = "user";
    /// The text of bytes, which must be one.
    validate_utf8(value;) = "validate_utf8";
    /// The version of Spark that vonk follows, and its own.
    version(;) = "version";
    /// The texts of the nodes at a path of XML.
    xpath(value; path) = "xpath";
    /// Whether a path of XML holds or finds a node.
    xpath_boolean(value; path) = "xpath_boolean";
    /// The number at a path of XML.
    xpath_double(value; path) = "xpath_double";
    /// The number at a path of XML as a FLOAT.
    xpath_float(value; path) = "xpath_float";
    /// The whole number at a path of XML.
    xpath_int(value; path) = "xpath_int";
    /// The whole number at a path of XML as a BIGINT.
    xpath_long(value; path) = "xpath_long";
    /// The number at a path of XML.
    xpath_number(value; path) = "xpath_number";
    /// The whole number at a path of XML as a SMALLINT.
    xpath_short(value; path) = "xpath_short";
    /// The text of the first node at a path of XML.
    xpath_string(value; path) = "xpath_string";
}
