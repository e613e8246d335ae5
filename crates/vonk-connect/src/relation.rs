//! Relations of the protocol as queries of vonk, one file for each kind that is more than a call.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use spark_connect_proto::Relation;
use spark_connect_proto::relation::RelType;
use vonk::{DataFrame, Result};

use crate::errors::{self, required};
use crate::session::ConnectSession;

mod aggregate;
mod around;
mod filter;
mod join;
mod local;
mod missing;
mod nearest;
mod observe;
mod parse;
mod partitions;
mod project;
mod python;
mod range;
mod read;
mod sample;
mod scope;
mod set;
mod show;
mod sql;
mod statistics;
mod streaming;
mod table_function;
mod udtf;
mod unpivot;

pub(crate) use nearest::row_number;
pub(crate) use observe::Observed;
pub(crate) use read::{reader, schema_of};
pub(crate) use scope::{Output, Scope};
pub(crate) use streaming::is_streaming;

/// A relation that is a query of vonk now.
#[derive(Clone)]
pub(crate) struct Query {
    pub(crate) frame: DataFrame,
    /// Its columns, and of which relations of the plan they are.
    pub(crate) outputs: Vec<Output>,
}

/// The query that a relation means.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if it lacks a part, `UNSUPPORTED_FEATURE` for a kind that vonk has not, and
/// those of planning.
pub(crate) async fn frame(session: &Arc<ConnectSession>, relation: &Relation) -> Result<DataFrame> {
    Ok(query(session, relation).await?.frame)
}

/// As [`frame`], with what its columns are.
pub(crate) fn query<'a>(
    session: &'a Arc<ConnectSession>,
    relation: &'a Relation,
) -> BoxFuture<'a, Result<Query>> {
    let translated = async move {
        let kept = kept(session, relation);
        let mut query = match kept {
            Some(frame) => Query::new(frame).await?,
            None => translate(session, relation).await?,
        };
        if let Some(plan_id) = relation.common.as_ref().and_then(|common| common.plan_id) {
            query.outputs.iter_mut().for_each(|output| output.add(plan_id));
        }
        query.frame = around::placed(query.frame);
        Ok(query)
    };
    // Plans of loops are deep, and each relation is translated within the one over it.
    vonk::with_room(translated.boxed()).boxed()
}

/// The query that was cached for exactly this relation.
fn kept(session: &ConnectSession, relation: &Relation) -> Option<DataFrame> {
    session.kept.lock().persisted(relation).map(|persisted| persisted.frame.clone())
}

/// The input of a relation.
pub(crate) async fn input(
    session: &Arc<ConnectSession>,
    input: &Option<Box<Relation>>,
) -> Result<Query> {
    query(session, required(input.as_deref(), "input")?).await
}

impl Query {
    /// A query whose columns are its own.
    pub(crate) async fn new(frame: DataFrame) -> Result<Self> {
        let schema = frame.schema().await?;
        let outputs = schema.fields().iter().map(|field| Output::new(field)).collect();
        Ok(Self { frame, outputs })
    }

    /// The names of its columns.
    pub(crate) fn names(&self) -> Vec<String> {
        self.outputs.iter().map(|output| output.name.clone()).collect()
    }

    /// A query with the columns of this one.
    pub(crate) fn with(&self, frame: DataFrame) -> Self {
        Self { frame, outputs: self.outputs.clone() }
    }

    /// A query whose columns are in part those of this one, which keep their names and order.
    pub(crate) async fn keeping(&self, frame: DataFrame) -> Result<Self> {
        let mut query = Self::new(frame).await?;
        let mut rest = self.outputs.iter();
        for output in &mut query.outputs {
            if let Some(same) = rest.clone().position(|one| one.name == output.name) {
                output
                    .origins
                    .clone_from(&self.outputs[self.outputs.len() - rest.len() + same].origins);
                rest.nth(same);
            }
        }
        Ok(query)
    }

    /// The names of its columns over which expressions are made.
    pub(crate) fn scope<'a>(&'a self, session: &'a ConnectSession) -> Scope<'a> {
        Scope::new(session, self.outputs.iter().collect())
    }
}

