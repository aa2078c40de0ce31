//! What cannot be read, and where it stands.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use std::fmt;

/// Where a record begins: counted from where reading began, which is the file's beginning unless it was cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub offset: u64,
    /// Line ends before it.
    pub lines: u64,
}

impl Place {
    /// Behind the text.
    pub fn behind(self, text: &[u8]) -> Place {
        Place {
            offset: self.offset + text.len() as u64,
            lines: self.lines + lines(text),
        }
    }
}

pub fn lines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// A record that cannot be read; its file is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failed {
    pub place: Place,
    pub column: Option<String>,
    pub why: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "column '{column}': {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

impl From<Failed> for DataFusionError {
    fn from(failed: Failed) -> DataFusionError {
        DataFusionError::External(Box::new(failed))
    }
}

/// The value as a message shows it.
pub fn shown(value: &str) -> String {
    let (mut shown, is_cut) = (
        value.chars().take(80).collect::<String>(),
        value.chars().nth(80).is_some(),
    );
    if is_cut {
        shown.push('…');
    }
    shown
}

/// The type as SQL names it.
pub fn sql_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Float32 => "REAL".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Utf8 => "VARCHAR".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        other => other.to_string(),
    }
}
