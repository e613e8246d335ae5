//! Values and rows of Arrow batches as Rust types, through serde: what `rows`, `rdd_of` and
//! `Row::get` share.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, downcast_dictionary_array};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::de::value::{Error as Fault, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::display::type_name;
use crate::error::{Condition, Error, Result};

/// How dates and times are written when a type asks for text: as ISO 8601 has it.
const OPTIONS: FormatOptions<'static> = FormatOptions::new()
    .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.f%:z"));

/// All rows of a batch as a Rust type.
///
/// # Errors
/// `CAST_INVALID_INPUT` with the type, the column and what is wrong with its value.
pub(crate) fn typed<T: DeserializeOwned>(batch: &RecordBatch) -> Result<Vec<T>> {
    (0..batch.num_rows()).map(|row| typed_row(batch, row)).collect()
}

/// One row of a batch as a Rust type.
///
/// # Errors
/// Those of [`typed`].
pub(super) fn typed_row<T: DeserializeOwned>(batch: &RecordBatch, row: usize) -> Result<T> {
    let columns = batch.columns();
    let whole = Whole { schema: batch.schema_ref(), columns, row };
    T::deserialize(whole).map_err(|fault| {
        let schema = batch.schema();
        let columns: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| format!("`{}` {}", field.name(), type_name(field.data_type())))
            .collect();
        Error::new(
            Condition::CAST_INVALID_INPUT,
            format!("the rows do not fit `{}`: {fault}", std::any::type_name::<T>()),
        )
        .hint(format!("the columns are {}; one with NULL needs an `Option`", columns.join(", ")))
    })
}

/// One value of a column as a Rust type.
///
/// # Errors
/// `CAST_INVALID_INPUT` with the type, the column and what is wrong with its value.
pub(super) fn typed_value<T: DeserializeOwned>(
    name: &str,
    array: &ArrayRef,
    row: usize,
) -> Result<T> {
    T::deserialize(Value { array, row }).map_err(|fault| {
        let wanted = std::any::type_name::<T>();
        let kind = type_name(array.data_type());
        Error::new(
            Condition::CAST_INVALID_INPUT,
            format!("column `{name}` does not fit `{wanted}`: {fault}"),
        )
        .hint(format!("the column is {kind}; where it may be NULL, ask for an `Option`"))
    })
}

/// A whole row: a struct by the columns' names, a tuple by their order, or the only column.
struct Whole<'a> {
    schema: &'a Schema,
    columns: &'a [ArrayRef],
    row: usize,
}

impl<'a> Whole<'a> {
    fn only(&self) -> Result<Value<'a>, Fault> {
        match self.columns {
            [array] => Ok(Value { array, row: self.row }),
            columns => Err(Fault::custom(format!(
                "{} columns need a struct or a tuple, not a single value",
                columns.len()
            ))),
        }
    }

    fn fields(self) -> Fields<'a> {
        let names = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        Fields { names, columns: self.columns, row: self.row, next: 0 }
    }

    fn same_length(&self, length: usize) -> Result<(), Fault> {
        if self.columns.len() == length {
            return Ok(());
        }
        let columns = self.columns.len();
        Err(Fault::custom(format!("it has {length} fields and the row has {columns} columns")))
    }
}

/// Methods of a single value, which a row of one column has too.
macro_rules! of_the_only_column {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.only()?.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Whole<'_> {
    type Error = Fault;

    of_the_only_column! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(self.fields())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.only() {
            Ok(value) => value.deserialize_option(visitor),
            Err(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(self.fields())
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.same_length(length)?;
        visitor.visit_seq(self.fields())
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 unit unit_struct map struct ignored_any
    }
}

/// Named values one after the other: the columns of a row, or the fields of a struct.
struct Fields<'a> {
    names: Vec<&'a str>,
    columns: &'a [ArrayRef],
    row: usize,
    next: usize,
}

impl Fields<'_> {
    fn value<'de, S: DeserializeSeed<'de>>(
        &mut self,
        at: usize,
        seed: S,
    ) -> Result<S::Value, Fault> {
        self.next = at + 1;
        let value = Value { array: &self.columns[at], row: self.row };
        seed.deserialize(value)
            .map_err(|fault| Fault::custom(format!("column `{}`: {fault}", self.names[at])))
    }
}

