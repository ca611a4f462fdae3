//! One-time codes: how a browser gets its cookie. They live in memory only: a restart takes them all back.

use super::tokens::random_hex;
use ao_api::access::TokenRole;
use ao_core::kind::{Fault, Kind};
use ao_core::screen::sha256_hex;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq as _;

/// How long a code is worth something (`docs/design/access.md`).
pub const CODE_LIFE: Duration = Duration::from_secs(60);
/// Most codes at a time; the oldest give way.
const MOST_CODES: usize = 16;

/// The name of the cookie.
pub const COOKIE: &str = "ao_session";

#[derive(Debug)]
struct Code {
    sha256: String,
    until: Instant,
    role: TokenRole,
}

/// The codes that were not used yet.
#[derive(Debug, Default)]
pub struct Codes {
    codes: Mutex<Vec<Code>>,
}

impl Codes {
    /// Makes a code for a browser that gets `role`.
    ///
    /// # Errors
    /// `unavailable` when there are no random bytes.
    pub fn issue(&self, role: TokenRole, now: Instant) -> Result<String, Fault> {
        let secret = random_hex(32)?;
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|c| c.until > now);
        if codes.len() >= MOST_CODES {
            codes.remove(0);
        }
        codes.push(Code { sha256: sha256_hex(secret.as_bytes()), until: now + CODE_LIFE, role });
        Ok(secret)
    }

    /// Takes a code for good.
    ///
    /// # Errors
    /// `denied` when it was used, is too old or never was.
    pub fn redeem(&self, shown: &str, now: Instant) -> Result<TokenRole, Fault> {
        let hash = sha256_hex(shown.trim().as_bytes());
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|c| c.until > now);
        let at = codes.iter().position(|c| c.sha256.as_bytes().ct_eq(hash.as_bytes()).into());
        at.map(|at| codes.remove(at).role).ok_or_else(|| {
            Fault::new(Kind::Denied, "this sign-in link was used already or is older than a minute")
                .hint("`ao open` makes a new one")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once() {
        let codes = Codes::default();
        let now = Instant::now();
        let code = codes.issue(TokenRole::Operator, now).expect("issued");
        assert_eq!(codes.redeem("something else", now).expect_err("wrong").kind, Kind::Denied);
        assert_eq!(codes.redeem(&code, now), Ok(TokenRole::Operator));
        assert_eq!(codes.redeem(&code, now).expect_err("used").kind, Kind::Denied);
    }

    #[test]
    fn a_code_is_good_for_a_minute() {
        let codes = Codes::default();
        let now = Instant::now();
        let code = codes.issue(TokenRole::Operator, now).expect("issued");
        assert!(codes.redeem(&code, now + CODE_LIFE).is_err());
        let code = codes.issue(TokenRole::Operator, now).expect("issued");
        assert!(codes.redeem(&code, now + CODE_LIFE - Duration::from_millis(1)).is_ok());
    }
}
