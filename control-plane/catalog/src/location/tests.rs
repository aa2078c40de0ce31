//! Tests of `location`.

use super::*;
use mayfly_protocol::ErrorCode;

fn locations() -> Locations {
    Locations::parse("s3://lake, s3://shared/public/").unwrap()
}

#[test]
fn allowed_places_are_normalized() {
    let cases = [
        ("s3://lake", "s3://lake/"),
        ("s3://lake/", "s3://lake/"),
        ("s3://lake/a/b", "s3://lake/a/b"),
        ("s3://lake/a/b///", "s3://lake/a/b"),
        ("s3://shared/public", "s3://shared/public"),
        ("s3://shared/public/x y/z=1", "s3://shared/public/x y/z=1"),
        ("s3://lake/100%/a?b#c*d@e", "s3://lake/100%/a?b#c*d@e"),
        ("s3://lake/\"<a>\"\\b", "s3://lake/\"<a>\"\\b"),
        ("s3://lake/%41/%2e.b", "s3://lake/%41/%2e.b"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            locations().check(text, "control").unwrap().to_string(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn everything_else_is_refused() {
    let cases = [
        "",
        "lake",
        "/lake",
        "lake/a",
        "s3:/lake",
        "s3a://lake/a",
        "S3://lake/a",
        "file:///lake",
        "http://lake/a",
        "s3://LAKE/a",
        "s3://la",
        "s3://lake./a",
        "s3://la..ke/a",
        "s3://lake:80/a",
        "s3://u:p@lake/a",
        "s3://127.0.0.1:9000/a",
        "s3://lake/../control",
        "s3://lake/a/./b",
        "s3://lake//a",
        "s3://lake/%2e%2e/control",
        "s3://lake/a\\..\\b",
        "s3://lake/a\nb",
        "s3://lake/a\0",
        "s3://lake/.%2E/control",
        "s3://shared",
        "s3://shared/publicity",
        "s3://shared/private",
        "s3://shared/public/../private",
        "s3://other/a",
    ];
    for text in cases {
        let refused = locations().check(text, "control").map_err(|error| error.code);
        assert_eq!(refused, Err(ErrorCode::LocationNotAllowed), "{text:?}");
    }
}

#[test]
fn the_control_bucket_shows_only_its_tables() {
    let any = Locations::any();
    assert!(any.check("s3://control/tables/tpch/orders", "control").is_ok());
    for text in [
        "s3://control",
        "s3://control/j",
        "s3://control/j/default/q",
        "s3://control/x/",
        "s3://control/catalog/lake",
        "s3://control/p/1",
    ] {
        assert!(any.check(text, "control").is_err(), "{text}");
        assert!(any.check(text, "another").is_ok(), "{text}");
    }
}

#[test]
fn a_list_that_is_none_is_refused() {
    assert!(Locations::parse("s3://lake,file:///etc").is_err());
    assert!(Locations::parse("s3://lake/*").is_err());
    assert_eq!(Locations::parse("s3://lake, *").unwrap(), Locations::any());
    assert!(Locations::parse("").unwrap().check("s3://lake/a", "control").is_err());
}
