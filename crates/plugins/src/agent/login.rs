//! Whether an agent is logged in, as far as that can be seen without asking anybody: keys in the environment, files of logins.

use ao_core::adapter::Adapter;
use ao_core::adapter::start::{Login, LoginFile};
use ao_core::choice;
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
    let mut by: Vec<String> = keys(login, &env).cloned().collect();
    by.extend(files(login, &env).map(|(file, path)| {
        let kind = if file.kind.is_empty() { "login" } else { &file.kind };
        format!("{kind} in {}", path.display())
    }));
    by.dedup();
    if by.is_empty() { LoggedIn::No } else { LoggedIn::By(by) }
}

/// The same for choosing among agents. A key in the environment is what the agent takes first, so it counts before a
/// subscription; an agent that names neither keys nor files is not judged.
pub fn kind(login: &Login, env: impl Fn(&str) -> Option<String>) -> choice::Login {
    if login.none || (login.keys.is_empty() && login.files.is_empty()) {
        return choice::Login::Unknown;
    }
    if keys(login, &env).next().is_some() {
        return choice::Login::Key;
    }
    let kinds: Vec<&str> = files(login, &env).map(|(file, _)| file.kind.as_str()).collect();
    match kinds.as_slice() {
        [] => choice::Login::Out,
        kinds if kinds.contains(&"subscription") => choice::Login::Subscription,
        _ => choice::Login::Key,
    }
}

/// Variables with a key in them.
fn keys<'a>(login: &'a Login, env: &'a impl Fn(&str) -> Option<String>) -> impl Iterator<Item = &'a String> {
    login.keys.iter().filter(|name| env(name).is_some_and(|value| !value.is_empty()))
}

/// Files that a login left.
fn files<'a>(
    login: &'a Login,
    env: &'a impl Fn(&str) -> Option<String>,
) -> impl Iterator<Item = (&'a LoginFile, PathBuf)> {
    login.files.iter().filter_map(move |file| {
        let path = place(&file.path, env)?;
        let known = std::fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= LONGEST)
            && (file.has.is_empty() || std::fs::read(&path).is_ok_and(|b| contains(&b, file.has.as_bytes())));
        known.then_some((file, path))
    })
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
        let kind = |key: &'static str| kind(&adapter.login, env(key));
        assert_eq!((logged_in(&adapter, env("")), kind("")), (LoggedIn::No, choice::Login::Out));
        assert_eq!(logged_in(&adapter, env("k")), LoggedIn::By(vec!["X_KEY".to_owned()]));
        std::fs::write(home.path().join("auth"), "{}").unwrap();
        assert_eq!(logged_in(&adapter, env("")), LoggedIn::No, "a file without the login in it");
        std::fs::write(home.path().join("auth"), "{\"token\": 1}").unwrap();
        assert_eq!(logged_in(&adapter, env("")), LoggedIn::By(vec![format!("subscription in {home_dir}/auth")]));
        assert_eq!((kind(""), kind("k")), (choice::Login::Subscription, choice::Login::Key));
    }
}
