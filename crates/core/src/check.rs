//! Makes a check tell everything: runners that stop at the first red suite would hide failures from a `fix` run.

/// The command with `--no-fail-fast` where `cargo test` or `cargo nextest run` lacks it. Commands that a shell would take
/// apart (pipes, `&&`, variables) are left as they are.
#[must_use]
pub fn complete(command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let plain = !command.contains(['|', '&', ';', '$', '`', '(', '<', '>', '\n', '"', '\'']);
    let cargo = words.iter().position(|w| *w == "cargo");
    let Some(cargo) = cargo.filter(|_| plain && !words.contains(&"--no-fail-fast")) else { return command.to_owned() };
    let verb = words.iter().skip(cargo + 1).find(|w| !w.starts_with(['+', '-'])).copied();
    if !matches!(verb, Some("test" | "t" | "nextest")) {
        return command.to_owned();
    }
    match command.split_once(" -- ") {
        Some((own, harness)) => format!("{} --no-fail-fast -- {harness}", own.trim_end()),
        None => format!("{} --no-fail-fast", command.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn cargo_runs_every_suite_and_other_commands_stay_as_they_are() {
        for (given, want) in [
            ("cargo test --workspace", "cargo test --workspace --no-fail-fast"),
            ("cargo test -p a -- --nocapture", "cargo test -p a --no-fail-fast -- --nocapture"),
            ("cargo +stable nextest run", "cargo +stable nextest run --no-fail-fast"),
            ("cargo test --no-fail-fast", "cargo test --no-fail-fast"),
            ("cargo build && cargo test", "cargo build && cargo test"),
            ("cargo clippy", "cargo clippy"),
            ("python -m pytest", "python -m pytest"),
            ("CARGO_TERM_COLOR=never cargo test", "CARGO_TERM_COLOR=never cargo test --no-fail-fast"),
        ] {
            assert_eq!(complete(given), want);
        }
    }
}
