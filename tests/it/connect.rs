//! The Spark Connect server as a client of the protocol meets it, and as a hostile one does.

use std::time::Duration;

use spark_connect_proto as proto;
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::plan::OpType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::spark_connect_service_client::SparkConnectServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use vonk::Session;
use vonk_connect::{Limits, METHODS, Running, Server};

const SESSION: &str = "00112233-4455-6677-8899-aabbccddeeff";
const OPERATION: &str = "a0000000-0000-4000-8000-000000000001";

type Client = SparkConnectServiceClient<Channel>;

async fn served(server: Server, token: Option<&str>) -> (Running, Client) {
    let running = server.bind("127.0.0.1:0", token).await.unwrap();
    let client = Client::connect(format!("http://{}", running.address())).await.unwrap();
    (running, client)
}

async fn plain() -> (Running, Client) {
    served(Server::builder(Session::builder()), None).await
}

fn user(name: &str) -> Option<proto::UserContext> {
    Some(proto::UserContext { user_id: name.to_owned(), ..Default::default() })
}

fn relation(rel_type: RelType) -> proto::Relation {
    proto::Relation { common: None, rel_type: Some(rel_type) }
}

fn range(end: i64) -> proto::Relation {
    relation(RelType::Range(proto::Range { end, step: 1, ..Default::default() }))
}

fn sql(query: &str) -> proto::Relation {
    relation(RelType::Sql(proto::Sql { query: query.to_owned(), ..Default::default() }))
}

/// A request to execute a relation that can be attached to again.
fn execution(root: proto::Relation) -> proto::ExecutePlanRequest {
    use proto::execute_plan_request::RequestOption;
    use proto::execute_plan_request::request_option::RequestOption as Wish;
    let wish = Wish::ReattachOptions(proto::ReattachOptions { reattachable: true });
    proto::ExecutePlanRequest {
        session_id: SESSION.to_owned(),
        user_context: user("ada"),
        operation_id: Some(OPERATION.to_owned()),
        plan: Some(proto::Plan { op_type: Some(OpType::Root(root)) }),
        request_options: vec![RequestOption { request_option: Some(wish) }],
        ..Default::default()
    }
}

async fn answers(
    stream: Result<tonic::Response<tonic::Streaming<proto::ExecutePlanResponse>>, Status>,
) -> Result<Vec<proto::ExecutePlanResponse>, Status> {
    let mut stream = stream?.into_inner();
    let mut answers = Vec::new();
    while let Some(answer) = stream.message().await? {
        answers.push(answer);
    }
    Ok(answers)
}

fn rows(answers: &[proto::ExecutePlanResponse]) -> i64 {
    let rows = answers.iter().map(|answer| match &answer.response_type {
        Some(ResponseType::ArrowBatch(batch)) => batch.row_count,
        _ => 0,
    });
    rows.sum()
}

