//! Masters: `vonk://host:port,host:port`, where a host may be a name with many addresses.

use vonk::{Condition, Error, Result};

/// The port of workers, where none is given.
const PORT: u16 = 7077;

/// Where workers may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The places that a master names.
///
/// # Errors
/// `INVALID_CONF_VALUE` if it is none of a cluster.
pub(crate) fn places(master: &str) -> Result<Vec<Place>> {
    let wrong = || {
        let message = format!("master `{master}` names no workers");
        Error::new(Condition::INVALID_CONFIG_VALUE, message)
            .hint("give their places, as in `vonk://host:7077,other:7077`")
    };
    let listed = master.strip_prefix("vonk://").ok_or_else(wrong)?;
    let places = listed.split(',').map(|place| place_of(place.trim()).ok_or_else(wrong));
    places.collect()
}

fn place_of(text: &str) -> Option<Place> {
    let (host, port) = match text.strip_prefix('[') {
        // An address of IPv6 has colons of its own.
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':').map_or(Some(PORT), |port| port.parse().ok())?)
        }
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (text, PORT),
        },
    };
    let is_name = !host.is_empty() && !host.contains(['/', '@', ' ']);
    is_name.then(|| Place { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_are_lists_of_places() {
        let place = |host: &str, port| Place { host: host.to_owned(), port };
        let expected = [place("n1", 7077), place("127.0.0.1", 80), place("::1", 5)];
        assert_eq!(places("vonk://n1, 127.0.0.1:80,[::1]:5").unwrap(), expected);
        for wrong in ["local[*]", "vonk://", "vonk://a:b", "vonk://a,,b", "vonk://a/b:1"] {
            let error = places(wrong).unwrap_err();
            assert_eq!(error.condition(), Condition::INVALID_CONFIG_VALUE, "{wrong}");
        }
    }
}
