//! Functions of groups that look at all rows of a group at once: a kernel over its columns.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array, new_empty_array};
use arrow::compute::{concat, take_arrays};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use crate::collections::keys::Keys;
use crate::function::{Unify, fit, same_by_name};
use crate::parameters::Parameters;
use crate::types;

/// Functions whose result is one of the values, of their very type.
const GIVES_VALUES: &[&str] =
    &["approx_percentile", "max_by", "min_by", "mode", "percentile_approx"];

/// What a function of whole groups is.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) parameters: Parameters,
    /// The types that arguments become so that they fit each other.
    pub(crate) unify: Option<Unify>,
    pub(crate) returns: fn(&[DataType]) -> Result<DataType>,
    pub(crate) finish: fn(&Group<'_>) -> Result<ScalarValue>,
}

impl Kernel {
    /// What the type of the result is called, where it is a value that was given.
    fn type_name(&self, fields: &[FieldRef], returns: &DataType) -> Option<String> {
        let keeps_name = GIVES_VALUES.contains(&self.name);
        let first = fields.first().filter(|first| keeps_name && first.data_type() == returns)?;
        first.metadata().get(types::TYPE_KEY).cloned()
    }

    pub(crate) fn udf(self) -> AggregateUDF {
        let signature = Signature::user_defined(Volatility::Immutable);
        AggregateUDF::new_from_impl(Adapter { kernel: self, signature })
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The rows of one group.
pub(crate) struct Group<'a> {
    /// The arguments, each a column of as many rows as the group has.
    pub(crate) columns: Vec<ArrayRef>,
    /// The type of the result.
    pub(crate) returns: &'a DataType,
}

impl Group<'_> {
    pub(crate) fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.len())
    }

    /// The rows whose value in a column is not NULL.
    pub(crate) fn known(&self, column: usize) -> Vec<usize> {
        let nulls = self.columns[column].logical_nulls();
        let is_known = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
        (0..self.rows()).filter(is_known).collect()
    }

    /// What is the same in all rows, from the first of them.
    pub(crate) fn constant(&self, column: usize) -> Result<Option<ScalarValue>> {
        match self.columns.get(column) {
            Some(values) if !values.is_empty() => {
                Ok(Some(ScalarValue::try_from_array(values, 0)?).filter(|value| !value.is_null()))
            }
            _ => Ok(None),
        }
    }

    /// A value of a column.
    pub(crate) fn value(&self, column: usize, row: usize) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.columns[column], row)
    }

    /// The result that says that there is none.
    pub(crate) fn null(&self) -> Result<ScalarValue> {
        ScalarValue::try_new_null(self.returns)
    }
}

/// A [`Kernel`] behind DataFusion's trait; two of one name are the same function.
#[derive(Debug)]
struct Adapter {
    kernel: Kernel,
    signature: Signature,
}

same_by_name!(Adapter);

