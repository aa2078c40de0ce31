//! Carries out what `schedule` decides: turns commands into AWS calls and their outcomes into events. All the waiting, none of the
//! deciding: which task runs, again or never, is the scheduler's; what it costs is `cost`'s; what a query means is `plan`'s.
//!
//! One actor ([`actor`]) owns the scheduler. Everything else is a call it makes: [`invoke`] a task, [`journal`] a record,
//! a [`lease`] message that outlives this process.

mod actor;
mod clock;
mod handle;
mod invoke;
mod journal;
mod lease;
mod live;
mod settings;
mod world;

pub use handle::{QueryHandle, QueryState, QueryStatus, ResultSet};
pub use journal::{Journal, JournalError};
pub use settings::DriverSettings;
pub use world::{Endpoint, StartError, World};

use mayfly_protocol::journal::Request;
use mayfly_protocol::{QueryError, QueryId, StageGraph};
use mayfly_schedule::QueryLimits;
use mayfly_store::Store;
use tokio::sync::{mpsc, oneshot};

/// The coordinator's hands. Cheap to clone; all clones feed one actor.
#[derive(Clone)]
pub struct Driver {
    orders: mpsc::UnboundedSender<actor::Order>,
}

impl Driver {
    /// Checks the world (the bucket must honour conditional writes), starts the actor and the receiver of lease messages.
    pub async fn start(settings: DriverSettings, world: World) -> Result<Driver, StartError> {
        world.check(&settings).await?;
        let (orders, inbox) = mpsc::unbounded_channel();
        actor::spawn(settings, world, orders.clone(), inbox);
        Ok(Driver { orders })
    }

    /// Accepts a planned query: journals it, then runs it. `requests` is the handle through which the query's planning was metered; what
    /// the coordinator spends on the query's behalf is counted on it until the end.
    pub async fn submit(
        &self,
        query: QueryId,
        request: Request,
        graph: StageGraph,
        limits: QueryLimits,
        requests: Store,
    ) -> Result<QueryHandle, QueryError> {
        let (answer, accepted) = oneshot::channel();
        let submission = actor::Submission {
            query,
            request,
            graph,
            limits,
            requests,
            answer,
        };
        let gone = |_| actor::shutting_down();
        self.orders
            .send(actor::Order::Submit(Box::new(submission)))
            .map_err(|_| actor::shutting_down())?;
        accepted.await.map_err(gone)?
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
