//! When to ask twice. A GET whose headers are later than nearly all before it gets a twin on another connection, and the first good
//! answer is taken: most stragglers of S3 are slow by themselves, not their object. Leaves out bodies: one that stalls is resumed by `read`.
//!
//! The patience is the 99th percentile of what this process has seen, and until it has seen enough, that of S3. Twins are at most 2 % of
//! the requests; what they cost is metered like any request.

use futures::future::{Either, select};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// 99 % of GETs of 1 KB from a Lambda function are answered within 106 ms, and whole days are up to 1.5 times as slow (Skyrise, 2024).
const PATIENCE_FIRST: Duration = Duration::from_millis(160);
/// Where S3 answers faster than this, a twin saves too little.
const PATIENCE_MIN: Duration = Duration::from_millis(50);
/// Answers that make a percentile.
const SEEN_MIN: u32 = 200;
/// Answers after which older ones count half.
const SEEN_MAX: u32 = 10_000;
/// Twins per request.
const SHARE: f64 = 0.02;
/// Twins that may be saved up.
const SAVED_MAX: f64 = 10.0;
/// Each bucket of latencies reaches 2^(1/4) times as far as the one below it; the first holds up to a millisecond, the last all beyond a minute.
const BUCKETS: usize = 65;
const BUCKETS_PER_DOUBLING: f64 = 4.0;

/// What a process knows of S3's patience; shared by all handles on one connection.
#[derive(Debug)]
pub(crate) struct Hedging(Mutex<State>);

#[derive(Debug)]
struct State {
    seen: [u32; BUCKETS],
    total: u32,
    /// Twins that may be sent now.
    saved: f64,
}

impl Default for Hedging {
    fn default() -> Hedging {
        Hedging(Mutex::new(State {
            seen: [0; BUCKETS],
            total: 0,
            saved: 1.0,
        }))
    }
}

impl Hedging {
    /// The answer of `send`, or of its twin where the first is late; `twin` hears of it. An error counts only when both have failed. What
    /// is late because it is being retried, as `retried` knows, gets no twin: an S3 in trouble is not asked twice.
    pub(crate) async fn first<T, E, F>(
        &self,
        send: impl Fn() -> F,
        retried: &AtomicBool,
        twin: impl FnOnce(),
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let began = Instant::now();
        let mut first = pin!(send());
        let answer = match tokio::time::timeout(self.patience(), &mut first).await {
            Ok(answer) => answer,
            Err(_) if !retried.load(Relaxed) && self.spend() => {
                twin();
                either(first, pin!(send())).await
            }
            Err(_) => first.await,
        };
        if answer.is_ok() {
            self.note(began.elapsed());
        }
        answer
    }

    fn patience(&self) -> Duration {
        let state = self.lock();
        if state.total < SEEN_MIN {
            return PATIENCE_FIRST;
        }
        let mut beyond = state.total / 100;
        for bucket in (0..BUCKETS).rev() {
            let Some(left) = beyond.checked_sub(state.seen[bucket]) else {
                return reach(bucket).max(PATIENCE_MIN);
            };
            beyond = left;
        }
        PATIENCE_MIN
    }

    fn spend(&self) -> bool {
        let mut state = self.lock();
        let may = state.saved >= 1.0;
        if may {
            state.saved -= 1.0;
        }
        may
    }

    fn note(&self, latency: Duration) {
        let mut state = self.lock();
        state.saved = (state.saved + SHARE).min(SAVED_MAX);
        state.seen[bucket(latency)] += 1;
        state.total += 1;
        if state.total >= SEEN_MAX {
            state.seen.iter_mut().for_each(|count| *count /= 2);
            state.total = state.seen.iter().sum();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn either<T, E, F>(first: std::pin::Pin<&mut F>, second: std::pin::Pin<&mut F>) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    match select(first, second).await {
        Either::Left((Ok(answer), _)) | Either::Right((Ok(answer), _)) => Ok(answer),
        Either::Left((Err(_), other)) | Either::Right((Err(_), other)) => other.await,
    }
}

fn bucket(latency: Duration) -> usize {
    let doublings = (latency.as_secs_f64() * 1e3).max(1.0).log2();
    ((doublings * BUCKETS_PER_DOUBLING).ceil() as usize).min(BUCKETS - 1)
}

/// The longest latency of a bucket.
fn reach(bucket: usize) -> Duration {
    Duration::from_secs_f64((bucket as f64 / BUCKETS_PER_DOUBLING).exp2() / 1e3)
}

#[cfg(test)]
mod tests;
