//! How fast a function may grow: on AWS 1,000 new environments every 10 s, refilled continuously and never saved up beyond that. Time is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(10);

/// A bucket of starts per function.
#[derive(Debug)]
pub(crate) struct Ramp {
    per_period: u32,
    functions: BTreeMap<String, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// Starts that are left, in parts: refills come continuously.
    left: f64,
    at: Instant,
}

impl Ramp {
    pub fn new(per_period: u32) -> Ramp {
        Ramp {
            per_period,
            functions: BTreeMap::new(),
        }
    }

    /// Whether one more environment of the function may start now.
    pub fn start(&mut self, function: &str, now: Instant) -> bool {
        let most = f64::from(self.per_period);
        if !self.functions.contains_key(function) {
            self.functions
                .insert(function.to_owned(), Bucket { left: most, at: now });
        }
        let bucket = self.functions.get_mut(function).expect("inserted above");
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64() / PERIOD.as_secs_f64();
        bucket.left = (bucket.left + passed * most).min(most);
        bucket.at = now;
        let may = bucket.left >= 1.0;
        bucket.left -= f64::from(u8::from(may));
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_a_steady_rate_and_no_savings() {
        let (mut ramp, start) = (Ramp::new(10), Instant::now());
        let starts = |ramp: &mut Ramp, at: Instant| (0..100).take_while(|_| ramp.start("f", at)).count();
        assert_eq!(starts(&mut ramp, start), 10);
        assert_eq!(starts(&mut ramp, start), 0);
        assert_eq!(starts(&mut ramp, start + Duration::from_millis(3_050)), 3);
        assert_eq!(starts(&mut ramp, start + Duration::from_secs(1_000)), 10);
        assert!(ramp.start("g", start), "each function has its own");
    }
}
