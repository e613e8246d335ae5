//! Methods of columns: comparisons, predicates, casts, sort orders, windows.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CastKind, Expr, OrderByOptions, Subscript, WindowType,
};

use super::super::literal::Operand;
use super::super::syntax;
use super::super::window::WindowSpec;
use super::{Column, Node};
use crate::error::{Condition, Error};
use crate::functions;

/// Comparisons and other operators that Rust has no trait for.
macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $operator:ident;)*) => {
        impl Column {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(self, other: impl Operand) -> Column {
                self.binary(BinaryOperator::$operator, other)
            })*
        }
    };
}

comparisons! {
    /// Whether both are equal; NULL if one is NULL.
    eq Eq;
    /// Whether they differ; NULL if one is NULL.
    neq NotEq;
    /// Whether this is greater.
    gt Gt;
    /// Whether this is less.
    lt Lt;
    /// Whether this is greater or equal.
    geq GtEq;
    /// Whether this is less or equal.
    leq LtEq;
    /// Whether both hold.
    and And;
    /// Whether one of them holds.
    or Or;
    /// Whether both are equal or both NULL; never NULL.
    eq_null_safe Spaceship;
    /// The bits that both have.
    bitwise_and BitwiseAnd;
    /// The bits that one of them has.
    bitwise_or BitwiseOr;
    /// The bits that exactly one of them has.
    bitwise_xor BitwiseXor;
}

impl Column {
    /// Names the output.
    #[must_use]
    pub fn alias(self, name: &str) -> Column {
        self.change(|node| node.aliases = vec![syntax::ident(name)])
    }

    /// Names the outputs of a generator that gives several, as `posexplode`.
    #[must_use]
    pub fn aliases<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Column {
        let names = names.into_iter().map(|name| syntax::ident(name.as_ref())).collect();
        self.change(|node| node.aliases = names)
    }

    /// Whether it is NULL.
    #[must_use]
    pub fn is_null(self) -> Column {
        self.map(|expr| Expr::IsNull(Box::new(syntax::nested(expr))))
    }

    /// Whether it is not NULL.
    #[must_use]
    pub fn is_not_null(self) -> Column {
        self.map(|expr| Expr::IsNotNull(Box::new(syntax::nested(expr))))
    }

    /// Whether it is a floating-point NaN.
    #[must_use]
    pub fn is_nan(self) -> Column {
        functions::call("isnan", [self])
    }

    /// Whether it equals one of the values.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// assert_eq!(col("id").isin([1, 2]).to_string(), "`id` IN (1, 2)");
    /// ```
    #[must_use]
    pub fn isin(self, values: impl IntoIterator<Item = impl Operand>) -> Column {
        let values: Vec<Column> = values.into_iter().map(Operand::into_operand).collect();
        self.try_map(|expr| {
            let list = Column::exprs(&values)?;
            if list.is_empty() {
                return Ok(Expr::value(sqlparser::ast::Value::Boolean(false)));
            }
            Ok(Expr::InList { expr: Box::new(syntax::nested(expr)), list, negated: false })
        })
    }

    /// Whether it lies between two values, both included.
    #[must_use]
    pub fn between(self, low: impl Operand, high: impl Operand) -> Column {
        let (low, high) = (low.into_operand(), high.into_operand());
        self.try_map(|expr| {
            Ok(Expr::Between {
                expr: Box::new(syntax::nested(expr)),
                negated: false,
                low: Box::new(syntax::nested(low.expr()?)),
                high: Box::new(syntax::nested(high.expr()?)),
            })
        })
    }

    /// Whether text matches a pattern where `%` is any text and `_` any character.
    #[must_use]
    pub fn like(self, pattern: impl Operand) -> Column {
        self.zip(pattern.into_operand(), |expr, pattern| Expr::Like {
            negated: false,
            any: false,
            expr: Box::new(syntax::nested(expr)),
            pattern: Box::new(pattern),
            escape_char: None,
        })
    }

    /// As [`Column::like`], without regard to case.
    #[must_use]
    pub fn ilike(self, pattern: impl Operand) -> Column {
        self.zip(pattern.into_operand(), |expr, pattern| Expr::ILike {
            negated: false,
            any: false,
            expr: Box::new(syntax::nested(expr)),
            pattern: Box::new(pattern),
            escape_char: None,
        })
    }

    /// Whether a regular expression matches anywhere in the text.
    #[must_use]
    pub fn rlike(self, pattern: impl Operand) -> Column {
        functions::call("regexp_like", [self, pattern.into_operand()])
    }

    /// Whether the text contains another.
    #[must_use]
    pub fn contains(self, text: impl Operand) -> Column {
        functions::call("contains", [self, text.into_operand()])
    }

    /// Whether the text starts with another.
    #[must_use]
    pub fn starts_with(self, text: impl Operand) -> Column {
        functions::call("starts_with", [self, text.into_operand()])
    }

    /// Whether the text ends with another.
    #[must_use]
    pub fn ends_with(self, text: impl Operand) -> Column {
        functions::call("ends_with", [self, text.into_operand()])
    }

    /// The part of the text from a character, counted from 1, of at most `length` characters.
    #[must_use]
    pub fn substr(self, start: impl Operand, length: impl Operand) -> Column {
        functions::call("substring", [self, start.into_operand(), length.into_operand()])
    }

    /// Converts to a type by its SQL name; what does not fit is an error.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// assert_eq!(col("a").cast("decimal(10,2)").to_string(), "CAST(`a` AS DECIMAL(10,2))");
    /// ```
    #[must_use]
    pub fn cast(self, data_type: &str) -> Column {
        self.cast_as(CastKind::Cast, data_type)
    }

