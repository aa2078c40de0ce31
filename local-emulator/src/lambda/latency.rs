//! How long a cold start takes before Init. **Assumed**, not measured: AWS does not show placement and download; calibrate on a real account.

use std::time::Duration;

/// Lognormal, by its median and its 99th percentile.
const MEDIAN_MS: f64 = 90.0;
const P99_MS: f64 = 350.0;
/// Standard deviations from the median to the 99th percentile.
const P99_SIGMAS: f64 = 2.326;
/// Uniform numbers whose sum is nearly normal, with a standard deviation of one.
pub(super) const UNIFORMS: usize = 12;

/// The wait that `uniforms`, each from 0 to 1, stand for.
pub(super) fn placement(uniforms: [f64; UNIFORMS]) -> Duration {
    let normal = uniforms.iter().sum::<f64>() - UNIFORMS as f64 / 2.0;
    let sigma = (P99_MS / MEDIAN_MS).ln() / P99_SIGMAS;
    Duration::from_secs_f64(MEDIAN_MS * (sigma * normal).exp() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    #[test]
    fn the_median_and_the_99th_percentile_are_the_assumed_ones() {
        let mut random = SmallRng::seed_from_u64(1);
        let mut waits: Vec<f64> = (0..50_000)
            .map(|_| placement(std::array::from_fn(|_| random.random())).as_secs_f64() * 1000.0)
            .collect();
        waits.sort_by(f64::total_cmp);
        for (share, expected) in [(0.5, MEDIAN_MS), (0.99, P99_MS)] {
            let wait = waits[(share * 50_000.0) as usize];
            assert!(
                (wait / expected - 1.0).abs() < 0.05,
                "{wait} at {share}, assumed {expected}"
            );
        }
    }
}
