//! Runs one statement: submits it, follows its pages, hands rows to a sink, shows progress, cancels on Ctrl-C.

use crate::client::{Client, ClientError, Column, Page, Statement, Stats};
use crate::diagnosis::{Diagnosis, Origin};
use crate::exit::Failure;
use crate::format::Sink;
use crate::progress::Progress;
use std::io::Write;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a cancelled statement may take to end before we leave without its last page.
const CANCEL_MAX: Duration = Duration::from_secs(10);

/// How a statement went, also when it failed half-way.
#[derive(Debug, Default)]
pub struct Ran {
    pub query: String,
    pub rows: u64,
    pub stats: Stats,
    /// `CREATE TABLE` and the like; none for a query.
    pub update_type: Option<String>,
    pub warnings: Vec<String>,
}

/// The parts that a run works with.
pub struct Run<'a> {
    pub client: &'a mut Client,
    pub sink: &'a mut dyn Sink,
    pub out: &'a mut dyn Write,
    pub progress: &'a mut Progress,
    pub stop: &'a CancellationToken,
    /// Where the SQL comes from, for the error's place.
    pub origin: Origin,
}

impl Run<'_> {
    /// Runs `sql`; `ran` is filled on the way, so that a failure has its statistics too.
    pub async fn run(&mut self, sql: &str, ran: &mut Ran) -> Result<(), Failure> {
        let submitted = tokio::select! {
            statement = self.client.submit(sql) => statement?,
            () = self.stop.cancelled() => return Err(Failure::Canceled),
        };
        let mut statement = submitted;
        ran.query.clone_from(&statement.id);
        let ended = self.follow(&mut statement, ran).await;
        self.progress.clear();
        match ended {
            Err(Failure::Canceled) => self.cancel(&mut statement, ran).await,
            // Rows that nobody reads must not go on costing money.
            Err(failure @ (Failure::PipeClosed | Failure::Broken(_))) => {
                let _ = statement.cancel().await;
                Err(failure)
            }
            ended => ended,
        }
    }

    async fn follow(&mut self, statement: &mut Statement, ran: &mut Ran) -> Result<(), Failure> {
        let mut head = Head::default();
        loop {
            let page = tokio::select! {
                page = statement.next_page(&mut self.client.session) => page?,
                () = self.stop.cancelled() => return Err(Failure::Canceled),
            };
            let Some(page) = page else { break };
            self.take(&page, &mut head, ran)?;
            note(&page, ran);
            if let Some(error) = page.error {
                return Err(Failure::Query(Box::new(Diagnosis {
                    error,
                    query: page.id,
                    origin: self.origin.clone(),
                })));
            }
        }
        // A result without rows has its header too; a query that failed before its first row has printed nothing.
        self.begin(&mut head)?;
        if head.has_begun {
            self.sink.end(self.out)?;
        }
        Ok(self.out.flush()?)
    }

    fn take(&mut self, page: &Page, head: &mut Head, ran: &mut Ran) -> Result<(), Failure> {
        let rows = page
            .rows()
            .map_err(|error| Failure::broken("the server sent rows that are no rows", error))?;
        // Updates have columns too (`result boolean`), which are not data.
        if page.update_type.is_none() && page.columns.is_some() {
            head.columns.clone_from(&page.columns);
        }
        if rows.is_empty() || head.columns.is_none() {
            self.progress.show(&page.stats);
            return Ok(());
        }
        self.progress.clear();
        self.begin(head)?;
        ran.rows += rows.len() as u64;
        rows.iter().try_for_each(|row| self.sink.row(row, self.out))?;
        Ok(self.out.flush()?)
    }

    /// Hands the columns to the sink, once.
    fn begin(&mut self, head: &mut Head) -> Result<(), Failure> {
        if let (Some(columns), false) = (&head.columns, head.has_begun) {
            self.sink.begin(columns, self.out)?;
            head.has_begun = true;
        }
        Ok(())
    }

    /// Asks the server to stop and waits until it has: its last page has the bill.
    async fn cancel(&mut self, statement: &mut Statement, ran: &mut Ran) -> Result<(), Failure> {
        let stopped = async {
            statement.cancel().await?;
            while let Some(page) = statement.next_page(&mut self.client.session).await? {
                note(&page, ran);
            }
            Ok::<(), ClientError>(())
        };
        match tokio::time::timeout(CANCEL_MAX, stopped).await {
            // A server may drop the pages of a cancelled statement.
            Ok(Ok(()) | Err(ClientError::Status { .. })) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the server may not have cancelled the query"),
            Err(_) => tracing::warn!("the server still works on the cancelled query"),
        }
        Err(Failure::Canceled)
    }
}

/// The columns, and whether the sink has them.
#[derive(Default)]
struct Head {
    columns: Option<Vec<Column>>,
    has_begun: bool,
}

fn note(page: &Page, ran: &mut Ran) {
    ran.stats = page.stats.clone();
    if page.update_type.is_some() {
        ran.update_type.clone_from(&page.update_type);
    }
    ran.warnings = page.warnings.iter().map(|warning| warning.message.clone()).collect();
}

#[cfg(test)]
mod tests;
