//! What viewers see: the screen, then every byte, each at its own pace.

use std::io::Read;

use ao_host::engine::terminal::Terminal;
use ao_host::engine::{Engine, Size};
use ao_host::wire::{Access, Attach, Push, Reply, Request, Sizing};

use crate::world::{LIMIT, attach, contains, output_until, script, until, wait_push};

/// Draws what a viewer gets.
fn draw(size: Size, parts: &[&[u8]]) -> Vec<String> {
    let mut engine = Terminal::new(size);
    parts.iter().for_each(|bytes| engine.feed(bytes));
    (0..size.rows).map(|row| engine.row_text(row)).collect()
}

#[test]
fn the_screen_at_attach_and_the_bytes_after_it_make_the_true_screen() {
    let world = script("printf 'before\\n\\033[31mred'; read line; printf ' after'; read line").start();
    let mut client = world.client();
    let mut first = attach(&mut client, None);
    let mut live = Vec::new();
    if !contains(&first.screen, "red") {
        live = output_until(&mut client, "red");
    }
    client.send(&Request::Input(b"\r".to_vec())).expect("sent");
    live.extend(output_until(&mut client, "after"));
    let rows = draw(first.size, &[&std::mem::take(&mut first.screen), &live]);
    assert_eq!((rows[0].as_str(), rows[1].as_str(), rows[2].as_str()), ("before", "red", " after"));
}

#[test]
fn a_sequence_cut_by_the_attach_is_sent_whole() {
    let world = script(
        "stty raw -echo; : >raw; printf 'start\\033[3'; echo >half; head -c1 >/dev/null; printf '2mgreen\\303'; echo >third
         head -c1 >/dev/null; printf '\\251nd'; head -c1",
    )
    .start_raw();
    world.file_there("half");
    let cut = "start".len() as u64;
    let mut client = world.client();
    until(|| (ao_host::files::read_output(&world.dir, 0, 100).ok()?.1.len() == 8).then_some(()));
    let attached = attach(&mut client, None);
    assert_eq!(attached.offset, cut, "the state is from before the half sequence");
    client.send(&Request::Input(b"x".to_vec())).expect("sent");
    let live = output_until(&mut client, "green");
    assert!(live.starts_with(b"\x1b[32mgreen"), "{live:?}");
    world.file_there("third");
    // A character cut in two is whole as well for whoever comes now.
    let mut late = world.client();
    until(|| (ao_host::files::read_output(&world.dir, 0, 100).ok()?.1.ends_with(b"\xc3")).then_some(()));
    let attached = attach(&mut late, None);
    client.send(&Request::Input(b"x".to_vec())).expect("sent");
    let live = output_until(&mut late, "nd");
    assert_eq!(live, "énd".as_bytes());
    assert_eq!(draw(attached.size, &[&attached.screen, &live])[0], "startgreenénd");
}

#[test]
fn a_resize_reaches_the_program_and_every_viewer() {
    let world = script("trap 'stty size' WINCH; : >ready; while :; do sleep 0.05; done").start();
    let mut owner = world.client();
    let mut reader = world.client();
    reader.request(&Request::Attach(Default::default())).expect("answered");
    // A shell whose trap is not set yet ignores the signal.
    world.file_there("ready");
    let attached = attach(&mut owner, Some((100, 30)));
    assert_eq!(attached.size, Size::clamped(100, 30));
    output_until(&mut owner, "30 100");
    let told = wait_push(&mut reader, |push| match push {
        Push::Attached(attached) => Some(attached.size),
        _ => None,
    });
    assert_eq!(told, Size::clamped(100, 30));
    owner.request(&Request::Resize(Size { cols: 9999, rows: 0 })).expect("answered");
    output_until(&mut owner, "1 500");
}

#[test]
fn the_last_active_writer_owns_the_size() {
    let world = script("stty raw -echo; : >raw; exec cat").start_raw();
    let (mut one, mut two) = (world.client(), world.client());
    attach(&mut one, Some((100, 30)));
    assert_eq!(attach(&mut two, Some((90, 25))).size, Size::clamped(90, 25));
    one.send(&Request::Input(b"key".to_vec())).expect("sent");
    let size = wait_push(&mut two, |push| match push {
        Push::Attached(attached) => Some(attached.size),
        _ => None,
    });
    assert_eq!(size, Size::clamped(100, 30), "the one who typed");
    let reader = Attach { size: Some(Size::clamped(10, 10)), access: Access::ReadOnly, sizing: Sizing::Own };
    let reply = world.client().request(&Request::Attach(reader)).expect("answered");
    let Reply::Attached(attached) = reply else { panic!("{reply:?}") };
    assert_eq!(attached.size, Size::clamped(100, 30), "a reader owns nothing");
}

