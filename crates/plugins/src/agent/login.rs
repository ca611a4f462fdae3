//! Whether an agent is logged in, as far as that can be seen without asking anybody: keys in the environment, files of logins.

use ao_core::adapter::Adapter;
use std::path::PathBuf;

/// A login's file may be this long; longer ones are not read through.
const LONGEST: u64 = 4 << 20;

/// What is seen of a login. That there is one does not say that it is still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedIn {
    /// It needs none.
    NotNeeded,
    /// By these, in words: names of variables, kinds of files.
    By(Vec<String>),
    /// Nothing was found.
    No,
}

/// Looks for a login. `env` gives the value of a variable; values are looked at for being there, and never kept.
pub fn logged_in(adapter: &Adapter, env: impl Fn(&str) -> Option<String>) -> LoggedIn {
    let login = &adapter.login;
    if login.none {
        return LoggedIn::NotNeeded;
    }
    let set = |name: &&String| env(name).is_some_and(|value| !value.is_empty());
    let mut by: Vec<String> = login.keys.iter().filter(set).cloned().collect();
    for file in &login.files {
        let Some(path) = place(&file.path, &env) else { continue };
        let known = std::fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= LONGEST)
            && (file.has.is_empty() || std::fs::read(&path).is_ok_and(|b| contains(&b, file.has.as_bytes())));
        if known {
            let kind = if file.kind.is_empty() { "login" } else { &file.kind };
            by.push(format!("{kind} in {}", path.display()));
        }
    }
    by.dedup();
    if by.is_empty() { LoggedIn::No } else { LoggedIn::By(by) }
}

fn place(template: &str, env: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let Some((name, rest)) = template.strip_prefix("{env:").and_then(|t| t.split_once('}')) else {
        return Some(template.into());
    };
    let value = env(name).filter(|value| !value.is_empty())?;
    Some(format!("{value}{rest}").into())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ao_core::adapter::parse;

    #[test]
    fn a_key_or_a_file_of_a_login_is_a_login() {
        let home = tempfile::tempdir().unwrap();
        let adapter = parse(
            "x.toml",
            "name='x'\nabout='x'\nprogram='x'\nmemory_mb=1\n[door]\ncomposer={kind='cursor-row'}\n[login]\nkeys=['X_KEY']\n\
             files=[{path='{env:HOME}/auth', has='token', kind='subscription'}, {path='{env:X_HOME}/any'}]\n",
        )
        .unwrap();
        let home_dir = home.path().display().to_string();
        let env = |key: &'static str| {
            let home = home_dir.clone();
            move |name: &str| match name {
                "HOME" => Some(home.clone()),
                "X_KEY" => Some(key.to_owned()),
                _ => None,
            }
        };
        assert_eq!(logged_in(&adapter, env("")), LoggedIn::No);
        assert_eq!(logged_in(&adapter, env("k")), LoggedIn::By(vec!["X_KEY".to_owned()]));
        std::fs::write(home.path().join("auth"), "{}").unwrap();
        assert_eq!(logged_in(&adapter, env("")), LoggedIn::No, "a file without the login in it");
        std::fs::write(home.path().join("auth"), "{\"token\": 1}").unwrap();
        assert_eq!(logged_in(&adapter, env("")), LoggedIn::By(vec![format!("subscription in {home_dir}/auth")]));
    }
}
