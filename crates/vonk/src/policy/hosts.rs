//! Which hosts may be reached: by the names that were allowed, and never an address inside.

use std::net::IpAddr;

use super::{Access, Policy};
use crate::error::{Condition, Error, Result};

impl Policy {
    /// Refuses the address of a store before a client for it is made.
    ///
    /// The client asks [`Policy::check_host`] again at each request, since options may name
    /// another host than the address does, and a server may redirect to a third.
    pub(crate) fn check_store(&self, scheme: &str, host: &str) -> Result<()> {
        let Some(rules) = &self.rules else { return Ok(()) };
        match scheme {
            // In other schemes a bucket stands where the host would.
            "http" | "https" | "hdfs" | "viewfs" => self.check_host(host),
            _ if rules.hosts.is_empty() => Err(refusal(host, &[])),
            _ => Ok(()),
        }
    }

    /// Refuses to write in a store unless it was allowed there; what is read is judged by its host.
    pub(crate) fn check_address_to(&self, access: Access, address: &str) -> Result<()> {
        let Some(rules) = &self.rules else { return Ok(()) };
        let is_plain = !address.split('/').any(|part| part == "." || part == "..");
        let is_below = |root: &String| {
            let rest = address.strip_prefix(root.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if access == Access::Read || (is_plain && rules.write_addresses.iter().any(is_below)) {
            return Ok(());
        }
        let message = format!("`{address}` may not be written: the policy does not allow it");
        Err(Error::new(Condition::INSUFFICIENT_PERMISSIONS, message)
            .hint("allow its directory with `--allow-write` or `Policy::allow_write_to`")
            .parameter("path", address))
    }

    /// Refuses a host that was not allowed.
    pub(crate) fn check_host(&self, host: &str) -> Result<()> {
        let Some(rules) = &self.rules else { return Ok(()) };
        let host = plain(host);
        match rules.hosts.iter().any(|allowed| fits(allowed, &host)) {
            true => Ok(()),
            false => Err(refusal(&host, &rules.hosts)),
        }
    }
}

/// A host's name as it is compared: lower case, without the dot or brackets around it.
pub(super) fn plain(host: &str) -> String {
    let host = host.trim().trim_end_matches('.');
    host.trim_start_matches('[').trim_end_matches(']').to_lowercase()
}

fn fits(allowed: &str, host: &str) -> bool {
    match allowed.strip_prefix("*.") {
        Some(domain) if host.parse::<IpAddr>().is_err() => {
            host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
        }
        _ => allowed == host,
    }
}

fn refusal(host: &str, allowed: &[String]) -> Error {
    let rule = match allowed {
        [] => "no host".to_owned(),
        hosts => format!("only `{}`", hosts.join("`, `")),
    };
    let message = format!("`{host}` may not be reached: the policy allows {rule}");
    Error::new(Condition::INSUFFICIENT_PERMISSIONS, message)
        .hint("allow its host with `--allow-host` or `Policy::allow_host`")
        .parameter("host", host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_hosts_are_reached() {
        let policy = Policy::safe().allow_host("Data.Example.org").allow_host("*.amazonaws.com");
        for allowed in ["data.example.org", "DATA.example.ORG.", "b.s3.us-east-1.amazonaws.com"] {
            assert!(policy.check_host(allowed).is_ok(), "{allowed}");
        }
        for refused in [
            "example.org",
            "x.data.example.org",
            "data.example.org.evil.net",
            "amazonaws.com",
            "evilamazonaws.com",
            "127.0.0.1",
            "[::1]",
            "localhost",
            "",
        ] {
            assert!(policy.check_host(refused).is_err(), "{refused}");
        }
        let named = Policy::safe().allow_host("[::1]").allow_host("10.0.0.5");
        assert!(named.check_host("::1").is_ok() && named.check_host("10.0.0.5").is_ok());
    }

    #[test]
    fn only_named_places_in_stores_are_written_to() {
        let policy = Policy::safe().allow_host("*.x.org").allow_write_to("s3://b/out/");
        let may = |address: &str| policy.check_address_to(Access::Write, address).is_ok();
        assert!(may("s3://b/out") && may("s3://b/out/x.csv"));
        for refused in ["s3://b/outer", "s3://b/in", "s3a://b/out", "s3://b/out/../in", "s3://b"] {
            assert!(!may(refused), "{refused}");
        }
        assert!(policy.check_address_to(Access::Read, "s3://b/in").is_ok());
        assert!(Policy::safe().check_store("hdfs", "node").is_err());
    }

    #[test]
    fn stores_need_a_host_that_is_allowed() {
        let error = Policy::safe().check_store("s3", "bucket").unwrap_err().to_string();
        assert!(error.contains("the policy allows no host"), "{error}");
        assert!(Policy::default().check_store("http", "localhost").is_ok());
        assert!(Policy::safe().allow_host("a.b").check_store("http", "c.d").is_err());
        assert!(Policy::safe().allow_host("a.b").check_store("s3", "bucket").is_ok());
    }
}
