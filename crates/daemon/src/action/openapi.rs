//! The whole interface as OpenAPI 3.1, made from the rows alone.

use super::row::{Repeat, Row, Serve};
use crate::access::caller::{Inside, Need};
use ao_api::fault::ErrorBody;
use ao_core::kind::Kind;
use axum::http::Method;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Describes these rows.
pub(super) fn openapi(rows: &[Row]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let error = generator.subschema_for::<ErrorBody>();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for row in rows {
        let operation = operation(row, &mut generator);
        paths.entry(row.path).or_default().insert(row.method.as_str().to_lowercase(), operation);
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ao",
            "summary": "Orchestrates parallel coding agents.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:3000", "description": "the default; daemon.json says the real one"}],
        "security": [{"token": []}, {"cookie": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {"error": {
                "description": "What went wrong, and what to do about it.",
                "content": {"application/json": {"schema": error}},
            }},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "ao_session_3000"},
            },
        },
    })
}

fn operation(row: &Row, generator: &mut SchemaGenerator) -> Value {
    let input = row.input(generator).to_value();
    let output = row.output(generator).to_value();
    let mut parameters: Vec<Value> = row.parts().map(|part| path_parameter(row, part)).collect();
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), json!(row.name));
    operation.insert("summary".to_owned(), json!(row.summary));
    operation.insert("description".to_owned(), json!(description(row)));
    operation.insert("tags".to_owned(), json!([row.path.split('/').nth(2).unwrap_or("api")]));
    if row.method == Method::GET {
        parameters.extend(query_parameters(&input, generator));
    } else if !properties(&input, generator).is_empty() {
        let required = row.method == Method::POST && row.repeat == Repeat::Keyed;
        operation.insert(
            "requestBody".to_owned(),
            json!({"required": required, "content": {"application/json": {"schema": input}}}),
        );
    }
    if row.repeat == Repeat::Keyed {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string", "maxLength": 200},
            "description": "A repeat with the same key and body gets the first answer and does nothing.",
        }));
    }
    if row.serve == Serve::Events {
        parameters.push(json!({
            "name": "Last-Event-ID", "in": "header", "required": false, "schema": {"type": "integer", "minimum": 0},
            "description": "As `since`: what a browser sends when it comes back.",
        }));
    }
    operation.insert("parameters".to_owned(), json!(parameters));
    operation.insert("responses".to_owned(), responses(row, &output));
    if row.need == Need::Nothing {
        operation.insert("security".to_owned(), json!([{}]));
    }
    operation.insert("x-ao-needs".to_owned(), json!(row.need.name()));
    if !row.aliases.is_empty() {
        operation.insert("x-ao-aliases".to_owned(), json!(row.aliases));
    }
    if let Some(verb) = row.verb {
        operation.insert("x-ao-verb".to_owned(), json!(verb));
    }
    Value::Object(operation)
}

fn description(row: &Row) -> String {
    let inside = match row.inside {
        Inside::Closed => "a process inside a session may not use it",
        Inside::Own => "a process inside a session may use it for its own session, an orchestrator within its project",
        Inside::Project => "of processes inside sessions only an orchestrator may use it, within its project",
    };
    format!("Needs the role {}; {inside}.", row.need.name())
}

fn path_parameter(row: &Row, part: &str) -> Value {
    let what =
        if row.path.starts_with("/api/sessions") { "Id, name or unique prefix of a session." } else { "Its id." };
    json!({"name": part, "in": "path", "required": true, "schema": {"type": "string"}, "description": what})
}

fn responses(row: &Row, output: &Value) -> Value {
    let mut responses = Map::new();
    let success = match row.serve {
        Serve::Json | Serve::Kept | Serve::Cookie => {
            json!({"description": "Success.", "content": {"application/json": {"schema": output}}})
        }
        Serve::Events => json!({"description": "Events as they happen, or a list.", "content": {
            "text/event-stream": {"schema": {"type": "string"}},
            "application/json": {"schema": output},
        }}),
        Serve::Socket => json!({"description": "A WebSocket with binary frames; the first byte says which."}),
    };
    let code = if row.serve == Serve::Socket { 101 } else { row.status };
    responses.insert(code.to_string(), success);
    if row.serve == Serve::Kept {
        responses.insert("304".to_owned(), json!({"description": "Not changed since `If-None-Match`."}));
    }
    // Every kind can come back from anything; each status stands once.
    let kinds = [
        Kind::Invalid,
        Kind::Denied,
        Kind::NotFound,
        Kind::Conflict,
        Kind::RateLimited { retry_after: None },
        Kind::Bug,
        Kind::Unsupported,
        Kind::Unavailable,
        Kind::StorageFailed,
    ];
    for kind in kinds {
        responses.insert(kind.http_status().to_string(), json!({"$ref": "#/components/responses/error"}));
    }
    Value::Object(responses)
}

