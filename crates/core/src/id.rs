//! Names of things: newtypes so that a session id can never stand where a project id is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps text that is already known to be such an id.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/** A project: the key under `projects` in the configuration. */ ProjectId);
id!(/** A session, `{prefix}-{n}`. */ SessionId);
id!(/** One start of an agent in a session, `{session}.{n}`. */ LaunchId);
id!(/** One prompt on its way to an agent, `{session}.d{n}`. */ DeliveryId);
id!(/** A pull request, `{project}#{n}`. */ PrId);
id!(/** A `fix` run, `{project}-fix-{n}`. */ RunId);
id!(/** A merge-queue batch, `{project}-batch-{n}`. */ BatchId);
id!(/** A git object name of a commit, 40 or 64 hexadecimal digits. */ CommitId);
id!(/** The idempotency key of an effect. */ EffectKey);
id!(/** The key under which a caller may repeat a command. */ RequestKey);

impl LaunchId {
    /// The `n`th launch of `session`, counted from 1.
    #[must_use]
    pub fn of(session: &SessionId, n: u32) -> Self {
        Self(format!("{session}.{n}"))
    }
}

impl DeliveryId {
    /// The `n`th delivery to `session`, counted from 1.
    #[must_use]
    pub fn of(session: &SessionId, n: u32) -> Self {
        Self(format!("{session}.d{n}"))
    }
}

impl CommitId {
    /// The first ten digits, as people read them.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

/// Why a name given by a person cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("the {what} is empty")]
    Empty {
        /// What the name was for.
        what: &'static str,
    },
    /// It would be read as an option or leave its directory, or it has a character that is not allowed.
    #[error(
        "the {what} {name:?} is not allowed: use letters, digits, '-', '_' and '.', starting with a letter or digit"
    )]
    Forbidden {
        /// What the name was for.
        what: &'static str,
        /// The name, escaped by `Debug` so that control characters never reach a terminal.
        name: String,
    },
    /// It is longer than any file system or list can show.
    #[error("the {what} has {length} characters; at most {max} are allowed")]
    TooLong {
        /// What the name was for.
        what: &'static str,
        /// Length given, in characters.
        length: usize,
        /// Longest accepted, in characters.
        max: usize,
    },
}

/// Longest name accepted: well under the 255 bytes of a file name, with room for suffixes.
pub const MAX_NAME: usize = 100;

/// Checks a name that becomes part of a path, a branch or a command line.
///
/// # Errors
/// [`NameError`] when it is empty, too long, starts with `-` or `.`, or holds anything but letters, digits, `-`, `_` and `.`.
pub fn checked_name<'a>(what: &'static str, name: &'a str) -> Result<&'a str, NameError> {
    let length = name.chars().count();
    if name.is_empty() {
        return Err(NameError::Empty { what });
    }
    if length > MAX_NAME {
        return Err(NameError::TooLong { what, length, max: MAX_NAME });
    }
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let only_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if starts_well && only_plain && !name.contains("..") {
        Ok(name)
    } else {
        Err(NameError::Forbidden { what, name: name.to_owned() })
    }
}

/// Checks a branch name given by a person, with the rules of `git check-ref-format` that matter for safety.
///
/// # Errors
/// [`NameError`] when git would refuse it or read it as an option.
pub fn checked_branch(name: &str) -> Result<&str, NameError> {
    let what = "branch";
    if name.is_empty() {
        return Err(NameError::Empty { what });
    }
    if name.chars().count() > 200 {
        return Err(NameError::TooLong { what, length: name.chars().count(), max: 200 });
    }
    let bad = name.starts_with(['-', '/', '.'])
        || name.ends_with(['/', '.'])
        || name.ends_with(".lock")
        || name.contains("..")
        || name.contains("//")
        || name.contains("/.")
        || name.contains("@{")
        || name == "@"
        || name
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\'));
    if bad { Err(NameError::Forbidden { what, name: name.to_owned() }) } else { Ok(name) }
}

/// Makes a short branch and name part out of a title: lower case words joined by `-`, at most 40 characters.
#[must_use]
pub fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars() {
        if out.len() >= 40 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    let out = out.trim_matches('-').to_owned();
    if out.is_empty() { "task".to_owned() } else { out }
}

/// The session prefix of a project directory: up to four characters as they are, capitals of CamelCase, initials of
/// kebab-case or snake_case, else the first three characters (the rule of the peer this product replaces).
#[must_use]
pub fn session_prefix(directory: &str) -> String {
    let plain: String = directory.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    let plain = plain.trim_matches(['-', '_']).to_owned();
    if plain.is_empty() {
        return "ao".to_owned();
    }
    if plain.chars().count() <= 4 {
        return plain.to_lowercase();
    }
    let capitals: String = plain.chars().filter(char::is_ascii_uppercase).collect();
    if capitals.len() > 1 {
        return capitals.to_lowercase();
    }
    if plain.contains(['-', '_']) {
        let initials: String = plain.split(['-', '_']).filter_map(|w| w.chars().next()).collect();
        return initials.to_lowercase();
    }
    plain.chars().take(3).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_directory_or_look_like_options_are_refused() {
        for bad in ["", "../x", "-rf", "a/b", "a\u{1b}[2J", "..", ".hidden", "a b", "ä", "a..b"] {
            assert!(checked_name("session name", bad).is_err(), "{bad:?} was accepted");
        }
        assert!(checked_name("session name", &"x".repeat(101)).is_err());
        for good in ["a", "fix-1", "my_app.v2", "9"] {
            assert_eq!(checked_name("session name", good), Ok(good));
        }
    }

    #[test]
    fn branches_that_git_would_refuse_are_refused() {
        for bad in ["", "-x", "a..b", "a b", "x.lock", "a~1", "/a", "a/", "@{x", "a\n", "a/.b"] {
            assert!(checked_branch(bad).is_err(), "{bad:?} was accepted");
        }
        assert!(checked_branch("feat/INT-123").is_ok());
    }

    #[test]
    fn prefixes_follow_the_documented_rule() {
        for (dir, want) in [
            ("app", "app"),
            ("agent-orchestrator", "ao"),
            ("MyCoolApp", "mca"),
            ("frontend", "fro"),
            ("a_b_c_d_e", "abcde"),
            ("", "ao"),
        ] {
            assert_eq!(session_prefix(dir), want, "{dir}");
        }
    }

    #[test]
    fn slugs_are_short_and_safe() {
        assert_eq!(slug("Fix login: the *big* bug!"), "fix-login-the-big-bug");
        assert_eq!(slug("…"), "task");
        assert!(checked_name("x", &slug(&"word ".repeat(50))).is_ok());
    }
}
