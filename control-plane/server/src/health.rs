//! Whether queries can be answered at all. Balancers ask every second or more often, each of them: the engine is asked once in a while.

use crate::engine::Engine;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long an answer counts.
const KEPT: Duration = Duration::from_secs(3);
/// Who does not answer by then is not there: whoever asks us has a timeout, too.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// What was found when, last.
#[derive(Default)]
pub struct Health(Mutex<Option<(Instant, bool)>>);

impl Health {
    /// Held while the engine is asked, so that those who ask meanwhile hear the same.
    pub async fn is_ready(&self, engine: &dyn Engine) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, is_ready)) = *last
            && at.elapsed() < KEPT
        {
            return is_ready;
        }
        let is_ready = timeout(WAIT_MAX, engine.is_ready()).await.unwrap_or(false);
        *last = Some((Instant::now(), is_ready));
        is_ready
    }
}
