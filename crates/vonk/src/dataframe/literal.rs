//! Rust values as constants in expressions.

use sqlparser::ast::{DataType, Expr, UnaryOperator, Value};

use super::column::Column;
use super::syntax;

/// What may stand beside an operator: a column or a constant; text is a constant.
///
/// ```
/// # use vonk::prelude::*;
/// assert_eq!(col("name").eq("Ada").to_string(), "`name` = 'Ada'");
/// assert_eq!(col("age").gt(lit(None::<i32>)).to_string(), "`age` > NULL");
/// ```
pub trait Operand {
    /// The value as an expression.
    fn into_operand(self) -> Column;
}

impl Operand for Column {
    fn into_operand(self) -> Column {
        self
    }
}

impl Operand for &Column {
    fn into_operand(self) -> Column {
        self.clone()
    }
}

impl Operand for &str {
    fn into_operand(self) -> Column {
        Column::of(syntax::text(self))
    }
}

impl Operand for String {
    fn into_operand(self) -> Column {
        self.as_str().into_operand()
    }
}

impl Operand for &String {
    fn into_operand(self) -> Column {
        self.as_str().into_operand()
    }
}

impl Operand for bool {
    fn into_operand(self) -> Column {
        Column::of(Expr::value(Value::Boolean(self)))
    }
}

/// Whole numbers up to 32 bits are Spark's INT, wider ones its BIGINT.
macro_rules! whole_numbers {
    ($($number:ty: $long:literal),*) => {
        $(impl Operand for $number {
            fn into_operand(self) -> Column {
                Column::of(whole_number(i128::from(self), $long))
            }
        })*
    };
}

whole_numbers!(i8: false, i16: false, i32: false, i64: true, u8: false, u16: false, u32: true, u64: true);

impl Operand for usize {
    fn into_operand(self) -> Column {
        (self as u64).into_operand()
    }
}

impl Operand for f32 {
    fn into_operand(self) -> Column {
        Column::of(syntax::cast(
            syntax::text(&self.to_string()),
            DataType::Float(sqlparser::ast::ExactNumberInfo::None),
        ))
    }
}

impl Operand for f64 {
    fn into_operand(self) -> Column {
        Column::of(syntax::cast(
            syntax::text(&self.to_string()),
            DataType::Double(sqlparser::ast::ExactNumberInfo::None),
        ))
    }
}

impl<T: Operand> Operand for Option<T> {
    fn into_operand(self) -> Column {
        match self {
            Some(value) => value.into_operand(),
            None => Column::of(Expr::value(Value::Null)),
        }
    }
}

impl<T: Operand> Operand for Vec<T> {
    fn into_operand(self) -> Column {
        let items: Vec<Column> = self.into_iter().map(Operand::into_operand).collect();
        crate::functions::call("array", items)
    }
}

impl<T: Operand, const N: usize> Operand for [T; N] {
    fn into_operand(self) -> Column {
        Vec::from(self).into_operand()
    }
}

fn whole_number(value: i128, long: bool) -> Expr {
    let number = Expr::value(Value::Number(value.unsigned_abs().to_string(), long));
    let number = match value < 0 {
        true => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number) },
        false => number,
    };
    match long {
        true => syntax::cast(number, DataType::BigInt(None)),
        false => number,
    }
}