async fn translate(session: &Arc<ConnectSession>, relation: &Relation) -> Result<Query> {
    use RelType as Type;
    match required(relation.rel_type.as_ref(), "relation")? {
        Type::Read(read) => self::read::read(session, read).await,
        Type::Sql(sql) => self::sql::sql(session, sql).await,
        Type::Range(range) => self::range::range(session, range).await,
        Type::LocalRelation(local) => local::local(session, local).await,
        Type::CachedLocalRelation(cached) => local::cached(session, &cached.hash).await,
        Type::ChunkedCachedLocalRelation(chunked) => local::chunked(session, chunked).await,
        Type::CachedRemoteRelation(cached) => local::remote(session, &cached.relation_id).await,
        Type::Project(project) => self::project::project(session, project).await,
        Type::Filter(filter) => self::filter::filter(session, filter).await,
        Type::Sort(sort) => self::filter::sort(session, sort).await,
        Type::Limit(limit) => self::filter::limit(session, limit).await,
        Type::Offset(offset) => self::filter::offset(session, offset).await,
        Type::Tail(tail) => self::filter::tail(session, tail).await,
        Type::Deduplicate(deduplicate) => self::filter::deduplicate(session, deduplicate).await,
        Type::SubqueryAlias(alias) => self::project::alias(session, alias).await,
        Type::ToDf(to_df) => self::project::to_df(session, to_df).await,
        Type::ToSchema(to_schema) => self::project::to_schema(session, to_schema).await,
        Type::Drop(drop) => self::project::drop(session, drop).await,
        Type::WithColumns(columns) => self::project::with_columns(session, columns).await,
        Type::WithColumnsRenamed(renamed) => self::project::renamed(session, renamed).await,
        Type::Join(join) => self::join::join(session, join).await,
        Type::SetOp(set) => self::set::set_operation(session, set).await,
        Type::Aggregate(aggregate) => self::aggregate::aggregate(session, aggregate).await,
        Type::Unpivot(unpivot) => self::unpivot::unpivot(session, unpivot).await,
        Type::Transpose(transpose) => self::unpivot::transpose(session, transpose).await,
        Type::Sample(sample) => self::sample::sample(session, sample).await,
        Type::SampleBy(by) => self::sample::sample_by(session, by).await,
        Type::Repartition(one) => partitions::repartition(session, one).await,
        Type::RepartitionByExpression(by) => partitions::by_expression(session, by).await,
        Type::Hint(hint) => partitions::hint(session, hint).await,
        Type::ShowString(show) => self::show::show_string(session, show).await,
        Type::HtmlString(html) => self::show::html_string(session, html).await,
        Type::FillNa(fill) => missing::fill(session, fill).await,
        Type::DropNa(drop) => missing::drop(session, drop).await,
        Type::Replace(replace) => missing::replace(session, replace).await,
        Type::Summary(summary) => statistics::summary(session, summary).await,
        Type::Describe(describe) => statistics::describe(session, describe).await,
        Type::Crosstab(crosstab) => statistics::crosstab(session, crosstab).await,
        Type::Cov(cov) => statistics::cov(session, cov).await,
        Type::Corr(corr) => statistics::corr(session, corr).await,
        Type::ApproxQuantile(quantile) => statistics::quantile(session, quantile).await,
        Type::FreqItems(items) => statistics::freq_items(session, items).await,
        Type::Parse(parse) => self::parse::parse(session, parse).await,
        Type::UnresolvedTableValuedFunction(call) => table_function::call(session, call).await,
        Type::Catalog(catalog) => crate::catalog::relation(session, catalog).await,
        Type::CollectMetrics(metrics) => {
            let plan_id = relation.common.as_ref().and_then(|common| common.plan_id);
            self::observe::observe(session, metrics, plan_id.unwrap_or_default()).await
        }
        Type::LateralJoin(join) => self::join::lateral(session, join).await,
        Type::AsOfJoin(join) => nearest::as_of(session, join).await,
        Type::NearestByJoin(join) => nearest::by_ranking(session, join).await,
        Type::WithWatermark(watermark) => self::streaming::watermark(session, watermark).await,
        Type::Zip(zip) => nearest::zip(session, zip).await,
        Type::WithRelations(with) => self::sql::with_relations(session, with).await,
        Type::MapPartitions(map) => self::python::map(session, map).await,
        Type::GroupMap(map) => self::python::group_map(session, map).await,
        Type::CoGroupMap(map) => self::python::cogroup_map(session, map).await,
        Type::CommonInlineUserDefinedTableFunction(call) => self::udtf::table(session, call).await,
        other => Err(errors::unsupported(unsupported(other))),
    }
}

/// What to call a relation that vonk does not have.
fn unsupported(relation: &RelType) -> &'static str {
    use RelType as Type;
    match relation {
        Type::CommonInlineUserDefinedDataSource(_) => "data sources of Python",
        Type::ApplyInPandasWithState(_) => "functions of Python with a state",
        Type::MlRelation(_) => "machine learning",
        Type::RelationChanges(_) => "changes of tables",
        _ => "relations of this kind",
    }
}
