//! OpenAI Responses.

use crate::asked::Asked;
use crate::json::{between, list, text, words};
use crate::reply::{Beat, Reply, event, text_beats, thought_beats};
use crate::tool::Tool;
use serde_json::{Value, json};

/// Reads a request. What an agent puts in by itself is marked by a tag at its beginning.
pub(super) fn asked(body: &Value) -> Asked {
    let mut out = Asked {
        tools: list(body, "tools")
            .iter()
            .map(|t| Tool {
                name: if text(t, "name").is_empty() { text(t, "type") } else { text(t, "name") }.to_owned(),
                schema: t["parameters"].clone(),
            })
            .collect(),
        schema: body.pointer("/text/format/schema").cloned(),
        stream: body["stream"].as_bool().unwrap_or(false),
        model: text(body, "model").to_owned(),
        ..Asked::default()
    };
    if let Some(prompt) = body["input"].as_str() {
        out.prompt(prompt);
    }
    let mut context = String::new();
    for item in list(body, "input") {
        let kind = item["type"].as_str().unwrap_or("message");
        if kind.ends_with("_output") {
            out.result(&item["output"]);
        }
        if kind == "message" && text(item, "role") == "user" {
            let said = words(&item["content"]);
            if said.trim_start().starts_with('<') {
                context.push_str(&said);
            } else {
                out.prompt(&said);
            }
        }
    }
    out.place = between(&context, "<cwd>", "</cwd>");
    out
}

fn items(reply: &Reply) -> Vec<Value> {
    let n = reply.n;
    let mut out = vec![json!({"type": "message", "id": format!("msg_{n}"), "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": reply.text, "annotations": []}]})];
    if let Some(call) = &reply.call {
        out.push(json!({"type": "function_call", "id": format!("fc_{n}"), "call_id": format!("call_{n}"),
            "name": call.name, "arguments": call.arguments.to_string(), "status": "completed"}));
    }
    out
}

fn response(reply: &Reply, output: &[Value], status: &str) -> Value {
    json!({"id": format!("resp_{:06}", reply.n), "object": "response", "created_at": 0, "model": reply.model,
        "status": status, "output": output, "tools": [], "parallel_tool_calls": false, "error": null,
        "incomplete_details": null, "usage": {"input_tokens": 1200, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 42, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1242}})
}

/// A reply in one piece.
pub(super) fn whole(reply: &Reply) -> Value {
    response(reply, &items(reply), "completed")
}

/// A streamed reply.
pub(super) fn beats(reply: &Reply) -> Vec<Beat> {
    let send = |data: Value| event(data["type"].as_str(), &data);
    let mut out = vec![send(json!({"type": "response.created", "response": response(reply, &[], "in_progress")}))];
    let mut first = 0;
    if !reply.think.is_zero() {
        let id = format!("rs_{}", reply.n);
        let added = |item: Value| json!({"type": "response.output_item.added", "output_index": 0, "item": item});
        out.push(send(added(json!({"type": "reasoning", "id": id, "summary": []}))));
        out.push(send(json!({"type": "response.reasoning_summary_part.added", "item_id": id, "output_index": 0,
            "summary_index": 0, "part": {"type": "summary_text", "text": ""}})));
        out.extend(thought_beats(reply, |t| {
            send(json!({"type": "response.reasoning_summary_text.delta", "item_id": id, "output_index": 0,
                "summary_index": 0, "delta": t}))
        }));
        let summary = json!([{"type": "summary_text", "text": "**Planning**\n\nThe next step is planned."}]);
        out.push(send(json!({"type": "response.output_item.done", "output_index": 0,
            "item": {"type": "reasoning", "id": id, "summary": summary, "encrypted_content": null}})));
        first = 1;
    }
    let items = items(reply);
    for (at, item) in items.iter().enumerate() {
        let at = at + first;
        let mut begun = item.clone();
        begun["status"] = json!("in_progress");
        begun[if item["type"] == "message" { "content" } else { "arguments" }] =
            if item["type"] == "message" { json!([]) } else { json!("") };
        out.push(send(json!({"type": "response.output_item.added", "output_index": at, "item": begun})));
        if item["type"] == "message" {
            out.extend(text_beats(reply, |t| {
                send(json!({"type": "response.output_text.delta", "item_id": item["id"], "output_index": at,
                    "content_index": 0, "delta": t}))
            }));
            if out.last() == Some(&Beat::Cut) {
                return out;
            }
        } else {
            out.push(send(json!({"type": "response.function_call_arguments.delta", "item_id": item["id"],
                "output_index": at, "delta": item["arguments"]})));
        }
        out.push(send(json!({"type": "response.output_item.done", "output_index": at, "item": item})));
    }
    out.push(send(json!({"type": "response.completed", "response": response(reply, &items, "completed")})));
    out
}
