//! Which of the tools on offer does a step of the script, and with which arguments.
//!
//! Agents name the same tools differently; they are known by their names, and their arguments by the names in their schemas.

use crate::fill::fill;
use crate::script::Step;
use serde_json::{Value, json};

/// A tool on offer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// JSON schema of its arguments; null for a tool that takes free text.
    pub schema: Value,
}

/// A tool call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Name of the tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Value,
}

const RUN: &[&str] = &[
    "Bash",
    "bash",
    "exec_command",
    "run_shell_command",
    "shell_command",
    "shell",
    "Shell",
    "execute_command",
    "run_commands",
    "run_terminal_cmd",
    "developer__shell",
];
const READ: &[&str] = &["Read", "read", "read_file", "ReadFile", "view", "read_files"];
const EDIT: &[&str] = &["Edit", "edit", "replace", "StrReplaceFile", "str_replace"];
const WRITE: &[&str] = &["Write", "write", "write_file", "WriteFile", "create", "create_file", "write_to_file"];
const ASK: &[&str] = &[
    "AskUserQuestion",
    "ask_user_question",
    "question",
    "ask_user",
    "AskUser",
    "request_user_input",
    "ask_followup_question",
    "ask_question",
];

/// The calls that do a step, in order; none when no tool on offer can.
#[must_use]
pub fn calls(step: &Step, tools: &[Tool], place: &str) -> Vec<Call> {
    let offered = |names: &[&str]| names.iter().find_map(|name| tools.iter().find(|t| t.name == *name));
    match step {
        Step::Run { run, escalate } => offered(RUN).map(|t| command(t, run, *escalate)).into_iter().collect(),
        Step::Read { read } => offered(READ).map(|t| on_file(t, &absolute(place, read), &[])).into_iter().collect(),
        Step::Edit { edit, find, replace } => match offered(EDIT) {
            // Most agents refuse to change what they have not read.
            Some(tool) => {
                let file = absolute(place, edit);
                let reading = offered(READ).map(|t| on_file(t, &file, &[]));
                reading.into_iter().chain([on_file(tool, &file, &[(OLD, find), (NEW, replace)])]).collect()
            }
            None => offered(RUN).map(|t| command(t, &patch(edit, find, replace), false)).into_iter().collect(),
        },
        Step::Write { write, text } => match offered(WRITE) {
            Some(tool) => {
                let file = absolute(place, write);
                let known = std::path::Path::new(&file).exists();
                let reading = offered(READ).filter(|_| known).map(|t| on_file(t, &file, &[]));
                reading.into_iter().chain([on_file(tool, &file, &[(CONTENT, text)])]).collect()
            }
            None => {
                let here = format!("cat >'{write}' <<'TEXT'\n{text}TEXT\n");
                offered(RUN).map(|t| command(t, &here, false)).into_iter().collect()
            }
        },
        Step::Ask { ask, options } => offered(ASK).map(|t| question(t, ask, options)).into_iter().collect(),
    }
}

fn absolute(place: &str, file: &str) -> String {
    if file.starts_with('/') { file.to_owned() } else { format!("{}/{file}", place.trim_end_matches('/')) }
}

const PATHS: &[&str] = &["file_path", "filepath", "absolute_path", "path", "file"];
const OLD: &[&str] = &["old_string", "oldstring", "oldtext", "old_str", "old"];
const NEW: &[&str] = &["new_string", "newstring", "newtext", "new_str", "new"];
const CONTENT: &[&str] = &["content", "contents", "file_text", "text"];

fn on_file(tool: &Tool, file: &str, texts: &[(&[&str], &str)]) -> Call {
    let mut arguments = fill(&tool.schema, &tool.name);
    set(&tool.schema, &mut arguments, PATHS, &json!(file));
    for (names, text) in texts {
        set(&tool.schema, &mut arguments, names, &json!(text));
    }
    // Some take a list of replacements.
    if let Some(one) = tool.schema.pointer("/properties/edits/items")
        && let [(_, old), (_, new)] = texts
    {
        let mut edit = fill(one, "");
        set(one, &mut edit, OLD, &json!(old));
        set(one, &mut edit, NEW, &json!(new));
        arguments["edits"] = json!([edit]);
    }
    Call { name: tool.name.clone(), arguments }
}

