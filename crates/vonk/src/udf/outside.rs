//! Functions whose code runs outside of the engine, such as those of Python programs.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, new_empty_array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{
    ColumnarValue, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::UserFunction;
use crate::analyze::{GROUPS, MARK};
use crate::dataframe::MapTable;
use crate::error::{Condition, Error, Result};
use crate::operators::interrupt::Interrupt;
use crate::operators::map_batches::{TableCode, TravellingCode};
use crate::session::Session;

/// Code that is given whole columns and may take its time.
pub trait Code: fmt::Debug + Send + Sync {
    /// The column that the function gives for so many rows.
    ///
    /// It ends early, with any error, once `is_wanted` says that nobody waits for the query.
    ///
    /// # Errors
    /// Whatever the code fails with.
    fn run(&self, args: &[ArrayRef], rows: usize, is_wanted: &dyn Fn() -> bool)
    -> Result<ArrayRef>;

    /// The code for the workers of a cluster, which [`offer_code`] has told how to read its kind;
    /// `None` for code of this process only, whose queries stay here.
    fn travelling(&self) -> Option<TravellingCode> {
        None
    }
}

/// Makes code of the bytes that [`Code::travelling`] gave in another process.
pub type ReadCode = Arc<dyn Fn(&[u8]) -> Result<Arc<dyn Code>> + Send + Sync>;

/// Makes code of the bytes that [`TableCode::travelling`] gave in another process.
pub type ReadTableCode = Arc<dyn Fn(&[u8]) -> Result<Arc<dyn TableCode>> + Send + Sync>;

/// Who reads code of a kind.
type Kinds<Read> = LazyLock<RwLock<BTreeMap<String, Read>>>;

static KINDS: Kinds<ReadCode> = LazyLock::new(RwLock::default);

static TABLE_KINDS: Kinds<ReadTableCode> = LazyLock::new(RwLock::default);

/// Says how this process reads code of a kind that travels; who says so last is heard.
///
/// A program that is a worker of its own cluster offers its functions and calls `vonk_cluster::serve`.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{ArrayRef, AsArray, Int64Array};
/// use arrow::datatypes::Int64Type;
/// use vonk::udf::{Code, TravellingCode, offer_code};
///
/// #[derive(Debug)]
/// struct Plus(i64);
///
/// impl Code for Plus {
///     fn run(&self, args: &[ArrayRef], _: usize, _: &dyn Fn() -> bool) -> vonk::Result<ArrayRef> {
///         let numbers = args[0].as_primitive::<Int64Type>();
///         let sums: Int64Array = numbers.iter().map(|number| Some(number? + self.0)).collect();
///         Ok(Arc::new(sums))
///     }
///
///     fn travelling(&self) -> Option<TravellingCode> {
///         let bytes = self.0.to_le_bytes().to_vec();
///         Some(TravellingCode { kind: "plus".to_owned(), bytes })
///     }
/// }
///
/// offer_code("plus", |bytes| {
///     let number = bytes.try_into().map_err(|_| vonk::Error::unsupported("no number to add"))?;
///     Ok(Arc::new(Plus(i64::from_le_bytes(number))))
/// });
/// ```
pub fn offer_code(
    kind: &str,
    read: impl Fn(&[u8]) -> Result<Arc<dyn Code>> + Send + Sync + 'static,
) {
    KINDS.write().insert(kind.to_owned(), Arc::new(read));
}

/// Says how this process reads code over batches of a kind that travels, as [`offer_code`] does for functions.
pub fn offer_table_code(
    kind: &str,
    read: impl Fn(&[u8]) -> Result<Arc<dyn TableCode>> + Send + Sync + 'static,
) {
    TABLE_KINDS.write().insert(kind.to_owned(), Arc::new(read));
}

