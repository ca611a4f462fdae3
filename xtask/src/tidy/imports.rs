//! The rule that the files of a crate import each other in one direction only.
//!
//! Edges are `use` declarations (re-exports too) and paths in expressions; test code and `mod` declarations are none.
//! What a crate root re-exports by name is its face: an import through it leads to the file behind it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;
use regex::Regex;

use super::finding::Report;
use super::mask::bracket_end;
use super::tree::{Rust, Tree, line_of, module_declarations};
use super::use_tree;

/// The modules of one crate: module path -> file.
type Modules = BTreeMap<Vec<String>, String>;

/// Names that a crate root re-exports -> their paths, as the root writes them.
type Face = BTreeMap<String, Vec<String>>;

/// Importing file -> imported file -> line of the first import.
type Edges = BTreeMap<String, BTreeMap<String, usize>>;

pub(super) fn import_circle(tree: &Tree, report: &mut Report) -> Result<()> {
    let inline_module = Regex::new(r"\bmod\s+\w+\s*\{")?;
    for root in tree.files.keys().filter(|path| is_crate_root(path)) {
        let modules = modules(tree, root);
        let edges = edges(tree, &modules, &inline_module);
        report_circles(&edges, report);
    }
    Ok(())
}

/// Whether the file is the root of a crate of ours: a library, a binary.
fn is_crate_root(path: &str) -> bool {
    let Some((_, inside)) = path.split_once("src/") else {
        return false;
    };
    let ours = path.starts_with("crates/") || path.starts_with("xtask/");
    ours && (matches!(inside, "lib.rs" | "main.rs")
        || inside.strip_prefix("bin/").is_some_and(|bin| bin.ends_with(".rs") && !bin.contains('/')))
}

/// Follows the `mod name;` declarations from the root, leaving out modules that exist only in tests.
fn modules(tree: &Tree, root: &str) -> Modules {
    let mut modules = Modules::new();
    let mut open = vec![(Vec::new(), root.to_owned())];
    while let Some((module, file)) = open.pop() {
        if let Some(rust) = rust(tree, &file) {
            for name in children(rust) {
                if let Some(child) = tree.module_file(&file, name) {
                    let mut path: Vec<String> = module.clone();
                    path.push(name.to_owned());
                    open.push((path, child));
                }
            }
        }
        modules.insert(module, file);
    }
    modules
}

fn rust<'tree>(tree: &'tree Tree, file: &str) -> Option<&'tree Rust> {
    tree.files.get(file)?.rust.as_ref()
}

fn children(rust: &Rust) -> Vec<&str> {
    module_declarations(&rust.code).filter(|(at, _)| !rust.is_test(*at)).map(|(_, name)| name).collect()
}

fn edges(tree: &Tree, modules: &Modules, inline_module: &Regex) -> Edges {
    let face = face(tree, modules);
    let mut edges = Edges::new();
    for (module, file) in modules {
        let Some(rust) = rust(tree, file) else {
            continue;
        };
        let inline: Vec<_> = inline_module
            .find_iter(&rust.code)
            .map(|hit| hit.start()..bracket_end(&rust.code, hit.end() - 1))
            .collect();
        let mut roots = vec!["crate", "super", "self"];
        roots.extend(children(rust));
        let named = use_tree::uses(&rust.code).chain(use_tree::inline_paths(&rust.code, &roots));
        for used in named.filter(|used| !rust.is_test(used.at)) {
            if module.is_empty() && used.public && used.name.is_some() {
                continue;
            }
            let depth = inline.iter().filter(|range| range.contains(&used.at)).count();
            let Some(target) = target(modules, &face, module, depth, &used.path) else {
                continue;
            };
            if target != file {
                let line = line_of(&rust.code, used.at);
                let imported = edges.entry(file.clone()).or_default();
                let first = imported.entry(target.clone()).or_insert(line);
                *first = line.min(*first);
            }
        }
    }
    edges
}

