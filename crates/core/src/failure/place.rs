//! Tells places in the repository from places outside, and test code from the code under test.
//! It looks at paths, names and, when they are at hand, sources; it opens no file.

/// The path as the repository knows it; `None` for what lies outside: toolchains, installed packages, generated names.
pub(super) fn in_repository(path: &str, root: Option<&str>) -> Option<String> {
    let path = path.trim();
    let relative = match root.and_then(|root| path.strip_prefix(root)).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => rest,
        None => path.strip_prefix("./").unwrap_or(path),
    };
    let outside = relative.is_empty()
        || relative.starts_with(['/', '<'])
        || relative.starts_with("../")
        || relative.get(1..3).is_some_and(|drive| drive == ":\\" || drive == ":/")
        || relative.split('/').any(|part| matches!(part, "site-packages" | "dist-packages" | ".cargo" | ".rustup"));
    (!outside).then(|| relative.to_owned())
}

/// Whether a path is one where Rust or Python keep tests, by their conventions.
pub(super) fn is_test_path(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or(path);
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    let by_name = match extension {
        "py" => stem == "conftest" || stem.starts_with("test_") || stem.ends_with("_test") || stem == "tests",
        _ => matches!(stem, "test" | "tests") || stem.ends_with("_test") || stem.ends_with("_tests"),
    };
    by_name || parts.any(|dir| matches!(dir, "tests" | "test" | "testing" | "benches" | "examples"))
}

/// Whether a line of a Rust source lies in an item behind `#[cfg(test)]` or under `#[test]`. It goes by indentation, as
/// formatted code has it: an item ends with the first closing line at the depth of its attribute.
pub(super) fn is_rust_test_line(source: &str, line: u32) -> bool {
    let mut item: Option<usize> = None;
    for (number, text) in (1u32..).zip(source.lines()) {
        let depth = text.len() - text.trim_start().len();
        let trimmed = text.trim();
        if item.is_none() && starts_test_item(trimmed) {
            item = Some(depth);
        }
        if number == line {
            return item.is_some();
        }
        let closes = trimmed.starts_with('}') || (trimmed.ends_with(';') && !trimmed.starts_with("#["));
        if item.is_some_and(|start| depth <= start && closes)
            || (item.is_some() && is_one_line_item(trimmed, depth, item))
        {
            item = None;
        }
    }
    false
}

fn starts_test_item(trimmed: &str) -> bool {
    let Some(attribute) = trimmed.strip_prefix("#[") else { return false };
    attribute.starts_with("cfg(test)")
        || attribute.starts_with("cfg(all(test")
        || attribute.starts_with("cfg(any(test")
        || attribute.split([']', '(']).next().is_some_and(|name| name == "test" || name.ends_with("::test"))
}

/// `fn a() {}` on the line of its head.
fn is_one_line_item(trimmed: &str, depth: usize, item: Option<usize>) -> bool {
    item == Some(depth) && trimmed.ends_with('}') && trimmed.contains('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_outside_of_the_repository_are_no_place() {
        assert_eq!(in_repository("./src/lib.rs", None).as_deref(), Some("src/lib.rs"));
        assert_eq!(in_repository("/repo/a.py", Some("/repo")).as_deref(), Some("a.py"));
        for outside in
            ["/repository/a.py", "../venv/x.py", "<frozen os>", "/rustc/1/library/core/src/option.rs", "C:\\x.py", ""]
        {
            assert_eq!(in_repository(outside, Some("/repo")), None, "{outside}");
        }
        assert_eq!(in_repository(".venv/lib/python3/site-packages/six.py", None), None);
    }

    #[test]
    fn test_code_is_known_by_its_path() {
        for path in [
            "tests/it.rs",
            "a/tests/support/mod.rs",
            "src/parser/tests.rs",
            "test_a.py",
            "pkg/conftest.py",
            "a_test.py",
        ] {
            assert!(is_test_path(path), "{path}");
        }
        for path in ["src/lib.rs", "src/attest.rs", "src/test_runner.rs", "pkg/testimony.py", "latest/x.py"] {
            assert!(!is_test_path(path), "{path}");
        }
    }

    #[test]
    fn a_source_tells_test_lines_from_others() {
        let source = "fn a() {\n    b();\n}\n\n#[cfg(test)]\nuse x;\n\n#[test]\nfn top() {\n    a();\n}\n\nfn c() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {\n        a();\n    }\n    fn check() {}\n}\n\nfn after() {}\n";
        let test_lines: Vec<u32> = (1..=25).filter(|line| is_rust_test_line(source, *line)).collect();
        assert_eq!(test_lines, [5, 6, 8, 9, 10, 11, 15, 16, 17, 18, 19, 20, 21, 22]);
    }
}
