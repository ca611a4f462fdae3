//! The files of a tree as the rules see them: path, text, masked code, and which parts are tests.
//!
//! It reads everything once; build products and installed packages are left out.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::mask;
use crate::generated::Generated;

/// Directories that hold nothing of ours.
const SKIPPED_DIRS: [&str; 5] = [".git", "target", "node_modules", ".venv", "__pycache__"];

/// A file larger than this is data: no rule scans it (the largest source is far below).
const TEXT_LIMIT: u64 = 4 * 1024 * 1024;

/// Every file under a root.
pub struct Tree {
    /// The root directory.
    pub root: PathBuf,
    /// The files by path from the root, with `/` between components.
    pub files: BTreeMap<String, File>,
    /// What the code generates.
    pub generated: &'static [Generated],
}

/// One file.
pub struct File {
    /// Text, or `None` for binary or very large files.
    pub text: Option<String>,
    /// For Rust files: what a scan may look at.
    pub rust: Option<Rust>,
}

/// A Rust file, masked.
pub struct Rust {
    /// The text with comments and literals blanked, same length as the text.
    pub code: String,
    /// Ranges of `code` that exist only in tests; the whole file if it is a test.
    pub tests: Vec<Range<usize>>,
}

impl Tree {
    /// Reads the tree at `root`.
    ///
    /// # Errors
    /// When a directory or file cannot be read.
    pub fn load(root: &Path, generated: &'static [Generated]) -> Result<Self> {
        let mut files = BTreeMap::new();
        read_dir(root, "", &mut files)?;
        let mut tree = Self { root: root.to_path_buf(), files, generated };
        tree.mark_test_modules();
        Ok(tree)
    }

    /// The Rust files: path, text, code.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str, &Rust)> {
        self.files.iter().filter_map(|(path, file)| Some((path.as_str(), file.text.as_deref()?, file.rust.as_ref()?)))
    }

    /// The text of a file, if it exists and is text.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.text.as_deref()
    }

    /// Whether the whole file is generated.
    #[must_use]
    pub fn is_generated(&self, path: &str) -> bool {
        path.contains("/generated/") || self.generated.iter().any(|file| file.section.is_none() && file.path == path)
    }

    /// A file that is declared as `#[cfg(test)] mod name;` is a test as a whole.
    fn mark_test_modules(&mut self) {
        let mut marked = Vec::new();
        for (path, _, rust) in self.rust() {
            for (at, name) in module_declarations(&rust.code) {
                if rust.is_test(at)
                    && let Some(child) = self.module_file(path, name)
                {
                    marked.push(child);
                }
            }
        }
        for path in marked {
            if let Some(rust) = self.files.get_mut(&path).and_then(|file| file.rust.as_mut()) {
                rust.tests = std::iter::once(0..rust.code.len()).collect();
            }
        }
    }

    /// The file of the module `name` declared in the file `parent`.
    #[must_use]
    pub fn module_file(&self, parent: &str, name: &str) -> Option<String> {
        let (dir, file) = parent.rsplit_once('/').unwrap_or(("", parent));
        let is_root = matches!(file, "lib.rs" | "main.rs" | "mod.rs") || dir.ends_with("src/bin");
        let base = if is_root { dir.to_owned() } else { parent.trim_end_matches(".rs").to_owned() };
        [format!("{base}/{name}.rs"), format!("{base}/{name}/mod.rs")]
            .into_iter()
            .find(|path| self.files.contains_key(path))
    }
}

impl Rust {
    /// Whether the position is in code that exists only in tests.
    #[must_use]
    pub fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }
}

/// Whether the path is one of a test, a fixture, or vendored: those follow other rules.
#[must_use]
pub fn is_apart(path: &str) -> bool {
    is_test_path(path) || is_foreign(path)
}

/// Whether the whole file is a test by its place.
#[must_use]
pub fn is_test_path(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.contains("/benches/")
}

/// Whether the file is data or somebody else's: vendored, or a fixture.
#[must_use]
pub fn is_foreign(path: &str) -> bool {
    path.contains("/vendor/")
        || path.contains("/fixtures/")
        || path.starts_with("fixtures/")
        || path.starts_with("corpus/")
}

/// The `mod name;` declarations in masked code: position and name.
pub fn module_declarations(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.match_indices("mod ").filter_map(move |(at, _)| {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let rest = code[at + 4..].trim_start();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
        (end > 0 && rest[end..].trim_start().starts_with(';')).then(|| (at, &rest[..end]))
    })
}

/// The line, from 1, of a byte position.
#[must_use]
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1
}

fn read_dir(root: &Path, dir: &str, files: &mut BTreeMap<String, File>) -> Result<()> {
    let here = root.join(dir);
    let entries = fs::read_dir(&here).with_context(|| format!("failed to list {}", here.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("failed to list {}", here.display()))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
        // A file may vanish between listing and reading (an editor's swap file): it is then not part of the tree.
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            if !SKIPPED_DIRS.contains(&name.as_str()) {
                read_dir(root, &path, files)?;
            }
        } else if kind.is_file()
            && let Some(file) = read_file(&entry.path(), &path)
        {
            files.insert(path, file);
        }
    }
    Ok(())
}

fn read_file(full: &Path, path: &str) -> Option<File> {
    let size = fs::metadata(full).ok()?.len();
    let text = if size <= TEXT_LIMIT { String::from_utf8(fs::read(full).ok()?).ok() } else { None };
    let rust = match &text {
        Some(text) if path.ends_with(".rs") && !is_foreign(path) => {
            let code = mask::mask(text);
            let whole = 0..code.len();
            let tests = if is_test_path(path) { vec![whole] } else { mask::test_ranges(&code) };
            Some(Rust { code, tests })
        }
        _ => None,
    };
    Some(File { text, rust })
}
