//! Plans as bytes: DataFusion's operators as it writes them, ours and the engine's as they are here.
//!
//! The distributed engine asks its own codec first, which takes every function for one that is known
//! by its name alone. So a plan travels as one extension whose bytes are written and read here.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result as DfResult, internal_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_distributed::DistributedCodec;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanNodeExt, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::physical_plan_node::PhysicalPlanType;
use datafusion_proto::protobuf::{PhysicalExtensionNode, PhysicalPlanNode};
use prost::Message;
use vonk::cluster::{self, Functions};

mod expressions;
mod operators;

use expressions::Converter;

/// Where this codec stands in the engine's list, behind its own.
const POSITION: u32 = 1;

/// How the engine marks what one of several codecs has written.
#[derive(Clone, PartialEq, Message)]
struct Marked {
    #[prost(uint32, tag = "1")]
    position: u32,
    #[prost(bytes = "vec", tag = "2")]
    bytes: Vec<u8>,
}

/// A plan as the bytes that [`Sealed`] reads.
///
/// # Errors
/// What of it cannot travel.
pub(crate) fn seal(plan: &Arc<dyn ExecutionPlan>, functions: Functions) -> DfResult<Vec<u8>> {
    let bytes = write(plan, functions)?;
    let marked = Marked { position: POSITION, bytes };
    let extension = PhysicalExtensionNode { node: marked.encode_to_vec(), inputs: Vec::new() };
    let node =
        PhysicalPlanNode { physical_plan_type: Some(PhysicalPlanType::Extension(extension)) };
    Ok(node.encode_to_vec())
}

/// The bytes of a plan.
///
/// # Errors
/// What of it cannot travel.
pub(crate) fn write(plan: &Arc<dyn ExecutionPlan>, functions: Functions) -> DfResult<Vec<u8>> {
    let codec = Codec { functions: Some(functions) };
    let converter = Converter { functions: Some(functions) };
    let node = PhysicalPlanNode::try_from_physical_plan_with_converter(
        Arc::clone(plan),
        &codec,
        &converter,
    )?;
    Ok(node.encode_to_vec())
}

fn read(bytes: &[u8], context: &TaskContext) -> DfResult<Arc<dyn ExecutionPlan>> {
    let node = PhysicalPlanNode::decode(bytes).map_err(unreadable)?;
    let converter = Converter { functions: None };
    node.try_into_physical_plan_with_converter(context, &Codec { functions: None }, &converter)
}

fn unreadable(error: prost::DecodeError) -> DataFusionError {
    DataFusionError::Internal(format!("a plan cannot be read: {error}"))
}

/// What the engine knows of this codec: plans that were written here as a whole.
#[derive(Debug)]
pub(crate) struct Sealed;

impl PhysicalExtensionCodec for Sealed {
    fn try_decode(
        &self,
        bytes: &[u8],
        _inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        _converter: &dyn PhysicalProtoConverterExtension,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        read(bytes, context)
    }

    fn try_encode(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _bytes: &mut Vec<u8>,
        _converter: &dyn PhysicalProtoConverterExtension,
    ) -> DfResult<()> {
        internal_err!("{} is written with the plan around it", plan.name())
    }
}

/// Writes and reads what DataFusion does not.
#[derive(Debug)]
struct Codec {
    /// The functions that may be written.
    functions: Option<Functions>,
}

impl Codec {
    fn functions(&self) -> DfResult<Functions> {
        self.functions
            .ok_or_else(|| DataFusionError::Internal("who reads plans writes none".to_owned()))
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        operators::read(self, bytes, inputs, context, converter)
    }

    fn try_encode(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> DfResult<()> {
        if let Some(node) = operators::write(self, &plan, converter)? {
            return node
                .encode(bytes)
                .map_err(|error| DataFusionError::Internal(error.to_string()));
        }
        let mut upstream = Vec::new();
        let name = plan.name().to_owned();
        if DistributedCodec.try_encode(plan, &mut upstream, converter).is_err() {
            return Err(DataFusionError::NotImplemented(format!("`{name}` cannot travel")));
        }
        let node = operators::upstream(upstream);
        node.encode(bytes).map_err(|error| DataFusionError::Internal(error.to_string()))
    }

    fn try_decode_udf(&self, _name: &str, bytes: &[u8]) -> DfResult<Arc<ScalarUDF>> {
        Ok(cluster::scalar_of(bytes)?)
    }

    fn try_encode_udf(&self, function: &ScalarUDF, bytes: &mut Vec<u8>) -> DfResult<()> {
        bytes.extend(self.functions()?.scalar(function)?);
        Ok(())
    }

    fn try_decode_udaf(&self, _name: &str, bytes: &[u8]) -> DfResult<Arc<AggregateUDF>> {
        Ok(cluster::aggregate_of(bytes)?)
    }

    fn try_encode_udaf(&self, function: &AggregateUDF, bytes: &mut Vec<u8>) -> DfResult<()> {
        bytes.extend(self.functions()?.aggregate(function)?);
        Ok(())
    }

    fn try_decode_udwf(&self, _name: &str, bytes: &[u8]) -> DfResult<Arc<WindowUDF>> {
        Ok(cluster::window_of(bytes)?)
    }

    fn try_encode_udwf(&self, function: &WindowUDF, bytes: &mut Vec<u8>) -> DfResult<()> {
        bytes.extend(self.functions()?.window(function)?);
        Ok(())
    }

    fn try_decode_higher_order_function(
        &self,
        _name: &str,
        bytes: &[u8],
    ) -> DfResult<Arc<HigherOrderUDF>> {
        Ok(cluster::higher_order_of(bytes)?)
    }

    fn try_encode_higher_order_function(
        &self,
        function: &HigherOrderUDF,
        bytes: &mut Vec<u8>,
    ) -> DfResult<()> {
        bytes.extend(self.functions()?.higher_order(function)?);
        Ok(())
    }
}
