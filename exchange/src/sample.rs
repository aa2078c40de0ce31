//! Batches for tests: of many types, from a seed. Leaves out expectations; each test has its own.

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, ListBuilder,
    NullArray, RecordBatch, RecordBatchOptions, StringArray, StringBuilder, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;

pub(crate) fn random(seed: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed)
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

fn pair() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8View, true),
        Field::new(
            "code",
            DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8)),
            true,
        ),
    ])
}

/// Every kind of column that the exchange treats on its own.
pub(crate) fn types() -> Vec<DataType> {
    vec![
        DataType::Int32,
        DataType::Int64,
        DataType::Float64,
        DataType::Boolean,
        DataType::Date32,
        DataType::Decimal128(15, 2),
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::BinaryView,
        DataType::Null,
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        list_of(DataType::Utf8View),
        list_of(DataType::Int64),
        DataType::Struct(pair()),
    ]
}

pub(crate) fn schema_of(types: &[DataType]) -> SchemaRef {
    let field = |(at, data_type): (usize, &DataType)| Field::new(format!("c{at}"), data_type.clone(), true);
    Arc::new(Schema::new(types.iter().enumerate().map(field).collect::<Vec<_>>()))
}

/// Up to six random columns, sometimes none.
pub(crate) fn random_schema(random: &mut SmallRng) -> SchemaRef {
    let types = types();
    let count = random.random_range(0..=6);
    let pick = |_| types[random.random_range(0..types.len())].clone();
    schema_of(&(0..count).map(pick).collect::<Vec<_>>())
}

pub(crate) fn batch(schema: &SchemaRef, rows: usize, random: &mut SmallRng) -> RecordBatch {
    let columns = schema
        .fields()
        .iter()
        .map(|field| column(field.data_type(), rows, random));
    let columns = columns.collect::<Vec<_>>();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).expect("columns of the schema")
}

fn column(data_type: &DataType, rows: usize, random: &mut SmallRng) -> ArrayRef {
    let present: Vec<bool> = (0..rows).map(|_| random.random_bool(0.9)).collect();
    let numbers: Vec<Option<i64>> = present
        .iter()
        .map(|present| present.then(|| random.random_range(-1_000..1_000)))
        .collect();
    let numbers = || numbers.iter().copied();
    match data_type {
        DataType::Int32 => Arc::new(
            numbers()
                .map(|number| number.map(|number| number as i32))
                .collect::<Int32Array>(),
        ),
        DataType::Int64 => Arc::new(numbers().collect::<Int64Array>()),
        DataType::Float64 => Arc::new(
            numbers()
                .map(|number| number.map(|number| number as f64 / 7.0))
                .collect::<Float64Array>(),
        ),
        DataType::Boolean => Arc::new(
            numbers()
                .map(|number| number.map(|number| number > 0))
                .collect::<BooleanArray>(),
        ),
        DataType::Date32 => Arc::new(
            numbers()
                .map(|number| number.map(|number| number as i32))
                .collect::<Date32Array>(),
        ),
        DataType::Decimal128(precision, scale) => {
            let decimals = numbers()
                .map(|number| number.map(i128::from))
                .collect::<Decimal128Array>();
            let decimals = decimals.with_precision_and_scale(*precision, *scale);
            Arc::new(decimals.expect("numbers of few digits"))
        }
        DataType::Null => Arc::new(NullArray::new(rows)),
        DataType::List(item) => list(item.data_type(), rows, random),
        DataType::Struct(fields) => {
            let columns = fields
                .iter()
                .map(|field| column(field.data_type(), rows, random))
                .collect();
            Arc::new(StructArray::try_new(fields.clone(), columns, None).expect("columns of the fields"))
        }
        text => cast(&texts(&present, random), text).expect("text becomes any kind of text"),
    }
}

fn texts(present: &[bool], random: &mut SmallRng) -> StringArray {
    let text = |present: &bool| present.then(|| text(random));
    present.iter().map(text).collect()
}

/// Short, long enough for a view to point elsewhere, or empty.
fn text(random: &mut SmallRng) -> String {
    let repeats = random.random_range(0..6);
    format!("{:x}-", random.random_range(0..5_000)).repeat(repeats)
}

fn list(item: &DataType, rows: usize, random: &mut SmallRng) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for _ in 0..rows {
        for _ in 0..random.random_range(0..4) {
            builder
                .values()
                .append_value(random.random_range(0..100_000).to_string());
        }
        builder.append(random.random_bool(0.9));
    }
    cast(&builder.finish(), &list_of(item.clone())).expect("digits become numbers and views")
}

/// Rows of one partition, in order, as one batch.
pub(crate) fn joined(schema: &SchemaRef, batches: &[RecordBatch]) -> RecordBatch {
    arrow::compute::concat_batches(schema, batches).expect("batches of one schema")
}

/// The rows of a batch that a partition is given.
pub(crate) fn share(batch: &RecordBatch, partition_of_row: &[u32], partition: u32) -> RecordBatch {
    let mask: BooleanArray = partition_of_row.iter().map(|other| Some(*other == partition)).collect();
    if batch.num_columns() > 0 {
        return arrow::compute::filter_record_batch(batch, &mask).expect("a mask as long as the batch");
    }
    batch.slice(0, mask.true_count())
}

/// A small batch that never changes, for goldens.
pub(crate) fn fixed() -> RecordBatch {
    let names: StringArray = vec![Some("ephemera"), None, Some("danica danica danica danica")].into();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("name", cast(&names, &DataType::Utf8View).expect("text becomes a view")),
        ("genus", cast(&names, &types()[11]).expect("text becomes a dictionary")),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)));
    let batch = batch.expect("columns of one length");
    assert_eq!(batch.column(1).null_count(), 1, "a null travels too");
    batch
}