/// Spark's condition of a failure, which stands in the details of its status.
fn has_condition(status: &Status, condition: &str) -> bool {
    String::from_utf8_lossy(status.details()).contains(condition)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_comes_with_schema_rows_and_an_end() {
    let (_running, mut client) = plain().await;
    let answers = answers(client.execute_plan(execution(range(1000))).await).await.unwrap();
    assert!(answers[0].schema.is_some());
    assert_eq!(rows(&answers), 1000);
    assert!(matches!(answers.last().unwrap().response_type, Some(ResponseType::ResultComplete(_))));
    assert!(answers.iter().all(|answer| answer.operation_id == OPERATION));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_answers_without_the_token() {
    let server = Server::builder(Session::builder());
    let (running, _client) = served(server, Some("open sesame")).await;
    let channel = Channel::from_shared(format!("http://{}", running.address())).unwrap();
    let channel = channel.connect().await.unwrap();
    assert_eq!(METHODS.len(), 12);
    for method in METHODS {
        for (token, is_admitted) in
            [(None, false), (Some("open"), false), (Some("open sesame"), true)]
        {
            let mut grpc = tonic::client::Grpc::new(channel.clone());
            grpc.ready().await.unwrap();
            let mut request = Request::new(proto::ConfigRequest::default());
            if let Some(token) = token {
                let value = format!("Bearer {token}").parse().unwrap();
                request.metadata_mut().insert("authorization", value);
            }
            let path = format!("/spark.connect.SparkConnectService/{method}").parse().unwrap();
            let codec = tonic_prost::ProstCodec::<_, proto::ConfigResponse>::default();
            let answer = grpc.server_streaming(request, path, codec).await;
            let is_refused = match answer {
                Err(status) => status.code() == Code::Unauthenticated,
                Ok(stream) => match stream.into_inner().message().await {
                    Err(status) => status.code() == Code::Unauthenticated,
                    Ok(_) => false,
                },
            };
            assert_eq!(is_refused, !is_admitted, "{method} with {token:?}");
        }
    }
}

#[tokio::test]
async fn other_machines_are_let_in_only_with_token_and_tls() {
    let server = || Server::builder(Session::builder());
    let refused = server().bind("0.0.0.0:0", None).await.unwrap_err();
    assert!(refused.message().contains("a token and TLS"), "{refused}");
    assert!(server().bind("0.0.0.0:0", Some("token")).await.is_err());
    server().insecure().bind("0.0.0.0:0", None).await.unwrap().stop().await;
}

/// Numbers that go through a function of Python; what its pickle holds does not matter here.
fn mapped() -> proto::Relation {
    use proto::common_inline_user_defined_function::Function;
    use proto::data_type::{Kind, Long, Struct, StructField};
    let typed = |kind| proto::DataType { kind: Some(kind) };
    let id = StructField {
        name: "id".to_owned(),
        data_type: Some(typed(Kind::Long(Long::default()))),
        ..Default::default()
    };
    let columns = Struct { fields: vec![id], ..Default::default() };
    let udf = proto::PythonUdf {
        output_type: Some(typed(Kind::Struct(columns))),
        eval_type: 207,
        ..Default::default()
    };
    relation(RelType::MapPartitions(Box::new(proto::MapPartitions {
        input: Some(Box::new(range(3))),
        func: Some(proto::CommonInlineUserDefinedFunction {
            function: Some(Function::PythonUdf(udf)),
            ..Default::default()
        }),
        ..Default::default()
    })))
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_of_python_are_refused_where_other_machines_reach_the_server() {
    let no_python = || Server::builder(Session::builder()).python("/there/is/no/python");
    for (server, condition) in [
        (no_python().insecure(), "UNSUPPORTED_FEATURE"),
        (no_python().insecure().allow_python(), "PYTHON_EXCEPTION"),
    ] {
        let running = server.bind("0.0.0.0:0", None).await.unwrap();
        let address = format!("http://127.0.0.1:{}", running.address().port());
        let mut client = Client::connect(address).await.unwrap();
        let refused = answers(client.execute_plan(execution(mapped())).await).await.unwrap_err();
        assert!(has_condition(&refused, condition), "{refused:?}");
    }
    let (_running, mut client) = served(no_python(), None).await;
    let failed = answers(client.execute_plan(execution(mapped())).await).await.unwrap_err();
    assert!(has_condition(&failed, "PYTHON_EXCEPTION"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_attaches_again_from_the_last_answer_that_it_has() {
    let (_running, mut client) = plain().await;
    let all = answers(client.execute_plan(execution(range(10))).await).await.unwrap();
    let again = |last: Option<String>| proto::ReattachExecuteRequest {
        session_id: SESSION.to_owned(),
        user_context: user("ada"),
        operation_id: OPERATION.to_owned(),
        last_response_id: last,
        ..Default::default()
    };
    let whole = answers(client.reattach_execute(again(None)).await).await.unwrap();
    assert_eq!(whole, all);
    let last = Some(all[0].response_id.clone());
    let rest = answers(client.reattach_execute(again(last)).await).await.unwrap();
    assert_eq!(rest, all[1..]);

    let release = proto::ReleaseExecuteRequest {
        session_id: SESSION.to_owned(),
        user_context: user("ada"),
        operation_id: OPERATION.to_owned(),
        release: Some(proto::release_execute_request::Release::ReleaseAll(Default::default())),
        ..Default::default()
    };
    client.release_execute(release).await.unwrap();
    let gone = answers(client.reattach_execute(again(None)).await).await.unwrap_err();
    assert!(has_condition(&gone, "INVALID_HANDLE.OPERATION_ABANDONED"), "{gone}");
    let unknown =
        proto::ReattachExecuteRequest { operation_id: OPERATION.replace('a', "b"), ..again(None) };
    let unknown = answers(client.reattach_execute(unknown).await).await.unwrap_err();
    assert!(has_condition(&unknown, "INVALID_HANDLE.OPERATION_NOT_FOUND"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_invisible_to_another_user() {
    let (_running, mut client) = plain().await;
    let view = sql("CREATE TEMPORARY VIEW secret AS SELECT 42 AS a");
    answers(client.execute_plan(execution(view)).await).await.unwrap();
    let spied = proto::ExecutePlanRequest {
        user_context: user("mallory"),
        operation_id: None,
        ..execution(sql("SELECT * FROM secret"))
    };
    let status = answers(client.execute_plan(spied).await).await.unwrap_err();
    assert!(has_condition(&status, "TABLE_OR_VIEW_NOT_FOUND"), "{status}");
    let attached = proto::ReattachExecuteRequest {
        session_id: SESSION.to_owned(),
        user_context: user("eve"),
        operation_id: OPERATION.to_owned(),
        ..Default::default()
    };
    let status = answers(client.reattach_execute(attached).await).await.unwrap_err();
    assert!(has_condition(&status, "INVALID_HANDLE.SESSION_NOT_FOUND"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_details_of_a_failure_have_condition_state_and_place() {
    let (_running, mut client) = plain().await;
    let wrong = execution(sql("SELECT 1,\n  nowhere"));
    let status = answers(client.execute_plan(wrong).await).await.unwrap_err();
    let text = String::from_utf8_lossy(status.details()).into_owned();
    let id = text.split("errorId").nth(1).unwrap();
    let from = id.find(|letter: char| letter.is_ascii_hexdigit()).unwrap();
    let details = client.fetch_error_details(proto::FetchErrorDetailsRequest {
        session_id: SESSION.to_owned(),
        user_context: user("ada"),
        error_id: id[from..from + 36].to_owned(),
        ..Default::default()
    });
    let details = details.await.unwrap().into_inner();
    let error = &details.errors[0];
    assert_eq!(error.error_type_hierarchy[0], "org.apache.spark.sql.AnalysisException");
    let throwable = error.spark_throwable.as_ref().unwrap();
    assert_eq!(throwable.error_class.as_deref(), Some("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"));
    assert_eq!(throwable.sql_state.as_deref(), Some("42703"));
    assert_eq!(throwable.query_contexts[0].fragment, "nowhere");
    assert_eq!(throwable.query_contexts[0].start_index, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_too_large_or_nest_too_deep_are_refused() {
    let limits = Limits { message_bytes_max: 1 << 20, ..Limits::default() };
    let server = Server::builder(Session::builder()).limits(limits);
    let (_running, mut client) = served(server, None).await;
    let large = execution(sql(&format!("SELECT '{}'", "x".repeat(2 << 20))));
    let status = answers(client.execute_plan(large).await).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");

    let mut deep = range(5);
    for _ in 0..3000 {
        let limit = proto::Limit { input: Some(Box::new(deep)), limit: 5 };
        deep = relation(RelType::Limit(Box::new(limit)));
    }
    let status = answers(client.execute_plan(execution(deep)).await).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let fine = answers(client.execute_plan(execution(range(5))).await).await.unwrap();
    assert_eq!(rows(&fine), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_interrupted_by_its_tag() {
    let (_running, mut client) = plain().await;
    let endless =
        "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.id = -b.id";
    let request =
        proto::ExecutePlanRequest { tags: vec!["slow".to_owned()], ..execution(sql(endless)) };
    let mut other = client.clone();
    let interrupt = async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let request = proto::InterruptRequest {
            session_id: SESSION.to_owned(),
            user_context: user("ada"),
            interrupt_type: proto::interrupt_request::InterruptType::Tag as i32,
            interrupt: Some(proto::interrupt_request::Interrupt::OperationTag("slow".to_owned())),
            ..Default::default()
        };
        other.interrupt(request).await.unwrap().into_inner()
    };
    let run = async { answers(client.execute_plan(request).await).await };
    let (outcome, interrupted) = tokio::join!(run, interrupt);
    assert_eq!(interrupted.interrupted_ids, [OPERATION]);
    assert!(has_condition(&outcome.unwrap_err(), "OPERATION_CANCELED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_limited() {
    let limits = Limits { sessions_max: 1, ..Limits::default() };
    let server = Server::builder(Session::builder()).limits(limits);
    let (_running, mut client) = served(server, None).await;
    answers(client.execute_plan(execution(range(1))).await).await.unwrap();
    let second = proto::ExecutePlanRequest { user_context: user("bob"), ..execution(range(1)) };
    let status = answers(client.execute_plan(second).await).await.unwrap_err();
    assert!(has_condition(&status, "CONNECT_SESSION_LIMIT_EXCEEDED"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn running_statements_are_limited() {
    let limits = Limits { statements_max: 1, ..Limits::default() };
    let server = Server::builder(Session::builder()).limits(limits);
    let (_running, mut client) = served(server, None).await;
    let endless =
        "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.id = -b.id";
    // It is known from the moment that its stream is there.
    let first = client.execute_plan(execution(sql(endless))).await.unwrap();
    let second = proto::ExecutePlanRequest {
        operation_id: Some("a0000000-0000-4000-8000-000000000002".to_owned()),
        ..execution(range(1))
    };
    let status = answers(client.execute_plan(second).await).await.unwrap_err();
    assert!(has_condition(&status, "CONNECT_STATEMENT_LIMIT_EXCEEDED"), "{status}");
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_are_answered_at_once() {
    let (running, _client) = plain().await;
    let address = format!("http://{}", running.address());
    let clients = (0..64).map(|number: i64| {
        let address = address.clone();
        tokio::spawn(async move {
            let mut client = Client::connect(address).await.unwrap();
            let name = format!("user {number}");
            let request =
                proto::ExecutePlanRequest { user_context: user(&name), ..execution(range(number)) };
            rows(&answers(client.execute_plan(request).await).await.unwrap())
        })
    });
    let counted = futures::future::join_all(clients).await;
    let counted: Vec<i64> = counted.into_iter().map(Result::unwrap).collect();
    assert_eq!(counted, (0..64).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_stays_open_and_a_connection_that_says_nothing_block_nobody() {
    let (running, mut client) = plain().await;
    let silent = tokio::net::TcpStream::connect(running.address()).await.unwrap();
    // An upload that begins and never goes on.
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    let first = proto::AddArtifactsRequest {
        session_id: SESSION.to_owned(),
        user_context: user("ada"),
        ..Default::default()
    };
    sender.unbounded_send(first).unwrap();
    let mut other = client.clone();
    let upload = tokio::spawn(async move { other.add_artifacts(receiver).await.map(drop) });
    let answers = answers(client.execute_plan(execution(range(7))).await).await.unwrap();
    assert_eq!(rows(&answers), 7);
    upload.abort();
    drop((silent, sender));
    // With half-open streams about, the server still ends.
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_trusts_the_certificate_speaks_tls_and_no_other_is_answered() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let server = Server::builder(Session::builder()).tls(&certificate, &key);
    let running = server.bind("127.0.0.1:0", Some("token")).await.unwrap();
    let address = format!("https://localhost:{}", running.address().port());
    let trusting = |certificate: Option<&str>| {
        let tls = tonic::transport::ClientTlsConfig::new().domain_name("localhost");
        let tls = match certificate {
            Some(certificate) => {
                tls.ca_certificate(tonic::transport::Certificate::from_pem(certificate))
            }
            None => tls,
        };
        Channel::from_shared(address.clone()).unwrap().tls_config(tls).unwrap()
    };
    let channel = trusting(Some(&certificate)).connect().await.unwrap();
    let mut request = Request::new(execution(range(5)));
    request.metadata_mut().insert("authorization", "Bearer token".parse().unwrap());
    let mut client = Client::new(channel);
    assert_eq!(rows(&answers(client.execute_plan(request).await).await.unwrap()), 5);
    assert!(trusting(None).connect().await.is_err(), "nobody vouches for the certificate");
    // A client that does not speak TLS gets no answer.
    let plain = Channel::from_shared(format!("http://{}", running.address())).unwrap();
    let status = match plain.connect().await {
        Ok(channel) => Client::new(channel).config(proto::ConfigRequest::default()).await.err(),
        Err(_) => None,
    };
    assert!(status.is_none_or(|status| status.code() != Code::Ok));
    let broken = Server::builder(Session::builder()).tls(&certificate, "no key");
    assert!(broken.bind("127.0.0.1:0", None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_of_a_client_that_is_gone_ends_and_others_go_on() {
    let (running, mut other) = plain().await;
    let mut client = Client::connect(format!("http://{}", running.address())).await.unwrap();
    let endless = sql("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.id < b.id");
    // It cannot be attached to again, so that nobody may ask for it any more.
    let request = proto::ExecutePlanRequest { request_options: Vec::new(), ..execution(endless) };
    let stream = client.execute_plan(request).await.unwrap();
    drop((stream, client));
    let asked = proto::GetStatusRequest {
        session_id: SESSION.to_owned(),
        user_context: user("ada"),
        operation_status: Some(proto::get_status_request::OperationStatusRequest::default()),
        ..Default::default()
    };
    loop {
        let status = other.get_status(asked.clone()).await.unwrap().into_inner();
        let mut running = status.operation_statuses.iter();
        if running.all(|one| one.operation_id != OPERATION || !is_running(one.state())) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let request = proto::ExecutePlanRequest {
        operation_id: Some(OPERATION.replace("a0", "b0")),
        ..execution(range(3))
    };
    assert_eq!(rows(&answers(other.execute_plan(request).await).await.unwrap()), 3);
}

fn is_running(state: proto::get_status_response::operation_status::OperationState) -> bool {
    state == proto::get_status_response::operation_status::OperationState::Running
}
