//! The fuzz targets of `fuzz/`, over the inputs that fuzzing has kept so far.

mod engine;
mod serialiser;
mod wire;

use std::path::PathBuf;

use super::{compare, grammar};

/// Gives every kept input of a target to it, and says which one failed.
fn replay(target: &str, holds: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is in the repository") {
        let path = entry.expect("a name").path();
        let bytes = std::fs::read(&path).expect("an input");
        if let Err(panic) = std::panic::catch_unwind(|| holds(&bytes)) {
            eprintln!("{} fails", path.display());
            std::panic::resume_unwind(panic);
        }
        count += 1;
    }
    assert!(count > 50, "{count} inputs in {}", folder.display());
}

#[test]
fn the_wire_holds_over_what_fuzzing_found() {
    replay("wire", wire::holds);
}

#[test]
fn the_engine_holds_over_what_fuzzing_found() {
    replay("engine", engine::holds);
}

#[test]
fn the_serialiser_holds_over_what_fuzzing_found() {
    replay("serialiser", serialiser::holds);
}
