//! The names of columns that have no alias: an expression as Spark words it.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use sqlparser::ast::{self, Expr, Ident, UnaryOperator, Value};

use self::functions::function_name;
use self::literals::{interval_name, number_name, typed_name, value_name};
use self::types::type_name;
use super::{type_functions, variables};

mod functions;
mod literals;
mod moments;
mod types;
mod windows;

/// What names within an expression stand for, which decides how they are worded.
pub(super) trait Paths {
    /// The words for a column or a field of one, named by `parts`.
    fn word(&self, parts: &[Ident]) -> String;

    /// The words for the columns that a query within the expression takes from the one around it.
    fn outer_columns(&self, query: &ast::Query) -> String;

    /// The words for the columns that a star among the arguments of a call stands for.
    fn star(&self, _argument: &ast::FunctionArg) -> Option<Vec<String>> {
        None
    }

    /// The name that the program gave to a function of its own, with its capitals.
    fn function(&self, _name: &str) -> Option<String> {
        None
    }

    /// The type of a column, if it is known.
    fn column_type(&self, _parts: &[Ident]) -> Option<DataType> {
        None
    }
}

/// Words expressions; `lambdas` are the parameters of the functions that it is in.
pub(super) struct Namer<'a> {
    paths: &'a dyn Paths,
    lambdas: Vec<String>,
}

/// Spark's name for an expression without an alias: `count(1)`, `(a + 1)`, `sum(DISTINCT x)`.
pub(super) fn name_of(expr: &Expr, paths: &dyn Paths) -> String {
    Namer { paths, lambdas: Vec::new() }.name(expr)
}

