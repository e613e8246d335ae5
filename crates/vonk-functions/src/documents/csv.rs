//! `from_csv`, `to_csv` and `schema_of_csv`: one record of CSV.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::build::Builder;
use super::json::{permissive, schema_type};
use super::moments::Moments;
use super::options::Options;
use super::schema::{self, Shape};
use super::tree::Tree;
use super::write::{Writer, is_null};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// The signs of a record.
struct Signs {
    separator: String,
    quote: Option<char>,
    escape: char,
}

impl Signs {
    fn of(options: &Options) -> Self {
        let separator = options.get("sep").or(options.get("delimiter")).unwrap_or(",");
        let sign = |name: &str, default: char| match options.get(name) {
            Some(text) => text.chars().next(),
            None => Some(default),
        };
        Self {
            separator: if separator == "\\t" { "\t".to_owned() } else { separator.to_owned() },
            quote: sign("quote", '"'),
            escape: sign("escape", '\\').unwrap_or('\\'),
        }
    }

    /// The fields of a record; one in quotes may hold separators.
    fn fields(&self, text: &str) -> Vec<String> {
        let mut fields = vec![String::new()];
        let mut rest = text;
        let mut is_quoted = false;
        while let Some(first) = rest.chars().next() {
            let after = &rest[first.len_utf8()..];
            let field = fields.len() - 1;
            if !is_quoted && rest.starts_with(&self.separator) {
                fields.push(String::new());
                rest = &rest[self.separator.len()..];
                continue;
            }
            rest = after;
            match first {
                _ if is_quoted && first == self.escape && Some(first) != self.quote => {
                    let next = after.chars().next();
                    match next.filter(|next| Some(*next) == self.quote || *next == self.escape) {
                        Some(next) => {
                            fields[field].push(next);
                            rest = &after[next.len_utf8()..];
                        }
                        None => fields[field].push(first),
                    }
                }
                _ if is_quoted && Some(first) == self.quote => is_quoted = false,
                _ if Some(first) == self.quote && fields[field].trim().is_empty() => {
                    fields[field].clear();
                    is_quoted = true;
                }
                _ => fields[field].push(first),
            }
        }
        fields
    }
}

/// Spark's `from_csv(csv, schema[, options])`.
pub(super) fn from_csv() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text, Kind::Any], &[Kind::Options]);
    Kernel::by_value("from_csv", parameters, |_, literals| struct_type(literals), parsed).udf()
}

/// The type that a literal names, which has to be a struct.
pub(super) fn struct_type(literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    match schema_type(literals)? {
        structure @ DataType::Struct(_) => Ok(structure),
        other => {
            let message = format!("the schema is of type {other}, not a list of columns");
            Err(Failure::new("INVALID_SCHEMA.NON_STRUCT_TYPE", message)
                .hint("write it as in 'a INT, b STRING'")
                .into())
        }
    }
}

fn parsed(call: &Call<'_>) -> Result<ArrayRef> {
    let options = Options::of(call, 2)?;
    let moments = Moments::to_read(&options, call.time_zone())?;
    let signs = Signs::of(&options);
    let texts = call.text(0)?;
    let DataType::Struct(fields) = call.returns else {
        return plan_err!("`from_csv` gives a struct");
    };
    let trims = (
        options.is_on("ignoreleadingwhitespace", false),
        options.is_on("ignoretrailingwhitespace", false),
    );
    let trees = texts.iter().map(|text| {
        let values = signs.fields(text?).into_iter().map(|value| {
            let value = if trims.0 { value.trim_start() } else { &value };
            Tree::Text(if trims.1 { value.trim_end() } else { value }.to_owned())
        });
        let names = fields.iter().map(|field| field.name().clone());
        Some(Tree::Object(names.zip(values).collect()))
    });
    let trees: Vec<Option<Tree>> = trees.collect();
    let rows: Vec<Option<&Tree>> = trees.iter().map(Option::as_ref).collect();
    let null_text = options.get("nullvalue").unwrap_or("");
    let builder = Builder { moments: &moments, reads_texts: true, null_text, lists_singles: false };
    let mut misfits = vec![false; rows.len()];
    let values = builder.column(call.returns, &rows, &mut misfits)?;
    let valid = texts.nulls().cloned();
    let valid = valid.unwrap_or_else(|| arrow::buffer::NullBuffer::new_valid(texts.len()));
    Ok(permissive(values, &valid))
}

/// Spark's `to_csv(struct[, options])`.
pub(super) fn to_csv() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Struct], &[Kind::Options]);
    Kernel::new("to_csv", parameters, rows::text, written).udf()
}

fn written(call: &Call<'_>) -> Result<ArrayRef> {
    let options = Options::of(call, 1)?;
    let moments = Moments::to_write(&options, call.time_zone())?;
    let writer = Writer { moments, ignores_null: false, pretty: false };
    let signs = Signs::of(&options);
    let quotes_all = options.is_on("quoteall", false);
    let values = call.array(0)?;
    let Some(structs) = values.as_struct_opt() else {
        return Ok(arrow::array::new_null_array(call.returns, call.rows));
    };
    let mut texts = StringBuilder::new();
    for row in 0..call.rows {
        if structs.is_null(row) {
            texts.append_null();
            continue;
        }
        let mut record = String::new();
        for (at, column) in structs.columns().iter().enumerate() {
            if at > 0 {
                record.push_str(&signs.separator);
            }
            let mut field = String::new();
            match is_null(column, row) {
                true => field.push_str(options.get("nullvalue").unwrap_or("")),
                false => {
                    writer.leaf(column, row, &mut field)?;
                }
            }
            push_field(&field, &signs, quotes_all, &mut record);
        }
        texts.append_value(record);
    }
    Ok(Arc::new(texts.finish()))
}

/// A field in quotes if it holds what would part or end it.
fn push_field(field: &str, signs: &Signs, quotes_all: bool, record: &mut String) {
    let Some(quote) = signs.quote else { return record.push_str(field) };
    let needs_quotes = field.contains(&signs.separator) || field.contains([quote, '\n', '\r']);
    if !needs_quotes && !quotes_all {
        return record.push_str(field);
    }
    record.push(quote);
    for letter in field.chars() {
        if letter == quote {
            record.push(signs.escape);
        }
        record.push(letter);
    }
    record.push(quote);
}

/// Spark's `schema_of_csv(csv[, options])`.
pub(super) fn schema_of_csv() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::OnlyText], &[Kind::Options]);
    Kernel::new("schema_of_csv", parameters, rows::text, |call| {
        let options = Options::of(call, 1)?;
        let texts = call.text(0)?;
        if call.constant(0).is_some_and(ScalarValue::is_null) {
            return Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_NULL", "the CSV is NULL").into());
        }
        rows::texts(call, |row, output| {
            output.push_str(&schema(texts.value(row), &options));
            Ok(true)
        })
    })
    .udf()
}

/// The type of a record, in DDL.
pub(super) fn schema(text: &str, options: &Options) -> String {
    let fields = Signs::of(options).fields(text);
    let types = fields.iter().enumerate().map(|(at, field)| {
        let shape: Shape = schema::of_text(field);
        format!("_c{at}: {}", shape.ddl_of_texts(&[field]))
    });
    format!("STRUCT<{}>", types.collect::<Vec<_>>().join(", "))
}
