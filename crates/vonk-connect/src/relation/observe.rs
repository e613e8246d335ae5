//! Figures that are taken of the rows of a query while it runs: `df.observe(…)`.

use std::sync::{Arc, Mutex, PoisonError};

use spark_connect_proto::CollectMetrics;
use spark_connect_proto::execute_plan_response::ObservedMetrics;
use vonk::Result;
use vonk::dataframe::Observation;

use super::{Query, input};
use crate::session::ConnectSession;
use crate::{expression, literal};

/// What one statement observes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observed {
    all: Arc<Mutex<Vec<Named>>>,
}

#[derive(Debug)]
struct Named {
    name: String,
    plan_id: i64,
    observation: Observation,
}

tokio::task_local! {
    static OBSERVED: Observed;
}

impl Observed {
    /// Does a statement; what it observes is kept here.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        OBSERVED.scope(self.clone(), work).await
    }

    /// The figures, once the rows have passed; nothing of queries that have not run.
    ///
    /// # Errors
    /// Those of computing them.
    pub(crate) async fn figures(&self) -> Result<Vec<ObservedMetrics>> {
        let all = std::mem::take(&mut *self.all.lock().unwrap_or_else(PoisonError::into_inner));
        let mut figures = Vec::new();
        for named in all {
            let Some(batch) = named.observation.figures().await? else { continue };
            let fields = batch.schema();
            let columns = fields.fields().iter().zip(batch.columns());
            let values = columns.map(|(field, column)| literal::of_value(field, column));
            figures.push(ObservedMetrics {
                name: named.name,
                values: values.collect::<Result<_>>()?,
                keys: fields.fields().iter().map(|field| field.name().clone()).collect(),
                plan_id: named.plan_id,
                ..ObservedMetrics::default()
            });
        }
        Ok(figures)
    }
}

pub(super) async fn observe(
    session: &Arc<ConnectSession>,
    metrics: &CollectMetrics,
    plan_id: i64,
) -> Result<Query> {
    let input = input(session, &metrics.input).await?;
    let scope = input.scope(session);
    let figures = expression::columns(&scope, &metrics.metrics)?;
    let (frame, observation) = scope.only(&input.frame).observe(figures);
    let named = Named { name: metrics.name.clone(), plan_id, observation };
    // A plan that is only asked about is never run.
    let _ = OBSERVED.try_with(|observed| {
        observed.all.lock().unwrap_or_else(PoisonError::into_inner).push(named);
    });
    Ok(input.with(frame))
}
