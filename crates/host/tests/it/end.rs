//! How a program's end is told: code, signal, reason, last bytes.

use ao_host::discover::Standing;
use ao_host::record::{Ending, ExitRecord, Tree, read_json};
use ao_host::wire::{Reply, Request};

use crate::world::{launch, script, until};

#[test]
fn the_exit_code_is_reported_and_on_disk() {
    let world = script("echo last words; exit 7").start();
    let exit = world.exit();
    assert_eq!(exit.ending, Ending::Exited { code: 7 });
    assert_eq!(exit.screen[0], "last words");
    assert_eq!(exit.last_offset, "last words\r\n".len() as u64);
    let on_disk: ExitRecord = read_json(&world.dir.join("exit.json")).expect("exit.json");
    assert_eq!(on_disk.ending, exit.ending);
}

#[test]
fn death_by_a_signal_is_told_apart_from_an_exit_code() {
    let world = script("kill -9 $$").start();
    assert_eq!(world.exit().ending, Ending::Signaled { signal: 9 });
}

#[test]
fn the_host_leaves_with_its_socket_once_the_exit_is_acknowledged() {
    let world = script("exit 0").start();
    world.exit();
    let record = world.record();
    assert_eq!(record.is_running(), Some(true), "it serves until then");
    assert_eq!(world.client().request(&Request::AckExit).expect("answered"), Reply::Done);
    until(|| (record.is_running() == Some(false)).then_some(()));
    assert!(!world.spec.socket.exists());
    assert!(matches!(world.probe().standing, Standing::Dead { exit: Some(_) }));
}

#[test]
fn an_exit_cannot_be_acknowledged_before_it_happened() {
    let world = script("read line").start();
    assert!(world.client().request(&Request::AckExit).is_err());
}

#[test]
fn a_program_that_does_not_exist_is_reported_and_leaves_nothing() {
    for (argv, reason) in [
        (vec!["no-such-program-here"], "no-such-program-here not found"),
        (vec!["/etc/passwd"], "/etc/passwd: permission denied"),
    ] {
        let world = launch(&argv);
        world.spec.write(&world.dir).expect("launch.json");
        let said = world.run_host();
        assert_eq!(said.status.code(), Some(i32::from(ao_host::CODE_NOT_STARTED)));
        assert_eq!(String::from_utf8_lossy(&said.stdout), format!("not_started {reason}\n"));
        let exit: ExitRecord = read_json(&world.dir.join("exit.json")).expect("exit.json");
        assert_eq!(exit.ending, Ending::NotStarted { reason: reason.into() });
        assert!(!world.spec.socket.exists());
        assert!(matches!(world.probe().standing, Standing::Dead { exit: Some(_) }));
    }
}

#[test]
fn a_missing_working_directory_is_not_mistaken_for_a_missing_program() {
    let mut world = script("true");
    world.spec.cwd = "/nonexistent/place".into();
    world.spec.write(&world.dir).expect("launch.json");
    let said = world.run_host();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "not_started working directory /nonexistent/place not found\n");
}

#[test]
fn processes_that_outlive_the_program_are_reported() {
    let world =
        script("setsid sh -c 'echo $$ >left; exec sleep 600' & while ! [ -s left ]; do :; done; exit 0").start();
    let pid: u32 = world.file("left").parse().expect("a pid");
    let exit = world.exit();
    let Tree::Left { pids } = &exit.tree else { panic!("{:?}", exit.tree) };
    assert!(pids.contains(&pid), "{pids:?} has {pid}");
    assert_eq!(world.stop(0).tree, Tree::Empty);
    let exit: ExitRecord = read_json(&world.dir.join("exit.json")).expect("exit.json");
    assert_eq!(exit.tree, Tree::Empty, "the record is kept true");
}

#[test]
fn the_program_gets_a_terminal_of_its_own_with_default_signals_and_our_mask() {
    let world = script(
        "tty >/dev/null || exit 1; [ \"$(cut -d' ' -f6 /proc/$$/stat)\" = $$ ] || exit 2; [ \"$TERM\" = xterm-256color ] || exit 3
         [ \"$(umask)\" = 0022 ] || exit 4; grep -q 'SigIgn:.*[08]0000000$' /proc/self/status || exit 5
         grep -q 'SigBlk:.0000000000000000' /proc/self/status || exit 6; [ \"$(ls /proc/$$/fd | wc -l)\" -le 4 ] || exit 7; exit 0",
    )
    .start();
    assert_eq!(world.exit().ending, Ending::Exited { code: 0 });
}

#[test]
fn the_program_is_in_its_control_group_before_it_does_anything() {
    let world = script("grep -c ao-session. /proc/self/cgroup").start();
    // Where no group can be had the host says so in its record.
    let wanted = if world.record().cgroup.is_some() { "1" } else { "0" };
    assert_eq!(world.exit().screen[0], wanted);
}
