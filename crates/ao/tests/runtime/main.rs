//! The runtime contract, kept by real runtimes with the real binary.

mod docker;
mod process;
mod tmux;

use ao_host::platform::{Keeper, control_groups};
use ao_plugins::exec::Environment;
use ao_plugins::runtime::docker::DockerRuntime;
use ao_plugins::runtime::process::ProcessRuntime;
use ao_plugins::runtime::tmux::TmuxRuntime;
use ao_slots::runtime::{Abilities, Runtime};

/// A row of the table in the design page and the ability it is about.
type Row = (&'static str, fn(&Abilities) -> bool);

const ROWS: [Row; 10] = [
    ("byte log", |a| a.byte_log),
    ("screen", |a| a.screen),
    ("exit code", |a| a.exit_code),
    ("tree", |a| a.tree),
    ("typing log", |a| a.typing_log),
    ("history", |a| a.history),
    ("views", |a| a.views),
    ("limits", |a| a.limits),
    ("usage", |a| a.usage),
    ("freeze", |a| a.freeze),
];

#[test]
fn the_table_of_abilities_says_what_is_declared() {
    let page = include_str!("../../../../docs/design/host.md");
    let declared = [
        ProcessRuntime::new("ao".into()).abilities(),
        TmuxRuntime::new("ao".into(), Environment::default()).abilities(),
        DockerRuntime::new("ao".into(), None).abilities(),
    ];
    let groups = control_groups();
    let kept = groups.keepers.iter().any(|(_, keeper)| !matches!(keeper, Keeper::Nobody { .. }));
    for (name, ability) in ROWS {
        let row =
            page.lines().find(|line| line.starts_with(&format!("| {name}:"))).unwrap_or_else(|| panic!("no {name}"));
        let cells: Vec<&str> = row.split('|').skip(2).map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let wanted = declared.iter().map(ability);
        for (cell, is) in cells.iter().zip(wanted) {
            let says = match *cell {
                "yes" => true,
                "no" => false,
                "groups" if name == "limits" => kept,
                "groups" => groups.writable,
                other => panic!("{other}"),
            };
            assert_eq!(says, is, "{row}");
        }
        assert_eq!(cells.len(), declared.len(), "{row}");
    }
}
