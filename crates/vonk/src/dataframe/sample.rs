//! Samples and splits by chance.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::LogicalPlan;
use sqlparser::ast::{
    BinaryOperator, Expr, OrderByExpr, OrderByOptions, Value, WindowSpec, WindowType,
};

use super::DataFrame;
use super::column::Column;
use super::syntax::{self, Select};
use crate::error::{Condition, Error, Result};
use crate::functions;
use crate::session::Session;

/// The name of the column that tells equal rows apart.
const OCCURRENCE: &str = "__occurrence";

/// The name of the column that tells the copies of a row apart.
const COPY: &str = "__copy";

/// The share of rows that would be drawn more often than is counted.
const RARE: f64 = 1e-12;

/// How often a row is drawn at most.
const DRAWS_MAX: u32 = 200;

/// The mean number of draws for which [`DRAWS_MAX`] is out of reach.
const MEAN_MAX: f64 = 50.0;

/// Lots are drawn from the numbers below this.
const LOTS: i64 = 1 << 52;

impl DataFrame {
    /// Keeps about this share of the rows, without putting any back.
    ///
    /// With a seed, the same rows are drawn from the same data, whatever threads and files hold
    /// them; without one, others every time.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let tenth = Session::new().range(0, 10_000).sample(0.1, Some(7));
    /// let rows = tenth.count().await?;
    /// assert!((800..1200).contains(&rows));
    /// assert_eq!(tenth.count().await?, rows);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn sample(&self, fraction: f64, seed: Option<u64>) -> Self {
        self.derive(move |plan, session| {
            if !(0.0..=1.0).contains(&fraction) {
                return Err(Error::new(
                    Condition::INVALID_PARAMETER,
                    format!("`{fraction}` is no share of the rows"),
                )
                .hint("give a number from 0 to 1"));
            }
            match seed {
                Some(seed) => draw(plan, seed, (0.0, fraction), session),
                None => {
                    let list = syntax::all_items(plan.schema());
                    let share = super::column::lit(fraction).expr()?;
                    let lot = syntax::call("random", Vec::new());
                    let drawn = syntax::binary(lot, BinaryOperator::Lt, share);
                    Select::over(&[plan], list)?.filter(drawn).plan(session)
                }
            }
        })
    }

    /// Draws rows and puts them back: about this share of them, some of them several times.
    ///
    /// With a seed, the same rows are drawn from the same data, whatever threads and files hold them.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let drawn = Session::new().range(0, 10_000).sample_with_replacement(0.5, Some(7));
    /// assert!((4700..5300).contains(&drawn.count().await?));
    /// assert!(drawn.distinct().count().await? < drawn.count().await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The action fails with `INVALID_PARAMETER_VALUE` for a share below 0 or above 50.
    #[must_use]
    pub fn sample_with_replacement(&self, fraction: f64, seed: Option<u64>) -> Self {
        let seed = seed.unwrap_or_else(rand::random);
        self.derive(move |plan, session| {
            if !(0.0..=MEAN_MAX).contains(&fraction) {
                return Err(Error::new(
                    Condition::INVALID_PARAMETER,
                    format!("`{fraction}` is no share of the rows to draw with replacement"),
                )
                .hint("give a number from 0 to 50"));
            }
            draw_often(plan, seed, fraction, session)
        })
    }

    /// The rows whose lot, which the seed and their values give them, lies in a part of all lots.
    ///
    /// Samples of one seed whose parts do not meet have no row in common.
    #[must_use]
    pub fn sample_between(&self, start: f64, end: f64, seed: u64) -> Self {
        self.derive(move |plan, session| draw(plan, seed, (start, end), session))
    }

    /// Splits the rows by chance in proportion to the weights; each row is in exactly one part.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let parts = Session::new().range(0, 1000).random_split(&[3.0, 1.0], Some(7));
    /// assert_eq!(parts[0].count().await? + parts[1].count().await?, 1000);
    /// # Ok(()) }
    /// ```
    pub fn random_split(&self, weights: &[f64], seed: Option<u64>) -> Vec<DataFrame> {
        let seed = seed.unwrap_or_else(rand::random);
        let total: f64 = weights.iter().sum();
        let valid = total > 0.0 && weights.iter().all(|weight| *weight >= 0.0);
        let mut start = 0.0;
        let mut parts = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let is_last = index + 1 == weights.len();
            let end = if is_last { 1.0 } else { start + weight / total };
            parts.push(self.derive(move |plan, session| match valid {
                true => draw(plan, seed, (start, end), session),
                false => Err(Error::new(
                    Condition::INVALID_PARAMETER,
                    "the weights must be positive numbers",
                )),
            }));
            start = end;
        }
        parts
    }
}

