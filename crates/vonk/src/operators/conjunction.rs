//! Conditions that all have to be true, each asked of the rows that are left.
//!
//! DataFusion evaluates `a AND b AND c` as nested pairs, which puts the answers for few rows back into
//! those for all rows at each level. Here the rows that are left are cut out once they are few, and
//! their places become the answer at the end.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::buffer::{BooleanBuffer, MutableBuffer};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::arrow::util::bit_util;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;

/// Rows are cut out when less than one of so many is left.
const CUT_BELOW: usize = 4;

/// A filter's condition: `a AND b AND c`, where NULL means the same as false.
#[derive(Debug, Clone)]
pub(crate) struct Conjunction {
    conditions: Vec<Condition>,
    /// The columns that the conditions read, which are all that rows are cut out of.
    columns: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Condition {
    /// Over the columns of the batch.
    expr: Arc<dyn PhysicalExpr>,
    /// Over the columns that are cut out.
    cut: Arc<dyn PhysicalExpr>,
    /// Whether it may fail for rows that the conditions before it exclude.
    can_fail: bool,
}

impl Conjunction {
    /// The conditions in the order in which they are asked.
    pub(crate) fn new(
        conditions: Vec<Arc<dyn PhysicalExpr>>,
        can_fail: impl Fn(&Arc<dyn PhysicalExpr>) -> bool,
    ) -> DfResult<Self> {
        let read = conditions.iter().flat_map(collect_columns);
        let mut columns: Vec<usize> = read.map(|column| column.index()).collect();
        columns.sort_unstable();
        columns.dedup();
        let conditions = conditions.into_iter().map(|expr| {
            let cut = over(&columns, Arc::clone(&expr))?;
            Ok(Condition { cut, can_fail: can_fail(&expr), expr })
        });
        let conditions = conditions.collect::<DfResult<_>>()?;
        Ok(Self { conditions, columns })
    }

    /// As [`Self::new`], told of each condition whether it may fail.
    pub(crate) fn with_failures(
        conditions: Vec<Arc<dyn PhysicalExpr>>,
        can_fail: &[bool],
    ) -> DfResult<Self> {
        if can_fail.len() != conditions.len() {
            return internal_err!("a conjunction of {} parts", conditions.len());
        }
        let mut made = Self::new(conditions, |_| false)?;
        for (condition, can_fail) in made.conditions.iter_mut().zip(can_fail) {
            condition.can_fail = *can_fail;
        }
        Ok(made)
    }

    /// Which conditions may fail for rows that those before exclude.
    pub(crate) fn can_fail(&self) -> Vec<bool> {
        self.conditions.iter().map(|condition| condition.can_fail).collect()
    }

