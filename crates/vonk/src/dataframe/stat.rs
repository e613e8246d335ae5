//! Statistics of columns: describe, summary, correlation, covariance, cross tables.

use arrow::datatypes::DataType;
use sqlparser::ast::{CastKind, Expr};

use super::DataFrame;
use super::column::{Column, col, columns, lit};
use super::syntax::{self, Select};
use crate::error::{Error, Result};
use crate::functions;

/// What `describe` computes.
const DESCRIBE: [&str; 5] = ["count", "mean", "stddev", "min", "max"];

/// What `summary` computes.
const SUMMARY: [&str; 8] = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];

impl DataFrame {
    /// Count, mean, standard deviation, smallest and largest value of columns, as text; of all
    /// columns of numbers and text if none are named.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let figures = Session::new().range(1, 4).describe(["id"]);
    /// let rows: Vec<(String, String)> = figures.rows().await?;
    /// assert_eq!(rows[0], ("count".to_owned(), "3".to_owned()));
    /// assert_eq!(rows[1], ("mean".to_owned(), "2.0".to_owned()));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn describe<C: Into<Column>>(&self, names: impl IntoIterator<Item = C>) -> Self {
        self.figures(columns(names), DESCRIBE.map(str::to_owned).to_vec())
    }

    /// As [`DataFrame::describe`] of all columns, with about the quartiles.
    #[must_use]
    pub fn summary(&self) -> Self {
        self.summary_of(SUMMARY)
    }

    /// Chosen figures of all columns: those of [`DataFrame::summary`], `count_distinct`,
    /// `approx_count_distinct`, and quantiles such as `10%`.
    #[must_use]
    pub fn summary_of<N: Into<String>>(&self, figures: impl IntoIterator<Item = N>) -> Self {
        self.figures(Vec::new(), figures.into_iter().map(Into::into).collect())
    }

    /// Pearson's correlation of two columns; `None` if it is not defined.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn corr(&self, x: &str, y: &str) -> Result<Option<f64>> {
        self.figure(functions::corr(doubled(x), doubled(y))).await
    }

    /// The covariance of the sample of two columns; `None` if it is not defined.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn cov(&self, x: &str, y: &str) -> Result<Option<f64>> {
        self.figure(functions::covar_samp(doubled(x), doubled(y))).await
    }

    /// About the values of a column below which these shares of its values lie.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn approx_quantile(&self, column: &str, shares: &[f64]) -> Result<Vec<Option<f64>>> {
        let mut quantiles = Vec::with_capacity(shares.len());
        for share in shares {
            let quantile = functions::percentile_approx(doubled(column), lit(*share));
            quantiles.push(self.figure(quantile).await?);
        }
        Ok(quantiles)
    }

    /// How often each pair of values of two columns occurs: a row per value of the first, a column
    /// per value of the second. It reads the second column's values at once.
    ///
    /// # Errors
    /// Those of [`DataFrame::collect`].
    pub async fn crosstab(&self, row: &str, column: &str) -> Result<Self> {
        let label = |name: &str| functions::coalesce([col(name).cast("string"), lit("null")]);
        let values = self.select([label(column).alias("value")]).distinct().order_by(["value"]);
        let values: Vec<(String,)> = values.rows().await?;
        let first = format!("{row}_{column}");
        let pairs = self.select([label(row).alias(&first), label(column).alias("__column")]);
        let values = values.into_iter().map(|(value,)| value);
        Ok(pairs.group_by([first.as_str()]).pivot("__column", values).count().na().fill(0))
    }

    /// The values of each column that make up at least this share of the rows, as one row with an
    /// array `<name>_freqItems` for each column.
    ///
    /// Unlike Spark's, the answer is exact: it holds no value that is rarer.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let data = Session::new().sql("SELECT * FROM VALUES (1), (1), (2), (3) AS t(x)");
    /// let frequent = data.freq_items(["x"], 0.5);
    /// assert_eq!(frequent.columns().await?, ["x_freqItems"]);
    /// assert_eq!(frequent.rows::<(Vec<i64>,)>().await?, [(vec![1],)]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn freq_items<N: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = N>,
        share: f64,
    ) -> Self {
        let total = self.agg([functions::count("*").alias("__total")]);
        let mut names = names.into_iter();
        let frequent = |name: &str| {
            let counted = self.group_by([col(name).alias("__value")]);
            let counted = counted.agg([functions::count("*").alias("__count")]);
            let enough = col("__count").geq(col("__total") * lit(share));
            let items = functions::collect_list(functions::when(enough, col("__value")));
            let name = format!("{name}_freqItems");
            counted.cross_join(&total).agg([items.alias(&name)])
        };
        let Some(first) = names.next() else { return self.limit(0) };
        let first = frequent(first.as_ref());
        names.fold(first, |row, name| row.cross_join(&frequent(name.as_ref())))
    }

    async fn figure(&self, aggregate: Column) -> Result<Option<f64>> {
        let rows: Vec<(Option<f64>,)> = self.agg([aggregate.alias("figure")]).rows().await?;
        Ok(rows.into_iter().next().and_then(|(figure,)| figure))
    }

    /// One row per figure: all are computed in one pass as arrays, which are then unnested.
    fn figures(&self, names: Vec<Column>, figures: Vec<String>) -> Self {
        self.derive(move |plan, session| {
            let mut chosen = names.clone();
            if chosen.is_empty() {
                let described = plan.schema().iter().filter(|(_, field)| {
                    let kind = field.data_type();
                    kind.is_numeric() || kind.is_string()
                });
                chosen = described
                    .map(|(table, field)| Column::of(syntax::field(table, field.name())))
                    .collect();
            }
            let labels = figures.iter().map(|figure| syntax::text(figure)).collect();
            let mut arrays = vec![syntax::item_as(syntax::call("make_array", labels), "summary")];
            let mut rows = vec![unnested("summary")];
            for column in &chosen {
                let Some(name) = column.plain_name() else {
                    return Err(Error::new(
                        crate::Condition::INVALID_PARAMETER,
                        format!("`{column}` is not a column to describe"),
                    ));
                };
                let kind = type_of(&plan, column);
                let values = figures
                    .iter()
                    .map(|figure| as_text(figure_of(figure, column, kind.as_ref())))
                    .map(|figure| figure.expr())
                    .collect::<Result<Vec<Expr>>>()?;
                arrays.push(syntax::item_as(syntax::call("make_array", values), name));
                rows.push(unnested(name));
            }
            let plan = Select::over(&[plan], arrays)?.plan(session)?;
            Select::over(&[plan], rows)?.plan(session)
        })
    }
}

