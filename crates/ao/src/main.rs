//! The `ao` binary: dispatches hidden subcommands first, then the CLI.

fn main() {}
