//! What ANALYZE TABLE learned about a table: it stays with the table's definition, and says how large the table was then.

use crate::catalog::table_key;
use crate::{Catalog, Relation, TableDefinition, TableRef, error, whole};
use bytes::Bytes;
use mayfly_protocol::{ErrorCode, QueryError};
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
    /// Keeps what was learned, in place of what was known before. A table that is dropped or made anew meanwhile stays as it is.
    pub async fn learn(&self, name: &TableRef, statistics: LearnedStatistics) -> Result<(), QueryError> {
        let key = table_key(name);
        let object = whole::read(self.store(), self.bucket(), &key).await;
        let object = object.map_err(|cause| error::store(&key, &cause))?;
        let Relation::Table(definition) = Relation::decode(&key, &object.bytes)? else {
            return Err(error::not_a(name, "table", "view"));
        };
        let relation = Relation::Table(TableDefinition {
            learned: Some(statistics),
            ..definition
        });
        let bytes = Bytes::from(relation.encode()?);
        let put = self
            .store()
            .put_if_match(self.bucket(), &key, bytes, &object.etag)
            .await;
        match put.map_err(|cause| error::unwritten(&key, &cause))? {
            Some(_) => Ok(()),
            None => Err(changed(name)),
        }
    }
}

fn changed(name: &TableRef) -> QueryError {
    let message = format!("'{name}' was changed while it was analyzed");
    QueryError::new(ErrorCode::SourceChanged, message).hint("run ANALYZE TABLE again")
}
