//! The ports of a session: what it is told of them, and whether somebody else on the machine listens there.

use super::lookup::look_up;
use crate::engine::Engine;
use ao_core::event::Event;
use ao_core::id::SessionId;
use ao_core::kind::Fault;
use ao_core::session::Session;
use ao_core::workspace::PORTS_EACH;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};

/// So many ranges in a row are tried: somebody who takes more of them runs a server farm and sets `portRange`.
const TRIES: usize = 50;

/// What a session is told about its ports.
pub(super) fn told(session: &Session) -> BTreeMap<String, String> {
    let Some(base) = session.belongings.ports else { return BTreeMap::new() };
    BTreeMap::from([
        ("AO_PORT_BASE".to_owned(), base.to_string()),
        ("AO_PORT_COUNT".to_owned(), PORTS_EACH.to_string()),
    ])
}

/// Sees to it that nobody listens on the ports of a session that does not run yet: if somebody does, it is given others.
///
/// # Errors
/// When the journal cannot be written.
pub(super) async fn settle(engine: &Engine, id: &SessionId) -> Result<(), Fault> {
    let mut bases = BTreeSet::new();
    while bases.len() < TRIES {
        let Some(base) = look_up(engine, id)?.1.belongings.ports else { return Ok(()) };
        if are_free(base) || !bases.insert(base) {
            return Ok(());
        }
        // It is decided when this returns: the next look sees the new ones.
        engine.record(Event::PortsTaken { session: id.clone(), bases: bases.clone() }).await?;
    }
    Ok(())
}

/// Whether nobody listens on any of them, on loopback or on every address.
fn are_free(base: u16) -> bool {
    let ports = base..=base.saturating_add(PORTS_EACH - 1);
    ports.into_iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_on_which_somebody_listens_makes_its_range_taken() {
        // Whichever port is free now; the ranges around it are ours to look at.
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!are_free(port) && !are_free(port - (PORTS_EACH - 1)));
    }
}
