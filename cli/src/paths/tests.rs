//! Paths beside the buckets that they become.

use super::{Paths, parted};
use crate::statements;

fn places(sql: &str) -> Vec<String> {
    let paths = Paths::of(&statements::split(sql)).unwrap();
    paths.places.into_values().collect()
}

#[test]
fn the_folder_above_the_first_wildcard() {
    assert_eq!(parted("a/b/*.csv"), ("a/b", "*.csv"));
    assert_eq!(parted("a/b*/c.csv"), ("a", "b*/c.csv"));
    assert_eq!(parted("x.csv"), (".", "x.csv"));
    assert_eq!(parted("*.csv"), (".", "*.csv"));
    assert_eq!(parted("/x.csv"), ("/", "x.csv"));
    assert_eq!(parted("src"), ("src", ""));
    assert_eq!(parted("./src/"), ("./src/", ""));
}

#[test]
fn statements_name_places() {
    assert_eq!(places("SELECT * FROM 's3://b/x.csv'; SELECT 1"), [""; 0]);
    assert_eq!(places("SELECT * FROM './src/*.csv'"), ["s3://local-1/*.csv"]);
    assert_eq!(
        places("SELECT * FROM 'src/a.csv' a JOIN read_csv('./src/b.csv') b ON a.x = b.x"),
        ["s3://local-1/b.csv", "s3://local-1/a.csv"]
    );
    assert_eq!(
        places("SUMMARIZE 'src'; DESCRIBE 'src/x.csv'"),
        ["s3://local-1/", "s3://local-1/x.csv"]
    );
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let failure = Paths::of(&statements::split("SELECT * FROM './nowhere/*.csv'")).unwrap_err();
    assert!(failure.to_string().contains("'./nowhere/*.csv'"), "{failure}");
}

#[test]
fn messages_name_paths() {
    let sql = "SELECT * FROM './src/*.csv'";
    let paths = Paths::of(&statements::split(sql)).unwrap();
    let folder = std::fs::canonicalize("src").unwrap();
    assert_eq!(
        paths.spelled("'s3://local-1/x.csv' is bad"),
        format!("'{}/x.csv' is bad", folder.display())
    );
}
