//! Waits against the measured points they are drawn from.

use super::*;

#[test]
fn the_curve_goes_through_its_points_and_rises() {
    for curve in [GET, PUT] {
        for (share, expected) in curve {
            assert!((milliseconds(&curve, share) - expected).abs() < 1e-6, "{share}");
        }
        let waits: Vec<f64> = (0..=1000)
            .map(|n| milliseconds(&curve, f64::from(n) / 1000.0))
            .collect();
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(waits[0], curve[0].1);
    }
}

#[test]
fn waits_have_the_measured_shape_and_repeat_with_the_seed() {
    let waits = |seed| {
        let latency = Latency::aws(seed);
        let mut waits: Vec<Duration> = (0..20_000).map(|_| latency.first_byte(S3Operation::Get)).collect();
        waits.sort();
        (latency.factor, waits)
    };
    let (factor, sorted) = waits(3);
    assert_eq!(sorted, waits(3).1);
    assert!(FACTOR.contains(&factor));
    for (share, expected) in [(0.5, 26.9), (0.9, 59.0), (0.99, 106.0)] {
        let wait = sorted[(share * 20_000.0) as usize].as_secs_f64() * 1000.0 / factor;
        assert!(
            (wait / expected - 1.0).abs() < 0.1,
            "{wait} at {share}, measured {expected}"
        );
    }
}
