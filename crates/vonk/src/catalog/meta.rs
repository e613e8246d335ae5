//! What the catalog knows about a table or view, and how it stands in the metadata file.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};
use vonk_functions::types::TYPE_KEY;

use super::name::QualifiedName;
use super::unwritable;
use crate::display::field_type_name;
use crate::error::{Condition, Error, Result};
use crate::sources::ReadSpec;

/// Metadata files of later versions are refused rather than misread.
const VERSION: u32 = 1;

/// Whether rows are stored or computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TableKind {
    Table,
    View,
}

impl fmt::Display for TableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::View => "view",
        })
    }
}

/// A table or view of the catalog.
#[derive(Debug, Clone)]
pub(crate) struct TableMeta {
    pub(crate) name: QualifiedName,
    pub(crate) kind: TableKind,
    /// The format of the files; empty for a view.
    pub(crate) format: String,
    /// The columns, those of the partitions last; empty if the files tell them at each query.
    pub(crate) columns: Vec<ColumnMeta>,
    pub(crate) partition_columns: Vec<String>,
    /// Options of reader and writer.
    pub(crate) options: BTreeMap<String, String>,
    /// Where the files are, unless in the table's own directory.
    pub(crate) location: Option<String>,
    /// The query of a view.
    pub(crate) view_text: Option<String>,
    /// The database that was current when the view was made; its names are looked up there.
    pub(crate) view_database: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) properties: BTreeMap<String, String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnMeta {
    pub(crate) name: String,
    /// Arrow's spelling of the type.
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    pub(crate) nullable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    /// Spark's name of the type where Arrow's does not tell it: `char(5)`, `interval day to hour`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) type_name: Option<String>,
    /// The expression that a row gets which an INSERT gives no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
}

/// The metadata file. The name is not in it: it is the directory's.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    kind: TableKind,
    #[serde(default)]
    format: String,
    #[serde(default)]
    columns: Vec<ColumnMeta>,
    #[serde(default)]
    partition_columns: Vec<String>,
    #[serde(default)]
    options: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view_database: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

impl TableMeta {
    /// A table of a format, with nothing else known yet.
    pub(crate) fn table(name: QualifiedName, format: &str) -> Self {
        Self {
            name,
            kind: TableKind::Table,
            format: format.to_lowercase(),
            columns: Vec::new(),
            partition_columns: Vec::new(),
            options: BTreeMap::new(),
            location: None,
            view_text: None,
            view_database: None,
            comment: None,
            properties: BTreeMap::new(),
        }
    }

    /// A view over a query's text; `database` is the one in which its names are looked up.
    pub(crate) fn view(name: QualifiedName, text: &str, database: &str) -> Self {
        Self {
            kind: TableKind::View,
            view_text: Some(text.to_owned()),
            view_database: Some(database.to_owned()),
            ..Self::table(name, "")
        }
    }

    /// Sets the columns as tables store them; those of the partitions move to the end.
    ///
    /// # Errors
    /// For a partition column that is none of the columns or cannot be one.
    pub(crate) fn with_schema(self, schema: &Schema, partition_by: &[String]) -> Result<Self> {
        let schema = stored_schema(schema);
        let columns = schema.fields().iter().map(|field| ColumnMeta::new(field)).collect();
        self.with_columns(columns, partition_by)
    }

    /// Sets the columns; those of the partitions move to the end.
    ///
    /// # Errors
    /// For a partition column that is none of the columns or cannot be one.
    pub(crate) fn with_columns(
        mut self,
        columns: Vec<ColumnMeta>,
        partition_by: &[String],
    ) -> Result<Self> {
        let fields = columns.iter().map(ColumnMeta::to_field).collect::<Result<Vec<_>>>()?;
        let last = crate::write::partition_columns(&Schema::new(fields), partition_by)?;
        let first = (0..columns.len()).filter(|index| !last.contains(index));
        self.columns = first.chain(last.iter().copied()).map(|at| columns[at].clone()).collect();
        self.partition_columns = last.iter().map(|&at| columns[at].name.clone()).collect();
        Ok(self)
    }

    /// Says of files that vonk itself will write what their reader would have to guess.
    pub(crate) fn completed(mut self) -> Self {
        let is_told = self.options.keys().any(|name| name.eq_ignore_ascii_case("header"));
        if self.format == "csv" && !is_told {
            self.options.insert("header".to_owned(), "false".to_owned());
        }
        self
    }

