//! Tokens and what they cost. A price that nobody knows is unknown, never nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::{Add, AddAssign};
use std::sync::LazyLock;

/// Tokens of one kind each. What is in one is in no other: `input` holds neither what was read from a cache nor what was
/// written into one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    /// Sent to the model.
    #[serde(skip_serializing_if = "is_zero")]
    pub input: u64,
    /// Written by the model, its thoughts included.
    #[serde(skip_serializing_if = "is_zero")]
    pub output: u64,
    /// Sent and found in the provider's cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Put into the provider's cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Tokens {
    /// All of them.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.input.saturating_add(self.output).saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    /// What is in `self` and not in `earlier`, kind by kind.
    #[must_use]
    pub const fn beyond(self, earlier: Self) -> Self {
        Self {
            input: self.input.saturating_sub(earlier.input),
            output: self.output.saturating_sub(earlier.output),
            cache_read: self.cache_read.saturating_sub(earlier.cache_read),
            cache_write: self.cache_write.saturating_sub(earlier.cache_write),
        }
    }

    /// The larger of each kind.
    #[must_use]
    pub fn most(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cache_read: self.cache_read.max(other.cache_read),
            cache_write: self.cache_write.max(other.cache_write),
        }
    }
}

impl Add for Tokens {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
        }
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What was used, by model. The empty name stands for a model that the agent did not name.
pub type ByModel = BTreeMap<String, Tokens>;

/// Millionths of a US dollar: a million tokens at a price in dollars cost a whole number of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    /// `$1.23`; what is less than a cent with four places.
    #[must_use]
    pub fn words(self) -> String {
        let MicroUsd(micro) = self;
        if micro == 0 || micro >= 10_000 {
            let cents = micro.saturating_add(5_000) / 10_000;
            format!("${}.{:02}", cents / 100, cents % 100)
        } else {
            format!("$0.{:04}", micro.saturating_add(50) / 100)
        }
    }
}

/// The prices of one model, in millionths of a dollar per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Sent.
    pub input: u64,
    /// Written by the model.
    pub output: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Written into it.
    pub cache_write: u64,
}

impl Price {
    /// What these tokens cost, rounded up.
    #[must_use]
    pub fn of(self, tokens: Tokens) -> MicroUsd {
        let part = |n: u64, price: u64| u128::from(n) * u128::from(price);
        let sum = part(tokens.input, self.input)
            + part(tokens.output, self.output)
            + part(tokens.cache_read, self.cache_read)
            + part(tokens.cache_write, self.cache_write);
        MicroUsd(u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

/// A list of prices as data: where they come from, of which day they are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The day on which they were read, `YYYY-MM-DD`.
    pub dated: String,
    /// One entry for each model.
    pub models: Vec<PriceEntry>,
}

/// The price of a model, in US dollars per million tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceEntry {
    /// Its name, or the beginning of its dated names: `claude-sonnet-4-5` is also `claude-sonnet-4-5-20250929`.
    pub model: String,
    /// Sent.
    pub input: f64,
    /// Written by the model.
    pub output: f64,
    /// Read from the cache; as `input` when there is no such price.
    #[serde(default)]
    pub cache_read: Option<f64>,
    /// Written into it; as `input` when there is no such price.
    #[serde(default)]
    pub cache_write: Option<f64>,
    /// The page that says so.
    pub source: String,
}

/// The list that is compiled in.
static BUILT_IN: LazyLock<Prices> = LazyLock::new(|| {
    let none = || Prices { dated: String::new(), models: Vec::new() };
    toml::from_str(include_str!("usage/prices.toml")).unwrap_or_else(|_| none())
});

impl Prices {
    /// The list that is compiled in; a test reads all of it.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The price of a model, if it is known. A provider's prefix (`anthropic/…`, `us.anthropic.…`) and what follows the name
    /// as a date or a version of the day (`-20250929`, `@20250929`, `-latest`) are passed over.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<Price> {
        let bare = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
        let bare = bare.rsplit_once("anthropic.").map_or(bare.as_str(), |(_, name)| name);
        let fits = |entry: &&PriceEntry| bare.strip_prefix(entry.model.as_str()).is_some_and(is_dated);
        let entry = self.models.iter().find(fits)?;
        Some(Price {
            input: micro(entry.input),
            output: micro(entry.output),
            cache_read: micro(entry.cache_read.unwrap_or(entry.input)),
            cache_write: micro(entry.cache_write.unwrap_or(entry.input)),
        })
    }
}

/// Nothing, a date, or `-latest`: another word makes it another model.
fn is_dated(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix(['-', '@', ':']) else { return rest.is_empty() };
    let rest = rest.split([':', '@']).next().unwrap_or(rest);
    rest == "latest" || rest.chars().filter(char::is_ascii_digit).count() >= 6 && !rest.contains(char::is_alphabetic)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a price in dollars is small, and a negative one is taken for nothing"
)]
fn micro(dollars: f64) -> u64 {
    (dollars * 1_000_000.0).round() as u64
}

