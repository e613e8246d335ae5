//! How large the result of a function can be, from its arguments and before it is computed.
//!
//! An estimate is a bound, exact enough for a single row: a batch whose bound is over the limit is
//! computed in parts, and a row alone is refused.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;

/// The arguments of a call, over so many rows.
pub(super) struct Call<'a> {
    pub(super) args: &'a [ColumnarValue],
    pub(super) rows: u64,
}

/// The most bytes that the result of a call can have.
pub(super) type Estimate = fn(&Call<'_>) -> u64;

/// The functions whose result can be far larger than their arguments. A function that is not here
/// gives at most a small multiple of what it gets.
pub(super) const GROWING: &[(&str, Estimate)] = &[
    ("array_concat", |call| call.bytes_of_all()),
    ("array_insert", |call| {
        let place = call.most(1).max(call.extent(1).0.unsigned_abs());
        call.bytes(0).saturating_add(call.rows.saturating_mul(place).saturating_mul(8))
    }),
    ("array_join", joined),
    ("array_repeat", |call| (call.bytes(0) + 8 * call.rows).saturating_mul(call.most(1))),
    ("array_resize", |call| {
        let item = call.bytes(2) + 8 * call.rows;
        call.bytes(0).saturating_add(item.saturating_mul(call.most(1)))
    }),
    ("array_to_string", joined),
    ("concat", |call| call.bytes_of_all()),
    ("concat_ws", |call| {
        let separators = call.bytes(0).saturating_mul(call.args.len() as u64);
        call.bytes_of_all().saturating_add(separators)
    }),
    ("format_string", formatted),
    ("generate_series", numbered),
    ("lpad", padded),
    ("range", numbered),
    ("regexp_replace", |call| {
        // A replacement at each border between bytes, and groups that repeat what was found.
        let places = call.bytes(0) + call.rows;
        places.saturating_mul(2 * call.longest(2) + 1)
    }),
    ("repeat", |call| call.bytes(0).saturating_mul(call.most(1))),
    ("replace", |call| {
        let places = call.bytes(0) / call.shortest(1).max(1) + call.rows;
        call.bytes(0).saturating_add(places.saturating_mul(call.longest(2)))
    }),
    ("randstr", |call| call.rows.saturating_mul(call.most(0)).saturating_mul(2)),
    ("rpad", padded),
    ("sequence", numbered),
    ("space", |call| call.rows.saturating_mul(call.most(0))),
];

/// Texts of a length in characters, each of which may take four bytes.
fn padded(call: &Call<'_>) -> u64 {
    let is_ascii = [0, 2].iter().all(|index| call.is_ascii(*index));
    let width = if is_ascii { 1 } else { 4 };
    call.rows.saturating_mul(call.most(1)).saturating_mul(width)
}

/// The items of lists, written out, with separators between them.
fn joined(call: &Call<'_>) -> u64 {
    /// A number takes up to so many times its bytes as text.
    const TEXT_OF_NUMBER: u64 = 8;
    let items = match call.args.first() {
        Some(ColumnarValue::Array(lists)) => items_in(lists),
        Some(ColumnarValue::Scalar(list)) => {
            list.to_array().map_or(0, |list| items_in(&list)) * call.rows
        }
        None => 0,
    };
    let between = call.longest(1) + call.longest(2);
    let texts = call.bytes(0).saturating_mul(TEXT_OF_NUMBER);
    texts.saturating_add(items.saturating_mul(between))
}

fn items_in(lists: &ArrayRef) -> u64 {
    let items = match lists.data_type() {
        DataType::List(_) => lists.as_list::<i32>().values().len(),
        DataType::LargeList(_) => lists.as_list::<i64>().values().len(),
        DataType::FixedSizeList(..) => lists.as_fixed_size_list().values().len(),
        _ => 0,
    };
    items as u64
}

/// Texts by a pattern such as `%10d`, which may ask for any width, and for an argument many times.
fn formatted(call: &Call<'_>) -> u64 {
    let (mut width, mut places) = (0_u64, 0_u64);
    call.each_text(0, |pattern| {
        let numbers = pattern.split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty());
        let widths = numbers.map(|text| text.parse::<u64>().unwrap_or(u64::MAX));
        width = width.max(widths.fold(0, u64::saturating_add));
        places = places.max(pattern.matches('%').count() as u64);
    });
    let values: u64 = (1..call.args.len()).map(|index| call.bytes(index)).sum();
    call.bytes(0)
        .saturating_add(call.rows.saturating_mul(width))
        .saturating_add(values.saturating_mul(places))
}

/// Lists of eight-byte values from a start to an end by a step.
fn numbered(call: &Call<'_>) -> u64 {
    let (start, stop) = match call.args.len() {
        1 => ((0, 0), call.extent(0)),
        _ => (call.extent(0), call.extent(1)),
    };
    let span = stop.1.saturating_sub(start.0).unsigned_abs();
    let span = span.max(start.1.saturating_sub(stop.0).unsigned_abs());
    let is_of_times = call.args.first().is_some_and(|start| !start.data_type().is_integer());
    let step = match call.args.len() {
        0..=2 if is_of_times => MICROS_PER_DAY.unsigned_abs(),
        0..=2 => 1,
        _ => call.least_step(2),
    };
    call.rows.saturating_mul(span / step + 1).saturating_mul(8)
}

