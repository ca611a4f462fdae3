//! A row of the registry: everything about one action but its work, and a way to do the work with JSON in and out.

use super::idempotency::Replies;
use crate::access::Gate;
use crate::access::caller::{Caller, Inside, Need};
use crate::engine::Engine;
use ao_core::kind::{Fault, Kind};
use ao_core::once::Once;
use ao_core::session::Session;
use axum::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What every action can reach.
#[derive(Clone)]
pub struct House {
    /// The engine.
    pub engine: Engine,
    /// Tokens and codes.
    pub gate: Gate,
    /// What is known of this daemon.
    pub about: Arc<About>,
    /// Ends the daemon.
    pub shutdown: CancellationToken,
    /// What it offers.
    pub rows: &'static [Row],
    /// Answers that were given for an `Idempotency-Key`.
    pub replies: Arc<Replies>,
}

/// What is known of this daemon.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Its version.
    pub version: String,
    /// Where browsers reach it.
    pub url: String,
    /// What was repaired or doubted at start-up.
    pub notes: Vec<String>,
}

/// One call of an action.
#[derive(Clone)]
pub struct Call {
    /// What it can reach.
    pub house: House,
    /// Who calls.
    pub caller: Caller,
    /// The parts of the path that have names.
    pub path: BTreeMap<String, String>,
    /// Set when it may be a repeat.
    pub once: Option<Once>,
}

impl Call {
    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.house.engine
    }

    /// A named part of the path.
    #[must_use]
    pub fn part(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The session that the path names by id, name or unique prefix, if the caller may reach it.
    ///
    /// # Errors
    /// `not_found`, `invalid` when it fits several, `denied`.
    pub fn session(&self) -> Result<Session, Fault> {
        let session = self.engine().read(|c| c.facts.find_session(self.part("id")).cloned())?;
        self.caller.reaches_session(&session)?;
        Ok(session)
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send>>;

/// How an action is served over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    /// JSON in, JSON out.
    Json,
    /// As JSON, kept serialised and answered with an `ETag`.
    Kept,
    /// As a stream of server-sent events, unless `follow=false` asks for JSON.
    Events,
    /// As a WebSocket; there is no JSON form.
    Socket,
    /// As JSON, and the answer sets or takes a cookie.
    Cookie,
}

/// Whether doing it twice is different from doing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It is not.
    Harmless,
    /// It is: an `Idempotency-Key` makes a repeat answer with the first result.
    Keyed,
}

/// One action.
pub struct Row {
    /// Canonical name.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// HTTP method.
    pub method: Method,
    /// HTTP path, with parts in braces.
    pub path: &'static str,
    /// The CLI verb, when there is one.
    pub verb: Option<&'static str>,
    /// One sentence.
    pub summary: &'static str,
    /// What it needs.
    pub need: Need,
    /// What a process inside a session may do with it.
    pub inside: Inside,
    /// Whether it takes an `Idempotency-Key`.
    pub repeat: Repeat,
    /// How it is served.
    pub serve: Serve,
    /// The HTTP status of success.
    pub status: u16,
    input: fn(&mut SchemaGenerator) -> Schema,
    output: fn(&mut SchemaGenerator) -> Schema,
    run: Box<dyn Fn(Call, Value) -> Answer + Send + Sync>,
}

impl Row {
    /// A row whose work is `run`. Unless told otherwise it needs the role operator, is closed to sessions, harmless to
    /// repeat, and served as JSON.
    pub fn new<I, O, F, R>(name: &'static str, method: Method, path: &'static str, run: F) -> Self
    where
        I: DeserializeOwned + JsonSchema,
        O: Serialize + JsonSchema,
        F: Fn(Call, I) -> R + Send + Sync + Copy + 'static,
        R: Future<Output = Result<O, Fault>> + Send + 'static,
    {
        let erased = move |call: Call, input: Value| -> Answer {
            let input = match serde_json::from_value::<I>(input) {
                Ok(input) => input,
                Err(e) => {
                    let fault = Fault::invalid(format!("the request is not understood: {e}"));
                    return Box::pin(std::future::ready(Err(
                        fault.hint("/api/openapi.json says what each request holds")
                    )));
                }
            };
            let answer = run(call, input);
            Box::pin(async move {
                let output = answer.await?;
                serde_json::to_value(output).map_err(|e| Fault::new(Kind::Bug, format!("the answer of {name}: {e}")))
            })
        };
        Self {
            name,
            aliases: &[],
            method,
            path,
            verb: None,
            summary: "",
            need: Need::Operator,
            inside: Inside::Closed,
            repeat: Repeat::Harmless,
            serve: Serve::Json,
            status: 200,
            input: |g| g.subschema_for::<I>(),
            output: |g| g.subschema_for::<O>(),
            run: Box::new(erased),
        }
    }

