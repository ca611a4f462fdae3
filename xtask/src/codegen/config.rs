//! The configuration's JSON schema, and the table of its keys made from it.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// The JSON schema.
pub(super) fn schema(_root: &Path) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&value()?)?))
}

fn value() -> Result<Value> {
    Ok(serde_json::to_value(ao_core::config::schema())?)
}

/// Every key with its description.
pub(super) fn keys(_root: &Path) -> Result<String> {
    let schema = value()?;
    let mut table = String::from("| key | meaning |\n|---|---|\n");
    walk(&schema, &schema, "", &mut table)?;
    Ok(table)
}

fn walk(root: &Value, object: &Value, path: &str, table: &mut String) -> Result<()> {
    let Some(properties) = object.get("properties").and_then(Value::as_object) else { return Ok(()) };
    for (name, property) in properties {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let meaning =
            property.get("description").and_then(Value::as_str).with_context(|| format!("{key} has no description"))?;
        writeln!(table, "| `{key}` | {} |", meaning.replace('\n', " "))?;
        if let Some(inner) = refers(root, property) {
            walk(root, inner, &key, table)?;
        }
        if let Some(inner) = property.get("additionalProperties").and_then(|p| refers(root, p)) {
            walk(root, inner, &format!("{key}.*"), table)?;
        }
    }
    Ok(())
}

/// The definition that a property refers to, also as one of several.
fn refers<'v>(root: &'v Value, property: &'v Value) -> Option<&'v Value> {
    let several = property.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    let name = std::iter::once(property).chain(several).find_map(|p| p.get("$ref")?.as_str())?;
    root.pointer(name.strip_prefix('#')?).filter(|d| d.get("properties").is_some())
}