/// The rows whose lot falls between two shares.
fn draw(
    plan: LogicalPlan,
    seed: u64,
    (start, end): (f64, f64),
    session: &Session,
) -> Result<LogicalPlan> {
    let items = syntax::all_items(plan.schema());
    let lot = lot(plan.schema(), seed);
    let plan = numbered(plan, session)?;
    let above = syntax::binary(lot.clone(), BinaryOperator::GtEq, share(start));
    let below = syntax::binary(lot, BinaryOperator::Lt, share(end));
    let between = syntax::binary(above, BinaryOperator::And, below);
    Select::over(&[plan], items)?.filter(between).plan(session)
}

/// The lot of a row: the hash of the row, its number among equal rows and the seed, so that it
/// depends on nothing but the data.
fn lot(schema: &DFSchema, seed: u64) -> Expr {
    let hashable = schema.iter().map(|(table, field)| {
        let column = syntax::field(table, field.name());
        match is_hashable(field.data_type()) {
            true => column,
            false => syntax::cast(column, sqlparser::ast::DataType::String(None)),
        }
    });
    let mut hashed = vec![syntax::number(seed >> 1), Expr::Identifier(syntax::ident(OCCURRENCE))];
    hashed.extend(hashable);
    let hash = syntax::call("xxhash64", hashed);
    syntax::binary(hash, BinaryOperator::BitwiseAnd, syntax::number(LOTS - 1))
}

/// The lots below a share of all.
fn share(share: f64) -> Expr {
    syntax::number((share * LOTS as f64) as i64)
}

/// Every row as often as its lot says, when it is drawn `mean` times on average.
fn draw_often(plan: LogicalPlan, seed: u64, mean: f64, session: &Session) -> Result<LogicalPlan> {
    let items = syntax::all_items(plan.schema());
    let lot = lot(plan.schema(), seed);
    let plan = numbered(plan, session)?;
    // The shares of rows that are drawn at most 0, 1, 2, … times are those of Poisson.
    let mut times = Column::of(syntax::number(0));
    let (mut exactly, mut at_most, mut number) = ((-mean).exp(), (-mean).exp(), 0_u32);
    while at_most < 1.0 - RARE && number < DRAWS_MAX {
        let above = syntax::binary(lot.clone(), BinaryOperator::GtEq, share(at_most));
        let more = functions::when(Column::of(above), 1).otherwise(0);
        times = times + more;
        number += 1;
        exactly *= mean / f64::from(number);
        at_most += exactly;
    }
    let copies = functions::call("array_repeat", [Column::of(syntax::number(0)), times]);
    let mut repeated = items.clone();
    repeated.push(syntax::item_as(functions::call("explode", [copies]).expr()?, COPY));
    let plan = Select::over(&[plan], repeated)?.plan(session)?;
    Select::over(&[plan], items)?.plan(session)
}

/// The plan with a column that numbers equal rows, so that no two rows are equal.
fn numbered(plan: LogicalPlan, session: &Session) -> Result<LogicalPlan> {
    let columns =
        plan.schema().iter().map(|(table, field)| syntax::field(table, field.name())).collect();
    let number = sqlparser::ast::DataType::BigInt(None);
    let mut items = syntax::all_items(plan.schema());
    items.push(syntax::item_as(syntax::cast(occurrence(columns), number), OCCURRENCE));
    Select::over(&[plan], items)?.plan(session)
}

/// Whether the hash function takes values of this type as they are.
fn is_hashable(data_type: &DataType) -> bool {
    data_type.is_signed_integer()
        || data_type.is_string()
        || data_type.is_nested()
        || matches!(
            data_type,
            DataType::Boolean
                | DataType::Float32
                | DataType::Float64
                | DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Decimal128(..)
                | DataType::Binary
        )
}

/// The number of a row among those equal to it.
fn occurrence(columns: Vec<Expr>) -> Expr {
    // Rows that are equal have no order, and a row number needs one to be written.
    let order = OrderByExpr {
        expr: Expr::value(Value::Number("1".to_owned(), false)),
        options: OrderByOptions { asc: None, nulls_first: None },
        with_fill: None,
    };
    let window = WindowSpec {
        window_name: None,
        partition_by: columns,
        order_by: vec![order],
        window_frame: None,
    };
    match syntax::call("row_number", Vec::new()) {
        Expr::Function(mut function) => {
            function.over = Some(WindowType::WindowSpec(window));
            Expr::Function(function)
        }
        other => other,
    }
}
