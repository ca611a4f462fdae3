//! Versions of agents: compared by their numbers, and ranges of them for rules.

use std::cmp::Ordering;

/// Compares two versions number by number; what follows the first part that is no number does not count.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (numbers(a), numbers(b));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => match a.unwrap_or(0).cmp(&b.unwrap_or(0)) {
                Ordering::Equal => {}
                order @ (Ordering::Less | Ordering::Greater) => return order,
            },
        }
    }
}

fn numbers(version: &str) -> impl Iterator<Item = u64> + '_ {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok())
}

/// A range of versions: all of `>=`, `>`, `<=`, `<`, `=` with a version, separated by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range(Vec<(Sign, String)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    AtLeast,
    Above,
    AtMost,
    Below,
    Exactly,
}

impl Range {
    /// Reads a range; none for what is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const SIGNS: [(&str, Sign); 5] =
            [(">=", Sign::AtLeast), ("<=", Sign::AtMost), (">", Sign::Above), ("<", Sign::Below), ("=", Sign::Exactly)];
        let part = |part: &str| {
            let part = part.trim();
            let (sign, rest) = SIGNS.iter().find_map(|(text, sign)| Some((*sign, part.strip_prefix(text)?)))?;
            let version = rest.trim();
            numbers(version).next()?;
            Some((sign, version.to_owned()))
        };
        text.split(',').map(part).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether a version is in it.
    #[must_use]
    pub fn holds(&self, version: &str) -> bool {
        self.0.iter().all(|(sign, limit)| {
            let order = compare(version, limit);
            match sign {
                Sign::AtLeast => order.is_ge(),
                Sign::Above => order.is_gt(),
                Sign::AtMost => order.is_le(),
                Sign::Below => order.is_lt(),
                Sign::Exactly => order.is_eq(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(compare("2.10.0", "2.9.9"), Ordering::Greater);
        assert_eq!(compare("1.2", "1.2.0"), Ordering::Equal);
        assert_eq!(compare("0.0.1790142911-g4bf", "0.0.2"), Ordering::Greater);
    }

    #[test]
    fn a_range_holds_what_lies_in_it() {
        let range = Range::parse(">=2.1, <3").unwrap();
        assert!(range.holds("2.1.197") && range.holds("2.99") && !range.holds("3.0.0") && !range.holds("2.0.9"));
        assert!(Range::parse("=1.0").unwrap().holds("1.0.0"));
        assert_eq!(Range::parse("2.1"), None);
        assert_eq!(Range::parse(">= new"), None);
        assert_eq!(Range::parse(""), None);
    }
}