impl Call<'_> {
    fn bytes_of_all(&self) -> u64 {
        (0..self.args.len()).map(|index| self.bytes(index)).fold(0, u64::saturating_add)
    }

    /// The bytes of an argument over all rows.
    fn bytes(&self, index: usize) -> u64 {
        match self.args.get(index) {
            None => 0,
            Some(ColumnarValue::Array(array)) => bytes_of(array),
            Some(ColumnarValue::Scalar(value)) => self.rows.saturating_mul(scalar_bytes(value)),
        }
    }

    /// The longest text of an argument, in bytes.
    fn longest(&self, index: usize) -> u64 {
        let mut longest = 0;
        self.each_text(index, |text| longest = longest.max(text.len() as u64));
        longest
    }

    fn shortest(&self, index: usize) -> u64 {
        let mut shortest = u64::MAX;
        self.each_text(index, |text| shortest = shortest.min(text.len() as u64));
        shortest
    }

    fn is_ascii(&self, index: usize) -> bool {
        let mut is_ascii = true;
        self.each_text(index, |text| is_ascii &= text.is_ascii());
        is_ascii
    }

    fn each_text(&self, index: usize, mut see: impl FnMut(&str)) {
        match self.args.get(index) {
            None => {}
            Some(ColumnarValue::Scalar(value)) => {
                if let Some(Some(text)) = value.try_as_str() {
                    see(text);
                }
            }
            Some(ColumnarValue::Array(array)) => match array.data_type() {
                DataType::Utf8 => array.as_string::<i32>().iter().flatten().for_each(see),
                DataType::LargeUtf8 => array.as_string::<i64>().iter().flatten().for_each(see),
                DataType::Utf8View => array.as_string_view().iter().flatten().for_each(see),
                _ => {}
            },
        }
    }

    /// The largest number of an argument, at least zero.
    fn most(&self, index: usize) -> u64 {
        u64::try_from(self.extent(index).1).unwrap_or(0)
    }

    /// The smallest and the largest number of an argument; times are in microseconds.
    fn extent(&self, index: usize) -> (i64, i64) {
        let numbers = self.args.get(index).and_then(numbers);
        let Some(numbers) = numbers else { return (0, 0) };
        let numbers = numbers.as_primitive::<Int64Type>();
        let (least, most) = (arrow::compute::min(numbers), arrow::compute::max(numbers));
        (least.unwrap_or(0), most.unwrap_or(0))
    }

    /// The smallest step of a sequence, at least one.
    fn least_step(&self, index: usize) -> u64 {
        let Some(arg) = self.args.get(index) else { return 1 };
        let Some(array) = first_array(arg) else { return 1 };
        let steps: Option<u64> = match array.data_type() {
            DataType::Interval(_) | DataType::Duration(_) => {
                let steps = cast(&array, &DataType::Interval(IntervalUnit::MonthDayNano)).ok();
                let steps = steps
                    .as_ref()
                    .and_then(|steps| steps.as_primitive_opt::<IntervalMonthDayNanoType>());
                steps.and_then(|steps| steps.iter().flatten().map(microseconds).min())
            }
            _ => numbers(arg).and_then(|numbers| {
                let numbers = numbers.as_primitive::<Int64Type>();
                numbers.iter().flatten().map(i64::unsigned_abs).min()
            }),
        };
        steps.unwrap_or(1).max(1)
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// An interval at its shortest.
fn microseconds(step: arrow::datatypes::IntervalMonthDayNano) -> u64 {
    let days = i64::from(step.months) * 28 + i64::from(step.days);
    days.saturating_mul(MICROS_PER_DAY).saturating_add(step.nanoseconds / 1_000).unsigned_abs()
}

fn first_array(arg: &ColumnarValue) -> Option<ArrayRef> {
    match arg {
        ColumnarValue::Array(array) => Some(ArrayRef::clone(array)),
        ColumnarValue::Scalar(value) => value.to_array().ok(),
    }
}

/// The argument as numbers, if it is one or a time.
fn numbers(arg: &ColumnarValue) -> Option<ArrayRef> {
    let array = first_array(arg)?;
    let array = match array.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            cast(&array, &DataType::Timestamp(TimeUnit::Microsecond, None)).ok()?
        }
        data_type if data_type.is_integer() => array,
        _ => return None,
    };
    cast(&array, &DataType::Int64).ok()
}

fn scalar_bytes(value: &ScalarValue) -> u64 {
    match value.try_as_str() {
        Some(text) => text.unwrap_or_default().len() as u64,
        None => value.to_array().map_or(0, |array| bytes_of(&array)),
    }
}

/// The bytes of the values of an array, of shared buffers only its own part.
pub(super) fn bytes_of(array: &ArrayRef) -> u64 {
    let bytes = match array.data_type() {
        DataType::Null => 0,
        DataType::Utf8 => text_bytes(array.as_string::<i32>().value_offsets()),
        DataType::Binary => text_bytes(array.as_binary::<i32>().value_offsets()),
        DataType::LargeUtf8 => text_bytes(array.as_string::<i64>().value_offsets()),
        DataType::LargeBinary => text_bytes(array.as_binary::<i64>().value_offsets()),
        DataType::Utf8View => array.as_string_view().lengths().map(u64::from).sum(),
        DataType::BinaryView => array.as_binary_view().lengths().map(u64::from).sum(),
        _ => match array.to_data().get_slice_memory_size() {
            Ok(bytes) => bytes as u64,
            Err(_) => array.get_array_memory_size() as u64,
        },
    };
    bytes + array.len() as u64
}

fn text_bytes<T: Copy + TryInto<u64>>(offsets: &[T]) -> u64 {
    let at = |offset: Option<&T>| offset.and_then(|offset| (*offset).try_into().ok()).unwrap_or(0);
    at(offsets.last()).saturating_sub(at(offsets.first()))
}
