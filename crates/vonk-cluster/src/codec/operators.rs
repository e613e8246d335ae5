//! Operators of ours as bytes, and scans with the readers of ours.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result as DfResult, internal_err};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_distributed::DistributedCodec;
use datafusion_proto::physical_plan::from_proto::{
    parse_protobuf_file_scan_config, parse_table_schema_from_proto,
};
use datafusion_proto::physical_plan::to_proto::serialize_file_scan_config;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::{FileScanExecConf, PhysicalExprNode, PhysicalPlanNode};
use prost::Message;
use vonk::cluster::{self, Parts};

use super::{Codec, unreadable};
use crate::report::ReportExec;

/// An operator that DataFusion does not write; its inputs are written beside it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    /// One of the engine's, as it writes it.
    #[prost(bytes, tag = "1")]
    Upstream(Vec<u8>),
    #[prost(message, tag = "2")]
    Report(Nothing),
    #[prost(message, tag = "3")]
    Paced(Nothing),
    /// DataFusion's join over inputs without rows.
    #[prost(message, boxed, tag = "4")]
    SpillingJoin(Box<PhysicalPlanNode>),
    #[prost(message, boxed, tag = "5")]
    TokenCount(Box<TokenCount>),
    #[prost(message, boxed, tag = "6")]
    Scan(Box<Scan>),
    #[prost(message, tag = "7")]
    InOrder(InOrder),
    #[prost(message, tag = "8")]
    Forgetful(Nothing),
    /// Code over batches, as the engine writes it.
    #[prost(bytes, tag = "9")]
    MapBatches(Vec<u8>),
}

#[derive(Clone, PartialEq, Message)]
struct InOrder {
    #[prost(uint64, optional, tag = "1")]
    fetch: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct Nothing {}

#[derive(Clone, PartialEq, Message)]
struct TokenCount {
    #[prost(message, tag = "1")]
    text: Option<PhysicalExprNode>,
    #[prost(string, tag = "2")]
    pattern: String,
    #[prost(string, tag = "3")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Scan {
    #[prost(bytes = "vec", tag = "1")]
    head: Vec<u8>,
    /// With DataFusion's own reader, or else
    #[prost(message, tag = "2")]
    native: Option<PhysicalPlanNode>,
    /// with one of ours.
    #[prost(message, tag = "3")]
    files: Option<FileScanExecConf>,
}

pub(super) fn upstream(bytes: Vec<u8>) -> Node {
    Node { kind: Some(Kind::Upstream(bytes)) }
}

/// An operator of ours as it travels; `None` if it is none.
pub(super) fn write(
    codec: &Codec,
    plan: &Arc<dyn ExecutionPlan>,
    converter: &dyn PhysicalProtoConverterExtension,
) -> DfResult<Option<Node>> {
    let kind = if plan.is::<ReportExec>() {
        Some(Kind::Report(Nothing {}))
    } else if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        write_scan(codec, scan, converter)?
    } else {
        match cluster::take_apart(plan)? {
            None => None,
            Some(Parts::Paced) => Some(Kind::Paced(Nothing {})),
            Some(Parts::Forgetful) => Some(Kind::Forgetful(Nothing {})),
            Some(Parts::MapBatches(code)) => Some(Kind::MapBatches(code)),
            Some(Parts::InOrder { fetch }) => Some(Kind::InOrder(InOrder { fetch })),
            Some(Parts::SpillingJoin(join)) => {
                Some(Kind::SpillingJoin(Box::new(converter.execution_plan_to_proto(&join, codec)?)))
            }
            Some(Parts::TokenCount { text, pattern, name }) => {
                let text = Some(converter.physical_expr_to_proto(&text, codec)?);
                Some(Kind::TokenCount(Box::new(TokenCount { text, pattern, name })))
            }
        }
    };
    Ok(kind.map(|kind| Node { kind: Some(kind) }))
}

fn write_scan(
    codec: &Codec,
    scan: &DataSourceExec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> DfResult<Option<Kind>> {
    let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else {
        return Ok(None);
    };
    let Some(travelling) = cluster::travelling(config)? else { return Ok(None) };
    let head = travelling.head;
    let scan = match travelling.native {
        Some(native) => {
            let native = converter.execution_plan_to_proto(&native, codec)?;
            Scan { head, native: Some(native), files: None }
        }
        None => {
            let files = serialize_file_scan_config(config, codec, converter)?;
            Scan { head, native: None, files: Some(files) }
        }
    };
    Ok(Some(Kind::Scan(Box::new(scan))))
}

pub(super) fn read(
    codec: &Codec,
    bytes: &[u8],
    inputs: &[Arc<dyn ExecutionPlan>],
    context: &TaskContext,
    converter: &dyn PhysicalProtoConverterExtension,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let decoding = PhysicalPlanDecodeContext::new(context, codec);
    match Node::decode(bytes).map_err(unreadable)?.kind {
        Some(Kind::Upstream(bytes)) => {
            DistributedCodec.try_decode(&bytes, inputs, context, converter)
        }
        Some(Kind::Report(Nothing {})) => match inputs {
            [input] => Ok(Arc::new(ReportExec::new(Arc::clone(input)))),
            _ => internal_err!("ReportExec has one input"),
        },
        Some(Kind::Paced(Nothing {})) => cluster::rebuild_operator(Parts::Paced, inputs.to_vec()),
        Some(Kind::Forgetful(Nothing {})) => {
            cluster::rebuild_operator(Parts::Forgetful, inputs.to_vec())
        }
        Some(Kind::MapBatches(code)) => {
            cluster::rebuild_operator(Parts::MapBatches(code), inputs.to_vec())
        }
        Some(Kind::InOrder(InOrder { fetch })) => {
            cluster::rebuild_operator(Parts::InOrder { fetch }, inputs.to_vec())
        }
        Some(Kind::SpillingJoin(join)) => {
            let join = converter.proto_to_execution_plan(&join, &decoding)?;
            cluster::rebuild_operator(Parts::SpillingJoin(join), inputs.to_vec())
        }
        Some(Kind::TokenCount(count)) => {
            let TokenCount { text, pattern, name } = *count;
            let (Some(text), [input]) = (text, inputs) else {
                return internal_err!("TokenCountExec has one input and a text");
            };
            let schema = input.schema();
            let text = converter.proto_to_physical_expr(&text, &schema, &decoding)?;
            cluster::rebuild_operator(Parts::TokenCount { text, pattern, name }, inputs.to_vec())
        }
        Some(Kind::Scan(scan)) => read_scan(&scan, context, &decoding, converter),
        None => internal_err!("an operator of a kind that is not known here"),
    }
}

fn read_scan(
    scan: &Scan,
    context: &TaskContext,
    decoding: &PhysicalPlanDecodeContext<'_>,
    converter: &dyn PhysicalProtoConverterExtension,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let plan = match (&scan.native, &scan.files) {
        (Some(native), _) => converter.proto_to_execution_plan(native, decoding)?,
        (None, Some(files)) => {
            let schema = parse_table_schema_from_proto(files)?;
            let url = ObjectStoreUrl::parse(&files.object_store_url)?;
            let source = cluster::source(&scan.head, schema, &url)?;
            let config = parse_protobuf_file_scan_config(files, decoding, converter, source)?;
            DataSourceExec::from_data_source(config) as Arc<dyn ExecutionPlan>
        }
        (None, None) => return internal_err!("a scan without files"),
    };
    cluster::arrived(&scan.head, &plan, context).map_err(DataFusionError::from)
}
