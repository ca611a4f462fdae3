//! The id that a conversation gets from us, for agents that let it be chosen.

use ao_core::id::SessionId;
use sha2::{Digest, Sha256};

/// The UUID of a session's conversation: the first 16 bytes of `sha256(session id, newline, session secret)` with the bits
/// of a version 4 UUID (RFC 9562), which is what agents accept. The same in every launch of the session, and not to be
/// guessed without its secret.
#[must_use]
pub fn native_id(session: &SessionId, secret: &str) -> String {
    let digest = Sha256::new().chain_update(session.as_str()).chain_update("\n").chain_update(secret).finalize();
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_one_uuid_and_another_secret_gives_another() {
        let id = |session: &str, secret: &str| native_id(&SessionId::new(session), secret);
        assert_eq!(id("ao-1", "s"), id("ao-1", "s"));
        assert_ne!(id("ao-1", "s"), id("ao-1", "t"));
        assert_ne!(id("ao-1", "s"), id("ao-2", "s"));
        let uuid = id("ao-1", "s");
        let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(uuid[14..].starts_with('4') && matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{uuid}");
    }
}