/// What something cost, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// What is known of it.
    pub known: MicroUsd,
    /// Models without a known price that were used, so that `known` is not all of it.
    pub unknown: Vec<String>,
}

impl Cost {
    /// The cost of what was used. Where the agent says itself what it cost, that counts.
    #[must_use]
    pub fn of(used: &ByModel, said: &BTreeMap<String, MicroUsd>, prices: &Prices) -> Self {
        let mut cost = Self::default();
        for (model, tokens) in used.iter().filter(|(_, tokens)| tokens.total() > 0) {
            match (said.get(model), prices.of(model)) {
                (Some(said), _) => cost.known.0 = cost.known.0.saturating_add(said.0),
                (None, Some(price)) => cost.known.0 = cost.known.0.saturating_add(price.of(*tokens).0),
                (None, None) => cost.unknown.push(model.clone()),
            }
        }
        cost
    }

    /// `$1.23`, `unknown price`, or `$1.23 + unknown price`.
    #[must_use]
    pub fn words(&self) -> String {
        match (self.known.0, self.unknown.is_empty()) {
            (_, true) => self.known.words(),
            (0, false) => "unknown price".to_owned(),
            (_, false) => format!("{} + unknown price", self.known.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> Prices {
        let entry = |model: &str, input: f64, output: f64| PriceEntry {
            model: model.to_owned(),
            input,
            output,
            cache_read: Some(input / 10.0),
            cache_write: None,
            source: "a test".to_owned(),
        };
        Prices { dated: "2026-01-01".to_owned(), models: vec![entry("m-1", 3.0, 15.0), entry("m-1-mini", 0.25, 2.0)] }
    }

    #[test]
    fn a_price_is_found_by_name_with_its_provider_and_date_and_for_no_other_model() {
        let prices = prices();
        let input = |model: &str| prices.of(model).map(|p| p.input);
        for same in
            ["m-1", "m-1-20250929", "openrouter/x/m-1", "us.anthropic.m-1-20250929", "M-1-latest", "m-1@20250929"]
        {
            assert_eq!(input(same), Some(3_000_000), "{same}");
        }
        assert_eq!(input("m-1-mini-2025-01-02"), Some(250_000));
        for other in ["m-1-pro", "m-10", "m", "", "m-1-2", "<synthetic>"] {
            assert_eq!(input(other), None, "{other}");
        }
    }

    #[test]
    fn every_price_that_is_compiled_in_has_a_source_and_a_day() {
        let prices: Prices = toml::from_str(include_str!("usage/prices.toml")).unwrap();
        assert_eq!((prices.dated.len(), prices.models.len()), (10, Prices::built_in().models.len()));
        for entry in &prices.models {
            assert!(
                entry.source.starts_with("https://") && entry.input > 0.0 && entry.output > entry.input,
                "{entry:?}"
            );
            assert_eq!(prices.of(&entry.model), prices.of(&format!("{}-20250101", entry.model)));
        }
    }

    #[test]
    fn cost_is_exact_and_an_unknown_price_is_said() {
        let used: ByModel = BTreeMap::from([
            ("m-1".to_owned(), Tokens { input: 1_000, output: 100, cache_read: 10_000, cache_write: 0 }),
            ("strange".to_owned(), Tokens { input: 1, ..Tokens::default() }),
        ]);
        let cost = Cost::of(&used, &BTreeMap::new(), &prices());
        // 1000 × 3 + 100 × 15 + 10000 × 0.3 millionths.
        assert_eq!((cost.known, cost.unknown.as_slice()), (MicroUsd(7_500), ["strange".to_owned()].as_slice()));
        assert_eq!(cost.words(), "$0.0075 + unknown price");
        let said = BTreeMap::from([("strange".to_owned(), MicroUsd(12_345)), ("m-1".to_owned(), MicroUsd(1))]);
        assert_eq!(Cost::of(&used, &said, &prices()).words(), "$0.01");
        let unused = BTreeMap::from([("strange".to_owned(), Tokens::default())]);
        assert_eq!(Cost::of(&unused, &BTreeMap::new(), &prices()).words(), "$0.00", "nothing was used");
        let only = BTreeMap::from([("strange".to_owned(), Tokens { output: 1, ..Tokens::default() })]);
        assert_eq!(Cost::of(&only, &BTreeMap::new(), &prices()).words(), "unknown price");
    }

    #[test]
    fn money_is_written_in_cents_and_what_is_less_in_more_places() {
        for (micro, words) in
            [(0, "$0.00"), (40, "$0.0000"), (149, "$0.0001"), (9_999, "$0.0100"), (1_234_567, "$1.23")]
        {
            assert_eq!(MicroUsd(micro).words(), words);
        }
    }
}
