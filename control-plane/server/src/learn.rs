//! ANALYZE TABLE: its query runs like any other; its row becomes the table's statistics when it is read, and the answer shows them.

use crate::engine::{Columns, Pages, Position, RunningQuery, Status};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use mayfly_catalog::Catalog;
use mayfly_plan::learn::{self, Lesson};
use mayfly_protocol::QueryError;
use std::sync::Arc;
use std::time::Duration;

/// A running query whose one row is learned.
pub(crate) struct Learning {
    pub query: Arc<dyn RunningQuery>,
    pub lesson: Lesson,
    pub catalog: Arc<Catalog>,
}

impl Learning {
    pub(crate) fn columns() -> Columns {
        Columns::of(learn::shown_schema())
    }
}

#[async_trait]
impl RunningQuery for Learning {
    fn status(&self) -> Status {
        self.query.status()
    }

    async fn ended(&self, timeout: Duration) -> Status {
        self.query.ended(timeout).await
    }

    fn cancel(&self) {
        self.query.cancel();
    }

    fn release(&self) {
        self.query.release();
    }

    fn rows(&self) -> Option<Arc<dyn Pages>> {
        Some(Arc::new(Learned {
            rows: self.query.rows()?,
            lesson: self.lesson.clone(),
            catalog: self.catalog.clone(),
        }))
    }
}

/// One page: a page that is asked for again is learned again, which changes nothing.
struct Learned {
    rows: Arc<dyn Pages>,
    lesson: Lesson,
    catalog: Arc<Catalog>,
}

#[async_trait]
impl Pages for Learned {
    async fn next_batch(&self, position: &mut Position) -> Result<Option<RecordBatch>, QueryError> {
        if position.get::<bool>()? {
            return Ok(None);
        }
        let (mut batches, mut at) = (Vec::new(), Position::default());
        while let Some(batch) = self.rows.next_batch(&mut at).await? {
            batches.push(batch);
        }
        let learned = self.lesson.learned(&batches)?;
        self.catalog.learn(&self.lesson.table, learned.clone()).await?;
        position.set(&true)?;
        Ok(Some(learn::shown(&learned)))
    }
}
