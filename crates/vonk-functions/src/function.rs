//! How a function of ours is written: a row of a table, and a kernel over typed arguments.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, PrimitiveArray, StringViewArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, extensions_options};
use datafusion::config::{ConfigExtension, ConfigOptions};
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, HigherOrderUDF, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, WindowUDF,
};

use crate::arithmetic::Mode;
use crate::parameters::{self, Parameters};
use crate::types;

/// A row of a category's table: what a function is called, how it is used, and how it is made.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name and, behind it, its other names, all in lower case.
    pub names: &'static [&'static str],
    /// How it is called: `split(text, pattern[, limit])`.
    pub usage: &'static str,
    /// One sentence in the third person.
    pub doc: &'static str,
    /// How it is made.
    pub make: Make,
}

/// How a function is made; what depends on `spark.sql.ansi.enabled` is given the mode.
#[derive(Debug, Clone, Copy)]
pub enum Make {
    /// One value per row.
    Scalar(fn() -> ScalarUDF),
    /// One value per row, by rules that depend on the mode.
    ScalarIn(fn(Mode) -> ScalarUDF),
    /// One value per group.
    Aggregate(fn(Mode) -> AggregateUDF),
    /// One value per row, from the rows around it.
    Window(fn() -> WindowUDF),
    /// One that takes lambdas.
    HigherOrder(fn() -> HigherOrderUDF),
}

impl Function {
    /// A function of values that means the same in every mode.
    pub(crate) const fn scalar(
        names: &'static [&'static str],
        usage: &'static str,
        doc: &'static str,
        make: fn() -> ScalarUDF,
    ) -> Self {
        Self { names, usage, doc, make: Make::Scalar(make) }
    }

    /// A function of groups.
    pub(crate) const fn aggregate(
        names: &'static [&'static str],
        usage: &'static str,
        doc: &'static str,
        make: fn(Mode) -> AggregateUDF,
    ) -> Self {
        Self { names, usage, doc, make: Make::Aggregate(make) }
    }
}

/// What a function of values is: its parameters, the type of its result, and its kernel.
///
/// The kernel is a plain function over a [`Call`]; a call whose arguments are all constants has one
/// row and gives a constant.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) parameters: Parameters,
    /// The type of the result, from those of the arguments after coercion.
    pub(crate) returns: fn(&[DataType]) -> Result<DataType>,
    pub(crate) call: fn(&Call<'_>) -> Result<ArrayRef>,
    pub(crate) volatility: Volatility,
    /// The types that arguments become so that they fit each other.
    unify: Option<Unify>,
    /// The type of the result where it depends on values, such as the names of a struct's fields.
    returns_by_value: Option<ReturnsByValue>,
    /// That type where it depends on the names of the arguments' types, too.
    returns_by_field: Option<ReturnsByField>,
    /// Spark's name of the result's type, where Arrow's type does not tell it.
    type_name: Option<&'static str>,
    /// That name where it depends on values.
    name_by_value: Option<NameByValue>,
    /// Whether it is the name of the first argument's type.
    keeps_name: bool,
}

/// Spark's name of the type of a result, from those arguments that are literals.
pub(crate) type NameByValue = fn(&[Option<&ScalarValue>]) -> Option<&'static str>;

/// The types that the arguments of the function of a name become, from those that its parameters take.
pub(crate) type Unify = fn(&str, Vec<DataType>) -> Result<Vec<DataType>>;

/// The types that arguments become: those of the parameters, and then such as fit each other.
pub(crate) fn fit(
    name: &str,
    parameters: &Parameters,
    unify: Option<Unify>,
    arguments: &[DataType],
) -> Result<Vec<DataType>> {
    let types = parameters::coerce(name, parameters, arguments)?;
    match unify {
        Some(unify) => unify(name, types),
        None => Ok(types),
    }
}

/// Makes adapters of kernels with one name the same function.
macro_rules! same_by_name {
    ($adapter:ty) => {
        impl PartialEq for $adapter {
            fn eq(&self, other: &Self) -> bool {
                self.kernel.name == other.kernel.name
            }
        }

        impl Eq for $adapter {}

        impl std::hash::Hash for $adapter {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.kernel.name.hash(state);
            }
        }
    };
}

pub(crate) use same_by_name;

/// The type of a result, from the types of the arguments and from those that are literals.
pub(crate) type ReturnsByValue = fn(&[DataType], &[Option<&ScalarValue>]) -> Result<DataType>;

/// The type of a result, from the fields of the arguments and from those that are literals.
pub(crate) type ReturnsByField = fn(&[FieldRef], &[Option<&ScalarValue>]) -> Result<DataType>;

