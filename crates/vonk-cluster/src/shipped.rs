//! What goes to a worker beside the rows: the plan of its task, and the options of the session.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_distributed::{
    CoordinatorToWorkerMsg, ExecuteTaskRequest, GetWorkerInfoRequest, GetWorkerInfoResponse,
    MaybeEncoded, SetPlanRequest, WorkerChannel, WorkerToCoordinatorMsg,
};
use futures::stream::BoxStream;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use vonk::cluster::Functions;
use vonk::config::{self, Config};
use vonk::{Error, Result};

use crate::codec;

const HEADER: &str = "vonk-session";

/// The options of a session that a worker runs its tasks under.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Settings {
    options: Vec<(String, String)>,
    /// The current database, for functions that ask for it.
    pub(crate) database: String,
}

impl Settings {
    /// Those of a session; what concerns its process stays there.
    pub(crate) fn of(config: &Config, database: &str) -> Self {
        let stays = |name: &str| {
            name.starts_with("vonk.cluster.")
                || [config::MASTER, config::MEMORY_LIMIT, config::MEMORY_GUARD].contains(&name)
                || [config::SPILL_DIRECTORY, config::SPILL_LIMIT].contains(&name)
        };
        let options = config.iter().filter(|(name, _)| !stays(name));
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { options, database: database.to_owned() }
    }

    /// The options over those of the process that runs the tasks.
    ///
    /// # Errors
    /// If one of them is not known here.
    pub(crate) fn over(&self, own: &Config) -> Result<Config> {
        let mut config = own.clone();
        for (name, value) in &self.options {
            config.set(name, value)?;
        }
        Ok(config)
    }

    /// The headers that hold the options.
    ///
    /// # Errors
    /// Never but for a defect.
    pub(crate) fn to_headers(&self) -> Result<HeaderMap> {
        let json = serde_json::to_vec(self).map_err(|error| Error::internal(error.to_string()))?;
        let digits = json.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let value =
            HeaderValue::try_from(digits).map_err(|error| Error::internal(error.to_string()))?;
        Ok(HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), value)]))
    }

    /// The options in the headers of a request.
    ///
    /// # Errors
    /// If they are not as [`Settings::to_headers`] makes them.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self> {
        let unreadable = || Error::internal("the options of the session did not arrive");
        let digits = headers.get(HEADER).ok_or_else(unreadable)?.as_bytes();
        let byte = |pair: &[u8]| {
            let text = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(text, 16).ok()
        };
        let json: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        serde_json::from_slice(&json.ok_or_else(unreadable)?).map_err(|_| unreadable())
    }
}

/// A client that writes plans as [`codec`] does.
pub(crate) struct Sealing {
    inner: Box<dyn WorkerChannel>,
}

impl Sealing {
    pub(crate) fn new(inner: Box<dyn WorkerChannel>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl WorkerChannel for Sealing {
    async fn coordinator_channel(
        &mut self,
        headers: HeaderMap,
        mut request: SetPlanRequest,
        messages: BoxStream<'static, CoordinatorToWorkerMsg>,
        metrics: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> DfResult<BoxStream<'static, DfResult<WorkerToCoordinatorMsg>>> {
        if let MaybeEncoded::Decoded(plan) = &request.plan {
            let config = context.session_config().get_extension::<Config>().unwrap_or_default();
            let bytes = codec::seal(plan, Functions::of(&config))?;
            request.plan = MaybeEncoded::Encoded(bytes);
        }
        self.inner.coordinator_channel(headers, request, messages, metrics, context).await
    }

    async fn execute_task(
        &mut self,
        headers: HeaderMap,
        request: ExecuteTaskRequest,
        metrics: ExecutionPlanMetricsSet,
        context: &Arc<TaskContext>,
    ) -> DfResult<Vec<BoxStream<'static, DfResult<RecordBatch>>>> {
        self.inner.execute_task(headers, request, metrics, context).await
    }

    async fn get_worker_info(
        &mut self,
        request: GetWorkerInfoRequest,
    ) -> Result<GetWorkerInfoResponse, DataFusionError> {
        self.inner.get_worker_info(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_arrive_but_for_those_of_the_process() {
        let mut config = Config::default();
        config.set(config::TIME_ZONE, "Europe/Kyiv").unwrap();
        config.set(config::APP_NAME, "żółw").unwrap();
        config.set(config::MASTER, "vonk://a:1").unwrap();
        let headers = Settings::of(&config, "db").to_headers().unwrap();
        let settings = Settings::from_headers(&headers).unwrap();
        let there = settings.over(&Config::default()).unwrap();
        assert_eq!(there.get(config::TIME_ZONE), Some("Europe/Kyiv"));
        assert_eq!(there.get(config::APP_NAME), Some("żółw"));
        assert_eq!(there.get(config::MASTER), Some("local[*]"));
        assert_eq!(settings.database, "db");
        assert!(Settings::from_headers(&HeaderMap::new()).is_err());
    }
}
