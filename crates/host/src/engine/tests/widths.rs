//! The page's widths are the engine's: its table is written by this test and compared by it
//! (`AO_UPDATE_DOCS=1 cargo test -p ao-host widths` writes it anew).

use std::path::PathBuf;

use unicode_width::UnicodeWidthChar;

use crate::engine::cluster::is_pictograph;

/// Characters of a line of the table.
const LINE: usize = 108;

/// The stretches of characters for which `wanted` holds: gaps and lengths in turn, to the base of 36.
fn stretches(wanted: impl Fn(char) -> bool) -> String {
    let mut numbers = Vec::new();
    let (mut last, mut counted) = (0, 0);
    let mut holds = false;
    for code in 0..=0x11_0000u32 {
        let now = char::from_u32(code).is_some_and(&wanted);
        if now != holds {
            numbers.push(code - last);
            (last, counted) = (code, counted + 1);
            holds = now;
        }
    }
    assert!(counted % 2 == 0, "the last stretch ends");
    let words: Vec<String> = numbers.into_iter().map(base36).collect();
    let mut lines = vec![String::new()];
    for word in words {
        let line = lines.last_mut().expect("there is one");
        if line.len() + word.len() + 1 > LINE {
            lines.push(format!("{word} "));
        } else {
            line.push_str(&word);
            line.push(' ');
        }
    }
    lines.iter().map(|line| format!("  + '{line}'\n")).collect()
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(number % 36, 36).expect("below 36"));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[test]
fn the_page_counts_columns_as_the_engine_does() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../web/ui/widths.js");
    let page = std::fs::read_to_string(&path).expect("the page's file");
    let (begin, end) = ("// table: begin\n", "// table: end\n");
    let (head, rest) = page.split_once(begin).expect("the mark where the table begins");
    let (old, tail) = rest.split_once(end).expect("the mark where the table ends");
    let beyond_ascii = |c: char| c > '~';
    let new = [
        ("NOTHING", stretches(|c| beyond_ascii(c) && c.width() == Some(0))),
        ("TWO", stretches(|c| beyond_ascii(c) && c.width() == Some(2))),
        ("PICTOGRAPHS", stretches(is_pictograph)),
    ]
    .map(|(name, table)| format!("const {name} = ''\n{}", table.trim_end().to_owned() + ";\n"))
    .concat();
    if std::env::var_os("AO_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{begin}{new}{end}{tail}")).expect("the page's file can be written");
    } else {
        assert_eq!(old, new, "run the test with AO_UPDATE_DOCS=1");
    }
}
