//! A transcript that grows, is cut, replaced, half written, broken or huge.

use super::{LONGEST_LINE, STEP, step};
use ao_core::transcript::{Reading, Shape};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::path::Path;

fn shape() -> Shape {
    serde_json::from_value(json!({
        "time": "at",
        "rules": [
            {"name": "begin", "when": {"k": "^begin$"}, "says": "working", "turn": "id"},
            {"name": "answer", "when": {"k": "^answer$"}, "model": "m", "message": "text",
             "tokens": {"key": "id", "input": ["in"], "output": ["out"]}},
            {"name": "end", "when": {"k": "^end$"}, "says": "idle"}
        ]
    }))
    .unwrap()
}

fn answer(id: u32) -> String {
    format!(
        "{}\n",
        json!({"k": "answer", "id": format!("a{id}"), "m": "m-1", "in": 10, "out": 1, "text": format!("answer {id}")})
    )
}

fn reading(path: &Path) -> Reading {
    let mut reading = Reading::default();
    reading.cursor(&path.display().to_string());
    reading
}

fn all(reading: &mut Reading) -> Vec<&'static str> {
    let mut said = Vec::new();
    loop {
        let one = step(&shape(), reading, 0).unwrap();
        said.extend(one.said.iter().map(|s| s.what.activity().name()));
        if !one.more {
            return said;
        }
    }
}

fn sums(reading: &Reading) -> (u64, u64) {
    reading.used.get("m-1").map_or((0, 0), |t| (t.input, t.output))
}

#[test]
fn only_whole_lines_that_are_new_are_read_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    fs::write(&path, format!("{}\n{}", json!({"k": "begin", "id": "t1"}), answer(1))).unwrap();
    let mut first = reading(&path);
    assert_eq!(all(&mut first), ["working"]);
    assert_eq!((sums(&first), first.turn.as_deref()), ((10, 1), Some("t1")));
    let text = answer(2);
    let (half, rest) = text.split_at(20);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    assert!(all(&mut first).is_empty() && sums(&first) == (10, 1), "half a line is none");
    file.write_all(rest.as_bytes()).unwrap();
    file.write_all(b"{\"k\":\"end\"}\n").unwrap();
    // What a daemon knows after a restart is what was journalled.
    let mut later: Reading = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
    assert_eq!(all(&mut later), ["idle"]);
    assert_eq!((sums(&later), later.message.as_deref()), ((20, 2), Some("answer 2")));
    assert!(!step(&shape(), &mut later, 0).unwrap().moved);
}

#[test]
fn a_file_cut_or_written_anew_counts_once_and_another_one_in_its_place_counts_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    let written = answer(1) + &answer(2) + &answer(3);
    fs::write(&path, &written).unwrap();
    let mut known = reading(&path);
    all(&mut known);
    assert_eq!(sums(&known), (30, 3));
    // Cut in the middle: the first of it is there still.
    fs::write(&path, answer(1) + &answer(2)).unwrap();
    all(&mut known);
    assert_eq!(sums(&known), (20, 2), "what the file holds counts once");
    // Written anew with the same beginning, by another inode.
    fs::write(dir.path().join("new"), &written).unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    all(&mut known);
    assert_eq!(sums(&known), (30, 3));
    // Rotated: another file stands there now, and what was in the old one was used nevertheless.
    fs::write(dir.path().join("new"), answer(4) + &answer(5)).unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    all(&mut known);
    assert_eq!(sums(&known), (50, 5));
    fs::write(&path, "").unwrap();
    all(&mut known);
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(answer(6).as_bytes()).unwrap();
    all(&mut known);
    assert_eq!(sums(&known), (60, 6));
}

#[test]
fn strange_lines_and_bytes_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    let mut bytes =
        b"no json\n\n[1]\n\"text\"\n{\"k\":\"answer\",\"id\":7,\"m\":\"m-1\",\"in\":1,\"text\":\"\xff\xfe\"}\n"
            .to_vec();
    bytes.extend(vec![b'{'; 3000]);
    bytes.push(b'\n');
    bytes.extend(answer(1).bytes());
    fs::write(&path, bytes).unwrap();
    let mut known = reading(&path);
    all(&mut known);
    assert_eq!((sums(&known), known.files[0].strange), ((11, 1), 2));
}

#[test]
fn a_line_of_any_length_takes_no_more_memory_than_the_longest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(answer(1).as_bytes()).unwrap();
    file.write_all(b"{\"k\":\"answer\",\"in\":1000,\"text\":\"").unwrap();
    for _ in 0..5 {
        file.write_all(&vec![b'x'; LONGEST_LINE / 2]).unwrap();
    }
    file.write_all(b"\"}\n").unwrap();
    file.write_all(answer(2).as_bytes()).unwrap();
    let mut known = reading(&path);
    let mut steps = 0;
    loop {
        let before = known.files[0].offset;
        let one = step(&shape(), &mut known, 0).unwrap();
        assert!(known.files[0].offset - before <= STEP + LONGEST_LINE as u64);
        steps += 1;
        if !one.more {
            break;
        }
    }
    assert!(steps > 1);
    assert_eq!((sums(&known), known.files[0].strange), ((20, 2), 1));
}

#[test]
fn links_pipes_and_directories_are_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    fs::write(dir.path().join("real"), answer(1)).unwrap();
    std::os::unix::fs::symlink(dir.path().join("real"), &path).unwrap();
    assert!(step(&shape(), &mut reading(&path), 0).is_err(), "a link");
    assert!(step(&shape(), &mut reading(dir.path()), 0).is_err(), "a directory");
    assert!(step(&shape(), &mut reading(&dir.path().join("none")), 0).is_err());
}

#[test]
fn a_document_is_counted_anew_each_time_and_says_only_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.json");
    let mut shape = shape();
    shape.format = ao_core::transcript::rule::Format::Document;
    shape.list = Some(ao_core::transcript::path::Path::parse("messages"));
    let mut records =
        vec![json!({"k": "begin", "id": "t1"}), json!({"k": "answer", "id": 1, "m": "m-1", "in": 5, "out": 1})];
    let mut known = reading(&path);
    let write = |records: &[serde_json::Value], known: &mut Reading| {
        fs::write(&path, json!({"messages": records}).to_string()).unwrap();
        step(&shape, known, 0).unwrap().said.len()
    };
    assert_eq!((write(&records, &mut known), sums(&known)), (1, (5, 1)));
    records[1]["in"] = json!(7);
    records.push(json!({"k": "end"}));
    assert_eq!((write(&records, &mut known), sums(&known)), (1, (7, 1)));
    assert_eq!((write(&records, &mut known), sums(&known)), (0, (7, 1)));
    fs::write(&path, "{\"messages\": [").unwrap();
    assert!(!step(&shape, &mut known, 0).unwrap().moved);
}
