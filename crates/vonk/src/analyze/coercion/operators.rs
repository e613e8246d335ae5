//! Operands of different types: comparisons, lists, ranges, branches, and conditions.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::expr::{Between, BinaryExpr, Case, InList, Like};
use datafusion::logical_expr::{Expr, Operator};
use vonk_functions::arithmetic::Mode;
use vonk_functions::bounded_text::{BoundedText, filled};
use vonk_functions::coercion as matrix;
use vonk_functions::{Failure, types};

use super::{Rules, Scope, orderings, same_type};

impl Scope<'_> {
    /// One operator whose operands are cast already.
    pub(super) fn operator(&self, expr: Expr) -> DfResult<Expr> {
        match expr {
            Expr::BinaryExpr(binary) => self.binary(binary),
            Expr::InList(list) => self.in_list(list),
            Expr::Between(between) => self.between(between),
            Expr::Case(case) => self.case(case),
            Expr::Like(like) => Ok(Expr::Like(self.like(like)?)),
            Expr::SimilarTo(like) => Ok(Expr::SimilarTo(self.like(like)?)),
            Expr::Not(inner) => Ok(Expr::Not(Box::new(self.condition(*inner)?))),
            Expr::IsTrue(inner) => Ok(Expr::IsTrue(Box::new(self.condition(*inner)?))),
            Expr::IsFalse(inner) => Ok(Expr::IsFalse(Box::new(self.condition(*inner)?))),
            Expr::IsNotTrue(inner) => Ok(Expr::IsNotTrue(Box::new(self.condition(*inner)?))),
            Expr::IsNotFalse(inner) => Ok(Expr::IsNotFalse(Box::new(self.condition(*inner)?))),
            other => self.call(other),
        }
    }

    fn binary(&self, binary: BinaryExpr) -> DfResult<Expr> {
        let BinaryExpr { left, op, right } = binary;
        let (left_field, right_field) = (self.field(&left)?, self.field(&right)?);
        let mut sides = vec![*left, *right];
        if is_comparison(op) {
            sides = of_one_length(sides, &[&left_field, &right_field]);
        }
        let right = sides.pop().unwrap_or_default();
        let left = sides.pop().unwrap_or_default();
        let (left, right) = self.rules.operands((left, &left_field), op, (right, &right_field))?;
        Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
    }

    fn in_list(&self, list: InList) -> DfResult<Expr> {
        let InList { expr, list, negated } = list;
        let mut all = Vec::with_capacity(list.len() + 1);
        all.push(*expr);
        all.extend(list);
        let fields = all.iter().map(|expr| self.field(expr)).collect::<DfResult<Vec<_>>>()?;
        let fields: Vec<&Field> = fields.iter().map(AsRef::as_ref).collect();
        all = of_one_length(all, &fields);
        let mut all = self.comparable(all, "IN")?.into_iter();
        let expr = all.next().unwrap_or_default();
        Ok(Expr::InList(InList::new(Box::new(expr), all.collect(), negated)))
    }

    /// Values of one type that are compared to each other.
    fn comparable(&self, exprs: Vec<Expr>, by: &str) -> DfResult<Vec<Expr>> {
        let fields = exprs.iter().map(|expr| self.field(expr)).collect::<DfResult<Vec<_>>>()?;
        let mut others = fields.iter();
        let first = others.next().map(|field| field.as_ref().clone());
        let common = first.and_then(|first| {
            others.try_fold(first, |common, field| matrix::by_place(&common, field))
        });
        let all = match common {
            // Structs are compared by their places, whatever their fields are called.
            Some(common) => {
                let pairs = exprs.into_iter().zip(&fields);
                let cast = pairs.map(|(expr, field)| self.rules.cast(expr, field, &common));
                cast.collect::<DfResult<_>>()?
            }
            None => self.alike(exprs, by)?,
        };
        if let Some(first) = all.first() {
            orderings::compared(by, self.field(first)?.as_ref())?;
        }
        Ok(all)
    }

    fn between(&self, between: Between) -> DfResult<Expr> {
        let Between { expr, negated, low, high } = between;
        let mut all = self.comparable(vec![*expr, *low, *high], "BETWEEN")?.into_iter();
        let mut next = || Box::new(all.next().unwrap_or_default());
        Ok(Expr::Between(Between::new(next(), negated, next(), next())))
    }

    fn case(&self, case: Case) -> DfResult<Expr> {
        let Case { expr, when_then_expr, else_expr } = case;
        let (whens, thens): (Vec<_>, Vec<_>) = when_then_expr.into_iter().unzip();
        let mut whens: Vec<Expr> = whens.into_iter().map(|when| *when).collect();
        let operand = match expr {
            Some(operand) => {
                whens.insert(0, *operand);
                whens = self.comparable(whens, "CASE")?;
                Some(Box::new(whens.remove(0)))
            }
            None => {
                whens = whens.into_iter().map(|when| self.branch(when)).collect::<DfResult<_>>()?;
                None
            }
        };
        let has_else = else_expr.is_some();
        let results = thens.into_iter().chain(else_expr).map(|result| *result).collect();
        let mut results = self.alike(results, "CASE")?;
        let otherwise = has_else.then(|| results.pop()).flatten().map(Box::new);
        let pairs = whens.into_iter().zip(results);
        let pairs = pairs.map(|(when, then)| (Box::new(when), Box::new(then))).collect();
        Ok(Expr::Case(Case::new(operand, pairs, otherwise)))
    }

    fn like(&self, mut like: Like) -> DfResult<Like> {
        *like.expr = self.text(*like.expr)?;
        *like.pattern = self.text(*like.pattern)?;
        Ok(like)
    }

    fn text(&self, expr: Expr) -> DfResult<Expr> {
        let field = self.field(&expr)?;
        if field.data_type().is_string() {
            return Ok(expr);
        }
        self.rules.cast(expr, &field, &Field::new("", DataType::Utf8View, true))
    }

    /// The condition of a branch of CASE.
    fn branch(&self, when: Expr) -> DfResult<Expr> {
        let field = self.field(&when)?;
        if matches!(field.data_type(), DataType::Boolean) {
            return Ok(when);
        }
        if self.rules.mode != Mode::Ansi && field.data_type().is_string() {
            return self.condition(when);
        }
        let message = format!("WHEN is followed by a condition, not by {}", quoted(&field));
        Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", message)
            .hint("compare it with a value")
            .into())
    }

    /// What has to be true or false; text and NULL may be read as such.
    fn condition(&self, expr: Expr) -> DfResult<Expr> {
        let field = self.field(&expr)?;
        match field.data_type() {
            text if text.is_string() || text.is_null() => {
                self.rules.cast(expr, &field, &Field::new("", DataType::Boolean, true))
            }
            _ => Ok(expr),
        }
    }

    /// Expressions that have to have one type get it.
    pub(super) fn alike(&self, exprs: Vec<Expr>, place: &str) -> DfResult<Vec<Expr>> {
        let fields = exprs.iter().map(|expr| self.field(expr)).collect::<DfResult<Vec<_>>>()?;
        let is_one = fields.windows(2).all(|pair| same_type(&pair[0], &pair[1]));
        if is_one {
            return Ok(exprs);
        }
        let common = matrix::common_of(fields.iter().map(AsRef::as_ref), self.rules.mode);
        let Some(common) = common else { return Err(different(place, &fields).into()) };
        let pairs = exprs.into_iter().zip(&fields);
        pairs.map(|(expr, field)| self.rules.cast(expr, field, &common)).collect()
    }
}