impl Namer<'_> {
    /// The words for one expression.
    fn name(&self, expr: &Expr) -> String {
        match expr {
            Expr::Identifier(ident) => self.path(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(parts) => self.path(parts),
            Expr::Nested(inner) => self.name(inner),
            Expr::Value(value) => value_name(&value.value),
            Expr::Prefixed { .. } | Expr::TypedString(_) => typed_name(expr),
            Expr::Interval(interval) => interval_name(interval),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::Cast { array: true, expr, .. } => self.name(expr),
            Expr::Cast { .. } => self.cast(expr),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Function(function) => match type_functions::cast_of(function) {
                Some((operand, _)) => self.name(operand),
                None => function_name(self, function),
            },
            Expr::Lambda(lambda) => self.lambda(lambda),
            Expr::Subquery(query) => format!("scalarsubquery({})", self.paths.outer_columns(query)),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Expr::Tuple(items) => self.tuple(items),
            Expr::Struct { values, .. } => {
                let values = values.iter().map(|value| match value {
                    Expr::Named { expr, name } => format!("{} AS {}", self.name(expr), name.value),
                    other => self.name(other),
                });
                format!("struct({})", values.collect::<Vec<_>>().join(", "))
            }
            Expr::Ceil { expr, field } => self.rounded("ceil", expr, field),
            Expr::Floor { expr, field } => self.rounded("floor", expr, field),
            _ => self
                .predicate(expr)
                .or_else(|| self.special_form(expr))
                .unwrap_or_else(|| expr.to_string()),
        }
    }

    fn names(&self, list: &[Expr]) -> String {
        list.iter().map(|expr| self.name(expr)).collect::<Vec<_>>().join(", ")
    }

    fn path(&self, parts: &[Ident]) -> String {
        let Some((first, rest)) = parts.split_first() else { return String::new() };
        if let Some(word) = variables::word(first) {
            return word;
        }
        if self.lambdas.iter().any(|name| first.value.eq_ignore_ascii_case(name)) {
            let fields = rest.iter().map(|field| format!(".{}", field.value));
            return format!("namedlambdavariable(){}", fields.collect::<String>());
        }
        self.paths.word(parts)
    }

    fn binary(&self, left: &Expr, op: &ast::BinaryOperator, right: &Expr) -> String {
        use ast::BinaryOperator as Op;
        if let Some(name) = moments::shifted_name(self, left, op, right) {
            return name;
        }
        // An interval comes before what it is multiplied by.
        let is_swapped = *op == Op::Multiply
            && !moments::is_interval(self, left)
            && moments::is_interval(self, right);
        let (left, right) = if is_swapped { (right, left) } else { (left, right) };
        let (left, right) = (self.name(left), self.name(right));
        match op {
            Op::NotEq => format!("(NOT ({left} = {right}))"),
            Op::Spaceship => format!("({left} <=> {right})"),
            Op::StringConcat => format!("concat({left}, {right})"),
            Op::MyIntegerDivide | Op::DuckIntegerDivide => format!("({left} div {right})"),
            Op::PGBitwiseShiftLeft => format!("({left} << {right})"),
            Op::PGBitwiseShiftRight => format!("({left} >> {right})"),
            Op::Regexp | Op::Match => format!("RLIKE({left}, {right})"),
            op => format!(
                "({left} {} {right})",
                if op.to_string() == "==" { "=".to_owned() } else { op.to_string() }
            ),
        }
    }

    fn unary(&self, op: UnaryOperator, operand: &Expr) -> String {
        match (op, operand) {
            (UnaryOperator::Minus, Expr::Value(value)) if is_number(&value.value) => {
                let digits = value_name(&value.value);
                // There is no zero with a sign, but among doubles.
                let is_zero = !digits.contains('E') && digits.chars().all(|c| c == '0' || c == '.');
                if is_zero { digits } else { format!("-{digits}") }
            }
            (UnaryOperator::Minus, Expr::Cast { expr, .. }) if is_suffixed(expr) => {
                format!("-{}", self.name(operand))
            }
            (UnaryOperator::Minus, _) => format!("(- {})", self.name(operand)),
            (UnaryOperator::Plus, _) => format!("(+ {})", self.name(operand)),
            (UnaryOperator::BitwiseNot, _) => format!("~{}", self.name(operand)),
            (UnaryOperator::Not | UnaryOperator::BangNot, _) => {
                format!("(NOT {})", self.name(operand))
            }
            (op, _) => format!("({op} {})", self.name(operand)),
        }
    }

    /// A number with its type, as in `1L`, is a CAST by now, and so is `int(a)` to Spark.
    fn cast(&self, cast: &Expr) -> String {
        let Expr::Cast { kind, expr, data_type, .. } = cast else { return cast.to_string() };
        if is_suffixed(expr) {
            return number_name(&self.name(expr), Some(data_type));
        }
        // Spark words no casts to types of several parts, which its SQL did not have once.
        if matches!(data_type, ast::DataType::Array(_) | ast::DataType::Map(..))
            || matches!(data_type, ast::DataType::Struct(..))
        {
            return self.name(expr);
        }
        let word = match kind {
            ast::CastKind::TryCast | ast::CastKind::SafeCast => "TRY_CAST",
            _ => "CAST",
        };
        format!("{word}({} AS {})", self.name(expr), type_name(data_type))
    }

    fn case(
        &self,
        operand: Option<&Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&Expr>,
    ) -> String {
        let mut name = "CASE".to_owned();
        for when in conditions {
            let condition = self.name(&when.condition);
            let condition = match operand {
                Some(operand) => format!("({} = {condition})", self.name(operand)),
                None => condition,
            };
            name += &format!(" WHEN {condition} THEN {}", self.name(&when.result));
        }
        if let Some(otherwise) = otherwise {
            name += &format!(" ELSE {}", self.name(otherwise));
        }
        name + " END"
    }

    fn lambda(&self, lambda: &ast::LambdaFunction) -> String {
        let params: Vec<&ast::LambdaFunctionParameter> = match &lambda.params {
            ast::OneOrManyWithParens::One(param) => vec![param],
            ast::OneOrManyWithParens::Many(params) => params.iter().collect(),
        };
        let mut lambdas = self.lambdas.clone();
        lambdas.extend(params.iter().map(|param| param.name.value.clone()));
        let inner = Namer { paths: self.paths, lambdas };
        let variables = ", namedlambdavariable()".repeat(params.len());
        format!("lambdafunction({}{variables})", inner.name(&lambda.body))
    }

    /// `list[0]`, `map['key']`, `f(x).field`.
    fn access(&self, root: &Expr, chain: &[ast::AccessExpr]) -> String {
        let mut parts = match root {
            Expr::Identifier(ident) => vec![ident.clone()],
            Expr::CompoundIdentifier(parts) => parts.clone(),
            _ => Vec::new(),
        };
        let fields = if parts.is_empty() { 0 } else { leading_fields(chain, &mut parts) };
        let mut name = if parts.is_empty() { self.name(root) } else { self.path(&parts) };
        let mut owner = self.paths.column_type(&parts).filter(|_| !parts.is_empty());
        for access in &chain[fields..] {
            let of = owner.take();
            name += &match access {
                // A field of a struct, however it is written.
                ast::AccessExpr::Subscript(ast::Subscript::Index { index: Expr::Value(field) })
                    if let (Some(DataType::Struct(known)), Some(field)) =
                        (&of, text_of(&field.value)) =>
                {
                    let is_it = |known: &&FieldRef| known.name().eq_ignore_ascii_case(field);
                    owner = known.iter().find(is_it).map(|known| known.data_type().clone());
                    format!(".{field}")
                }
                ast::AccessExpr::Dot(Expr::Identifier(field)) => format!(".{}", field.value),
                ast::AccessExpr::Dot(field) => format!(".{field}"),
                ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => {
                    format!("[{}]", self.name(index))
                }
                ast::AccessExpr::Subscript(other) => format!("[{other}]"),
            };
        }
        name
    }

    /// `(a, b)` is a struct of fields called `a` and `b`; what has no name is called by its number.
    fn tuple(&self, items: &[Expr]) -> String {
        let fields = items.iter().enumerate().map(|(at, item)| {
            let name = match item {
                Expr::Identifier(ident) => ident.value.clone(),
                Expr::CompoundIdentifier(parts) if !parts.is_empty() => {
                    parts[parts.len() - 1].value.clone()
                }
                _ => format!("col{}", at + 1),
            };
            format!("{name}, {}", self.name(item))
        });
        format!("named_struct({})", fields.collect::<Vec<_>>().join(", "))
    }

    fn rounded(&self, function: &str, expr: &Expr, field: &ast::CeilFloorKind) -> String {
        match field {
            ast::CeilFloorKind::Scale(scale) => {
                format!("{function}({}, {})", self.name(expr), value_name(&scale.value))
            }
            ast::CeilFloorKind::DateTimeField(_) => {
                format!("{}({})", function.to_uppercase(), self.name(expr))
            }
        }
    }

    /// What is true, false or NULL.
    fn predicate(&self, expr: &Expr) -> Option<String> {
        Some(match expr {
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => {
                format!("({} IS NULL)", self.name(inner))
            }
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => {
                format!("({} IS NOT NULL)", self.name(inner))
            }
            Expr::IsTrue(inner) => format!("({} <=> true)", self.name(inner)),
            Expr::IsNotTrue(inner) => format!("(NOT ({} <=> true))", self.name(inner)),
            Expr::IsFalse(inner) => format!("({} <=> false)", self.name(inner)),
            Expr::IsNotFalse(inner) => format!("(NOT ({} <=> false))", self.name(inner)),
            Expr::IsDistinctFrom(left, right) => {
                format!("(NOT ({} <=> {}))", self.name(left), self.name(right))
            }
            Expr::IsNotDistinctFrom(left, right) => {
                format!("({} <=> {})", self.name(left), self.name(right))
            }
            Expr::InList { expr, list, negated } => {
                negate(format!("({} IN ({}))", self.name(expr), self.names(list)), *negated)
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let value = match &**expr {
                    Expr::Tuple(items) => format!("({})", self.tuple(items)),
                    other => self.name(other),
                };
                let columns = self.paths.outer_columns(subquery);
                negate(format!("({value} IN (listquery({columns})))"), *negated)
            }
            Expr::Exists { subquery, negated } => {
                negate(format!("exists({})", self.paths.outer_columns(subquery)), *negated)
            }
            Expr::Between { expr, negated, low, high } => {
                let bounds = [expr, low, high].map(|expr| self.name(expr)).join(", ");
                negate(format!("between({bounds})"), *negated)
            }
            Expr::Like { negated, any, expr, pattern, escape_char } => {
                let name = match any {
                    true => format!("likeany({})", self.name(expr)),
                    false => self.like(expr, pattern, escape_char.as_ref()),
                };
                negate(name, *negated)
            }
            Expr::ILike { negated, expr, pattern, .. } => {
                negate(format!("ilike({}, {})", self.name(expr), self.name(pattern)), *negated)
            }
            Expr::RLike { negated, expr, pattern, .. } => {
                negate(format!("RLIKE({}, {})", self.name(expr), self.name(pattern)), *negated)
            }
            _ => return None,
        })
    }

    fn like(&self, expr: &Expr, pattern: &Expr, escape: Option<&ast::ValueWithSpan>) -> String {
        let escape = escape.map(|escape| value_name(&escape.value)).filter(|escape| escape != "\\");
        let escape = escape.map(|escape| format!(" ESCAPE '{escape}'")).unwrap_or_default();
        format!("{} LIKE {}{escape}", self.name(expr), self.name(pattern))
    }

    /// Calls whose arguments have words between them.
    fn special_form(&self, expr: &Expr) -> Option<String> {
        let number = |expr: &Option<Box<Expr>>, default: &str| {
            expr.as_ref().map_or_else(|| default.to_owned(), |expr| self.name(expr))
        };
        Some(match expr {
            Expr::Extract { field, expr, .. } => {
                format!("extract({field} FROM {})", self.name(expr))
            }
            Expr::Substring { expr, substring_from, substring_for, shorthand, special } => {
                let function = if *shorthand && *special { "substr" } else { "substring" };
                let from = number(substring_from, "1");
                let length = number(substring_for, &i32::MAX.to_string());
                format!("{function}({}, {from}, {length})", self.name(expr))
            }
            Expr::Position { expr, r#in } => {
                format!("locate({}, {}, 1)", self.name(expr), self.name(r#in))
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let parts = [expr, overlay_what, overlay_from].map(|part| self.name(part));
                format!("overlay({}, {})", parts.join(", "), number(overlay_for, "-1"))
            }
            Expr::Trim { trim_where, trim_what, expr, .. } => {
                let side = trim_where.map_or("BOTH".to_owned(), |side| side.to_string());
                let text = self.name(expr);
                match (trim_what, side.as_str()) {
                    (Some(what), side) => format!("TRIM({side} {} FROM {text})", self.name(what)),
                    (None, "LEADING") => format!("ltrim({text})"),
                    (None, "TRAILING") => format!("rtrim({text})"),
                    (None, _) => format!("trim({text})"),
                }
            }
            Expr::Collate { expr, collation } => {
                format!("collate({}, {collation})", self.name(expr))
            }
            _ => return None,
        })
    }
}

/// Moves the fields at the beginning of a chain to the name before them, and says how many.
pub(super) fn leading_fields(chain: &[ast::AccessExpr], parts: &mut Vec<Ident>) -> usize {
    let fields = chain.iter().map_while(|access| match access {
        ast::AccessExpr::Dot(Expr::Identifier(field)) => Some(field.clone()),
        _ => None,
    });
    let before = parts.len();
    parts.extend(fields);
    parts.len() - before
}

/// Whether a number was written with its type, as in `1L`; a CAST gives it that type.
fn is_suffixed(expr: &Expr) -> bool {
    match expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            matches!(**expr, Expr::Value(_)) && is_suffixed(expr)
        }
        Expr::Value(value) => {
            matches!(value.value, Value::Number(_, true) | Value::DollarQuotedString(_))
        }
        _ => false,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text),
        _ => None,
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Number(..))
}

