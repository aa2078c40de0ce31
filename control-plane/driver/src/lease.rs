//! The lease: a delayed SQS message per query that outlives its coordinator. Whoever receives it looks into the journal.
//!
//! Final → the message is deleted. Owned here, or a record younger than the lease → it is put off by another lease. Otherwise the query is
//! an orphan: the receiver takes the next epoch and, until resuming is built, ends it with a clear error instead of silence.
//!
//! The receiver polls only while something can arrive: from start, and from each submission, until the lease has passed without one.

use crate::clock::now;
use crate::journal::Journal;
use crate::{DriverSettings, World};
use aws_sdk_sqs::types::Message;
use mayfly_protocol::journal::{Entry, Outcome, Record, prefix};
use mayfly_protocol::{ErrorCode, Meter, QueryError, QueryId, TenantId, envelope};
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
        // A lost message costs time, never a query: a later poll finds neither final nor beat and sends another.
        let error = aws_sdk_sqs::error::DisplayErrorContext(error);
        tracing::warn!(%query, %error, "cannot send the lease message");
    }
}

fn lease_s(settings: &DriverSettings) -> i32 {
    i32::try_from(settings.lease.as_secs()).unwrap_or(i32::MAX)
}

/// Receives lease messages until `stop`.
pub async fn receive(world: World, settings: DriverSettings, owned: Arc<Owned>, stop: CancellationToken) {
    let mut quiet_since = now();
    while !stop.is_cancelled() {
        // A message is in flight for one lease at most after its query's last sign of life; twice that leaves no doubt.
        if owned.is_idle() && now().since(quiet_since) > settings.lease * 2 {
            tokio::select! { () = stop.cancelled() => return, () = owned.changed.notified() => quiet_since = now() }
        }
        let received =
            tokio::select! { () = stop.cancelled() => return, received = poll(&world, &settings) => received };
        if !received.is_empty() || !owned.is_idle() {
            quiet_since = now();
        }
        for message in received {
            judge(&world, &settings, &owned, message).await;
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

async fn judge(world: &World, settings: &DriverSettings, owned: &Owned, message: Message) {
    let Some(receipt) = message.receipt_handle else { return };
    let Some(notice) = message
        .body
        .as_deref()
        .and_then(|body| serde_json::from_str::<Notice>(body).ok())
    else {
        tracing::warn!("a message on the lease queue is not ours; left to its redrive policy");
        return;
    };
    if owned.is_live(&notice.query) {
        return put_off(world, settings, &receipt).await;
    }
    if owned.has_ended(&notice.query) {
        return delete(world, &receipt).await;
    }
    match last_record(world, settings, &notice).await {
        Ok(Some((_, record))) if matches!(record.entry, Entry::Final { .. }) => delete(world, &receipt).await,
        Ok(Some((_, record))) if now().since(record.written_at) < settings.lease => {
            put_off(world, settings, &receipt).await
        }
        Ok(Some((sequence, _))) => {
            if adopt(world, settings, &notice, sequence + 1).await {
                delete(world, &receipt).await;
            }
        }
        // The journal was dropped long after its end, or record 0 was never written: nobody waits for this query.
        Ok(None) => delete(world, &receipt).await,
        Err(error) => tracing::warn!(query = %notice.query, %error, "cannot read the journal; the message comes again"),
    }
}

/// The record with the highest sequence number, and that number.
async fn last_record(
    world: &World,
    settings: &DriverSettings,
    notice: &Notice,
) -> Result<Option<(u32, Record)>, Box<dyn std::error::Error + Send + Sync>> {
    let prefix = prefix(&notice.tenant, &notice.query);
    let listed = world.store.list(&settings.bucket, &prefix).await?;
    let Some(last) = listed.iter().max_by(|one, other| one.key.cmp(&other.key)) else {
        return Ok(None);
    };
    let sequence = last.key[prefix.len()..].parse()?;
    let object = world.store.get(&settings.bucket, &last.key).await?;
    Ok(Some((sequence, envelope::open(&object.bytes)?)))
}

/// Takes the next epoch of an orphan and ends it. False when another coordinator was faster or S3 does not answer.
async fn adopt(world: &World, settings: &DriverSettings, notice: &Notice, next: u32) -> bool {
    let writer = uuid::Uuid::new_v4().to_string();
    let (bucket, tenant) = (settings.bucket.clone(), notice.tenant.clone());
    let mut journal = Journal::new(world.store.clone(), bucket, tenant, notice.query.clone(), writer, next);
    let error = QueryError::new(ErrorCode::ServerShuttingDown, "the coordinator of this query was lost")
        .hint("submit it again");
    let outcome = Outcome::Failed { error };
    let entries = [
        Entry::Epoch { epoch: 2 },
        Entry::Final {
            outcome,
            meter: Meter::default(),
        },
    ];
    for entry in entries {
        if let Err(error) = journal.append(now(), entry).await {
            tracing::warn!(query = %notice.query, %error, "cannot adopt an orphan");
            return false;
        }
    }
    tracing::warn!(query = %notice.query, "ended an orphan: its coordinator was lost");
    true
}

async fn put_off(world: &World, settings: &DriverSettings, receipt: &str) {
    let change = world
        .sqs
        .change_message_visibility()
        .queue_url(&world.queue_url)
        .receipt_handle(receipt);
    if let Err(error) = change.visibility_timeout(lease_s(settings)).send().await {
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
