//! The reader: files by path, in any format of the sources, with Spark's options.

use std::path::Path;

use arrow::datatypes::{Schema, SchemaRef};

use super::source::scan_plan;
use super::{DataFrame, syntax};
use crate::error::{Condition, Error, Result};
use crate::session::Session;
use crate::sources::{self, ReadSpec};

/// Collects what to read before [`load`](DataFrameReader::load) or a format's method names the paths.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let session = Session::new();
/// let orders = session.read().option("header", "true").schema("id INT, day DATE").csv("orders.csv");
/// assert!(orders.count().await.is_err(), "there is no such file");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct DataFrameReader {
    session: Session,
    spec: ReadSpec,
    schema: Option<ReadSchema>,
}

/// The columns to read: an Arrow schema, or text such as `a INT, b STRING`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ReadSchema {
    /// An Arrow schema.
    Arrow(SchemaRef),
    /// Names and types as in CREATE TABLE.
    Ddl(String),
}

impl From<SchemaRef> for ReadSchema {
    fn from(schema: SchemaRef) -> Self {
        Self::Arrow(schema)
    }
}

impl From<Schema> for ReadSchema {
    fn from(schema: Schema) -> Self {
        Self::Arrow(schema.into())
    }
}

impl From<&str> for ReadSchema {
    fn from(ddl: &str) -> Self {
        Self::Ddl(ddl.to_owned())
    }
}

impl From<String> for ReadSchema {
    fn from(ddl: String) -> Self {
        Self::Ddl(ddl)
    }
}

/// One path, or several: files, directories and globs.
pub trait Paths {
    /// The paths as text.
    fn into_paths(self) -> Vec<String>;
}

