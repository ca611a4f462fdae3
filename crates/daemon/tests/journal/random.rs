//! Any order of steps, ended by any crash, several times over.

use ao_daemon::journal::Durability;
use proptest::prelude::*;

use crate::model::data_dir;
use crate::sim::{Loss, Plan, SimDisk};
use crate::stops::{Step, Told, check_what_is_left, run};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        3 => (1..9_u64).prop_map(|count| Step::Commit(count, Durability::Written)),
        3 => (1..9_u64).prop_map(|count| Step::Commit(count, Durability::Synced)),
        1 => Just(Step::Sync),
        2 => Just(Step::Snapshot),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(one, 1..14)
}

fn loss() -> impl Strategy<Value = Loss> {
    prop_oneof![Just(Loss::Process), any::<u64>().prop_map(Loss::Power)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_lives_and_crashes_the_journal_holds_what_was_promised(
        lives in prop::collection::vec((steps(), 0..40_u64, loss(), any::<bool>()), 1..4),
    ) {
        let dir = data_dir();
        let mut disk = SimDisk::new(Plan::Works);
        let mut told = Told::default();
        for (n, (steps, stop, loss, short)) in lives.iter().enumerate() {
            let life = disk.planned(Plan::StopsAt(*stop));
            let life = if *short { life.with_short_writes() } else { life };
            run(&life, dir.path(), steps, &mut told);
            // What a power loss took is not promised any more, and may be tried again.
            disk = life.after(*loss);
            if let Loss::Power(_) = loss {
                told.committed = told.synced;
            }
            check_what_is_left(&disk, dir.path(), Loss::Process, told, &format!("life {n}"));
        }
    }
}
