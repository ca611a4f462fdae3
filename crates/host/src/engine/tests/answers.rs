//! What a program that asks is told.

use crate::engine::terminal::Terminal;
use crate::engine::{Engine, Size, TermEvent};

fn told(question: &str) -> String {
    let mut engine = Terminal::new(Size::clamped(80, 24));
    engine.feed(question.as_bytes());
    let replies = engine.take_events().into_iter().filter_map(|event| match event {
        TermEvent::Reply(bytes) => Some(String::from_utf8(bytes).expect("replies are text")),
        _ => None,
    });
    replies.collect::<String>().replace('\x1b', "^[").replace('\x07', "^G")
}

#[test]
fn attributes_and_version_are_told() {
    assert_eq!(told("\x1b[c"), "^[[?1;2c");
    assert_eq!(told("\x1b[0c\x1bZ"), "^[[?1;2c^[[?1;2c");
    assert_eq!(told("\x1b[>c"), "^[[>0;1;0c");
    assert_eq!(told("\x1b[>0q"), concat!("^[P>|ao ", env!("CARGO_PKG_VERSION"), "^[\\"));
    assert_eq!(told("\x1b[=c"), "", "no unit id is claimed");
}

#[test]
fn state_place_and_size_are_told() {
    assert_eq!(told("\x1b[5n"), "^[[0n");
    assert_eq!(told("\x1b[3;4H\x1b[6n\x1b[?6n"), "^[[3;4R^[[?3;4R");
    assert_eq!(told("\x1b[18t\x1b[14t\x1b[16t"), "^[[8;24;80t^[[4;384;640t^[[6;16;8t");
    assert_eq!(told("\x1b[?996n"), "^[[?997;1n");
}

#[test]
fn modes_are_told_as_they_are() {
    assert_eq!(told("\x1b[?1006h\x1b[?1000h\x1b[?1002h\x1b[?1000$p\x1b[?1002$p"), "^[[?1000;2$y^[[?1002;1$y");
    assert_eq!(told("\x1b[?1049h\x1b[?1049$p\x1b[?6$p\x1b[?2026$p"), "^[[?1049;1$y^[[?6;2$y^[[?2026;2$y");
    assert_eq!(told("\x1b[4h\x1b[4$p\x1b[20$p\x1b[77$p"), "^[[4;1$y^[[20;2$y^[[77;0$y");
    assert_eq!(told("\x1b[?2027$p\x1b[?2048$p"), "^[[?2027;3$y^[[?2048;0$y", "emoji always join; sizes are not told");
}

#[test]
fn colours_are_told_with_the_end_that_the_question_had() {
    assert_eq!(told("\x1b]11;?\x07"), "^[]11;rgb:0000/0000/0000^G");
    assert_eq!(told("\x1b]10;?;?\x1b\\"), "^[]10;rgb:e5e5/e5e5/e5e5^[\\^[]11;rgb:0000/0000/0000^[\\");
    assert_eq!(told("\x1b]4;1;?;255;?\x07"), "^[]4;1;rgb:cdcd/0000/0000^G^[]4;255;rgb:eeee/eeee/eeee^G");
    assert_eq!(told("\x1b]4;1;#f80\x07\x1b]4;1;?\x07\x1b]104;1\x07\x1b]4;1;?\x07"), {
        "^[]4;1;rgb:f0f0/8080/0000^G^[]4;1;rgb:cdcd/0000/0000^G"
    });
    for spec in ["#f80", "#f08000", "#f0f80f00f", "#f0ff80ff00ff"] {
        let told = told(&format!("\x1b]4;1;{spec}\x07\x1b]4;1;?\x07"));
        assert_eq!(told, "^[]4;1;rgb:f0f0/8080/0000^G", "{spec}: digits after # are the highest of each component");
    }
    assert_eq!(told("\x1b]11;rgb:1/22/3333\x07\x1b]11;?\x07\x1b]111\x07\x1b]11;?\x07"), {
        "^[]11;rgb:1111/2222/3333^G^[]11;rgb:0000/0000/0000^G"
    });
}

#[test]
fn what_is_not_known_is_refused_or_left_unanswered() {
    assert_eq!(told("\x1bP$q+p\x1b\\"), "^[P0$r^[\\");
    assert_eq!(told("\x1bP+q524742\x1b\\"), "^[P0+r^[\\");
    assert_eq!(told("\x1b[x\x1b[21t\x1b]52;c;?\x07\x1b_Gi=1,a=q;AAAA\x1b\\\x05"), "");
}
