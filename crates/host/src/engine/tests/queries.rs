//! Queries, replies and what merely looks like them, cut at every byte.

use crate::engine::queries::{QueryFilter, ReplyFilter};

const QUERIES: [&[u8]; 30] = [
    b"\x1b[c",
    b"\x1b[0c",
    b"\x1b[>c",
    b"\x1b[>0c",
    b"\x1b[=c",
    b"\x1bZ",
    b"\x1b[5n",
    b"\x1b[6n",
    b"\x1b[?6n",
    b"\x1b[?996n",
    b"\x1b[>q",
    b"\x1b[>0q",
    b"\x1b[?2026$p",
    b"\x1b[4$p",
    b"\x1b[?u",
    b"\x1b[?4m",
    b"\x1b[?2;1;0S",
    b"\x1b[14t",
    b"\x1b[18t",
    b"\x1b[21t",
    b"\x1b]4;0;?\x07",
    b"\x1b]4;0;?;1;?\x1b\\",
    b"\x1b]10;?\x07",
    b"\x1b]11;?\x1b\\",
    b"\x1b]52;c;?\x07",
    b"\x1b]1337;ReportCellSize\x07",
    b"\x1bP$qm\x1b\\",
    b"\x1bP+q524742;5463\x1b\\",
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",
    b"\x05",
];

const DRAWING: [&[u8]; 24] = [
    b"\x1b[31m",
    b"\x1b[2 q",
    b"\x1b[?25l",
    b"\x1b[>4;1m",
    b"\x1b[>4n",
    b"\x1b[>1u",
    b"\x1b[<u",
    b"\x1b[=1;1u",
    b"\x1b[u",
    b"\x1b[22;0t",
    b"\x1b[2S",
    b"\x1b[!p",
    b"\x1b]0;what is this?\x07",
    b"\x1b]2;?\x07",
    b"\x1b]4;1;#ff0000\x07",
    b"\x1b]8;;http://x/?q=1\x1b\\",
    b"\x1b]9;done?\x07",
    b"\x1b]52;c;aGVsbG8=\x07",
    b"\x1bPq#0~~\x1b\\",
    b"\x1b_Ga=T,f=100;AAAA\x1b\\",
    b"\x1b7",
    b"\x1b(0",
    "é漢🙂".as_bytes(),
    b"text\r\n",
];

/// What comes out must not depend on where the stream is cut.
fn every_cut(stream: &[u8], expected: &[u8], filter: impl Fn(&[&[u8]]) -> Vec<u8>) {
    for cut in 0..=stream.len() {
        let (a, b) = stream.split_at(cut);
        let out = filter(&[a, b]);
        assert_eq!(
            String::from_utf8_lossy(&out),
            String::from_utf8_lossy(expected),
            "{:?} cut at {cut}",
            String::from_utf8_lossy(stream)
        );
    }
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(filter(&single), expected, "byte by byte");
}

fn output(parts: &[&[u8]]) -> Vec<u8> {
    let mut filter = QueryFilter::new();
    parts.iter().flat_map(|part| filter.filter_output(part)).collect()
}

fn input(parts: &[&[u8]]) -> Vec<u8> {
    let mut filter = ReplyFilter::new();
    let mut out: Vec<u8> = parts.iter().flat_map(|part| filter.filter_input(part)).collect();
    out.extend(filter.flush());
    out
}

#[test]
fn queries_do_not_reach_viewers() {
    for query in QUERIES {
        every_cut(&[b"a", query, b"b"].concat(), b"ab", output);
        every_cut(&[query, query, b"\x1b[m"].concat(), b"\x1b[m", output);
    }
}

#[test]
fn all_else_reaches_viewers_unchanged() {
    for drawing in DRAWING {
        let stream = [b"a", drawing, b"b"].concat();
        every_cut(&stream, &stream, output);
    }
    let all = DRAWING.concat();
    every_cut(&all, &all, output);
}

#[test]
fn a_long_string_is_passed_on_before_its_end() {
    let mut filter = QueryFilter::new();
    let mut stream = b"\x1b]1337;File=:".to_vec();
    stream.resize(10_000, b'A');
    let mut out = filter.filter_output(&stream);
    assert!(out.len() > 8_000, "{} of {} bytes", out.len(), stream.len());
    out.extend(filter.filter_output(b"\x1b\\x\x1b[c"));
    assert_eq!(out, [&stream[..], b"\x1b\\x"].concat());
}

#[test]
fn a_string_broken_off_by_a_query_is_kept() {
    every_cut(b"\x1b]0;title\x1b[6nx", b"\x1b]0;titlex", output);
    every_cut(b"\x1b]10;?\x1b[1mx", b"\x1b[1mx", output);
    every_cut(b"\x1b[3\x1b[c\x1b[4mx", b"\x1b[3\x1b[4mx", output);
}

const REPLIES: [&[u8]; 20] = [
    b"\x1b[?1;2c",
    b"\x1b[>0;276;0c",
    b"\x1b[0n",
    b"\x1b[12;40R",
    b"\x1b[1;40R",
    b"\x1b[?12;40R",
    b"\x1b[?997;1n",
    b"\x1b[?2026;2$y",
    b"\x1b[4;1$y",
    b"\x1b[?0u",
    b"\x1b[4;600;800t",
    b"\x1b[8;40;120t",
    b"\x1bP>|xterm(380)\x1b\\",
    b"\x1bP1$r0m\x1b\\",
    b"\x1bP0+r\x1b\\",
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\",
    b"\x1b]52;c;aGVsbG8=\x07",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b[>4;1m",
];

const KEYS: [&[u8]; 20] = [
    b"\x1b[A",
    b"\x1bOP",
    b"\x1b[1;2R",
    b"\x1b[1;5C",
    b"\x1b[3~",
    b"\x1b[27;5;9~",
    b"\x1b[97;5u",
    b"\x1b[13;2u",
    b"\x1b[I",
    b"\x1b[O",
    b"\x1b[<0;10;20M",
    b"\x1b[<0;10;20m",
    b"\x1b[M !!",
    b"\x1bb",
    b"\x1b\x1b[A",
    b"\x7f",
    b"\x03",
    "é🙂".as_bytes(),
    b"\x1b]x",
    b"\x1bPx",
];

#[test]
fn replies_of_a_viewers_terminal_are_not_typed() {
    for reply in REPLIES {
        every_cut(&[b"a", reply, b"b"].concat(), b"ab", input);
    }
}

#[test]
fn keys_are_typed_unchanged() {
    for key in KEYS {
        let stream = [b"a", key, b"b"].concat();
        every_cut(&stream, &stream, input);
    }
}

#[test]
fn a_lone_escape_is_typed_when_nothing_follows() {
    let mut filter = ReplyFilter::new();
    assert_eq!(filter.filter_input(b"\x1b"), b"");
    assert!(filter.holds());
    assert_eq!(filter.flush(), b"\x1b");
    assert!(!filter.holds());
    assert_eq!(filter.filter_input(b"[?1;2c"), b"[?1;2c", "what follows later is text");
}

#[test]
fn a_paste_is_typed_as_it_is() {
    let stream = b"\x1b[200~\x1b[?1;2c \x1bP0+r\x1b\\ \x1b[20\x1b[201~";
    every_cut(stream, stream, input);
    every_cut(&[stream, &b"\x1b[?1;2cx"[..]].concat(), &[stream, &b"x"[..]].concat(), input);
}
