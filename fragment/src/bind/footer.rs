//! Parquet footers, kept in warm environments. An ETag names content, so an entry is never stale.

use parquet::file::metadata::ParquetMetaData;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

/// Memory of cached footers, as parsed. A lineitem footer of 50 row groups takes about a megabyte.
pub const FOOTER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One version of one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FooterKey {
    pub bucket: String,
    pub key: String,
    pub etag: String,
}

type Slot = Arc<OnceCell<Arc<ParquetMetaData>>>;

/// Footers by object version. The oldest leave first when memory runs out.
#[derive(Debug, Default)]
pub struct FooterCache {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    slots: BTreeMap<FooterKey, Slot>,
    /// Loaded entries, oldest first, with their size.
    order: VecDeque<(FooterKey, usize)>,
    bytes: usize,
}

impl FooterCache {
    /// The footer, loaded by the first that asks; others that ask meanwhile wait for the same load. A failed load is not kept.
    pub async fn get<E, F>(&self, key: &FooterKey, load: F) -> Result<Arc<ParquetMetaData>, E>
    where
        F: AsyncFnOnce() -> Result<ParquetMetaData, E>,
    {
        let slot = self.slot(key);
        let footer = slot
            .get_or_try_init(async || {
                let footer = Arc::new(load().await?);
                self.keep(key, footer.memory_size());
                Ok(footer)
            })
            .await;
        if footer.is_err() {
            self.lock().slots.remove(key);
        }
        footer.cloned()
    }

    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn slot(&self, key: &FooterKey) -> Slot {
        Arc::clone(self.lock().slots.entry(key.clone()).or_default())
    }

    fn keep(&self, key: &FooterKey, bytes: usize) {
        let mut entries = self.lock();
        entries.order.push_back((key.clone(), bytes));
        entries.bytes += bytes;
        while entries.bytes > FOOTER_BYTES_MAX {
            let Some((oldest, bytes)) = entries.order.pop_front() else {
                break;
            };
            entries.bytes -= bytes;
            entries.slots.remove(&oldest);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().expect("no panic happens while the lock is held")
    }
}
