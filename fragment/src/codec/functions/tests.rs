//! The messages of functions stand inside plans, whose version they share: other bytes need another `PLAN_VERSION`.

use super::*;

fn window(function: &WindowUDF) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_window(function, &mut bytes).expect("it can be sent");
    bytes
}

#[track_caller]
fn check_window(function: &WindowUDF, golden: &[u8]) {
    let bytes = window(function);
    assert_eq!(bytes, golden, "{}", function.name());
    let read = decode_window(function.name(), &bytes).expect("it can be read");
    assert_eq!(read.name(), function.name());
    assert_eq!(window(&read), golden, "{}", function.name());
}

#[test]
fn functions_of_ours_are_their_golden_bytes() {
    for (ignore_nulls, reversed, golden) in [
        (false, false, &[][..]),
        (true, false, &[0x08, 1][..]),
        (false, true, &[0x10, 1][..]),
        (true, true, &[0x08, 1, 0x10, 1][..]),
    ] {
        let directed = Directed::named("first_value").expect("it reads the flags");
        check_window(&directed.with_flags(ignore_nulls, reversed).function(), golden);
    }
    let shifted = Shifted::named(&["lag", Shifted::SUFFIX].concat(), true).expect("it shifts rows");
    check_window(&shifted.function(), &[0x08, 1]);
}

#[test]
fn an_aggregate_with_a_condition_is_its_golden_bytes() {
    let function = AggregateUDF::new_from_impl(Filtered::named("sum").expect("DataFusion has it"));
    let mut bytes = Vec::new();
    encode_aggregate(&function, &mut bytes).expect("it can be sent");
    assert_eq!(bytes, b"\x0a\x03sum");
    let read = decode_aggregate(function.name(), &bytes).expect("it can be read");
    let mut again = Vec::new();
    encode_aggregate(&read, &mut again).expect("it can be sent again");
    assert_eq!(again, bytes);
}
