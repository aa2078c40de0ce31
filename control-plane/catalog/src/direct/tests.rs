//! What names tell of formats, and where a table of several places lies.

use super::{common, named};
use crate::Locations;
use crate::place::Place;
use mayfly_protocol::FileFormat;

fn places(texts: &[&str]) -> Vec<Place> {
    let parse = |text: &&str| Place::parse(text, &Locations::any(), "control").unwrap();
    texts.iter().map(parse).collect()
}

#[test]
fn the_folder_above_all_files() {
    let check = |texts: &[&str], expected: &str| {
        assert_eq!(common(&places(texts)).unwrap().to_string(), expected, "{texts:?}");
    };
    check(&["s3://bucket/a/b/*.parquet"], "s3://bucket/a/b");
    check(&["s3://bucket/a/b/"], "s3://bucket/a/b");
    check(&["s3://bucket/a/b.csv"], "s3://bucket/a");
    check(&["s3://bucket/*.csv"], "s3://bucket/");
    check(&["s3://bucket/a/b/1.csv", "s3://bucket/a/c/*.csv"], "s3://bucket/a");
    check(&["s3://bucket/a/year=2024/month=*/*.csv"], "s3://bucket/a");
    check(&["s3://bucket/year=2024/x.csv"], "s3://bucket/");
}

#[test]
fn two_buckets_are_refused() {
    let error = common(&places(&["s3://one/a.csv", "s3://two/a.csv"])).unwrap_err();
    assert!(error.message.contains("two buckets"), "{error:?}");
}

#[test]
fn places_are_checked_before_they_are_read() {
    let allowed = Locations::parse("s3://open/part").unwrap();
    let check = |text: &str, fine: bool| {
        let parsed = Place::parse(text, &allowed, "control");
        assert_eq!(parsed.is_ok(), fine, "{text}: {parsed:?}");
    };
    check("s3://open/part/*.csv", true);
    check("s3://open/part/x.csv", true);
    check("s3://open/part/**/x?.csv", true);
    check("s3://open/par*/x.csv", false);
    check("s3://open/*.csv", false);
    check("s3://shut/*.csv", false);
    check("s3://*/part/x.csv", false);
    check("s3://open/part/../x.csv", false);
    check("./part/*.csv", false);
    check("http://open/part/x.csv", false);
    check("s3://control/catalog/*.json", false);
}

#[test]
fn endings_tell_formats() {
    let check = |key: &str, expected: Option<&str>| {
        let format = named(key).map(|format: FileFormat| format.to_string());
        assert_eq!(format.as_deref(), expected, "{key}");
    };
    check("a/x.parquet", Some("PARQUET"));
    check("a/x.snappy.PARQUET", Some("PARQUET"));
    check("a/x.parquet.gz", None);
    check("a/x.csv.gz", Some("CSV"));
    check("a/x.tsv.zst", Some("CSV"));
    check("a/x.jsonl", Some("JSON"));
    check("a/x.ndjson.bz2", Some("JSON"));
    check("a/x", None);
    check("a.csv/x", None);
    check("a/x.gz", None);
    check("a/csv", None);
}
