//! One column of each type, and a stream of plain rows of any length.

use arrow::array::types::{Int8Type, Int32Type};
use arrow::array::*;
use arrow::datatypes::*;
use async_trait::async_trait;
use mayfly_protocol::QueryError;
use mayfly_server::engine::{Pages, Position};
use std::sync::Arc;

/// Two rows: values, then nulls.
pub fn batch() -> RecordBatch {
    let at = 1_580_432_523_456_i64;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("c_boolean", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("c_tinyint", Arc::new(Int8Array::from(vec![Some(-128), None]))),
        ("c_smallint", Arc::new(Int16Array::from(vec![Some(-32768), None]))),
        ("c_integer", Arc::new(Int32Array::from(vec![Some(i32::MIN), None]))),
        ("c_bigint", Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
        ("c_unsigned", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("c_real", Arc::new(Float32Array::from(vec![Some(0.1), None]))),
        ("c_double", Arc::new(Float64Array::from(vec![Some(1.0), None]))),
        ("c_nan", Arc::new(Float64Array::from(vec![Some(f64::NAN), None]))),
        (
            "c_infinity",
            Arc::new(Float64Array::from(vec![Some(f64::NEG_INFINITY), None])),
        ),
        (
            "c_decimal",
            Arc::new(
                Decimal128Array::from(vec![Some(150), None])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
        (
            "c_varchar",
            Arc::new(StringArray::from(vec![Some("naïve \"\u{1F41D}\""), None])),
        ),
        (
            "c_view",
            Arc::new(StringViewArray::from(vec![Some("a view of some length"), None])),
        ),
        (
            "c_dictionary",
            Arc::new(
                vec![Some("word"), None]
                    .into_iter()
                    .collect::<DictionaryArray<Int8Type>>(),
            ),
        ),
        (
            "c_varbinary",
            Arc::new(BinaryArray::from(vec![Some(b"\x00\xff".as_slice()), None])),
        ),
        ("c_date", Arc::new(Date32Array::from(vec![Some(18_292), None]))),
        (
            "c_time",
            Arc::new(Time64MicrosecondArray::from(vec![Some(3_723_000_004), None])),
        ),
        (
            "c_timestamp_s",
            Arc::new(TimestampSecondArray::from(vec![Some(at / 1000), None])),
        ),
        (
            "c_timestamp_us",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(at * 1000 + 789), None])),
        ),
        (
            "c_timestamp_ns",
            Arc::new(TimestampNanosecondArray::from(vec![
                Some(at * 1_000_000 + 789_012),
                None,
            ])),
        ),
        (
            "c_utc",
            Arc::new(TimestampMillisecondArray::from(vec![Some(at), None]).with_timezone("UTC")),
        ),
        (
            "c_zone",
            Arc::new(TimestampMillisecondArray::from(vec![Some(at), None]).with_timezone("America/New_York")),
        ),
        (
            "c_offset",
            Arc::new(TimestampMillisecondArray::from(vec![Some(at), None]).with_timezone("+05:30")),
        ),
        (
            "c_months",
            Arc::new(IntervalYearMonthArray::from(vec![Some(-14), None])),
        ),
        (
            "c_days",
            Arc::new(DurationMillisecondArray::from(vec![Some(183_845_678), None])),
        ),
        (
            "c_array",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
                Some(vec![Some(1), None]),
                None,
            ])),
        ),
        ("c_map", map()),
        ("c_row", row()),
        ("c_null", Arc::new(NullArray::new(2))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn map() -> ArrayRef {
    let mut builder = MapBuilder::new(None, Int64Builder::new(), StringBuilder::new());
    builder.keys().append_value(1);
    builder.values().append_value("one");
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    Arc::new(builder.finish())
}

fn row() -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new("x", DataType::Int64, true),
        Field::new("My y", DataType::Float64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1, 0])),
        Arc::new(Float64Array::from(vec![2.0, 0.0])),
    ];
    Arc::new(StructArray::new(fields, columns, Some(vec![true, false].into())))
}

pub fn union_schema() -> SchemaRef {
    let fields = UnionFields::try_new(vec![0], vec![Field::new("a", DataType::Int32, true)]).unwrap();
    Arc::new(Schema::new(vec![Field::new(
        "u",
        DataType::Union(fields, UnionMode::Sparse),
        true,
    )]))
}

pub fn plain_schema() -> SchemaRef {
    plain(0, 1).schema()
}

/// Rows as an order line has them, made as they are read: memory holds one batch.
pub struct Generated {
    rows: i64,
}

const BATCH_ROWS: i64 = 8192;

impl Generated {
    pub fn new(rows: i64) -> Generated {
        Generated { rows }
    }
}

#[async_trait]
impl Pages for Generated {
    async fn next_batch(&self, position: &mut Position) -> Result<Option<RecordBatch>, QueryError> {
        let start: i64 = position.get()?;
        if start >= self.rows {
            return Ok(None);
        }
        let count = BATCH_ROWS.min(self.rows - start);
        position.set(&(start + count))?;
        Ok(Some(plain(start, count)))
    }
}

fn plain(start: i64, count: i64) -> RecordBatch {
    let rows = start..start + count;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(rows.clone()))),
        ("price", Arc::new(decimal(rows.clone()))),
        (
            "ratio",
            Arc::new(Float64Array::from_iter_values(rows.clone().map(|row| row as f64 / 7.0))),
        ),
        (
            "comment",
            Arc::new(StringArray::from_iter_values(
                rows.clone().map(|row| format!("carefully final {row}")),
            )),
        ),
        (
            "day",
            Arc::new(Date32Array::from_iter_values(
                rows.clone().map(|row| (row % 10_000) as i32),
            )),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                rows.map(|row| row * 1_000_003),
            )),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn decimal(rows: std::ops::Range<i64>) -> Decimal128Array {
    let values = rows.map(|row| i128::from(row) * 101);
    Decimal128Array::from_iter_values(values)
        .with_precision_and_scale(15, 2)
        .unwrap()
}
