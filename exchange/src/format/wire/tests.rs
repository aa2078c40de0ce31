//! Types on the road and after it.

use super::*;
use crate::sample;

#[test]
fn every_type_comes_back_as_declared() {
    let mut random = sample::random(11);
    for data_type in sample::types() {
        let schema = sample::schema_of(std::slice::from_ref(&data_type));
        let wire = Wire::new(schema.clone()).expect("a type that travels");
        for rows in [0, 1, 100] {
            let batch = sample::batch(&schema, rows, &mut random);
            let packed = wire.pack(&batch).expect("a batch of the schema");
            assert_eq!(packed.schema(), *wire.wire_schema());
            assert_eq!(wire.unpack(&packed).expect("restores"), batch, "{data_type}");
        }
    }
}

#[test]
fn nothing_encoded_or_viewed_is_on_the_wire() {
    let wire = Wire::new(sample::schema_of(&sample::types())).expect("types that travel");
    let text = format!("{:?}", wire.wire_schema());
    assert!(!text.contains("View") && !text.contains("Dictionary"), "{text}");
}

#[test]
fn names_and_nullability_do_not_count_and_types_do() {
    let schema = |name: &str, data_type, nullable| Arc::new(Schema::new(vec![Field::new(name, data_type, nullable)]));
    let types = |schema| Wire::new(schema).expect("types that travel").types();
    let number = types(schema("a", DataType::Int64, true));
    assert_eq!(number, types(schema("b", DataType::Int64, false)));
    assert_ne!(number, types(schema("a", DataType::UInt64, true)));
    assert_ne!(number, types(Arc::new(Schema::empty())));
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let mut random = sample::random(12);
    let numbers = sample::schema_of(&[DataType::Int64]);
    let wire = Wire::new(sample::schema_of(&[DataType::Utf8])).expect("types that travel");
    let batch = sample::batch(&numbers, 3, &mut random);
    assert!(matches!(wire.pack(&batch), Err(ExchangeError::Schema { .. })));
    let none = sample::batch(&sample::schema_of(&[]), 3, &mut random);
    assert!(matches!(wire.pack(&none), Err(ExchangeError::Schema { .. })));
}

#[test]
fn a_union_is_refused_with_its_type() {
    let fields = arrow::datatypes::UnionFields::from_fields([Field::new("a", DataType::Int64, true)]);
    let union = DataType::Union(fields, arrow::datatypes::UnionMode::Dense);
    let error = Wire::new(sample::schema_of(&[union])).expect_err("unions do not travel");
    assert!(error.to_string().contains("Union"), "{error}");
}
