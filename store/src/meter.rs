//! Counts what S3 charges for, once per HTTP attempt, where the SDK's own retries are seen. Leaves out prices: see `cost`.

use aws_sdk_s3::config::interceptors::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use mayfly_protocol::S3Meter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// How S3 prices a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Get,
    Put,
    List,
    Delete,
}

/// The counts behind a [`S3Meter`]. Bytes are those of object bodies, as received and as sent.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    gets: AtomicU64,
    puts: AtomicU64,
    lists: AtomicU64,
    deletes: AtomicU64,
    errors: AtomicU64,
    hedged: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> S3Meter {
        S3Meter {
            gets: self.gets.load(Relaxed),
            puts: self.puts.load(Relaxed),
            lists: self.lists.load(Relaxed),
            deletes: self.deletes.load(Relaxed),
            errors: self.errors.load(Relaxed),
            hedged: self.hedged.load(Relaxed),
            bytes_read: self.bytes_read.load(Relaxed),
            bytes_written: self.bytes_written.load(Relaxed),
        }
    }

    pub(crate) fn add(&self, asked: S3Meter) {
        let pairs = [
            (&self.gets, asked.gets),
            (&self.puts, asked.puts),
            (&self.lists, asked.lists),
            (&self.deletes, asked.deletes),
            (&self.errors, asked.errors),
            (&self.hedged, asked.hedged),
            (&self.bytes_read, asked.bytes_read),
            (&self.bytes_written, asked.bytes_written),
        ];
        for (counter, asked) in pairs {
            counter.fetch_add(asked, Relaxed);
        }
    }

    /// A GET gets a twin, which counts among the GETs by itself.
    pub(crate) fn hedge(&self) {
        self.hedged.fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Relaxed);
    }

    fn of(&self, class: Class) -> &AtomicU64 {
        match class {
            Class::Get => &self.gets,
            Class::Put => &self.puts,
            Class::List => &self.lists,
            Class::Delete => &self.deletes,
        }
    }
}

/// The interceptor of one request. A request counts in its class when it leaves, and moves to the errors if it is answered with 5xx or
/// not at all. One that is dropped half way therefore stays counted: S3 may have served it.
#[derive(Debug)]
pub(crate) struct Metered {
    counters: Arc<Counters>,
    class: Class,
    sent: AtomicBool,
    /// Set when an attempt has failed.
    failed: Arc<AtomicBool>,
}

impl Metered {
    pub(crate) fn new(counters: Arc<Counters>, class: Class) -> Metered {
        Metered {
            counters,
            class,
            sent: AtomicBool::new(false),
            failed: Arc::default(),
        }
    }

    /// Sets `failed` when an attempt of the request fails.
    pub(crate) fn telling(mut self, failed: &Arc<AtomicBool>) -> Metered {
        self.failed = Arc::clone(failed);
        self
    }
}

impl Intercept for Metered {
    fn name(&self) -> &'static str {
        "MayflyMeter"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.sent.store(true, Relaxed);
        self.counters.of(self.class).fetch_add(1, Relaxed);
        if self.class == Class::Put {
            let body = context.request().body().bytes().map_or(0, <[u8]>::len);
            self.counters.bytes_written.fetch_add(body as u64, Relaxed);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answered = context
            .response()
            .is_some_and(|response| response.status().as_u16() < 500);
        if self.sent.swap(false, Relaxed) && !answered {
            self.counters.of(self.class).fetch_sub(1, Relaxed);
            self.counters.errors.fetch_add(1, Relaxed);
            self.failed.store(true, Relaxed);
        }
        Ok(())
    }
}
