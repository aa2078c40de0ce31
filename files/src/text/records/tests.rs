//! Ends of records, however the bytes are cut.

use super::*;
use crate::text::Unlisted;

const MARKS: Csv = Csv {
    delimiter: b',',
    quote: b'"',
    escape: None,
    comment: None,
};

/// The records, one call each, then again with the bytes arriving one by one.
fn split(records: &Records, text: &str) -> Vec<String> {
    let (mut whole, mut rest, mut found) = (records.clone(), text, Vec::new());
    while let Some(end) = whole.end(rest.as_bytes()) {
        found.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    let mut single = records.clone();
    let ends = text
        .as_bytes()
        .chunks(1)
        .enumerate()
        .filter_map(|(at, byte)| single.end(byte).map(|_| at + 1));
    let lengths: usize = found.iter().map(String::len).sum();
    assert_eq!(ends.last().unwrap_or(0), lengths, "{text:?}");
    assert_eq!(
        records.clone().last_end(text.as_bytes()).unwrap_or(0),
        lengths,
        "{text:?}"
    );
    found
}

#[test]
fn quoted_line_ends_end_no_record() {
    let csv = Records::csv(MARKS);
    assert_eq!(split(&csv, "a,b\nc,d\ne"), ["a,b\n", "c,d\n"]);
    assert_eq!(split(&csv, "\"a\nb\",c\nd\n"), ["\"a\nb\",c\n", "d\n"]);
    assert_eq!(split(&csv, "\"a\"\"\n\",c\nd\n"), ["\"a\"\"\n\",c\n", "d\n"]);
    assert_eq!(split(&csv, "5\" pipe,x\ny\n"), ["5\" pipe,x\n", "y\n"]);
    let escaped = Records::csv(Csv {
        escape: Some(b'\\'),
        comment: Some(b'#'),
        ..MARKS
    });
    assert_eq!(
        split(&escaped, "\"a\\\"\nb\"\n# it's \"\nc\n"),
        ["\"a\\\"\nb\"\n", "# it's \"\n", "c\n"]
    );
    let mut cut = Records::csv(MARKS);
    assert_eq!(cut.last_end(b"a,\"b\nc,d\n"), None);
    assert!(cut.is_quoted());
}

#[test]
fn objects_may_span_lines() {
    let json = Records::json();
    assert_eq!(
        split(&json, "{\"a\":1}\n{\n\"a\": \"}\\\"\"\n}\n"),
        ["{\"a\":1}\n", "{\n\"a\": \"}\\\"\"\n}\n"]
    );
    assert_eq!(split(&json, "{\"a\": oops\"\n{}\n"), ["{\"a\": oops\"\n", "{}\n"]);
}

#[test]
fn an_array_is_lines() {
    let text = "[\n  {\"a\": [1, 2],\n \"b\": \"x,]\\\"\"},\n  {\"a\": []}\n]\n";
    let mut whole = Unlisted::default();
    let lines = String::from_utf8(whole.next(text.as_bytes())).expect("text");
    let lines: Vec<&str> = lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["{\"a\": [1, 2],  \"b\": \"x,]\\\"\"}", "{\"a\": []}"]);
    let mut single = Unlisted::default();
    let bytes: Vec<u8> = text.as_bytes().chunks(1).flat_map(|byte| single.next(byte)).collect();
    assert_eq!(bytes, Unlisted::default().next(text.as_bytes()));
}
