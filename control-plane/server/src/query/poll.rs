//! One poll: waits until there is something to show or its time is up, then makes the page.

use super::cursor::Scan;
use super::fill::{Until, fill};
use super::reader::{Place, Reader, Span};
use super::{Life, Phase, Planned, Query, Ready, View};
use crate::engine::{Engine, Pages};
use crate::result::{Content, Frame, Page, Shown};
use crate::settings::ServerSettings;
use mayfly_protocol::{ErrorCode, QueryError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What a poll asks for.
pub struct Want {
    pub token: u64,
    /// Held no longer than this, whatever the server would.
    pub wait_max: Option<Duration>,
    pub page_bytes: usize,
    /// `http://host:port` as the client knows us.
    pub base: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollError {
    Gone,
    Unknown,
}

impl Query {
    pub async fn poll(
        self: &Arc<Self>,
        want: Want,
        engine: &Arc<dyn Engine>,
        settings: &ServerSettings,
    ) -> Result<Page, PollError> {
        let _open = self.activity.poll();
        let mut reader = self.reader.lock().await;
        match reader.place(want.token) {
            Place::Again(page) => Ok(page),
            Place::Gone => Err(PollError::Gone),
            Place::Unknown => Err(PollError::Unknown),
            Place::Earlier(span) => self.earlier(&reader, span, &want).await,
            Place::Next => {
                if !self.stop.is_cancelled() {
                    self.start(engine, settings);
                }
                let wait = reader.poll_duration();
                self.wait(want.wait_max.map_or(wait, |most| most.min(wait))).await;
                Ok(self.next(&mut reader, &want).await)
            }
        }
    }

    /// The answer to the POST. It has a next page, but neither rows nor columns: nothing was started.
    pub fn registered(&self, base: &str) -> Page {
        Frame::new(self, base, Some(1)).page(&self.view(), &mut Reader::default().counters, Content::Nothing)
    }

    /// Returns once the query has something to show, or at the latest after `limit`.
    async fn wait(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut life = self.life.subscribe();
        let is_planned = |life: &Life| matches!(life, Life::Planned(_));
        tokio::select! {
            _ = timeout_at(deadline, life.wait_for(is_planned)) => {}
            () = self.stop.cancelled() => {}
        }
        if let Some(query) = self.running() {
            query.ended(deadline.saturating_duration_since(Instant::now())).await;
        }
    }

    /// Changes `reader` only when the page is complete: a client that hangs up meanwhile asks for the same token again.
    async fn next(&self, reader: &mut Reader, want: &Want) -> Page {
        let view = self.view();
        match (view.phase, self.planned()) {
            (Phase::Failed, _) => self.last(reader, want, &view, Content::Nothing),
            (Phase::Finishing, Some(planned)) => self.results(reader, want, view, &planned).await,
            (_, planned) => {
                let content = planned
                    .as_deref()
                    .and_then(Planned::shown)
                    .map_or(Content::Nothing, Content::Columns);
                let page = self
                    .frame(reader, want, false)
                    .page(&view, &mut reader.counters, content);
                reader.issue(page.clone(), false);
                page
            }
        }
    }

    async fn results(&self, reader: &mut Reader, want: &Want, view: View, planned: &Planned) -> Page {
        match &planned.outcome {
            Ok(Ready::Update { update_type, changes }) => {
                self.last(reader, want, &finished(view), Content::Update { update_type, changes })
            }
            Ok(Ready::Rows { shown, rows }) => self.rows(reader, want, view, shown, Some(rows.clone())).await,
            Ok(Ready::Query { shown, query, .. }) => self.rows(reader, want, view, shown, query.rows()).await,
            Err(_) => self.last(reader, want, &view, Content::Nothing),
        }
    }

    async fn rows(
        &self,
        reader: &mut Reader,
        want: &Want,
        view: View,
        shown: &Shown,
        rows: Option<Arc<dyn Pages>>,
    ) -> Page {
        let from = reader.scan.cursor.clone();
        let filled = match rows {
            Some(rows) => fill(&rows, shown, reader.scan.clone(), Until::Bytes(want.page_bytes)).await,
            None => Err(QueryError::new(
                ErrorCode::GenericInternalError,
                "a finished query has no rows to read",
            )),
        };
        let filled = match filled {
            Ok(filled) => filled,
            Err(error) => return self.broken(reader, want, error),
        };
        reader.remember(Span {
            from,
            to: filled.next.cursor.clone(),
            is_last: filled.is_last,
        });
        reader.scan = filled.next;
        let content = Content::Rows(shown, filled.rows);
        if filled.is_last {
            return self.last(reader, want, &finished(view), content);
        }
        let page = self
            .frame(reader, want, false)
            .page(&view, &mut reader.counters, content);
        reader.issue(page.clone(), false);
        page
    }

    /// The rows of a page that was shown before, with figures of now.
    async fn earlier(&self, reader: &Reader, span: Span, want: &Want) -> Result<Page, PollError> {
        let planned = self.planned().ok_or(PollError::Gone)?;
        let (shown, rows) = planned.rows().ok_or(PollError::Gone)?;
        let filled = fill(&rows, shown, Scan::at(span.from), Until::Place(span.to))
            .await
            .map_err(|_| PollError::Gone)?;
        let next = (!span.is_last).then_some(want.token + 1);
        let frame = Frame::new(self, &want.base, next).from(&filled.next.cursor);
        Ok(frame.page(
            &self.view(),
            &mut reader.counters.clone(),
            Content::Rows(shown, filled.rows),
        ))
    }

    /// The rows cannot be read: the query has failed after all.
    fn broken(&self, reader: &mut Reader, want: &Want, error: QueryError) -> Page {
        tracing::error!(query = %self.id, code = error.code.name(), %error, "rows cannot be shown");
        self.break_off(error);
        self.last(reader, want, &self.view(), Content::Nothing)
    }

    fn last(&self, reader: &mut Reader, want: &Want, view: &View, content: Content<'_>) -> Page {
        let page = self.frame(reader, want, true).page(view, &mut reader.counters, content);
        reader.issue(page.clone(), true);
        if view.phase == Phase::Finished {
            self.drain();
        }
        tracing::info!(query = %self.id, state = view.phase.name(), "ended");
        page
    }

    fn frame<'a>(&'a self, reader: &Reader, want: &'a Want, is_last: bool) -> Frame<'a> {
        let next = (!is_last).then(|| reader.next_token() + 1);
        Frame::new(self, &want.base, next).from(&reader.scan.cursor)
    }
}

fn finished(view: View) -> View {
    View {
        phase: Phase::Finished,
        ..view
    }
}

impl Planned {
    fn shown(&self) -> Option<&Shown> {
        match &self.outcome {
            Ok(Ready::Query { shown, .. } | Ready::Rows { shown, .. }) => Some(shown),
            _ => None,
        }
    }

    fn rows(&self) -> Option<(&Shown, Arc<dyn Pages>)> {
        match &self.outcome {
            Ok(Ready::Query { shown, query, .. }) => Some((shown, query.rows()?)),
            Ok(Ready::Rows { shown, rows }) => Some((shown, rows.clone())),
            _ => None,
        }
    }
}
