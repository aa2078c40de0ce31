//! The code map of `docs/architecture.md`: which crate may use which of ours. Reads its rows and nothing else of the page.

use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../../../docs/architecture.md");

/// Head of the table's last column.
const USES: &str = "What it may use of ours";

/// Crates by their short names, as the page has them.
pub fn layers() -> BTreeMap<String, BTreeSet<String>> {
    let mut lines = PAGE.lines().skip_while(|line| !line.contains(USES));
    assert!(lines.next().is_some(), "the page has a table with the column {USES:?}");
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(row).collect()
}

/// `| folder | crate | what it is | a, b |`
fn row(line: &str) -> (String, BTreeSet<String>) {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [_, name, .., uses] = cells[..] else {
        panic!("a row has four cells: {line}");
    };
    let uses = uses.split(", ").filter(|name| *name != "nothing");
    (name.to_owned(), uses.map(str::to_owned).collect())
}
