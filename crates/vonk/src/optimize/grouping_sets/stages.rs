//! The two stages of an aggregate function as functions of their own: what it is at after some rows, as a
//! struct, and what it is over several of these.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, StructArray, new_null_array};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use datafusion::common::{Result as DfResult, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

/// A function over columns, with what its accumulators are made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Whole {
    function: Arc<AggregateUDF>,
    arguments: SchemaRef,
    result: FieldRef,
    states: Fields,
}

impl Whole {
    /// Nothing if the function has no accumulator for many groups at once.
    pub(super) fn new(
        function: Arc<AggregateUDF>,
        arguments: Vec<FieldRef>,
    ) -> DfResult<Option<Self>> {
        let result = function.return_field(&arguments)?;
        let named = arguments.iter().enumerate();
        let named = named.map(|(index, field)| field.as_ref().clone().with_name(index.to_string()));
        let arguments = Arc::new(Schema::new(named.collect::<Vec<Field>>()));
        let mut whole = Self { function, arguments, result, states: Fields::empty() };
        whole.states = Fields::from(whole.state_fields("state")?);
        let is_supported =
            whole.with_args(|args| Ok(whole.function.groups_accumulator_supported(args)))?;
        Ok(is_supported.then_some(whole))
    }

    fn state_fields(&self, name: &str) -> DfResult<Vec<FieldRef>> {
        self.function.state_fields(StateFieldsArgs {
            name,
            input_fields: self.arguments.fields(),
            return_field: Arc::clone(&self.result),
            ordering_fields: &[],
            is_distinct: false,
        })
    }

    fn with_args<T>(&self, make: impl FnOnce(AccumulatorArgs<'_>) -> DfResult<T>) -> DfResult<T> {
        let fields = self.arguments.fields().iter().enumerate();
        let exprs: Vec<Arc<dyn PhysicalExpr>> =
            fields.map(|(index, field)| Arc::new(Column::new(field.name(), index)) as _).collect();
        make(AccumulatorArgs {
            return_field: Arc::clone(&self.result),
            schema: &self.arguments,
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name: self.function.name(),
            is_distinct: false,
            exprs: &exprs,
            expr_fields: self.arguments.fields(),
        })
    }

    fn groups(&self) -> DfResult<Box<dyn GroupsAccumulator>> {
        self.with_args(|args| self.function.create_groups_accumulator(args))
    }

    fn rows(&self) -> DfResult<Box<dyn Accumulator>> {
        self.with_args(|args| self.function.accumulator(args))
    }

    /// The states of several groups as one column.
    fn packed(&self, states: Vec<ArrayRef>) -> DfResult<ArrayRef> {
        Ok(Arc::new(StructArray::try_new(self.states.clone(), states, None)?))
    }
}

/// The states in a column that [`Whole::packed`] made.
fn unpacked(values: &[ArrayRef]) -> DfResult<&[ArrayRef]> {
    let [states] = values else { return internal_err!("states come in one column") };
    match states.as_any().downcast_ref::<StructArray>() {
        Some(states) => Ok(states.columns()),
        None => internal_err!("states come as structs, not {}", states.data_type()),
    }
}

/// What the function is at, after the rows of a group.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    name: String,
    signature: Signature,
    whole: Whole,
}

/// The function, over what it was at in several groups.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Merge {
    name: String,
    signature: Signature,
    whole: Whole,
}

impl State {
    pub(super) fn new(whole: Whole) -> Self {
        let name = format!("{}_state", whole.function.name());
        Self { name, signature: Signature::any(1, Volatility::Immutable), whole }
    }
}

impl Merge {
    pub(super) fn new(whole: Whole) -> Self {
        let name = format!("{}_merge", whole.function.name());
        Self { name, signature: Signature::any(1, Volatility::Immutable), whole }
    }
}

impl AggregateUDFImpl for State {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Struct(self.whole.states.clone()))
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        self.whole.state_fields(args.name)
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(StateOfRows { inner: self.whole.rows()?, whole: self.whole.clone() }))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> DfResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(StateOfGroups { inner: self.whole.groups()?, whole: self.whole.clone() }))
    }

    fn default_value(&self, _data_type: &DataType) -> DfResult<ScalarValue> {
        exec_err!("{} has no value for no rows", self.name)
    }
}

