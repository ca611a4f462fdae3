//! Tokens: named, expiring, revocable, and at rest only as hashes, in one file that its owner alone can read.
//!
//! A secret has 256 random bits, so a plain SHA-256 of it is as good as a slow hash.

use ao_api::access::{TokenRole, TokenView};
use ao_core::kind::{Fault, Kind};
use ao_core::screen::sha256_hex;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use subtle::ConstantTimeEq as _;

/// A day in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;
/// How long a token is worth something unless told otherwise: a quarter.
pub const DEFAULT_DAYS: u32 = 90;
/// The longest life of a token: whoever wants more makes a new one.
pub const MOST_DAYS: u32 = 365;
/// How long a browser stays signed in.
pub const BROWSER_DAYS: u32 = 30;
/// Most tokens at a time: more than anybody can tell apart; it keeps the file small.
const MOST_TOKENS: usize = 200;

/// What a token lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A program's configuration.
    Token,
    /// A browser's cookie.
    Browser,
}

/// One token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    id: String,
    name: String,
    role: TokenRole,
    kind: TokenKind,
    sha256: String,
    /// Wall time in milliseconds.
    created: u64,
    /// Wall time in milliseconds.
    expires: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    tokens: Vec<Token>,
}

/// The tokens of one data root.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    tokens: Mutex<Vec<Token>>,
}

impl Tokens {
    /// Reads the file; none means that there are no tokens.
    ///
    /// # Errors
    /// When it cannot be read, or is not such a file: nobody is let in by a file that is not understood, and nothing
    /// overwrites it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let tokens = match std::fs::read(path) {
            Ok(bytes) => {
                let stored: Stored = serde_json::from_slice(&bytes)
                    .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {e}", path.display())))?;
                stored.tokens
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        Ok(Self { path: path.to_owned(), tokens: Mutex::new(tokens) })
    }

    /// Makes a token and returns its secret, which is nowhere else.
    ///
    /// # Errors
    /// `invalid` for a name or life that is not allowed, `conflict` for a name that is taken, `storage_failed`.
    pub fn create(
        &self,
        name: &str,
        role: TokenRole,
        kind: TokenKind,
        days: u32,
        now: u64,
    ) -> Result<(String, TokenView), Fault> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Fault::invalid("a token needs a name of 1 to 100 characters that says what it is for"));
        }
        if days == 0 || days > MOST_DAYS {
            return Err(Fault::invalid(format!("a token lives 1 to {MOST_DAYS} days, not {days}")));
        }
        let mut tokens = self.lock();
        tokens.retain(|t| t.expires > now);
        if kind == TokenKind::Token && tokens.iter().any(|t| t.kind == TokenKind::Token && t.name == name) {
            return Err(
                Fault::conflict(format!("a token is already called {name:?}")).hint("revoke it, or use another name")
            );
        }
        if tokens.len() >= MOST_TOKENS {
            return Err(Fault::conflict(format!("there are {MOST_TOKENS} tokens already"))
                .hint("revoke those that nobody uses"));
        }
        let (id, secret) = (random_hex(4)?, random_hex(32)?);
        let expires = now + u64::from(days) * DAY;
        let sha256 = sha256_hex(secret.as_bytes());
        let token = Token { id: id.clone(), name: name.to_owned(), role, kind, sha256, created: now, expires };
        let view = token.view();
        tokens.push(token);
        if let Err(e) = self.store(&tokens) {
            tokens.pop();
            return Err(e);
        }
        Ok((format!("ao_{id}_{secret}"), view))
    }

    /// Takes a token's worth away at once.
    ///
    /// # Errors
    /// `not_found`, `storage_failed`.
    pub fn revoke(&self, id: &str) -> Result<TokenView, Fault> {
        let mut tokens = self.lock();
        let at = tokens.iter().position(|t| t.id == id || (t.kind == TokenKind::Token && t.name == id));
        let Some(at) = at else {
            return Err(Fault::not_found(format!("there is no token {id:?}")).hint("`ao token list` shows every token"));
        };
        // Gone from memory first: a full disk must not keep it alive.
        let token = tokens.remove(at);
        self.store(&tokens)?;
        Ok(token.view())
    }

    /// Every token that is still worth something, oldest first.
    #[must_use]
    pub fn list(&self, now: u64) -> Vec<TokenView> {
        self.lock().iter().filter(|t| t.expires > now).map(Token::view).collect()
    }

    /// What a shown token is worth; none for one that is unknown, revoked or expired. Takes the same time for a wrong
    /// secret as for a right one.
    #[must_use]
    pub fn check(&self, shown: &str, kind: TokenKind, now: u64) -> Option<TokenView> {
        let (id, secret) = shown.trim().strip_prefix("ao_")?.split_once('_')?;
        let hash = sha256_hex(secret.as_bytes());
        let tokens = self.lock();
        let token = tokens.iter().find(|t| t.id == id && t.kind == kind)?;
        let same: bool = token.sha256.as_bytes().ct_eq(hash.as_bytes()).into();
        (same && token.expires > now).then(|| token.view())
    }

    /// Replaces the file; synced, because a revoked token must not come back with the power.
    fn store(&self, tokens: &[Token]) -> Result<(), Fault> {
        let write = || -> io::Result<()> {
            let temporary = self.path.with_extension("new");
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(&serde_json::to_vec(&Stored { tokens: tokens.to_vec() })?)?;
            file.sync_all()?;
            std::fs::rename(&temporary, &self.path)?;
            self.path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
        };
        write().map_err(|e| Fault::new(Kind::StorageFailed, format!("{} cannot be written: {e}", self.path.display())))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn view(&self) -> TokenView {
        let kind = match self.kind {
            TokenKind::Token => "token",
            TokenKind::Browser => "browser",
        };
        TokenView {
            id: self.id.clone(),
            name: self.name.clone(),
            role: self.role,
            kind: kind.to_owned(),
            created_at: self.created,
            expires_at: self.expires,
        }
    }
}

