//! Unions, intersections and differences.

use std::sync::Arc;

use spark_connect_proto::SetOperation;
use spark_connect_proto::set_operation::SetOpType;
use vonk::Result;

use super::{Query, input};
use crate::errors::missing;
use crate::session::ConnectSession;

pub(super) async fn set_operation(
    session: &Arc<ConnectSession>,
    set: &SetOperation,
) -> Result<Query> {
    let left = input(session, &set.left_input).await?;
    let right = input(session, &set.right_input).await?.frame;
    let is_all = set.is_all.unwrap_or(false);
    let frame = match (set.set_op_type(), is_all) {
        (SetOpType::Union, is_all) => {
            let union = match set.by_name.unwrap_or(false) {
                true => {
                    let allow_missing = set.allow_missing_columns.unwrap_or(false);
                    left.frame.union_by_name(&right, allow_missing)
                }
                false => left.frame.union(&right),
            };
            if is_all { union } else { union.distinct() }
        }
        (SetOpType::Intersect, true) => left.frame.intersect_all(&right),
        (SetOpType::Intersect, false) => left.frame.intersect(&right),
        (SetOpType::Except, true) => left.frame.except_all(&right),
        (SetOpType::Except, false) => left.frame.except(&right),
        (SetOpType::Unspecified, _) => return Err(missing("kind of set operation")),
    };
    left.keeping(frame).await
}
