//! What ANALYZE TABLE learned about a table: it stays with the table's definition, and says how large the table was then.

use crate::catalog::table_key;
use crate::{Catalog, Relation, TableDefinition, TableRef, error};
use mayfly_protocol::QueryError;
use serde::{Deserialize, Serialize};

/// Figures of one moment. Guides for plans, never answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedStatistics {
    pub rows: u64,
    /// Of all files, then.
    pub size_bytes: u64,
    /// Of the columns that have such figures.
    pub columns: Vec<LearnedColumn>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedColumn {
    /// As the table spells it.
    pub name: String,
    /// Rows that are not NULL.
    pub values: u64,
    /// Different values, about.
    pub distinct: u64,
}

impl Catalog {
    /// Keeps what was learned, in place of what was known before.
    pub async fn learn(&self, name: &TableRef, statistics: LearnedStatistics) -> Result<(), QueryError> {
        match self.relation(name).await? {
            Relation::View(_) => Err(error::not_a(name, "table", "view")),
            Relation::Table(definition) => {
                let relation = Relation::Table(TableDefinition {
                    learned: Some(statistics),
                    ..definition
                });
                self.put(&table_key(name), relation.encode()?).await
            }
        }
    }
}
