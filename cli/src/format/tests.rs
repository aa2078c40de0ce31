//! Each form on the same awkward rows.

use super::FormatName;
use crate::client::Column;
use clap::ValueEnum;
use expect_test::{Expect, expect};
use serde_json::value::RawValue;

const COLUMNS: [(&str, &str); 3] = [("id", "bigint"), ("name", "varchar"), ("price", "decimal(15, 2)")];
const ROWS: [[&str; 3]; 4] = [
    ["1", r#""plain""#, r#""1.50""#],
    ["-9007199254740993", r#""say \"a, b\"\nand\tc\\""#, "null"],
    ["null", r#""""#, r#""-0.05""#],
    ["4", "null", r#""100.00""#],
];

fn print(format: FormatName, columns: &[(&str, &str)], rows: &[&[&str]]) -> String {
    let column = |(name, type_name): &(&str, &str)| Column {
        name: (*name).to_owned(),
        type_name: (*type_name).to_owned(),
    };
    let mut sink = format.sink();
    let mut out = Vec::new();
    sink.begin(&columns.iter().map(column).collect::<Vec<_>>(), &mut out)
        .unwrap();
    for row in rows {
        let tokens: Vec<&RawValue> = row.iter().map(|token| serde_json::from_str(token).unwrap()).collect();
        sink.row(&tokens, &mut out).unwrap();
    }
    sink.end(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn check(format: FormatName, expected: Expect) {
    let rows: Vec<&[&str]> = ROWS.iter().map(|row| row.as_slice()).collect();
    expected.assert_eq(&print(format, &COLUMNS, &rows));
}

#[test]
fn csv_tells_null_from_an_empty_text() {
    check(
        FormatName::Csv,
        expect![[r#"
            id,name,price
            1,plain,1.50
            -9007199254740993,"say ""a, b""
            and	c\",
            ,"",-0.05
            4,,100.00
        "#]],
    );
}

#[test]
fn csv_without_header() {
    let text = print(FormatName::CsvNoheader, &COLUMNS, &[&["1", "null", "null"]]);
    assert_eq!(text, "1,,\n");
}

#[test]
fn tsv_has_one_line_per_row() {
    check(
        FormatName::Tsv,
        expect![[r#"
            id	name	price
            1	plain	1.50
            -9007199254740993	say "a, b"\nand\tc\\	\N
            \N		-0.05
            4	\N	100.00
        "#]],
    );
}

#[test]
fn json_is_one_array() {
    check(
        FormatName::Json,
        expect![[r#"
            [{"id":1,"name":"plain","price":"1.50"},
             {"id":-9007199254740993,"name":"say \"a, b\"\nand\tc\\","price":null},
             {"id":null,"name":"","price":"-0.05"},
             {"id":4,"name":null,"price":"100.00"}]
        "#]],
    );
}

#[test]
fn jsonl_is_an_object_a_line() {
    check(
        FormatName::Jsonl,
        expect![[r#"
            {"id":1,"name":"plain","price":"1.50"}
            {"id":-9007199254740993,"name":"say \"a, b\"\nand\tc\\","price":null}
            {"id":null,"name":"","price":"-0.05"}
            {"id":4,"name":null,"price":"100.00"}
        "#]],
    );
}

#[test]
fn json_without_rows_is_an_empty_array_and_jsonl_is_nothing() {
    assert_eq!(print(FormatName::Json, &COLUMNS, &[]), "[]\n");
    assert_eq!(print(FormatName::Jsonl, &COLUMNS, &[]), "");
}

#[test]
fn json_names_are_distinct() {
    let columns = [
        ("a", "integer"),
        ("a", "integer"),
        ("a_2", "integer"),
        ("q\"", "integer"),
    ];
    let text = print(FormatName::Jsonl, &columns, &[&["1", "2", "3", "4"]]);
    assert_eq!(text, "{\"a\":1,\"a_2\":2,\"a_2_2\":3,\"q\\\"\":4}\n");
}

#[test]
fn table_aligns_numbers_right_and_shows_control_characters() {
    check(
        FormatName::Table,
        expect![[r#"
                            id | name                |  price
            -------------------+---------------------+--------
                             1 | plain               |   1.50
             -9007199254740993 | say "a, b"\nand\tc\ |   NULL
                          NULL |                     |  -0.05
                             4 | NULL                | 100.00
        "#]],
    );
}

#[test]
fn table_counts_columns_of_a_terminal() {
    let text = print(
        FormatName::Table,
        &[("s", "varchar"), ("n", "integer")],
        &[&[r#""蜉蝣""#, "1"], &[r#""é""#, "22"]],
    );
    expect![[r#"
         s    |  n
        ------+----
         蜉蝣 |  1
         é    | 22
    "#]]
    .assert_eq(&text);
}

#[test]
fn table_without_rows_has_its_head() {
    assert_eq!(print(FormatName::Table, &[("a", "integer")], &[]), " a\n---\n");
}

#[test]
fn table_streams_beyond_the_rows_it_measures() {
    let short: &[&str] = &["1"];
    let wide: &[&str] = &["123456"];
    let mut rows = vec![short; 1_000];
    rows.push(wide);
    let text = print(FormatName::Table, &[("a", "integer")], &rows);
    assert_eq!(text.lines().count(), 2 + 1_001);
    assert_eq!(text.lines().last(), Some(" 123456"));
}

#[test]
fn a_terminal_is_safe_from_cells() {
    let text = print(FormatName::Table, &[("a", "varchar")], &[&[r#""\u001b[2J""#]]);
    assert!(text.ends_with(" \\u{1b}[2J\n"), "{text}");
}

#[test]
fn markdown_escapes_bars() {
    let text = print(
        FormatName::Markdown,
        &[("a|b", "varchar"), ("n", "double")],
        &[&[r#""x|y""#, "1.0"]],
    );
    assert_eq!(text, "| a\\|b | n |\n| --- | ---: |\n| x\\|y | 1.0 |\n");
}

#[test]
fn vertical_has_a_column_a_line() {
    let text = print(
        FormatName::Vertical,
        &[("a", "varchar"), ("long", "integer")],
        &[&["null", "1"], &[r#""x""#, "2"]],
    );
    assert_eq!(
        text,
        "-[ RECORD 1 ]-\na    | NULL\nlong | 1\n-[ RECORD 2 ]-\na    | x\nlong | 2\n"
    );
}

#[test]
fn null_prints_nothing() {
    assert_eq!(print(FormatName::Null, &COLUMNS, &[&["1", "null", "null"]]), "");
}

#[test]
fn nested_values_and_doubles_keep_their_tokens() {
    let row: &[&str] = &[r#"[1,{"k":"v"}]"#, "1.0E-7", "\"NaN\""];
    let columns = [("l", "array(row(k varchar))"), ("d", "double"), ("n", "double")];
    assert_eq!(
        print(FormatName::CsvNoheader, &columns, &[row]),
        "\"[1,{\"\"k\"\":\"\"v\"\"}]\",1.0E-7,NaN\n"
    );
    assert_eq!(
        print(FormatName::Jsonl, &columns, &[row]),
        "{\"l\":[1,{\"k\":\"v\"}],\"d\":1.0E-7,\"n\":\"NaN\"}\n"
    );
}

#[test]
fn names_on_the_command_line() {
    let names: Vec<_> = FormatName::value_variants()
        .iter()
        .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
        .collect();
    let expected = [
        "table",
        "csv",
        "csv-noheader",
        "tsv",
        "json",
        "jsonl",
        "markdown",
        "vertical",
        "null",
    ];
    assert_eq!(names, expected);
}
