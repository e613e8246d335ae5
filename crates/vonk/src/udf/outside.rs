//! Functions whose code runs outside of the engine, such as those of Python programs.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, new_empty_array};
use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{
    ColumnarValue, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

use super::UserFunction;
use crate::analyze::{GROUPS, MARK};
use crate::dataframe::{Batches, Map, MapTable};
use crate::error::{Condition, Error, Result};
use crate::operators::interrupt::Interrupt;
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
}

/// A function over columns of any types.
#[derive(Debug, Clone)]
pub struct OutsideFunction {
    /// What users call it.
    pub name: String,
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
        map: impl Fn(Batches) -> Batches + Send + Sync + 'static,
    ) -> Result<()> {
        let function = OutsideTable { schema, map: Arc::new(map) };
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
        let volatility = match self.is_deterministic {
            true => Volatility::Immutable,
            false => Volatility::Volatile,
        };
        let signature = Signature::variadic_any(volatility);
        let signature = Signature { type_signature: any_arguments(), ..signature };
        let aliases = vec![name.to_lowercase()];
        let function = Outside { name, aliases, signature, function: self };
        UserFunction::Scalar(Arc::new(ScalarUDF::new_from_impl(function)))
    }
}

/// Any number of arguments, or none.
fn any_arguments() -> datafusion::logical_expr::TypeSignature {
    use datafusion::logical_expr::TypeSignature;
    TypeSignature::OneOf(vec![TypeSignature::VariadicAny, TypeSignature::Nullary])
}

/// A function that gives rows.
struct OutsideTable {
    schema: SchemaRef,
    map: Arc<Map>,
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
        let (schema, map) = (Arc::clone(&self.schema), Arc::clone(&self.map));
        Ok(Arc::new(MapTable::new(row, schema, map)))
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