impl<'de> SeqAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        if self.next == self.columns.len() {
            return Ok(None);
        }
        self.value(self.next, seed).map(Some)
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        match self.names.get(self.next) {
            Some(name) => seed.deserialize(serde::de::value::StrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        self.value(self.next, seed)
    }
}

/// The items of a list.
struct Items {
    array: ArrayRef,
    next: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        if self.next == self.array.len() {
            return Ok(None);
        }
        let item = Value { array: &self.array, row: self.next };
        self.next += 1;
        seed.deserialize(item).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.array.len() - self.next)
    }
}

/// The entries of a map.
struct Entries {
    keys: ArrayRef,
    values: ArrayRef,
    next: usize,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        if self.next == self.keys.len() {
            return Ok(None);
        }
        seed.deserialize(Value { array: &self.keys, row: self.next }).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let value = Value { array: &self.values, row: self.next };
        self.next += 1;
        seed.deserialize(value)
    }
}

/// One value of a column.
#[derive(Clone, Copy)]
struct Value<'a> {
    array: &'a ArrayRef,
    row: usize,
}

impl<'a> Value<'a> {
    fn is_null(self) -> bool {
        self.array.is_null(self.row) || *self.array.data_type() == DataType::Null
    }

    fn present(self) -> Result<Self, Fault> {
        if self.is_null() { Err(Fault::custom("the value is NULL")) } else { Ok(self) }
    }

    fn text(self) -> Result<String, Fault> {
        let formatter = ArrayFormatter::try_new(self.array.as_ref(), &OPTIONS);
        Ok(formatter.map_err(Fault::custom)?.value(self.row).to_string())
    }

    /// The number behind a date or a timestamp, or that of a decimal without fraction.
    fn whole_number(self) -> Result<Option<i64>, Fault> {
        let (array, row) = (self.array, self.row);
        Ok(Some(match array.data_type() {
            DataType::Date32 => array.as_primitive::<Date32Type>().value(row).into(),
            DataType::Date64 => array.as_primitive::<Date64Type>().value(row),
            DataType::Timestamp(unit, _) => match unit {
                TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
                TimeUnit::Millisecond => {
                    array.as_primitive::<TimestampMillisecondType>().value(row)
                }
                TimeUnit::Microsecond => {
                    array.as_primitive::<TimestampMicrosecondType>().value(row)
                }
                TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
            },
            _ => match self.decimal() {
                Some(text) => text
                    .parse()
                    .map_err(|_| Fault::custom(format!("{text} is no whole number of 64 bits")))?,
                None => return Ok(None),
            },
        }))
    }

    fn decimal(self) -> Option<String> {
        let (array, row) = (self.array, self.row);
        Some(match array.data_type() {
            DataType::Decimal32(..) => array.as_primitive::<Decimal32Type>().value_as_string(row),
            DataType::Decimal64(..) => array.as_primitive::<Decimal64Type>().value_as_string(row),
            DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
            DataType::Decimal256(..) => array.as_primitive::<Decimal256Type>().value_as_string(row),
            _ => return None,
        })
    }