/// Texts that are compared, of which one is a `CHAR(n)`: such columns and literals are filled up with
/// spaces to the length of the longest, as Spark does.
fn of_one_length(texts: Vec<Expr>, fields: &[&Field]) -> Vec<Expr> {
    let bounded = |field: &Field| match BoundedText::of(field) {
        Some(BoundedText::Char(length)) => Some(length),
        _ => None,
    };
    if !fields.iter().any(|field| bounded(field).is_some()) {
        return texts;
    }
    let length = |text: &Expr, field: &Field| match text {
        Expr::Literal(value, _) => {
            let literal = value.try_as_str().flatten()?;
            i32::try_from(literal.chars().count()).ok()
        }
        _ => bounded(field),
    };
    let lengths: Vec<Option<i32>> =
        texts.iter().zip(fields).map(|(text, field)| length(text, field)).collect();
    let longest = lengths.iter().flatten().copied().max().unwrap_or(0);
    let pairs = texts.into_iter().zip(lengths);
    let fill = |(text, own): (Expr, Option<i32>)| match own {
        Some(own) if own < longest => filled(text, longest),
        _ => text,
    };
    pairs.map(fill).collect()
}

/// An expression and its type.
type Operand<'a> = (Expr, &'a Field);

impl Rules {
    fn operands(
        &self,
        left: Operand<'_>,
        op: Operator,
        right: Operand<'_>,
    ) -> DfResult<(Expr, Expr)> {
        if is_comparison(op) {
            return self.compared(left, op, right);
        }
        let ((left, left_field), (right, right_field)) = (left, right);
        let cast = |expr, field: &Field, data_type| {
            self.cast(expr, field, &Field::new("", data_type, true))
        };
        let loose = |field: &Field| field.data_type().is_string() || field.data_type().is_null();
        match op {
            Operator::And | Operator::Or => {
                let left = if loose(left_field) {
                    cast(left, left_field, DataType::Boolean)?
                } else {
                    left
                };
                let right = if loose(right_field) {
                    cast(right, right_field, DataType::Boolean)?
                } else {
                    right
                };
                Ok((left, right))
            }
            Operator::BitwiseAnd | Operator::BitwiseOr | Operator::BitwiseXor => {
                match matrix::comparison(left_field, right_field, self.mode) {
                    Some(common) if common.data_type().is_integer() => Ok((
                        self.cast(left, left_field, &common)?,
                        self.cast(right, right_field, &common)?,
                    )),
                    _ => Ok((left, right)),
                }
            }
            Operator::StringConcat
                if !left_field.data_type().is_nested() && !right_field.data_type().is_nested() =>
            {
                let text = |expr, field: &Field| match field.data_type().is_string() {
                    true => Ok(expr),
                    false => cast(expr, field, DataType::Utf8View),
                };
                Ok((text(left, left_field)?, text(right, right_field)?))
            }
            _ => Ok((left, right)),
        }
    }

