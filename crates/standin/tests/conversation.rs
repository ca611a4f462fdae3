//! Conversations over real connections, in the words of each protocol.

use ao_standin::note::Notes;
use ao_standin::script::Script;
use ao_standin::serve::{Standin, serve};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

struct World {
    dir: tempfile::TempDir,
    port: u16,
}

impl World {
    async fn new(answers: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let notes = Notes::to(&dir.path().join("log")).unwrap();
        tokio::spawn(serve(listener, Standin::new(Script::parse(&answers.to_string()).unwrap(), notes)));
        Self { dir, port }
    }

    /// Sends a request and reads until the connection ends: head, body, and whether it ended as it should.
    async fn post(&self, path: &str, body: &Value) -> (String, String) {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.raw(&(head + &body)).await
    }

    async fn raw(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        let said = String::from_utf8(said).unwrap();
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    fn log(&self) -> Vec<Value> {
        let path: PathBuf = Path::new(self.dir.path()).join("log");
        std::fs::read_to_string(path).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    fn noted(&self, what: &str) -> usize {
        self.log().iter().filter(|l| l["what"] == what).count()
    }
}

fn anthropic(messages: &Value, stream: bool) -> Value {
    let tool = |name: &str, properties: Value| json!({"name": name, "input_schema": {"type": "object", "properties": properties, "required": []}});
    let text = json!({"type": "string"});
    json!({"model": "m", "stream": stream, "system": "Working directory: /w\n", "messages": messages, "tools": [
        tool("Bash", json!({"command": text, "description": text})),
        tool("Read", json!({"file_path": text})),
        tool("Edit", json!({"file_path": text, "old_string": text, "new_string": text})),
    ]})
}

#[tokio::test]
async fn a_turn_goes_from_tool_to_tool_and_ends_with_the_text() {
    let world = World::new(&json!([{"when": ["mend"], "say": "Done.", "steps": [
        {"edit": "a.rs", "find": "x", "replace": "y"}, {"run": "true"}]}]))
    .await;
    let mut messages = json!([{"role": "user", "content": "<system-reminder>be kind</system-reminder>please mend it"}]);
    let mut used = Vec::new();
    loop {
        let (head, body) = world.post("/v1/messages", &anthropic(&messages, false)).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let Some(call) = body["content"].get(1) else {
            assert_eq!(body["content"][0]["text"], "Done.");
            assert_eq!(body["stop_reason"], "end_turn");
            break;
        };
        used.push(call["name"].as_str().unwrap().to_owned());
        let messages = messages.as_array_mut().unwrap();
        messages.push(json!({"role": "assistant", "content": body["content"]}));
        messages.push(json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call["id"], "content": "ok"}]}));
    }
    assert_eq!(used, ["Read", "Edit", "Bash"]);
    assert_eq!(world.noted("prompt"), 1, "a prompt is noted once however many requests it takes");
    let log = world.log();
    let prompt = log.iter().find(|l| l["what"] == "prompt").unwrap();
    assert_eq!((&prompt["text"], &prompt["where"]), (&json!("please mend it"), &json!("/w")));
}

#[tokio::test]
async fn what_was_typed_after_a_refusal_is_a_prompt_although_it_comes_with_the_result() {
    let world =
        World::new(&json!([{"when": ["then this"], "say": "This."}, {"when": ["mend"], "steps": [{"run": "true"}]}]))
            .await;
    let messages = json!([{"role": "user", "content": "mend it"}, {"role": "assistant", "content": []},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "refused", "is_error": true},
            {"type": "text", "text": "[Request interrupted by user for tool use]"}, {"type": "text", "text": "then this"}]}]);
    let (_, body) = world.post("/v1/messages", &anthropic(&messages, false)).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["content"][0]["text"], "This.", "{body}");
    assert_eq!(world.log().iter().find(|l| l["what"] == "prompt").unwrap()["text"], "then this");
}

