//! The command line that scripts rely on.

use super::*;

fn parse(line: &str) -> Result<Command, String> {
    let words = std::iter::once("mayfly").chain(line.split_whitespace());
    let parsed = Arguments::try_parse_from(words);
    parsed
        .map(|arguments| arguments.command)
        .map_err(|error| error.to_string())
}

fn query(line: &str) -> QueryArguments {
    match parse(line) {
        Ok(Command::Query(arguments)) => arguments,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_is_consistent() {
    use clap::CommandFactory;
    Arguments::command().debug_assert();
}

#[test]
fn query_with_everything() {
    let arguments = query(
        "query --server http://127.0.0.1:9/ --schema s --format jsonl --set target_task_bytes=64KB --set a=b=c --bill -c SELECT",
    );
    assert_eq!(arguments.target.server.server.as_str(), "http://127.0.0.1:9/");
    assert_eq!(arguments.target.schema.as_deref(), Some("s"));
    assert_eq!(arguments.format, Some(FormatName::Jsonl));
    assert_eq!(
        arguments.target.properties,
        [
            ("target_task_bytes".to_owned(), "64KB".to_owned()),
            ("a".to_owned(), "b=c".to_owned())
        ]
    );
    assert!(arguments.bill);
    assert_eq!(arguments.sql.sql.as_deref(), Some("SELECT"));
}

#[test]
fn query_with_nothing() {
    let arguments = query("query");
    assert_eq!(arguments.target.catalog, "lake");
    assert_eq!(arguments.target.schema, None);
    assert_eq!(arguments.format, None);
    assert_eq!(arguments.progress, ProgressMode::Auto);
    assert_eq!((arguments.sql.sql, arguments.sql.file), (None, None));
}

#[test]
fn nonsense_is_refused() {
    for line in [
        "query -c a -f b",
        "query --set a",
        "query --set =b",
        "query --server ftp://x",
        "query --server localhost:8080",
        "query --format xml",
        "query --quiet --bill",
        "explain --type io",
        "load tpch --scale 0",
        "load tpch --scale -1",
        "load tpch --scale nan",
        "load tpch --schema a/b",
        "load",
        "",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn scales_name_schemas() {
    for (scale, schema) in [
        ("1", "tpch_sf1"),
        ("0.1", "tpch_sf0_1"),
        ("0.10", "tpch_sf0_1"),
        ("10", "tpch_sf10"),
        ("1.0", "tpch_sf1"),
    ] {
        let parsed: Scale = scale.parse().unwrap();
        assert_eq!(parsed.schema(), schema, "{scale}");
    }
}