    fn compared(
        &self,
        left: Operand<'_>,
        op: Operator,
        right: Operand<'_>,
    ) -> DfResult<(Expr, Expr)> {
        let ((left, left_field), (right, right_field)) = (left, right);
        if same_type(left_field, right_field) {
            orderings::compared(&sign(op), left_field)?;
            return Ok((left, right));
        }
        let Some(common) = matrix::comparison(left_field, right_field, self.mode) else {
            let message = format!(
                "`{}` cannot compare {} with {}",
                sign(op),
                quoted(left_field),
                quoted(right_field)
            );
            let failure = Failure::new("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", message);
            return Err(failure.hint("cast one side to the type of the other").into());
        };
        orderings::compared(&sign(op), &common)?;
        Ok((self.cast(left, left_field, &common)?, self.cast(right, right_field, &common)?))
    }
}

/// Casts the sides of a comparison that the planner would refuse before [`super::resolve`] sees it.
pub(in crate::analyze) fn compared(
    left: (Expr, FieldRef),
    op: Operator,
    right: (Expr, FieldRef),
    mode: Mode,
) -> DfResult<(Expr, Expr)> {
    Rules { mode }.operands((left.0, &left.1), op, (right.0, &right.1))
}

/// An operator as it is written.
fn sign(op: Operator) -> String {
    match op {
        Operator::IsNotDistinctFrom => "<=>".to_owned(),
        op => op.to_string(),
    }
}

fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

fn quoted(field: &Field) -> String {
    format!("\"{}\"", types::sql_name(field))
}

fn different(place: &str, fields: &[FieldRef]) -> Failure {
    let names: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    let message = format!("the values of {place} have different types: {}", names.join(", "));
    Failure::new("DATATYPE_MISMATCH.DATA_DIFF_TYPES", message).hint("cast them to one type")
}
