//! Reads the `use` declarations and the `crate::…` paths out of masked Rust code.
//!
//! It yields names as written; what they resolve to is for `imports.rs`.

use super::mask::words;

/// One path that code names.
#[derive(Debug, PartialEq, Eq)]
pub struct Use {
    /// Byte position of the declaration.
    pub at: usize,
    /// Segments as written; a glob or `self` at the end is dropped.
    pub path: Vec<String>,
}

/// Every path of every `use` declaration.
pub fn uses(code: &str) -> impl Iterator<Item = Use> {
    code.match_indices("use")
        .filter_map(|(at, _)| declaration(code, at))
        .flat_map(|(at, body)| {
            let mut paths = Vec::new();
            expand(&tokens(body), &mut 0, &[], &mut paths);
            paths.into_iter().map(move |path| Use { at, path })
        })
}

/// Every path outside `use` declarations that starts with one of `roots` (`crate`, `super`, `self`, a child module).
pub fn inline_paths<'code>(
    code: &'code str,
    roots: &'code [&str],
) -> impl Iterator<Item = Use> + 'code {
    code.match_indices("::").filter_map(move |(at, _)| {
        let before = &code[..at];
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |end| end + 1);
        let root = &before[start..];
        let previous = before[..start].chars().next_back();
        if !roots.contains(&root) || matches!(previous, Some(':' | '$' | '\'' | '#')) {
            return None;
        }
        let end = code[start..]
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .map_or(code.len(), |len| start + len);
        Some(Use {
            at: start,
            path: words(&code[start..end]).map(str::to_owned).collect(),
        })
    })
}

/// The body of the `use` declaration whose keyword is at `at`, if that is one.
fn declaration(code: &str, at: usize) -> Option<(usize, &str)> {
    let before = code[..at].trim_end();
    let starts =
        before.is_empty() || before.ends_with([';', '{', '}', ']', ')']) || before.ends_with("pub");
    let rest = &code[at + 3..];
    if !starts || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    Some((at, &rest[..rest.find(';')?]))
}

fn tokens(body: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = body.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '{' | '}' | ',' | '*' => 1,
            ':' => rest.chars().take_while(|&c| c == ':').count(),
            _ => rest
                .find(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ',' | '*' | ':'))
                .unwrap_or(rest.len()),
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    tokens
}

/// Expands one level of a use tree, up to its closing brace.
fn expand(tokens: &[&str], at: &mut usize, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = prefix.to_vec();
    let mut open = false;
    let mut finish = |path: &mut Vec<String>, open: &mut bool| {
        if *open {
            paths.push(std::mem::replace(path, prefix.to_vec()));
        }
        *path = prefix.to_vec();
        *open = false;
    };
    let mut nested = Vec::new();
    while let Some(&token) = tokens.get(*at) {
        *at += 1;
        match token {
            "," => finish(&mut path, &mut open),
            "}" => break,
            "{" => {
                expand(tokens, at, &path, &mut nested);
                open = false;
            }
            "::" => {}
            "*" => open = true,
            "as" => *at += 1,
            "self" if path.len() > prefix.len() || !prefix.is_empty() => open = true,
            name => {
                path.push(name.trim_start_matches("r#").to_owned());
                open = true;
            }
        }
    }
    finish(&mut path, &mut open);
    paths.append(&mut nested);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(code: &str) -> Vec<String> {
        let mut paths: Vec<String> = uses(code).map(|used| used.path.join("::")).collect();
        paths.sort();
        paths
    }

    #[test]
    fn nested_trees_are_expanded() {
        let code = "use crate::a::{self, b::{C, D as E}, *};\npub(crate) use super::f;\npub use self::g::H;\n";
        assert_eq!(
            paths(code),
            [
                "crate::a",
                "crate::a",
                "crate::a::b::C",
                "crate::a::b::D",
                "self::g::H",
                "super::f"
            ]
        );
    }

    #[test]
    fn a_group_at_the_root_is_expanded() {
        assert_eq!(
            paths("use {std::fs, crate::x::Y};"),
            ["crate::x::Y", "std::fs"]
        );
    }

    #[test]
    fn a_word_that_contains_use_is_no_declaration() {
        assert!(
            paths("fn reuse (x: u8) {} let because = 1; fn f() -> impl Fn() + use <> {}")
                .is_empty()
        );
    }

    #[test]
    fn paths_in_expressions_are_found_by_their_root() {
        let found: Vec<Use> = inline_paths(
            "let x = crate::a::b(); y::super_::z(); $crate::q(); child::run();",
            &["crate", "child"],
        )
        .collect();
        let found: Vec<String> = found.iter().map(|used| used.path.join("::")).collect();
        assert_eq!(found, ["crate::a::b", "child::run"]);
    }
}
