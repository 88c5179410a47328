//! One place on the network. Addresses come from `core`, where they are values and nothing more.

use super::Invalid;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const EXPECTED: &str = "a host with a port (`name:443`, `192.0.2.1:443`, `[2001:db8::1]:443`)";

/// A host and a port. The host is a DNS name in lower case without a dot at its end, or the address
/// that its text spells; two texts that name the same place are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// The place with this address.
    #[must_use]
    pub fn of_address(address: IpAddr, port: u16) -> Self {
        Self { host: address.to_string(), port }
    }

    /// The place that `host` names, an IPv6 address without its brackets.
    ///
    /// # Errors
    /// If `host` is neither a DNS name nor an address, or the port is 0.
    pub fn new(host: &str, port: u16) -> Result<Self, Invalid> {
        let invalid = || Invalid::new(EXPECTED, host);
        if port == 0 {
            return Err(invalid());
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Self::of_address(address, port));
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if host.len() > 253 || !host.split('.').all(is_label) {
            return Err(invalid());
        }
        Ok(Self { host, port })
    }

    /// The name, or the address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if the host is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// A label of a DNS name (RFC 1123), or one with the underscores that are used all the same.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl FromStr for HostPort {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new(EXPECTED, text);
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let port = port.parse().map_err(|_| invalid())?;
        let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = match bracketed {
            Some(inner) if inner.parse::<core::net::Ipv6Addr>().is_ok() => inner,
            Some(_) => return Err(invalid()),
            // An IPv6 address without brackets hides where its port begins.
            None if host.contains(':') => return Err(invalid()),
            None => host,
        };
        Self::new(host, port).map_err(|_| invalid())
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(IpAddr::V6(address)) => write!(out, "[{address}]:{}", self.port),
            _ => write!(out, "{}:{}", self.host, self.port),
        }
    }
}

impl TryFrom<String> for HostPort {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<HostPort> for String {
    fn from(value: HostPort) -> Self {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_spelling() {
        for (text, spelled) in [
            ("npm.example:443", "npm.example:443"),
            ("NPM.Example.:443", "npm.example:443"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("[2001:DB8:0:0::1]:80", "[2001:db8::1]:80"),
            ("a_b.example:1", "a_b.example:1"),
        ] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), spelled, "{text}");
        }
    }

    #[test]
    fn what_is_no_place_does_not_parse() {
        for text in [
            "",
            "name",
            ":80",
            "name:",
            "name:0",
            "name:65536",
            "name:+80",
            "name: 80",
            "::1:80",
            "[::1:80",
            "[name]:80",
            "[127.0.0.1]:80",
            "a..b:80",
            "-a:80",
            "a b:80",
            "u@name:80",
            "name/x:80",
            "http://name:80",
            "näme:80",
            ".:80",
        ] {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
        assert!(format!("{}:80", "a".repeat(64)).parse::<HostPort>().is_err());
    }
}
