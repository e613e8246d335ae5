//! Collects the values of JSON records in columns.
//!
//! The builders can be cut back to a number of rows, which Arrow's cannot: a record may turn out to
//! be wrong when some of its columns have their values already.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, GenericListArray, Int64Array, MapArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef, Float64Type};
use datafusion::common::Result as DataFusionResult;
use hashbrown::HashMap;

use super::super::literal::{self, Instant};
use super::super::malformed::excerpt;
use super::super::times::{TimeFormats, timestamp_array};
use super::shape::double_of;
use super::syntax::{Cursor, Start, SyntaxError, compact};
use crate::display::type_name;
use crate::error::Error;

/// A value that does not fit its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) column: String,
    pub(super) message: String,
    /// Whether the record has a member that the schema lacks.
    pub(super) is_unknown: bool,
}

/// What is known while a record is read.
pub(super) struct Context<'a> {
    pub(super) times: &'a TimeFormats,
    /// Whether members that the schema lacks are misfits.
    pub(super) refuses_unknown: bool,
    /// The first value that does not fit.
    pub(super) misfit: Option<Misfit>,
}

/// One column that grows.
#[derive(Debug)]
pub(super) struct Column {
    name: String,
    data_type: DataType,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Boolean(Vec<Option<bool>>),
    Integer(Vec<Option<i64>>, std::ops::RangeInclusive<i64>),
    Double(Vec<Option<f64>>),
    Decimal(Vec<Option<i128>>, u8, i8),
    Date(Vec<Option<i32>>),
    Timestamp(Vec<Option<Instant>>),
    Text { bytes: String, ends: Vec<usize>, valid: Vec<bool> },
    List { item: Box<Column>, ends: Vec<usize>, valid: Vec<bool> },
    Map { key: Box<Column>, value: Box<Column>, ends: Vec<usize>, valid: Vec<bool> },
    Struct(Members, Vec<bool>),
}

/// The columns of a struct or of whole records.
#[derive(Debug)]
pub(super) struct Members {
    columns: Vec<Column>,
    places: HashMap<String, usize>,
    /// Names that are known, though not wanted.
    known: Vec<String>,
}

type Parsed<T> = Result<T, SyntaxError>;