/// What the crate root re-exports by name.
fn face(tree: &Tree, modules: &Modules) -> Face {
    let root = modules.get(&Vec::new()).and_then(|file| rust(tree, file));
    let uses = root.into_iter().flat_map(|root| use_tree::uses(&root.code));
    uses.filter(|used| used.public).filter_map(|used| Some((used.name?, used.path))).collect()
}

/// The file that `path` leads to, seen from `depth` inline modules inside `module`.
fn target<'modules>(
    modules: &'modules Modules,
    face: &Face,
    module: &[String],
    depth: usize,
    path: &[String],
) -> Option<&'modules String> {
    let (at, rest) = resolve(modules, module, depth, path)?;
    let behind = || {
        let path = face.get(rest.first()?)?;
        let (at, _) = resolve(modules, &[], 0, path)?;
        modules.get(&at)
    };
    let face_is_named = at.is_empty() && !module.is_empty();
    face_is_named.then(behind).flatten().or_else(|| modules.get(&at))
}

/// Splits `path` into the deepest module that it names and what it names inside; `None` if that is not of this crate.
fn resolve<'path>(
    modules: &Modules,
    module: &[String],
    depth: usize,
    path: &'path [String],
) -> Option<(Vec<String>, &'path [String])> {
    let supers = path.iter().take_while(|segment| *segment == "super").count();
    let (mut at, mut rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "super" if supers < depth => return None,
        "super" => (module[..module.len().checked_sub(supers - depth)?].to_vec(), &path[supers..]),
        _ if depth > 0 => return None,
        "self" => (module.to_vec(), &path[1..]),
        first => {
            let child: Vec<String> = module.iter().cloned().chain([first.to_owned()]).collect();
            if !modules.contains_key(&child) {
                return None;
            }
            (module.to_vec(), path)
        }
    };
    while let [segment, inside @ ..] = rest {
        at.push(segment.clone());
        if !modules.contains_key(&at) {
            at.pop();
            break;
        }
        rest = inside;
    }
    Some((at, rest))
}

/// Reports the shortest circle of each knot of files once.
fn report_circles(edges: &Edges, report: &mut Report) {
    let mut done = BTreeSet::new();
    for start in edges.keys() {
        if done.contains(start) {
            continue;
        }
        let Some(circle) = shortest_circle(edges, start) else {
            continue;
        };
        let knot: BTreeSet<&String> =
            reachable(edges, start).into_iter().filter(|file| reachable(edges, file).contains(start)).collect();
        let steps: Vec<String> =
            circle.windows(2).map(|pair| format!("{}:{}", pair[0], edges[pair[0]][pair[1]])).collect();
        let line = edges[circle[0]][circle[1]];
        report.error(
            "import-circle",
            start,
            line,
            format!("import circle: {} -> {start} ({} files tied together)", steps.join(" -> "), knot.len()),
        );
        done.extend(knot.into_iter().cloned());
    }
}

/// The shortest way from `start` back to it: first and last element are `start`.
fn shortest_circle<'edges>(edges: &'edges Edges, start: &'edges String) -> Option<Vec<&'edges String>> {
    let mut came_from: BTreeMap<&String, &String> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for next in edges.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle = vec![start, file];
                while let Some(previous) = came_from.get(circle[circle.len() - 1]) {
                    circle.push(previous);
                }
                if circle.len() == 2 && file == start {
                    circle.pop();
                }
                if circle[circle.len() - 1] != start {
                    circle.push(start);
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, file);
                open.push_back(next);
            }
        }
    }
    None
}

fn reachable<'edges>(edges: &'edges Edges, start: &String) -> BTreeSet<&'edges String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&String> = edges.get(start).into_iter().flat_map(BTreeMap::keys).collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(edges.get(file).into_iter().flat_map(BTreeMap::keys));
        }
    }
    seen
}
