//! A value for a JSON schema: enough for the required arguments of a tool, and for answers that must have a shape.

use serde_json::{Map, Value, json};

/// Makes a value that the schema's required parts are satisfied by. `name` becomes part of texts.
#[must_use]
pub fn fill(schema: &Value, name: &str) -> Value {
    if let Some(first) = schema.get("enum").and_then(|e| e.get(0)) {
        return first.clone();
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(choice).and_then(|c| c.get(0)) {
            return fill(first, name);
        }
    }
    match kind(schema).as_str() {
        "object" => object(schema),
        "array" => {
            let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 8);
            let item = schema.get("items").cloned().unwrap_or_else(|| json!({"type": "string"}));
            Value::Array((0..least).map(|_| fill(&item, name)).collect())
        }
        "boolean" => Value::Bool(false),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "null" => Value::Null,
        _ => Value::String(format!("scripted {name}").trim().to_owned()),
    }
}

fn object(schema: &Value) -> Value {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return json!({}) };
    let required: Vec<&str> = crate::json::list(schema, "required").iter().filter_map(Value::as_str).collect();
    let filled: Map<String, Value> = properties
        .iter()
        .filter(|(key, _)| required.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), fill(value, key)))
        .collect();
    Value::Object(filled)
}

/// The schema's type in lower case (Gemini writes it in upper case); the first that is not `null` of several.
fn kind(schema: &Value) -> String {
    let written = match schema.get("type") {
        Some(Value::String(one)) => Some(one.as_str()),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).find(|t| *t != "null"),
        _ => None,
    };
    written.unwrap_or(if schema.get("properties").is_some() { "object" } else { "string" }).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_required_is_filled() {
        let schema = json!({"type": "object", "required": ["a", "n"], "properties": {
            "a": {"enum": ["x", "y"]}, "b": {"type": "string"}, "n": {"type": ["null", "integer"], "minimum": 3}}});
        assert_eq!(fill(&schema, ""), json!({"a": "x", "n": 3}));
        assert_eq!(fill(&json!({"type": "ARRAY", "items": {"type": "STRING"}}), "it"), json!(["scripted it"]));
    }
}
