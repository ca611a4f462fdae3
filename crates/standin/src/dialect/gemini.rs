//! Gemini `generateContent` and `streamGenerateContent`.

use crate::asked::Asked;
use crate::json::{list, text, words};
use crate::reply::{Beat, Reply, event, text_beats, thought_beats};
use crate::tool::Tool;
use serde_json::{Value, json};

/// Reads a request; whether it is streamed is in the path.
pub(super) fn asked(body: &Value) -> Asked {
    let declared = list(body, "tools").iter().flat_map(|t| list(t, "functionDeclarations"));
    let schema = |f: &Value| f.get("parametersJsonSchema").or_else(|| f.get("parameters")).cloned().unwrap_or_default();
    let form = ["/generationConfig/responseJsonSchema", "/generationConfig/responseSchema"];
    let mut out = Asked {
        tools: declared.map(|f| Tool { name: text(f, "name").to_owned(), schema: schema(f) }).collect(),
        schema: form.iter().find_map(|at| body.pointer(at)).cloned(),
        ..Asked::default()
    };
    for content in list(body, "contents") {
        if text(content, "role") != "user" {
            continue;
        }
        let results: Vec<&Value> = list(content, "parts").iter().filter_map(|p| p.get("functionResponse")).collect();
        for result in &results {
            out.result(result);
        }
        // What the client tells of itself begins with a tag; the first prompt may follow it in the same turn.
        let own = list(content, "parts").iter().filter(|part| !text(part, "text").trim_start().starts_with('<'));
        let said = words(&Value::from(own.cloned().collect::<Vec<_>>()));
        if results.is_empty() && !said.trim().is_empty() {
            out.prompt(&said);
        }
    }
    out
}

fn chunk(reply: &Reply, parts: &Value, end: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if let Some(end) = end {
        candidate["finishReason"] = json!(end);
    }
    json!({"candidates": [candidate], "modelVersion": "stand-in", "responseId": format!("r{}", reply.n),
        "usageMetadata": {"promptTokenCount": 1200, "candidatesTokenCount": 42, "totalTokenCount": 1242}})
}

fn call(reply: &Reply) -> Option<Value> {
    let call = reply.call.as_ref()?;
    Some(json!({"functionCall": {"id": format!("fc{}", reply.n), "name": call.name, "args": call.arguments},
        "thoughtSignature": "c3RhbmRpbg=="}))
}

/// A reply in one piece.
pub(super) fn whole(reply: &Reply) -> Value {
    let parts: Vec<Value> = [json!({"text": reply.text})].into_iter().chain(call(reply)).collect();
    chunk(reply, &json!(parts), Some("STOP"))
}

/// A streamed reply.
pub(super) fn beats(reply: &Reply) -> Vec<Beat> {
    let send = |part: Value| event(None, &chunk(reply, &json!([part]), None));
    let mut out = thought_beats(reply, |t| send(json!({"text": format!("**Planning**\n{t}"), "thought": true})));
    out.extend(text_beats(reply, |t| send(json!({ "text": t }))));
    if out.last() == Some(&Beat::Cut) {
        return out;
    }
    out.extend(call(reply).map(send));
    out.push(event(None, &chunk(reply, &json!([{"text": ""}]), Some("STOP"))));
    out
}
