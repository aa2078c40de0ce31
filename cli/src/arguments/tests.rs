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
    assert_eq!(arguments.output.format, Some(FormatName::Jsonl));
    assert_eq!(
        arguments.target.properties,
        [
            ("target_task_bytes".to_owned(), "64KB".to_owned()),
            ("a".to_owned(), "b=c".to_owned())
        ]
    );
    assert!(arguments.output.bill);
    assert_eq!(arguments.sql.sql.as_deref(), Some("SELECT"));
}

#[test]
fn query_with_nothing() {
    let arguments = query("query");
    assert_eq!(arguments.target.catalog, "lake");
    assert_eq!(arguments.target.schema, None);
    assert_eq!(arguments.output.format, None);
    assert_eq!(arguments.output.progress, ProgressMode::Auto);
    assert_eq!((arguments.sql.sql, arguments.sql.file), (None, None));
}

#[test]
fn nonsense_is_refused() {
    for line in [
        "query -c a -f b",
        "query --set a",
        "query --set =b",
        "query --server ftp://x",
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

#[test]
fn serve_with_everything() {
    let line = "serve --local --port 0 --data /d --mount a=/x --mount b=/y=z --concurrency 3 --memory 3538 --executor-user 65534:65534";
    let Ok(Command::Serve(arguments)) = parse(line) else {
        panic!("{line}")
    };
    assert_eq!((arguments.port, arguments.concurrency), (0, Some(3)));
    assert_eq!(
        arguments.mounts,
        [
            ("a".to_owned(), PathBuf::from("/x")),
            ("b".to_owned(), PathBuf::from("/y=z"))
        ]
    );
    assert_eq!(arguments.memory, FunctionSize::Two);
    assert_eq!(arguments.executor_user, Some(User { uid: 65534, gid: 65534 }));
}

#[test]
fn serve_refuses_what_it_cannot_do() {
    for line in [
        "serve",
        "serve --local --memory 2000",
        "serve --local --mount a",
        "serve --local --concurrency 0",
        "serve --local --executor-user root",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn demo_takes_queries_by_number() {
    let Ok(Command::Demo(arguments)) = parse("demo --scale 0.1 --queries 1,22") else {
        panic!("demo")
    };
    let titles: Vec<_> = arguments.queries.iter().map(|query| query.title()).collect();
    assert_eq!(
        titles,
        ["TPC-H 1: pricing summary report", "TPC-H 22: global sales opportunity"]
    );
    let Ok(Command::Demo(arguments)) = parse("demo") else {
        panic!("demo")
    };
    assert_eq!((arguments.scale, arguments.queries.len()), (Scale::ONE, 4));
    assert!(
        parse("demo --queries 0").is_err() && parse("demo --queries 23").is_err() && parse("demo --queries x").is_err()
    );
}

#[test]
fn every_query_is_one_statement() {
    for number in 1..=22 {
        let query: Query = number.to_string().parse().unwrap();
        let whole = crate::statements::Statement::whole(query.sql());
        assert_eq!(crate::statements::split(query.sql()), [whole], "{number}");
        assert!(
            query.title().starts_with(&format!("TPC-H {number}: ")),
            "{}",
            query.title()
        );
    }
}

#[test]
fn text_that_begins_like_a_flag_is_sql() {
    let words = ["mayfly", "query", "-c", "-- note\nSELECT 1"];
    let Ok(Command::Query(arguments)) = Arguments::try_parse_from(words).map(|parsed| parsed.command) else {
        panic!("it is a query");
    };
    assert_eq!(arguments.sql.sql.as_deref(), Some("-- note\nSELECT 1"));
}

#[test]
fn a_server_needs_no_scheme() {
    for (text, expected) in [
        ("localhost:8080", "http://localhost:8080/"),
        ("127.0.0.1:9", "http://127.0.0.1:9/"),
        ("http://host:1", "http://host:1/"),
    ] {
        let arguments = query(&format!("query --server {text}"));
        assert_eq!(arguments.target.server.server.as_str(), expected);
    }
}
