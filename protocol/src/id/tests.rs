//! Tests of `id`.

use super::*;

fn round_trip<T: FromStr + fmt::Display>(text: &str)
where
    T::Err: fmt::Debug,
{
    assert_eq!(text.parse::<T>().expect("parses").to_string(), text);
}

#[test]
fn each_id_reads_back_what_it_prints() {
    round_trip::<QueryId>("20261120_151209_00042_k3x9a");
    round_trip::<StageId>("s2");
    round_trip::<StageId>("s2g1");
    round_trip::<TaskId>("s2/t14");
    round_trip::<AttemptId>("20261120_151209_00042_k3x9a/s2/t14/a1");
    round_trip::<AttemptId>("20261120_151209_00042_k3x9a/s2g3/t14/a1e2");
    round_trip::<Nonce>("00000000000000ff");
}

#[test]
fn what_is_not_an_id_is_refused() {
    assert!("".parse::<QueryId>().is_err());
    assert!("Q/../x".parse::<QueryId>().is_err());
    assert!("a".repeat(65).parse::<QueryId>().is_err());
    assert!("s+2".parse::<StageId>().is_err());
    assert!("s".parse::<StageId>().is_err());
    assert!("t1".parse::<TaskId>().is_err());
    assert!("q/s1/t1".parse::<AttemptId>().is_err());
    assert!("s99999999999".parse::<StageId>().is_err());
    assert!("A".parse::<TenantId>().is_err());
}
