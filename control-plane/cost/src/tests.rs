//! Sums, rounding, and bills as text.

use super::*;
use expect_test::expect;
use mayfly_protocol::{Meter, PicoDollars, S3Meter, StageId};
use std::collections::BTreeMap;

fn book() -> PriceBook {
    PriceBook::us_east_1(Architecture::X86_64)
}

fn meter(billed_ms: u64, gets: u64, puts: u64) -> Meter {
    Meter {
        invocations: 1,
        billed_ms,
        billed_mb_ms: billed_ms * 1_769,
        s3: S3Meter {
            gets,
            puts,
            ..S3Meter::default()
        },
        ..Meter::default()
    }
}

fn usage(stages: &[(Option<u32>, Meter)]) -> BTreeMap<Option<StageId>, Meter> {
    let key = |stage: Option<u32>| stage.map(StageId::new);
    stages.iter().map(|(stage, meter)| (key(*stage), *meter)).collect()
}

#[test]
fn each_architecture_has_its_book_and_other_regions_have_none() {
    let compute = |architecture| PriceBook::us_east_1(architecture).compute.to_string();
    assert_eq!(compute(Architecture::X86_64), "$0.0000166667/GB-s");
    assert_eq!(compute(Architecture::Arm64), "$0.0000133334/GB-s");
    let error = PriceBook::named("mars-1", Architecture::Arm64).expect_err("there is none");
    assert_eq!(error.to_string(), "there is no price book for region \"mars-1\"");
}

#[test]
fn amounts_round_up_once_per_line() {
    let price = book().compute;
    // 1 MB·ms costs 16.27… pico-dollars; a thousand of them 16,276.07…, not a thousand times 17.
    assert_eq!(price.of(1), PicoDollars(17));
    assert_eq!(price.of(1_000), PicoDollars(16_277));
    assert_eq!(price.of(1_024_000), PicoDollars(16_666_700));
    assert_eq!(price.of(0), PicoDollars::ZERO);
}

#[test]
fn the_lines_sum_to_the_total_whatever_the_meters() {
    for n in 0..200_u64 {
        let stages = [
            (Some(0), meter(n * 37 + 1, n % 7, n % 3)),
            (Some(1), meter(n, 0, n)),
            (None, meter(0, 1, 1)),
        ];
        let bill = bill(&book(), &usage(&stages));
        let by_stage: PicoDollars = [Some(0), Some(1), None]
            .map(|stage| bill.stage_total(stage.map(StageId::new)))
            .into_iter()
            .sum();
        assert!(bill.adds_up());
        assert_eq!(by_stage, bill.total);
    }
}

#[test]
fn a_bill_that_was_tampered_with_does_not_add_up() {
    let honest = bill(&book(), &usage(&[(Some(0), meter(100, 1, 1))]));
    let mut total = honest.clone();
    total.total += PicoDollars(1);
    let mut line = honest.clone();
    line.lines[0].amount += PicoDollars(1);
    line.total += PicoDollars(1);
    assert!(honest.adds_up() && !total.adds_up() && !line.adds_up());
}

#[test]
fn a_bill_survives_json() {
    let bill = bill(&book(), &usage(&[(Some(3), meter(5, 1, 2)), (None, meter(0, 0, 2))])).compared(&book(), 1);
    let json = serde_json::to_string(&bill).expect("a bill is JSON");
    assert_eq!(serde_json::from_str::<Bill>(&json).expect("and back"), bill);
}