impl Column {
    /// An empty column.
    ///
    /// # Errors
    /// If no column of this type can be read from JSON.
    pub(super) fn new(name: &str, data_type: &DataType) -> DataFusionResult<Self> {
        let values = match data_type {
            DataType::Boolean => Values::Boolean(Vec::new()),
            DataType::Int8 => Values::Integer(Vec::new(), i8::MIN.into()..=i8::MAX.into()),
            DataType::Int16 => Values::Integer(Vec::new(), i16::MIN.into()..=i16::MAX.into()),
            DataType::Int32 => Values::Integer(Vec::new(), i32::MIN.into()..=i32::MAX.into()),
            DataType::Int64 => Values::Integer(Vec::new(), i64::MIN..=i64::MAX),
            DataType::UInt8 => Values::Integer(Vec::new(), 0..=u8::MAX.into()),
            DataType::UInt16 => Values::Integer(Vec::new(), 0..=u16::MAX.into()),
            DataType::UInt32 => Values::Integer(Vec::new(), 0..=u32::MAX.into()),
            DataType::Float32 | DataType::Float64 => Values::Double(Vec::new()),
            DataType::Decimal128(precision, scale) => {
                Values::Decimal(Vec::new(), *precision, *scale)
            }
            DataType::Date32 => Values::Date(Vec::new()),
            DataType::Timestamp(_, _) => Values::Timestamp(Vec::new()),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Values::Text { bytes: String::new(), ends: Vec::new(), valid: Vec::new() }
            }
            DataType::List(item) | DataType::LargeList(item) => Values::List {
                item: Box::new(Self::new(name, item.data_type())?),
                ends: Vec::new(),
                valid: Vec::new(),
            },
            DataType::Struct(fields) => {
                let fields = fields.iter().map(|field| (field, format!("{name}.{}", field.name())));
                Values::Struct(Members::new(fields, Vec::new())?, Vec::new())
            }
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => Values::Map {
                    key: Box::new(Self::new(name, fields[0].data_type())?),
                    value: Box::new(Self::new(name, fields[1].data_type())?),
                    ends: Vec::new(),
                    valid: Vec::new(),
                },
                _ => return Err(unsupported(data_type)),
            },
            _ => return Err(unsupported(data_type)),
        };
        Ok(Self { name: name.to_owned(), data_type: data_type.clone(), values })
    }

    /// Reads the next value; one that does not fit becomes NULL and is noted.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        context: &mut Context<'_>,
    ) -> Parsed<()> {
        let start = cursor.start()?;
        if start == Start::Null {
            cursor.word("null")?;
            self.push_null();
            return Ok(());
        }
        let fits = match (&mut self.values, start) {
            (Values::List { item, ends, valid }, Start::Array) => {
                cursor.enter()?;
                let mut is_first = true;
                while cursor.next_item(is_first)? {
                    item.read(cursor, context)?;
                    is_first = false;
                }
                ends.push(item.len());
                valid.push(true);
                return Ok(());
            }
            (Values::Struct(members, valid), Start::Object) => {
                members.read(cursor, context)?;
                valid.push(true);
                return Ok(());
            }
            (Values::Map { key, value, ends, valid }, Start::Object) => {
                cursor.enter()?;
                let mut is_first = true;
                while let Some(name) = cursor.next_key(is_first)? {
                    key.push_text(&name, context);
                    value.read(cursor, context)?;
                    is_first = false;
                }
                ends.push(key.len());
                valid.push(true);
                return Ok(());
            }
            (_, Start::Text) => {
                let text = cursor.text()?;
                self.push_text(&text, context);
                return Ok(());
            }
            (Values::Text { bytes, ends, valid }, _) => {
                bytes.push_str(&compact(cursor.skip()?));
                ends.push(bytes.len());
                valid.push(true);
                return Ok(());
            }
            (values, Start::Number) => {
                let number = cursor.number()?;
                if values.push_number(number) {
                    return Ok(());
                }
                number
            }
            (Values::Boolean(values), Start::True | Start::False) => {
                cursor.word(if start == Start::True { "true" } else { "false" })?;
                values.push(Some(start == Start::True));
                return Ok(());
            }
            _ => cursor.skip()?,
        };
        self.misfit(fits, context);
        Ok(())
    }

    /// Adds what a text means to this column.
    fn push_text(&mut self, text: &str, context: &mut Context<'_>) {
        let fits = match &mut self.values {
            Values::Text { bytes, ends, valid } => {
                bytes.push_str(text);
                ends.push(bytes.len());
                valid.push(true);
                true
            }
            Values::Date(values) => push(values, context.times.date(text)),
            Values::Timestamp(values) => push(values, context.times.timestamp_or_date(text)),
            Values::Double(values) => push(values, super::syntax::special_double(text)),
            Values::Decimal(values, precision, scale) => {
                push(values, literal::parse_decimal(text, *precision, *scale))
            }
            _ => false,
        };
        if !fits {
            self.misfit(text, context);
        }
    }

    fn misfit(&mut self, value: &str, context: &mut Context<'_>) {
        let message = format!("`{}` is not of type {}", excerpt(value), type_name(&self.data_type));
        context.misfit.get_or_insert_with(|| Misfit {
            column: self.name.clone(),
            message,
            is_unknown: false,
        });
        self.push_null();
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Boolean(values) => values.push(None),
            Values::Integer(values, _) => values.push(None),
            Values::Double(values) => values.push(None),
            Values::Decimal(values, _, _) => values.push(None),
            Values::Date(values) => values.push(None),
            Values::Timestamp(values) => values.push(None),
            Values::Text { bytes, ends, valid } => {
                ends.push(bytes.len());
                valid.push(false);
            }
            Values::List { item, ends, valid } => {
                ends.push(item.len());
                valid.push(false);
            }
            Values::Map { key, ends, valid, .. } => {
                ends.push(key.len());
                valid.push(false);
            }
            Values::Struct(members, valid) => {
                members.columns.iter_mut().for_each(Self::push_null);
                valid.push(false);
            }
        }
    }

    fn len(&self) -> usize {
        match &self.values {
            Values::Boolean(values) => values.len(),
            Values::Integer(values, _) => values.len(),
            Values::Double(values) => values.len(),
            Values::Decimal(values, _, _) => values.len(),
            Values::Date(values) => values.len(),
            Values::Timestamp(values) => values.len(),
            Values::Text { valid, .. }
            | Values::List { valid, .. }
            | Values::Map { valid, .. }
            | Values::Struct(_, valid) => valid.len(),
        }
    }

    /// Forgets all rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::Boolean(values) => values.truncate(rows),
            Values::Integer(values, _) => values.truncate(rows),
            Values::Double(values) => values.truncate(rows),
            Values::Decimal(values, _, _) => values.truncate(rows),
            Values::Date(values) => values.truncate(rows),
            Values::Timestamp(values) => values.truncate(rows),
            Values::Text { bytes, ends, valid } => {
                bytes.truncate(cut(ends, valid, rows));
            }
            Values::List { item, ends, valid } => item.truncate(cut(ends, valid, rows)),
            Values::Map { key, value, ends, valid } => {
                let entries = cut(ends, valid, rows);
                key.truncate(entries);
                value.truncate(entries);
            }
            Values::Struct(members, valid) => {
                valid.truncate(rows);
                members.truncate(rows);
            }
        }
    }

    /// The rows as an array; the column is empty after.
    pub(super) fn finish(&mut self) -> DataFusionResult<ArrayRef> {
        let array: ArrayRef = match &mut self.values {
            Values::Boolean(values) => Arc::new(BooleanArray::from(std::mem::take(values))),
            Values::Integer(values, _) => Arc::new(Int64Array::from(std::mem::take(values))),
            Values::Double(values) => Arc::new(
                std::mem::take(values).into_iter().collect::<PrimitiveArray<Float64Type>>(),
            ),
            Values::Decimal(values, precision, scale) => Arc::new(
                Decimal128Array::from(std::mem::take(values))
                    .with_precision_and_scale(*precision, *scale)?,
            ),
            Values::Date(values) => {
                Arc::new(std::mem::take(values).into_iter().collect::<PrimitiveArray<Date32Type>>())
            }
            Values::Timestamp(values) => timestamp_array(&std::mem::take(values), &self.data_type)?,
            Values::Text { bytes, ends, valid } => {
                let (offsets, nulls) = take_ends(ends, valid);
                let bytes = std::mem::take(bytes).into_bytes();
                Arc::new(StringArray::try_new(offsets, bytes.into(), nulls)?)
            }
            Values::List { item, ends, valid } => {
                let (offsets, nulls) = take_ends(ends, valid);
                let field: FieldRef = match &self.data_type {
                    DataType::List(field) | DataType::LargeList(field) => Arc::clone(field),
                    other => Arc::new(Field::new_list_field(other.clone(), true)),
                };
                let list_type = DataType::List(Arc::clone(&field));
                let list = GenericListArray::<i32>::try_new(field, offsets, item.finish()?, nulls)?;
                if list_type == self.data_type {
                    return Ok(Arc::new(list));
                }
                Arc::new(list)
            }
            Values::Map { key, value, ends, valid } => {
                let (offsets, nulls) = take_ends(ends, valid);
                return map_array(&self.data_type, key.finish()?, value.finish()?, offsets, nulls);
            }
            Values::Struct(members, valid) => {
                let nulls = NullBuffer::from(std::mem::take(valid));
                let DataType::Struct(fields) = &self.data_type else {
                    return Err(unsupported(&self.data_type));
                };
                let columns = members.finish()?;
                return Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls))?));
            }
        };
        if array.data_type() == &self.data_type {
            return Ok(array);
        }
        Ok(cast(&array, &self.data_type)?)
    }
}

