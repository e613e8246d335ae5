//! The secret that coordinators and workers share, in a header of every request.

use std::fmt;
use std::path::Path;

use subtle::ConstantTimeEq;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};
use vonk::{Condition, Error, Result};

const HEADER: &str = "vonk-secret";

/// Fewer bytes can be guessed.
const BYTES_MIN: usize = 16;

/// A secret; it is not shown.
#[derive(Clone)]
pub struct Secret(http::HeaderValue);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A secret of visible characters, sixteen at least.
    ///
    /// ```
    /// assert!(vonk_cluster::Secret::new("correct horse battery").is_ok());
    /// assert!(vonk_cluster::Secret::new("short").is_err());
    /// ```
    ///
    /// # Errors
    /// `INVALID_CONF_VALUE` for any other text.
    pub fn new(text: &str) -> Result<Self> {
        let value = http::HeaderValue::from_str(text.trim()).ok();
        let mut value = value.filter(|value| value.len() >= BYTES_MIN).ok_or_else(|| {
            let message = format!("the secret has not {BYTES_MIN} visible characters");
            Error::new(Condition::INVALID_CONFIG_VALUE, message)
                .hint("make one with `head -c 32 /dev/urandom | base64`")
        })?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The secret in a file.
    ///
    /// # Errors
    /// If the file cannot be read, or holds none.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("the secret cannot be read: {error}");
            Error::new(Condition::CANNOT_READ_FILE, message).file(path)
        })?;
        Self::new(&text)
    }

    pub(crate) fn add_to(&self, headers: &mut http::HeaderMap) {
        headers.insert(HEADER, self.0.clone());
    }
}

/// Lets requests in that have the secret, or all if there is none.
pub(crate) fn guard(
    secret: Option<Secret>,
) -> impl Fn(Request<()>) -> Result<Request<()>, Status> + Clone {
    move |request| match &secret {
        Some(secret) if !has(request.metadata(), secret) => {
            Err(Status::unauthenticated("the secret is missing or another one"))
        }
        _ => Ok(request),
    }
}

fn has(metadata: &MetadataMap, secret: &Secret) -> bool {
    let given = metadata.get(HEADER);
    given.is_some_and(|given| given.as_encoded_bytes().ct_eq(secret.0.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_secret_gets_in() {
        let secret = Secret::new("correct horse battery").unwrap();
        let guard = guard(Some(secret.clone()));
        assert!(guard(Request::new(())).is_err());
        for (text, may) in [("correct horse battery", true), ("incorrect horse battery", false)] {
            let mut request = Request::new(());
            request.metadata_mut().insert(HEADER, text.parse().unwrap());
            assert_eq!(guard(request).is_ok(), may);
        }
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
