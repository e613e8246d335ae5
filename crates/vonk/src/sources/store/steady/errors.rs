//! What a store's errors mean, in words for the person who named the path.

use std::error::Error as _;

use object_store::path::Path;
use url::{Position, Url};

use super::super::settings::Patience;
use crate::config;
use crate::error::{Condition, Error, causes, innermost};

/// What clients and servers write when a bucket is missing.
const NO_BUCKET: &[&str] =
    &["NoSuchBucket", "ContainerNotFound", "specified bucket does not exist", "FilesystemNotFound"];

/// What they write when somebody may not do what was asked for.
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessControlException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "AuthorizationException",
    "AuthenticationFailed",
    "403 Forbidden",
    "401 Unauthorized",
];

/// What name nodes write when another of them, or the same one later, will answer.
const PASSING: &[&str] =
    &["StandbyException", "RetriableException", "SafeModeException", "All DataNodes failed"];

/// Words errors for the paths of one store.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    /// The store's address, such as `s3://bucket`.
    url: String,
    scheme: String,
    host: String,
    patience: Patience,
}

impl Teller {
    pub(super) fn new(url: &Url, patience: Patience) -> Self {
        Self {
            url: url[..Position::BeforePath].to_owned(),
            scheme: url.scheme().to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            patience,
        }
    }

    /// The error in our words, unless it is one that the callers tell apart.
    pub(super) fn tell(&self, location: &Path, error: object_store::Error) -> object_store::Error {
        use object_store::Error as Stored;
        let text = error.to_string();
        let has = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
        if let Some(ours) = ours_within(&error) {
            return match error.source().is_some_and(|source| source.is::<Error>()) {
                true => error,
                false => self.about(location, ours),
            };
        }
        let told = match &error {
            _ if has(NO_BUCKET) => self.no_bucket(),
            Stored::PermissionDenied { .. } | Stored::Unauthenticated { .. } => self.denied(&error),
            _ if has(&["java.io.FileNotFoundException"]) => {
                return Stored::NotFound { path: location.to_string(), source: Box::new(error) };
            }
            Stored::NotFound { .. }
            | Stored::AlreadyExists { .. }
            | Stored::Precondition { .. }
            | Stored::NotModified { .. }
            | Stored::NotImplemented { .. } => return error,
            _ if has(DENIED) => self.denied(&error),
            _ => self.failed(&error),
        };
        self.about(location, told.caused_by(error))
    }

    /// The store said nothing for as long as it may.
    pub(super) fn silence(&self, location: &Path) -> object_store::Error {
        let (seconds, option) = (self.patience.answer.as_secs_f64(), config::STORE_TIMEOUT);
        let message = format!("`{}` did not answer for {seconds} s", self.url);
        let error = Error::new(Condition::CANNOT_READ_FILE, message).hint(format!(
            "check that the server works and is not overloaded, or raise the option `{option}`"
        ));
        self.about(location, error)
    }

    /// The server does not say which files it has.
    pub(super) fn cannot_list(&self, location: &Path) -> object_store::Error {
        let message = format!("`{}` does not list its files, as no server of HTTP does", self.url);
        let error = Error::unsupported(message)
            .hint("name every file: several paths, or `{a,b}` in one, but no `*` and no directory");
        self.about(location, error)
    }

    fn about(&self, location: &Path, error: Error) -> object_store::Error {
        let error = error.file(format!("{}/{location}", self.url));
        object_store::Error::Generic { store: "vonk", source: Box::new(error) }
    }

    fn no_bucket(&self) -> Error {
        let message = format!("the bucket of `{}` does not exist", self.url);
        Error::new(Condition::PATH_NOT_FOUND, message)
            .parameter("path", self.url.clone())
            .hint(format!("check its name and {}", self.where_to_look()))
    }

    fn denied(&self, error: &object_store::Error) -> Error {
        let message = format!("`{}` denies access: {}", self.url, reason(error));
        Error::new(Condition::INSUFFICIENT_PERMISSIONS, message).hint(self.who_to_be())
    }

    fn failed(&self, error: &object_store::Error) -> Error {
        let reason = reason(error);
        let has = |mark: &str| reason.contains(mark);
        let hint = if has("lookup address") || has("dns error") {
            format!("no host has this name: check {}", self.where_to_look())
        } else if has("refused")
            || has("reset")
            || has("closed")
            || has("too early")
            || has("timed out")
        {
            format!("check that the server runs and can be reached, and {}", self.where_to_look())
        } else if has("169.254.169.254") || has("metadata") {
            self.who_to_be()
        } else {
            format!("check the store's options and {}", self.where_to_look())
        };
        let message = format!("`{}` failed: {reason}", self.url);
        Error::new(Condition::CANNOT_READ_FILE, message).hint(hint)
    }

    /// Where the address of a server comes from.
    fn where_to_look(&self) -> String {
        match self.scheme.as_str() {
            "s3" | "s3a" | "s3n" => "the endpoint and region (`fs.s3a.endpoint`, \
                                     `fs.s3a.endpoint.region`, `AWS_ENDPOINT_URL`, `AWS_REGION`)"
                .to_owned(),
            "hdfs" | "viewfs" => {
                "the address of the name node (`HADOOP_CONF_DIR`, `fs.defaultFS`)".to_owned()
            }
            "gs" | "gcs" => "`fs.gs.storage.root.url` if it is set".to_owned(),
            "http" | "https" => format!("the address `{}`", self.host),
            _ => "the account and container of the address".to_owned(),
        }
    }

    /// How a user tells a store who they are.
    fn who_to_be(&self) -> String {
        match self.scheme.as_str() {
            "s3" | "s3a" | "s3n" => {
                "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `fs.s3a.access.key` and \
                 `fs.s3a.secret.key`; for a public bucket `fs.s3a.aws.credentials.provider` to \
                 `AnonymousAWSCredentialsProvider`"
            }
            "hdfs" | "viewfs" => {
                "set `HADOOP_USER_NAME` to a user who may, or ask the owner for permission"
            }
            "gs" | "gcs" => {
                "set `GOOGLE_APPLICATION_CREDENTIALS` to the key file of an account that may"
            }
            "http" | "https" => "use an address that needs no login",
            _ => "set `AZURE_STORAGE_ACCOUNT_KEY` or `fs.azure.account.key`",
        }
        .to_owned()
    }
}

/// Whether an error that the client gives may be gone when it is asked again.
pub(super) fn may_pass(error: &object_store::Error) -> bool {
    if causes(error).any(|cause| cause.is::<std::io::Error>()) {
        return true;
    }
    let text = error.to_string();
    PASSING.iter().any(|mark| text.contains(mark))
}

/// Whether a server sent a whole file where a range of it was asked for.
pub(super) fn knows_no_ranges(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotSupported { .. })
        || error.to_string().contains("non-partial response")
}

/// An error of ours below those of the client, such as the policy's, in a copy.
fn ours_within(error: &object_store::Error) -> Option<Error> {
    let ours = causes(error).find_map(|cause| cause.downcast_ref::<Error>())?;
    let copy = Error::new(ours.condition(), ours.message());
    Some(match ours.hint_text() {
        Some(hint) => copy.hint(hint),
        None => copy,
    })
}

/// The innermost cause, in a line.
fn reason(error: &object_store::Error) -> String {
    let text = innermost(error).to_string();
    // A server's whole stack of calls says nothing to a user.
    text.lines().next().unwrap_or_default().trim().chars().take(300).collect()
}