impl AggregateUDFImpl for Adapter {
    fn name(&self) -> &str {
        self.kernel.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let Kernel { name, parameters, unify, .. } = &self.kernel;
        fit(name, parameters, *unify, arguments)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        (self.kernel.returns)(arguments)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        let returns = self.return_type(&types)?;
        let type_name = self.kernel.type_name(fields, &returns);
        let field = Field::new(self.name(), returns, true);
        Ok(Arc::new(match type_name {
            Some(type_name) => types::with_name(field, &type_name),
            None => field,
        }))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(collected(&args, self.kernel.finish))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(states_of_collected(&args, self.kernel.name))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// What collects the rows of a group, those that are equal once for DISTINCT, and tells what
/// `finish` makes of them.
pub(super) fn collected(args: &AccumulatorArgs<'_>, finish: impl Finish) -> Box<dyn Accumulator> {
    let types = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
    Box::new(Collected {
        rows: Rows { types, chunks: Vec::new(), shared_bytes: 0, gone: 0 },
        is_distinct: args.is_distinct,
        returns: args.return_field.data_type().clone(),
        finish,
    })
}

/// The state of what [`collected`] gives: a list for each argument.
pub(super) fn states_of_collected(args: &StateFieldsArgs<'_>, function: &str) -> Vec<FieldRef> {
    let fields = args.input_fields.iter().enumerate().map(|(at, field)| {
        let item = Field::new_list_field(field.data_type().clone(), true);
        let name = format_state_name(args.name, &format!("{function}{at}"));
        Arc::new(Field::new_list(name, item, true)) as FieldRef
    });
    fields.collect()
}

/// What becomes of the rows of a group.
pub(super) trait Finish:
    Fn(&Group<'_>) -> Result<ScalarValue> + Send + Sync + 'static
{
}

impl<F: Fn(&Group<'_>) -> Result<ScalarValue> + Send + Sync + 'static> Finish for F {}

/// The rows of a group so far, and what becomes of them.
struct Collected<F> {
    rows: Rows,
    is_distinct: bool,
    returns: DataType,
    finish: F,
}

impl<F> std::fmt::Debug for Collected<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, is_distinct, returns, finish: _ } = self;
        let mut shown = f.debug_struct("Collected");
        shown.field("rows", rows).field("is_distinct", is_distinct).field("returns", returns);
        shown.finish_non_exhaustive()
    }
}

/// The rows of a group so far.
#[derive(Debug)]
struct Rows {
    types: Vec<DataType>,
    /// The columns of each batch.
    chunks: Vec<Vec<ArrayRef>>,
    /// Bytes of texts that rows share by now, and that a result has once for each.
    shared_bytes: usize,
    /// How many rows at the front have left a window's frame.
    gone: usize,
}

impl Rows {
    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let column = |(at, data_type): (usize, &DataType)| {
            let parts: Vec<&dyn Array> =
                self.chunks.iter().map(|chunk| chunk[at].as_ref()).collect();
            if parts.is_empty() {
                return Ok(new_empty_array(data_type));
            }
            let column = concat(&parts)?;
            Ok(column.slice(self.gone, column.len() - self.gone))
        };
        self.types.iter().enumerate().map(column).collect()
    }

    fn add(&mut self, columns: &[ArrayRef]) {
        if columns.first().is_some_and(|column| !column.is_empty()) {
            self.shared_bytes += columns.iter().map(shared_bytes).sum::<usize>();
            self.chunks.push(columns.to_vec());
        }
    }
}

/// The first of equal rows.
fn distinct(columns: Vec<ArrayRef>) -> Result<Vec<ArrayRef>> {
    let rows = columns.first().map_or(0, |column| column.len());
    let keys = columns.iter().map(Keys::new).collect::<Result<Vec<_>>>()?;
    let mut seen = std::collections::HashSet::new();
    let is_new =
        |row: &usize| seen.insert(keys.iter().map(|keys| keys.get(*row)).collect::<Vec<_>>());
    let kept: UInt64Array = (0..rows).filter(is_new).map(|row| row as u64).collect();
    Ok(take_arrays(&columns, &kept, None)?)
}

/// What the texts of a column take beyond its buffers if each has bytes of its own.
fn shared_bytes(column: &ArrayRef) -> usize {
    let Some(texts) = column.as_string_view_opt() else { return 0 };
    let own: usize = texts.data_buffers().iter().map(|buffer| buffer.len()).sum();
    let all: usize = texts.lengths().map(|length| length as usize).sum();
    all.saturating_sub(own)
}

impl<F: Finish> Accumulator for Collected<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows.add(values);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows.gone += values.first().map_or(0, |column| column.len());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut columns = self.rows.columns()?;
        if self.is_distinct {
            columns = distinct(columns)?;
        }
        (self.finish)(&Group { columns, returns: &self.returns })
    }

    fn size(&self) -> usize {
        let arrays = self.rows.chunks.iter().flatten();
        let held: usize = arrays.map(|array| array.get_array_memory_size()).sum();
        size_of_val(self) + held + self.rows.shared_bytes
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = self.rows.columns()?.into_iter();
        Ok(columns
            .map(|column| SingleRowListArrayBuilder::new(column).build_list_scalar())
            .collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(first) = states.first() else {
            return internal_err!("a state without columns");
        };
        for row in 0..first.len() {
            let chunk: Vec<ArrayRef> = states
                .iter()
                .filter(|state| state.is_valid(row))
                .map(|state| state.as_list::<i32>().value(row))
                .collect();
            if chunk.len() == states.len() {
                self.rows.add(&chunk);
            }
        }
        Ok(())
    }
}