/// What reads code of a kind here.
fn reader_of<Read: Clone>(kinds: &Kinds<Read>, kind: &str) -> Result<Read> {
    kinds.read().get(kind).cloned().ok_or_else(|| {
        Error::unsupported(format!("this worker does not run functions of `{kind}`"))
            .hint("start the workers from the program that offers it, or with `--allow-python`")
    })
}

/// Code that makes batches on its way to another process.
#[derive(Serialize, Deserialize)]
struct TravellingTable {
    /// The columns that it gives, as a stream of Arrow without batches.
    columns: Vec<u8>,
    code: TravellingCode,
}

/// The bytes of code that makes batches of these columns.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` if it is of this process only.
pub(crate) fn write_table(code: &dyn TableCode, schema: &Schema) -> Result<Vec<u8>> {
    let Some(code) = code.travelling() else {
        return Err(Error::unsupported("a step of the query is code of this process only"));
    };
    let columns = StreamWriter::try_new(Vec::new(), schema)?.into_inner()?;
    postcard::to_extend(&TravellingTable { columns, code }, Vec::new())
        .map_err(|error| Error::internal(format!("a function cannot be written: {error}")))
}

/// The code that [`write_table`] gave in another process, and its columns.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_table(bytes: &[u8]) -> Result<(Arc<dyn TableCode>, SchemaRef)> {
    let TravellingTable { columns, code } = postcard::from_bytes(bytes)
        .map_err(|error| Error::internal(format!("a function cannot be read: {error}")))?;
    let schema = StreamReader::try_new(columns.as_slice(), None)?.schema();
    Ok(((*reader_of(&TABLE_KINDS, &code.kind)?)(&code.bytes)?, schema))
}

/// A function on its way to another process.
#[derive(Serialize, Deserialize)]
struct Travelling {
    name: String,
    /// Its result as a stream of Arrow without batches.
    result: Vec<u8>,
    code: TravellingCode,
}

fn outside(function: &ScalarUDF) -> Option<&Outside> {
    (function.inner().as_ref() as &dyn Any).downcast_ref()
}

/// Whether a function's code is from outside.
pub(crate) fn is_outside(function: &ScalarUDF) -> bool {
    outside(function).is_some()
}

/// The bytes of a function whose code travels; `None` for any other.
pub(crate) fn write(function: &ScalarUDF) -> Option<Result<Vec<u8>>> {
    let outside = outside(function)?;
    let code = outside.function.code.travelling()?;
    let written = || {
        let result = Schema::new(vec![outside.function.return_type.clone()]);
        let result = StreamWriter::try_new(Vec::new(), &result)?.into_inner()?;
        let travelling = Travelling { name: outside.name.clone(), result, code };
        postcard::to_extend(&travelling, Vec::new())
            .map_err(|error| Error::internal(format!("a function cannot be written: {error}")))
    };
    Some(written())
}

/// The function that [`write`] gave in another process.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` if nobody here reads its kind of code, and those of who does.
pub(crate) fn read(bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
    let Travelling { name, result, code } = postcard::from_bytes(bytes)
        .map_err(|error| Error::internal(format!("a function cannot be read: {error}")))?;
    let schema = StreamReader::try_new(result.as_slice(), None)?.schema();
    let return_type = schema.fields().first().ok_or_else(|| Error::internal("no result"))?;
    let code = (*reader_of(&KINDS, &code.kind)?)(&code.bytes)?;
    let return_type = return_type.as_ref().clone();
    // What is not the same for the same values stays where it is.
    let function = OutsideFunction {
        name: name.clone(),
        argument_types: None,
        return_type,
        is_deterministic: true,
        code,
    };
    Ok(Arc::new(function.scalar(name)))
}

/// A function over columns.
#[derive(Debug, Clone)]
pub struct OutsideFunction {
    /// What users call it.
    pub name: String,
    /// What it takes; any number of values of any types if not said.
    pub argument_types: Option<Vec<DataType>>,
    /// What it gives.
    pub return_type: Field,
    /// Whether equal arguments give equal results.
    pub is_deterministic: bool,
    /// What it does.
    pub code: Arc<dyn Code>,
}

