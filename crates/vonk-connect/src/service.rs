//! The twelve methods of Spark Connect, each a few lines over the module that does its work.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use spark_connect_proto as proto;
use spark_connect_proto::execute_plan_request::request_option::RequestOption;
use spark_connect_proto::get_status_response::OperationStatus;
use spark_connect_proto::interrupt_request::{Interrupt, InterruptType};
use spark_connect_proto::release_execute_request::Release;
use tonic::{Request, Response, Status, Streaming};
use vonk::{Error, Result};

use crate::artifacts::Upload;
use crate::errors::{self, Failure, required};
use crate::execute::{self, Wishes};
use crate::session::{ConnectSession, Key, Sessions};
use crate::{analyze, config};

/// The trait and its server, made by `build.rs`.
#[allow(unreachable_pub, clippy::all, clippy::too_many_lines, reason = "generated")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/spark.connect.SparkConnectService.rs"));
}

use generated::spark_connect_service_server::SparkConnectService;
pub(crate) use generated::spark_connect_service_server::SparkConnectServiceServer;

/// Bytes of a piece of a batch if the client does not say: messages have at most 128 MB.
const CHUNK_BYTES_DEFAULT: usize = 64 << 20;

/// The service over the sessions of one server.
#[derive(Debug)]
pub(crate) struct Service {
    sessions: Arc<Sessions>,
}

type Answers = BoxStream<'static, Result<proto::ExecutePlanResponse, Status>>;
type Answer<T> = Result<Response<T>, Status>;

impl Service {
    pub(crate) fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions }
    }

    /// The session of a request, made if need be.
    fn session(&self, key: Key, observed: Option<&String>) -> Result<Arc<ConnectSession>, Status> {
        self.sessions.of(key, observed.map(String::as_str)).map_err(|error| refused(&error))
    }

    /// The session of a request that makes none.
    fn known(&self, key: &Key, observed: Option<&String>) -> Result<Arc<ConnectSession>, Status> {
        self.sessions.find(key, observed.map(String::as_str)).map_err(|error| refused(&error))
    }
}

/// The status of an error that belongs to no session.
fn refused(error: &Error) -> Status {
    Failure::new(error, None).status("")
}

macro_rules! key {
    ($request:expr) => {{
        let user = $request.user_context.as_ref().map(|user| user.user_id.clone());
        (user.unwrap_or_default(), $request.session_id.clone())
    }};
}

#[async_trait::async_trait]
impl SparkConnectService for Service {
    type ExecutePlanStream = Answers;
    type ReattachExecuteStream = Answers;

