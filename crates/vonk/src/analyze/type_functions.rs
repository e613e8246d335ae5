//! Functions that are named as types: `int(a)` is a CAST, whose name is that of `a`.

use sqlparser::ast::{
    DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    TimezoneInfo,
};

/// The names and their types.
const TYPES: &[(&str, DataType)] = &[
    ("bigint", DataType::BigInt(None)),
    ("binary", DataType::Binary(None)),
    ("boolean", DataType::Boolean),
    ("date", DataType::Date),
    ("decimal", DataType::Decimal(ExactNumberInfo::None)),
    ("double", DataType::Double(ExactNumberInfo::None)),
    ("float", DataType::Float(ExactNumberInfo::None)),
    ("int", DataType::Int(None)),
    ("smallint", DataType::SmallInt(None)),
    ("string", DataType::String(None)),
    ("time", DataType::Time(None, TimezoneInfo::None)),
    ("timestamp", DataType::Timestamp(None, TimezoneInfo::None)),
    ("tinyint", DataType::TinyInt(None)),
];

/// The operand and the type of a call that is a CAST.
pub(super) fn cast_of(function: &Function) -> Option<(&Expr, &'static DataType)> {
    let name = function.name.to_string();
    let (_, data_type) = TYPES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(operand))] if function.over.is_none() => {
            Some((operand, data_type))
        }
        _ => None,
    }
}
