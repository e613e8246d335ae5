//! Which addresses a name may lead to: those of the public internet alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Policy;
use crate::error::{Condition, Error, Result};

impl Policy {
    /// Refuses an address that a name resolved to and that is not public.
    pub(crate) fn check_address(&self, name: &str, address: IpAddr) -> Result<()> {
        if !self.is_restricted() || is_public(address) {
            return Ok(());
        }
        let message = format!("`{name}` leads to `{address}`, which is no public address");
        Err(Error::new(Condition::INSUFFICIENT_PERMISSIONS, message).hint(format!(
            "allow the address itself with `--allow-host {address}` and use it in place of the name"
        )))
    }
}

/// Whether an address belongs to the public internet, by the registries of special addresses of
/// IANA: not this machine, this network, or one that only looks like another.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = (a, b, c) == (192, 0, 0);
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 224
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || is_shared
        || is_protocol
        || is_benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    // Addresses that carry one of the fourth version: mapped, compatible, NAT64, 6to4.
    let embedded = match parts {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some((high, low))
        }
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = embedded {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let is_global = (parts[0] & 0xe000) == 0x2000;
    let is_special = parts[0] == 0x2001 && (parts[1] < 0x200 || parts[1] == 0xdb8);
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_are_not_public() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_name_may_not_lead_inside() {
        let policy = Policy::safe().allow_host("rebind.example.org");
        let error = policy.check_address("rebind.example.org", "127.0.0.1".parse().unwrap());
        let text = error.unwrap_err().to_string();
        assert!(text.contains("`rebind.example.org` leads to `127.0.0.1`"), "{text}");
        assert!(Policy::default().check_address("x", "127.0.0.1".parse().unwrap()).is_ok());
    }
}