impl Paths for &str {
    fn into_paths(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl Paths for String {
    fn into_paths(self) -> Vec<String> {
        vec![self]
    }
}

impl Paths for &String {
    fn into_paths(self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl Paths for &Path {
    fn into_paths(self) -> Vec<String> {
        vec![self.to_string_lossy().into_owned()]
    }
}

impl Paths for &std::path::PathBuf {
    fn into_paths(self) -> Vec<String> {
        self.as_path().into_paths()
    }
}

impl<T: AsRef<str>, const N: usize> Paths for [T; N] {
    fn into_paths(self) -> Vec<String> {
        self.iter().map(|path| path.as_ref().to_owned()).collect()
    }
}

impl<T: AsRef<str>> Paths for Vec<T> {
    fn into_paths(self) -> Vec<String> {
        self.iter().map(|path| path.as_ref().to_owned()).collect()
    }
}

impl<T: AsRef<str>> Paths for &[T] {
    fn into_paths(self) -> Vec<String> {
        self.iter().map(|path| path.as_ref().to_owned()).collect()
    }
}

impl Session {
    /// Starts reading files.
    pub fn read(&self) -> DataFrameReader {
        DataFrameReader { session: self.clone(), spec: ReadSpec::default(), schema: None }
    }
}

/// Methods that read one format.
macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident = $format:literal;)*) => {
        impl DataFrameReader {
            $($(#[$doc])*
            pub fn $name(self, paths: impl Paths) -> DataFrame {
                self.format($format).load(paths)
            })*
        }
    };
}

formats! {
    /// Reads Parquet files.
    parquet = "parquet";
    /// Reads CSV files; delimiter, header, quote and types are found unless options tell.
    csv = "csv";
    /// Reads JSON: one document per line, or whole documents.
    json = "json";
    /// Reads lines of text as the column `value`.
    text = "text";
    /// Reads Avro files.
    avro = "avro";
    /// Reads ORC files.
    orc = "orc";
    /// Reads Arrow IPC files.
    arrow = "arrow";
    /// Reads whole files as `path`, `modificationTime`, `length` and `content`.
    binary_file = "binaryFile";
}

impl Session {
    /// The columns that a text such as `a INT, b ARRAY<STRING> NOT NULL` means.
    ///
    /// # Errors
    /// `PARSE_SYNTAX_ERROR` if it is no list of names and types.
    pub fn schema_of_ddl(&self, text: &str) -> Result<SchemaRef> {
        ddl_schema(self, text)
    }

    /// The field, without a name, that a type such as `map<string, int>` means.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// let field = Session::new().type_of_ddl("decimal(10, 2)")?;
    /// assert_eq!(vonk::display::field_type_name(&field), "decimal(10,2)");
    /// # Ok::<(), vonk::Error>(())
    /// ```
    ///
    /// # Errors
    /// `PARSE_SYNTAX_ERROR` if it is no type.
    pub fn type_of_ddl(&self, text: &str) -> Result<arrow::datatypes::Field> {
        let item = syntax::item_as(syntax::cast(syntax::null(), syntax::data_type(text)?), "value");
        let empty = datafusion::logical_expr::LogicalPlanBuilder::empty(true).build()?;
        let plan = syntax::Select::over(&[empty], vec![item])?.plan(self)?;
        Ok(plan.schema().field(0).as_ref().clone().with_name("").with_nullable(true))
    }
}

impl DataFrameReader {
    /// Names the format; without it, the files' endings and contents tell.
    #[must_use]
    pub fn format(mut self, name: &str) -> Self {
        self.spec.format = Some(name.to_owned());
        self
    }

    /// Sets an option of the format by Spark's name, without regard to case.
    #[must_use]
    pub fn option(mut self, name: &str, value: impl ToString) -> Self {
        self.spec.options.set(name, value.to_string());
        self
    }

    /// Sets options of the format.
    #[must_use]
    pub fn options<N: AsRef<str>, V: ToString>(
        self,
        options: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        options.into_iter().fold(self, |reader, (name, value)| reader.option(name.as_ref(), value))
    }

    /// Gives the columns and types, so that they are not looked for in the files.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<ReadSchema>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Reads files, directories and globs; the files are listed by the action.
    pub fn load(self, paths: impl Paths) -> DataFrame {
        let mut spec = self.spec;
        spec.paths = paths.into_paths();
        let schema = self.schema;
        DataFrame::deferred(self.session, move |session| {
            let (mut spec, schema) = (spec.clone(), schema.clone());
            Box::pin(async move {
                spec.schema = match schema {
                    None => None,
                    Some(ReadSchema::Arrow(schema)) => Some(schema),
                    Some(ReadSchema::Ddl(text)) => Some(ddl_schema(&session, &text)?),
                };
                let table = sources::open(&session.state(), &spec).await?;
                scan_plan(&relation_name(&spec.paths), table)
            })
        })
    }

    /// A table or view by name.
    pub fn table(self, name: &str) -> DataFrame {
        self.session.table(name)
    }
}

/// The name of a scan in plans and messages: the file's name without its endings.
fn relation_name(paths: &[String]) -> String {
    let Some(path) = paths.first() else {
        return "files".to_owned();
    };
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    match stem.contains(['*', '?', '{', '[']) || stem.is_empty() {
        true => "files".to_owned(),
        false => stem.to_owned(),
    }
}

/// The schema that text such as `a INT, b STRING` means, by the same rules as a cast in SQL.
fn ddl_schema(session: &Session, text: &str) -> Result<SchemaRef> {
    let list = split_columns(text)
        .into_iter()
        .map(|column| {
            let (name, data_type) = split_name(column)?;
            Ok(syntax::item_as(syntax::cast(syntax::null(), syntax::data_type(data_type)?), &name))
        })
        .collect::<Result<Vec<_>>>()?;
    let empty = datafusion::logical_expr::LogicalPlanBuilder::empty(true).build()?;
    let plan = syntax::Select::over(&[empty], list)?.plan(session)?;
    let fields: Vec<arrow::datatypes::Field> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    Ok(Schema::new(fields).into())
}

/// Splits at the commas outside of brackets and backquotes.
fn split_columns(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '`' => quoted = !quoted,
            '<' | '(' if !quoted => depth += 1,
            '>' | ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// The name and the type of a column; files may hold NULL whatever is said of it.
fn split_name(column: &str) -> Result<(String, &str)> {
    let (name, rest) = match column.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        Some((name, rest)) => (name, rest),
        None => column.split_once([' ', ':', '\t']).unwrap_or((column, "")),
    };
    let data_type = rest.trim_start_matches([' ', ':', '\t']).trim_end();
    let is_not_null = data_type.to_lowercase().ends_with("not null");
    let data_type = match is_not_null {
        true => data_type[..data_type.len() - "not null".len()].trim_end(),
        false => data_type,
    };
    if data_type.is_empty() {
        return Err(Error::new(
            Condition::PARSE_SYNTAX_ERROR,
            format!("`{column}` is not a name and a type"),
        )
        .hint("write columns as `a INT, b STRING`"));
    }
    Ok((name.to_owned(), data_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::DataType;

    #[test]
    fn scans_are_named_after_their_file() {
        let name = |path: &str| relation_name(&[path.to_owned()]);
        assert_eq!(name("data/orders.csv.gz"), "orders");
        assert_eq!(name("data/*.parquet"), "files");
        assert_eq!(name("orders/"), "orders");
    }

    #[test]
    fn ddl_text_gives_arrow_types() {
        let schema = ddl_schema(&Session::new(), "a BIGINT, `b c` DECIMAL(10,2) NOT NULL").unwrap();
        assert_eq!(schema.field(0).data_type(), &DataType::Int64);
        assert_eq!(schema.field(1).name(), "b c");
        assert_eq!(schema.field(1).data_type(), &DataType::Decimal128(10, 2));
    }
}
