//! `lag` and `lead`: DataFusion's, which count rows without NULL over whole partitions only.
//!
//! DataFusion 55 loses count where it answers row by row as they come: `lead(a, 2) IGNORE NULLS`. Over a whole
//! partition it counts rightly. sql/functions/windows/shift.slt tells when this can go.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions_window::lead_lag::{lag_udwf, lead_udwf};
use datafusion::logical_expr::function::{
    ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs,
};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

/// `lag(value[, offset[, default]])`: what stands some rows before.
pub(super) fn lag() -> WindowUDF {
    WindowUDF::new_from_impl(Shift { inner: lag_udwf(), is_lag: true })
}

/// `lead(value[, offset[, default]])`: what stands some rows behind.
pub(super) fn lead() -> WindowUDF {
    WindowUDF::new_from_impl(Shift { inner: lead_udwf(), is_lag: false })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Shift {
    inner: Arc<WindowUDF>,
    is_lag: bool,
}

impl WindowUDFImpl for Shift {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        self.inner.expressions(args)
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let ignores_nulls = args.ignore_nulls();
        let evaluator = self.inner.partition_evaluator_factory(args)?;
        Ok(match ignores_nulls {
            true => Box::new(Whole(evaluator)),
            false => evaluator,
        })
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.field(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        // The evaluator is told of the other direction.
        ReversedUDWF::Reversed(Arc::new(if self.is_lag { lag() } else { lead() }))
    }

    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.inner.inner().limit_effect(args)
    }
}

/// An evaluator that sees a partition whole.
#[derive(Debug)]
struct Whole(Box<dyn PartitionEvaluator>);

impl PartitionEvaluator for Whole {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.0.evaluate_all(values, rows)
    }

    fn supports_bounded_execution(&self) -> bool {
        false
    }
}