#[tokio::test]
async fn every_protocol_streams_the_text_in_pieces_and_ends_its_own_way() {
    let say = "Sixteen letters and some more of them.";
    let world = World::new(&json!([{ "say": say }])).await;
    let chat_tool = json!([{"type": "function", "function": {"name": "bash", "parameters": {}}}]);
    let cases = [
        ("/v1/messages", anthropic(&json!([{"role": "user", "content": "go"}]), true), "text_delta", "message_stop"),
        (
            "/v1/responses",
            json!({"stream": true, "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]}],
                "tools": [{"type": "function", "name": "exec_command", "parameters": {}}]}),
            "response.output_text.delta",
            "response.completed",
        ),
        (
            "/v1/chat/completions",
            json!({"stream": true, "messages": [{"role": "user", "content": "go"}], "tools": chat_tool}),
            "\"delta\":{\"content\"",
            "[DONE]",
        ),
        (
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            json!({"contents": [{"role": "user", "parts": [{"text": "go"}]}],
                "tools": [{"functionDeclarations": [{"name": "run_shell_command"}]}]}),
            "\"text\"",
            "\"finishReason\":\"STOP\"",
        ),
    ];
    for (path, body, piece, end) in cases {
        let (head, said) = world.post(path, &body).await;
        assert!(head.contains("text/event-stream"), "{path}: {head}");
        assert!(said.matches(piece).count() >= 3, "{path}: {said}");
        assert!(said.contains(end), "{path}: {said}");
    }
}

#[tokio::test]
async fn a_cut_connection_ends_without_its_end() {
    let world = World::new(&json!([{"say": "Some words that are cut off.", "cut": true}])).await;
    let (_, said) = world.post("/v1/messages", &anthropic(&json!([{"role": "user", "content": "go"}]), true)).await;
    assert!(said.contains("text_delta") && !said.contains("message_stop"), "{said}");
    assert!(!said.ends_with("0\r\n\r\n"), "a stream that is cut must not look complete");
    assert_eq!((world.noted("cut"), world.noted("end")), (1, 0));
}

#[tokio::test]
async fn errors_come_as_often_as_the_script_says_and_in_the_protocols_words() {
    let world = World::new(&json!([{"say": "At last.", "error": 429, "errors": 2}])).await;
    let body = anthropic(&json!([{"role": "user", "content": "go"}]), false);
    for _ in 0..2 {
        let (head, said) = world.post("/v1/messages", &body).await;
        assert!(head.starts_with("HTTP/1.1 429") && head.contains("retry-after: 2"), "{head}");
        assert!(said.contains("rate_limit_error"), "{said}");
    }
    assert!(world.post("/v1/messages", &body).await.1.contains("At last."));
}

#[tokio::test]
async fn what_is_asked_on_the_side_gets_a_value_of_its_shape() {
    let world = World::new(&json!([])).await;
    let schema = json!({"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}});
    let body =
        json!({"messages": [{"role": "user", "content": "name it"}], "output_config": {"format": {"schema": schema}}});
    let said = world.post("/v1/messages", &body).await.1;
    let said: Value = serde_json::from_str(&said).unwrap();
    let title: Value = serde_json::from_str(said["content"][0]["text"].as_str().unwrap()).unwrap();
    assert!(title["title"].is_string());
}

#[tokio::test]
async fn an_agent_without_tools_reads_changes_from_the_text() {
    let world = World::new(&json!([{"steps": [{"edit": "a.py", "find": "x", "replace": "y"}], "say": "Done."}])).await;
    let body = json!({"stream": true, "messages": [{"role": "user", "content": "mend"}]});
    let said = world.post("/v1/chat/completions", &body).await.1;
    let text: String = said
        .lines()
        .filter_map(|l| serde_json::from_str::<Value>(l.strip_prefix("data: ")?).ok())
        .filter_map(|v| v.pointer("/choices/0/delta/content").and_then(Value::as_str).map(str::to_owned))
        .collect();
    assert_eq!(text, "a.py\n```\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n\nDone.");
}

#[tokio::test]
async fn nobody_leaves_the_machine_through_it() {
    let world = World::new(&json!([])).await;
    let (head, _) =
        world.raw("GET http://example.org/ HTTP/1.1\r\nhost: example.org\r\nconnection: close\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let (head, _) =
        world.raw("CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\nconnection: close\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    assert_eq!(world.noted("refused"), 2);
}
