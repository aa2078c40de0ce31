//! How long S3 takes: waits drawn from latencies that were measured on AWS, so that a laptop feels the cloud's shape.

use std::sync::Mutex;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::count::S3Operation;

/// Bytes a second of one connection: AWS's guidance is one connection per 85 to 90 MB/s.
pub(super) const BYTES_PER_S: u64 = 90_000_000;

/// Share of requests that are faster, and milliseconds: 1 KB objects from Lambda in us-east-1, April 2024, a million samples (Skyrise).
const GET: [(f64, f64); 11] = [
    (0.01, 13.5),
    (0.25, 17.6),
    (0.5, 26.9),
    (0.75, 41.0),
    (0.9, 59.0),
    (0.95, 74.0),
    (0.99, 106.0),
    (0.999, 178.0),
    (0.9999, 283.0),
    (0.99999, 898.0),
    (1.0, 10_050.0),
];
const PUT: [(f64, f64); 11] = [
    (0.01, 22.0),
    (0.25, 28.0),
    (0.5, 40.4),
    (0.75, 55.0),
    (0.9, 75.0),
    (0.95, 90.0),
    (0.99, 123.0),
    (0.999, 205.0),
    (0.9999, 403.0),
    (0.99999, 965.0),
    (1.0, 5_213.0),
];

/// S3 was faster on some days than on others: a run has one factor for all of its requests.
const FACTOR: std::ops::Range<f64> = 0.65..1.5;

/// The waits of one run.
#[derive(Debug)]
pub(crate) struct Latency {
    factor: f64,
    random: Mutex<SmallRng>,
}

impl Latency {
    pub fn aws(seed: u64) -> Latency {
        let mut random = SmallRng::seed_from_u64(seed);
        Latency {
            factor: random.random_range(FACTOR),
            random: Mutex::new(random),
        }
    }

    /// Until the first byte of the answer. Listings and copies wait as writes do.
    pub fn first_byte(&self, operation: S3Operation) -> Duration {
        let curve = match operation {
            S3Operation::Get | S3Operation::Head => &GET,
            _ => &PUT,
        };
        let share = self.random.lock().expect("drawing does not panic").random::<f64>();
        Duration::from_secs_f64(self.factor * milliseconds(curve, share) / 1000.0)
    }
}

/// The inverse of the curve at `share`: straight lines between the logarithms of the measured points.
fn milliseconds(curve: &[(f64, f64)], share: f64) -> f64 {
    let above = curve.partition_point(|(at, _)| *at < share).min(curve.len() - 1);
    let (upper_share, upper) = curve[above];
    let Some((lower_share, lower)) = above.checked_sub(1).map(|below| curve[below]) else {
        return upper;
    };
    let along = (share - lower_share) / (upper_share - lower_share);
    (lower.ln() + along * (upper.ln() - lower.ln())).exp()
}

#[cfg(test)]
mod tests;
