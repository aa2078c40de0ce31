//! The step from registered to running, taken by the first poll.

use super::session::RunLimit;
use super::{Life, Phase, Planned, Query, Ready};
use crate::clock;
use crate::engine::{Answer, Engine, Submission};
use crate::result::Shown;
use crate::settings::ServerSettings;
use crate::sql::{Change, Resolved, resolve};
use crate::types::Precision;
use mayfly_cost::Bill;
use mayfly_protocol::journal::Request;
use mayfly_protocol::{EpochMs, ErrorCode, QueryError, limits};
use std::sync::{Arc, Weak};
use std::time::Duration;

impl Query {
    /// Starts the query if nothing has started it yet. It then runs on its own: a client that hangs up does not stop it.
    pub(super) fn start(self: &Arc<Self>, engine: &Arc<dyn Engine>, settings: &ServerSettings) {
        let since = clock::now();
        let started = self.life.send_if_modified(|life| match life {
            Life::Registered => {
                *life = Life::Planning { since };
                true
            }
            _ => false,
        });
        if started {
            tracing::info!(query = %self.id, user = %self.client.user, "started");
            let limit = self.run_limit(settings);
            // Executors stop a moment before their deadline: it lies so much later that they have all of the time.
            let margin = Duration::from_millis(limits::DEADLINE_MARGIN_MS);
            let deadline = since + limit.duration + margin;
            tokio::spawn(run(self.clone(), engine.clone(), since, deadline));
            tokio::spawn(end_in_time(Arc::downgrade(self), limit));
        }
    }

    fn run_limit(&self, settings: &ServerSettings) -> RunLimit {
        let own = self.settings.run_limit.clone();
        let most = settings.run_duration_max;
        own.filter(|own| own.duration <= most).unwrap_or_else(|| RunLimit {
            duration: most,
            name: format!("the server's {} s", most.as_secs()),
        })
    }

    fn request(&self, sql: String, accepted_at: EpochMs, deadline: EpochMs) -> Request {
        Request {
            sql,
            user: self.client.user.clone(),
            source: self.client.source.clone(),
            catalog: self.client.catalog.clone(),
            schema: self.client.schema.clone(),
            session: self.client.session.clone(),
            time_zone: self.client.time_zone.clone(),
            accepted_at: clock::named(accepted_at),
            deadline: clock::named(deadline),
        }
    }
}

/// Ends what still runs when its time is over. Planning has a bound of its own, and rows may be read for longer.
async fn end_in_time(query: Weak<Query>, limit: RunLimit) {
    tokio::time::sleep(limit.duration).await;
    let Some(query) = query.upgrade() else { return };
    if matches!(query.view().phase, Phase::Queued | Phase::Running) {
        let text = format!("the query exceeded its time limit, {}", limit.name);
        query.stop(QueryError::new(ErrorCode::ExceededTimeLimit, text));
    }
}

async fn run(query: Arc<Query>, engine: Arc<dyn Engine>, since: EpochMs, deadline: EpochMs) {
    // A task of its own, so that a panic of the planner ends this query and nothing else.
    let planning = tokio::spawn(plan(query.clone(), engine, since, deadline));
    let (outcome, bill) = planning.await.unwrap_or_else(|_| (Err(broken()), None));
    if let Err(error) = &outcome {
        tracing::info!(query = %query.id, code = error.code.name(), %error, "refused");
    }
    let planned = Planned {
        since,
        at: clock::now(),
        outcome,
        bill,
    };
    query.life.send_replace(Life::Planned(Arc::new(planned)));
    // Whoever stopped it meanwhile found nothing to cancel.
    if let (true, Some(running)) = (query.stop.is_cancelled(), query.running()) {
        running.cancel();
    }
}

async fn plan(
    query: Arc<Query>,
    engine: Arc<dyn Engine>,
    since: EpochMs,
    deadline: EpochMs,
) -> (Result<Ready, QueryError>, Option<Bill>) {
    match resolve(&query.sql, &query.client.prepared) {
        Err(error) => (Err(error), None),
        Ok(Resolved::Update { update_type, change }) => (
            Ok(Ready::Update {
                update_type: update_type.to_owned(),
                changes: vec![change],
            }),
            None,
        ),
        Ok(Resolved::Run(sql)) => {
            let request = query.request(sql, since, deadline);
            let memo = query.memo().write();
            let stop = query.stop.clone();
            let Submission { answer, bill } = engine.submit(query.id.clone(), request, memo, stop).await;
            (answer.and_then(|answer| ready(query.client.precision, answer)), bill)
        }
    }
}

pub(super) fn ready(precision: Precision, answer: Answer) -> Result<Ready, QueryError> {
    match answer {
        Answer::Query { columns, plan, query } => match Shown::new(columns, precision) {
            Ok(shown) => Ok(Ready::Query { shown, plan, query }),
            Err(error) => {
                // Its rows could never be shown: stop paying for them.
                query.cancel();
                query.release();
                Err(error)
            }
        },
        Answer::Rows { columns, rows } => Ok(Ready::Rows {
            shown: Shown::new(columns, precision)?,
            rows,
        }),
        Answer::Update { update_type, changes } => Ok(Ready::Update {
            update_type,
            changes: changes.into_iter().map(Change::Session).collect(),
        }),
    }
}

fn broken() -> QueryError {
    QueryError::new(
        ErrorCode::GenericInternalError,
        "planning broke off; the server's log says where",
    )
}
