//! Writes the server's trait: the crate of the messages has only the client's side.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use tonic_build::manual::{Builder, Method, Service};

/// Every method: its name in Rust and in the protocol, its messages, and which sides stream.
const METHODS: &[(&str, &str, &str, &str, Streams)] = &[
    ("execute_plan", "ExecutePlan", "ExecutePlanRequest", "ExecutePlanResponse", Streams::Server),
    ("analyze_plan", "AnalyzePlan", "AnalyzePlanRequest", "AnalyzePlanResponse", Streams::Neither),
    ("config", "Config", "ConfigRequest", "ConfigResponse", Streams::Neither),
    (
        "add_artifacts",
        "AddArtifacts",
        "AddArtifactsRequest",
        "AddArtifactsResponse",
        Streams::Client,
    ),
    (
        "artifact_status",
        "ArtifactStatus",
        "ArtifactStatusesRequest",
        "ArtifactStatusesResponse",
        Streams::Neither,
    ),
    ("interrupt", "Interrupt", "InterruptRequest", "InterruptResponse", Streams::Neither),
    (
        "reattach_execute",
        "ReattachExecute",
        "ReattachExecuteRequest",
        "ExecutePlanResponse",
        Streams::Server,
    ),
    (
        "release_execute",
        "ReleaseExecute",
        "ReleaseExecuteRequest",
        "ReleaseExecuteResponse",
        Streams::Neither,
    ),
    (
        "release_session",
        "ReleaseSession",
        "ReleaseSessionRequest",
        "ReleaseSessionResponse",
        Streams::Neither,
    ),
    (
        "fetch_error_details",
        "FetchErrorDetails",
        "FetchErrorDetailsRequest",
        "FetchErrorDetailsResponse",
        Streams::Neither,
    ),
    (
        "clone_session",
        "CloneSession",
        "CloneSessionRequest",
        "CloneSessionResponse",
        Streams::Neither,
    ),
    ("get_status", "GetStatus", "GetStatusRequest", "GetStatusResponse", Streams::Neither),
];

#[derive(Clone, Copy, PartialEq)]
enum Streams {
    Neither,
    Client,
    Server,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut service = Service::builder().name("SparkConnectService").package("spark.connect");
    for (name, route, input, output, streams) in METHODS {
        let mut method = Method::builder()
            .name(*name)
            .route_name(*route)
            .input_type(format!("spark_connect_proto::{input}"))
            .output_type(format!("spark_connect_proto::{output}"))
            .codec_path("crate::codec::DepthCodec");
        if *streams == Streams::Client {
            method = method.client_streaming();
        }
        if *streams == Streams::Server {
            method = method.server_streaming();
        }
        service = service.method(method.build());
    }
    Builder::new().build_client(false).compile(&[service.build()]);
    let routes = METHODS.iter().map(|(_, route, ..)| format!("{route:?}")).collect::<Vec<_>>();
    let list = format!("&[{}]", routes.join(", "));
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no output folder")?);
    fs::write(folder.join("methods.rs"), list)?;
    Ok(())
}
