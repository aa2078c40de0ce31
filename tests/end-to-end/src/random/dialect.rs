//! One query in the words of each engine. What is drawn does not depend on the engine: a seed means the same query everywhere.

use super::{Kind, Writer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Also in-process DataFusion's.
    Mayfly,
    DuckDb,
    Postgres,
}

impl Kind {
    pub fn sql(self, dialect: Dialect) -> &'static str {
        match self {
            Kind::Int => "INT",
            Kind::Big | Kind::Huge => "BIGINT",
            Kind::Text => "VARCHAR",
            Kind::Double | Kind::Odd if dialect == Dialect::Postgres => "DOUBLE PRECISION",
            Kind::Double | Kind::Odd => "DOUBLE",
            Kind::Decimal => "DECIMAL(10,2)",
            Kind::Date => "DATE",
            Kind::Time => "TIMESTAMP",
            Kind::Zoned => "TIMESTAMP WITH TIME ZONE",
            Kind::Bool => "BOOLEAN",
            Kind::List => "BIGINT[]",
        }
    }
}

/// The words for one thing in each engine.
pub(super) struct Words {
    pub mayfly: &'static str,
    pub duckdb: &'static str,
    pub postgres: &'static str,
}

impl Writer {
    pub(super) fn say(&self, words: Words) -> &'static str {
        match self.dialect {
            Dialect::Mayfly => words.mayfly,
            Dialect::DuckDb => words.duckdb,
            Dialect::Postgres => words.postgres,
        }
    }

    /// One key of ORDER BY. Mayfly has NULLs last in both directions, PostgreSQL has them first when it descends.
    pub(super) fn order_key(&mut self, key: &str) -> String {
        let direction = *self.one_of(&["", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST", " DESC NULLS FIRST"]);
        match (self.dialect, direction) {
            (Dialect::Postgres, " DESC") => format!("{key} DESC NULLS LAST"),
            _ => format!("{key}{direction}"),
        }
    }
}
