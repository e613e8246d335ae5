//! Which errors mean that a worker is lost, rather than that a query is wrong.

use std::error::Error as _;

use datafusion::common::DataFusionError;
use tonic::{Code, Status};
use vonk::error::{causes, innermost};
use vonk::{Condition, Error};

/// What the engine says when a stage waits for a plan whose sender is gone.
const NO_PLAN: &str = "timed-out while waiting for the plan";

/// The error of a worker that cannot be reached any more.
pub(crate) fn worker_lost(who: &str, why: &str) -> Error {
    let message = format!("the connection to {who} is lost: {why}");
    Error::new(Condition::CLUSTER_WORKER_LOST, message)
        .hint("`vonk cluster status` tells which workers live")
}

/// An error as a user sees it; one of another process as it was there.
pub(crate) fn told(error: DataFusionError) -> Error {
    if let Some(told) = vonk::cluster::error_of(&error) {
        return told;
    }
    if let Some(status) = status_of(&error) {
        return of_status(status);
    }
    let text = error.to_string();
    if text.contains(NO_PLAN) {
        return worker_lost("the coordinator", "its plan did not come");
    }
    error.into()
}

/// Whether to run a query again may help.
pub(crate) fn is_lost(error: &Error) -> bool {
    error.condition() == Condition::CLUSTER_WORKER_LOST
}

/// The answer of the transport that an error comes from.
///
/// The errors of a query travel in statuses too, but arrive as what they were.
fn status_of(error: &DataFusionError) -> Option<&Status> {
    let DataFusionError::External(external) = error.find_root() else { return None };
    causes(external.as_ref()).find_map(|cause| cause.downcast_ref())
}

fn of_status(status: &Status) -> Error {
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => {
            let message = format!("a worker refuses this process: {}", status.message());
            Error::new(Condition::INSUFFICIENT_PERMISSIONS, message)
                .hint("give the secret of the workers with the option `vonk.cluster.secret.file`")
        }
        Code::InvalidArgument | Code::Unimplemented | Code::OutOfRange => {
            Error::internal(format!("a worker does not understand: {}", status.message()))
        }
        _ => worker_lost("a worker", &reason(status)),
    }
}

/// The innermost cause, which is the one that says something.
fn reason(status: &Status) -> String {
    match status.source() {
        Some(cause) => innermost(cause).to_string(),
        None => status.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(status: Status) -> Error {
        told(DataFusionError::External(Box::new(status)).context("a stage"))
    }

    #[test]
    fn errors_of_the_transport_are_lost_workers_and_others_are_not() {
        assert!(is_lost(&told_of(Status::unavailable("broken pipe"))));
        assert!(is_lost(&told_of(Status::unknown("h2 protocol error"))));
        let refused = told_of(Status::unauthenticated("no secret"));
        assert_eq!(refused.condition(), Condition::INSUFFICIENT_PERMISSIONS);
        let wrong = DataFusionError::Execution("Divide by zero error".to_owned());
        assert!(!is_lost(&told(wrong)));
    }
}
