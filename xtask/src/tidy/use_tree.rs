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
    /// What the code calls it from here on: the last segment or the alias; `None` for a glob.
    pub name: Option<String>,
    /// Whether others may name it through this file (`pub use`, `pub(crate) use`).
    pub public: bool,
}

/// One leaf of a use tree.
struct Leaf {
    path: Vec<String>,
    name: Option<String>,
}

/// Every path of every `use` declaration.
pub fn uses(code: &str) -> impl Iterator<Item = Use> {
    code.match_indices("use").filter_map(|(at, _)| declaration(code, at)).flat_map(|(at, public, body)| {
        let mut leaves = Vec::new();
        expand(&tokens(body), &mut 0, &[], &mut leaves);
        leaves.into_iter().map(move |Leaf { path, name }| Use { at, path, name, public })
    })
}

/// Every path outside `use` declarations that starts with one of `roots` (`crate`, `super`, `self`, a child module).
pub fn inline_paths<'code>(code: &'code str, roots: &'code [&str]) -> impl Iterator<Item = Use> + 'code {
    let declared: Vec<_> = code
        .match_indices("use")
        .filter_map(|(at, _)| declaration(code, at))
        .map(|(at, _, body)| at..at + "use".len() + body.len())
        .collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices("::").filter_map(move |(at, _)| {
        let before = &code[..at];
        let start = before.len() - before.chars().rev().take_while(|&c| is_word(c)).map(char::len_utf8).sum::<usize>();
        let previous = before[..start].chars().next_back();
        if declared.iter().any(|range| range.contains(&at))
            || !roots.contains(&&before[start..])
            || matches!(previous, Some(':' | '$' | '\'' | '#'))
        {
            return None;
        }
        let rest = &code[start..];
        let end = rest.find(|c: char| !(is_word(c) || c == ':')).unwrap_or(rest.len());
        let path: Vec<String> = words(&rest[..end]).map(str::to_owned).collect();
        Some(Use { at: start, name: path.last().cloned(), path, public: false })
    })
}

/// Position, visibility and body of the `use` declaration whose keyword is at `at`, if that is one.
fn declaration(code: &str, at: usize) -> Option<(usize, bool, &str)> {
    let before = code[..at].trim_end();
    let restricted = || {
        let scope = before.rsplit_once("pub(").map(|(_, scope)| scope);
        scope.is_some_and(|scope| scope.find(')') == Some(scope.len() - 1))
    };
    let public = before.ends_with("pub") || (before.ends_with(')') && restricted());
    let starts = public || before.is_empty() || before.ends_with([';', '{', '}', ']']);
    let rest = &code[at + "use".len()..];
    if !starts || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    Some((at, public, &rest[..rest.find(';')?]))
}

fn tokens(body: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = body.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '{' | '}' | ',' | '*' => 1,
            ':' => rest.chars().take_while(|&c| c == ':').count(),
            _ => {
                rest.find(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ',' | '*' | ':')).unwrap_or(rest.len())
            }
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    tokens
}

/// Expands one level of a use tree, up to its closing brace.
fn expand(tokens: &[&str], at: &mut usize, prefix: &[String], leaves: &mut Vec<Leaf>) {
    let mut path = prefix.to_vec();
    let mut name = None;
    let mut is_leaf = false;
    while let Some(&token) = tokens.get(*at) {
        *at += 1;
        match token {
            "," | "}" => {
                let path = std::mem::replace(&mut path, prefix.to_vec());
                if std::mem::take(&mut is_leaf) {
                    leaves.push(Leaf { path, name: name.take() });
                }
                if token == "}" {
                    return;
                }
            }
            "{" => {
                expand(tokens, at, &path, leaves);
                is_leaf = false;
            }
            "::" => {}
            "*" => {
                name = None;
                is_leaf = true;
            }
            "as" => {
                name = tokens.get(*at).map(|&alias| alias.to_owned());
                *at += 1;
            }
            "self" if !path.is_empty() => {
                name = path.last().cloned();
                is_leaf = true;
            }
            segment => {
                path.push(segment.trim_start_matches("r#").to_owned());
                name = path.last().cloned();
                is_leaf = true;
            }
        }
    }
    if is_leaf {
        leaves.push(Leaf { path, name });
    }
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
        let expanded = ["crate::a", "crate::a", "crate::a::b::C", "crate::a::b::D", "self::g::H", "super::f"];
        assert_eq!(paths(code), expanded);
    }

    #[test]
    fn a_group_at_the_root_is_expanded() {
        assert_eq!(paths("use {std::fs, crate::x::Y};"), ["crate::x::Y", "std::fs"]);
    }

    #[test]
    fn visibility_and_aliases_are_seen() {
        let code = "pub use a::B;\npub(crate) use c::{D as E, *};\nuse f::G;\n";
        let seen: Vec<_> = uses(code).map(|used| (used.name, used.public)).collect();
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(seen, [(name("B"), true), (name("E"), true), (None, true), (name("G"), false)]);
    }

    #[test]
    fn a_word_that_contains_use_is_no_declaration() {
        let code = "fn reuse (x: u8) {} let because = 1; fn f() -> impl Fn() + use <> {}";
        assert!(paths(code).is_empty());
    }

    #[test]
    fn paths_in_expressions_are_found_by_their_root() {
        let code = "use crate::z; let x = crate::a::b(); y::super_::z(); $crate::q(); child::run();";
        let found = inline_paths(code, &["crate", "child"]);
        let found: Vec<String> = found.map(|used| used.path.join("::")).collect();
        assert_eq!(found, ["crate::a::b", "child::run"]);
    }
}
