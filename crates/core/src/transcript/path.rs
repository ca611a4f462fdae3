//! Where something stands in a record: names between dots, `*` for every element, `$` first for the whole record.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `message.content.*.text`; behind `each` a path counts from the element, and from the record if it begins with `$.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// From the record although there is an element.
    whole: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A key; of a list, of every element that has it as its number.
    Name(String),
    /// Every element.
    All,
}

impl Path {
    /// Reads a path; nothing in it can be wrong.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (whole, rest) = text.strip_prefix("$.").map_or((false, text), |rest| (true, rest));
        let step = |name: &str| if name == "*" { Step::All } else { Step::Name(name.to_owned()) };
        Self { whole, steps: rest.split('.').map(step).collect() }
    }

    /// Everything that stands there, in order.
    #[must_use]
    pub fn all<'v>(&self, record: &'v Value, element: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![if self.whole { record } else { element }];
        for step in &self.steps {
            found = found.into_iter().flat_map(|value| below(value, step)).collect();
        }
        found.retain(|value| !value.is_null());
        found
    }

    /// The first thing that stands there.
    #[must_use]
    pub fn one<'v>(&self, record: &'v Value, element: &'v Value) -> Option<&'v Value> {
        self.all(record, element).into_iter().next()
    }

    /// What stands there as text; several one after the other, each on a line of its own.
    #[must_use]
    pub fn text(&self, record: &Value, element: &Value) -> Option<String> {
        let texts: Vec<String> = self.all(record, element).into_iter().filter_map(text).collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    /// What stands there as a number that counts something; several are added up.
    #[must_use]
    pub fn number(&self, record: &Value, element: &Value) -> Option<u64> {
        let all = self.all(record, element);
        let numbers: Vec<u64> = all.into_iter().filter_map(Value::as_u64).collect();
        (!numbers.is_empty()).then(|| numbers.into_iter().fold(0, u64::saturating_add))
    }
}

fn below<'v>(value: &'v Value, step: &Step) -> Vec<&'v Value> {
    match (value, step) {
        (Value::Object(map), Step::Name(name)) => map.get(name).into_iter().collect(),
        (Value::Object(map), Step::All) => map.values().collect(),
        (Value::Array(list), Step::All) => list.iter().collect(),
        (Value::Array(list), Step::Name(name)) => {
            name.parse::<usize>().ok().and_then(|n| list.get(n)).into_iter().collect()
        }
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => Vec::new(),
    }
}

/// A value that stands for itself.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.split('.').any(str::is_empty) {
            return Err(serde::de::Error::custom(format!("{text:?} is no path: names between dots are wanted")));
        }
        Ok(Self::parse(&text))
    }
}

impl JsonSchema for Path {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Names between dots; `*` for every element; `$.` in front for the whole record." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_leads_through_names_numbers_and_all_elements() {
        let record = json!({"a": {"b": [{"t": "x"}, {"u": 1}, {"t": "y"}]}, "n": [1, 2], "null": null});
        let text = |path: &str| Path::parse(path).text(&record, &record);
        assert_eq!(text("a.b.*.t").as_deref(), Some("x\ny"));
        assert_eq!(text("a.b.1.u").as_deref(), Some("1"));
        for nowhere in ["a.c", "a.b.t", "a.b", "null", "n.x", "a.b.9.t"] {
            assert_eq!(text(nowhere), None, "{nowhere}");
        }
        assert_eq!(Path::parse("n.*").number(&record, &record), Some(3));
        let element = &record["a"]["b"][0];
        assert_eq!(Path::parse("t").text(&record, element).as_deref(), Some("x"));
        assert_eq!(Path::parse("$.n.0").text(&record, element).as_deref(), Some("1"));
    }
}