#[test]
fn an_owner_that_leaves_passes_the_size_to_the_last_active_of_those_that_stay() {
    let world = script("stty raw -echo; : >raw; exec cat").start_raw();
    let (mut one, mut two, mut three) = (world.client(), world.client(), world.client());
    attach(&mut one, Some((100, 30)));
    attach(&mut two, Some((90, 25)));
    attach(&mut three, Some((80, 20)));
    let size_is = |viewer: &mut _, size: (u16, u16)| {
        wait_push(viewer, |push| match push {
            Push::Attached(attached) => ((attached.size.cols, attached.size.rows) == size).then_some(()),
            _ => None,
        });
    };
    // One typed before three came and left; two never did.
    one.send(&Request::Input(b"key".to_vec())).expect("sent");
    size_is(&mut two, (100, 30));
    three.send(&Request::Input(b"key".to_vec())).expect("sent");
    size_is(&mut two, (80, 20));
    drop(three);
    size_is(&mut two, (100, 30));
    drop(one);
    size_is(&mut two, (90, 25));
    // Nobody who owns stays: the size stays, too.
    drop(two);
    let reply = world.client().request(&Request::Attach(Attach::default())).expect("answered");
    let Reply::Attached(attached) = reply else { panic!("{reply:?}") };
    assert_eq!(attached.size, Size::clamped(90, 25));
}

#[test]
fn a_fast_viewer_sees_every_byte_beside_a_slow_one_and_a_reader() {
    let world = script("stty raw -echo; : >raw; head -c1 >/dev/null; seq 1 60000; echo the-end; head -c1").start_raw();
    let (mut slow, mut fast, mut reader) = (world.client(), world.client(), world.client());
    attach(&mut slow, Some((80, 24)));
    let begun = attach(&mut fast, Some((80, 24)));
    reader.request(&Request::Attach(Attach::default())).expect("answered");
    fast.send(&Request::Input(b"x".to_vec())).expect("sent");
    // The slow one takes nothing; what the fast one gets is the log, as long as it takes it as it comes.
    let mut seen = Vec::new();
    let mut again = 0;
    wait_push(&mut fast, |push| {
        match push {
            Push::Output(output) => seen.extend(output.bytes),
            Push::Attached(_) => again += 1,
            _ => {}
        }
        contains(&seen[seen.len().saturating_sub(1 << 10)..], "the-end").then_some(())
    });
    if again == 0 {
        let from = begun.offset;
        let log = until(|| {
            let (_, log) = ao_host::files::read_output(&world.dir, from, usize::MAX).ok()?;
            log.ends_with(b"the-end\n").then_some(log)
        });
        assert_eq!(seen, log);
    }
    // A reader may not type, and it sees the same end.
    let denied = reader
        .request(&Request::Signal(ao_host::wire::Signal { signal: 15, target: ao_host::wire::SignalTarget::Child }));
    assert!(matches!(denied, Err(ao_host::client::ClientError::Refused(_))), "{denied:?}");
    for viewer in [&mut reader, &mut slow] {
        let mut last = Vec::new();
        wait_push(viewer, |push| {
            match push {
                Push::Output(output) => last.extend(output.bytes),
                Push::Attached(attached) => last = attached.screen,
                _ => {}
            }
            contains(&last, "the-end").then_some(())
        });
    }
}

#[test]
fn a_slow_viewer_gets_the_screen_and_slows_nobody() {
    let world = script("stty raw -echo; : >raw; head -c1 >/dev/null; seq 1 400000; echo the-end; head -c1").start_raw();
    let mut slow = world.client();
    let before = attach(&mut slow, None);
    let mut fast = world.client();
    attach(&mut fast, None);
    fast.send(&Request::Input(b"x".to_vec())).expect("sent");
    // The slow one reads nothing, and the log is complete all the same.
    until(|| {
        let (_, log) = ao_host::files::read_output(&world.dir, 0, usize::MAX).ok()?;
        log.ends_with(b"the-end\n").then_some(())
    });
    let mut live = 0;
    let again = wait_push(&mut slow, |push| match push {
        Push::Output(output) => {
            live += output.bytes.len();
            None
        }
        Push::Attached(attached) => Some(attached),
        _ => None,
    });
    assert!(live < 300 << 10, "{live} bytes of backlog");
    assert!(again.offset > before.offset + (256 << 10));
    let rows = draw(again.size, &[&again.screen]);
    assert!(rows.iter().any(|row| row.contains("the-end")), "{rows:?}");
}

#[test]
fn a_flooding_program_does_not_keep_keys_waiting() {
    let world = script("trap 'echo stopped-by-key; exit 0' INT; yes; exit 1").start();
    let mut client = world.client();
    attach(&mut client, None);
    wait_push(&mut client, |push| matches!(push, Push::Output(_)).then_some(()));
    client.send(&Request::Input(vec![3])).expect("sent");
    let exit = world.exit();
    assert!(exit.screen.iter().any(|row| row.contains("stopped-by-key")), "{:?}", exit.screen);
}

#[test]
fn a_client_that_dies_without_reading_harms_nobody() {
    let world = script("stty raw -echo; : >raw; head -c1 >/dev/null; seq 1 100000; echo the-end; head -c1").start_raw();
    let mut dying = world.client();
    attach(&mut dying, None);
    dying.send(&Request::Input(b"x".to_vec())).expect("sent");
    let mut some = [0; 10];
    dying.stream().set_read_timeout(Some(LIMIT)).expect("set");
    dying.stream().read_exact(&mut some).expect("read");
    drop(dying);
    let mut other = world.client();
    let attached = attach(&mut other, None);
    if !contains(&attached.screen, "the-end") {
        wait_push(&mut other, |push| match push {
            Push::Output(output) => contains(&output.bytes, "the-end").then_some(()),
            Push::Attached(attached) => contains(&attached.screen, "the-end").then_some(()),
            _ => None,
        });
    }
}
