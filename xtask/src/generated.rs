//! What a generated file is: a path, perhaps a section of it, and the function that writes its text.
//!
//! It does not know which files there are; that list is `codegen.rs`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

/// One file, or one section of a file, whose text comes from code.
pub struct Generated {
    /// Path from the root of the repository.
    pub path: &'static str,
    /// `None`: the whole file. `Some(name)`: the lines between the two marker comments of that name.
    pub section: Option<&'static str>,
    /// Returns the text; it gets the root of the repository.
    pub render: fn(&Path) -> Result<String>,
}

impl Generated {
    /// Names the file, and the section if there is one, for people.
    #[must_use]
    pub fn label(&self) -> String {
        match self.section {
            Some(section) => format!("{} ({section})", self.path),
            None => self.path.to_owned(),
        }
    }

    /// Checks that what is on disk is what the code says.
    ///
    /// # Errors
    /// When the file is stale or missing, or the generator fails; the message says how to mend it.
    pub fn check(&self, root: &Path) -> Result<()> {
        let (old, new) = self.old_and_new(root)?;
        ensure!(old == new, "stale; run `cargo run -p xtask -- codegen` and commit the result");
        Ok(())
    }

    /// Writes the file if it is stale; says whether it was.
    ///
    /// # Errors
    /// When the generator fails or the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<bool> {
        let (old, new) = self.old_and_new(root)?;
        if old == new {
            return Ok(false);
        }
        let path = root.join(self.path);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).with_context(|| format!("failed to create {}", dir.display()))?;
        }
        fs::write(&path, new).with_context(|| format!("failed to write {}", path.display()))?;
        Ok(true)
    }

    fn old_and_new(&self, root: &Path) -> Result<(String, String)> {
        let text = (self.render)(root).with_context(|| format!("failed to generate {}", self.label()))?;
        let path = root.join(self.path);
        let Some(section) = self.section else {
            let old = if path.exists() {
                fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?
            } else {
                String::new()
            };
            return Ok((old, text));
        };
        let old = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let new = replace_section(&old, section, &text)?;
        Ok((old, new))
    }
}

/// Returns `page` with the lines between the markers of `section` replaced by `text`.
fn replace_section(page: &str, section: &str, text: &str) -> Result<String> {
    let open = format!("<!-- generated: {section} -->\n");
    let close = format!("<!-- end of generated: {section} -->");
    let start = page.find(&open).ok_or_else(|| anyhow!("no line `{}`", open.trim_end()))? + open.len();
    let end = start + page[start..].find(&close).ok_or_else(|| anyhow!("no line `{close}`"))?;
    Ok(format!("{}{}\n{}", &page[..start], text.trim_end(), &page[end..]))
}
