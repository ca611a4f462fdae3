//! Regular expressions of adapter files.

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// A regular expression that was compiled when its file was read.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "regex", "description": "A regular expression, as the Rust crate `regex` reads it." })
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(serde::de::Error::custom)
    }
}
