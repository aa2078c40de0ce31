//! Dates, times, timestamps, intervals.

use super::{check, check_field, check_millis};
use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::*;
use expect_test::expect;
use std::sync::Arc;

#[test]
fn dates_have_no_end() {
    let days = vec![0, 18_292, 11_016, -1, -719_162, -719_529, 2_932_897, i32::MIN, i32::MAX];
    check(
        Arc::new(Date32Array::from(days)),
        expect![[r#"
        date {"rawType":"date","arguments":[]}
        ["1970-01-01"]
        ["2020-01-31"]
        ["2000-02-29"]
        ["1969-12-31"]
        ["0001-01-01"]
        ["-0001-12-31"]
        ["+10000-01-01"]
        ["-5877641-06-23"]
        ["+5881580-07-11"]"#]],
    );
    check(
        Arc::new(Date64Array::from(vec![1, i64::MIN])),
        expect![[r#"
        timestamp(3) {"rawType":"timestamp","arguments":[{"kind":"LONG","value":3}]}
        ["1970-01-01 00:00:00.001"]
        ["-292275055-05-16 16:47:04.192"]"#]],
    );
}

#[test]
fn times_of_day() {
    check(
        Arc::new(Time32SecondArray::from(vec![3723])),
        expect![[r#"
        time(0) {"rawType":"time","arguments":[{"kind":"LONG","value":0}]}
        ["01:02:03"]"#]],
    );
    check(
        Arc::new(Time32MillisecondArray::from(vec![3_723_004])),
        expect![[r#"
        time(3) {"rawType":"time","arguments":[{"kind":"LONG","value":3}]}
        ["01:02:03.004"]"#]],
    );
    check(
        Arc::new(Time64MicrosecondArray::from(vec![3_723_000_004])),
        expect![[r#"
        time(6) {"rawType":"time","arguments":[{"kind":"LONG","value":6}]}
        ["01:02:03.000004"]"#]],
    );
    check(
        Arc::new(Time64NanosecondArray::from(vec![86_399_999_999_999])),
        expect![[r#"
            time(9) {"rawType":"time","arguments":[{"kind":"LONG","value":9}]}
            ["23:59:59.999999999"]"#]],
    );
    check_millis(
        Arc::new(Time64NanosecondArray::from(vec![
            86_399_999_999_999,
            1_499_999,
            1_500_000,
        ])),
        expect![[r#"
            time {"rawType":"time","arguments":[]}
            ["00:00:00.000"]
            ["00:00:00.001"]
            ["00:00:00.002"]"#]],
    );
    check_millis(
        Arc::new(Time32SecondArray::from(vec![3723])),
        expect![[r#"
        time {"rawType":"time","arguments":[]}
        ["01:02:03.000"]"#]],
    );
}

#[test]
fn timestamps_without_a_zone() {
    check(
        Arc::new(TimestampSecondArray::from(vec![1_580_432_523, -1])),
        expect![[r#"
        timestamp(0) {"rawType":"timestamp","arguments":[{"kind":"LONG","value":0}]}
        ["2020-01-31 01:02:03"]
        ["1969-12-31 23:59:59"]"#]],
    );
    check(
        Arc::new(TimestampMillisecondArray::from(vec![1_580_432_523_456, -1])),
        expect![[r#"
            timestamp(3) {"rawType":"timestamp","arguments":[{"kind":"LONG","value":3}]}
            ["2020-01-31 01:02:03.456"]
            ["1969-12-31 23:59:59.999"]"#]],
    );
    check(
        Arc::new(TimestampMicrosecondArray::from(vec![1_580_432_523_456_789, -1])),
        expect![[r#"
            timestamp(6) {"rawType":"timestamp","arguments":[{"kind":"LONG","value":6}]}
            ["2020-01-31 01:02:03.456789"]
            ["1969-12-31 23:59:59.999999"]"#]],
    );
    check(
        Arc::new(TimestampNanosecondArray::from(vec![
            1_580_432_523_456_789_012,
            -1,
            i64::MIN,
        ])),
        expect![[r#"
            timestamp(9) {"rawType":"timestamp","arguments":[{"kind":"LONG","value":9}]}
            ["2020-01-31 01:02:03.456789012"]
            ["1969-12-31 23:59:59.999999999"]
            ["1677-09-21 00:12:43.145224192"]"#]],
    );
    check_millis(
        Arc::new(TimestampNanosecondArray::from(vec![
            1_580_432_523_456_500_000,
            -1,
            i64::MAX,
        ])),
        expect![[r#"
            timestamp {"rawType":"timestamp","arguments":[]}
            ["2020-01-31 01:02:03.457"]
            ["1970-01-01 00:00:00.000"]
            ["2262-04-11 23:47:16.855"]"#]],
    );
    check_millis(
        Arc::new(TimestampSecondArray::from(vec![i64::MAX])),
        expect![[r#"
        timestamp {"rawType":"timestamp","arguments":[]}
        ["+292277026596-12-04 15:30:07.000"]"#]],
    );
}

#[test]
fn timestamps_with_a_zone() {
    let at = |zone: &str| Arc::new(TimestampMillisecondArray::from(vec![1_580_432_523_456]).with_timezone(zone));
    check(
        at("UTC"),
        expect![[r#"
        timestamp(3) with time zone {"rawType":"timestamp with time zone","arguments":[{"kind":"LONG","value":3}]}
        ["2020-01-31 01:02:03.456 UTC"]"#]],
    );
    check(
        at("+00:00"),
        expect![[r#"
        timestamp(3) with time zone {"rawType":"timestamp with time zone","arguments":[{"kind":"LONG","value":3}]}
        ["2020-01-31 01:02:03.456 UTC"]"#]],
    );
    check(
        at("+05:30"),
        expect![[r#"
        timestamp(3) with time zone {"rawType":"timestamp with time zone","arguments":[{"kind":"LONG","value":3}]}
        ["2020-01-31 06:32:03.456 +05:30"]"#]],
    );
    check(
        at("-03:00"),
        expect![[r#"
        timestamp(3) with time zone {"rawType":"timestamp with time zone","arguments":[{"kind":"LONG","value":3}]}
        ["2020-01-30 22:02:03.456 -03:00"]"#]],
    );
    check(
        at("America/New_York"),
        expect![[r#"
        timestamp(3) with time zone {"rawType":"timestamp with time zone","arguments":[{"kind":"LONG","value":3}]}
        ["2020-01-30 20:02:03.456 America/New_York"]"#]],
    );
    check(
        at("Mars/Olympus"),
        expect!["NOT_SUPPORTED: time zone 'Mars/Olympus' is not known"],
    );
    check_millis(
        at("Europe/Berlin"),
        expect![[r#"
        timestamp with time zone {"rawType":"timestamp with time zone","arguments":[]}
        ["2020-01-31 02:02:03.456 Europe/Berlin"]"#]],
    );
}

#[test]
fn a_zone_changes_its_offset_over_the_year() {
    let summer = 1_593_600_000;
    let array = TimestampSecondArray::from(vec![1_580_432_523, summer, i64::MAX]).with_timezone("America/New_York");
    check(
        Arc::new(array),
        expect![[r#"
        timestamp(0) with time zone {"rawType":"timestamp with time zone","arguments":[{"kind":"LONG","value":0}]}
        ["2020-01-30 20:02:03 America/New_York"]
        ["2020-07-01 06:40:00 America/New_York"]
        ["+292277026596-12-04 10:30:07 America/New_York"]"#]],
    );
}

#[test]
fn intervals() {
    check(
        Arc::new(IntervalYearMonthArray::from(vec![14, -7, 0, i32::MIN])),
        expect![[r#"
            interval year to month {"rawType":"interval year to month","arguments":[]}
            ["1-2"]
            ["-0-7"]
            ["0-0"]
            ["-178956970-8"]"#]],
    );
    let day_time = vec![
        IntervalDayTime::new(2, 11_045_678),
        IntervalDayTime::new(0, -1),
        IntervalDayTime::new(-1, 1),
    ];
    check(
        Arc::new(IntervalDayTimeArray::from(day_time)),
        expect![[r#"
        interval day to second {"rawType":"interval day to second","arguments":[]}
        ["2 03:04:05.678"]
        ["-0 00:00:00.001"]
        ["-0 23:59:59.999"]"#]],
    );
    let nanos = vec![Some(IntervalMonthDayNano::new(0, 1, 1_999_999)), None];
    check(
        Arc::new(IntervalMonthDayNanoArray::from(nanos)),
        expect![[r#"
        interval day to second {"rawType":"interval day to second","arguments":[]}
        ["1 00:00:00.001"]
        [null]"#]],
    );
    let months = vec![IntervalMonthDayNano::new(1, 0, 0)];
    check(
        Arc::new(IntervalMonthDayNanoArray::from(months)),
        expect!["NOT_SUPPORTED: column 'c' holds an interval of months, unlike its type"],
    );
}

/// As the planner marked them.
#[test]
fn intervals_of_months() {
    let months = vec![Some(IntervalMonthDayNano::new(-14, 0, 0)), None];
    check_field(
        interval_of("months"),
        Arc::new(IntervalMonthDayNanoArray::from(months)),
        expect![[r#"
            interval year to month {"rawType":"interval year to month","arguments":[]}
            ["-1-2"]
            [null]"#]],
    );
    let days = vec![IntervalMonthDayNano::new(1, 1, 0)];
    check_field(
        interval_of("months"),
        Arc::new(IntervalMonthDayNanoArray::from(days)),
        expect!["NOT_SUPPORTED: column 'c' holds an interval of days, unlike its type"],
    );
    let both = vec![
        Some(IntervalMonthDayNano::new(1, 2, 3_500_000_000)),
        None,
        Some(IntervalMonthDayNano::new(0, -1, 0)),
    ];
    check_field(
        interval_of("any"),
        Arc::new(IntervalMonthDayNanoArray::from(both)),
        expect![[r#"
            varchar {"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}
            ["1 mons 2 days 3.500000000 secs"]
            [null]
            ["-1 days"]"#]],
    );
}

/// What is said of a column holds for the intervals inside it.
#[test]
fn intervals_inside_lists_rows_and_maps() {
    let months = || IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(14, 0, 0)]);
    let part = Arc::new(Field::new("i", DataType::Interval(IntervalUnit::MonthDayNano), true));
    let items = Arc::new(months());
    let list = ListArray::new(part.clone(), OffsetBuffer::from_lengths([1]), items, None);
    let row = StructArray::from(vec![(part, Arc::new(months()) as ArrayRef)]);
    let key = Arc::new(Field::new("keys", DataType::Int32, false));
    let value = Arc::new(Field::new("values", list.data_type().clone(), true));
    let pairs = StructArray::from(vec![
        (key, Arc::new(Int32Array::from(vec![7])) as ArrayRef),
        (value, Arc::new(list.clone()) as ArrayRef),
    ]);
    let entries = Arc::new(Field::new("entries", pairs.data_type().clone(), false));
    let map = MapArray::new(entries, OffsetBuffer::from_lengths([1]), pairs, None, false);
    check_field(
        marked("months", list.data_type()),
        Arc::new(list),
        expect![[r#"
        array(interval year to month) {"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"interval year to month","arguments":[]}}]}
        [["1-2"]]"#]],
    );
    check_field(
        marked("any", row.data_type()),
        Arc::new(row),
        expect![[r#"
        row(i varchar) {"rawType":"row","arguments":[{"kind":"NAMED_TYPE","value":{"fieldName":{"name":"i"},"typeSignature":{"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}}}]}
        [["14 mons"]]"#]],
    );
    check_field(
        marked("months", map.data_type()),
        Arc::new(map),
        expect![[r#"
        map(integer, array(interval year to month)) {"rawType":"map","arguments":[{"kind":"TYPE","value":{"rawType":"integer","arguments":[]}},{"kind":"TYPE","value":{"rawType":"array","arguments":[{"kind":"TYPE","value":{"rawType":"interval year to month","arguments":[]}}]}}]}
        [{"7":["1-2"]}]"#]],
    );
}

fn interval_of(units: &str) -> Field {
    marked(units, &DataType::Interval(IntervalUnit::MonthDayNano))
}

fn marked(units: &str, data_type: &DataType) -> Field {
    let metadata = [("mayfly.interval_units".to_owned(), units.to_owned())];
    Field::new("c", data_type.clone(), true).with_metadata(metadata.into())
}

#[test]
fn durations() {
    check(
        Arc::new(DurationSecondArray::from(vec![90_061, i64::MIN])),
        expect![[r#"
        interval day to second {"rawType":"interval day to second","arguments":[]}
        ["1 01:01:01.000"]
        ["-106751991167300 15:30:08.000"]"#]],
    );
    check(
        Arc::new(DurationMillisecondArray::from(vec![-1])),
        expect![[r#"
        interval day to second {"rawType":"interval day to second","arguments":[]}
        ["-0 00:00:00.001"]"#]],
    );
    check(
        Arc::new(DurationMicrosecondArray::from(vec![1_500])),
        expect![[r#"
        interval day to second {"rawType":"interval day to second","arguments":[]}
        ["0 00:00:00.001"]"#]],
    );
    check(
        Arc::new(DurationNanosecondArray::from(vec![i64::MAX])),
        expect![[r#"
        interval day to second {"rawType":"interval day to second","arguments":[]}
        ["106751 23:47:16.854"]"#]],
    );
}