impl Kernel {
    /// A function whose result depends on its arguments alone.
    pub(crate) const fn new(
        name: &'static str,
        parameters: Parameters,
        returns: fn(&[DataType]) -> Result<DataType>,
        call: fn(&Call<'_>) -> Result<ArrayRef>,
    ) -> Self {
        let volatility = Volatility::Immutable;
        Self {
            name,
            parameters,
            returns,
            call,
            volatility,
            unify: None,
            returns_by_value: None,
            returns_by_field: None,
            type_name: None,
            name_by_value: None,
            keeps_name: false,
        }
    }

    /// A function whose type depends on the values of arguments that are literals.
    pub(crate) const fn by_value(
        name: &'static str,
        parameters: Parameters,
        returns: ReturnsByValue,
        call: fn(&Call<'_>) -> Result<ArrayRef>,
    ) -> Self {
        let unknown = |types: &[DataType]| Ok(types[0].clone());
        Self { returns_by_value: Some(returns), ..Self::new(name, parameters, unknown, call) }
    }

    /// The same function, whose type is made of the fields of its arguments.
    pub(crate) const fn by_field(mut self, returns: ReturnsByField) -> Self {
        self.returns_by_field = Some(returns);
        self
    }

    /// The same function, whose result is of a type with this name of Spark's.
    pub(crate) const fn named(mut self, type_name: &'static str) -> Self {
        self.type_name = Some(type_name);
        self
    }

    /// The same function, whose type is that of its first argument with Spark's name.
    pub(crate) const fn keeping_name(mut self) -> Self {
        self.keeps_name = true;
        self
    }

    /// The same function, whose literals tell Spark's name of its type.
    pub(crate) const fn named_by(mut self, name: NameByValue) -> Self {
        self.name_by_value = Some(name);
        self
    }

    /// The same function, whose result may differ from query to query.
    pub(crate) const fn stable(mut self) -> Self {
        self.volatility = Volatility::Stable;
        self
    }

    /// The same function, called anew for every row.
    pub(crate) const fn volatile(mut self) -> Self {
        self.volatility = Volatility::Volatile;
        self
    }

    /// The same function, whose arguments are made to fit each other.
    pub(crate) const fn unifying(mut self, unify: Unify) -> Self {
        self.unify = Some(unify);
        self
    }

    /// The function as DataFusion calls it.
    pub(crate) fn udf(self) -> ScalarUDF {
        let signature = Signature::user_defined(self.volatility);
        ScalarUDF::new_from_impl(Adapter { kernel: self, signature })
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A [`Kernel`] behind DataFusion's trait; two of one name are the same function.
#[derive(Debug)]
struct Adapter {
    kernel: Kernel,
    signature: Signature,
}

same_by_name!(Adapter);

impl ScalarUDFImpl for Adapter {
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

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> =
            args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let returned = match (self.kernel.returns_by_field, self.kernel.returns_by_value) {
            (Some(returns), _) => returns(args.arg_fields, args.scalar_arguments),
            (_, Some(returns)) => returns(&types, args.scalar_arguments),
            _ => (self.kernel.returns)(&types),
        }?;
        let field = Field::new(self.kernel.name, returned, true);
        let by_value = self.kernel.name_by_value.and_then(|name| name(args.scalar_arguments));
        let first = args.arg_fields.first().filter(|_| self.kernel.keeps_name);
        let kept = first.and_then(|first| first.metadata().get(types::TYPE_KEY));
        let given = by_value.or(self.kernel.type_name).or(kept.map(String::as_str));
        Ok(Arc::new(match given {
            Some(type_name) => types::with_name(field, type_name),
            None => field,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_pure = self.kernel.volatility != Volatility::Volatile;
        let is_constant = is_pure
            && !args.args.is_empty()
            && args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let call = Call {
            arguments: &args.args,
            fields: &args.arg_fields,
            rows,
            returns: args.return_field.data_type(),
            options: &args.config_options,
        };
        let array = (self.kernel.call)(&call)?;
        if is_constant {
            return Ok(ColumnarValue::Scalar(match array.as_list_opt::<i32>() {
                // Made of its row, the value would lose Spark's name of its items' type.
                Some(list) if list.len() == 1 && list.is_valid(0) => {
                    ScalarValue::List(Arc::new(list.clone()))
                }
                _ => ScalarValue::try_from_array(&array, 0)?,
            }));
        }
        Ok(ColumnarValue::Array(array))
    }
}

extensions_options! {
    /// The partition whose rows are computed, where rows are in partitions of a program's.
    pub struct Partition {
        /// Its number, from 0.
        pub number: usize, default = 0
    }
}

impl Partition {
    /// A partition of this number.
    pub fn new(number: usize) -> Self {
        Self { number }
    }

    /// The number of the partition that is computed under these options.
    pub(crate) fn number_of(options: &ConfigOptions) -> usize {
        options.extensions.get::<Self>().map_or(0, |partition| partition.number)
    }
}

impl ConfigExtension for Partition {
    const PREFIX: &'static str = "partition";
}

extensions_options! {
    /// What happens where a map is given a key twice.
    pub struct MapKeys {
        /// Whether the last value counts, rather than that it is an error.
        pub last_wins: bool, default = false
    }
}

impl MapKeys {
    /// What the session's option says.
    pub fn new(last_wins: bool) -> Self {
        Self { last_wins }
    }
}

impl ConfigExtension for MapKeys {
    const PREFIX: &'static str = "map_keys";
}

/// The arguments of one call, of the types that the parameters name.
///
/// Texts come as `Utf8View` and bytes as `BinaryView`; results may be of any layout.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    arguments: &'a [ColumnarValue],
    fields: &'a [FieldRef],
    /// How many rows the result has.
    pub(crate) rows: usize,
    /// The type of the result.
    pub(crate) returns: &'a DataType,
    options: &'a Arc<ConfigOptions>,
}

impl Call<'_> {
    /// How many arguments were given.
    pub(crate) fn count(&self) -> usize {
        self.arguments.len()
    }

    /// The field of an argument, whose metadata may tell more of its type.
    pub(crate) fn field(&self, at: usize) -> &Field {
        &self.fields[at]
    }

    /// The same call, as of a function that returns another type.
    pub(crate) fn returning<'b>(&'b self, returns: &'b DataType) -> Call<'b> {
        Call { returns, ..*self }
    }

    /// An argument as a column of as many rows as the result.
    pub(crate) fn array(&self, at: usize) -> Result<ArrayRef> {
        self.arguments[at].to_array(self.rows)
    }

    /// All arguments as columns.
    pub(crate) fn arrays(&self) -> Result<Vec<ArrayRef>> {
        (0..self.count()).map(|at| self.array(at)).collect()
    }

    /// An argument of text.
    pub(crate) fn text(&self, at: usize) -> Result<StringViewArray> {
        Ok(self.array(at)?.as_string_view().clone())
    }

    /// An argument of bytes.
    pub(crate) fn bytes(&self, at: usize) -> Result<BinaryViewArray> {
        Ok(self.array(at)?.as_binary_view().clone())
    }

    /// An argument of bytes, or the bytes of one of text.
    pub(crate) fn raw(&self, at: usize) -> Result<BinaryViewArray> {
        let array = self.array(at)?;
        Ok(match array.data_type() {
            DataType::Utf8View => array.as_string_view().clone().to_binary_view(),
            _ => array.as_binary_view().clone(),
        })
    }

    /// An argument of text that may be left out.
    pub(crate) fn optional_text(&self, at: usize) -> Result<Option<StringViewArray>> {
        (at < self.count()).then(|| self.text(at)).transpose()
    }

    /// An argument of a primitive type that may be left out.
    pub(crate) fn optional<T: ArrowPrimitiveType>(
        &self,
        at: usize,
    ) -> Result<Option<PrimitiveArray<T>>> {
        (at < self.count()).then(|| self.primitive::<T>(at)).transpose()
    }

    /// An argument of a primitive type.
    pub(crate) fn primitive<T: ArrowPrimitiveType>(&self, at: usize) -> Result<PrimitiveArray<T>> {
        Ok(self.array(at)?.as_primitive::<T>().clone())
    }

    /// An argument that is the same in all rows, if it is.
    pub(crate) fn constant(&self, at: usize) -> Option<&ScalarValue> {
        match self.arguments.get(at)? {
            ColumnarValue::Scalar(value) => Some(value),
            ColumnarValue::Array(_) => None,
        }
    }

    /// Whether values that do not fit are errors, by `spark.sql.ansi.enabled`.
    pub(crate) fn is_ansi(&self) -> bool {
        self.options.execution.enable_ansi_mode
    }

    /// Whether of a key that a map is given twice the last value counts, rather than none.
    pub(crate) fn last_key_wins(&self) -> bool {
        self.options.extensions.get::<MapKeys>().is_some_and(|keys| keys.last_wins)
    }

    /// The number of the partition whose rows are computed.
    pub(crate) fn partition(&self) -> usize {
        Partition::number_of(self.options)
    }

    /// The session's database.
    pub(crate) fn database(&self) -> &str {
        &self.options.catalog.default_schema
    }

    /// The session's time zone, such as `Europe/Amsterdam`.
    pub(crate) fn time_zone(&self) -> &str {
        self.options.execution.time_zone.as_deref().unwrap_or("UTC")
    }
}
