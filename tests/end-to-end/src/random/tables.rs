//! The tables of random queries: few values, so that keys meet; NULLs; one table without rows.

use super::{Column, Kind, Relation};
use datafusion::common::Result;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{SessionConfig, SessionContext};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::path::Path;

pub struct Table {
    pub name: &'static str,
    columns: &'static [(&'static str, Kind)],
    rows: usize,
}

pub const TABLES: [Table; 4] = [
    Table {
        name: "t",
        columns: &[
            ("a", Kind::Int),
            ("b", Kind::Big),
            ("c", Kind::Text),
            ("d", Kind::Double),
            ("e", Kind::Decimal),
            ("f", Kind::Date),
            ("g", Kind::Bool),
            ("h", Kind::Time),
        ],
        rows: 120,
    },
    Table {
        name: "u",
        columns: &[
            ("a", Kind::Int),
            ("k", Kind::Big),
            ("s", Kind::Text),
            ("x", Kind::Double),
            ("p", Kind::Decimal),
            ("w", Kind::Date),
        ],
        rows: 90,
    },
    Table {
        name: "v",
        columns: &[("a", Kind::Int), ("n", Kind::Int), ("c", Kind::Text), ("g", Kind::Bool)],
        rows: 25,
    },
    Table {
        name: "z",
        columns: &[("a", Kind::Int), ("c", Kind::Text)],
        rows: 0,
    },
];

/// Rows of a file's row group: a forced scan has several tasks.
const ROW_GROUP_ROWS: u64 = 16;

const WORDS: [&str; 13] = [
    "", "a", "b", "ab", "abc", "b%", "_x", "Zed", "é", "x y", "NULL", "apple", "pear",
];

/// One value in so many is NULL.
const NULL_SHARE: u32 = 8;

/// Writes each table to a folder of its name, as one file of several row groups.
pub async fn write(folder: &Path, seed: u64) -> Result<()> {
    let context = SessionContext::new_with_config(
        SessionConfig::new()
            .with_target_partitions(1)
            .set_u64("datafusion.execution.parquet.max_row_group_size", ROW_GROUP_ROWS),
    );
    for table in &TABLES {
        for statement in table.statements(seed) {
            context.sql(&statement).await?.collect().await?;
        }
        let folder = folder.join(table.name);
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("part.parquet");
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        let rows = context.table(table.name).await?;
        rows.write_parquet(&file.to_string_lossy(), options, None).await?;
    }
    Ok(())
}

impl Table {
    pub(super) fn relation(&self) -> Relation {
        let column = |(name, kind): &(&str, Kind)| Column {
            name: (*name).to_owned(),
            kind: *kind,
        };
        Relation {
            name: self.name.to_owned(),
            columns: self.columns.iter().map(column).collect(),
        }
    }

    /// `CREATE TABLE`, and `INSERT` if there are rows.
    fn statements(&self, seed: u64) -> Vec<String> {
        let columns = self.columns.iter().map(|(name, kind)| format!("{name} {}", kind.sql()));
        let create = format!("CREATE TABLE {}({})", self.name, columns.collect::<Vec<_>>().join(", "));
        let mut chance = SmallRng::seed_from_u64(seed);
        let mut row = || {
            let values = self.columns.iter().map(|(_, kind)| nullable(&mut chance, *kind));
            format!("({})", values.collect::<Vec<_>>().join(", "))
        };
        let rows: Vec<String> = (0..self.rows).map(|_| row()).collect();
        match rows.is_empty() {
            true => vec![create],
            false => vec![create, format!("INSERT INTO {} VALUES {}", self.name, rows.join(", "))],
        }
    }
}

fn nullable(chance: &mut SmallRng, kind: Kind) -> String {
    match chance.random_range(0..NULL_SHARE) {
        0 => "NULL".to_owned(),
        _ => literal(chance, kind),
    }
}

/// A value as SQL writes it. Doubles are quarters, so that sums do not depend on their order.
pub(super) fn literal(chance: &mut SmallRng, kind: Kind) -> String {
    match kind {
        Kind::Int => chance.random_range(-4..=12).to_string(),
        Kind::Big if chance.random() => chance.random_range(-1_000_000..=1_000_000).to_string(),
        Kind::Big => chance.random_range(-5..=20).to_string(),
        Kind::Text => format!("'{}'", WORDS.choose(chance).expect("there are words")),
        Kind::Double => format!("{:?}", f64::from(chance.random_range(-40..=40)) / 4.0),
        Kind::Decimal => format!("{:.2}", f64::from(chance.random_range(-500..=500)) / 20.0),
        Kind::Date => {
            let (month, day) = (chance.random_range(1..=3), chance.random_range(1..=28));
            format!("DATE '2024-{month:02}-{day:02}'")
        }
        Kind::Time => {
            let (day, hour) = (chance.random_range(1..=28), chance.random_range(0..=23));
            format!("TIMESTAMP '2024-01-{day:02} {hour:02}:00:00'")
        }
        Kind::Bool => chance.random::<bool>().to_string(),
    }
}
