//! The built-in adapters against recordings of the real agents, with ground truth.

#[path = "adapters/recording.rs"]
mod recording;

use ao_core::activity::Activity;
use ao_core::adapter::{Adapter, composer};
use ao_plugins::agent::built_in;
use ao_plugins::agent::cast::Cast;
use ao_plugins::agent::replay::{Replay, STEP, Signals, replay};
use ao_slots::agent::Agent as _;
use recording::{Class, Recording, class, pastes};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn adapters() -> Vec<Adapter> {
    built_in(Path::new("/usr/bin/ao")).unwrap().iter().map(|agent| agent.adapter().clone()).collect()
}

/// Every recording that has a truth; `AO_CASTS` may name a directory with more.
fn recordings() -> Vec<Recording> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/casts");
    let more = std::env::var_os("AO_CASTS").map(PathBuf::from);
    let mut casts = Vec::new();
    for dir in std::iter::once(own).chain(more) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "cast") && path.with_extension("truth.json").exists() {
                casts.push(path);
            }
        }
    }
    casts.sort();
    assert!(casts.len() >= 15, "the recordings are missing");
    casts.iter().map(|path| Recording::read(path)).collect()
}

type Confusion = BTreeMap<(Class, Class), u32>;

/// Samples a replay; prints what is wrong.
fn score(recording: &Recording, replay: &Replay, confusion: &mut Confusion) -> Vec<String> {
    let mut false_idle = Vec::new();
    for (n, state) in recording.states.iter().enumerate() {
        if state.state == "UNKNOWN" {
            break;
        }
        let Some(want) = state.class() else { continue };
        let begin = (state.t * 1000.0) as u64;
        let mut end = recording.states.get(n + 1).map_or(begin + 1500, |next| (next.t * 1000.0) as u64);
        // A question is over when it is answered; the truth says so only when the next screen had settled.
        if matches!(want, Class::NeedsInput | Class::Error) {
            end = recording.keys.iter().copied().filter(|key| (begin..end).contains(key)).max().unwrap_or(end);
        }
        let mut t = begin + state.grace();
        let mut wrong: BTreeMap<String, u32> = BTreeMap::new();
        while t < end {
            let activity = replay.at(t);
            let got = class(&activity);
            *confusion.entry((want, got)).or_default() += 1;
            let kind_is_wrong = matches!(&activity, Activity::NeedsInput { what } if !state.kinds().contains(what));
            if got != want || kind_is_wrong {
                *wrong.entry(format!("{activity:?}")).or_default() += 1;
            }
            if got == Class::Idle && matches!(want, Class::Working | Class::NeedsInput) {
                false_idle.push(format!("{} at {t} ms ({})", recording.name, state.state));
            }
            t += STEP;
        }
        if !wrong.is_empty() {
            println!("  {} at {:.1} s, {}: {wrong:?}", recording.name, state.t, state.state);
        }
    }
    false_idle
}

fn right(confusion: &Confusion, classes: &[Class]) -> f64 {
    let of = |want: fn(&(Class, Class)) -> bool| -> u32 {
        confusion.iter().filter(|(k, _)| classes.contains(&k.0) && want(k)).map(|(_, n)| n).sum()
    };
    f64::from(of(|(want, got)| want == got)) / f64::from(of(|_| true).max(1))
}

#[test]
fn recorded_agents_are_understood_and_never_called_idle_while_they_ask_or_work() {
    let adapters = adapters();
    for signals in [Signals::Screen, Signals::All] {
        println!("signals: {signals:?}");
        let mut confusion = Confusion::new();
        let mut false_idle = Vec::new();
        for recording in recordings() {
            let named = |a: &&Adapter| a.name == recording.agent || a.aliases.contains(&recording.agent);
            let adapter = adapters.iter().find(named).unwrap();
            let replay = replay(&recording.cast, adapter, signals);
            false_idle.extend(score(&recording, &replay, &mut confusion));
        }
        for want in [Class::Starting, Class::Idle, Class::Working, Class::NeedsInput, Class::Error] {
            println!("  {want:?}: {:.3}", right(&confusion, &[want]));
        }
        println!("  {confusion:?}");
        assert!(false_idle.is_empty(), "called idle: {false_idle:#?}");
        assert!(right(&confusion, &[Class::Idle, Class::Working]) >= 0.95);
        assert!(right(&confusion, &[Class::NeedsInput]) >= 0.95);
        assert!(right(&confusion, &[Class::Error]) >= 0.9);
    }
}

