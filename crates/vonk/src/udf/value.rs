//! Which Rust types stand for which SQL types.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, StringArray,
};
use arrow::datatypes::DataType;

use crate::error::{Error, Result};

/// A Rust type that a column of SQL can hold.
pub trait SqlValue: Sized + Send + Sync + 'static {
    /// The type of Arrow's column.
    type Array: Array + 'static;
    /// The type of SQL's column.
    const TYPE: DataType;

    /// The value of a row that is not NULL.
    fn read(array: &Self::Array, row: usize) -> Self;

    /// A column of these values.
    fn gather(values: impl Iterator<Item = Option<Self>>) -> ArrayRef;
}

macro_rules! sql_values {
    ($($rust:ty: $array:ident $kind:ident |$item:ident| $read:expr;)*) => {
        $(impl SqlValue for $rust {
            type Array = $array;
            const TYPE: DataType = DataType::$kind;

            fn read(array: &$array, row: usize) -> Self {
                let $item = array.value(row);
                $read
            }

            fn gather(values: impl Iterator<Item = Option<Self>>) -> ArrayRef {
                Arc::new(values.collect::<$array>())
            }
        })*
    };
}

sql_values! {
    bool: BooleanArray Boolean |item| item;
    i8: Int8Array Int8 |item| item;
    i16: Int16Array Int16 |item| item;
    i32: Int32Array Int32 |item| item;
    i64: Int64Array Int64 |item| item;
    f32: Float32Array Float32 |item| item;
    f64: Float64Array Float64 |item| item;
    String: StringArray Utf8 |item| item.to_owned();
    Vec<u8>: BinaryArray Binary |item| item.to_vec();
}

/// An argument of a user-defined function: a value, or an `Option` of one to see NULL.
pub trait Argument: Sized {
    /// The value that is there when it is not NULL.
    type Value: SqlValue;

    /// The argument, or `None` if NULL must not reach the function.
    fn of(value: Option<Self::Value>) -> Option<Self>;
}

impl<T: SqlValue> Argument for T {
    type Value = T;

    fn of(value: Option<T>) -> Option<T> {
        value
    }
}

impl<T: SqlValue> Argument for Option<T> {
    type Value = T;

    fn of(value: Option<T>) -> Option<Option<T>> {
        Some(value)
    }
}

/// The result of a user-defined function: a value, or an `Option` of one to give NULL.
pub trait Output {
    /// The value that is there when it is not NULL.
    type Value: SqlValue;

    /// The value; `None` is NULL.
    fn into_value(self) -> Option<Self::Value>;
}

impl<T: SqlValue> Output for T {
    type Value = T;

    fn into_value(self) -> Option<T> {
        Some(self)
    }
}

impl<T: SqlValue> Output for Option<T> {
    type Value = T;

    fn into_value(self) -> Option<T> {
        self
    }
}

/// The column as the array of a Rust type.
pub(super) fn typed<T: SqlValue>(array: &ArrayRef) -> Result<&T::Array> {
    array.as_any().downcast_ref().ok_or_else(|| {
        Error::internal(format!("a column of {} came as {}", T::TYPE, array.data_type()))
    })
}

/// The argument of a row, or `None` if NULL must not reach the function.
pub(super) fn argument<A: Argument>(
    array: &<A::Value as SqlValue>::Array,
    row: usize,
) -> Option<A> {
    A::of((!array.is_null(row)).then(|| A::Value::read(array, row)))
}
