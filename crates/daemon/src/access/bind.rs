//! Where the daemon may listen: loopback, until there is TLS with tokens.

use ao_core::kind::{Fault, Kind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The address to listen on for a configured host.
///
/// # Errors
/// `invalid` for something that is no address; `unsupported` for one that others can reach: plain HTTP never leaves the
/// machine (`docs/design/access.md`), and TLS with tokens is not there yet.
pub fn address(host: &str, port: u16) -> Result<SocketAddr, Fault> {
    let ip = match host.trim_matches(['[', ']']) {
        "" | "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        text => text.parse().map_err(|_| {
            Fault::invalid(format!("{host:?} is no address to listen on")).hint("leave it out, or use 127.0.0.1 or ::1")
        })?,
    };
    let address = SocketAddr::new(ip, port);
    loopback(address).map(|()| address)
}

/// Refuses an address that others can reach.
///
/// # Errors
/// `unsupported`, with what to do instead.
pub fn loopback(address: SocketAddr) -> Result<(), Fault> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(Fault::new(
        Kind::Unsupported,
        format!(
            "{} can be reached from other machines, and remote access (TLS and tokens) is not there yet",
            address.ip()
        ),
    )
    .hint("listen on 127.0.0.1 and forward it: ssh -L 3000:127.0.0.1:3000 <this machine>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_listened_on() {
        for host in ["", "localhost", "127.0.0.1", "127.0.0.2", "::1", "[::1]"] {
            assert!(address(host, 3000).is_ok(), "{host:?} was refused");
        }
        for host in ["0.0.0.0", "::", "192.168.1.2", "10.0.0.1", "fe80::1"] {
            let fault = address(host, 3000).expect_err(host);
            assert_eq!(fault.kind, Kind::Unsupported);
            assert!(fault.message.contains("TLS"), "{fault}");
        }
        assert_eq!(address("example", 1).expect_err("a name").kind, Kind::Invalid);
    }
}
