//! The columns of a query as its client sees them, worked out once.

use crate::engine::Columns;
use crate::types::{Precision, columns};
use mayfly_protocol::{ErrorCode, QueryError};
use serde_json::value::RawValue;

#[derive(Clone)]
pub struct Shown {
    pub columns: Columns,
    pub precision: Precision,
    /// The `columns` of every page.
    pub json: Box<RawValue>,
}

impl Shown {
    pub fn new(shown: Columns, precision: Precision) -> Result<Shown, QueryError> {
        let (names, fields) = (shown.names.len(), shown.schema.fields().len());
        if names != fields {
            return Err(broken(format!("{names} names were given to {fields} columns")));
        }
        let described = columns(&shown, precision)?;
        let json = serde_json::value::to_raw_value(&described).map_err(|cause| broken(cause.to_string()))?;
        Ok(Shown {
            columns: shown,
            precision,
            json,
        })
    }
}

fn broken(message: String) -> QueryError {
    QueryError::new(ErrorCode::GenericInternalError, message)
}