#[test]
fn every_turn_of_a_recorded_agent_ends_exactly_once() {
    let adapters = adapters();
    // Where the truth is not known to the end, turns cannot be counted.
    for recording in recordings().iter().filter(|r| r.states.iter().all(|s| s.state != "UNKNOWN")) {
        let adapter =
            adapters.iter().find(|a| a.name == recording.agent || a.aliases.contains(&recording.agent)).unwrap();
        let over = |state: &&recording::State| matches!(state.state.as_str(), "idle" | "error" | "interrupted");
        let turns = recording.states.iter().filter(over).count();
        // While it starts Codex may say `working` for some milliseconds before anything was asked of it.
        let more = usize::from(recording.name == "codex-first-start-trust");
        for signals in [Signals::Screen, Signals::All] {
            let replay = replay(&recording.cast, adapter, signals);
            let story: Vec<String> =
                replay.known.iter().map(|(t, k)| format!("{t} {} ({})", k.activity.name(), k.why)).collect();
            assert_eq!(replay.turns as usize, turns + more, "{} {signals:?}: {story:#?}", recording.name);
            for state in recording.states.iter().filter(|s| s.state == "interrupted") {
                let known = replay.at((state.t * 1000.0) as u64 + state.grace());
                assert_eq!(known, Activity::Interrupted, "{} {signals:?}: {story:#?}", recording.name);
            }
        }
    }
}

#[test]
fn every_screen_rule_held_in_the_recordings_that_prove_it() {
    let casts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/casts");
    // The scripted agent and shells are proven by tests of their own.
    let described = adapters().into_iter().filter(|a| a.rules.iter().flat_map(|r| &r.proof).all(|p| !p.contains('/')));
    for adapter in described {
        let name = &adapter.name;
        let mut held: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for rule in &adapter.rules {
            assert!(!rule.proof.is_empty(), "{name}: {:?} is proven by no recording", rule.name);
            for proof in &rule.proof {
                let rules = held.entry(proof).or_insert_with(|| {
                    let text = std::fs::read_to_string(casts.join(format!("{proof}.cast")));
                    let text = text.unwrap_or_else(|_| panic!("{}: no recording {proof}", rule.name));
                    replay(&Cast::parse(&text).unwrap(), &adapter, Signals::Screen).rules
                });
                assert!(rules.contains(&rule.name), "{name}: {:?} never held in {proof}: {rules:?}", rule.name);
            }
        }
    }
}

#[test]
fn a_pasted_prompt_is_seen_in_the_composer_of_a_recorded_agent() {
    let adapters = adapters();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for recording in recordings() {
        let adapter =
            adapters.iter().find(|a| a.name == recording.agent || a.aliases.contains(&recording.agent)).unwrap();
        for (prompt, screen) in pastes(&recording) {
            let found = composer::find(adapter, &screen);
            let shown = screen.rows.join("\n");
            let found = found.unwrap_or_else(|| panic!("{}: no composer for {prompt:?} in\n{shown}", recording.name));
            assert!(composer::holds(adapter, &found, &prompt), "{}: {found:?} is not {prompt:?}", recording.name);
            let sign = adapter.door.pasted.as_ref().is_some_and(|p| p.0.is_match(&found.text));
            assert!(sign || !composer::holds(adapter, &found, "something else"), "{}: {found:?}", recording.name);
            assert!(sign || prompt.len() < 500, "{}: {found:?} is shown whole", recording.name);
            *seen.entry(adapter.name.clone()).or_default() += 1;
        }
    }
    println!("prompts seen: {seen:?}");
    for agent in ["claude-code", "codex"] {
        assert!(seen[agent] >= 7, "{seen:?}");
    }
    assert!(seen.len() >= 6, "{seen:?}");
}
