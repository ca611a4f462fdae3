//! Anthropic Messages.

use crate::asked::Asked;
use crate::json::{between, list, text, without, words};
use crate::reply::{Beat, Reply, event, text_beats, thought_beats};
use crate::tool::Tool;
use serde_json::{Value, json};

/// Reads a request.
pub(super) fn asked(body: &Value) -> Asked {
    let mut out = Asked {
        tools: list(body, "tools")
            .iter()
            .map(|t| Tool { name: text(t, "name").to_owned(), schema: t["input_schema"].clone() })
            .collect(),
        schema: ["/output_config/format/schema", "/output_format/schema"]
            .iter()
            .find_map(|at| body.pointer(at))
            .cloned(),
        stream: body["stream"].as_bool().unwrap_or(false),
        model: text(body, "model").to_owned(),
        ..Asked::default()
    };
    let mut whole = words(&body["system"]);
    for message in list(body, "messages") {
        let content = &message["content"];
        whole.push_str(&words(content));
        if text(message, "role") != "user" {
            continue;
        }
        let parts = content.as_array().map_or(&[][..], Vec::as_slice);
        for result in parts.iter().filter(|p| text(p, "type") == "tool_result") {
            out.result(result);
        }
        // What a person typed after a tool was refused comes in one message with the refusal.
        let said = without(&words(content), "<system-reminder>", "</system-reminder>");
        out.prompt(&without(&said, "[Request interrupted by user", "]"));
    }
    out.place = between(&whole, "orking directory: ", "\n");
    out
}

fn usage(reply: &Reply) -> Value {
    json!({"input_tokens": 1200, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "output_tokens": reply.text.split_whitespace().count() + 1})
}

fn reason(reply: &Reply) -> &'static str {
    if reply.call.is_some() { "tool_use" } else { "end_turn" }
}

fn message(reply: &Reply, content: &[Value], reason: Option<&str>) -> Value {
    json!({"id": format!("msg_{:06}", reply.n), "type": "message", "role": "assistant", "model": reply.model,
        "content": content, "stop_reason": reason, "stop_sequence": null, "usage": usage(reply)})
}

/// A reply in one piece.
pub(super) fn whole(reply: &Reply) -> Value {
    let mut content = vec![json!({"type": "text", "text": reply.text})];
    if let Some(call) = &reply.call {
        content.push(
            json!({"type": "tool_use", "id": format!("toolu_{:06}", reply.n), "name": call.name, "input": call.arguments}),
        );
    }
    message(reply, &content, Some(reason(reply)))
}

/// A streamed reply.
pub(super) fn beats(reply: &Reply) -> Vec<Beat> {
    let send = |data: Value| event(data["type"].as_str(), &data);
    let delta = |at: usize, delta: Value| json!({"type": "content_block_delta", "index": at, "delta": delta});
    let begin =
        |at: usize, block: Value| send(json!({"type": "content_block_start", "index": at, "content_block": block}));
    let stop = |at: usize| send(json!({"type": "content_block_stop", "index": at}));
    let mut out = vec![send(json!({"type": "message_start", "message": message(reply, &[], None)}))];
    let mut at = 0;
    if !reply.think.is_zero() {
        out.push(begin(at, json!({"type": "thinking", "thinking": "", "signature": ""})));
        out.extend(thought_beats(reply, |t| send(delta(0, json!({"type": "thinking_delta", "thinking": t})))));
        out.push(send(delta(at, json!({"type": "signature_delta", "signature": "c3RhbmRpbg=="}))));
        out.push(stop(at));
        at += 1;
    }
    out.push(begin(at, json!({"type": "text", "text": ""})));
    out.extend(text_beats(reply, |t| send(delta(at, json!({"type": "text_delta", "text": t})))));
    if out.last() == Some(&Beat::Cut) {
        return out;
    }
    out.push(stop(at));
    if let Some(call) = &reply.call {
        at += 1;
        let block = json!({"type": "tool_use", "id": format!("toolu_{:06}", reply.n), "name": call.name, "input": {}});
        out.push(begin(at, block));
        out.push(send(delta(at, json!({"type": "input_json_delta", "partial_json": call.arguments.to_string()}))));
        out.push(stop(at));
    }
    let end = json!({"stop_reason": reason(reply), "stop_sequence": null});
    out.push(send(json!({"type": "message_delta", "delta": end, "usage": usage(reply)})));
    out.push(send(json!({"type": "message_stop"})));
    out
}