fn command(tool: &Tool, command: &str, escalate: bool) -> Call {
    let mut arguments = fill(&tool.schema, &tool.name);
    for name in ["command", "cmd", "commands"] {
        let Some(wanted) = tool.schema.pointer(&format!("/properties/{name}")) else { continue };
        let list = wanted.get("type").and_then(Value::as_str).is_some_and(|t| t.eq_ignore_ascii_case("array"));
        arguments[name] = match (list, tool.name.as_str()) {
            (true, "shell") => json!(["bash", "-lc", command]),
            (true, _) => json!([command]),
            (false, _) => json!(command),
        };
    }
    set(&tool.schema, &mut arguments, &["description"], &json!("As the script says"));
    if escalate {
        arguments["sandbox_permissions"] = json!("require_escalated");
        arguments["justification"] = json!("May this command run outside the sandbox?");
    }
    Call { name: tool.name.clone(), arguments }
}

fn question(tool: &Tool, ask: &str, options: &[String]) -> Call {
    let choices: Vec<Value> =
        options.iter().map(|o| json!({"label": o, "description": format!("choose {o}"), "value": o})).collect();
    let asked = json!({"question": ask, "header": "Question", "id": "question", "type": "choice", "multiSelect": false,
        "options": choices});
    let mut arguments = fill(&tool.schema, &tool.name);
    if tool.schema.pointer("/properties/questions").is_some() {
        arguments = json!({ "questions": [asked] });
    } else {
        set(&tool.schema, &mut arguments, &["question"], &json!(ask));
        set(&tool.schema, &mut arguments, &["options", "choices"], &json!(options));
    }
    Call { name: tool.name.clone(), arguments }
}

/// Sets the first property of the schema that has one of these names, whatever its case.
fn set(schema: &Value, arguments: &mut Value, names: &[&str], value: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let found = names.iter().find_map(|name| properties.keys().find(|key| key.eq_ignore_ascii_case(name)));
    if let Some(key) = found {
        arguments[key.as_str()] = value.clone();
    }
}

/// An edit for agents that change files by a patch in their shell (Codex).
fn patch(file: &str, find: &str, replace: &str) -> String {
    let lines = |sign: char, text: &str| text.split('\n').map(|l| format!("{sign}{l}\n")).collect::<String>();
    let change = format!("{}{}", lines('-', find), lines('+', replace));
    format!("apply_patch <<'PATCH'\n*** Begin Patch\n*** Update File: {file}\n@@\n{change}*** End Patch\nPATCH\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str, properties: &[&str]) -> Tool {
        let properties: serde_json::Map<_, _> =
            properties.iter().map(|p| ((*p).to_owned(), json!({"type": "string"}))).collect();
        Tool { name: name.to_owned(), schema: json!({"type": "object", "properties": properties}) }
    }

    #[test]
    fn an_edit_reads_first_and_uses_the_tools_own_names() {
        let tools = [tool("read", &["filePath"]), tool("edit", &["filePath", "oldString", "newString"])];
        let step = Step::Edit { edit: "a.rs".into(), find: "x".into(), replace: "y".into() };
        let calls = calls(&step, &tools, "/w/");
        assert_eq!(calls[0].arguments, json!({"filePath": "/w/a.rs"}));
        assert_eq!(calls[1].arguments, json!({"filePath": "/w/a.rs", "oldString": "x", "newString": "y"}));
    }

    #[test]
    fn without_an_edit_tool_the_shell_gets_a_patch() {
        let tools = [tool("exec_command", &["cmd"])];
        let step = Step::Edit { edit: "a.rs".into(), find: "x".into(), replace: "y\nz".into() };
        let call = &calls(&step, &tools, "/w")[0];
        assert_eq!(
            call.arguments["cmd"],
            "apply_patch <<'PATCH'\n*** Begin Patch\n*** Update File: a.rs\n@@\n-x\n+y\n+z\n*** End Patch\nPATCH\n"
        );
    }

    #[test]
    fn a_question_takes_the_shape_that_is_offered() {
        let step = Step::Ask { ask: "Which?".into(), options: vec!["A".into()] };
        let list = &calls(&step, &[tool("AskUserQuestion", &["questions"])], "/")[0];
        assert_eq!(list.arguments["questions"][0]["options"][0]["label"], "A");
        let one = &calls(&step, &[tool("ask_user", &["question", "choices"])], "/")[0];
        assert_eq!(one.arguments, json!({"question": "Which?", "choices": ["A"]}));
    }

    #[test]
    fn nothing_is_called_that_is_not_offered() {
        assert!(
            calls(&Step::Run { run: "x".into(), escalate: false }, &[tool("Read", &["file_path"])], "/").is_empty()
        );
    }
}