impl Values {
    /// Adds a number if this column can hold it.
    fn push_number(&mut self, number: &str) -> bool {
        match self {
            Self::Integer(values, range) => {
                let value = literal::parse_integer(number.as_bytes());
                push(values, value.filter(|value| range.contains(value)))
            }
            Self::Double(values) => push(values, double_of(number)),
            Self::Decimal(values, precision, scale) => {
                push(values, literal::parse_decimal(number, *precision, *scale))
            }
            // As in Spark, a whole number is a time in seconds since 1970.
            Self::Timestamp(values) => {
                let seconds = literal::parse_integer(number.as_bytes());
                let micros = seconds.and_then(|s| s.checked_mul(literal::MICROS_PER_SECOND));
                push(values, micros.map(|micros| Instant { micros, has_offset: true }))
            }
            _ => false,
        }
    }
}

/// Adds a value if there is one; whether there was.
fn push<T>(values: &mut Vec<Option<T>>, value: Option<T>) -> bool {
    let fits = value.is_some();
    if fits {
        values.push(value);
    }
    fits
}

/// Cuts a nested column back; how much of what is nested remains.
fn cut(ends: &mut Vec<usize>, valid: &mut Vec<bool>, rows: usize) -> usize {
    ends.truncate(rows);
    valid.truncate(rows);
    ends.last().copied().unwrap_or(0)
}

