//! 100,000 messages through one queue: sent, received and deleted in batches of ten by AWS's own client, and none lost or left over.
//!
//! `cargo run --release -p local-emulator --example queue-throughput`

use std::collections::BTreeSet;
use std::time::Instant;

use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName, SendMessageBatchRequestEntry};
use futures::{StreamExt, TryStreamExt, stream};
use local_emulator::{Emulator, Settings};

const MESSAGES: usize = 100_000;
const BATCH: usize = 10;
const PARALLEL: usize = 8;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let settings = Settings::new(folder.path().join("data"), folder.path().join("scratch"));
    let emulator = Emulator::start(settings).await?;
    let sqs = client(&emulator);
    let created = sqs.create_queue().queue_name("bench").send().await?;
    let url = created.queue_url.ok_or("no queue URL")?;

    let since = Instant::now();
    let batches = stream::iter(0..MESSAGES / BATCH).map(|batch| send(&sqs, &url, batch));
    batches.buffer_unordered(PARALLEL).try_collect::<()>().await?;
    let sent = since.elapsed();
    let since = Instant::now();
    let workers = stream::iter(0..PARALLEL).map(|_| drain(&sqs, &url));
    let drained: Vec<Vec<usize>> = workers.buffer_unordered(PARALLEL).try_collect().await?;
    let received = since.elapsed();

    let all = drained.iter().map(Vec::len).sum::<usize>();
    let distinct: BTreeSet<usize> = drained.into_iter().flatten().collect();
    let left = left(&sqs, &url).await?;
    println!(
        "sent {MESSAGES} in {sent:?}, received and deleted {all} ({} distinct) in {received:?}, left {left}",
        distinct.len()
    );
    emulator.shutdown().await;
    if (all, distinct.len(), left) == (MESSAGES, MESSAGES, 0) {
        Ok(())
    } else {
        Err("messages were lost, doubled or left over".into())
    }
}

fn client(emulator: &Emulator) -> Client {
    let known = local_emulator::Credentials::default();
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version_latest()
        .endpoint_url(emulator.endpoints().sqs)
        .region(aws_sdk_sqs::config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new(
            known.access_key_id,
            known.secret_access_key,
            None,
            None,
            "bench",
        ));
    Client::from_conf(config.build())
}

async fn send(sqs: &Client, url: &str, batch: usize) -> Result<(), BoxError> {
    let entry = |n: usize| {
        let entry = SendMessageBatchRequestEntry::builder().id(n.to_string());
        entry.message_body((batch * BATCH + n).to_string()).build()
    };
    let entries = (0..BATCH).map(entry).collect::<Result<Vec<_>, _>>()?;
    let request = sqs.send_message_batch().queue_url(url).set_entries(Some(entries));
    let sent = request.send().await?;
    if sent.failed().is_empty() {
        Ok(())
    } else {
        Err("an entry was refused".into())
    }
}

/// Receives and deletes until the queue is empty.
async fn drain(sqs: &Client, url: &str) -> Result<Vec<usize>, BoxError> {
    let mut bodies = Vec::new();
    // Each round but the last takes a message, so this bounds it.
    for _ in 0..=MESSAGES {
        let receive = sqs
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(BATCH as i32);
        let messages = receive
            .visibility_timeout(600)
            .send()
            .await?
            .messages
            .unwrap_or_default();
        if messages.is_empty() {
            break;
        }
        let mut entries = Vec::new();
        for (n, message) in messages.into_iter().enumerate() {
            bodies.push(message.body.unwrap_or_default().parse()?);
            let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
            entries.push(
                entry
                    .receipt_handle(message.receipt_handle.unwrap_or_default())
                    .build()?,
            );
        }
        let delete = sqs.delete_message_batch().queue_url(url).set_entries(Some(entries));
        delete.send().await?;
    }
    Ok(bodies)
}

/// Messages that the queue still holds, whether to be seen or hidden.
async fn left(sqs: &Client, url: &str) -> Result<usize, BoxError> {
    let request = sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::All);
    let attributes = request.send().await?.attributes.unwrap_or_default();
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let counts = names
        .iter()
        .filter_map(|name| attributes.get(name)?.parse::<usize>().ok());
    Ok(counts.sum())
}
