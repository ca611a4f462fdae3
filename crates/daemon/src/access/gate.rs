//! Turns a connection and the headers of a request into a caller. Everybody gets a caller, even if it is nobody; only
//! what is wrong (a foreign page, a worthless token) is refused here.

use super::ancestry::{Ancestry, Launch, Place};
use super::caller::{Caller, Role, Via};
use super::connection::{Arrival, Connection, Standing};
use super::inet;
use super::rules::{self, Looks};
use super::sign_in::{COOKIE, Codes};
use super::tokens::{TokenKind, Tokens};
use crate::clock::wall_ms;
use crate::engine::Engine;
use crate::paths::Paths;
use ao_core::id::SessionId;
use ao_core::kind::Fault;
use ao_core::session::{self, Process};
use axum::http::{HeaderMap, Method};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// The gate of one daemon; clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    own_uid: u32,
    port: u16,
    ancestry: Ancestry,
    tokens: Tokens,
    codes: Codes,
}

impl Gate {
    /// The gate of the daemon that listens on `tcp`.
    ///
    /// # Errors
    /// When the tokens cannot be read, or `tcp` is not loopback.
    pub fn open(engine: &Engine, tcp: SocketAddr) -> io::Result<Self> {
        super::bind::loopback(tcp).map_err(|f| io::Error::new(io::ErrorKind::InvalidInput, f.message))?;
        let inner = Inner {
            own_uid: rustix::process::getuid().as_raw(),
            port: tcp.port(),
            ancestry: Ancestry::new(engine.paths().root()),
            tokens: Tokens::open(&engine.paths().tokens())?,
            codes: Codes::default(),
            engine: engine.clone(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.inner.tokens
    }

    /// The one-time codes.
    #[must_use]
    pub fn codes(&self) -> &Codes {
        &self.inner.codes
    }

    /// Whether a request may be answered at all, whoever sends it: enough for files without secrets.
    ///
    /// # Errors
    /// `denied` for a foreign `Host` or `Origin`.
    pub fn honest(&self, connection: &Connection, method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
        self.look(connection, method, headers).map(|_| ())
    }

    fn look(&self, connection: &Connection, method: &Method, headers: &HeaderMap) -> Result<Option<Looks>, Fault> {
        match connection.arrival {
            // No page reaches this socket.
            Arrival::Socket { .. } => Ok(None),
            Arrival::Tcp { .. } => rules::look(method, headers, self.inner.port).map(Some),
        }
    }

    /// Who calls.
    ///
    /// # Errors
    /// `denied` for a foreign `Host` or `Origin`.
    pub async fn admit(&self, connection: &Connection, method: &Method, headers: &HeaderMap) -> Result<Caller, Fault> {
        let looks = self.look(connection, method, headers)?;
        let via = if looks.is_some() { Via::Tcp } else { Via::Socket };
        let named = |role: Role, name: String| Caller { role, name, via };
        let standing = self.standing(connection).await;
        if let Standing::Inside(session) = standing {
            let role = self.role_of(&session);
            return Ok(named(role, format!("session {session}")));
        }
        if let Some(shown) = rules::bearer(headers) {
            return Ok(match self.inner.tokens.check(shown, TokenKind::Token, wall_ms()) {
                Some(token) => named(token.role.into(), format!("token {}", token.name)),
                // What was shown counts, not what else the caller might be.
                None => {
                    let why = "the token is unknown, revoked or expired".to_owned();
                    named(Role::Nobody { why }, "nobody".to_owned())
                }
            });
        }
        if let Some(looks) = &looks {
            let shown = rules::cookie(headers, &cookie_name(looks.port)).filter(|_| looks.own_page);
            if let Some(browser) = shown.and_then(|c| self.inner.tokens.check(c, TokenKind::Browser, wall_ms())) {
                return Ok(named(browser.role.into(), "the page".to_owned()));
            }
        }
        let why = match (standing, looks.and_then(|l| l.not_plain)) {
            (Standing::Owner, None) if via == Via::Socket => return Ok(named(Role::Admin, "you".to_owned())),
            (Standing::Owner, None) => return Ok(named(Role::Operator, "you".to_owned())),
            (Standing::Owner, Some(why)) | (Standing::Stranger { why }, _) => why,
            (Standing::Inside(_), _) => "it is inside a session".to_owned(),
        };
        Ok(named(Role::Nobody { why }, "nobody".to_owned()))
    }

    /// The id of the token in a browser's cookie, for signing out.
    #[must_use]
    pub fn browser(&self, headers: &HeaderMap) -> Option<String> {
        let port = headers.get("host").and_then(|h| h.to_str().ok()).and_then(rules::loopback_port)?;
        let shown = rules::cookie(headers, &cookie_name(port))?;
        self.inner.tokens.check(shown, TokenKind::Browser, wall_ms()).map(|t| t.id)
    }

    /// The name of the cookie for the page that this request addressed.
    #[must_use]
    pub fn cookie_for(&self, headers: &HeaderMap) -> String {
        let host = headers.get("host").and_then(|h| h.to_str().ok());
        cookie_name(host.and_then(rules::loopback_port).unwrap_or(self.inner.port))
    }

    async fn standing(&self, connection: &Connection) -> Standing {
        let look = || async {
            let (inner, arrival) = (self.inner.clone(), connection.arrival.clone());
            // Reads of `/proc` are short, but a machine may have many processes.
            let looked = tokio::task::spawn_blocking(move || inner.look(&arrival)).await;
            looked.unwrap_or_else(|e| Standing::Stranger { why: format!("the look at the caller failed: {e}") })
        };
        connection.standing.get_or_init(look).await.clone()
    }

    fn role_of(&self, id: &SessionId) -> Role {
        self.inner.engine.read(|c| match c.facts.sessions.get(id) {
            Some(s) if s.role == session::Role::Orchestrator => {
                Role::Orchestrator { session: id.clone(), project: s.project.clone() }
            }
            Some(_) | None => Role::Session(id.clone()),
        })
    }
}

/// Cookies do not know ports: each daemon of a machine needs a name of its own.
fn cookie_name(port: u16) -> String {
    format!("{COOKIE}_{port}")
}

impl Inner {
    fn look(&self, arrival: &Arrival) -> Standing {
        let stranger = |why: &str| Standing::Stranger { why: why.to_owned() };
        let (uid, pid) = match arrival {
            Arrival::Socket { uid, pid } => (*uid, *pid),
            Arrival::Tcp { peer: Some(peer), local: Some(local) } => {
                let Some(owner) = inet::owner(*peer, *local) else {
                    return stranger("whose connection this is cannot be told");
                };
                let pid = inet::holder(owner.inode).filter(|pid| inet::same_network(*pid));
                (Some(owner.uid), pid)
            }
            Arrival::Tcp { .. } => (None, None),
        };
        if uid != Some(self.own_uid) {
            return stranger("it comes from another user");
        }
        let Some(pid) = pid else {
            return stranger("the process at the other end cannot be seen from here");
        };
        match self.ancestry.place(pid, &self.launches()) {
            Place::Outside => Standing::Owner,
            Place::Inside(session) => Standing::Inside(session),
            Place::Unclear(why) => Standing::Stranger { why },
        }
    }

    /// Launches whose processes may still be there.
    fn launches(&self) -> Vec<Launch> {
        self.engine.read(|c| {
            let sessions = c.facts.sessions.values().filter(|s| match s.process {
                Process::Alive | Process::Unknown | Process::ProbeFailed { .. } => true,
                Process::Exited { .. } | Process::Missing => !s.ended(),
            });
            sessions
                .filter_map(|s| {
                    let (launch, project) = (s.launch.clone()?, c.facts.projects.get(&s.project)?);
                    let dir = Paths::launch_dir(project, &s.id, &launch);
                    Some(Launch { session: s.id.clone(), launch, dir })
                })
                .collect()
        })
    }
}
