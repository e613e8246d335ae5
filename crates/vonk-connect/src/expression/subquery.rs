//! Queries within expressions, which stand beside the plan as its references.

use spark_connect_proto::SubqueryExpression;
use spark_connect_proto::subquery_expression::SubqueryType;
use vonk::Result;
use vonk::dataframe::Column;

use super::columns;
use crate::errors;
use crate::relation::Scope;

pub(super) fn column(scope: &Scope<'_>, subquery: &SubqueryExpression) -> Result<Column> {
    let reference = scope.reference(subquery.plan_id)?;
    match subquery.subquery_type() {
        SubqueryType::Scalar => Ok(reference.scalar()),
        SubqueryType::Exists => Ok(reference.exists()),
        SubqueryType::In => Ok(reference.contains(columns(scope, &subquery.in_subquery_values)?)),
        _ => Err(errors::unsupported("tables as arguments of functions that give one value")),
    }
}
