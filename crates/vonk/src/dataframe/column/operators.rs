//! Rust's operators on columns: arithmetic, `&` and `|` for AND and OR, `!` for NOT.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Rem, Sub};

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::super::literal::Operand;
use super::super::syntax;
use super::Column;

macro_rules! binary {
    ($($trait:ident $method:ident $operator:ident;)*) => {
        $(impl<T: Operand> $trait<T> for Column {
            type Output = Column;

            fn $method(self, other: T) -> Column {
                self.binary(BinaryOperator::$operator, other)
            }
        }

        impl<T: Operand> $trait<T> for &Column {
            type Output = Column;

            fn $method(self, other: T) -> Column {
                self.clone().binary(BinaryOperator::$operator, other)
            }
        })*
    };
}

binary! {
    Add add Plus;
    Sub sub Minus;
    Mul mul Multiply;
    Div div Divide;
    Rem rem Modulo;
    BitAnd bitand And;
    BitOr bitor Or;
}

/// A number on the left of a column, as in `1 + col("a")`.
macro_rules! number_first {
    ($($number:ty: $($trait:ident $method:ident),*;)*) => {
        $($(impl $trait<Column> for $number {
            type Output = Column;

            fn $method(self, other: Column) -> Column {
                self.into_operand().$method(other)
            }
        })*)*
    };
}

number_first! {
    i32: Add add, Sub sub, Mul mul, Div div, Rem rem;
    i64: Add add, Sub sub, Mul mul, Div div, Rem rem;
    f64: Add add, Sub sub, Mul mul, Div div, Rem rem;
}

impl Neg for Column {
    type Output = Column;

    fn neg(self) -> Column {
        self.map(|expr| unary(UnaryOperator::Minus, expr))
    }
}

impl Not for Column {
    type Output = Column;

    fn not(self) -> Column {
        self.map(|expr| unary(UnaryOperator::Not, expr))
    }
}

impl Column {
    pub(super) fn binary(self, op: BinaryOperator, other: impl Operand) -> Column {
        self.zip(other.into_operand(), |left, right| syntax::binary(left, op, right))
    }
}

fn unary(op: UnaryOperator, expr: Expr) -> Expr {
    Expr::UnaryOp { op, expr: Box::new(syntax::nested(expr)) }
}