    fn mask(&self, batch: &RecordBatch) -> DfResult<BooleanBuffer> {
        let mut rows = Rows::All(batch);
        for condition in &self.conditions {
            rows = rows.that_pass(condition, &self.columns)?;
        }
        Ok(rows.into_mask())
    }
}

/// The expression over these columns only.
fn over(columns: &[usize], expr: Arc<dyn PhysicalExpr>) -> DfResult<Arc<dyn PhysicalExpr>> {
    expr.transform(|expr| {
        let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
        match columns.binary_search(&column.index()) {
            Ok(at) => Ok(Transformed::yes(Arc::new(Column::new(column.name(), at)))),
            Err(_) => internal_err!("the column {} of a condition is not known", column.name()),
        }
    })
    .data()
}

/// The rows that are left.
enum Rows<'a> {
    All(&'a RecordBatch),
    /// Those of the batch whose bit is set.
    Marked(&'a RecordBatch, BooleanBuffer),
    /// Those that were cut out, with their places among all rows.
    Cut {
        rows: RecordBatch,
        places: Vec<u32>,
        all: usize,
    },
    None {
        all: usize,
    },
}

impl<'a> Rows<'a> {
    fn that_pass(self, condition: &Condition, columns: &[usize]) -> DfResult<Self> {
        match self {
            Self::All(batch) => {
                let mask = is_true(condition.expr.as_ref(), batch)?;
                Ok(Self::Marked(batch, mask))
            }
            Self::Marked(batch, mask) => {
                let (all, left) = (batch.num_rows(), mask.count_set_bits());
                if left == 0 {
                    return Ok(Self::None { all });
                }
                if left == all || (left * CUT_BELOW > all && !condition.can_fail) {
                    let passes = is_true(condition.expr.as_ref(), batch)?;
                    return Ok(Self::Marked(batch, &mask & &passes));
                }
                let places = mask.set_indices().map(|at| at as u32).collect();
                let mask = BooleanArray::new(mask, None);
                let rows = filter_record_batch(&batch.project(columns)?, &mask)?;
                Self::Cut { rows, places, all }.that_pass(condition, columns)
            }
            Self::Cut { rows, places, all } => {
                let passes = is_true(condition.cut.as_ref(), &rows)?;
                let left = passes.count_set_bits();
                if left == 0 {
                    return Ok(Self::None { all });
                }
                if left == rows.num_rows() {
                    return Ok(Self::Cut { rows, places, all });
                }
                let places = passes.set_indices().map(|at| places[at]).collect();
                let rows = filter_record_batch(&rows, &BooleanArray::new(passes, None))?;
                Ok(Self::Cut { rows, places, all })
            }
            none @ Self::None { .. } => Ok(none),
        }
    }

    fn into_mask(self) -> BooleanBuffer {
        match self {
            Self::All(batch) => BooleanBuffer::new_set(batch.num_rows()),
            Self::Marked(_, mask) => mask,
            Self::Cut { places, all, .. } => {
                let mut bits = MutableBuffer::from_len_zeroed(all.div_ceil(8));
                for place in places {
                    bit_util::set_bit(&mut bits, place as usize);
                }
                BooleanBuffer::new(bits.into(), 0, all)
            }
            Self::None { all } => BooleanBuffer::new_unset(all),
        }
    }
}

/// The rows for which a condition is true.
fn is_true(condition: &dyn PhysicalExpr, batch: &RecordBatch) -> DfResult<BooleanBuffer> {
    let answers = condition.evaluate(batch)?.into_array(batch.num_rows())?;
    let Some(answers) = answers.as_boolean_opt() else {
        return internal_err!("a condition gave {}", answers.data_type());
    };
    Ok(match answers.nulls() {
        Some(nulls) => answers.values() & nulls.inner(),
        None => answers.values().clone(),
    })
}

// Derived, these would move the parts out of their pointers.
impl PartialEq for Conjunction {
    fn eq(&self, other: &Self) -> bool {
        let both = || self.conditions.iter().zip(&other.conditions);
        self.conditions.len() == other.conditions.len()
            && both().all(|(one, other)| one.expr.eq(&other.expr))
    }
}

impl Eq for Conjunction {}

impl Hash for Conjunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.conditions.iter().for_each(|condition| condition.expr.hash(state));
    }
}

impl fmt::Display for Conjunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, condition) in self.conditions.iter().enumerate() {
            let between = if at == 0 { "" } else { " AND " };
            write!(f, "{between}{}", condition.expr)?;
        }
        Ok(())
    }
}

impl PhysicalExpr for Conjunction {
    fn data_type(&self, _schema: &Schema) -> DfResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _schema: &Schema) -> DfResult<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let mask = BooleanArray::new(self.mask(batch)?, None);
        Ok(ColumnarValue::Array(Arc::new(mask)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.conditions.iter().map(|condition| &condition.expr).collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> DfResult<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self::with_failures(children, &self.can_fail())?))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int32Array};
    use datafusion::logical_expr::Operator;
    use datafusion::physical_expr::expressions::{binary, col, lit};

    use super::*;

    /// Which of the numbers 0 to 99, where every tenth is NULL, pass `a < x` for each `x`.
    fn passing(below: &[i32], can_fail: bool) -> Vec<usize> {
        let numbers = (0..100).map(|n| (n % 10 != 3).then_some(n));
        let column: ArrayRef = Arc::new(Int32Array::from_iter(numbers));
        let batch = RecordBatch::try_from_iter([("unused", Arc::clone(&column)), ("a", column)]);
        let batch = batch.unwrap();
        let schema = batch.schema();
        let conditions = below.iter().map(|limit| {
            binary(col("a", &schema).unwrap(), Operator::Lt, lit(*limit), &schema).unwrap()
        });
        let all = Conjunction::new(conditions.collect(), |_| can_fail).unwrap();
        all.mask(&batch).unwrap().set_indices().collect()
    }

    #[test]
    fn rows_pass_that_pass_every_condition() {
        for can_fail in [false, true] {
            let wanted: Vec<usize> = (0..15).filter(|n| n % 10 != 3).collect();
            assert_eq!(passing(&[90, 60, 15], can_fail), wanted);
            assert_eq!(passing(&[20, 18, 17, 15], can_fail), wanted);
            assert_eq!(passing(&[15, 200, 99], can_fail), wanted);
            assert_eq!(passing(&[90, 0, 15], can_fail), [] as [usize; 0]);
            assert_eq!(passing(&[200], can_fail).len(), 90);
        }
    }
}