    /// The value of a dictionary that this key means.
    fn in_dictionary<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let array = self.array.as_ref();
        downcast_dictionary_array! {
            array => match array.key(self.row) {
                Some(row) => Value { array: array.values(), row }.deserialize_any(visitor),
                None => visitor.visit_unit(),
            },
            other => Err(Fault::custom(format!("values of {other} cannot be read")))
        }
    }

    fn visit_nested<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (array, row) = (self.array, self.row);
        let items = |array| Items { array, next: 0 };
        match array.data_type() {
            DataType::List(_) => visitor.visit_seq(items(array.as_list::<i32>().value(row))),
            DataType::LargeList(_) => visitor.visit_seq(items(array.as_list::<i64>().value(row))),
            DataType::FixedSizeList(..) => {
                visitor.visit_seq(items(array.as_fixed_size_list().value(row)))
            }
            DataType::Struct(_) => visitor.visit_map(self.fields()),
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                let (keys, values) = (entries.column(0).clone(), entries.column(1).clone());
                visitor.visit_map(Entries { keys, values, next: 0 })
            }
            DataType::Dictionary(..) => self.in_dictionary(visitor),
            _ => visitor.visit_string(self.text()?),
        }
    }

    /// The fields of a struct.
    fn fields(self) -> Fields<'a> {
        let fields = self.array.as_struct();
        let names = fields.fields().iter().map(|field| field.name().as_str()).collect();
        Fields { names, columns: fields.columns(), row: self.row, next: 0 }
    }

    fn bytes(self) -> Option<&'a [u8]> {
        let (array, row) = (self.array, self.row);
        Some(match array.data_type() {
            DataType::Binary => array.as_binary::<i32>().value(row),
            DataType::LargeBinary => array.as_binary::<i64>().value(row),
            DataType::BinaryView => array.as_binary_view().value(row),
            DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row),
            _ => return None,
        })
    }

    /// The items of a list, the fields of a struct or the bytes of a binary value, in order.
    fn visit_in_order<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.present()?;
        if let Some(bytes) = value.bytes() {
            let bytes = bytes.iter().copied();
            return visitor.visit_seq(serde::de::value::SeqDeserializer::new(bytes));
        }
        match value.array.data_type() {
            DataType::Struct(_) => visitor.visit_seq(value.fields()),
            _ => value.deserialize_any(visitor),
        }
    }
}

/// Methods of types that have no place for NULL.
macro_rules! present {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.present()?.deserialize_any(visitor)
        })*
    };
}

/// Methods of whole numbers, as which dates and timestamps can be read too.
macro_rules! whole_numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.present()?.whole_number()? {
                Some(number) => visitor.visit_i64(number),
                None => self.deserialize_any(visitor),
            }
        })*
    };
}

/// Methods of floating-point numbers, as which decimals can be read too.
macro_rules! floating {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.present()?.decimal().map(|text| text.parse()) {
                Some(Ok(number)) => visitor.visit_f64(number),
                _ => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Fault;

    present! {
        deserialize_bool deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_identifier deserialize_map
    }

    whole_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    floating! { deserialize_f32 deserialize_f64 }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() {
            return visitor.visit_unit();
        }
        if let Some(bytes) = self.bytes() {
            return visitor.visit_bytes(bytes);
        }
        let (array, row) = (self.array, self.row);
        match array.data_type() {
            DataType::Boolean => visitor.visit_bool(array.as_boolean().value(row)),
            DataType::Int8 => visitor.visit_i8(array.as_primitive::<Int8Type>().value(row)),
            DataType::Int16 => visitor.visit_i16(array.as_primitive::<Int16Type>().value(row)),
            DataType::Int32 => visitor.visit_i32(array.as_primitive::<Int32Type>().value(row)),
            DataType::Int64 => visitor.visit_i64(array.as_primitive::<Int64Type>().value(row)),
            DataType::UInt8 => visitor.visit_u8(array.as_primitive::<UInt8Type>().value(row)),
            DataType::UInt16 => visitor.visit_u16(array.as_primitive::<UInt16Type>().value(row)),
            DataType::UInt32 => visitor.visit_u32(array.as_primitive::<UInt32Type>().value(row)),
            DataType::UInt64 => visitor.visit_u64(array.as_primitive::<UInt64Type>().value(row)),
            DataType::Float16 => {
                visitor.visit_f32(array.as_primitive::<Float16Type>().value(row).to_f32())
            }
            DataType::Float32 => visitor.visit_f32(array.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => visitor.visit_f64(array.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => visitor.visit_str(array.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => visitor.visit_str(array.as_string::<i64>().value(row)),
            DataType::Utf8View => visitor.visit_str(array.as_string_view().value(row)),
            _ => self.visit_nested(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_in_order(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit_in_order(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit_in_order(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(StringDeserializer::new(self.present()?.text()?))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 unit unit_struct }
}
