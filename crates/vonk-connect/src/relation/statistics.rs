//! Statistics of columns.

use std::sync::Arc;

use spark_connect_proto::{
    StatApproxQuantile, StatCorr, StatCov, StatCrosstab, StatDescribe, StatFreqItems, StatSummary,
};
use vonk::dataframe::{Column, col, lit};
use vonk::{Result, functions};

use super::{Query, input};
use crate::errors;
use crate::expression::quoted;
use crate::session::ConnectSession;

/// The share of the rows from which on a value is frequent, as in Spark.
const SUPPORT_DEFAULT: f64 = 0.01;

pub(super) async fn summary(session: &Arc<ConnectSession>, summary: &StatSummary) -> Result<Query> {
    let input = input(session, &summary.input).await?;
    Query::new(match summary.statistics.is_empty() {
        true => input.frame.summary(),
        false => input.frame.summary_of(summary.statistics.iter().cloned()),
    })
    .await
}

pub(super) async fn describe(
    session: &Arc<ConnectSession>,
    describe: &StatDescribe,
) -> Result<Query> {
    let input = input(session, &describe.input).await?;
    Query::new(input.frame.describe(describe.cols.iter().map(|name| col(name)))).await
}

pub(super) async fn crosstab(
    session: &Arc<ConnectSession>,
    crosstab: &StatCrosstab,
) -> Result<Query> {
    let input = input(session, &crosstab.input).await?;
    Query::new(input.frame.crosstab(&crosstab.col1, &crosstab.col2).await?).await
}

pub(super) async fn cov(session: &Arc<ConnectSession>, cov: &StatCov) -> Result<Query> {
    let input = input(session, &cov.input).await?;
    let value = functions::covar_samp(double(&cov.col1), double(&cov.col2)).alias("cov");
    Query::new(input.frame.agg([value])).await
}

pub(super) async fn corr(session: &Arc<ConnectSession>, corr: &StatCorr) -> Result<Query> {
    if corr.method.as_deref().is_some_and(|method| method != "pearson") {
        return Err(errors::unsupported("correlations other than `pearson`"));
    }
    let input = input(session, &corr.input).await?;
    let value = functions::corr(double(&corr.col1), double(&corr.col2)).alias("corr");
    Query::new(input.frame.agg([value])).await
}

/// One row with an array of quantiles for each column.
pub(super) async fn quantile(
    session: &Arc<ConnectSession>,
    quantile: &StatApproxQuantile,
) -> Result<Query> {
    let input = input(session, &quantile.input).await?;
    let shares: Vec<Column> = quantile.probabilities.iter().map(|share| lit(*share)).collect();
    let shares = functions::call("array", shares);
    // Spark's relative error is one over this accuracy; 0 asks for exact quantiles.
    let accuracy = match quantile.relative_error {
        error if error > 0.0 => (1.0 / error).ceil().min(f64::from(i32::MAX)) as i32,
        _ => i32::MAX,
    };
    let of = |name: &String| {
        let value = double(&quoted(name));
        functions::call("percentile_approx", [value, shares.clone(), lit(accuracy)])
    };
    let all = functions::call("array", quantile.cols.iter().map(of).collect::<Vec<Column>>());
    Query::new(input.frame.agg([all.alias("approx_quantile")])).await
}

pub(super) async fn freq_items(
    session: &Arc<ConnectSession>,
    items: &StatFreqItems,
) -> Result<Query> {
    let input = input(session, &items.input).await?;
    let support = items.support.unwrap_or(SUPPORT_DEFAULT);
    Query::new(input.frame.freq_items(&items.cols, support)).await
}

fn double(name: &str) -> Column {
    col(name).cast("double")
}
