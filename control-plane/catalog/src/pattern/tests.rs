//! Patterns beside the keys that they match and do not match.

use super::Pattern;

fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    let parsed = Pattern::parse(pattern).unwrap();
    for key in yes {
        assert!(parsed.matches(key), "{pattern} matches {key}");
    }
    for key in no {
        assert!(!parsed.matches(key), "{pattern} does not match {key}");
    }
}

#[test]
fn a_star_stays_in_its_folder() {
    check(
        "a/*.parquet",
        &["a/x.parquet", "a/.parquet"],
        &["a/b/x.parquet", "a/x.csv", "b/x.parquet"],
    );
    check("a*b*c", &["abc", "aXbYc", "abbc", "aXbbYc"], &["ab", "abcd", "a/b/c"]);
    check("*", &["x", ""], &["x/y"]);
}

#[test]
fn two_stars_are_any_number_of_folders() {
    check(
        "a/**/x.csv",
        &["a/x.csv", "a/b/x.csv", "a/b/c/x.csv"],
        &["x.csv", "a/b/y.csv"],
    );
    check("a/**", &["a/x", "a/b/c"], &["b/x"]);
    check("**/*.json", &["x.json", "a/b/x.json"], &["a/b/x.csv"]);
    check("a/x**y", &["a/xy", "a/x1y"], &["a/x/y"]);
}

#[test]
fn one_character() {
    check("f?.csv", &["f1.csv", "fé.csv"], &["f.csv", "f12.csv"]);
    check("f[0-2x].csv", &["f0.csv", "f2.csv", "fx.csv"], &["f3.csv", "f-.csv"]);
    check("f[!0-2].csv", &["f3.csv"], &["f1.csv"]);
    check("f[a-].csv", &["f-.csv", "fa.csv"], &["fb.csv"]);
}

#[test]
fn braces_are_alternatives() {
    check(
        "{a,b/c}/{1,2}*.csv",
        &["a/1x.csv", "b/c/2.csv"],
        &["a/3.csv", "b/1.csv"],
    );
    check("x{,.gz}", &["x", "x.gz"], &["x."]);
    check("{a,{b,c}d}", &["a", "bd", "cd"], &["b", "ad"]);
}

#[test]
fn what_is_not_closed_is_refused() {
    assert_eq!(Pattern::parse("a{b").unwrap_err(), "its '{' is not closed");
    assert_eq!(Pattern::parse("a[b").unwrap_err(), "its '[' is not closed");
    assert!(Pattern::parse(&"{a,b}".repeat(20)).is_err());
}

#[test]
fn a_pattern_of_many_stars_takes_no_long_time() {
    check(&"*a".repeat(200), &[], &[&"b".repeat(2_000)]);
    check(&format!("{}x", "**/".repeat(200)), &[], &[&"b/".repeat(1_000)]);
}

#[test]
fn hidden_names_are_asked_for() {
    assert!(Pattern::parse("a/_*.csv").unwrap().names_hidden());
    assert!(!Pattern::parse("a/*_.csv").unwrap().names_hidden());
}
