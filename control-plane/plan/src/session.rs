//! Who asks, from where, with which properties. A session lives with the client; each statement brings it along.

use crate::property::{self, Properties};
use mayfly_catalog::{CATALOG_NAME, DEFAULT_SCHEMA, TableRef};
use mayfly_protocol::{EpochMs, QueryError};
use std::collections::BTreeMap;

/// What a statement is planned in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub catalog: String,
    /// `None` means `default`.
    pub schema: Option<String>,
    pub user: String,
    /// As the client sent them; checked when a statement is planned.
    pub properties: BTreeMap<String, String>,
    /// `now()` of the query: frozen when it was accepted.
    pub now: EpochMs,
}

impl Default for Session {
    fn default() -> Session {
        Session {
            catalog: CATALOG_NAME.to_owned(),
            schema: None,
            user: "anonymous".to_owned(),
            properties: BTreeMap::new(),
            now: EpochMs(0),
        }
    }
}

/// What a statement asks the client to change in its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    SetCatalog(String),
    SetSchema(String),
    SetProperty { key: String, value: String },
    ResetProperty { key: String },
}

impl Session {
    pub(crate) fn schema(&self) -> String {
        self.schema.as_deref().unwrap_or(DEFAULT_SCHEMA).to_lowercase()
    }

    pub(crate) fn properties(&self) -> Result<Properties, QueryError> {
        property::parse(&self.properties)
    }

    /// The full name of what the statement calls `a.b.c`, `b.c` or `c`.
    pub(crate) fn resolve(&self, name: &[String]) -> Option<TableRef> {
        let (catalog, schema, table) = match name {
            [table] => (self.catalog.to_lowercase(), self.schema(), table),
            [schema, table] => (self.catalog.to_lowercase(), schema.clone(), table),
            [catalog, schema, table] => (catalog.clone(), schema.clone(), table),
            _ => return None,
        };
        Some(TableRef {
            catalog,
            schema,
            table: table.clone(),
        })
    }
}