/// Random bytes in hexadecimal.
pub(super) fn random_hex(bytes: usize) -> Result<String, Fault> {
    let mut random = vec![0_u8; bytes];
    getrandom::fill(&mut random).map_err(|e| Fault::unavailable(format!("the system gives no random bytes: {e}")))?;
    Ok(random.iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn tokens() -> (tempfile::TempDir, Tokens) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let tokens = Tokens::open(&dir.path().join("tokens")).expect("opened");
        (dir, tokens)
    }

    #[test]
    fn a_token_is_worth_something_until_it_expires() {
        let (_dir, tokens) = tokens();
        let (secret, view) = tokens.create("ci", TokenRole::Viewer, TokenKind::Token, 1, 1000).expect("made");
        assert_eq!(tokens.check(&secret, TokenKind::Token, 1001).map(|t| t.role), Some(TokenRole::Viewer));
        assert_eq!(tokens.check(&secret, TokenKind::Token, view.expires_at), None);
        assert_eq!(tokens.check(&secret, TokenKind::Browser, 1001), None, "a token is no cookie");
        let mut wrong = secret.clone();
        wrong.replace_range(secret.len() - 1.., if secret.ends_with('0') { "1" } else { "0" });
        assert_eq!(tokens.check(&wrong, TokenKind::Token, 1001), None);
        for nonsense in ["", "ao_", "ao__", "Bearer x", "ao_zz_00"] {
            assert_eq!(tokens.check(nonsense, TokenKind::Token, 1001), None, "{nonsense:?}");
        }
    }

    #[test]
    fn a_revoked_token_is_worth_nothing_even_after_a_restart() {
        let (dir, tokens) = tokens();
        let (kept, _) = tokens.create("kept", TokenRole::Admin, TokenKind::Token, 1, 0).expect("made");
        let (gone, view) = tokens.create("gone", TokenRole::Admin, TokenKind::Token, 1, 0).expect("made");
        tokens.revoke(&view.id).expect("revoked");
        assert_eq!(tokens.check(&gone, TokenKind::Token, 1), None);
        let again = Tokens::open(&dir.path().join("tokens")).expect("opened again");
        assert_eq!(again.check(&gone, TokenKind::Token, 1), None);
        assert!(again.check(&kept, TokenKind::Token, 1).is_some());
        assert_eq!(again.revoke("nobody").expect_err("unknown").kind, Kind::NotFound);
    }

    #[test]
    fn no_secret_is_in_the_file_and_only_its_owner_reads_it() {
        let (dir, tokens) = tokens();
        let (secret, _) = tokens.create("ci", TokenRole::Viewer, TokenKind::Token, 1, 0).expect("made");
        let path = dir.path().join("tokens");
        let text = std::fs::read_to_string(&path).expect("read");
        let part = secret.rsplit('_').next().expect("a secret part");
        assert!(!text.contains(part), "the secret is in the file");
        assert_eq!(std::fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn names_and_lives_have_limits() {
        let (_dir, tokens) = tokens();
        for (name, days) in [("", 1), ("a\u{1b}[2J", 1), ("x", 0), ("x", 366)] {
            let fault = tokens.create(name, TokenRole::Viewer, TokenKind::Token, days, 0).expect_err(name);
            assert_eq!(fault.kind, Kind::Invalid);
        }
        tokens.create("x", TokenRole::Viewer, TokenKind::Token, 1, 0).expect("made");
        let fault = tokens.create("x", TokenRole::Viewer, TokenKind::Token, 1, 0).expect_err("taken");
        assert_eq!(fault.kind, Kind::Conflict);
        tokens.create("x", TokenRole::Viewer, TokenKind::Token, 1, DAY + 1).expect("free again after it expired");
    }

    #[test]
    fn a_file_that_is_not_understood_lets_nobody_in_and_stays() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("tokens");
        std::fs::write(&path, "{").expect("written");
        assert!(Tokens::open(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "{");
    }
}
