//! Whose process is at the other end of a TCP connection on this machine: read from `/proc`, as facts.
//!
//! Where there is no such table the answer is that nobody knows, and a token is needed.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A socket of this network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// The user who made it.
    pub(super) uid: u32,
    /// Its inode.
    pub(super) inode: u64,
}

/// Finds the socket whose own address is `peer` and whose other end is `local`: only sockets of our own network namespace
/// are listed.
pub(super) fn owner(peer: SocketAddr, local: SocketAddr) -> Option<Owner> {
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| find(&table, plain(peer), plain(local)))
}

/// The newest process that holds a socket and that we may look into.
pub(super) fn holder(inode: u64) -> Option<u32> {
    let wanted = format!("socket:[{inode}]");
    let entries = fs::read_dir("/proc").ok()?;
    let mut pids: Vec<u32> = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    // Whoever calls was most likely started last.
    pids.sort_unstable_by(|a, b| b.cmp(a));
    pids.into_iter().find(|pid| holds(*pid, &wanted))
}

/// Who listens on a port of this machine, in words.
#[must_use]
pub fn owner_of_port(port: u16) -> Option<String> {
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].into_iter().filter_map(|t| fs::read_to_string(t).ok());
    let sockets: Vec<Owner> = tables.filter_map(|table| listening(&table, port)).collect();
    let inode = sockets.first()?.inode;
    let Some(pid) = holder(inode) else { return Some("a process of another user".to_owned()) };
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("process {pid} ({})", name.trim_end()))
}

/// Whether a process sees the same network as we do.
pub(super) fn same_network(pid: u32) -> bool {
    let of = |who: &str| fs::read_link(format!("/proc/{who}/ns/net")).ok();
    of("self").is_some_and(|own| of(&pid.to_string()) == Some(own))
}

fn holds(pid: u32, wanted: &str) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files.flatten().any(|f| fs::read_link(f.path()).is_ok_and(|to| to.as_os_str() == wanted))
}

/// The socket that listens on a port: state `0A`.
fn listening(table: &str, port: u16) -> Option<Owner> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let here = address(fields.get(1)?)?.port() == port && *fields.get(3)? == "0A";
        here.then_some(Owner { uid: fields.get(7)?.parse().ok()?, inode: fields.get(9)?.parse().ok()? })
    })
}

/// One line per socket: `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`.
fn find(table: &str, own: SocketAddr, other: SocketAddr) -> Option<Owner> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let addresses = (address(fields.get(1)?)?, address(fields.get(2)?)?);
        // A socket that nobody holds any more has no inode.
        let inode: u64 = fields.get(9)?.parse().ok().filter(|inode| *inode != 0)?;
        (addresses == (own, other)).then_some(Owner { uid: fields.get(7)?.parse().ok()?, inode })
    })
}

/// `0100007F:0BB8`: the address as 32-bit words in the machine's own byte order.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Vec<u8> = (0..ip.len() / 8)
        .map(|n| u32::from_str_radix(ip.get(n * 8..n * 8 + 8)?, 16).ok())
        .collect::<Option<Vec<u32>>>()?
        .into_iter()
        .flat_map(u32::to_ne_bytes)
        .collect();
    let ip = match words.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(words).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?)),
        _ => return None,
    };
    Some(plain(SocketAddr::new(ip, port)))
}

/// An IPv4 address that was written as an IPv6 one is an IPv4 address.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    /// A child that another test starts just now has everything open that we have, until it runs its own program.
    #[track_caller]
    fn soon(mut holds: impl FnMut() -> bool) {
        let begun = std::time::Instant::now();
        while !holds() {
            assert!(begun.elapsed() < std::time::Duration::from_secs(60), "it never holds");
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_other_end_of_a_connection_is_found_with_its_user_and_process() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host) else {
                // A machine without IPv6 has only the first.
                assert_ne!(host, "127.0.0.1:0");
                continue;
            };
            let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
            let (server, peer) = listener.accept().expect("accepted");
            let found = owner(peer, server.local_addr().expect("an address")).expect("found");
            assert_eq!(found.uid, rustix::process::getuid().as_raw());
            soon(|| holder(found.inode) == Some(std::process::id()));
            assert!(same_network(std::process::id()));
            drop(client);
        }
    }

    #[test]
    fn whoever_has_a_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        soon(|| owner_of_port(port).expect("found").contains(&std::process::id().to_string()));
        drop(listener);
        soon(|| owner_of_port(port).is_none());
    }

    #[test]
    fn an_end_that_is_not_here_is_not_found() {
        let nowhere: SocketAddr = "127.0.0.1:1".parse().expect("an address");
        assert_eq!(owner(nowhere, nowhere), None);
        assert_eq!(holder(u64::MAX), None);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn mapped_addresses_are_the_same_address() {
        let line = "header\n 1: 0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000100007F:0BB8 01 0:0 0:0 0 1000 0 77 1\n";
        let (own, other) = ("127.0.0.1:40000".parse().expect("a"), "127.0.0.1:3000".parse().expect("b"));
        assert_eq!(find(line, own, other), Some(Owner { uid: 1000, inode: 77 }));
        assert_eq!(find(line, other, own), None);
    }
}
