//! Python values as compiled steps see them: the few types whose meaning is kept to the letter.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::redo::{Redo, Result};

/// The whole numbers that a float holds without loss are those up to here.
const EXACT_IN_FLOAT: u64 = 1 << 53;

/// A value; texts may be borrowed from the file or the value that they are a part of.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Cow<'a, str>),
    Tuple(Box<[Value<'a>]>),
    List(Box<[Value<'a>]>),
}

impl<'a> Value<'a> {
    pub(crate) fn borrowed(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }

    pub(crate) fn owned(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }

    pub(crate) fn pair(first: Self, second: Self) -> Self {
        Self::Tuple(Box::new([first, second]))
    }

    /// The same value, whose texts are borrowed from this one.
    pub(crate) fn reborrow(&'a self) -> Self {
        let all = |items: &'a [Self]| items.iter().map(Self::reborrow).collect();
        match self {
            Self::Str(text) => Self::borrowed(text),
            Self::Tuple(items) => Self::Tuple(all(items)),
            Self::List(items) => Self::List(all(items)),
            other => other.clone(),
        }
    }

    /// The same value, which borrows from nothing.
    pub(crate) fn into_owned(self) -> Value<'static> {
        let all = |items: Box<[Value<'_>]>| {
            items.into_iter().map(Value::into_owned).collect::<Box<[_]>>()
        };
        match self {
            Self::None => Value::None,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::Str(text) => Value::owned(text.into_owned()),
            Self::Tuple(items) => Value::Tuple(all(items)),
            Self::List(items) => Value::List(all(items)),
        }
    }

    /// The value of Python's object, if it is of a type that is kept to the letter.
    pub(crate) fn of_python(object: &Bound<'_, PyAny>) -> PyResult<Value<'static>> {
        let all = |items: &mut dyn Iterator<Item = Bound<'_, PyAny>>| {
            items.map(|item| Value::of_python(&item)).collect::<PyResult<Box<[_]>>>()
        };
        if object.is_none() {
            Ok(Value::None)
        } else if let Ok(value) = object.cast_exact::<PyBool>() {
            Ok(Value::Bool(value.is_true()))
        } else if let Ok(value) = object.cast_exact::<PyInt>() {
            value
                .extract()
                .map(Value::Int)
                .map_err(|_| Redo("a whole number of over 64 bits").into())
        } else if let Ok(value) = object.cast_exact::<PyFloat>() {
            Ok(Value::Float(value.value()))
        } else if let Ok(value) = object.cast_exact::<PyString>() {
            let text = value.to_str().map_err(|_| Redo("a text with half a character"))?;
            Ok(Value::owned(text.to_owned()))
        } else if let Ok(value) = object.cast_exact::<PyTuple>() {
            Ok(Value::Tuple(all(&mut value.iter())?))
        } else if let Ok(value) = object.cast_exact::<PyList>() {
            Ok(Value::List(all(&mut value.iter())?))
        } else {
            Err(Redo("a value of another type").into())
        }
    }

    /// The value as an object of Python.
    pub(crate) fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Self::None => py.None().into_bound(py),
            Self::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
            Self::Int(value) => value.into_pyobject(py)?.into_any(),
            Self::Float(value) => PyFloat::new(py, *value).into_any(),
            Self::Str(text) => PyString::new(py, text).into_any(),
            Self::Tuple(items) => {
                let items: Vec<_> =
                    items.iter().map(|item| item.to_python(py)).collect::<PyResult<_>>()?;
                PyTuple::new(py, items)?.into_any()
            }
            Self::List(items) => list(py, items)?.into_any(),
        })
    }

    /// The number, where a truth value counts as one.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Bool(value) => Some(i64::from(*value)),
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The number as a float; whole numbers are rounded as Python does.
    #[expect(clippy::cast_precision_loss, reason = "Python rounds to the nearest float as well")]
    pub(crate) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            other => other.as_int().map(|value| value as f64),
        }
    }

    /// What `bool(value)` is.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Tuple(items) | Self::List(items) => !items.is_empty(),
        }
    }

    /// What `==` is.
    pub(crate) fn equals(&self, other: &Value<'_>) -> Result<bool> {
        match (self, other) {
            (Self::None, Value::None) => Ok(true),
            (Self::Str(a), Value::Str(b)) => Ok(a == b),
            (Self::Tuple(a), Value::Tuple(b)) | (Self::List(a), Value::List(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b) {
                    if !a.is_same(b)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(self.compare_numbers(other)? == Some(Some(Ordering::Equal))),
        }
    }

    /// What `==` is within tuples and lists, where the same object is equal to itself even if it is NaN.
    pub(crate) fn is_same(&self, other: &Value<'_>) -> Result<bool> {
        match (self, other) {
            (Self::Float(a), Value::Float(b)) if a.is_nan() && b.is_nan() => {
                Err(Redo("NaN within several values"))
            }
            _ => self.equals(other),
        }
    }

    /// How `<` and its kin order two values; None if one of them is NaN.
    pub(crate) fn compare(&self, other: &Value<'_>) -> Result<Option<Ordering>> {
        match (self, other) {
            (Self::Str(a), Value::Str(b)) => Ok(Some(a.cmp(b))),
            (Self::Tuple(a), Value::Tuple(b)) | (Self::List(a), Value::List(b)) => {
                for (a, b) in a.iter().zip(b) {
                    if !a.is_same(b)? {
                        return a.compare(b);
                    }
                }
                Ok(Some(a.len().cmp(&b.len())))
            }
            _ => self.compare_numbers(other)?.ok_or(Redo("an order of values of different types")),
        }
    }

    /// How two numbers are ordered; None if one is no number, Some(None) if one is NaN.
    fn compare_numbers(&self, other: &Value<'_>) -> Result<Option<Option<Ordering>>> {
        if let (Some(a), Some(b)) = (self.as_int(), other.as_int()) {
            return Ok(Some(Some(a.cmp(&b))));
        }
        let (Some(a), Some(b)) = (self.as_float(), other.as_float()) else { return Ok(None) };
        let loses = |value: Option<i64>| value.is_some_and(|n| n.unsigned_abs() > EXACT_IN_FLOAT);
        if loses(self.as_int()) || loses(other.as_int()) {
            return Err(Redo("a large whole number compared with a float"));
        }
        Ok(Some(a.partial_cmp(&b)))
    }
}

/// Values as a list of Python.
pub(crate) fn list<'py>(py: Python<'py>, items: &[Value<'_>]) -> PyResult<Bound<'py, PyList>> {
    let items: Vec<_> = items.iter().map(|item| item.to_python(py)).collect::<PyResult<_>>()?;
    PyList::new(py, items)
}

/// Keys of a table: values that are equal in Python hash alike, so `1`, `1.0` and `True` do.
impl Hash for Value<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::None => state.write_u8(0),
            Self::Bool(_) | Self::Int(_) => state.write_i64(self.as_int().unwrap_or_default()),
            Self::Float(value) => match whole(*value) {
                Some(value) => state.write_i64(value),
                None => state.write_u64(value.to_bits()),
            },
            Self::Str(text) => text.hash(state),
            Self::Tuple(items) | Self::List(items) => {
                state.write_usize(items.len());
                items.iter().for_each(|item| item.hash(state));
            }
        }
    }
}

/// The whole number that a float is.
#[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
pub(crate) fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (value.trunc() == value && (-LIMIT..LIMIT).contains(&value)).then_some(value as i64)
}
