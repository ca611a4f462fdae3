//! Writes what was measured into `docs/benchmarks.md`: the part of the benchmark between its marks, and nothing else.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::benchmark::Benchmark;
use crate::machine::Machine;

/// Replaces a benchmark's part of the page.
pub fn write(root: &Path, benchmark: &Benchmark, machine: &Machine, table: &str) -> Result<()> {
    let path = root.join("docs/benchmarks.md");
    let page = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let part = format!("`{}`; {}.\n\n{table}", command(benchmark), machine.line());
    let page = replaced(&page, benchmark.name, &part).with_context(|| path.display().to_string())?;
    Ok(fs::write(&path, page)?)
}

/// What somebody types to get these figures.
fn command(benchmark: &Benchmark) -> String {
    if benchmark.by_default {
        format!("cargo run -p bench --release {}", benchmark.name)
    } else {
        format!("cargo run -p bench --release -- --{}", benchmark.name)
    }
}

fn replaced(page: &str, name: &str, part: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- figures: {name} -->\n"), format!("<!-- end of figures: {name} -->\n"));
    let (before, rest) = page.split_once(&begin).with_context(|| format!("there is no {}", begin.trim()))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("there is no {}", end.trim()))?;
    Ok(format!("{before}{begin}{part}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_between_the_marks_is_replaced() {
        let page = "a\n<!-- figures: new -->\nold\n<!-- end of figures: new -->\nb\n";
        let wanted = "a\n<!-- figures: new -->\n1\n<!-- end of figures: new -->\nb\n";
        assert_eq!(replaced(page, "new", "1\n").unwrap(), wanted);
        assert!(replaced(page, "list", "1\n").is_err());
    }

    #[test]
    fn every_benchmark_has_its_place_on_the_page() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md");
        let page = fs::read_to_string(path).unwrap();
        for benchmark in crate::measure::ALL {
            replaced(&page, benchmark.name, "").unwrap();
        }
    }
}
