//! One stream of chance per purpose, so that a draw more for one of them leaves the others as they were.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

#[derive(Debug)]
pub(crate) struct Streams {
    pub graphs: SmallRng,
    pub faults: SmallRng,
    pub latency: SmallRng,
    pub nonces: SmallRng,
    pub coordination: SmallRng,
    pub copies: SmallRng,
    pub sizes: SmallRng,
}

impl Streams {
    pub fn new(seed: u64) -> Streams {
        let stream = |purpose: u64| SmallRng::seed_from_u64(mix(seed, purpose));
        Streams {
            graphs: stream(1),
            faults: stream(2),
            latency: stream(3),
            nonces: stream(4),
            coordination: stream(5),
            copies: stream(6),
            sizes: stream(7),
        }
    }
}

/// A well spread function of two numbers: the finalizer of SplitMix64.
pub(crate) fn mix(left: u64, right: u64) -> u64 {
    let mut mixed = left
        ^ right
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// True with the given probability.
pub(crate) fn chance(stream: &mut SmallRng, probability: f64) -> bool {
    stream.random::<f64>() < probability
}

/// Mostly short, sometimes up to the maximum.
pub(crate) fn skewed(stream: &mut SmallRng, max_ms: u64) -> u64 {
    let share: f64 = stream.random();
    (share * share * share * max_ms as f64) as u64
}
