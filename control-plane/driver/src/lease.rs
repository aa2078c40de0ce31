//! The lease: a delayed SQS message per query that outlives its coordinator. Whoever receives it looks into the journal.
//!
//! Ended → the message is deleted. Owned here, or a record younger than the lease → it is put off until that is over. Otherwise the query is an
//! orphan, and is taken over.
//!
//! The receiver polls only while something can arrive: from start, and from each submission, until the lease has passed without one.

use crate::clock::{now, wall};
use crate::recover::Recovery;
use crate::{DriverSettings, World};
use aws_sdk_sqs::types::Message;
use mayfly_protocol::{QueryId, TenantId};
use mayfly_schedule::journal::{Standing, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// SQS grants a delay of at most 15 minutes and a long poll of at most 20 seconds.
const DELAY_S_MAX: i32 = 900;
const WAIT_S_MAX: i32 = 20;
/// Messages that one receive may return.
const BATCH_MAX: i32 = 10;
/// Ended queries that are remembered, so that their message is deleted without a look into the journal.
const ENDED_MAX: usize = 10_000;

#[derive(Serialize, Deserialize)]
struct Notice {
    tenant: TenantId,
    query: QueryId,
}

/// Which queries this process owns, shared between the actor and the receiver.
#[derive(Default)]
pub struct Owned {
    live: Mutex<BTreeSet<QueryId>>,
    ended: Mutex<BTreeSet<QueryId>>,
    changed: Notify,
}

impl Owned {
    pub fn begin(&self, query: &QueryId) {
        self.live.lock().expect("no holder panics").insert(query.clone());
        self.changed.notify_one();
    }

    pub fn end(&self, query: &QueryId) {
        self.live.lock().expect("no holder panics").remove(query);
        let mut ended = self.ended.lock().expect("no holder panics");
        // Ids begin with their time: the first is the oldest.
        if ended.len() >= ENDED_MAX {
            ended.pop_first();
        }
        ended.insert(query.clone());
    }

    fn is_live(&self, query: &QueryId) -> bool {
        self.live.lock().expect("no holder panics").contains(query)
    }

    fn has_ended(&self, query: &QueryId) -> bool {
        self.ended.lock().expect("no holder panics").contains(query)
    }

    fn is_idle(&self) -> bool {
        self.live.lock().expect("no holder panics").is_empty()
    }
}

/// Sends the query's message, to arrive when the lease is over.
pub async fn send(world: &World, settings: &DriverSettings, query: &QueryId) {
    let notice = Notice {
        tenant: settings.tenant.clone(),
        query: query.clone(),
    };
    let body = serde_json::to_string(&notice).expect("two strings make JSON");
    let delay = lease_s(settings).min(DELAY_S_MAX);
    let sent = world
        .sqs
        .send_message()
        .queue_url(&world.queue_url)
        .message_body(body)
        .delay_seconds(delay)
        .send()
        .await;
    if let Err(error) = sent {
        // A lost message costs time, never a query: whoever polls for it finds neither an end nor a sign of life, and takes it over.
        let error = aws_sdk_sqs::error::DisplayErrorContext(error);
        tracing::warn!(%query, %error, "cannot send the lease message");
    }
}

fn lease_s(settings: &DriverSettings) -> i32 {
    i32::try_from(settings.lease.as_secs()).unwrap_or(i32::MAX)
}

/// Receives lease messages until `stop`.
pub async fn receive(recovery: Recovery, owned: Arc<Owned>, stop: CancellationToken) {
    let (world, settings) = (&recovery.world, &recovery.settings);
    let mut quiet_since = now();
    while !stop.is_cancelled() {
        // A message is in flight for one lease at most after its query's last sign of life; twice that leaves no doubt.
        if owned.is_idle() && now().since(quiet_since) > settings.lease * 2 {
            tokio::select! { () = stop.cancelled() => return, () = owned.changed.notified() => quiet_since = now() }
        }
        let received = tokio::select! { () = stop.cancelled() => return, received = poll(world, settings) => received };
        if !received.is_empty() || !owned.is_idle() {
            quiet_since = now();
        }
        for message in received {
            judge(&recovery, &owned, message).await;
        }
    }
}

async fn poll(world: &World, settings: &DriverSettings) -> Vec<Message> {
    let receive = world
        .sqs
        .receive_message()
        .queue_url(&world.queue_url)
        .max_number_of_messages(BATCH_MAX);
    let receive = receive
        .wait_time_seconds(WAIT_S_MAX)
        .visibility_timeout(lease_s(settings));
    match receive.send().await {
        Ok(output) => output.messages.unwrap_or_default(),
        Err(error) => {
            let error = aws_sdk_sqs::error::DisplayErrorContext(error);
            tracing::warn!(%error, "cannot receive lease messages");
            tokio::time::sleep(Duration::from_secs(1)).await;
            Vec::new()
        }
    }
}

async fn judge(recovery: &Recovery, owned: &Owned, message: Message) {
    let (world, settings) = (&recovery.world, &recovery.settings);
    let Some(receipt) = message.receipt_handle else { return };
    let body = message.body.as_deref().unwrap_or_default();
    let Ok(Notice { query, tenant }) = serde_json::from_str(body) else {
        tracing::warn!("a message on the lease queue is not ours; left to its redrive policy");
        return;
    };
    if tenant != settings.tenant {
        return tracing::warn!(%query, %tenant, "a lease of another tenant; left to its coordinators");
    }
    if owned.is_live(&query) {
        return put_off(world, &receipt, settings.lease).await;
    }
    if owned.has_ended(&query) {
        return delete(world, &receipt).await;
    }
    match recovery.read(&query).await {
        Ok(standing) => judge_standing(recovery, &query, standing, &receipt).await,
        Err(error) => tracing::warn!(%query, %error, "cannot read the journal; the message comes again"),
    }
}

async fn judge_standing(recovery: &Recovery, query: &QueryId, standing: Standing, receipt: &str) {
    let world = &recovery.world;
    match recovery.state(&standing) {
        // Its journal was dropped long after its end, or record 0 was never written: nobody waits for this query.
        State::Unknown | State::Ended => delete(world, receipt).await,
        State::Owned { until } => put_off(world, receipt, until.since(wall())).await,
        // The message stays: from now on it is ours.
        State::Orphan => {
            let requests = world.store.fork();
            if let Err(error) = recovery.adopt(query, standing, &mut None, &requests).await {
                tracing::warn!(%query, %error, "cannot adopt an orphan; its message comes again");
            }
        }
    }
}

/// Rounded up: a message that comes early is put off once more, and costs a request.
async fn put_off(world: &World, receipt: &str, by: Duration) {
    let seconds = i32::try_from(by.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX);
    let change = world
        .sqs
        .change_message_visibility()
        .queue_url(&world.queue_url)
        .receipt_handle(receipt);
    if let Err(error) = change.visibility_timeout(seconds.max(1)).send().await {
        let error = aws_sdk_sqs::error::DisplayErrorContext(error);
        tracing::warn!(%error, "cannot put a lease message off; it comes again sooner");
    }
}

async fn delete(world: &World, receipt: &str) {
    if let Err(error) = world
        .sqs
        .delete_message()
        .queue_url(&world.queue_url)
        .receipt_handle(receipt)
        .send()
        .await
    {
        let error = aws_sdk_sqs::error::DisplayErrorContext(error);
        tracing::warn!(%error, "cannot delete a lease message; it comes again");
    }
}
