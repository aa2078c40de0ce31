//! ANALYZE TABLE: the query that looks at every row, and what its one row means.

use crate::table_of_text;
use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, SchemaRef, UInt64Type};
use arrow::record_batch::RecordBatch;
use mayfly_catalog::{LearnedColumn, LearnedStatistics, Table, TableRef};
use mayfly_protocol::QueryError;
use serde::{Deserialize, Serialize};

const COLUMNS: [&str; 3] = ["Column", "Values", "Distinct"];

/// What is to be learned, of which table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    pub table: TableRef,
    size_bytes: u64,
    columns: Vec<String>,
}

impl Lesson {
    pub(crate) fn new(table: &Table) -> Lesson {
        let fields = table.schema.fields().iter().filter(|field| is_counted(field));
        Lesson {
            table: table.name.clone(),
            size_bytes: table.size_bytes(),
            columns: fields.map(|field| field.name().clone()).collect(),
        }
    }

    /// One row: the number of rows, then for each column its values and its different values.
    pub(crate) fn sql(&self) -> String {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let counts = self.columns.iter().map(|name| {
            let name = quoted(name);
            format!(", count({name}), approx_distinct({name})")
        });
        let table = [&self.table.catalog, &self.table.schema, &self.table.table].map(|name| quoted(name));
        format!("SELECT count(*){} FROM {}", counts.collect::<String>(), table.join("."))
    }

    /// What the query's row says.
    pub fn learned(&self, batches: &[RecordBatch]) -> Result<LearnedStatistics, QueryError> {
        let row = batches.iter().find(|batch| batch.num_rows() == 1);
        let row = row.ok_or_else(|| crate::error::internal("the statistics of a table are one row"))?;
        let figures: Vec<u64> = (0..row.num_columns()).map(|column| figure(row, column)).collect();
        let [rows, columns @ ..] = figures.as_slice() else {
            return Err(crate::error::internal("the statistics of a table begin with its rows"));
        };
        let columns = self.columns.iter().zip(columns.chunks(2));
        Ok(LearnedStatistics {
            rows: *rows,
            size_bytes: self.size_bytes,
            columns: columns
                .map(|(name, figures)| LearnedColumn {
                    name: name.clone(),
                    values: figures[0],
                    distinct: figures.get(1).copied().unwrap_or(0),
                })
                .collect(),
        })
    }
}

fn figure(row: &RecordBatch, column: usize) -> u64 {
    let number = cast(row.column(column), &DataType::UInt64);
    number
        .ok()
        .filter(|number| number.is_valid(0))
        .map_or(0, |number| number.as_primitive::<UInt64Type>().value(0))
}

/// DataFusion estimates the distinct values of any scalars but floats.
fn is_counted(field: &Field) -> bool {
    !field.data_type().is_nested() && !field.data_type().is_floating() && *field.data_type() != DataType::Null
}

/// What ANALYZE TABLE answers: a line for the table, one for each column.
pub fn shown(learned: &LearnedStatistics) -> RecordBatch {
    let table = vec!["(rows)".to_owned(), learned.rows.to_string(), String::new()];
    let columns = learned.columns.iter();
    let columns = columns.map(|column| {
        vec![
            column.name.clone(),
            column.values.to_string(),
            column.distinct.to_string(),
        ]
    });
    table_of_text::batch(&COLUMNS, &[table].into_iter().chain(columns).collect::<Vec<_>>())
}

/// Columns of that answer.
pub fn shown_schema() -> SchemaRef {
    table_of_text::schema(&COLUMNS)
}
