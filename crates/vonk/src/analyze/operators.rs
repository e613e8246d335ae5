//! Arithmetic and access to elements as Spark means them, planned as functions of ours.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr,
};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, Operator as Sign, ScalarUDF};
use datafusion::scalar::ScalarValue;
use sqlparser::ast::BinaryOperator;
use vonk_functions::arithmetic::{Digits, Mode, Operator};

use super::coercion;

/// Plans the operators of SQL in one mode, ANSI or what was before it.
#[derive(Debug)]
pub(super) struct Operators {
    arithmetic: Vec<(Operator, Arc<ScalarUDF>)>,
    item: Arc<ScalarUDF>,
    value_of_key: Arc<ScalarUDF>,
    mode: Mode,
}

impl Operators {
    pub(super) fn new(mode: Mode, digits: Digits) -> Self {
        let udf = |operator: Operator| (operator, Arc::new(operator.udf_with(mode, digits)));
        Self {
            arithmetic: Operator::ALL.map(udf).into(),
            item: Arc::new(vonk_functions::item::udf(mode)),
            value_of_key: Arc::new(vonk_functions::item::value_of_key()),
            mode,
        }
    }

    /// Casts what DataFusion would refuse to compare; the rest waits until all types are known.
    fn plan_comparison(
        &self,
        raw: RawBinaryExpr,
        sign: Sign,
        schema: &DFSchema,
    ) -> DfResult<PlannerResult<RawBinaryExpr>> {
        let (left, right) = (raw.left.get_type(schema)?, raw.right.get_type(schema)?);
        if BinaryTypeCoercer::new(&left, &sign, &right).get_result_type().is_ok() {
            return Ok(PlannerResult::Original(raw));
        }
        let left = (raw.left.clone(), raw.left.to_field(schema)?.1);
        let right = (raw.right.clone(), raw.right.to_field(schema)?.1);
        let (left, right) = coercion::compared(left, sign, right, self.mode)?;
        Ok(PlannerResult::Original(RawBinaryExpr { op: raw.op, left, right }))
    }
}

fn comparison_of(sign: &BinaryOperator) -> Option<Sign> {
    Some(match sign {
        BinaryOperator::Eq => Sign::Eq,
        BinaryOperator::NotEq => Sign::NotEq,
        BinaryOperator::Lt => Sign::Lt,
        BinaryOperator::LtEq => Sign::LtEq,
        BinaryOperator::Gt => Sign::Gt,
        BinaryOperator::GtEq => Sign::GtEq,
        BinaryOperator::Spaceship => Sign::IsNotDistinctFrom,
        BinaryOperator::And => Sign::And,
        BinaryOperator::Or => Sign::Or,
        _ => return None,
    })
}

impl ExprPlanner for Operators {
    fn plan_binary_op(
        &self,
        raw: RawBinaryExpr,
        schema: &DFSchema,
    ) -> DfResult<PlannerResult<RawBinaryExpr>> {
        if let Some(sign) = comparison_of(&raw.op) {
            return self.plan_comparison(raw, sign, schema);
        }
        let Some(operator) = operator_of(&raw.op) else {
            return Ok(PlannerResult::Original(raw));
        };
        let Some((_, udf)) = self.arithmetic.iter().find(|(known, _)| *known == operator) else {
            return Ok(PlannerResult::Original(raw));
        };
        let (left_type, right_type) = (raw.left.get_type(schema)?, raw.right.get_type(schema)?);
        operator.check(self.mode, &left_type, &right_type)?;
        let (left_is_decimal, right_is_decimal) = (left_type.is_decimal(), right_type.is_decimal());
        let left = if right_is_decimal { with_own_digits(raw.left) } else { raw.left };
        let right = if left_is_decimal { with_own_digits(raw.right) } else { raw.right };
        let call = ScalarFunction::new_udf(Arc::clone(udf), vec![left, right]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }

    fn plan_field_access(
        &self,
        mut raw: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> DfResult<PlannerResult<RawFieldAccessExpr>> {
        let key = match raw.field_access {
            GetFieldAccess::ListIndex { key } => key,
            GetFieldAccess::NamedStructField { name } => {
                let name = as_key_of(name, &raw.expr.get_type(schema)?);
                raw.field_access = GetFieldAccess::NamedStructField { name };
                return Ok(PlannerResult::Original(raw));
            }
            GetFieldAccess::ListRange { .. } => return Ok(PlannerResult::Original(raw)),
        };
        // The type of a parameter of a lambda is not known yet.
        let function = match raw.expr.get_type(schema) {
            Ok(DataType::Map(..)) => &self.value_of_key,
            _ => &self.item,
        };
        let call = ScalarFunction::new_udf(Arc::clone(function), vec![raw.expr, *key]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

/// A key in the type of a map's own, which DataFusion compares as they are.
fn as_key_of(name: ScalarValue, container: &DataType) -> ScalarValue {
    let DataType::Map(entries, _) = container else { return name };
    match entries.data_type() {
        DataType::Struct(pair) if !pair.is_empty() => {
            name.cast_to(pair[0].data_type()).unwrap_or(name)
        }
        _ => name,
    }
}

fn operator_of(sign: &BinaryOperator) -> Option<Operator> {
    Some(match sign {
        BinaryOperator::Plus => Operator::Add,
        BinaryOperator::Minus => Operator::Subtract,
        BinaryOperator::Multiply => Operator::Multiply,
        BinaryOperator::Divide => Operator::Divide,
        BinaryOperator::Modulo => Operator::Remainder,
        BinaryOperator::MyIntegerDivide | BinaryOperator::DuckIntegerDivide => {
            Operator::IntegerDivide
        }
        _ => return None,
    })
}

/// A whole number beside a decimal has as many digits as are written, not those of its type.
pub(super) fn with_own_digits(expr: Expr) -> Expr {
    let (value, metadata) = match &expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata) => (*value, metadata),
        Expr::Literal(ScalarValue::Int32(Some(value)), metadata) => (i64::from(*value), metadata),
        _ => return expr,
    };
    let digits = value.unsigned_abs().max(1).ilog10() as u8 + 1;
    Expr::Literal(ScalarValue::Decimal128(Some(i128::from(value)), digits, 0), metadata.clone())
}