/// The fields of an input, whether it stands there or is referred to.
fn properties(schema: &Value, generator: &SchemaGenerator) -> Map<String, Value> {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
    let definition = match name {
        Some(name) => generator.definitions().get(name),
        None => Some(schema),
    };
    definition.and_then(|d| d.get("properties")).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn query_parameters(input: &Value, generator: &SchemaGenerator) -> Vec<Value> {
    properties(input, generator)
        .into_iter()
        .map(|(name, mut schema)| {
            let what = schema.as_object_mut().and_then(|s| s.remove("description")).unwrap_or_default();
            json!({"name": name, "in": "query", "required": false, "schema": schema, "description": what})
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{openapi, rows};
    use super::*;

    #[test]
    fn every_row_is_described_once() {
        let described = openapi();
        let mut count = 0;
        for item in described["paths"].as_object().expect("paths").values() {
            count += item.as_object().expect("an item").len();
        }
        assert_eq!(count, rows().len());
        for row in rows() {
            let operation = &described["paths"][row.path][row.method.as_str().to_lowercase()];
            assert_eq!(operation["operationId"], json!(row.name), "{} {}", row.method, row.path);
            for part in row.parts() {
                let parameters = operation["parameters"].as_array().expect("parameters");
                assert!(
                    parameters.iter().any(|p| p["name"] == json!(part) && p["in"] == json!("path")),
                    "{}: {part}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn the_description_is_valid() {
        let described = openapi();
        assert_eq!(described["openapi"], json!("3.1.0"));
        assert!(described["info"]["title"].is_string() && described["info"]["version"].is_string());
        let mut references = Vec::new();
        collect(&described, &mut references);
        assert!(references.len() > 20, "references were found");
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("a reference within the document");
            assert!(described.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
        let methods = ["get", "post", "delete"];
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in described["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("an item") {
                assert!(methods.contains(&method.as_str()), "{method} {path}");
                assert!(ids.insert(operation["operationId"].to_string()), "an id stands twice");
                let responses = operation["responses"].as_object().expect("responses");
                assert!(responses.keys().all(|k| k.parse::<u16>().is_ok_and(|n| (100..600).contains(&n))));
                for response in responses.values() {
                    assert!(response.get("description").is_some() || response.get("$ref").is_some());
                }
                for parameter in operation["parameters"].as_array().expect("parameters") {
                    assert!(parameter["schema"].is_object() && parameter["name"].is_string(), "{method} {path}");
                    let place = parameter["in"].as_str().expect("a place");
                    assert!(["path", "query", "header"].contains(&place));
                    assert!(place != "path" || parameter["required"] == json!(true));
                    assert!(
                        place != "path"
                            || path.contains(&format!("{{{}}}", parameter["name"].as_str().expect("a name")))
                    );
                }
                assert!(operation.get("requestBody").is_none() || method != "get");
            }
        }
    }

    #[test]
    fn what_a_caller_sends_is_in_the_schema() {
        let described = openapi();
        let schema = &described["components"]["schemas"]["NewSession"]["properties"];
        for field in ["projectId", "title", "prompt", "issue", "agentArgs"] {
            assert!(schema[field].is_object(), "{field}");
        }
        let query = described["paths"]["/api/sessions"]["get"]["parameters"].to_string();
        assert!(query.contains("\"all\"") && query.contains("\"project\""), "{query}");
    }

    fn collect(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    out.push(reference.clone());
                }
                map.values().for_each(|v| collect(v, out));
            }
            Value::Array(items) => items.iter().for_each(|v| collect(v, out)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
