//! `SUMMARIZE`: a query over all columns of another, one row for each of them. It is distributed as any aggregation is.

use crate::types;
use arrow::datatypes::{DataType, TimeUnit};

/// The columns of the answer, as DuckDB has them, and what is computed of each column for them.
const OUTPUTS: [(&str, fn(&Summarized) -> String); 12] = [
    ("column_name", |column| quoted(&column.name)),
    ("column_type", |column| quoted(&types::type_name(&column.data_type))),
    ("min", |column| column.text("min")),
    ("max", |column| column.text("max")),
    ("approx_unique", Summarized::unique),
    ("avg", Summarized::average),
    ("std", Summarized::deviation),
    ("q25", |column| column.quantile("0.25")),
    ("q50", |column| column.quantile("0.5")),
    ("q75", |column| column.quantile("0.75")),
    ("count", |_| "count(*)".to_owned()),
    ("null_percentage", Summarized::nulls),
];

/// A column to be summarized.
pub(crate) struct Summarized {
    /// As the user knows it.
    pub name: String,
    pub data_type: DataType,
    /// Place among the columns.
    pub at: usize,
}

/// The query before and after the text of the query that is summarized.
pub(crate) fn around(columns: &[Summarized]) -> (String, String) {
    let output = |(at, (name, _)): (usize, &(&str, fn(&Summarized) -> String))| {
        let of_columns: Vec<String> = columns.iter().map(|column| cell(at, column.at)).collect();
        format!("unnest(make_array({})) AS \"{name}\"", of_columns.join(", "))
    };
    let outputs: Vec<String> = OUTPUTS.iter().enumerate().map(output).collect();
    let computed = columns.iter().flat_map(|column| {
        let cell = |(at, (_, compute)): (usize, &(&str, fn(&Summarized) -> String))| {
            format!("{} AS {}", compute(column), cell(at, column.at))
        };
        OUTPUTS.iter().enumerate().map(cell).collect::<Vec<_>>()
    });
    let computed: Vec<String> = computed.collect();
    let names: Vec<String> = columns.iter().map(Summarized::column).collect();
    let before = format!(
        "SELECT {} FROM (SELECT {} FROM (",
        outputs.join(", "),
        computed.join(", ")
    );
    (before, format!(") AS summarized ({})) AS summary", names.join(", ")))
}

fn cell(output: usize, column: usize) -> String {
    format!("o{output}_{column}")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Summarized {
    fn column(&self) -> String {
        format!("c{}", self.at)
    }

    fn text(&self, aggregate: &str) -> String {
        let found = format!("{aggregate}({})", self.column());
        match &self.data_type {
            nested if nested.is_nested() || *nested == DataType::Null => "CAST(NULL AS VARCHAR)".to_owned(),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => format!("encode({found}, 'hex')"),
            _ => format!("CAST({found} AS VARCHAR)"),
        }
    }

    /// An estimate may be more than there are values.
    fn unique(&self) -> String {
        let column = self.column();
        // No sketch takes floats; their texts differ where they do.
        let sketched = match self.data_type.is_floating() {
            true => format!("CAST({column} AS VARCHAR)"),
            false => column.clone(),
        };
        format!("least(CAST(approx_distinct({sketched}) AS BIGINT), count({column}))")
    }

    fn average(&self) -> String {
        match self.number() {
            Some(number) if self.data_type.is_numeric() => format!("CAST(avg({number}) AS VARCHAR)"),
            Some(number) => self.back(&format!("CAST(round(avg({number})) AS BIGINT)")),
            None => "CAST(NULL AS VARCHAR)".to_owned(),
        }
    }

    fn deviation(&self) -> String {
        match self.data_type.is_numeric() {
            true => format!("CAST(stddev(CAST({} AS DOUBLE)) AS VARCHAR)", self.column()),
            false => "CAST(NULL AS VARCHAR)".to_owned(),
        }
    }

    fn quantile(&self, share: &str) -> String {
        let Some(number) = self.number() else {
            return "CAST(NULL AS VARCHAR)".to_owned();
        };
        let quantile = format!("approx_percentile_cont({share}) WITHIN GROUP (ORDER BY {number})");
        match &self.data_type {
            integer if integer.is_integer() => format!("CAST(CAST(round({quantile}) AS BIGINT) AS VARCHAR)"),
            numeric if numeric.is_numeric() => format!("CAST({quantile} AS VARCHAR)"),
            _ => self.back(&format!("CAST(round({quantile}) AS BIGINT)")),
        }
    }

    fn nulls(&self) -> String {
        let share = format!(
            "100 * CAST(count(*) - count({}) AS DOUBLE) / nullif(count(*), 0)",
            self.column()
        );
        format!("CAST(round({share}, 2) AS DECIMAL(9, 2))")
    }

    /// The column as a number to take means of; times as their count of units.
    fn number(&self) -> Option<String> {
        let column = self.column();
        match &self.data_type {
            DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
                Some(format!("CAST({column} AS DOUBLE)"))
            }
            numeric if numeric.is_numeric() => Some(column),
            DataType::Date32 => Some(format!("CAST(arrow_cast({column}, 'Int32') AS BIGINT)")),
            DataType::Timestamp(..) => Some(format!("arrow_cast({column}, 'Int64')")),
            _ => None,
        }
    }

    /// The text of a time from its count of units.
    fn back(&self, number: &str) -> String {
        let time = match &self.data_type {
            DataType::Timestamp(unit, _) => format!("arrow_cast({number}, 'Timestamp({}, None)')", unit_name(*unit)),
            _ => format!("arrow_cast(arrow_cast({number}, 'Int32'), 'Date32')"),
        };
        format!("CAST({time} AS VARCHAR)")
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "Second",
        TimeUnit::Millisecond => "Millisecond",
        TimeUnit::Microsecond => "Microsecond",
        TimeUnit::Nanosecond => "Nanosecond",
    }
}
