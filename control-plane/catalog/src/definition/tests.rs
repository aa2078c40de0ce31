//! Objects of tables and views outlive the server that wrote them. An old golden is never edited; new meaning gets a new version and a new
//! file.

use super::*;
use crate::{CATALOG_NAME, LearnedColumn};
use arrow::datatypes::Field;
use expect_test::{ExpectFile, expect_file};
use mayfly_protocol::CsvFormat;

fn name(table: &str) -> TableRef {
    TableRef {
        catalog: CATALOG_NAME.to_owned(),
        schema: "shop".to_owned(),
        table: table.to_owned(),
    }
}

fn columns(fields: &[(&str, DataType)]) -> SchemaRef {
    let fields = fields.iter().map(|(name, of)| Field::new(*name, of.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Parquet files in folders by day, of which ANALYZE TABLE has learned something.
fn orders() -> TableDefinition {
    let tags = DataType::new_list(DataType::Utf8, true);
    let fields = [
        ("Id", DataType::Int64),
        ("price", DataType::Decimal128(12, 2)),
        ("tags", tags),
        ("day", DataType::Date32),
    ];
    TableDefinition {
        name: name("orders"),
        location: Location {
            bucket: "lake".to_owned(),
            prefix: "shop/orders".to_owned(),
        },
        format: FileFormat::Parquet,
        schema: columns(&fields),
        partition_columns: 1,
        learned: Some(LearnedStatistics {
            rows: 1_000,
            size_bytes: 65_536,
            columns: vec![LearnedColumn {
                name: "Id".to_owned(),
                values: 1_000,
                distinct: 998,
            }],
        }),
    }
}

/// Lines with a format of their own, in a whole bucket.
fn visits() -> TableDefinition {
    TableDefinition {
        name: name("visits"),
        location: Location {
            bucket: "visits".to_owned(),
            prefix: String::new(),
        },
        format: FileFormat::Csv(CsvFormat {
            delimiter: '\t',
            null_value: Some("NA".to_owned()),
            ..CsvFormat::default()
        }),
        schema: columns(&[("who", DataType::Utf8), ("at", DataType::Utf8)]),
        partition_columns: 0,
        learned: None,
    }
}

fn view() -> ViewDefinition {
    ViewDefinition {
        name: name("dear"),
        sql: "SELECT \"Id\", price\nFROM orders -- \"check\":\"\nWHERE price > 100".to_owned(),
        catalog: CATALOG_NAME.to_owned(),
        schema: "shop".to_owned(),
        columns: columns(&[("Id", DataType::Int64), ("price", DataType::Decimal128(12, 2))]),
    }
}

/// The object is its golden file, is whole, and reads back from it.
#[track_caller]
fn check(relation: &Relation, golden: ExpectFile) {
    let bytes = relation.encode().expect("it can be written");
    golden.assert_eq(std::str::from_utf8(&bytes).expect("JSON is UTF-8"));
    let held = golden.data();
    assert_eq!(whole::look(held.as_bytes()), Whole::Yes);
    let read = Relation::decode("golden", held.as_bytes()).expect("it can be read");
    assert_eq!(read, *relation);
    assert_eq!(read.encode().expect("it can be written again"), held.as_bytes());
}

#[test]
fn tables_and_views_are_their_goldens() {
    check(
        &Relation::Table(orders()),
        expect_file!["../../../../tests/golden/catalog/table_parquet.v1.json"],
    );
    check(
        &Relation::Table(visits()),
        expect_file!["../../../../tests/golden/catalog/table_csv.v1.json"],
    );
    check(
        &Relation::View(view()),
        expect_file!["../../../../tests/golden/catalog/view.v1.json"],
    );
}

#[test]
fn another_version_is_refused() {
    let text = String::from_utf8(Relation::View(view()).encode().expect("it can be written")).expect("JSON is UTF-8");
    let (json, _) = text.rsplit_once(",\n\"check\"").expect("it is sealed");
    let next = json.replacen("\"v\": 1", "\"v\": 2", 1) + "}";
    let error = Relation::decode("view.json", &whole::seal(next.into_bytes())).expect_err("of the future");
    assert!(error.message.contains("version 2 is not 1"), "{error:?}");
}
