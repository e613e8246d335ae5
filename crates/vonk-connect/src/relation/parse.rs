//! Lines of CSV or JSON that are rows of a query already.

use std::sync::Arc;

use spark_connect_proto::Parse;
use spark_connect_proto::parse::ParseFormat;
use vonk::dataframe::{Column, DataFrame, DataFrameReader, col, lit};
use vonk::object_store::memory::InMemory;
use vonk::object_store::{ObjectStore, ObjectStoreExt};
use vonk::{Error, Result, functions};

use super::{Query, input};
use crate::errors::{self, required};
use crate::expression::quoted;
use crate::session::{ConnectSession, new_id};
use crate::types;

/// The name of texts in their store.
const LINES: &str = "lines";

pub(super) async fn parse(session: &Arc<ConnectSession>, parse: &Parse) -> Result<Query> {
    let input = input(session, &parse.input).await?;
    let (format, function) = match parse.format() {
        ParseFormat::Csv => ("csv", "from_csv"),
        ParseFormat::Json => ("json", "from_json"),
        _ => return Err(errors::unsupported("texts of this format")),
    };
    let name = required(input.outputs.first(), "column with texts")?.name.clone();
    let text = col(&quoted(&name));
    let Some(schema) = &parse.schema else {
        let texts = input.frame.select([text]);
        let reader = session.engine.read().format(format).options(&parse.options);
        return Query::new(as_file(session, &texts, reader).await?).await;
    };
    let mut args = vec![text, lit(types::columns_ddl(schema)?)];
    let options = parse.options.iter();
    let options: Vec<Column> =
        options.flat_map(|(name, value)| [lit(name.as_str()), lit(value.as_str())]).collect();
    if !options.is_empty() {
        args.push(functions::call("map", options));
    }
    let rows = input.frame.select([functions::call(function, args).alias("row")]);
    Query::new(rows.select(["row.*"])).await
}

/// The rows of texts whose columns nobody has told: they are read as those of a file would be.
async fn as_file(
    session: &ConnectSession,
    texts: &DataFrame,
    reader: DataFrameReader,
) -> Result<DataFrame> {
    let mut lines = String::new();
    for (text,) in texts.rows::<(Option<String>,)>().await? {
        // A line of its own for each; between the parts of a record a space means the same.
        lines.push_str(&text.unwrap_or_default().replace(['\r', '\n'], " "));
        lines.push('\n');
    }
    let store = Arc::new(InMemory::new());
    let kept = store.put(&LINES.into(), lines.into()).await;
    kept.map_err(|error| Error::internal(format!("texts cannot be kept: {error}")))?;
    let address = format!("vonk-texts://{}", new_id());
    session.engine.register_object_store(&address, Arc::clone(&store) as Arc<dyn ObjectStore>)?;
    let rows = reader.load(format!("{address}/{LINES}")).to_arrow().await;
    // The session keeps the store, which need not keep the texts.
    let _freed = store.delete(&LINES.into()).await;
    session.engine.from_batches(vec![rows?])
}