    async fn execute_plan(&self, request: Request<proto::ExecutePlanRequest>) -> Answer<Answers> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.session(key!(request), observed)?;
        let failed = |error: &Error| session.fail(error, None);
        let wishes = wishes(&request);
        let begun = session.operations.begin(wishes, session.limits.statements_max);
        let operation = begun.map_err(|error| failed(&error))?;
        let answers = operation.answers(None).map_err(|error| failed(&error))?;
        let plan = request.plan.unwrap_or_default();
        execute::start(&session, &operation, plan);
        Ok(Response::new(answers))
    }

    async fn analyze_plan(
        &self,
        request: Request<proto::AnalyzePlanRequest>,
    ) -> Answer<proto::AnalyzePlanResponse> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.session(key!(request), observed)?;
        let result = analyze::analyze(&session, request.analyze).await;
        let result = result.map_err(|(error, text)| session.fail(&error, text.as_deref()))?;
        Ok(Response::new(proto::AnalyzePlanResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            result: Some(result),
        }))
    }

    async fn config(
        &self,
        request: Request<proto::ConfigRequest>,
    ) -> Answer<proto::ConfigResponse> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.session(key!(request), observed)?;
        let (pairs, warnings) = config::operate(&session.engine, request.operation)
            .map_err(|error| session.fail(&error, None))?;
        Ok(Response::new(proto::ConfigResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            pairs,
            warnings,
        }))
    }

    async fn add_artifacts(
        &self,
        request: Request<Streaming<proto::AddArtifactsRequest>>,
    ) -> Answer<proto::AddArtifactsResponse> {
        let mut requests = request.into_inner();
        let mut of: Option<(Arc<ConnectSession>, Upload)> = None;
        while let Some(request) = requests.next().await {
            let request = request?;
            if of.is_none() {
                let observed = request.client_observed_server_side_session_id.as_ref();
                let session = self.session(key!(request), observed)?;
                of = Some((session, Upload::default()));
            }
            if let Some((session, upload)) = &mut of {
                let taken = upload.take(session, request.payload);
                taken.map_err(|error| session.fail(&error, None))?;
            }
        }
        let missing = || refused(&errors::missing("artifact"));
        let (session, upload) = of.ok_or_else(missing)?;
        Ok(Response::new(proto::AddArtifactsResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            artifacts: upload.summaries(),
        }))
    }

    async fn artifact_status(
        &self,
        request: Request<proto::ArtifactStatusesRequest>,
    ) -> Answer<proto::ArtifactStatusesResponse> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.session(key!(request), observed)?;
        let status = |name: String| {
            let exists = session.artifacts.has(&name);
            (name, proto::artifact_statuses_response::ArtifactStatus { exists })
        };
        Ok(Response::new(proto::ArtifactStatusesResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            statuses: request.names.into_iter().map(status).collect(),
        }))
    }

    async fn interrupt(
        &self,
        request: Request<proto::InterruptRequest>,
    ) -> Answer<proto::InterruptResponse> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.session(key!(request), observed)?;
        let kind = request.interrupt_type();
        let interrupted_ids = match (kind, &request.interrupt) {
            (InterruptType::All, _) => session.operations.interrupt(|_| true),
            (InterruptType::Tag, Some(Interrupt::OperationTag(tag))) => {
                session.operations.interrupt(|operation| operation.has_tag(tag))
            }
            (InterruptType::OperationId, Some(Interrupt::OperationId(id))) => {
                session.operations.interrupt(|operation| operation.id == *id)
            }
            _ => return Err(session.fail(&errors::missing("statement to interrupt"), None)),
        };
        Ok(Response::new(proto::InterruptResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            interrupted_ids,
        }))
    }

    async fn reattach_execute(
        &self,
        request: Request<proto::ReattachExecuteRequest>,
    ) -> Answer<Answers> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.known(&key!(request), observed)?;
        let operation = session.operations.find(&request.operation_id);
        let answers =
            operation.and_then(|found| found.answers(request.last_response_id.as_deref()));
        answers.map(Response::new).map_err(|error| session.fail(&error, None))
    }

    async fn release_execute(
        &self,
        request: Request<proto::ReleaseExecuteRequest>,
    ) -> Answer<proto::ReleaseExecuteResponse> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.known(&key!(request), observed)?;
        let release = required(request.release, "answers to release");
        let release = release.map_err(|error| session.fail(&error, None))?;
        let was_known = match release {
            Release::ReleaseAll(_) => session.operations.remove(&request.operation_id),
            Release::ReleaseUntil(until) => {
                let operation = session.operations.find(&request.operation_id).ok();
                let operation = operation.inspect(|one| one.release_until(&until.response_id));
                operation.is_some()
            }
        };
        Ok(Response::new(proto::ReleaseExecuteResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            operation_id: was_known.then_some(request.operation_id),
        }))
    }

    async fn release_session(
        &self,
        request: Request<proto::ReleaseSessionRequest>,
    ) -> Answer<proto::ReleaseSessionResponse> {
        let request = request.into_inner();
        let closed = self.sessions.close(key!(request));
        Ok(Response::new(proto::ReleaseSessionResponse {
            session_id: request.session_id,
            server_side_session_id: closed
                .map(|session| session.server_side_id.clone())
                .unwrap_or_default(),
        }))
    }

    async fn fetch_error_details(
        &self,
        request: Request<proto::FetchErrorDetailsRequest>,
    ) -> Answer<proto::FetchErrorDetailsResponse> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.known(&key!(request), observed)?;
        let failure = session.failure(&request.error_id);
        Ok(Response::new(proto::FetchErrorDetailsResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            root_error_idx: failure.is_some().then_some(0),
            errors: failure.iter().map(Failure::details).collect(),
        }))
    }

    async fn clone_session(
        &self,
        request: Request<proto::CloneSessionRequest>,
    ) -> Answer<proto::CloneSessionResponse> {
        let request = request.into_inner();
        let key = key!(request);
        let observed = request.client_observed_server_side_session_id.as_ref();
        let source = self.known(&key, observed)?;
        let new_id = request.new_session_id.unwrap_or_else(crate::session::new_id);
        let copy = self.sessions.copy(key, &new_id);
        let copy = copy.map_err(|error| source.fail(&error, None))?;
        Ok(Response::new(proto::CloneSessionResponse {
            session_id: source.id.clone(),
            server_side_session_id: source.server_side_id.clone(),
            new_session_id: copy.id.clone(),
            new_server_side_session_id: copy.server_side_id.clone(),
        }))
    }

    async fn get_status(
        &self,
        request: Request<proto::GetStatusRequest>,
    ) -> Answer<proto::GetStatusResponse> {
        let request = request.into_inner();
        let observed = request.client_observed_server_side_session_id.as_ref();
        let session = self.session(key!(request), observed)?;
        let asked = request.operation_status.map(|asked| asked.operation_ids);
        let ids = match asked {
            None => Vec::new(),
            Some(ids) if ids.is_empty() => session.operations.ids(),
            Some(ids) => ids,
        };
        let status = |operation_id: String| OperationStatus {
            state: session.operations.state_of(&operation_id) as i32,
            operation_id,
            extensions: Vec::new(),
        };
        Ok(Response::new(proto::GetStatusResponse {
            session_id: session.id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            operation_statuses: ids.into_iter().map(status).collect(),
            extensions: Vec::new(),
        }))
    }
}

/// How the client wants its statement to run.
fn wishes(request: &proto::ExecutePlanRequest) -> Wishes {
    let mut wishes = Wishes {
        id: request.operation_id.clone(),
        tags: request.tags.clone(),
        ..Wishes::default()
    };
    for option in &request.request_options {
        match &option.request_option {
            Some(RequestOption::ReattachOptions(options)) => {
                wishes.is_reattachable = options.reattachable;
            }
            Some(RequestOption::ResultChunkingOptions(options)) => {
                let size = options.preferred_arrow_chunk_size;
                let size =
                    size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
                wishes.chunk_bytes =
                    options.allow_arrow_batch_chunking.then(|| size.unwrap_or(CHUNK_BYTES_DEFAULT));
            }
            Some(RequestOption::Extension(_)) | None => {}
        }
    }
    wishes
}
