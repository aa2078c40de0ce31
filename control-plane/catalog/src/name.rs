//! Names of tables and schemas, and which of them may become part of an object key.

use crate::{DIRECT_SCHEMA, error};
use mayfly_protocol::QueryError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name of a schema or table, in bytes.
pub const NAME_BYTES_MAX: usize = 128;

/// A table's full name. Names are lower case: identifiers resolve without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableRef {
    pub catalog: String,
    pub schema: String,
    pub table: String,
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.schema == DIRECT_SCHEMA {
            true => f.write_str(&self.table),
            false => write!(f, "{}.{}.{}", self.catalog, self.schema, self.table),
        }
    }
}

/// The name in lower case, if it can stand in an object key. A dot would let `t.files` collide with the footers of `t`.
pub(crate) fn checked(name: &str) -> Result<String, QueryError> {
    let name = name.to_lowercase();
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
    if fits && name.chars().all(allowed) {
        Ok(name)
    } else {
        Err(error::bad_name(&name))
    }
}
