//! Tests of `format`.

use super::*;

fn options(pairs: &[(&str, &str)]) -> Vec<(String, Value)> {
    let option = |(key, value): &(&str, &str)| ((*key).to_owned(), Value::SingleQuotedString((*value).to_owned()));
    pairs.iter().map(option).collect()
}

#[test]
fn options_are_read_with_and_without_their_prefix() {
    let given = options(&[
        ("format.delimiter", "\\t"),
        ("HAS_HEADER", "false"),
        ("format.compression", "gz"),
    ]);
    let expected = CsvFormat {
        delimiter: '\t',
        has_header: false,
        compression: Some(Compression::Gzip),
        ..CsvFormat::default()
    };
    assert_eq!(parse("CSV", &given).expect("valid"), FileFormat::Csv(expected));
}

#[test]
fn what_is_not_known_is_refused_with_the_nearest() {
    let error = parse("csv", &options(&[("delimeter", ";")])).expect_err("misspelled");
    assert_eq!(error.code, ErrorCode::InvalidArguments);
    assert_eq!(error.hint.as_deref(), Some("did you mean 'delimiter'?"));
    for (key, value) in [
        ("delimiter", ";;"),
        ("quote", "é"),
        ("has_header", "yes"),
        ("compression", "rar"),
    ] {
        let error = parse("csv", &options(&[(key, value)])).expect_err(value);
        assert!(error.message.contains(value), "{error:?}");
    }
    assert!(parse("parquet", &options(&[("compression", "gzip")])).is_err());
    assert!(parse("orc", &[]).is_err());
}
