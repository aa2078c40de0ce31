//! What it takes to show a query's result without planning it again: kept in the journal with the query.

use crate::engine::Columns;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mayfly_plan::{Fragment, Purpose};
use mayfly_protocol::{ErrorCode, QueryError};
use serde::{Deserialize, Serialize};
use std::io::Cursor;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Presentation {
    /// The server's own.
    pub memo: String,
    /// Names of the result's columns as the user sees them.
    pub names: Vec<String>,
    /// Arrow IPC, in base64.
    schema: String,
    /// The distributed plan as text.
    pub plan: String,
    pub fragments: Vec<Fragment>,
    pub purpose: Purpose,
}

impl Presentation {
    pub(crate) fn new(
        memo: String,
        columns: &Columns,
        plan: String,
        fragments: Vec<Fragment>,
        purpose: Purpose,
    ) -> Result<Presentation, QueryError> {
        Ok(Presentation {
            memo,
            names: columns.names.clone(),
            schema: encoded(&columns.schema).map_err(broken)?,
            plan,
            fragments,
            purpose,
        })
    }

    pub(crate) fn columns(&self) -> Result<Columns, QueryError> {
        Ok(Columns {
            names: self.names.clone(),
            schema: decoded(&self.schema)?,
        })
    }

    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers make JSON")
    }

    pub(crate) fn read(text: &str) -> Result<Presentation, QueryError> {
        serde_json::from_str(text).map_err(broken)
    }
}

fn encoded(schema: &SchemaRef) -> Result<String, arrow::error::ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    writer.finish()?;
    Ok(BASE64_STANDARD.encode(writer.into_inner()?))
}

fn decoded(text: &str) -> Result<SchemaRef, QueryError> {
    let bytes = BASE64_STANDARD.decode(text).map_err(broken)?;
    let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(broken)?;
    Ok(reader.schema())
}

fn broken(cause: impl std::fmt::Display) -> QueryError {
    let message = format!("how the query's result is shown cannot be read: {cause}");
    QueryError::new(ErrorCode::GenericInternalError, message)
}
