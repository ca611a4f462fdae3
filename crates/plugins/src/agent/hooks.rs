//! Private settings that make an agent call `ao hook`. The agent's own files are left alone.

use ao_core::adapter::{Adapter, HookDialect};
use ao_slots::{Answer, Fault, Kind};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Seconds after which the agent gives up waiting for a hook; `ao hook` takes milliseconds.
const HOOK_LIMIT: u32 = 5;

/// What makes an agent call `ao hook`: files of private configuration, arguments and environment.
#[derive(Debug, Default)]
pub struct Installed {
    /// Files with their texts.
    pub files: Vec<(PathBuf, String)>,
    /// Arguments.
    pub args: Vec<OsString>,
    /// Environment; what the caller sets wins.
    pub env: BTreeMap<String, String>,
}

/// How hooks get into this agent: every event that the adapter gives a meaning calls `ao hook AGENT EVENT`.
pub fn install(dialect: HookDialect, adapter: &Adapter, ao: &Path, private: &Path) -> Installed {
    let ours = |name: &str| private.join(name);
    let word = |path: &Path| path.to_string_lossy().into_owned();
    let script = |text: &str| text.replace("{ao}", &json!(word(ao)).to_string());
    match dialect {
        HookDialect::ClaudeSettings => {
            let file = ours("claude-settings.json");
            // Whoever chose the preset that never asks is not asked by the agent whether they meant it.
            let whole =
                json!({ "hooks": commands(adapter, ao, HOOK_LIMIT), "skipDangerousModePermissionPrompt": true });
            let args = vec!["--settings".into(), file.clone().into()];
            Installed { files: vec![(file, format!("{whole:#}\n"))], args, ..Installed::default() }
        }
        HookDialect::QwenSettings => {
            let file = ours("qwen-defaults.json");
            // This one counts milliseconds.
            let whole = json!({ "hooks": commands(adapter, ao, HOOK_LIMIT * 1000) });
            let env = BTreeMap::from([("QWEN_CODE_SYSTEM_DEFAULTS_PATH".to_owned(), word(&file))]);
            Installed { files: vec![(file, format!("{whole:#}\n"))], env, ..Installed::default() }
        }
        HookDialect::PiExtension => {
            let file = ours("ao-hooks.ts");
            let args = vec!["-e".into(), file.clone().into()];
            Installed { files: vec![(file, script(include_str!("hooks/pi.ts")))], args, ..Installed::default() }
        }
        HookDialect::OpencodePlugin => {
            let file = ours("ao-hooks.js");
            let text = script(include_str!("hooks/opencode.js"))
                .replace("{transcript}", &json!(word(&ours("opencode.jsonl"))).to_string());
            let config = json!({ "plugin": [format!("file://{}", word(&file))] }).to_string();
            let env = BTreeMap::from([("OPENCODE_CONFIG_CONTENT".to_owned(), config)]);
            Installed { files: vec![(file, text)], env, ..Installed::default() }
        }
        HookDialect::CopilotPlugin => {
            let dir = ours("copilot-plugin");
            let plugin = json!({ "name": "ao", "version": "1.0.0", "description": "Tells ao what the agent does.", "hooks": "hooks.json" });
            let calls: Map<String, Value> = events(adapter)
                .into_iter()
                .map(|event| {
                    (
                        event.to_owned(),
                        json!([{ "type": "command", "bash": command(adapter, ao, event), "timeoutSec": HOOK_LIMIT }]),
                    )
                })
                .collect();
            let hooks = json!({ "version": 1, "hooks": calls });
            let files = vec![
                (dir.join("plugin.json"), format!("{plugin:#}\n")),
                (dir.join("hooks.json"), format!("{hooks:#}\n")),
            ];
            Installed { files, args: vec!["--plugin-dir".into(), dir.into()], ..Installed::default() }
        }
    }
}

/// The events that mean something, by name.
fn events(adapter: &Adapter) -> BTreeSet<&str> {
    adapter.hook_events.keys().map(|event| event.split_once('.').map_or(event.as_str(), |(name, _)| name)).collect()
}

/// What an agent takes a decision from asks for one.
fn command(adapter: &Adapter, ao: &Path, event: &str) -> String {
    let asks = if adapter.leave.as_ref().is_some_and(|leave| leave.event == event) { "--decide " } else { "" };
    format!("{} hook {asks}{} {event}", quoted(&ao.to_string_lossy()), quoted(&adapter.name))
}

/// `{"Event": [{"matcher": "", "hooks": [{"type": "command", …}]}]}`, as several agents have it.
fn commands(adapter: &Adapter, ao: &Path, limit: u32) -> Map<String, Value> {
    let call = |event| json!([{ "matcher": "", "hooks": [{ "type": "command", "command": command(adapter, ao, event), "timeout": limit }] }]);
    events(adapter).into_iter().map(|event| (event.to_owned(), call(event))).collect()
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
