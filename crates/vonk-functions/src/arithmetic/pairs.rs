//! Two operands, row by row: a fast pass that only notes whether any row failed, then the remedy.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

use crate::failure::Failure;

/// The operands of one call.
pub(super) struct Pairs<'a> {
    pub(super) left: &'a ColumnarValue,
    pub(super) right: &'a ColumnarValue,
    pub(super) rows: usize,
}

/// What becomes of a row whose calculation raised its flag.
pub(super) enum OnFlag<'a, L, R> {
    /// The query fails.
    Fail(&'a dyn Fn(L, R) -> Failure),
    /// The row is NULL.
    Null,
    /// The value stays.
    Keep,
}

impl<'a> Pairs<'a> {
    /// The operands in the other order.
    pub(super) fn swapped(&self) -> Pairs<'a> {
        Pairs { left: self.right, right: self.left, rows: self.rows }
    }

    /// Calculates a value and a flag for each row; flags of NULL rows do not count.
    ///
    /// The loop has no branch, so that it is vectorised where `calculate` allows.
    pub(super) fn map<L, R, O>(
        &self,
        calculate: impl Fn(L::Native, R::Native) -> (O::Native, bool),
        on_flag: OnFlag<'_, L::Native, R::Native>,
    ) -> Result<ArrayRef>
    where
        L: ArrowPrimitiveType,
        R: ArrowPrimitiveType,
        O: ArrowPrimitiveType,
    {
        let left = Operand::<L>::new(self.left)?;
        let right = Operand::<R>::new(self.right)?;
        let rows = self.row_count();
        if left.is_null() || right.is_null() {
            return Ok(Arc::new(PrimitiveArray::<O>::new_null(rows)));
        }
        let nulls = NullBuffer::union(left.nulls(), right.nulls());
        let mut any_flag = false;
        let mut values: Vec<O::Native> = Vec::with_capacity(rows);
        let mut push = |(value, flag): (O::Native, bool)| {
            any_flag |= flag;
            value
        };
        match (&left, &right) {
            (Operand::Array(l), Operand::Array(r)) => values.extend(
                l.values().iter().zip(r.values().iter()).map(|(l, r)| push(calculate(*l, *r))),
            ),
            (Operand::Array(l), Operand::Scalar(r)) => {
                let r = r.value(0);
                values.extend(l.values().iter().map(|l| push(calculate(*l, r))));
            }
            (Operand::Scalar(l), Operand::Array(r)) => {
                let l = l.value(0);
                values.extend(r.values().iter().map(|r| push(calculate(l, *r))));
            }
            (Operand::Scalar(l), Operand::Scalar(r)) => {
                values.push(push(calculate(l.value(0), r.value(0))));
            }
        }
        let nulls = if any_flag {
            let flagged = |row: usize| {
                let is_valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                is_valid && calculate(left.value(row), right.value(row)).1
            };
            match on_flag {
                OnFlag::Keep => nulls,
                OnFlag::Null => {
                    let fine = BooleanBuffer::collect_bool(rows, |row| !flagged(row));
                    NullBuffer::union(nulls.as_ref(), Some(&NullBuffer::new(fine)))
                }
                OnFlag::Fail(failure) => match (0..rows).find(|row| flagged(*row)) {
                    Some(row) => return Err(failure(left.value(row), right.value(row)).into()),
                    None => nulls,
                },
            }
        } else {
            nulls
        };
        Ok(Arc::new(PrimitiveArray::<O>::new(values.into(), nulls)))
    }

    /// The result as one value where both operands are one value.
    pub(super) fn value(&self, array: ArrayRef) -> Result<ColumnarValue> {
        match (self.left, self.right) {
            (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)) => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
            _ => Ok(ColumnarValue::Array(array)),
        }
    }

    /// The values of both operands, one where an operand is one value.
    pub(super) fn values<L, R>(&self) -> Result<(PrimitiveArray<L>, PrimitiveArray<R>)>
    where
        L: ArrowPrimitiveType,
        R: ArrowPrimitiveType,
    {
        Ok((Operand::new(self.left)?.into_array(), Operand::new(self.right)?.into_array()))
    }

    fn row_count(&self) -> usize {
        match (self.left, self.right) {
            (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)) => 1,
            _ => self.rows,
        }
    }
}

/// A column, or one value for all rows as a column of one row.
enum Operand<T: ArrowPrimitiveType> {
    Array(PrimitiveArray<T>),
    Scalar(PrimitiveArray<T>),
}

impl<T: ArrowPrimitiveType> Operand<T> {
    fn new(value: &ColumnarValue) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Array(array) => Self::Array(array.as_primitive::<T>().clone()),
            ColumnarValue::Scalar(scalar) => {
                Self::Scalar(scalar.to_array()?.as_primitive::<T>().clone())
            }
        })
    }

    fn into_array(self) -> PrimitiveArray<T> {
        match self {
            Self::Array(array) | Self::Scalar(array) => array,
        }
    }

    /// Whether it is one value, and that is NULL.
    fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(array) if array.is_null(0))
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Self::Array(array) => array.nulls(),
            Self::Scalar(_) => None,
        }
    }

    fn value(&self, row: usize) -> T::Native {
        match self {
            Self::Array(array) => array.value(row),
            Self::Scalar(array) => array.value(0),
        }
    }
}