    /// The columns and types, those of the partitions last.
    ///
    /// # Errors
    /// If a type in the metadata file is not known.
    pub(crate) fn schema(&self) -> Result<SchemaRef> {
        let fields = self.columns.iter().map(ColumnMeta::to_field).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(Schema::new(fields)))
    }

    /// How its files, at this address, are read; their columns are told by `schema` if there is one.
    pub(crate) fn read_spec(&self, address: &str, schema: Option<SchemaRef>) -> ReadSpec {
        let mut spec = ReadSpec::new([address]).with_format(&self.format);
        let options = self.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        spec.options.extend(options);
        spec.schema = schema;
        spec
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let stored = Stored {
            version: VERSION,
            kind: self.kind,
            format: self.format.clone(),
            columns: self.columns.clone(),
            partition_columns: self.partition_columns.clone(),
            options: self.options.clone(),
            location: self.location.clone(),
            view_text: self.view_text.clone(),
            view_database: self.view_database.clone(),
            comment: self.comment.clone(),
            properties: self.properties.clone(),
        };
        serde_json::to_vec_pretty(&stored).map_err(unwritable)
    }

    pub(super) fn from_json(bytes: &[u8], name: &QualifiedName) -> Result<Self> {
        let corrupt = |reason: String| {
            let message = format!("the metadata of `{name}` cannot be read: {reason}");
            Error::new(Condition::CORRUPTED_CATALOG, message)
        };
        let stored: Stored =
            serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
        if stored.version > VERSION {
            return Err(corrupt(format!("its version is {}", stored.version))
                .hint("it was written by a newer vonk; use that one"));
        }
        Ok(Self {
            name: name.clone(),
            kind: stored.kind,
            format: stored.format,
            columns: stored.columns,
            partition_columns: stored.partition_columns,
            options: stored.options,
            location: stored.location,
            view_text: stored.view_text,
            view_database: stored.view_database,
            comment: stored.comment,
            properties: stored.properties,
        })
    }
}

impl ColumnMeta {
    pub(crate) fn new(field: &Field) -> Self {
        Self {
            name: field.name().clone(),
            data_type: field.data_type().to_string(),
            nullable: field.is_nullable(),
            comment: field.metadata().get("comment").cloned(),
            type_name: field.metadata().get(TYPE_KEY).cloned(),
            default: None,
        }
    }

    /// The column as a field; texts of bounded length are texts whose metadata tells the bound.
    pub(crate) fn to_field(&self) -> Result<Field> {
        let data_type = DataType::from_str(&self.data_type).map_err(|error| {
            let message = format!("column `{}` has an unknown type: {error}", self.name);
            Error::new(Condition::CORRUPTED_CATALOG, message)
        })?;
        let told = [("comment", &self.comment), (TYPE_KEY, &self.type_name)];
        let told =
            told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
        Ok(Field::new(&self.name, data_type, self.nullable).with_metadata(told.collect()))
    }

    /// The type as it was declared, for DESCRIBE: `varchar(10)` where queries see `string`.
    ///
    /// # Errors
    /// If the type in the metadata file is not known.
    pub(crate) fn declared_type(&self) -> Result<String> {
        match &self.type_name {
            Some(name) => Ok(name.clone()),
            None => Ok(field_type_name(&self.to_field()?)),
        }
    }
}

/// A query's columns with the types that tables store, which are those that Spark has.
pub(crate) fn stored_schema(schema: &Schema) -> Schema {
    Schema::new(schema.fields().iter().map(stored_field).collect::<Vec<FieldRef>>())
}

fn stored_field(field: &FieldRef) -> FieldRef {
    let data_type = stored_type(field.data_type());
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Dictionary(_, value) => stored_type(value),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(stored_field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(stored_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(stored_field(entries), *sorted),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Fields;

    use super::*;

    #[test]
    fn types_survive_the_metadata_file() {
        let item = || Arc::new(Field::new("item", DataType::Utf8, true));
        let entry: Fields = vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Int64, true),
        ]
        .into();
        let types = [
            DataType::Boolean,
            DataType::Int8,
            DataType::Float64,
            DataType::Decimal128(38, 18),
            DataType::Utf8,
            DataType::Binary,
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Timestamp(TimeUnit::Microsecond, Some("Europe/Berlin".into())),
            DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano),
            DataType::Duration(TimeUnit::Microsecond),
            DataType::List(item()),
            DataType::Struct(
                vec![item(), Arc::new(Field::new("a b", DataType::Null, true))].into(),
            ),
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entry), false)), false),
        ];
        let fields = types.iter().enumerate();
        let fields: Vec<Field> =
            fields.map(|(i, t)| Field::new(format!("c{i}"), t.clone(), i % 2 == 0)).collect();
        let schema = Schema::new(fields);
        let name = QualifiedName { database: "default".to_owned(), table: "t".to_owned() };
        let meta = TableMeta::table(name.clone(), "parquet").with_schema(&schema, &[]).unwrap();
        let read = TableMeta::from_json(&meta.to_json().unwrap(), &name).unwrap();
        assert_eq!(read.schema().unwrap().as_ref(), &schema);
    }
}
