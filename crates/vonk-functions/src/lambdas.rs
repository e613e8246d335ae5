//! Functions that take lambdas: one kernel over values and lambdas behind DataFusion's trait.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDF, HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda,
    Volatility,
};

use crate::collections::lists::Lists;
use crate::failure::Failure;
use crate::function::{Function, Make, same_by_name};

mod aggregate;
mod arrays;
mod maps;
mod sort;

const fn row(
    names: &'static [&'static str],
    usage: &'static str,
    doc: &'static str,
    make: fn() -> HigherOrderUDF,
) -> Function {
    Function { names, usage, doc, make: Make::HigherOrder(make) }
}

/// Every function that takes lambdas.
pub(crate) const FUNCTIONS: &[Function] = &[
    row(
        &["aggregate", "reduce"],
        "aggregate(array, start, (sum, item) -> ...[, sum -> ...])",
        "Puts the items of an array together, one after the other.",
        aggregate::udf,
    ),
    row(
        &["array_sort"],
        "array_sort(array[, (left, right) -> ...])",
        "Puts the items of an array in order, NULL last, or as a lambda compares them.",
        sort::udf,
    ),
    row(
        &["exists"],
        "exists(array, item -> ...)",
        "Tells whether a condition is true of any item of an array.",
        arrays::exists,
    ),
    row(
        &["filter"],
        "filter(array, (item[, place]) -> ...)",
        "Keeps the items of an array of which a condition is true.",
        arrays::filter,
    ),
    row(
        &["forall"],
        "forall(array, item -> ...)",
        "Tells whether a condition is true of all items of an array.",
        arrays::forall,
    ),
    row(
        &["map_filter"],
        "map_filter(map, (key, value) -> ...)",
        "Keeps the entries of a map of which a condition is true.",
        maps::filter,
    ),
    row(
        &["map_zip_with"],
        "map_zip_with(map, map, (key, left, right) -> ...)",
        "Makes one map of two, by a lambda over the values of each key.",
        maps::zip_with,
    ),
    row(
        &["transform"],
        "transform(array, (item[, place]) -> ...)",
        "Gives what a lambda makes of every item of an array.",
        arrays::transform,
    ),
    row(
        &["transform_keys"],
        "transform_keys(map, (key, value) -> ...)",
        "Puts what a lambda makes of every entry of a map in place of its key.",
        maps::transform_keys,
    ),
    row(
        &["transform_values"],
        "transform_values(map, (key, value) -> ...)",
        "Puts what a lambda makes of every entry of a map in place of its value.",
        maps::transform_values,
    ),
    row(
        &["zip_with"],
        "zip_with(array, array, (left, right) -> ...)",
        "Gives what a lambda makes of the items at the same places of two arrays.",
        arrays::zip_with,
    ),
];

/// What a function over lambdas is; values come before lambdas.
#[derive(Debug, Clone, Copy)]
struct Kernel {
    name: &'static str,
    /// How many values it takes.
    values: usize,
    /// The fewest and the most lambdas that it takes.
    lambdas: (usize, usize),
    /// The types that the values become.
    coerce: fn(&'static str, &[DataType]) -> Result<Vec<DataType>>,
    /// The types of each lambda's parameters, from those of the values.
    parameters: fn(&[DataType]) -> Vec<Vec<DataType>>,
    /// The type of the result, from those of the values and of what the lambdas give.
    returns: fn(&[DataType], &[DataType]) -> Result<DataType>,
    call: fn(&Call<'_>) -> Result<ArrayRef>,
}

impl Kernel {
    fn udf(self) -> HigherOrderUDF {
        let signature = HigherOrderSignature::user_defined(Volatility::Immutable);
        HigherOrderUDF::new_from_impl(Adapter { kernel: self, signature })
    }

    fn check_count(&self, values: usize, lambdas: usize) -> Result<()> {
        let (least, most) = self.lambdas;
        if values == self.values && (least..=most).contains(&lambdas) {
            return Ok(());
        }
        let message = format!(
            "`{}` takes {} values and then {least} to {most} lambdas, not {values} and {lambdas}",
            self.name, self.values
        );
        Err(Failure::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", message).into())
    }
}

/// A [`Kernel`] behind DataFusion's trait; two of one name are the same function.
#[derive(Debug)]
struct Adapter {
    kernel: Kernel,
    signature: HigherOrderSignature,
}

same_by_name!(Adapter);

/// The values and the lambdas of a call.
fn parted<V: Clone, L: Clone>(arguments: &[ValueOrLambda<V, L>]) -> (Vec<V>, Vec<L>) {
    let (mut values, mut lambdas) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument {
            ValueOrLambda::Value(value) => values.push(value.clone()),
            ValueOrLambda::Lambda(lambda) => lambdas.push(lambda.clone()),
        }
    }
    (values, lambdas)
}

fn types(fields: &[FieldRef]) -> Vec<DataType> {
    fields.iter().map(|field| field.data_type().clone()).collect()
}

impl HigherOrderUDFImpl for Adapter {
    fn name(&self) -> &str {
        self.kernel.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.kernel.check_count(arguments.len(), self.kernel.lambdas.0)?;
        (self.kernel.coerce)(self.kernel.name, arguments)
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let (values, lambdas) = parted(fields);
        self.kernel.check_count(values.len(), lambdas.len())?;
        let parameters = (self.kernel.parameters)(&types(&values)).into_iter();
        let fields = parameters.take(lambdas.len()).map(|parameters| {
            let field = |data_type| Arc::new(Field::new("", data_type, true));
            parameters.into_iter().map(field).collect()
        });
        Ok(LambdaParametersProgress::Complete(fields.collect()))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        let (values, lambdas) = parted(args.arg_fields);
        let returns = (self.kernel.returns)(&types(&values), &types(&lambdas))?;
        Ok(Arc::new(Field::new(self.kernel.name, returns, true)))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let (values, lambdas) = parted(&args.args);
        let values = values.iter().map(|value| value.to_array(args.number_rows));
        let values = values.collect::<Result<Vec<_>>>()?;
        let returns = args.return_field.data_type();
        let call = Call { values, lambdas, rows: args.number_rows, returns };
        Ok(ColumnarValue::Array((self.kernel.call)(&call)?))
    }
}

/// The values and lambdas of one call, over so many rows.
struct Call<'a> {
    values: Vec<ArrayRef>,
    lambdas: Vec<LambdaArgument>,
    rows: usize,
    returns: &'a DataType,
}

impl Call<'_> {
    fn lists(&self, at: usize) -> Result<Lists> {
        Lists::new(&self.values[at])
    }

