//! What a rule found: where, how bad, and in which words.

use std::fmt;

/// Whether a finding stops the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The gate is red.
    Error,
    /// Worth a look; the gate stays green.
    Warning,
}

/// One place that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Path from the root of the tree.
    pub path: String,
    /// Line, from 1; 0 means the whole file.
    pub line: usize,
    /// The rule's name.
    pub rule: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, "{level}[{}] {}", self.rule, self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything one run found.
#[derive(Debug, Default)]
pub struct Report {
    /// All findings, errors first.
    pub findings: Vec<Finding>,
    /// How many files were looked at.
    pub files: usize,
}

impl Report {
    /// Adds an error.
    pub fn error(&mut self, rule: &'static str, path: &str, line: usize, message: impl Into<String>) {
        self.findings.push(Finding { level: Level::Error, path: path.to_owned(), line, rule, message: message.into() });
    }

    /// Adds a warning.
    pub fn warning(&mut self, rule: &'static str, path: &str, line: usize, message: impl Into<String>) {
        self.findings.push(Finding {
            level: Level::Warning,
            path: path.to_owned(),
            line,
            rule,
            message: message.into(),
        });
    }

    /// The findings that stop the gate.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.level == Level::Error)
    }
}
