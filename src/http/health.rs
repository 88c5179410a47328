//! The other end of the health check: a container has no curl to ask it with.

use anyhow::{Context as _, Result};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// Whoever checks the health waits no longer either.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Asks the daemon that listens at `listen` on this machine whether it is healthy.
///
/// # Errors
/// If no daemon answers there.
pub async fn ask(listen: SocketAddr) -> Result<bool> {
    crate::clients::install_tls_provider();
    let client = reqwest::Client::builder()
        .timeout(TIME_LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        // A proxy has no way to this machine's loopback.
        .no_proxy()
        .build()?;
    let url = format!("http://{}{}", reachable(listen), super::HEALTH);
    let answer = client.get(&url).send().await.with_context(|| format!("asking {url}"))?;
    Ok(answer.status().is_success())
}

/// Where to knock: an address that stands for all of the machine's is no place to connect to.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_asked_over_loopback_and_one_is_asked_itself() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("192.0.2.7:8080", "192.0.2.7:8080"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
