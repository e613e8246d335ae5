//! How far a statement is, for the progress bars of PySpark.

use std::sync::Arc;

use spark_connect_proto::execute_plan_response::execution_progress::StageInfo;
use spark_connect_proto::execute_plan_response::metrics::{MetricObject, MetricValue};
use spark_connect_proto::execute_plan_response::{ExecutionProgress, Metrics, ResponseType};
use vonk::datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::Response;

/// What the running plan has done so far: one stage, a task per partition of its sources.
pub(crate) fn progress(plan: &Arc<dyn ExecutionPlan>, is_done: bool) -> Response {
    let sources = sources(plan);
    let tasks = sources.iter().map(|source| source.output_partitioning().partition_count());
    let tasks = tasks.sum::<usize>().max(1) as i64;
    let bytes = sources.iter().map(|source| bytes_of(source.as_ref())).sum::<usize>();
    let stage = StageInfo {
        stage_id: 0,
        num_tasks: tasks,
        num_completed_tasks: if is_done { tasks } else { 0 },
        input_bytes_read: bytes as i64,
        done: is_done,
    };
    let inflight = if is_done { 0 } else { tasks };
    let progress = ExecutionProgress { stages: vec![stage], num_inflight_tasks: inflight };
    ResponseType::ExecutionProgress(progress).into()
}

/// The figures of every operator of a plan that has run.
pub(crate) fn metrics(plan: &Arc<dyn ExecutionPlan>) -> Response {
    let mut metrics = Vec::new();
    add(&mut metrics, plan, 0);
    Response { metrics: Some(Metrics { metrics }), ..Response::default() }
}

fn add(metrics: &mut Vec<MetricObject>, plan: &Arc<dyn ExecutionPlan>, parent: i64) {
    let number = metrics.len() as i64 + 1;
    let own = plan.metrics().map(|set| set.aggregate_by_name()).unwrap_or_default();
    let values = own.iter().map(|metric| {
        let name = metric.value().name().to_owned();
        let value = MetricValue {
            name: name.clone(),
            value: metric.value().as_usize() as i64,
            metric_type: "sum".to_owned(),
        };
        (name, value)
    });
    metrics.push(MetricObject {
        name: plan.name().to_owned(),
        plan_id: number,
        parent,
        execution_metrics: values.collect(),
    });
    for child in plan.children() {
        add(metrics, child, number);
    }
}

fn sources(plan: &Arc<dyn ExecutionPlan>) -> Vec<Arc<dyn ExecutionPlan>> {
    let children = plan.children();
    match children.is_empty() {
        true => vec![Arc::clone(plan)],
        false => children.into_iter().flat_map(sources).collect(),
    }
}

fn bytes_of(plan: &dyn ExecutionPlan) -> usize {
    let metrics = plan.metrics().map(|set| set.aggregate_by_name());
    let bytes = metrics.and_then(|metrics| metrics.sum_by_name("bytes_scanned"));
    bytes.map_or(0, |bytes| bytes.as_usize())
}
