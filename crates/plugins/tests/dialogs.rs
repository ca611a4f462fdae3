//! Dialogs of recorded agents as data: what they ask, what can be chosen, and where the cursor of the menu stands.

use ao_core::activity::InputKind;
use ao_core::adapter::{Adapter, dialog};
use ao_core::question::Dialog;
use ao_core::screen::Screen;
use ao_host::engine::Engine as _;
use ao_host::engine::terminal::Terminal;
use ao_plugins::agent::built_in;
use ao_plugins::agent::cast::{Cast, What};
use ao_slots::agent::Agent as _;
use std::path::{Path, PathBuf};

fn adapter(name: &str) -> Adapter {
    let agents = built_in(Path::new("/usr/bin/ao")).unwrap();
    agents.iter().map(|agent| agent.adapter().clone()).find(|adapter| adapter.name == name).unwrap()
}

/// Every dialog of a recording, in order, each once.
fn dialogs(agent: &str, recording: &str) -> Vec<Dialog> {
    let adapter = adapter(agent);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../testkit/fixtures/casts/{recording}.cast"));
    let cast = Cast::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut engine = Terminal::new(cast.size);
    let mut all: Vec<Dialog> = Vec::new();
    let mut records = cast.records.iter().peekable();
    while let Some(record) = records.next() {
        if let What::Output(bytes) = &record.what {
            engine.feed(bytes.as_bytes());
        }
        // A screen that stood for a while, as a person saw it.
        if records.peek().is_some_and(|next| next.t < record.t + 300) {
            continue;
        }
        let size = engine.size();
        let (row, col, _) = engine.cursor();
        let screen = Screen {
            rows: (0..size.rows).map(|row| engine.row_text(row)).collect(),
            cols: size.cols,
            cursor: (row, col),
            title: engine.title().to_owned(),
            bracketed_paste: engine.bracketed_paste(),
            quiet_ms: 10_000,
            ..Screen::default()
        };
        let shown = dialog::read(&adapter, &screen).map(|shown| shown.dialog);
        all.extend(shown.filter(|dialog| all.last().is_none_or(|last| !last.is(dialog))));
    }
    all
}

fn labels(dialog: &Dialog) -> Vec<&str> {
    dialog.options.iter().map(|option| option.label.as_str()).collect()
}

fn first(agent: &str, recording: &str) -> Dialog {
    dialogs(agent, recording).into_iter().next().unwrap_or_else(|| panic!("{recording} shows no dialog"))
}

fn selected(dialog: &Dialog) -> Vec<usize> {
    dialog.options.iter().enumerate().filter(|(_, option)| option.selected).map(|(n, _)| n).collect()
}

#[test]
fn leave_is_asked_with_the_command_and_every_choice() {
    let claude = first("claude-code", "claude-permission");
    assert_eq!(claude.kind, InputKind::Permission);
    assert_eq!(claude.text, "Bash command\n\ntouch a\nstand-in scripted call\n\nDo you want to proceed?");
    let always = "Yes, and always allow access to claude-ws/ from this project";
    assert_eq!((labels(&claude), selected(&claude)), (vec!["Yes", always, "No"], vec![0]));
    let codex = first("codex", "codex-permission");
    assert!(codex.text.starts_with("Would you like to run the following command?"), "{codex:?}");
    assert!(codex.text.ends_with("$ date > made-by-shell.txt"), "{codex:?}");
    assert_eq!(codex.options.len(), 3);
    let opencode = first("opencode", "opencode-tool");
    assert!(opencode.text.contains("$ sleep 4 && date"), "{opencode:?}");
    assert_eq!(labels(&opencode), ["Allow once", "Allow always", "Reject"]);
    let aider = first("aider", "aider-permission");
    assert_eq!(aider.text, "hello.txt\nCreate new file? (Y)es/(N)o [Yes]:", "what was said before is not asked");
    assert_eq!(labels(&aider), ["Yes", "No"]);
    let copilot = first("copilot", "copilot-tool");
    assert!(copilot.text.contains("\nsleep 4 && date\n"), "{copilot:?}");
    assert_eq!(copilot.options.len(), 3);
}

#[test]
fn questions_and_trust_are_told_apart_and_what_is_safe_is_known() {
    let asked = first("claude-code", "claude-question");
    assert_eq!(asked.kind, InputKind::Question);
    assert_eq!(labels(&asked), ["Red", "Blue", "Type something.", "Chat about this"]);
    let trust = first("claude-code", "claude-trust");
    assert_eq!((trust.kind, trust.safe.as_deref()), (InputKind::Trust, Some("Yes, I trust this folder")));
    assert_eq!(first("claude-code", "claude-permission").safe, None, "leave is a person's to give");
}

#[test]
fn a_login_has_its_whole_address_and_takes_the_code() {
    let all = dialogs("claude-code", "claude-first-start-login");
    let login = all.iter().find(|dialog| dialog.takes_text).expect("it asks for a code");
    let url = login.url.as_deref().unwrap_or_default();
    assert!(url.starts_with("https://claude.com/cai/oauth/authorize?code=true&client_id="), "{url}");
    assert!(url.contains("&state=") && url.ends_with("h1iNE4"), "it goes over several rows: {url}");
    assert_eq!(login.kind, InputKind::Login);
}
