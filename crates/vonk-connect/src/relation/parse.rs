//! Lines of CSV or JSON that are rows of a query already.

use std::sync::Arc;

use spark_connect_proto::Parse;
use spark_connect_proto::parse::ParseFormat;
use vonk::dataframe::{Column, col, lit};
use vonk::{Result, functions};

use super::{Query, input};
use crate::errors::{self, required};
use crate::expression::quoted;
use crate::session::ConnectSession;
use crate::types;

pub(super) async fn parse(session: &Arc<ConnectSession>, parse: &Parse) -> Result<Query> {
    let input = input(session, &parse.input).await?;
    let function = match parse.format() {
        ParseFormat::Csv => "from_csv",
        ParseFormat::Json => "from_json",
        _ => return Err(errors::unsupported("texts of this format")),
    };
    let name = required(input.outputs.first(), "column with texts")?.name.clone();
    let text = col(&quoted(&name));
    let Some(schema) = &parse.schema else {
        return Err(errors::unsupported("texts without a schema"));
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