fn take_ends(
    ends: &mut Vec<usize>,
    valid: &mut Vec<bool>,
) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
    let mut start = 0;
    let lengths: Vec<usize> = ends
        .drain(..)
        .map(|end| {
            let length = end - start;
            start = end;
            length
        })
        .collect();
    (OffsetBuffer::from_lengths(lengths), Some(NullBuffer::from(std::mem::take(valid))))
}

fn map_array(
    data_type: &DataType,
    keys: ArrayRef,
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
) -> DataFusionResult<ArrayRef> {
    let DataType::Map(entries, sorted) = data_type else { return Err(unsupported(data_type)) };
    let DataType::Struct(fields) = entries.data_type() else { return Err(unsupported(data_type)) };
    let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, *sorted)?))
}

fn unsupported(data_type: &DataType) -> datafusion::common::DataFusionError {
    Error::unsupported(format!("reading type `{data_type}` from json"))
        .hint("read the column as a string and convert it in the query")
        .into()
}

impl Members {
    /// Columns for fields, each with the name by which errors know it; `known` are members that are
    /// passed over.
    pub(super) fn new<'a>(
        fields: impl Iterator<Item = (&'a FieldRef, String)>,
        known: Vec<String>,
    ) -> DataFusionResult<Self> {
        let mut columns = Vec::new();
        let mut places = HashMap::new();
        for (field, path) in fields {
            places.insert(field.name().clone(), columns.len());
            columns.push(Column::new(&path, field.data_type())?);
        }
        Ok(Self { columns, places, known })
    }

    /// Reads an object, at whose start the cursor stands, as one row.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        context: &mut Context<'_>,
    ) -> Parsed<()> {
        let row = self.columns.first().map(Column::len);
        cursor.enter()?;
        let mut is_first = true;
        while let Some(key) = cursor.next_key(is_first)? {
            is_first = false;
            match (self.places.get(key.as_ref()).copied(), row) {
                (Some(place), Some(row)) => {
                    let column = &mut self.columns[place];
                    // Of members with the same name the last counts.
                    column.truncate(row);
                    column.read(cursor, context)?;
                }
                _ => {
                    cursor.skip()?;
                    if context.refuses_unknown && !self.known.iter().any(|known| *known == key) {
                        context.misfit.get_or_insert_with(|| Misfit {
                            column: key.clone().into_owned(),
                            message: "is not in the schema, which was found from the first part \
                                      of the data"
                                .to_owned(),
                            is_unknown: true,
                        });
                    }
                }
            }
        }
        if let Some(row) = row {
            self.columns
                .iter_mut()
                .filter(|column| column.len() == row)
                .for_each(Column::push_null);
        }
        Ok(())
    }

    pub(super) fn push_null(&mut self) {
        self.columns.iter_mut().for_each(Column::push_null);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }

    pub(super) fn finish(&mut self) -> DataFusionResult<Vec<ArrayRef>> {
        self.columns.iter_mut().map(Column::finish).collect()
    }
}
