//! The tables of random queries: few values, so that keys meet; NULLs; one table without rows.

use super::{Column, Dialect, Kind, Relation};
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

/// The table that only UNNEST reads.
pub(super) const LISTS: &str = "lists";

pub const TABLES: [Table; 6] = [
    Table {
        name: "t",
        columns: &[
            ("id", Kind::Int),
            ("k", Kind::Big),
            ("name", Kind::Text),
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
            ("id", Kind::Int),
            ("k", Kind::Big),
            ("name", Kind::Text),
            ("x", Kind::Double),
            ("p", Kind::Decimal),
            ("w", Kind::Date),
        ],
        rows: 90,
    },
    Table {
        name: "v",
        columns: &[
            ("id", Kind::Int),
            ("n", Kind::Int),
            ("name", Kind::Text),
            ("g", Kind::Bool),
            ("k", Kind::Big),
        ],
        rows: 25,
    },
    Table {
        name: "y",
        columns: &[
            ("k", Kind::Big),
            ("o", Kind::Odd),
            ("m", Kind::Huge),
            ("zt", Kind::Zoned),
            ("id", Kind::Int),
        ],
        rows: 40,
    },
    Table {
        name: LISTS,
        columns: &[("name", Kind::Text), ("l", Kind::List)],
        rows: 50,
    },
    Table {
        name: "z",
        columns: &[("id", Kind::Int), ("name", Kind::Text), ("k", Kind::Big)],
        rows: 0,
    },
];

/// Rows of a file's row group: a forced scan has several tasks.
const ROW_GROUP_ROWS: u64 = 16;

const WORDS: [&str; 13] = [
    "", "a", "b", "ab", "abc", "b%", "_x", "Zed", "é", "x y", "NULL", "apple", "pear",
];

const ODD: [&str; 8] = ["NaN", "NaN", "-0.0", "0.0", "Infinity", "-Infinity", "1.5", "-2.5"];

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
        let rows = context.sql(&table.as_stored()).await?;
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

    /// Instants in microseconds, as other engines write them.
    fn as_stored(&self) -> String {
        let column = |(name, kind): &(&str, Kind)| match kind {
            Kind::Time => format!("arrow_cast({name}, 'Timestamp(Microsecond, None)') AS {name}"),
            Kind::Zoned => format!("arrow_cast({name}, 'Timestamp(Microsecond, Some(\"UTC\"))') AS {name}"),
            _ => (*name).to_owned(),
        };
        let columns: Vec<String> = self.columns.iter().map(column).collect();
        format!("SELECT {} FROM {}", columns.join(", "), self.name)
    }

    /// `CREATE TABLE`, and `INSERT` if there are rows.
    fn statements(&self, seed: u64) -> Vec<String> {
        let columns = self
            .columns
            .iter()
            .map(|(name, kind)| format!("{name} {}", kind.sql(Dialect::Mayfly)));
        let create = format!("CREATE TABLE {}({})", self.name, columns.collect::<Vec<_>>().join(", "));
        let mut chance = SmallRng::seed_from_u64(seed);
        let mut row = || {
            let values = self
                .columns
                .iter()
                .map(|(_, kind)| nullable(&mut chance, *kind, Dialect::Mayfly));
            format!("({})", values.collect::<Vec<_>>().join(", "))
        };
        let rows: Vec<String> = (0..self.rows).map(|_| row()).collect();
        match rows.is_empty() {
            true => vec![create],
            false => vec![create, format!("INSERT INTO {} VALUES {}", self.name, rows.join(", "))],
        }
    }
}

fn nullable(chance: &mut SmallRng, kind: Kind, dialect: Dialect) -> String {
    match chance.random_range(0..NULL_SHARE) {
        0 => "NULL".to_owned(),
        _ => literal(chance, kind, dialect),
    }
}

/// A value as SQL writes it. Doubles are quarters, so that sums do not depend on their order.
pub(super) fn literal(chance: &mut SmallRng, kind: Kind, dialect: Dialect) -> String {
    match kind {
        Kind::Int => chance.random_range(-4..=12).to_string(),
        Kind::Big if chance.random() => chance.random_range(-1_000_000..=1_000_000).to_string(),
        Kind::Big => chance.random_range(-5..=20).to_string(),
        Kind::Huge => (i64::MAX - chance.random_range(0..=6)).to_string(),
        Kind::Text => format!("'{}'", WORDS.choose(chance).expect("there are words")),
        Kind::Double => format!("{:?}", f64::from(chance.random_range(-40..=40)) / 4.0),
        Kind::Odd => {
            let text = ODD.choose(chance).expect("there are doubles");
            format!("CAST('{text}' AS {})", kind.sql(dialect))
        }
        Kind::Decimal => format!("{:.2}", f64::from(chance.random_range(-500..=500)) / 20.0),
        Kind::Date => {
            let (month, day) = (chance.random_range(1..=3), chance.random_range(1..=28));
            format!("DATE '2024-{month:02}-{day:02}'")
        }
        Kind::Time => {
            let (day, hour) = (chance.random_range(1..=28), chance.random_range(0..=23));
            format!("TIMESTAMP '2024-01-{day:02} {hour:02}:00:00'")
        }
        Kind::Zoned => {
            let (day, hour) = (chance.random_range(29..=31), chance.random_range(0..=23));
            format!("'2024-03-{day:02} {hour:02}:30:00+00:00'")
        }
        Kind::List => {
            let count = chance.random_range(0..=3);
            let items: Vec<String> = (0..count).map(|_| nullable(chance, Kind::Int, dialect)).collect();
            format!("arrow_cast(make_array({}), 'List(Int64)')", items.join(", "))
        }
        Kind::Bool => chance.random::<bool>().to_string(),
    }
}
