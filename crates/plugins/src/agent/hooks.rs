//! Private settings that make an agent call `ao hook`. The agent's own files are left alone.

use ao_core::adapter::{Adapter, HookDialect};
use ao_slots::{Answer, Fault, Kind};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Seconds after which the agent gives up waiting for a hook; `ao hook` takes milliseconds.
const HOOK_LIMIT: u32 = 5;

/// Where the settings lie.
pub fn file(private: &Path, dialect: HookDialect) -> PathBuf {
    match dialect {
        HookDialect::ClaudeSettings => private.join("claude-settings.json"),
    }
}

/// The settings: every event that the adapter gives a meaning calls `ao hook AGENT EVENT`.
pub fn settings(dialect: HookDialect, adapter: &Adapter, ao: &Path) -> String {
    let events: BTreeSet<&str> = adapter
        .hook_events
        .keys()
        .map(|event| event.split_once('.').map_or(event.as_str(), |(name, _)| name))
        .collect();
    match dialect {
        HookDialect::ClaudeSettings => {
            let mut hooks = Map::new();
            for event in events {
                let command = format!("{} hook {} {event}", quoted(&ao.to_string_lossy()), quoted(&adapter.name));
                let call = json!({ "type": "command", "command": command, "timeout": HOOK_LIMIT });
                hooks.insert(event.to_owned(), json!([{ "matcher": "", "hooks": [call] }]));
            }
            // Whoever chose the preset that never asks is not asked by the agent whether they meant it.
            let whole: Value = json!({ "hooks": hooks, "skipDangerousModePermissionPrompt": true });
            format!("{whole:#}\n")
        }
    }
}

/// Writes them, readable by their owner only.
pub async fn write(private: &Path, dialect: HookDialect, text: &str) -> Answer<()> {
    place(&file(private, dialect), text).await
}

/// Writes a file of private configuration, readable by its owner only.
pub async fn place(path: &Path, text: &str) -> Answer<()> {
    let dir = path.parent().unwrap_or(path).to_owned();
    let (text, target) = (text.to_owned(), path.to_owned());
    let written = tokio::task::spawn_blocking(move || replace(&dir, &target, &text)).await;
    let failed =
        |why: String| Err(Fault::new(Kind::StorageFailed, format!("{} cannot be written: {why}", path.display())));
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => failed(error.to_string()),
        Err(error) => failed(error.to_string()),
    }
}

fn replace(dir: &Path, target: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let temporary = target.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&temporary, target)
}

/// One word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
