//! Callers, their roles, and what a role may reach.

use ao_api::access::TokenRole;
use ao_core::id::{ProjectId, SessionId};
use ao_core::kind::{Fault, Kind};
use ao_core::session::Session;

/// What a caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has shown nothing that counts: sees what everybody may see.
    Nobody {
        /// Why nothing counts.
        why: String,
    },
    /// Reads.
    Viewer,
    /// Reads, starts, directs, stops and merges.
    Operator,
    /// Everything.
    Admin,
    /// A process inside a session: reads about its own session, nothing else.
    Session(SessionId),
    /// A process inside a session that was started to direct others: acts within its project.
    Orchestrator {
        /// Its session.
        session: SessionId,
        /// Its project.
        project: ProjectId,
    },
}

/// What an action needs of a person or program outside of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// To read.
    Viewer,
    /// To act.
    Operator,
    /// To change who may act, or the daemon itself.
    Admin,
}

/// What a process inside a session may do with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// Nothing.
    Closed,
    /// A session for itself, an orchestrator for every session of its project.
    Own,
    /// Only an orchestrator, within its project.
    Project,
}

/// How the caller reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The daemon's own socket.
    Socket,
    /// TCP on loopback.
    Tcp,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What it is.
    pub role: Role,
    /// How it is called in records.
    pub name: String,
    /// How it reached us.
    pub via: Via,
}

impl Role {
    /// The name in JSON.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Nobody { .. } => "nobody".to_owned(),
            Self::Viewer => "viewer".to_owned(),
            Self::Operator => "operator".to_owned(),
            Self::Admin => "admin".to_owned(),
            Self::Session(id) => format!("session:{id}"),
            Self::Orchestrator { project, .. } => format!("orchestrator:{project}"),
        }
    }
}

impl From<TokenRole> for Role {
    fn from(role: TokenRole) -> Self {
        match role {
            TokenRole::Viewer => Self::Viewer,
            TokenRole::Operator => Self::Operator,
            TokenRole::Admin => Self::Admin,
        }
    }
}

impl Need {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nobody",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl Caller {
    /// Whether the caller may use an action at all; on what is asked by [`Caller::reaches_session`] and
    /// [`Caller::reaches_project`].
    ///
    /// # Errors
    /// `denied`, saying what would be needed.
    pub fn may(&self, need: Need, inside: Inside) -> Result<(), Fault> {
        let allowed = match (&self.role, need) {
            (_, Need::Nothing) | (Role::Admin, _) => true,
            (Role::Nobody { why }, _) => return Err(unknown(why)),
            (Role::Viewer, need) => need == Need::Viewer,
            (Role::Operator, need) => matches!(need, Need::Viewer | Need::Operator),
            (Role::Session(_), _) => inside == Inside::Own,
            (Role::Orchestrator { .. }, _) => matches!(inside, Inside::Own | Inside::Project),
        };
        if allowed {
            return Ok(());
        }
        let role = self.role.name();
        Err(match &self.role {
            Role::Session(_) | Role::Orchestrator { .. } => {
                denied(format!("a process inside a session ({role}) may not do this"))
                    .hint("a person can, from a terminal outside of sessions")
            }
            Role::Nobody { .. } | Role::Viewer | Role::Operator | Role::Admin => {
                denied(format!("this needs the role {}, and {} has {role}", need.name(), self.name))
            }
        })
    }

    /// Whether the caller may reach this session.
    ///
    /// # Errors
    /// `denied`.
    pub fn reaches_session(&self, session: &Session) -> Result<(), Fault> {
        let reached = match &self.role {
            Role::Nobody { why } => return Err(unknown(why)),
            Role::Viewer | Role::Operator | Role::Admin => true,
            Role::Session(own) => *own == session.id,
            Role::Orchestrator { project, .. } => *project == session.project,
        };
        if reached {
            return Ok(());
        }
        Err(denied(format!("{} may not reach session {}", self.role.name(), session.id)))
    }

    /// Whether the caller may reach everything of this project.
    ///
    /// # Errors
    /// `denied`.
    pub fn reaches_project(&self, project: &ProjectId) -> Result<(), Fault> {
        let reached = match &self.role {
            Role::Nobody { why } => return Err(unknown(why)),
            Role::Viewer | Role::Operator | Role::Admin => true,
            Role::Session(_) => false,
            Role::Orchestrator { project: own, .. } => own == project,
        };
        if reached {
            return Ok(());
        }
        Err(denied(format!("{} may not reach project {project}", self.role.name())))
    }

    /// Whether keys and sizes from this caller may reach a terminal.
    #[must_use]
    pub const fn types(&self) -> bool {
        match self.role {
            Role::Operator | Role::Admin => true,
            Role::Nobody { .. } | Role::Viewer | Role::Session(_) | Role::Orchestrator { .. } => false,
        }
    }
}

fn denied(message: impl Into<String>) -> Fault {
    Fault::new(Kind::Denied, message)
}

fn unknown(why: &str) -> Fault {
    denied(format!("this needs a sign-in: {why}"))
        .hint("`ao open` opens a signed-in page; `ao token create` makes a token for programs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role) -> Caller {
        Caller { role, name: "x".to_owned(), via: Via::Tcp }
    }

    #[test]
    fn each_role_may_do_exactly_its_part() {
        let session = Role::Session(SessionId::new("app-1"));
        let orchestrator = Role::Orchestrator { session: SessionId::new("app-2"), project: ProjectId::new("app") };
        let table = [
            // role, viewer, operator, admin, own, project
            (Role::Nobody { why: String::new() }, [false, false, false, false, false]),
            (Role::Viewer, [true, false, false, true, false]),
            (Role::Operator, [true, true, false, true, true]),
            (Role::Admin, [true, true, true, true, true]),
            (session, [false, false, false, true, false]),
            (orchestrator, [false, false, false, true, true]),
        ];
        for (role, expected) in table {
            let who = caller(role.clone());
            let asked = [
                who.may(Need::Viewer, Inside::Closed),
                who.may(Need::Operator, Inside::Closed),
                who.may(Need::Admin, Inside::Closed),
                who.may(Need::Viewer, Inside::Own),
                who.may(Need::Operator, Inside::Project),
            ];
            assert_eq!(asked.map(|r| r.is_ok()), expected, "{}", role.name());
            assert!(who.may(Need::Nothing, Inside::Closed).is_ok());
        }
    }
}