fn negate(name: String, negated: bool) -> String {
    if negated { format!("(NOT {name})") } else { name }
}

#[cfg(test)]
mod tests {
    use super::{Paths, name_of};
    use sqlparser::ast::{Ident, Query, SelectItem};

    struct Written;

    impl Paths for Written {
        fn word(&self, parts: &[Ident]) -> String {
            parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".")
        }

        fn outer_columns(&self, _query: &Query) -> String {
            String::new()
        }
    }

    #[test]
    fn names_are_those_of_spark() {
        let cases = [
            ("count(*)", "count(1)"),
            ("a + 1", "(a + 1)"),
            ("SUM(DISTINCT x)", "sum(DISTINCT x)"),
            ("-1", "-1"),
            ("1L", "1"),
            ("2.50BD", "2.50"),
            ("CAST(1 AS BIGINT)", "CAST(1 AS BIGINT)"),
            ("-a", "(- a)"),
            ("'text'", "text"),
            ("NOT a", "(NOT a)"),
            ("CAST(a AS INT)", "CAST(a AS INT)"),
            ("CASE WHEN a > 1 THEN 'x' ELSE 'y' END", "CASE WHEN (a > 1) THEN x ELSE y END"),
            ("a IN (1, 2)", "(a IN (1, 2))"),
            ("a IS NULL", "(a IS NULL)"),
            ("a <> 1", "(NOT (a = 1))"),
            ("a == 1", "(a = 1)"),
            ("a || b", "concat(a, b)"),
            ("1e10", "1.0E10"),
            ("0.5D", "0.5"),
            ("-2D", "-2.0"),
            ("CAST(1e2 AS INT)", "CAST(100.0 AS INT)"),
            ("CAST(-1L AS STRING)", "CAST(-1 AS STRING)"),
            ("CAST(a AS decimal(10, 2))", "CAST(a AS DECIMAL(10,2))"),
            ("DATE '2024-02-29'", "DATE '2024-02-29'"),
            ("round(a)", "round(a, 0)"),
            ("xs[0]", "xs[0]"),
            (
                "transform(xs, x -> x + 1)",
                "transform(xs, lambdafunction((namedlambdavariable() + 1), namedlambdavariable()))",
            ),
            (
                "rank() OVER (PARTITION BY a ORDER BY b DESC)",
                "RANK() OVER (PARTITION BY a ORDER BY b DESC NULLS LAST \
                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
            ),
            ("sum(a) FILTER (WHERE a > 1)", "sum(a) FILTER (WHERE (a > 1))"),
        ];
        for (text, name) in cases {
            let item = crate::sql::parse_select_item(text).unwrap();
            let SelectItem::UnnamedExpr(expr) = item else { panic!("`{text}` has an alias") };
            assert_eq!(name_of(&expr, &Written), name, "{text}");
        }
    }
}