fn unnested(name: &str) -> sqlparser::ast::SelectItem {
    let array = Expr::Identifier(syntax::ident(name));
    syntax::item_as(syntax::call("unnest", vec![array]), name)
}

fn type_of(plan: &datafusion::logical_expr::LogicalPlan, column: &Column) -> Option<DataType> {
    let name = column.plain_name()?;
    let field = plan.schema().fields().iter().find(|field| field.name() == name)?;
    Some(field.data_type().clone())
}

/// One figure of a column; of text, those of numbers count what reads as a number.
fn figure_of(figure: &str, column: &Column, kind: Option<&DataType>) -> Column {
    let is_text = kind.is_some_and(DataType::is_string);
    let number = match is_text {
        true => column.clone().try_cast("double"),
        false => column.clone().cast("double"),
    };
    // One of the values, as it is.
    let value = if is_text { number.clone() } else { column.clone() };
    match figure {
        "count" => functions::count(column),
        "mean" => functions::avg(number),
        "stddev" => functions::stddev_samp(number),
        "min" => functions::min(column),
        "max" => functions::max(column),
        "count_distinct" => functions::count_distinct([column]),
        "approx_count_distinct" => functions::call("approx_count_distinct", [column]),
        share => {
            let share = share.trim_end_matches('%').parse::<f64>().unwrap_or(50.0) / 100.0;
            functions::percentile_approx(value, share)
        }
    }
}

fn as_text(figure: Column) -> Column {
    figure.map(|expr| Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type: sqlparser::ast::DataType::String(None),
        array: false,
        format: None,
    })
}

fn doubled(name: &str) -> Column {
    col(name).cast("double")
}

#[cfg(test)]
mod tests {
    use crate::session::Session;

    #[tokio::test]
    async fn figures_of_numbers_and_text() {
        let data =
            Session::new().sql("SELECT * FROM VALUES (1, 'b'), (3, 'a'), (NULL, 'c') AS t(n, s)");
        let rows: Vec<(String, String, Option<String>)> =
            data.describe(["n", "s"]).rows().await.unwrap();
        let row = |index: usize| {
            let (label, n, s) = &rows[index];
            (label.as_str(), n.as_str(), s.as_deref())
        };
        assert_eq!(row(0), ("count", "2", Some("3")));
        assert_eq!(row(1), ("mean", "2.0", None));
        assert_eq!(row(3), ("min", "1", Some("a")));
        assert_eq!(row(4), ("max", "3", Some("c")));
        let summary: Vec<(String, String, Option<String>)> = data.summary().rows().await.unwrap();
        // A quantile is one of the values, and of texts none is a number.
        assert_eq!(summary[5], ("50%".to_owned(), "1".to_owned(), None));
        assert_eq!(summary.len(), 8);
    }

    #[tokio::test]
    async fn correlation_and_covariance() {
        let line = Session::new().range(0, 3).select_expr(["id AS x", "2 * id AS y"]);
        assert!((line.corr("x", "y").await.unwrap().unwrap() - 1.0).abs() < 1e-12);
        // Means 1 and 2: ((0-1)(0-2) + 0 + (2-1)(4-2)) / (3-1) = 2.
        assert_eq!(line.cov("x", "y").await.unwrap(), Some(2.0));
        assert_eq!(line.approx_quantile("x", &[0.0, 1.0]).await.unwrap(), [Some(0.0), Some(2.0)]);
    }

    #[tokio::test]
    async fn cross_tables_count_pairs() {
        let data =
            Session::new().sql("SELECT * FROM VALUES ('a', 1), ('a', 2), ('b', 1) AS t(k, v)");
        let table = data.crosstab("k", "v").await.unwrap().order_by(["k_v"]);
        assert_eq!(table.columns().await.unwrap(), ["k_v", "1", "2"]);
        let rows: Vec<(String, i64, i64)> = table.rows().await.unwrap();
        assert_eq!(rows, [("a".to_owned(), 1, 1), ("b".to_owned(), 1, 0)]);
    }
}
