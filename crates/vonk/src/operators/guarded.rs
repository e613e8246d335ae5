//! AND and OR whose second condition is only asked where the first leaves it open.
//!
//! `b <> 0 AND a / b > 2` is safe in Spark, which asks row by row. DataFusion evaluates both sides for
//! all rows of a batch unless few pass the first, so that the division fails for rows that were excluded.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{and_kleene, not, or_kleene};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::PhysicalExpr;

/// `left AND right` or `left OR right`.
#[derive(Debug, Eq)]
pub(crate) struct Guarded {
    left: Arc<dyn PhysicalExpr>,
    right: Arc<dyn PhysicalExpr>,
    is_and: bool,
}

impl Guarded {
    /// `left AND right`, or `left OR right`.
    pub(crate) fn new(
        left: Arc<dyn PhysicalExpr>,
        right: Arc<dyn PhysicalExpr>,
        is_and: bool,
    ) -> Self {
        Self { left, right, is_and }
    }

    /// Whether it is AND rather than OR.
    pub(crate) fn is_and(&self) -> bool {
        self.is_and
    }

    /// The guarded form of a condition, if it is an AND or OR.
    pub(crate) fn of(
        left: Arc<dyn PhysicalExpr>,
        operator: Operator,
        right: Arc<dyn PhysicalExpr>,
    ) -> Option<Self> {
        match operator {
            Operator::And => Some(Self { left, right, is_and: true }),
            Operator::Or => Some(Self { left, right, is_and: false }),
            _ => None,
        }
    }

    /// The rows whose answer depends on the second condition; NULL is one of them.
    fn open(&self, left: &BooleanArray) -> DfResult<BooleanArray> {
        let decided = if self.is_and { not(left)? } else { left.clone() };
        let decided = match decided.nulls() {
            Some(nulls) => decided.values() & nulls.inner(),
            None => decided.values().clone(),
        };
        Ok(BooleanArray::new(!&decided, None))
    }
}

// Derived, this would move the parts out of their pointers.
impl PartialEq for Guarded {
    fn eq(&self, other: &Self) -> bool {
        self.left.eq(&other.left) && self.right.eq(&other.right) && self.is_and == other.is_and
    }
}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.left.hash(state);
        self.right.hash(state);
        self.is_and.hash(state);
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = if self.is_and { "AND" } else { "OR" };
        write!(f, "{} {operator} {}", self.left, self.right)
    }
}

impl PhysicalExpr for Guarded {
    fn data_type(&self, _schema: &Schema) -> DfResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, schema: &Schema) -> DfResult<bool> {
        Ok(self.left.nullable(schema)? || self.right.nullable(schema)?)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let rows = batch.num_rows();
        let left = self.left.evaluate(batch)?.into_array(rows)?;
        let left = left.as_boolean();
        let open = self.open(left)?;
        if !open.has_true() {
            return Ok(ColumnarValue::Array(Arc::new(left.clone())));
        }
        let right = self.right.evaluate_selection(batch, &open)?.into_array(rows)?;
        let Some(right) = right.as_boolean_opt() else {
            return internal_err!("a condition gave {}", right.data_type());
        };
        let both = if self.is_and { and_kleene(left, right)? } else { or_kleene(left, right)? };
        Ok(ColumnarValue::Array(Arc::new(both)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.left, &self.right]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> DfResult<Arc<dyn PhysicalExpr>> {
        match <[_; 2]>::try_from(children) {
            Ok([left, right]) => Ok(Arc::new(Self { left, right, is_and: self.is_and })),
            Err(children) => internal_err!("a condition of {} parts", children.len()),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