impl AggregateUDFImpl for Merge {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(self.whole.result.data_type().clone())
    }

    fn return_field(&self, _arguments: &[FieldRef]) -> DfResult<FieldRef> {
        Ok(Arc::new(self.whole.result.as_ref().clone().with_name(&self.name)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        self.whole.state_fields(args.name)
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(MergeOfRows(self.whole.rows()?)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> DfResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(MergeOfGroups { inner: self.whole.groups()?, whole: self.whole.clone() }))
    }

    fn default_value(&self, data_type: &DataType) -> DfResult<ScalarValue> {
        self.whole.function.default_value(data_type)
    }
}

#[derive(Debug)]
struct StateOfRows {
    inner: Box<dyn Accumulator>,
    whole: Whole,
}

impl Accumulator for StateOfRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.inner.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.inner.merge_batch(states)
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let states = self.inner.state()?.into_iter().map(|state| state.to_array());
        let packed = self.whole.packed(states.collect::<DfResult<_>>()?)?;
        ScalarValue::try_from_array(&packed, 0)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

#[derive(Debug)]
struct MergeOfRows(Box<dyn Accumulator>);

impl Accumulator for MergeOfRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.0.merge_batch(unpacked(values)?)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.0.merge_batch(states)
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        self.0.state()
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        self.0.evaluate()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

struct StateOfGroups {
    inner: Box<dyn GroupsAccumulator>,
    whole: Whole,
}

impl GroupsAccumulator for StateOfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> DfResult<()> {
        self.inner.update_batch(values, groups, filter, count)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> DfResult<()> {
        self.inner.merge_batch(states, groups, count)
    }

    fn state(&mut self, emit: EmitTo) -> DfResult<Vec<ArrayRef>> {
        self.inner.state(emit)
    }

    fn evaluate(&mut self, emit: EmitTo) -> DfResult<ArrayRef> {
        let states = self.inner.state(emit)?;
        self.whole.packed(states)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> DfResult<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

struct MergeOfGroups {
    inner: Box<dyn GroupsAccumulator>,
    whole: Whole,
}

impl MergeOfGroups {
    /// Makes groups known that take none of the rows, which are those of totals of no rows.
    fn add_empty(&mut self, groups: &[usize], count: usize) -> DfResult<()> {
        let arguments = self.whole.arguments.fields().iter();
        let values: Vec<ArrayRef> =
            arguments.map(|field| new_null_array(field.data_type(), groups.len())).collect();
        let none = BooleanArray::from(vec![false; groups.len()]);
        self.inner.update_batch(&values, groups, Some(&none), count)
    }
}

impl GroupsAccumulator for MergeOfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        taken: Option<&BooleanArray>,
        count: usize,
    ) -> DfResult<()> {
        let states = unpacked(values)?;
        let Some(taken) = taken else { return self.inner.merge_batch(states, groups, count) };
        let is_taken = |row: &usize| taken.is_valid(*row) && taken.value(*row);
        let (rows, others): (Vec<usize>, Vec<usize>) = (0..groups.len()).partition(is_taken);
        let of = |rows: Vec<usize>| rows.into_iter().map(|row| groups[row]).collect::<Vec<_>>();
        let (taken_groups, others) = (of(rows), of(others));
        if !others.is_empty() {
            self.add_empty(&others, count)?;
        }
        if taken_groups.is_empty() {
            return Ok(());
        }
        let states = states.iter().map(|state| Ok(filter(state, taken)?));
        self.inner.merge_batch(&states.collect::<DfResult<Vec<_>>>()?, &taken_groups, count)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> DfResult<()> {
        self.inner.merge_batch(states, groups, count)
    }

    fn state(&mut self, emit: EmitTo) -> DfResult<Vec<ArrayRef>> {
        self.inner.state(emit)
    }

    fn evaluate(&mut self, emit: EmitTo) -> DfResult<ArrayRef> {
        self.inner.evaluate(emit)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        _taken: Option<&BooleanArray>,
    ) -> DfResult<Vec<ArrayRef>> {
        Ok(unpacked(values)?.to_vec())
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
