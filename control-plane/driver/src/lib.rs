//! Carries out what `schedule` decides: turns commands into AWS calls and their outcomes into events. All the waiting, none of the
//! deciding: which task runs, again or never, is the scheduler's; what it costs is `cost`'s; what a query means is `plan`'s.
//!
//! One actor ([`actor`]) owns the scheduler. Everything else is a call it makes: [`invoke`] a task, [`journal`] a record,
//! a [`lease`] message that outlives this process. What another coordinator began is taken over in [`recover`].

mod actor;
pub mod clock;
mod handle;
mod invoke;
mod journal;
mod lease;
mod live;
mod recover;
mod settings;
mod steady;
mod world;

pub use actor::{Kept, Submission};
pub use handle::{Flight, Journaled, QueryHandle, QueryState, QueryStatus, ResultSet};
pub use journal::{Journal, JournalError};
pub use settings::{DriverSettings, in_flight_max};
pub use world::{Endpoint, StartError, World};

use mayfly_protocol::{QueryError, QueryId};
use mayfly_store::Store;
use recover::Recovery;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// The coordinator's hands. Cheap to clone; all clones feed one actor.
#[derive(Clone)]
pub struct Driver {
    orders: mpsc::UnboundedSender<actor::Order>,
    recovery: Recovery,
}

/// A query that somebody accepted once.
pub struct Recovered {
    pub accepted: Arc<Kept>,
    pub handle: QueryHandle,
}

impl Driver {
    /// Checks the world (the bucket must honour conditional writes), starts the actor and the receiver of lease messages.
    pub async fn start(settings: DriverSettings, world: World) -> Result<Driver, StartError> {
        world.check(&settings).await?;
        let (orders, inbox) = mpsc::unbounded_channel();
        let recovery = Recovery {
            world,
            settings,
            orders: orders.clone(),
        };
        actor::spawn(recovery.clone(), inbox);
        Ok(Driver { orders, recovery })
    }

    /// Accepts a planned query: journals it, then runs it.
    pub async fn submit(&self, submission: Submission) -> Result<QueryHandle, QueryError> {
        let (answer, accepted) = oneshot::channel();
        let order = actor::Order::Submit(Box::new(submission), answer);
        self.orders.send(order).map_err(|_| actor::shutting_down())?;
        accepted.await.map_err(|_| actor::shutting_down())?
    }

    /// A query that runs or ran here, or that another coordinator accepted: that one is followed, and taken over if its coordinator is
    /// silent. None if nobody accepted it.
    pub async fn recover(&self, query: &QueryId, requests: Store) -> Result<Option<Recovered>, QueryError> {
        let (answer, found) = oneshot::channel();
        let order = actor::Order::Find(query.clone(), answer);
        self.orders.send(order).map_err(|_| actor::shutting_down())?;
        if let Some((accepted, handle)) = found.await.map_err(|_| actor::shutting_down())? {
            return Ok(Some(Recovered { accepted, handle }));
        }
        let standing = self
            .recovery
            .read(query)
            .await
            .map_err(|error| actor::journal_error(&error))?;
        let Some(accepted) = standing.accepted.as_deref().map(Kept::of) else {
            return Ok(None);
        };
        let (status, watch) = tokio::sync::watch::channel(live::Live::accepted());
        let handle = QueryHandle::new(query.clone(), watch, self.orders.clone());
        tokio::spawn(self.recovery.clone().follow(query.clone(), standing, status, requests));
        let accepted = Arc::new(accepted);
        Ok(Some(Recovered { accepted, handle }))
    }

    /// Waits until no query can be run here any more: after [`Driver::shutdown`], or because the actor broke off, which is a fault of ours
    /// and stands in the log. Then the process should end: its queries go on from their journals, elsewhere or when it starts again.
    pub async fn stopped(&self) {
        self.orders.closed().await;
    }

    /// Cancels what runs, waits until it has ended, and stops.
    pub async fn shutdown(&self) {
        let (answer, stopped) = oneshot::channel();
        if self.orders.send(actor::Order::Stop(answer)).is_ok() {
            // An error means that the actor is gone, which is what was asked for.
            let _ = stopped.await;
        }
    }
}