    /// Converts to a type by its SQL name; what does not fit becomes NULL.
    #[must_use]
    pub fn try_cast(self, data_type: &str) -> Column {
        self.cast_as(CastKind::TryCast, data_type)
    }

    /// As [`Column::cast`], but names of columns do not tell of it.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let text = Session::new().range(0, 1).select([col("id").cast_unnamed("string")]);
    /// assert_eq!(text.columns().await?, ["id"]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cast_unnamed(self, data_type: &str) -> Column {
        self.cast(data_type).map(syntax::unnamed_cast)
    }

    /// As [`Column::try_cast`], but names of columns do not tell of it.
    #[must_use]
    pub fn try_cast_unnamed(self, data_type: &str) -> Column {
        self.try_cast(data_type).map(syntax::unnamed_cast)
    }

    fn cast_as(self, kind: CastKind, name: &str) -> Column {
        self.try_map(|expr| {
            let data_type = syntax::data_type(name)?;
            let expr = Box::new(expr);
            Ok(Expr::Cast { kind, expr, data_type, array: false, format: None })
        })
    }

    /// Sorts ascending, NULL first.
    #[must_use]
    pub fn asc(self) -> Column {
        self.ordered(true, true)
    }

    /// Sorts descending, NULL last.
    #[must_use]
    pub fn desc(self) -> Column {
        self.ordered(false, false)
    }

    /// Sorts ascending, NULL first.
    #[must_use]
    pub fn asc_nulls_first(self) -> Column {
        self.ordered(true, true)
    }

    /// Sorts ascending, NULL last.
    #[must_use]
    pub fn asc_nulls_last(self) -> Column {
        self.ordered(true, false)
    }

    /// Sorts descending, NULL first.
    #[must_use]
    pub fn desc_nulls_first(self) -> Column {
        self.ordered(false, true)
    }

    /// Sorts descending, NULL last.
    #[must_use]
    pub fn desc_nulls_last(self) -> Column {
        self.ordered(false, false)
    }

    fn ordered(self, asc: bool, nulls_first: bool) -> Column {
        let order = OrderByOptions { asc: Some(asc), nulls_first: Some(nulls_first) };
        self.change(|node| node.order = Some(order))
    }

    /// Computes an aggregate or window function over a window.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # use vonk::{Window, functions as f};
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let w = Window::order_by(["id"]);
    /// let rows = Session::new().range(0, 3).with_column("n", f::row_number().over(&w));
    /// assert_eq!(rows.columns().await?, ["id", "n"]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn over(self, window: &WindowSpec) -> Column {
        let window = window.clone();
        self.try_map(|expr| match expr {
            Expr::Function(mut function) => {
                function.over = Some(WindowType::WindowSpec(window.syntax()?));
                Ok(Expr::Function(function))
            }
            other => Err(Error::new(
                Condition::INVALID_PARAMETER,
                format!("`{other}` has no window: only a call of a function has one"),
            )
            .hint("put `over` directly behind the function")),
        })
    }

    /// The next case of [`crate::functions::when`].
    #[must_use]
    pub fn when(self, condition: impl Into<Column>, value: impl Operand) -> Column {
        let (condition, value) = (condition.into(), value.into_operand());
        self.try_map(|expr| match expr {
            Expr::Case { case_token, end_token, operand, mut conditions, else_result: None } => {
                let (condition, result) = (condition.expr()?, value.expr()?);
                conditions.push(CaseWhen { condition, result });
                Ok(Expr::Case { case_token, end_token, operand, conditions, else_result: None })
            }
            other => Err(no_case(&other, "when")),
        })
    }

    /// The value where no case of [`crate::functions::when`] holds; NULL without it.
    #[must_use]
    pub fn otherwise(self, value: impl Operand) -> Column {
        let value = value.into_operand();
        self.try_map(|expr| match expr {
            Expr::Case { case_token, end_token, operand, conditions, else_result: None } => {
                let else_result = Some(Box::new(value.expr()?));
                Ok(Expr::Case { case_token, end_token, operand, conditions, else_result })
            }
            other => Err(no_case(&other, "otherwise")),
        })
    }

    /// The item of an array by position, or of a map by key, as `[…]` in SQL.
    #[must_use]
    pub fn get_item(self, key: impl Operand) -> Column {
        self.zip(key.into_operand(), |root, index| {
            access(root, AccessExpr::Subscript(Subscript::Index { index }))
        })
    }

    /// The field of a struct.
    #[must_use]
    pub fn get_field(self, name: &str) -> Column {
        let name = Expr::Identifier(syntax::ident(name));
        self.map(|root| access(root, AccessExpr::Dot(name)))
    }

    fn change(mut self, change: impl FnOnce(&mut Node)) -> Column {
        if let Ok(node) = &mut self.node {
            change(node);
        }
        self
    }
}

fn access(root: Expr, step: AccessExpr) -> Expr {
    match root {
        Expr::CompoundFieldAccess { root, mut access_chain } => {
            access_chain.push(step);
            Expr::CompoundFieldAccess { root, access_chain }
        }
        root => Expr::CompoundFieldAccess { root: Box::new(root), access_chain: vec![step] },
    }
}

fn no_case(expr: &Expr, method: &str) -> Error {
    Error::new(Condition::INVALID_PARAMETER, format!("`{method}` cannot follow `{expr}`"))
        .hint("begin with `functions::when(condition, value)`; `otherwise` comes last")
}
