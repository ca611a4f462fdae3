//! OpenAI Chat Completions.

use crate::asked::Asked;
use crate::json::{list, text, words};
use crate::reply::{Beat, Reply, event, text_beats, thought_beats};
use crate::tool::Tool;
use serde_json::{Value, json};

/// Reads a request. What an agent puts in by itself is marked by a tag at its beginning.
pub(super) fn asked(body: &Value) -> Asked {
    let mut out = Asked {
        tools: list(body, "tools")
            .iter()
            .filter_map(|t| t.get("function"))
            .map(|f| Tool { name: text(f, "name").to_owned(), schema: f["parameters"].clone() })
            .collect(),
        schema: body.pointer("/response_format/json_schema/schema").cloned(),
        stream: body["stream"].as_bool().unwrap_or(false),
        model: text(body, "model").to_owned(),
        ..Asked::default()
    };
    for message in list(body, "messages") {
        match text(message, "role") {
            "tool" => out.result(&message["content"]),
            "user" => {
                let said = words(&message["content"]);
                if !said.trim_start().starts_with('<') {
                    out.prompt(&said);
                }
            }
            _ => {}
        }
    }
    out
}

fn calls(reply: &Reply) -> Vec<Value> {
    let call = |c: &crate::tool::Call| {
        json!({"index": 0, "id": format!("call_{}", reply.n), "type": "function",
            "function": {"name": c.name, "arguments": c.arguments.to_string()}})
    };
    reply.call.iter().map(call).collect()
}

fn reason(reply: &Reply) -> &'static str {
    if reply.call.is_some() { "tool_calls" } else { "stop" }
}

fn usage() -> Value {
    json!({"prompt_tokens": 1200, "completion_tokens": 42, "total_tokens": 1242})
}

/// A reply in one piece.
pub(super) fn whole(reply: &Reply) -> Value {
    let mut message = json!({"role": "assistant", "content": reply.text});
    if reply.call.is_some() {
        message["tool_calls"] = Value::Array(calls(reply));
    }
    json!({"id": format!("chatcmpl-{}", reply.n), "object": "chat.completion", "created": 0, "model": reply.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason(reply)}], "usage": usage()})
}

/// A streamed reply.
pub(super) fn beats(reply: &Reply) -> Vec<Beat> {
    let chunk = |choices: Value| {
        json!({"id": format!("chatcmpl-{}", reply.n), "object": "chat.completion.chunk", "created": 0,
            "model": reply.model, "choices": choices})
    };
    let send = |delta: Value, end: Option<&str>| {
        event(None, &chunk(json!([{"index": 0, "delta": delta, "finish_reason": end}])))
    };
    let mut out = vec![send(json!({"role": "assistant", "content": ""}), None)];
    out.extend(thought_beats(reply, |t| send(json!({ "reasoning_content": t }), None)));
    out.extend(text_beats(reply, |t| send(json!({ "content": t }), None)));
    if out.last() == Some(&Beat::Cut) {
        return out;
    }
    if reply.call.is_some() {
        out.push(send(json!({ "tool_calls": calls(reply) }), None));
    }
    out.push(send(json!({}), Some(reason(reply))));
    let mut end = chunk(json!([]));
    end["usage"] = usage();
    out.push(event(None, &end));
    out.push(Beat::Send("data: [DONE]\n\n".to_owned()));
    out
}
