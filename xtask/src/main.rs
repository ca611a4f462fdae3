//! Developer tasks: `tidy` checks the walls of the house, `codegen` writes generated files.
//!
//! It holds no rule and no generator itself: those are in the library, where tests reach them.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use xtask::{codegen, tidy};

const USAGE: &str = "usage: cargo run -p xtask -- <task>

tasks:
  tidy              check the tree; exit 1 if a rule is broken
  tidy --list       print the rules
  codegen           write every generated file
  codegen --check   say which generated files are stale; exit 1 if any is";

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["tidy"] => tidy_tree(),
        ["tidy", "--list"] => {
            for rule in tidy::RULES {
                println!("{:<20} {}", rule.id, rule.about);
            }
            Ok(ExitCode::SUCCESS)
        }
        ["codegen"] => write_generated(),
        ["codegen", "--check"] => check_generated(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("{USAGE}"),
    }
}

fn tidy_tree() -> Result<ExitCode> {
    let report = tidy::run(&root()?, codegen::all())?;
    for finding in &report.findings {
        println!("{finding}");
    }
    println!(
        "tidy: {} rules, {} files, {} errors, {} warnings",
        tidy::RULES.len(),
        report.files,
        report.errors().count(),
        report.findings.len() - report.errors().count()
    );
    Ok(if report.errors().next().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write_generated() -> Result<ExitCode> {
    let root = root()?;
    for generated in codegen::all() {
        let verb = if generated.write(&root)? { "wrote" } else { "fresh" };
        println!("{verb} {}", generated.label());
    }
    Ok(ExitCode::SUCCESS)
}

fn check_generated() -> Result<ExitCode> {
    let root = root()?;
    let mut stale = 0;
    for generated in codegen::all() {
        if let Err(why) = generated.check(&root) {
            println!("{}: {why:#}", generated.label());
            stale += 1;
        }
    }
    println!("codegen: {} generated, {stale} stale", codegen::all().len());
    Ok(if stale == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn root() -> Result<std::path::PathBuf> {
    let here = std::env::current_dir().context("failed to find the current directory")?;
    xtask::workspace_root(&here)
}
