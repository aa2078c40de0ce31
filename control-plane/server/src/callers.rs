//! Who calls: connections by the address that they come from. One caller holds a part of them at most: where it has all of that, its own
//! connection that has been idle for longest makes room.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Bits of an IPv6 address that tell one site from another: whoever has a site has all of its addresses.
const SITE_BITS: u32 = 64;

/// Whom a connection counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller(IpAddr);

impl Caller {
    pub fn of(address: IpAddr) -> Caller {
        Caller(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let site = u128::from(address) & (u128::MAX << (128 - SITE_BITS));
                IpAddr::V6(Ipv6Addr::from(site))
            }
        })
    }
}

/// All callers' connections.
pub struct Callers {
    /// Of one caller.
    connections_max: usize,
    open: Mutex<HashMap<Caller, VecDeque<Arc<Line>>>>,
}

/// One connection.
pub struct Line {
    busy: AtomicBool,
    idle_since: Mutex<Instant>,
    closed: CancellationToken,
}

impl Callers {
    pub fn new(connections_max: usize) -> Arc<Callers> {
        Arc::new(Callers {
            connections_max,
            open: Mutex::default(),
        })
    }

    /// A place for one more connection; none if the caller has as many as it may, all of them at work.
    pub fn admit(self: &Arc<Callers>, caller: Caller) -> Option<Held> {
        let mut open = self.lock();
        let lines = open.entry(caller).or_default();
        if lines.len() >= self.connections_max {
            let idle = lines.iter().enumerate().filter(|(_, line)| !line.is_busy());
            let (place, _) = idle.min_by_key(|(_, line)| line.idle_since())?;
            lines.remove(place).expect("it was found there").closed.cancel();
        }
        let line = Arc::new(Line {
            busy: AtomicBool::new(false),
            idle_since: Mutex::new(Instant::now()),
            closed: CancellationToken::new(),
        });
        lines.push_back(line.clone());
        let callers = self.clone();
        Some(Held { callers, caller, line })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Caller, VecDeque<Arc<Line>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place, for as long as it is open.
pub struct Held {
    callers: Arc<Callers>,
    caller: Caller,
    pub line: Arc<Line>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.callers.lock();
        if let Some(lines) = open.get_mut(&self.caller) {
            lines.retain(|line| !Arc::ptr_eq(line, &self.line));
            if lines.is_empty() {
                open.remove(&self.caller);
            }
        }
    }
}

impl Line {
    /// Until the guard is dropped a request is answered.
    pub fn work(self: &Arc<Line>) -> Working {
        self.busy.store(true, Ordering::Release);
        Working(self.clone())
    }

    /// Returns when another of the caller's connections needs the place.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    #[cfg(test)]
    fn is_open(&self) -> bool {
        !self.closed.is_cancelled()
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    fn idle_since(&self) -> Instant {
        *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Working(Arc<Line>);

impl Drop for Working {
    fn drop(&mut self) {
        *self.0.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.busy.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
