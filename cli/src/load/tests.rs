//! Generated files: complete, bounded, the same every time.

use super::*;
use table::Piece;

fn scale(text: &str) -> Scale {
    text.parse().unwrap()
}

fn rows(table: Table, scale: Scale, piece: Piece) -> Vec<String> {
    let batches: Result<Vec<_>, _> = table.batches(scale, piece).collect();
    let text = arrow::util::pretty::pretty_format_batches(&batches.unwrap())
        .unwrap()
        .to_string();
    text.lines()
        .filter(|line| line.starts_with('|'))
        .skip(1)
        .map(str::to_owned)
        .collect()
}

#[test]
fn pieces_make_the_table() {
    let small = scale("0.001");
    for table in [
        Table::Supplier,
        Table::Customer,
        Table::Part,
        Table::Partsupp,
        Table::Orders,
        Table::Lineitem,
    ] {
        let whole = rows(table, small, Piece { part: 0, parts: 1 });
        let pieces = (0..3).flat_map(|part| rows(table, small, Piece { part, parts: 3 }));
        // Columns are as wide as their piece needs.
        let squeezed = |row: &String| row.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            whole.iter().map(squeezed).collect::<Vec<_>>(),
            pieces.map(|row| squeezed(&row)).collect::<Vec<_>>()
        );
    }
}

#[test]
fn row_counts_are_those_of_the_standard() {
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Lineitem) {
        let small = scale("0.01");
        assert_eq!(
            rows(table, small, Piece { part: 0, parts: 1 }).len() as u64,
            table.rows(small),
            "{table:?}"
        );
    }
    let ones = Table::ALL.map(|table| table.rows(Scale::ONE));
    assert_eq!(ones, [5, 25, 10_000, 150_000, 200_000, 800_000, 1_500_000, 6_000_000]);
}

#[test]
fn big_tables_have_several_files() {
    let files = |scale: &str| {
        let scale = scale.parse().unwrap();
        Table::ALL.map(|table| File::all(table, scale, "p/").len())
    };
    assert_eq!(files("0.1"), [1; 8]);
    assert_eq!(files("1"), [1, 1, 1, 1, 1, 1, 1, 2]);
    assert!(files("100")[7] > 100);
    let keys: Vec<_> = File::all(Table::Lineitem, Scale::ONE, "p/")
        .into_iter()
        .map(|file| file.key)
        .collect();
    assert_eq!(keys, ["p/part-00000.parquet", "p/part-00001.parquet"]);
}

#[test]
fn names_are_quoted_where_they_must_be() {
    assert_eq!(
        ["tpch_sf0_1", "1st", "a\"b"].map(quoted),
        ["tpch_sf0_1", "\"1st\"", "\"a\"\"b\""]
    );
}
