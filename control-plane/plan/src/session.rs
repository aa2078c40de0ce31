//! Who asks, from where, with which properties. A session lives with the client; each statement brings it along.

use crate::property::{self, Properties};
use crate::zone;
use mayfly_catalog::{CATALOG_NAME, DEFAULT_SCHEMA, TableRef};
use mayfly_protocol::{EpochMs, ErrorCode, QueryError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DataFusion's name of the session's time zone.
const TIME_ZONE: &str = "datafusion.execution.time_zone";

/// What a statement is planned in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub catalog: String,
    /// `None` means `default`.
    pub schema: Option<String>,
    pub user: String,
    /// As the client sent them; checked when a statement is planned.
    pub properties: BTreeMap<String, String>,
    /// IANA name or offset, as the client sent it; checked when a statement is planned. `None`: timestamps of `now()` carry no zone.
    pub time_zone: Option<String>,
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
            time_zone: None,
            now: EpochMs(0),
        }
    }
}

/// What a statement asks the client to change in its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// What planner and executors must agree on in DataFusion's settings.
    pub(crate) fn settings(&self) -> Result<BTreeMap<String, String>, QueryError> {
        let Some(zone) = &self.time_zone else {
            return Ok(BTreeMap::new());
        };
        let Some(known) = zone::canonical(zone) else {
            let error = QueryError::new(ErrorCode::NotSupported, format!("time zone '{zone}' is not known"));
            return Err(error.hint("a time zone is an IANA name such as Europe/Berlin, or an offset such as +02:00"));
        };
        Ok(BTreeMap::from([(TIME_ZONE.to_owned(), known)]))
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