impl Session {
    /// Makes code from outside a function of SQL, in place of another of the name.
    ///
    /// # Errors
    /// If the session refuses the function.
    pub fn udf_outside(&self, function: OutsideFunction) -> Result<()> {
        let name = function.name.clone();
        self.add_function(function.named(name))
    }

    /// Makes code from outside an aggregate of SQL. It is given a list of structs for each group, with
    /// fields `_0`, `_1`, … for the arguments.
    ///
    /// # Errors
    /// If the session refuses the function.
    pub fn udaf_outside(&self, function: OutsideFunction) -> Result<()> {
        let name = format!("{}{MARK}{GROUPS}", function.name);
        self.add_function(function.named(name))
    }

    /// Makes code from outside a function of SQL that gives rows: it is given the arguments of a call
    /// as a batch of one row.
    ///
    /// # Errors
    /// If the session refuses the function.
    pub fn udtf_outside(
        &self,
        name: &str,
        schema: SchemaRef,
        code: Arc<dyn TableCode>,
    ) -> Result<()> {
        let function = OutsideTable { schema, code };
        self.add_function(UserFunction::Table(name.to_lowercase(), Arc::new(function)))
    }

    /// Makes code from outside a function that only expressions know, and gives the name for
    /// [`call`](crate::functions::call). Columns are named as if it were the function's own name;
    /// `identity` tells it from others of that name; one that begins with `groups` says that the
    /// function is given `collect_list(named_struct(…))`, and is named as an aggregate of the fields.
    /// Names of arguments follow it behind a semicolon, with commas between them.
    ///
    /// # Errors
    /// If the session refuses the function.
    pub fn udf_of_expression(&self, function: OutsideFunction, identity: &str) -> Result<String> {
        let called = format!("{}{MARK}{identity}", function.name);
        if !self.state().scalar_functions().contains_key(&called.to_lowercase()) {
            self.add_function(function.named(called.clone()))?;
        }
        Ok(called)
    }
}

impl OutsideFunction {
    fn named(self, name: String) -> UserFunction {
        UserFunction::Scalar(Arc::new(self.scalar(name)))
    }

    fn scalar(self, name: String) -> ScalarUDF {
        let volatility = match self.is_deterministic {
            true => Volatility::Immutable,
            false => Volatility::Volatile,
        };
        let signature = match &self.argument_types {
            Some(types) if types.is_empty() => Signature::nullary(volatility),
            Some(types) => Signature::exact(types.clone(), volatility),
            None => Signature::one_of(any_arguments(), volatility),
        };
        let aliases = vec![name.to_lowercase()];
        let function = Outside { name, aliases, signature, function: self };
        ScalarUDF::new_from_impl(function)
    }
}

/// Any number of arguments, or none.
fn any_arguments() -> Vec<TypeSignature> {
    vec![TypeSignature::VariadicAny, TypeSignature::Nullary]
}

/// A function that gives rows.
struct OutsideTable {
    schema: SchemaRef,
    code: Arc<dyn TableCode>,
}

impl fmt::Debug for OutsideTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutsideTable").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl TableFunctionImpl for OutsideTable {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> DfResult<Arc<dyn TableProvider>> {
        let values = args.exprs().iter().enumerate();
        let values = values.map(|(at, value)| value.clone().alias(format!("_{at}")));
        let row = LogicalPlanBuilder::empty(true);
        let row = match args.exprs() {
            [] => row.build()?,
            _ => row.project(values)?.build()?,
        };
        let (schema, code) = (Arc::clone(&self.schema), Arc::clone(&self.code));
        Ok(Arc::new(MapTable::new(row, schema, code)))
    }
}

#[derive(Debug)]
struct Outside {
    name: String,
    /// Statements look functions up in lower case.
    aliases: Vec<String>,
    signature: Signature,
    function: OutsideFunction,
}

impl PartialEq for Outside {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.function.code, &other.function.code)
    }
}

