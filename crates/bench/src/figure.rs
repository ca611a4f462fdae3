//! One measured number: with its unit, its floor, its bar, and how all of them look in a table.
//!
//! It measures nothing.

use std::fmt::{Display, Formatter, Result as Written};
use std::time::Duration;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Microseconds,
    Seconds,
    Kilobytes,
    Megabytes,
    MegabytesPerSecond,
    MillisecondsPerMegabyte,
    Percent,
    PerSecond,
    Count,
}

/// A number with its unit.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    pub number: f64,
    pub unit: Unit,
}

impl Quantity {
    pub const fn new(number: f64, unit: Unit) -> Self {
        Self { number, unit }
    }

    pub fn milliseconds(time: Duration) -> Self {
        Self::new(time.as_secs_f64() * 1000.0, Unit::Milliseconds)
    }

    pub fn seconds(time: Duration) -> Self {
        Self::new(time.as_secs_f64(), Unit::Seconds)
    }

    /// From kilobytes as the kernel counts them (1,024 bytes).
    pub fn megabytes(kilobytes: f64) -> Self {
        Self::new(kilobytes / 1024.0, Unit::Megabytes)
    }

    pub const fn kilobytes(kilobytes: f64) -> Self {
        Self::new(kilobytes, Unit::Kilobytes)
    }
}

impl Display for Quantity {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        let number = self.number;
        let name = match self.unit {
            Unit::Milliseconds => "ms",
            Unit::Microseconds => "µs",
            Unit::Seconds => "s",
            Unit::Kilobytes => "kB",
            Unit::Megabytes => "MB",
            Unit::MegabytesPerSecond => "MB/s",
            Unit::MillisecondsPerMegabyte => "ms/MB",
            Unit::Percent => "%",
            Unit::PerSecond => "/s",
            Unit::Count => return write!(f, "{}", short(number)),
        };
        write!(f, "{} {name}", short(number))
    }
}

/// Three digits that count, or all of them before the point.
fn short(number: f64) -> String {
    let digits = if number == 0.0 || number >= 100.0 || number.fract() == 0.0 && number >= 10.0 {
        0
    } else if number >= 10.0 {
        1
    } else {
        2
    };
    format!("{number:.digits$}")
}

/// What a figure must not be over.
#[derive(Clone, Copy, Debug)]
pub enum Bar {
    /// As much of the figure's unit.
    AtMost(f64),
    /// Less than so much.
    Below(f64),
    /// At most so many times the floor.
    Times(f64),
    /// At least so many times what another one reached.
    AtLeastTimes(f64),
}

/// What a benchmark gives.
pub type Figures = Vec<Figure>;

/// One line of a table.
#[derive(Clone, Debug)]
pub struct Figure {
    what: String,
    value: Quantity,
    floor: Option<Quantity>,
    bar: Option<Bar>,
}

impl Figure {
    pub fn new(what: impl Into<String>, value: Quantity) -> Self {
        Self { what: what.into(), value, floor: None, bar: None }
    }

    /// Beside what the machine itself needed in the same run.
    #[must_use]
    pub fn floor(mut self, floor: Quantity) -> Self {
        self.floor = Some(floor);
        self
    }

    #[must_use]
    pub fn bar(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }

    fn ratio(&self) -> Option<f64> {
        self.floor.filter(|floor| floor.number > 0.0).map(|floor| self.value.number / floor.number)
    }

    /// Whether it has a bar and is not within it.
    pub fn is_over(&self) -> bool {
        match self.bar {
            None => false,
            Some(Bar::AtMost(most)) => self.value.number > most,
            Some(Bar::Below(limit)) => self.value.number >= limit,
            Some(Bar::Times(most)) => self.ratio().is_none_or(|ratio| ratio > most),
            Some(Bar::AtLeastTimes(least)) => self.ratio().is_none_or(|ratio| ratio < least),
        }
    }
}

/// Figures as a table of Markdown.
pub fn table(figures: &[Figure]) -> String {
    let mut out = String::from("| figure | measured | floor or other | × | bar | |\n|---|---|---|---|---|---|\n");
    for figure in figures {
        let floor = figure.floor.map(|floor| floor.to_string()).unwrap_or_default();
        let ratio = figure.ratio().map(short).unwrap_or_default();
        let bar = match figure.bar {
            None => String::new(),
            Some(Bar::AtMost(most)) => format!("≤ {}", Quantity::new(most, figure.value.unit)),
            Some(Bar::Below(limit)) => format!("< {}", Quantity::new(limit, figure.value.unit)),
            Some(Bar::Times(most)) => format!("≤ {} ×", short(most)),
            Some(Bar::AtLeastTimes(least)) => format!("≥ {} ×", short(least)),
        };
        let verdict = match (figure.bar, figure.is_over()) {
            (None, _) => "",
            (Some(_), false) => "met",
            (Some(_), true) => "**over**",
        };
        out.push_str(&format!("| {} | {} | {floor} | {ratio} | {bar} | {verdict} |\n", figure.what, figure.value));
    }
    out
}

/// The middle one; of an even number the lower of the two.
pub fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// As [`median`], of something that was measured at least once.
pub fn middle<T: Copy + PartialOrd + Default>(values: &[T]) -> T {
    median(values).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_at_its_bar_is_within_and_one_beyond_is_over() {
        let figure = |number, bar| Figure::new("x", Quantity::new(number, Unit::Count)).bar(bar);
        assert!(!figure(2.0, Bar::AtMost(2.0)).is_over());
        assert!(figure(2.1, Bar::AtMost(2.0)).is_over());
        assert!(figure(2.0, Bar::Below(2.0)).is_over());
        let floor = Quantity::new(2.0, Unit::Count);
        assert!(!figure(3.0, Bar::Times(1.5)).floor(floor).is_over());
        assert!(figure(3.1, Bar::Times(1.5)).floor(floor).is_over());
        assert!(!figure(6.0, Bar::AtLeastTimes(3.0)).floor(floor).is_over());
        assert!(figure(5.9, Bar::AtLeastTimes(3.0)).floor(floor).is_over());
    }

    #[test]
    fn a_bar_without_a_floor_counts_as_missed() {
        assert!(Figure::new("x", Quantity::new(1.0, Unit::Count)).bar(Bar::Times(1.5)).is_over());
    }

    #[test]
    fn the_median_is_the_middle_of_what_was_measured() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4, 1, 3, 2]), Some(2));
        assert_eq!(median::<u8>(&[]), None);
    }

    #[test]
    fn a_table_shows_ratio_and_verdict() {
        let figure = Figure::new("wall", Quantity::new(30.0, Unit::Milliseconds))
            .floor(Quantity::new(10.0, Unit::Milliseconds))
            .bar(Bar::Times(1.5));
        assert!(table(&[figure]).ends_with("| wall | 30 ms | 10 ms | 3.00 | ≤ 1.50 × | **over** |\n"));
    }
}
