//! Numbers, text and bytes.

use super::{check, check_field};
use arrow::array::*;
use arrow::datatypes::*;
use expect_test::expect;
use std::collections::HashMap;
use std::sync::Arc;

type F16 = <Float16Type as ArrowPrimitiveType>::Native;

#[test]
fn booleans_and_nulls() {
    check(
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        expect![[r#"
            boolean {"rawType":"boolean","arguments":[]}
            [true]
            [false]
            [null]"#]],
    );
    check(
        Arc::new(NullArray::new(2)),
        expect![[r#"
        unknown {"rawType":"unknown","arguments":[]}
        [null]
        [null]"#]],
    );
}

#[test]
fn integers() {
    check(
        Arc::new(Int8Array::from(vec![Some(i8::MIN), None])),
        expect![[r#"
        tinyint {"rawType":"tinyint","arguments":[]}
        [-128]
        [null]"#]],
    );
    check(
        Arc::new(Int16Array::from(vec![i16::MIN])),
        expect![[r#"
        smallint {"rawType":"smallint","arguments":[]}
        [-32768]"#]],
    );
    check(
        Arc::new(Int32Array::from(vec![i32::MIN])),
        expect![[r#"
        integer {"rawType":"integer","arguments":[]}
        [-2147483648]"#]],
    );
    check(
        Arc::new(Int64Array::from(vec![i64::MIN, 0, i64::MAX])),
        expect![[r#"
        bigint {"rawType":"bigint","arguments":[]}
        [-9223372036854775808]
        [0]
        [9223372036854775807]"#]],
    );
    check(
        Arc::new(UInt8Array::from(vec![u8::MAX])),
        expect![[r#"
        smallint {"rawType":"smallint","arguments":[]}
        [255]"#]],
    );
    check(
        Arc::new(UInt16Array::from(vec![u16::MAX])),
        expect![[r#"
        integer {"rawType":"integer","arguments":[]}
        [65535]"#]],
    );
    check(
        Arc::new(UInt32Array::from(vec![u32::MAX])),
        expect![[r#"
        bigint {"rawType":"bigint","arguments":[]}
        [4294967295]"#]],
    );
    check(
        Arc::new(UInt64Array::from(vec![0, u64::MAX])),
        expect![[r#"
        decimal(20, 0) {"rawType":"decimal","arguments":[{"kind":"LONG","value":20},{"kind":"LONG","value":0}]}
        ["0"]
        ["18446744073709551615"]"#]],
    );
}

#[test]
fn floats_have_a_point_or_an_exponent() {
    let values = vec![
        0.0,
        -0.0,
        1.0,
        0.1,
        1e300,
        5e-324,
        1e16,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    check(
        Arc::new(Float64Array::from(values)),
        expect![[r#"
        double {"rawType":"double","arguments":[]}
        [0.0]
        [-0.0]
        [1.0]
        [0.1]
        [1e+300]
        [5e-324]
        [1e+16]
        ["NaN"]
        ["Infinity"]
        ["-Infinity"]"#]],
    );
    check(
        Arc::new(Float32Array::from(vec![0.1, 1.0, 16_777_216.0, f32::MAX, f32::NAN])),
        expect![[r#"
            real {"rawType":"real","arguments":[]}
            [0.1]
            [1.0]
            [16777216.0]
            [3.4028235e+38]
            ["NaN"]"#]],
    );
    check(
        Arc::new(Float16Array::from(vec![F16::from_f32(1.5), F16::INFINITY])),
        expect![[r#"
            real {"rawType":"real","arguments":[]}
            [1.5]
            ["Infinity"]"#]],
    );
}

#[test]
fn decimals_keep_their_digits() {
    let array = Decimal128Array::from(vec![Some(150), Some(-5), Some(0), Some(-12345), None]);
    check(
        Arc::new(array.with_precision_and_scale(10, 2).unwrap()),
        expect![[r#"
        decimal(10, 2) {"rawType":"decimal","arguments":[{"kind":"LONG","value":10},{"kind":"LONG","value":2}]}
        ["1.50"]
        ["-0.05"]
        ["0.00"]
        ["-123.45"]
        [null]"#]],
    );
    let wide = Decimal128Array::from(vec![
        99_999_999_999_999_999_999_999_999_999_999_999_999_i128,
        -1,
        10_i128.pow(19),
    ]);
    check(
        Arc::new(wide.clone().with_precision_and_scale(38, 0).unwrap()),
        expect![[r#"
            decimal(38, 0) {"rawType":"decimal","arguments":[{"kind":"LONG","value":38},{"kind":"LONG","value":0}]}
            ["99999999999999999999999999999999999999"]
            ["-1"]
            ["10000000000000000000"]"#]],
    );
    check(
        Arc::new(wide.with_precision_and_scale(38, 38).unwrap()),
        expect![[r#"
        decimal(38, 38) {"rawType":"decimal","arguments":[{"kind":"LONG","value":38},{"kind":"LONG","value":38}]}
        ["0.99999999999999999999999999999999999999"]
        ["-0.00000000000000000000000000000000000001"]
        ["0.00000000000000000010000000000000000000"]"#]],
    );
    let thousands = Decimal128Array::from(vec![12, 0])
        .with_precision_and_scale(5, -3)
        .unwrap();
    check(
        Arc::new(thousands),
        expect![[r#"
        decimal(8, 0) {"rawType":"decimal","arguments":[{"kind":"LONG","value":8},{"kind":"LONG","value":0}]}
        ["12000"]
        ["0"]"#]],
    );
    check(
        Arc::new(
            Decimal32Array::from(vec![-1234])
                .with_precision_and_scale(9, 3)
                .unwrap(),
        ),
        expect![[r#"
            decimal(9, 3) {"rawType":"decimal","arguments":[{"kind":"LONG","value":9},{"kind":"LONG","value":3}]}
            ["-1.234"]"#]],
    );
    check(
        Arc::new(
            Decimal64Array::from(vec![i64::from(i32::MIN)])
                .with_precision_and_scale(18, 1)
                .unwrap(),
        ),
        expect![[r#"
            decimal(18, 1) {"rawType":"decimal","arguments":[{"kind":"LONG","value":18},{"kind":"LONG","value":1}]}
            ["-214748364.8"]"#]],
    );
}

#[test]
fn decimals_wider_than_trinos_are_text() {
    let big = i256::from_string("-1234567890123456789012345678901234567890").unwrap();
    check(
        Arc::new(
            Decimal256Array::from(vec![big])
                .with_precision_and_scale(40, 2)
                .unwrap(),
        ),
        expect![[r#"
            varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
            ["-12345678901234567890123456789012345678.90"]"#]],
    );
    check(
        Arc::new(
            Decimal256Array::from(vec![i256::from_i128(7)])
                .with_precision_and_scale(38, 2)
                .unwrap(),
        ),
        expect![[r#"
            decimal(38, 2) {"rawType":"decimal","arguments":[{"kind":"LONG","value":38},{"kind":"LONG","value":2}]}
            ["0.07"]"#]],
    );
}

#[test]
fn text_is_escaped() {
    let values = vec![
        Some("plain"),
        Some(""),
        None,
        Some("\"\\\n\t\u{1}"),
        Some("naïve \u{1F41D}"),
    ];
    check(
        Arc::new(StringArray::from(values.clone())),
        expect![[r#"
        varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
        ["plain"]
        [""]
        [null]
        ["\"\\\n\t\u0001"]
        ["naïve 🐝"]"#]],
    );
    check(
        Arc::new(LargeStringArray::from(vec!["large"])),
        expect![[r#"
        varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
        ["large"]"#]],
    );
    check(
        Arc::new(StringViewArray::from(vec![
            Some("short"),
            None,
            Some("longer than twelve bytes"),
        ])),
        expect![[r#"
            varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
            ["short"]
            [null]
            ["longer than twelve bytes"]"#]],
    );
    check_field(
        marked(DataType::Utf8, "arrow.json"),
        Arc::new(StringArray::from(vec![r#"{"a": 1}"#])),
        expect![[r#"
            json {"rawType":"json","arguments":[]}
            ["{\"a\": 1}"]"#]],
    );
}

#[test]
fn bytes_are_base64() {
    let values: Vec<Option<&[u8]>> = vec![Some(b"\xff"), Some(b""), None, Some(b"\x00\x01\x02")];
    check(
        Arc::new(BinaryArray::from(values.clone())),
        expect![[r#"
        varbinary {"rawType":"varbinary","arguments":[]}
        ["/w=="]
        [""]
        [null]
        ["AAEC"]"#]],
    );
    check(
        Arc::new(LargeBinaryArray::from(values.clone())),
        expect![[r#"
        varbinary {"rawType":"varbinary","arguments":[]}
        ["/w=="]
        [""]
        [null]
        ["AAEC"]"#]],
    );
    check(
        Arc::new(BinaryViewArray::from(values)),
        expect![[r#"
        varbinary {"rawType":"varbinary","arguments":[]}
        ["/w=="]
        [""]
        [null]
        ["AAEC"]"#]],
    );
    let fixed = FixedSizeBinaryArray::try_from_iter([[1_u8, 2], [3, 4]].into_iter()).unwrap();
    check(
        Arc::new(fixed),
        expect![[r#"
        varbinary {"rawType":"varbinary","arguments":[]}
        ["AQI="]
        ["AwQ="]"#]],
    );
    let uuid = FixedSizeBinaryArray::try_from_iter([[0x12_u8; 16]].into_iter()).unwrap();
    check_field(
        marked(DataType::FixedSizeBinary(16), "arrow.uuid"),
        Arc::new(uuid),
        expect![[r#"
            uuid {"rawType":"uuid","arguments":[]}
            ["12121212-1212-1212-1212-121212121212"]"#]],
    );
}

/// A field under an extension's name.
fn marked(data_type: DataType, extension: &str) -> Field {
    let metadata = HashMap::from([("ARROW:extension:name".to_owned(), extension.to_owned())]);
    Field::new("c", data_type, true).with_metadata(metadata)
}
