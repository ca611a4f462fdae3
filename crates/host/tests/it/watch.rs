//! What the daemon is told.

use std::time::{Duration, Instant};

use ao_host::wire::{Health, Push, Request, Screen};

use crate::world::{attach, screen_until, script, wait_push, watch};

fn screens(push: Push) -> Option<Screen> {
    match push {
        Push::Screen(screen) => Some(screen),
        _ => None,
    }
}

#[test]
fn a_subscriber_gets_everything_first_and_changes_after_that() {
    let world = script("printf 'one\\ntwo\\n\\033]0;my title\\007'; read line; printf 'three'; read line").start();
    let mut client = world.client();
    watch(&mut client);
    let first = wait_push(&mut client, screens);
    assert!(first.full && first.rows.len() == 24);
    let settled = |screen: &Screen| screen.title == "my title" && screen.quiet;
    let settled = Some(first.clone())
        .filter(settled)
        .unwrap_or_else(|| wait_push(&mut client, |push| screens(push).filter(settled)));
    assert!(settled.last_output_ms.is_some() && settled.person_input_ms.is_none());
    assert_eq!(settled.log, Health::Good);
    let mut viewer = world.client();
    attach(&mut viewer, None);
    viewer.send(&Request::Input(b"\r".to_vec())).expect("sent");
    let change = wait_push(&mut client, |push| {
        screens(push).filter(|screen| screen.rows.iter().any(|row| row.text.contains("three")))
    });
    assert!(!change.full && change.rows.len() <= 2, "{:?}", change.rows);
    assert!(change.person_input_ms.is_some());
    assert!(change.rev > first.rev);
}

#[test]
fn titles_and_osc_sequences_are_told_in_order_with_offsets_to_later_subscribers_too() {
    let world = script("printf '\\033]7501;idle\\007\\033]0;title\\007\\033]7501;working\\007\\033]9;note\\007'; echo ready; read line").start();
    let mut client = world.client();
    watch(&mut client);
    screen_until(&mut client, "ready");
    let mut late = world.client();
    watch(&mut late);
    let full = wait_push(&mut late, screens);
    let osc: Vec<_> = full.osc.iter().map(|osc| (osc.number, osc.text.as_str())).collect();
    assert_eq!(osc, [(7501, "idle"), (0, "title"), (7501, "working"), (9, "note")]);
    assert!(full.osc.is_sorted_by(|a, b| a.offset < b.offset), "{:?}", full.osc);
}

#[test]
fn every_bell_of_a_flood_is_counted_also_while_nobody_listens() {
    let world = script("printf '%10000s' '' | tr ' ' '\\007'; echo ready; read line").start();
    let mut client = world.client();
    watch(&mut client);
    screen_until(&mut client, "ready");
    drop(client);
    let mut late = world.client();
    watch(&mut late);
    let full = wait_push(&mut late, screens);
    assert_eq!((full.bells, full.bells_total), (0, Some(10_000)), "those are no news, but they were rung");
}

#[test]
fn a_flood_is_told_at_most_ten_times_a_second_and_once_after_quiet() {
    // The flood ends when it was told of a few times: how long that takes is the machine's business.
    const FEW: u32 = 5;
    let world = script("read line; yes & read line; kill $!; wait; echo; echo quiet-now; read line").start();
    let mut viewer = world.client();
    attach(&mut viewer, None);
    let mut client = world.client();
    let begin = Instant::now();
    watch(&mut client);
    wait_push(&mut client, screens);
    viewer.send(&Request::Input(b"\r".to_vec())).expect("sent");
    let (mut count, mut over) = (0, false);
    let last = wait_push(&mut client, |push| {
        let screen = screens(push)?;
        count += 1;
        if count == FEW {
            viewer.send(&Request::Input(b"\r".to_vec())).expect("sent");
        }
        // It may be quiet in between, when the program has no processor.
        over |= screen.rows.iter().any(|row| row.text == "quiet-now");
        Some(screen).filter(|screen| over && screen.quiet)
    });
    // The first one after the whole screen may come at once.
    let most = u32::try_from(begin.elapsed().as_millis() / 100).expect("small") + 1;
    assert!((FEW..=most).contains(&count), "{count} pushes, at most {most} expected");
    assert!(last.rows_total > 100);
    assert_eq!(client.next_push(Duration::from_millis(250)).expect("connected"), None, "quiet means quiet");
}
