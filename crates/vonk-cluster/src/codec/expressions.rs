//! Expressions as bytes: calls of functions with all that their result's type tells, and ours.
//!
//! DataFusion forgets the metadata of a result's field, by which vonk tells types of Spark's that Arrow
//! has no name for.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::{DataFusionError, Result as DfResult, internal_err};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::from_proto::parse_physical_expr_with_converter;
use datafusion_proto::physical_plan::to_proto::serialize_physical_expr_with_converter;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalPlanNodeExt,
    PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::physical_expr_node::ExprType;
use datafusion_proto::protobuf::{
    self, PhysicalExprNode, PhysicalExtensionExprNode, PhysicalPlanNode,
};
use prost::Message;
use vonk::cluster::{self, Functions};

use super::unreadable;

/// An expression of ours, or a call.
#[derive(Clone, PartialEq, Message)]
struct Written {
    #[prost(oneof = "Kind", tags = "1, 2")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    /// In JSON.
    #[prost(bytes, tag = "1")]
    Ours(Vec<u8>),
    #[prost(message, tag = "2")]
    Call(Call),
}

#[derive(Clone, PartialEq, Message)]
struct Call {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    function: Vec<u8>,
    /// A schema of one field: that of the result.
    #[prost(bytes = "vec", tag = "3")]
    result: Vec<u8>,
}

/// DataFusion's way through plans and expressions, except for those that are written here.
pub(super) struct Converter {
    /// The functions that may be written.
    pub(super) functions: Option<Functions>,
}

impl Converter {
    fn write(&self, expr: &Arc<dyn PhysicalExpr>) -> DfResult<Option<Written>> {
        if let Some(ours) = cluster::write_expression(expr) {
            let bytes = serde_json::to_vec(&ours)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            return Ok(Some(Written { kind: Some(Kind::Ours(bytes)) }));
        }
        let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() else { return Ok(None) };
        let Some(functions) = self.functions else {
            return internal_err!("who reads plans writes none");
        };
        let field = call.return_field(&Schema::empty())?;
        let result: protobuf::Schema = (&Schema::new(vec![field])).try_into()?;
        let call = Call {
            name: call.name().to_owned(),
            function: functions.scalar(call.fun())?,
            result: result.encode_to_vec(),
        };
        Ok(Some(Written { kind: Some(Kind::Call(call)) }))
    }

    fn read(
        written: &[u8],
        parts: Vec<Arc<dyn PhysicalExpr>>,
        context: &PhysicalPlanDecodeContext<'_>,
    ) -> DfResult<Arc<dyn PhysicalExpr>> {
        match Written::decode(written).map_err(unreadable)?.kind {
            Some(Kind::Ours(json)) => {
                let ours = serde_json::from_slice(&json)
                    .map_err(|error| DataFusionError::External(Box::new(error)))?;
                cluster::rebuild_expression(&ours, parts)
            }
            Some(Kind::Call(call)) => {
                let result =
                    protobuf::Schema::decode(call.result.as_slice()).map_err(unreadable)?;
                let result = Schema::try_from(&result)?;
                let Some(field) = result.fields().first() else {
                    return internal_err!("a call without a result");
                };
                let function = cluster::scalar_of(&call.function)?;
                let options = Arc::clone(context.task_ctx().session_config().options());
                let field = Arc::clone(field);
                let call = ScalarFunctionExpr::new(&call.name, function, parts, field, options);
                Ok(Arc::new(call))
            }
            None => internal_err!("an expression of a kind that is not known here"),
        }
    }
}

impl PhysicalProtoConverterExtension for Converter {
    fn proto_to_execution_plan(
        &self,
        node: &PhysicalPlanNode,
        context: &PhysicalPlanDecodeContext<'_>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        node.try_into_physical_plan_with_context(context, self)
    }

    fn execution_plan_to_proto(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        codec: &dyn PhysicalExtensionCodec,
    ) -> DfResult<PhysicalPlanNode> {
        PhysicalPlanNode::try_from_physical_plan_with_converter(Arc::clone(plan), codec, self)
    }

    fn proto_to_physical_expr(
        &self,
        node: &PhysicalExprNode,
        schema: &Schema,
        context: &PhysicalPlanDecodeContext<'_>,
    ) -> DfResult<Arc<dyn PhysicalExpr>> {
        let Some(ExprType::Extension(extension)) = &node.expr_type else {
            return parse_physical_expr_with_converter(node, schema, context, self);
        };
        let parts = extension.inputs.iter();
        let parts = parts.map(|part| self.proto_to_physical_expr(part, schema, context));
        Self::read(&extension.expr, parts.collect::<DfResult<_>>()?, context)
    }

    fn physical_expr_to_proto(
        &self,
        expr: &Arc<dyn PhysicalExpr>,
        codec: &dyn PhysicalExtensionCodec,
    ) -> DfResult<PhysicalExprNode> {
        let Some(written) = self.write(expr)? else {
            return serialize_physical_expr_with_converter(expr, codec, self);
        };
        let parts = expr.children().into_iter();
        let inputs = parts.map(|part| self.physical_expr_to_proto(part, codec));
        let inputs = inputs.collect::<DfResult<_>>()?;
        let extension = PhysicalExtensionExprNode { expr: written.encode_to_vec(), inputs };
        Ok(PhysicalExprNode {
            expr_id: expr.expression_id(),
            expr_type: Some(ExprType::Extension(extension)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use datafusion::arrow::datatypes::{DataType, Field};
    use datafusion::execution::TaskContext;
    use datafusion::physical_expr::expressions::col;
    use datafusion_proto::physical_plan::DefaultPhysicalExtensionCodec;
    use vonk::config::Config;

    use super::*;

    #[test]
    fn a_call_keeps_what_its_field_tells() {
        let config = Config::default();
        let functions = Functions::of(&config);
        let schema = Schema::new(vec![Field::new("a", DataType::Utf8View, true)]);
        let written = r#"{"name":"upper","home":"Ansi","limit":null}"#;
        let function = cluster::scalar_of(written.as_bytes()).unwrap();
        let told = HashMap::from([("spark".to_owned(), "char(3)".to_owned())]);
        let field = Field::new("upper", DataType::Utf8View, true).with_metadata(told.clone());
        let column = col("a", &schema).unwrap();
        let call: Arc<dyn PhysicalExpr> = Arc::new(ScalarFunctionExpr::new(
            "upper",
            function,
            vec![column],
            Arc::new(field),
            Arc::default(),
        ));
        let codec = DefaultPhysicalExtensionCodec {};
        let writer = Converter { functions: Some(functions) };
        let node = writer.physical_expr_to_proto(&call, &codec).unwrap();
        let context = TaskContext::default();
        let context = PhysicalPlanDecodeContext::new(&context, &codec);
        let reader = Converter { functions: None };
        let back = reader.proto_to_physical_expr(&node, &schema, &context).unwrap();
        assert_eq!(back.to_string(), call.to_string());
        assert_eq!(back.return_field(&schema).unwrap().metadata(), &told);
    }
}
