//! Standard output and error: JSON or text, colour only where a terminal shows it, and no panic when a reader leaves.

use clap::ValueEnum;
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write as _};

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On terminals, unless `NO_COLOR` or `CLICOLOR=0` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a word is set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Headings.
    Bold,
    /// What matters less.
    Dim,
    /// Needs somebody, or failed.
    Red,
    /// Well.
    Green,
    /// Waits.
    Yellow,
    /// Goes on.
    Blue,
}

/// What the verbs write to.
#[derive(Clone, Debug)]
pub struct Out {
    json: bool,
    colour: bool,
    colour_err: bool,
    terminal: bool,
    terminal_err: bool,
}

impl Out {
    /// For this process.
    #[must_use]
    pub fn new(json: bool, colour: Colour) -> Self {
        let (terminal, terminal_err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let wanted = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => by_environment(|name| std::env::var(name).ok()).unwrap_or(terminal),
        };
        Self { json, colour: !json && wanted(terminal), colour_err: wanted(terminal_err), terminal, terminal_err }
    }

    /// Output is JSON, for programs.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Standard output is a terminal.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Standard error is a terminal: progress may be redrawn there.
    #[must_use]
    pub const fn draws(&self) -> bool {
        self.terminal_err
    }

    /// Whether standard output has colour.
    #[must_use]
    pub const fn colours(&self) -> bool {
        self.colour
    }

    /// Whether standard error has colour.
    #[must_use]
    pub const fn colours_err(&self) -> bool {
        self.colour_err
    }

    /// Columns of the terminal at standard output; none when it is none, and lines are not cut then.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        let size = if self.terminal { rustix::termios::tcgetwinsize(io::stdout()).ok() } else { None };
        size.map(|s| usize::from(s.ws_col)).filter(|w| *w > 0)
    }

    /// Columns and rows of the terminal at standard error.
    #[must_use]
    pub fn size_err(&self) -> Option<(usize, usize)> {
        let size = if self.terminal_err { rustix::termios::tcgetwinsize(io::stderr()).ok() } else { None };
        size.map(|s| (usize::from(s.ws_col), usize::from(s.ws_row))).filter(|(w, h)| *w > 0 && *h > 0)
    }

    /// One line for people; nothing when output is JSON.
    pub fn line(&self, text: &str) {
        if !self.json {
            write_out(&format!("{text}\n"));
        }
    }

    /// Text as it is, without a line break after it.
    pub fn raw(&self, text: &str) {
        write_out(text);
    }

    /// A value for programs, on several lines.
    pub fn json<T: Serialize>(&self, value: &T) {
        if let Ok(text) = serde_json::to_string_pretty(value) {
            write_out(&format!("{text}\n"));
        }
    }

    /// A value for programs, on one line: streams are lines.
    pub fn json_line<T: Serialize>(&self, value: &T) {
        if let Ok(text) = serde_json::to_string(value) {
            write_out(&format!("{text}\n"));
        }
    }

    /// One line on standard error.
    pub fn note(&self, text: &str) {
        // Nobody reads it any more: nothing is left to be told.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Set off for standard output.
    #[must_use]
    pub fn paint(&self, style: Style, text: &str) -> String {
        paint(self.colour, style, text)
    }

    /// Set off for standard error.
    #[must_use]
    pub fn paint_err(&self, style: Style, text: &str) -> String {
        paint(self.colour_err, style, text)
    }
}

/// Sets `text` off, if there is colour.
#[must_use]
pub fn paint(colour: bool, style: Style, text: &str) -> String {
    if !colour || text.is_empty() {
        return text.to_owned();
    }
    let code = match style {
        Style::Bold => "1",
        Style::Dim => "2",
        Style::Red => "31",
        Style::Green => "32",
        Style::Yellow => "33",
        Style::Blue => "34",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// What the environment says about colour: <https://no-color.org>, <https://bixense.com/clicolors>.
fn by_environment(get: impl Fn(&str) -> Option<String>) -> Option<bool> {
    if get("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        return Some(false);
    }
    if get("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0") {
        return Some(true);
    }
    if get("CLICOLOR").is_some_and(|v| v == "0") || get("TERM").is_some_and(|v| v == "dumb") {
        return Some(false);
    }
    None
}

fn write_out(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        // The reader has left (`ao list | head -1`): there is nobody to go on for.
        std::process::exit(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_about_colour_in_the_known_order() {
        let says = |pairs: &[(&str, &str)]| {
            by_environment(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(says(&[]), None);
        assert_eq!(says(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), Some(false));
        assert_eq!(says(&[("NO_COLOR", "")]), None);
        assert_eq!(says(&[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")]), Some(true));
        assert_eq!(says(&[("CLICOLOR", "0")]), Some(false));
        assert_eq!(says(&[("CLICOLOR", "1")]), None);
    }
}
