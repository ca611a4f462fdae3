//! Adapter files: the ones compiled in, and a user's own, which replace or extend them.

use super::described::DataAgent;
use super::mistake;
use ao_core::adapter::{self, Adapter, AdapterError};
use std::path::Path;
use toml::{Table, Value};

/// File name and text of every built-in adapter.
const BUILT_IN: [(&str, &str); 13] = [
    ("aider.toml", include_str!("data/aider.toml")),
    ("claude-code.toml", include_str!("data/claude-code.toml")),
    ("cline.toml", include_str!("data/cline.toml")),
    ("codex.toml", include_str!("data/codex.toml")),
    ("copilot.toml", include_str!("data/copilot.toml")),
    ("gemini.toml", include_str!("data/gemini.toml")),
    ("kimi.toml", include_str!("data/kimi.toml")),
    ("kimicode.toml", include_str!("data/kimicode.toml")),
    ("opencode.toml", include_str!("data/opencode.toml")),
    ("pi.toml", include_str!("data/pi.toml")),
    ("qwen.toml", include_str!("data/qwen.toml")),
    ("scripted.toml", include_str!("data/scripted.toml")),
    ("shell.toml", include_str!("data/shell.toml")),
];

/// The key by which a user's file extends a built-in adapter instead of replacing it.
const EXTENDS: &str = "extends";

/// The built-in agents. `ao` is the absolute path of the `ao` binary.
///
/// # Errors
/// [`AdapterError`] naming file and place; never for a released build, because a test reads them all.
pub fn built_in(ao: &Path) -> Result<Vec<DataAgent>, AdapterError> {
    BUILT_IN.iter().map(|(file, text)| Ok(DataAgent::new(adapter::parse(file, text)?, ao))).collect()
}

/// What is known of an agent whose file is not understood, but for its names: it has no composer, and its screen says nothing.
const BLANK: &str = r#"
name = "blank"
about = "its file is not understood"
program = ""
memory_mb = 0
[door]
composer = { kind = "rows", first = '[^\s\S]' }
"#;

/// The agents in a user's own configuration directory: every `*.toml` there, in the order of names. One with the name of a
/// built-in agent takes its place. A file with `extends = "NAME"` begins with that built-in adapter: its keys win, its
/// `rules` and `marks` are looked at first. A directory that does not exist holds none.
///
/// A file that is not understood costs its own agent alone: that one is there, says why ([`ao_slots::agent::Agent::fault`])
/// and is never started, and no built-in agent comes back in its place.
///
/// # Errors
/// [`AdapterError`] for a directory that cannot be read.
pub fn load_dir(ao: &Path, dir: &Path) -> Result<Vec<DataAgent>, AdapterError> {
    let unreadable = |error: std::io::Error| AdapterError::Meaning {
        file: dir.display().to_string(),
        what: format!("it cannot be read: {error}"),
    };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            files.push(path);
        }
    }
    files.sort();
    let blank = adapter::parse("blank", BLANK)?;
    Ok(files.iter().map(|path| own(ao, path, &blank)).collect())
}

/// The agent of one file.
fn own(ao: &Path, path: &Path, blank: &Adapter) -> DataAgent {
    let file = path.display().to_string();
    let (text, what) = match std::fs::read_to_string(path) {
        Err(error) => (String::new(), format!("{file}: it cannot be read: {error}")),
        Ok(text) => match read(&file, &text) {
            Ok(adapter) => return DataAgent::new(adapter, ao),
            Err(error) => {
                let what = mistake::words(&text, &error);
                (text, what)
            }
        },
    };
    let name = mistake::name(&text).or_else(|| path.file_stem().map(|s| s.to_string_lossy().into_owned()));
    let name = name.unwrap_or_default();
    let replaced = BUILT_IN.iter().find(|(file, _)| file.strip_suffix(".toml") == Some(&name));
    let aliases = replaced.and_then(|(file, text)| Some(adapter::parse(file, text).ok()?.aliases));
    let adapter = Adapter { name, aliases: aliases.unwrap_or_default(), ..blank.clone() };
    DataAgent::broken(adapter, ao, what)
}

/// A file together with what it extends.
fn read(file: &str, text: &str) -> Result<Adapter, AdapterError> {
    let syntax = |e| AdapterError::Syntax { file: file.to_owned(), source: Box::new(e) };
    let mut own: Table = toml::from_str(text).map_err(syntax)?;
    let Some(base) = own.remove(EXTENDS) else { return adapter::parse(file, text) };
    let Some((_, base_text)) =
        base.as_str().and_then(|base| BUILT_IN.iter().find(|(name, _)| name.strip_suffix(".toml") == Some(base)))
    else {
        let known: Vec<&str> = BUILT_IN.iter().filter_map(|(name, _)| name.strip_suffix(".toml")).collect();
        let what = format!("extends = {base:?}: there is no such built-in agent; there are {}", known.join(", "));
        return Err(AdapterError::Meaning { file: file.to_owned(), what });
    };
    let mut whole: Table = toml::from_str(base_text).map_err(syntax)?;
    merge(&mut whole, own);
    adapter::checked(file, Value::Table(whole).try_into().map_err(syntax)?)
}

fn merge(base: &mut Table, own: Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(own)) => merge(base, own),
            (Some(Value::Array(base)), Value::Array(mut own)) if key == "rules" || key == "marks" => {
                own.append(base);
                *base = own;
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
