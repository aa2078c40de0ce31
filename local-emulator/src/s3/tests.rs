//! The parts of S3 that need no HTTP: the log's torn tails, pages of listings, what is counted as what.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use http::{HeaderMap, Method, Uri};

use super::classify::classify;
use super::listing::{PageRequest, Start};
use super::log::{FileRecord, Log, Record};
use super::object::{About, Object};

fn put(n: u64) -> Record {
    let about = About {
        size: n,
        etag: format!("etag {n}"),
        modified_ms: n,
        ..About::default()
    };
    Record::Put {
        bucket: "b".to_owned(),
        key: format!("k{n}"),
        files: vec![FileRecord { id: n, size: n }],
        about,
    }
}

#[test]
fn a_log_cut_anywhere_keeps_its_whole_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mut log, _) = Log::open(&path, false).unwrap();
    let mut ends = vec![0];
    for n in 0..5 {
        log.append(&put(n)).unwrap();
        ends.push(std::fs::metadata(&path).unwrap().len() as usize);
    }
    let bytes = std::fs::read(&path).unwrap();
    for cut in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let (mut log, records) = Log::open(&path, false).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        assert_eq!(records, (0..whole as u64).map(put).collect::<Vec<_>>(), "cut at {cut}");
        log.append(&put(9)).unwrap();
        let (_, records) = Log::open(&path, false).unwrap();
        assert_eq!(
            records.last(),
            Some(&put(9)),
            "what follows a torn record is kept, cut at {cut}"
        );
        assert_eq!(records.len(), whole + 1);
    }
}

#[test]
fn a_flipped_bit_ends_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mut log, _) = Log::open(&path, false).unwrap();
    (0..3).for_each(|n| log.append(&put(n)).unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(Log::open(&path, false).unwrap().1, [put(0), put(1)]);
}

#[test]
fn a_record_that_no_start_would_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mut log, _) = Log::open(&path, false).unwrap();
    log.append(&put(0)).unwrap();
    let huge = Record::DeleteBucket {
        bucket: "x".repeat(5 << 20),
    };
    assert_eq!(log.append(&huge).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    log.append(&put(1)).unwrap();
    assert_eq!(Log::open(&path, false).unwrap().1, [put(0), put(1)]);
}

#[test]
fn damage_before_the_last_record_is_refused_and_cuts_nothing_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mut log, _) = Log::open(&path, false).unwrap();
    (0..3).for_each(|n| log.append(&put(n)).unwrap());
    let whole = std::fs::read(&path).unwrap();
    // In the body, and in the upper byte of the length.
    for at in [20, 3] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        let error = Log::open(&path, false).unwrap_err();
        assert!(error.to_string().contains("damaged at byte 0"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    // A record of another version reads whole and means nothing here.
    let body = br#"{"Frobnicate":{}}"#;
    let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
    bytes.extend(crc32c::crc32c(body).to_le_bytes());
    bytes.extend(body);
    std::fs::write(&path, [bytes, whole.clone()].concat()).unwrap();
    let error = Log::open(&path, false).unwrap_err();
    assert!(error.to_string().contains("Frobnicate"), "{error}");
    // What a machine that died leaves behind is no damage.
    std::fs::write(&path, [whole, vec![0; 4096]].concat()).unwrap();
    assert_eq!(Log::open(&path, false).unwrap().1.len(), 3);
}

#[test]
fn a_rewritten_log_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut log = Log::rewrite(&path, (0..3).map(put), false).unwrap();
    log.append(&put(3)).unwrap();
    assert_eq!(Log::open(&path, false).unwrap().1, (0..4).map(put).collect::<Vec<_>>());
}

fn check_pages(keys: &[&str], prefix: &str, delimiter: Option<&str>, start: Start, expected: Expect) {
    let object = |key: &&str| {
        let about = About::default();
        (
            (*key).to_owned(),
            Object {
                segments: Vec::new(),
                about,
            },
        )
    };
    let objects: BTreeMap<String, Object> = keys.iter().map(object).collect();
    let (mut next, mut shown) = (Some(start), String::new());
    while let Some(start) = next {
        let delimiter = delimiter.map(str::to_owned);
        let page = PageRequest {
            prefix: prefix.to_owned(),
            delimiter,
            start,
            items_max: 2,
        }
        .page(&objects)
        .unwrap();
        let keys: Vec<&str> = page.keys.iter().map(|(key, _)| key.as_str()).collect();
        let (keys, prefixes) = (keys.join(" "), page.common_prefixes.join(" "));
        shown += &format!("[{}] [{}]\n", keys.escape_default(), prefixes.escape_default());
        next = page.next;
    }
    expected.assert_eq(&shown);
}

const KEYS: [&str; 9] = [
    "a",
    "a/1",
    "a/2",
    "a/\u{10FFFF}",
    "a0",
    "b/1",
    "\u{D7FF}/x",
    "\u{E000}/x",
    "\u{10FFFF}/x",
];

#[test]
fn pages() {
    let with_delimiter = expect![[r#"
        [a] [a/]
        [a0] [b/]
        [] [\u{d7ff}/ \u{e000}/]
        [] [\u{10ffff}/]
    "#]];
    check_pages(&KEYS, "", Some("/"), Start::First, with_delimiter);
    let with_prefix = expect![[r#"
        [a/1 a/2] []
        [a/\u{10ffff}] []
    "#]];
    check_pages(&KEYS, "a/", None, Start::First, with_prefix);
    let after_key = expect![[r#"
        [b/1 \u{d7ff}/x] []
        [\u{e000}/x \u{10ffff}/x] []
    "#]];
    check_pages(&KEYS, "", None, Start::AfterKey("b".to_owned()), after_key);
    let after_prefix = expect![[r#"
        [b/1] []
    "#]];
    check_pages(&KEYS, "b", None, Start::AfterPrefix("a".to_owned()), after_prefix);
    let behind_all = expect![[r#"
        [] []
    "#]];
    check_pages(&KEYS, "", None, Start::AfterPrefix("\u{10FFFF}".to_owned()), behind_all);
}

#[test]
fn requests_are_told_apart() {
    let cases = [
        ("GET", "/b/k", "", "b Get"),
        ("HEAD", "/b/k", "", "b Head"),
        ("PUT", "/b/k?x-id=PutObject", "", "b Put"),
        ("PUT", "/b/k", "x-amz-copy-source", "b Copy"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "", "b MultipartPart"),
        ("POST", "/b/k?uploads", "", "b MultipartCreate"),
        ("POST", "/b/k?uploadId=u", "", "b MultipartComplete"),
        ("DELETE", "/b/k?uploadId=u", "", "b MultipartAbort"),
        ("DELETE", "/b/k", "", "b Delete"),
        ("GET", "/b?list-type=2&prefix=uploadId", "", "b List"),
        ("GET", "/b/", "", "b List"),
        ("POST", "/b?delete", "", "b Delete"),
        ("PUT", "/b", "", "b CreateBucket"),
        ("GET", "/", "", " List"),
    ];
    for (method, uri, header, expected) in cases {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert(header, "x".parse().unwrap());
        }
        let (bucket, operation) = classify(
            &method.parse::<Method>().unwrap(),
            &uri.parse::<Uri>().unwrap(),
            &headers,
        );
        assert_eq!(format!("{bucket} {operation:?}"), expected, "{method} {uri}");
    }
}
