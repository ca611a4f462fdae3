//! Prompts of every size at every bad moment, to agents with bad manners, while the daemon is killed: each arrives once.
//!
//! `cargo run -p bench --release delivery` sends a thousand; these are the same, fewer.

use ao_testkit::sends::{Trial, run};
use ao_testkit::tui;
use std::path::Path;

/// What runs in the sessions: this same test binary. Without the word that says where to note, it does nothing.
#[test]
fn play() {
    if let Some(notes) = std::env::var_os(tui::NOTES) {
        // The terminal ends when the session is stopped.
        let _ = tui::play(Path::new(&notes));
    }
}

#[test]
fn every_prompt_arrives_once_whenever_it_is_sent() {
    let this = std::env::current_exe().expect("this program").display().to_string();
    let agent = [this.as_str(), "--exact", "play", "--nocapture", "--test-threads=1"].map(str::to_owned).to_vec();
    let ao = Path::new(env!("CARGO_BIN_EXE_ao"));
    let report = run(&Trial { ao, agent, seed: 1, waves: 1, sessions: 4, each: 1 }).expect("a trial");
    assert_eq!(report.total().sent, 20);
    assert!(report.kills > 0, "nothing was killed");
    assert!(report.is_clean(), "{report:#?}");
}