    /// One sentence that says what it does.
    #[must_use]
    pub fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Other names.
    #[must_use]
    pub fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The CLI verb.
    #[must_use]
    pub fn verb(self, verb: &'static str) -> Self {
        Self { verb: Some(verb), ..self }
    }

    /// What it needs.
    #[must_use]
    pub fn needs(self, need: Need) -> Self {
        Self { need, ..self }
    }

    /// What a process inside a session may do with it.
    #[must_use]
    pub fn inside(self, inside: Inside) -> Self {
        Self { inside, ..self }
    }

    /// It takes an `Idempotency-Key`.
    #[must_use]
    pub fn keyed(self) -> Self {
        Self { repeat: Repeat::Keyed, ..self }
    }

    /// How it is served.
    #[must_use]
    pub fn served(self, serve: Serve) -> Self {
        Self { serve, ..self }
    }

    /// The HTTP status of success.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The schema of what it takes beside the parts of its path.
    pub fn input(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.input)(generator)
    }

    /// The schema of what it answers.
    pub fn output(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.output)(generator)
    }

    /// The named parts of its path.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Does the work, if the caller may have it done.
    ///
    /// # Errors
    /// `denied`, `invalid` for an input that is not understood, and what the work itself says.
    pub async fn run(&self, call: Call, input: Value) -> Result<Value, Fault> {
        call.caller.may(self.need, self.inside)?;
        (self.run)(call, input).await
    }

    /// As [`Row::run`] with everything in one object, the parts of the path included: for callers without paths.
    ///
    /// # Errors
    /// As [`Row::run`].
    pub async fn run_flat(&self, house: House, caller: Caller, mut input: Map<String, Value>) -> Result<Value, Fault> {
        let mut path = BTreeMap::new();
        for part in self.parts() {
            let Some(Value::String(text)) = input.remove(part) else {
                return Err(Fault::invalid(format!("{} needs {part:?}, a text", self.name)));
            };
            path.insert(part.to_owned(), text);
        }
        self.run(Call { house, caller, path, once: None }, Value::Object(input)).await
    }

    /// Makes typed JSON of a query string's texts, by the schema of the input.
    #[must_use]
    pub fn typed(&self, query: Vec<(String, String)>) -> Value {
        if query.is_empty() {
            return Value::Object(Map::new());
        }
        let mut generator = SchemaGenerator::default();
        let schema = self.input(&mut generator);
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()).unwrap_or_default();
        let definition = generator.definitions().get(name).or(Some(schema.as_value()));
        let properties = definition.and_then(|d| d.get("properties"));
        let mut out = Map::new();
        for (key, text) in query {
            let kind = properties.and_then(|p| p.get(&key)).and_then(|p| p.get("type"));
            let is = |wanted: &str| match kind {
                Some(Value::String(one)) => one == wanted,
                Some(Value::Array(several)) => several.iter().any(|k| k == wanted),
                _ => false,
            };
            let value = if is("boolean") {
                match text.as_str() {
                    "" | "1" | "true" | "yes" => Value::Bool(true),
                    "0" | "false" | "no" => Value::Bool(false),
                    _ => Value::String(text),
                }
            } else if is("integer") {
                text.parse::<u64>().map_or_else(|_| Value::String(text.clone()), Value::from)
            } else {
                Value::String(text)
            };
            out.insert(key, value);
        }
        Value::Object(out)
    }
}
