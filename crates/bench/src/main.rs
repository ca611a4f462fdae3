//! Figures against peers and floors of the same run.

fn main() {}