    /// What a lambda gives for columns of parameters, each of whose values belongs to a row of the call.
    fn apply(
        &self,
        lambda: usize,
        parameters: &[&ArrayRef],
        rows: &UInt64Array,
    ) -> Result<ArrayRef> {
        let Some(lambda) = self.lambdas.get(lambda) else {
            return exec_err!("the lambda {lambda} is not there");
        };
        let columns: Vec<_> =
            parameters.iter().map(|column| move || Ok(Arc::clone(column))).collect();
        let columns: Vec<&dyn Fn() -> Result<ArrayRef>> =
            columns.iter().map(|column| column as &dyn Fn() -> Result<ArrayRef>).collect();
        let result = lambda.evaluate(&columns, |captures| {
            captures.iter().map(|column| Ok(take(column, rows, None)?)).collect()
        })?;
        result.into_array(rows.len())
    }
}

/// The items of all rows behind each other, and which row each belongs to.
struct Items {
    values: ArrayRef,
    /// Where each stands among all items of the array.
    indices: Vec<usize>,
    rows: UInt64Array,
    lengths: Vec<usize>,
}

impl Items {
    fn of(lists: &Lists, rows: usize) -> Result<Self> {
        let ranges = (0..rows).map(|row| lists.range(row));
        let lengths: Vec<usize> = ranges.clone().map(|range| range.len()).collect();
        let indices: Vec<usize> = ranges.flatten().collect();
        let values = take(lists.items(), &places(&indices), None)?;
        Ok(Self { values, indices, rows: rows_of(&lengths), lengths })
    }
}

/// The row of each item, for rows of these lengths.
fn rows_of(lengths: &[usize]) -> UInt64Array {
    let rows = lengths.iter().enumerate();
    rows.flat_map(|(row, length)| std::iter::repeat_n(row as u64, *length)).collect()
}

fn places(indices: &[usize]) -> UInt64Array {
    indices.iter().map(|index| *index as u64).collect()
}

/// A lambda that is a condition.
fn condition(name: &str, given: &DataType) -> Result<()> {
    match given {
        DataType::Boolean | DataType::Null => Ok(()),
        other => {
            let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
            let message = format!("the lambda of `{name}` gives a value of {other}, no condition");
            Err(Failure::new(condition, message).into())
        }
    }
}

/// Arrays in all places, NULL being one of NULLs.
fn all_lists(name: &'static str, arguments: &[DataType]) -> Result<Vec<DataType>> {
    use crate::parameters::{Kind, Parameters, coerce};
    coerce(name, &Parameters::with_any_number(&[], Kind::List), arguments)
}

/// Maps in all places, NULL being one of NULLs.
fn all_maps(name: &'static str, arguments: &[DataType]) -> Result<Vec<DataType>> {
    use crate::parameters::{Kind, Parameters, coerce};
    coerce(name, &Parameters::with_any_number(&[], Kind::Map), arguments)
}

/// The only type that a function's one lambda gives.
fn only(given: &[DataType]) -> Result<DataType> {
    match given {
        [only] => Ok(only.clone()),
        other => plan_err!("one lambda is needed, not {}", other.len()),
    }
}
