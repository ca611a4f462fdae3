//! How an agent is started: permission presets, private configuration, logins.

use crate::project::Permissions;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A permission preset as a key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PermissionName {
    /// See [`Permissions::Readonly`].
    #[serde(alias = "suggest")]
    Readonly,
    /// See [`Permissions::Standard`].
    #[serde(alias = "default")]
    Standard,
    /// See [`Permissions::Permissive`].
    #[serde(alias = "auto-edit")]
    Permissive,
    /// See [`Permissions::Autonomous`].
    #[serde(alias = "permissionless")]
    Autonomous,
}

impl From<Permissions> for PermissionName {
    fn from(p: Permissions) -> Self {
        match p {
            Permissions::Readonly => Self::Readonly,
            Permissions::Standard => Self::Standard,
            Permissions::Permissive => Self::Permissive,
            Permissions::Autonomous => Self::Autonomous,
        }
    }
}

/// A category of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Reading files, searching in them.
    Read,
    /// Plans, lists of things to do, questions to a person.
    Plan,
    /// Writing files.
    Write,
    /// Running commands.
    Shell,
    /// Fetching from the network.
    Web,
    /// Starting further agents.
    Agent,
}

/// What happens when an agent wants to use a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Allow,
    /// A person is asked.
    Ask,
    /// It may not.
    Refuse,
}

/// What a preset means. Adapters come as near to it as their agents can; where one cannot, its file says so.
#[must_use]
pub const fn policy(preset: Permissions, category: Category) -> Verdict {
    match (preset, category) {
        (_, Category::Read | Category::Plan)
        | (Permissions::Autonomous, _)
        | (Permissions::Standard, Category::Web)
        | (Permissions::Permissive, Category::Web | Category::Write | Category::Agent) => Verdict::Allow,
        (Permissions::Readonly, _) => Verdict::Refuse,
        (Permissions::Standard, Category::Write | Category::Shell | Category::Agent)
        | (Permissions::Permissive, Category::Shell) => Verdict::Ask,
    }
}

/// What a preset is for one agent: arguments alone, or arguments, environment and files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Grant {
    /// Arguments.
    Args(Vec<String>),
    /// More than arguments.
    Table(GrantTable),
}

/// A preset that is more than arguments.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantTable {
    /// Arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl Grant {
    /// Its arguments.
    #[must_use]
    pub fn args(&self) -> &[String] {
        match self {
            Self::Args(args) => args,
            Self::Table(table) => &table.args,
        }
    }

    /// Its environment.
    #[must_use]
    pub const fn env(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Args(_) => None,
            Self::Table(table) => Some(&table.env),
        }
    }
}

/// A file of private configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivateFile {
    /// Its path below the session's private directory.
    pub path: String,
    /// Its text; names in braces are replaced, `{json:NAME}` by a string of JSON.
    pub text: String,
}

/// How an agent is seen to be logged in: by any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Variables that hold a key or a token.
    pub keys: Vec<String>,
    /// Files that a login leaves, `{env:NAME}/…`; for subscriptions as for keys. One that holds `has` counts, any that exists
    /// when there is no `has`.
    pub files: Vec<LoginFile>,
    /// Whose subscription it can use: `anthropic`, `openai`, `google`, ….
    pub provider: Option<String>,
    /// Arguments that log in, for `ao agent login`.
    pub login: Vec<String>,
    /// What a person does to log in, in words.
    pub hint: String,
    /// It needs no login of its own.
    pub none: bool,
}

/// A file that a login leaves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginFile {
    /// Its path.
    pub path: String,
    /// Text in it that tells a login.
    #[serde(default)]
    pub has: String,
    /// What kind of login that is, for people: `subscription`, `key`.
    #[serde(default)]
    pub kind: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_allow_more_from_one_to_the_next() {
        let rank = |verdict| match verdict {
            Verdict::Refuse => 0,
            Verdict::Ask => 1,
            Verdict::Allow => 2,
        };
        let presets = [Permissions::Readonly, Permissions::Standard, Permissions::Permissive, Permissions::Autonomous];
        let all = [Category::Read, Category::Plan, Category::Write, Category::Shell, Category::Web, Category::Agent];
        for category in all {
            let ranks = presets.map(|preset| rank(policy(preset, category)));
            assert!(ranks.is_sorted(), "{category:?}: {ranks:?}");
        }
        assert_eq!(policy(Permissions::Standard, Category::Shell), Verdict::Ask);
        assert_eq!(policy(Permissions::Permissive, Category::Write), Verdict::Allow);
        assert_eq!(policy(Permissions::Readonly, Category::Web), Verdict::Refuse);
    }
}