impl Eq for Outside {}

impl Hash for Outside {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Outside {
    fn name(&self) -> &str {
        &self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> DfResult<DataType> {
        Ok(self.function.return_type.data_type().clone())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs<'_>) -> DfResult<FieldRef> {
        let field = self.function.return_type.clone();
        Ok(Arc::new(field.with_name(&self.name).with_nullable(true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let rows = args.number_rows;
        if rows == 0 {
            let empty = new_empty_array(self.function.return_type.data_type());
            return Ok(ColumnarValue::Array(empty));
        }
        let query = args.config_options.extensions.get::<Interrupt>();
        if query.is_some_and(Interrupt::is_planning) {
            // The optimizer asks for constants, and goes on without them.
            return Err(Error::unsupported("code from outside is no constant").into());
        }
        let arrays = args.args.into_iter().map(|arg| arg.into_array(rows));
        let arrays = arrays.collect::<DfResult<Vec<ArrayRef>>>()?;
        let is_wanted = || query.is_none_or(|query| !query.has_ended());
        let result = self.function.code.run(&arrays, rows, &is_wanted)?;
        if result.len() != rows {
            let message = format!(
                "the function `{}` gave {} values for {rows} rows",
                self.function.name,
                result.len()
            );
            return Err(Error::new(Condition::USER_CODE_FAILED, message).into());
        }
        Ok(ColumnarValue::Array(result))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;
    use datafusion::config::ConfigOptions;

    use super::*;
    use crate::cluster::{Functions, scalar_of};
    use crate::config::Config;

    /// Adds a number.
    #[derive(Debug)]
    struct Plus {
        number: i64,
        travels: bool,
    }

    impl Code for Plus {
        fn run(&self, args: &[ArrayRef], _: usize, _: &dyn Fn() -> bool) -> Result<ArrayRef> {
            let numbers = args[0].as_primitive::<Int64Type>().iter();
            let sums: Int64Array = numbers.map(|number| Some(number? + self.number)).collect();
            Ok(Arc::new(sums))
        }

        fn travelling(&self) -> Option<TravellingCode> {
            let bytes = self.number.to_le_bytes().to_vec();
            self.travels.then(|| TravellingCode { kind: "test of plus".to_owned(), bytes })
        }
    }

    fn plus(travels: bool) -> ScalarUDF {
        let code = Arc::new(Plus { number: 5, travels });
        let return_type = Field::new("sum", DataType::Int64, true);
        let name = "plus".to_owned();
        let is_deterministic = true;
        OutsideFunction {
            name: name.clone(),
            argument_types: None,
            return_type,
            is_deterministic,
            code,
        }
        .scalar(name)
    }

    #[test]
    fn code_travels_with_what_it_has_captured_and_other_code_stays() {
        let functions = Functions::of(&Config::default());
        assert!(functions.scalar(&plus(false)).is_err());
        let written = functions.scalar(&plus(true)).unwrap();
        let error = scalar_of(&written).unwrap_err().to_string();
        assert!(error.contains("this worker does not run functions of `test of plus`"), "{error}");
        offer_code("test of plus", |bytes| {
            let number = i64::from_le_bytes(bytes.try_into().unwrap());
            Ok(Arc::new(Plus { number, travels: true }))
        });
        let back = scalar_of(&written).unwrap();
        let args = ScalarFunctionArgs {
            args: vec![ColumnarValue::Array(Arc::new(Int64Array::from(vec![Some(1), None])))],
            arg_fields: vec![Arc::new(Field::new("n", DataType::Int64, true))],
            number_rows: 2,
            return_field: Arc::new(Field::new("plus", DataType::Int64, true)),
            config_options: Arc::new(ConfigOptions::default()),
        };
        let result = back.invoke_with_args(args).unwrap().into_array(2).unwrap();
        assert_eq!(result.as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(6), None]));
        assert_eq!(back.name(), "plus");
    }
}