#[test]
fn a_bill_as_a_terminal_shows_it() {
    let mut coordinator = Meter {
        sqs_requests: 2,
        ..Meter::default()
    };
    coordinator.s3.puts = 2;
    let stages = [
        (Some(0), meter(1_250, 24, 1)),
        (Some(1), meter(80, 1, 0)),
        (None, coordinator),
    ];
    let bill = bill(&book(), &usage(&stages)).compared(&book(), 250_000_000);
    expect![[r#"
        stage        resource           quantity          unit price           amount
        ─────────────────────────────────────────────────────────────────────────────
        s0           Lambda compute   2.160 GB-s  $0.0000166667/GB-s  $0.000035990470
                     Lambda requests           1  $0.0000002/request  $0.000000200000
                     S3 GET                   24  $0.0000004/request  $0.000009600000
                     S3 PUT                    1   $0.000005/request  $0.000005000000
        s1           Lambda compute   0.139 GB-s  $0.0000166667/GB-s  $0.000002303391
                     Lambda requests           1  $0.0000002/request  $0.000000200000
                     S3 GET                    1  $0.0000004/request  $0.000000400000
        coordinator  S3 PUT                    2   $0.000005/request  $0.000010000000
                     SQS requests              2  $0.0000004/request  $0.000000800000
        ─────────────────────────────────────────────────────────────────────────────
        total                                                         $0.000064493861
        us-east-1 x86_64 list prices of 2026-10
        Athena would charge $0.001139640809 for scanning 239 MB
    "#]]
    .assert_eq(&bill.to_string());
}

#[test]
fn a_bound_is_marked_on_its_lines_and_on_the_total() {
    let mut lost = meter(60_000, 0, 0);
    lost.bounded = 1;
    let bill = bill(&book(), &usage(&[(Some(0), lost), (Some(1), meter(10, 1, 0))]));
    expect![[r#"
        stage  resource             quantity          unit price             amount
        ───────────────────────────────────────────────────────────────────────────
        s0     Lambda compute   103.653 GB-s  $0.0000166667/GB-s  ≤ $0.001727542518
               Lambda requests             1  $0.0000002/request  ≤ $0.000000200000
        s1     Lambda compute     0.018 GB-s  $0.0000166667/GB-s    $0.000000287924
               Lambda requests             1  $0.0000002/request    $0.000000200000
               S3 GET                      1  $0.0000004/request    $0.000000400000
        ───────────────────────────────────────────────────────────────────────────
        total                                                     ≤ $0.001728630442
        us-east-1 x86_64 list prices of 2026-10
        ≤ the outcome of an attempt was not seen; it is billed at its bound
    "#]]
    .assert_eq(&bill.to_string());
}

#[test]
fn athena_bills_whole_megabytes_and_ten_at_least() {
    let amount = |bytes| Comparison::athena(&book(), bytes).amount;
    assert_eq!(amount(1 << 40), PicoDollars(5 * PicoDollars::PER_DOLLAR));
    assert_eq!(amount(1), amount(10 << 20));
    assert_eq!(amount((10 << 20) + 1), amount(11 << 20));
    expect!["Athena would charge $0.000047683716 for scanning 10 MB"]
        .assert_eq(&Comparison::athena(&book(), 5).to_string());
}

#[test]
fn a_book_that_is_not_one_is_refused_with_its_reason() {
    let good = include_str!("../prices/us-east-1.toml");
    let refused = |from: &str, to: &str| {
        assert!(good.contains(from));
        let text = good.replacen(from, to, 1);
        PriceBook::parse(&text, Architecture::X86_64)
            .expect_err("must be refused")
            .to_string()
    };
    let reasons = [
        refused("\"0.0000166667\"", "\"1.6e-5\""),
        refused("\"0.0000166667\"", "\"0.0000166666666\""),
        refused("unit = \"gb_second\"", "unit = \"request\""),
        refused("source = \"https://aws.amazon.com/lambda/pricing/\"", "source = \"\""),
        refused("[compute.x86_64]", "[compute.riscv]"),
    ];
    expect![[r#"
        compute: "1.6e-5" is not a decimal amount of dollars with at most 12 digits after the point
        compute: "0.0000166666666" is not a decimal amount of dollars with at most 12 digits after the point
        compute is priced per Request, expected per GbSecond
        compute does not say where its figure was read
        the price book is malformed"#]]
    .assert_eq(&reasons.join("\n"));
}
