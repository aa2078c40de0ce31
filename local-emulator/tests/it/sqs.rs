//! SQS through AWS's own client, and the shape of its errors on the wire.

mod faults;
mod raw;
mod redrive;
mod volume;

use std::time::{Duration, Instant};

use crate::common::{World, start};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};

async fn queue(world: &World) -> (Client, String) {
    let sqs = world.sqs();
    let created = sqs.create_queue().queue_name("jobs").send().await.unwrap();
    (sqs, created.queue_url.unwrap())
}

async fn receive(sqs: &Client, url: &str, visibility_s: i32, wait_s: i32) -> Vec<Message> {
    let request = sqs
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .visibility_timeout(visibility_s);
    let request = request
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All");
    request
        .wait_time_seconds(wait_s)
        .send()
        .await
        .unwrap()
        .messages
        .unwrap_or_default()
}

fn count(message: &Message) -> &str {
    &message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount]
}

#[tokio::test]
async fn a_message_comes_once_while_it_is_hidden_and_again_after() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    let value = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("v")
        .build()
        .unwrap();
    let sent = sqs
        .send_message()
        .queue_url(&url)
        .message_body("hello")
        .message_attributes("k", value)
        .send()
        .await
        .unwrap();
    let first = receive(&sqs, &url, 1, 0).await;
    assert_eq!(
        (first.len(), first[0].body(), count(&first[0])),
        (1, Some("hello"), "1")
    );
    // The Rust client does not check digests; others do.
    assert_eq!(first[0].md5_of_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(first[0].md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert_eq!(first[0].message_attributes().unwrap()["k"].string_value(), Some("v"));
    assert!(receive(&sqs, &url, 1, 0).await.is_empty(), "hidden");
    let since = Instant::now();
    let second = receive(&sqs, &url, 30, 5).await;
    assert_eq!((second.len(), count(&second[0])), (1, "2"));
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "the long poll wakes when visibility ends"
    );

    // The first receipt is stale now: accepted, without effect.
    let delete = |message: &Message| {
        sqs.delete_message()
            .queue_url(&url)
            .receipt_handle(message.receipt_handle().unwrap())
    };
    delete(&first[0]).send().await.unwrap();
    let show = sqs.change_message_visibility().queue_url(&url).visibility_timeout(0);
    let stale = show
        .clone()
        .receipt_handle(first[0].receipt_handle().unwrap())
        .send()
        .await
        .unwrap_err();
    assert!(stale.into_service_error().is_message_not_inflight());
    show.receipt_handle(second[0].receipt_handle().unwrap())
        .send()
        .await
        .unwrap();
    let third = receive(&sqs, &url, 30, 0).await;
    assert_eq!(count(&third[0]), "3");
    delete(&third[0]).send().await.unwrap();
    assert!(receive(&sqs, &url, 0, 0).await.is_empty());
}

#[tokio::test]
async fn delays_and_long_polls() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    let since = Instant::now();
    sqs.send_message()
        .queue_url(&url)
        .message_body("later")
        .delay_seconds(1)
        .send()
        .await
        .unwrap();
    assert!(receive(&sqs, &url, 30, 0).await.is_empty());
    assert_eq!(receive(&sqs, &url, 30, 10).await.len(), 1);
    let waited = since.elapsed();
    assert!(
        (Duration::from_millis(950)..Duration::from_secs(4)).contains(&waited),
        "{waited:?}"
    );

    // A message that is sent while a poll waits ends the wait.
    let poll = tokio::spawn({
        let (sqs, url) = (sqs.clone(), url.clone());
        async move { receive(&sqs, &url, 30, 20).await.len() }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let since = Instant::now();
    sqs.send_message()
        .queue_url(&url)
        .message_body("now")
        .send()
        .await
        .unwrap();
    assert_eq!(poll.await.unwrap(), 1);
    assert!(since.elapsed() < Duration::from_secs(2));

    let since = Instant::now();
    assert!(receive(&sqs, &url, 30, 1).await.is_empty());
    assert!(since.elapsed() >= Duration::from_millis(950), "an empty poll waits");
}

#[tokio::test]
async fn batches() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(body)
            .build()
            .unwrap()
    };
    let send = |entries: Vec<_>| {
        sqs.send_message_batch()
            .queue_url(&url)
            .set_entries(Some(entries))
            .send()
    };
    let sent = send(vec![entry("a", "1"), entry("b", "\u{1}"), entry("c", "3")])
        .await
        .unwrap();
    assert_eq!(
        (sent.successful().len(), sent.failed()[0].id(), sent.failed()[0].code()),
        (2, "b", "InvalidMessageContents")
    );
    let codes = [
        (vec![entry("a", "1"), entry("a", "2")], "BatchEntryIdsNotDistinct"),
        (
            (0..11).map(|n| entry(&n.to_string(), "x")).collect(),
            "TooManyEntriesInBatchRequest",
        ),
        (
            vec![entry("a", &"x".repeat(600_000)), entry("b", &"x".repeat(600_000))],
            "BatchRequestTooLong",
        ),
        (vec![entry("no spaces", "1")], "InvalidBatchEntryId"),
    ];
    for (entries, shape) in codes {
        let code = send(entries).await.unwrap_err();
        assert!(code.code().unwrap().ends_with(shape), "{code:?}");
    }
    let received = receive(&sqs, &url, 30, 0).await;
    assert_eq!(received.len(), 2);
    let entry = |(n, message): (usize, &Message)| {
        let handle = message.receipt_handle().unwrap();
        DeleteMessageBatchRequestEntry::builder()
            .id(n.to_string())
            .receipt_handle(handle)
            .build()
            .unwrap()
    };
    let entries = received.iter().enumerate().map(entry).collect();
    sqs.delete_message_batch()
        .queue_url(&url)
        .set_entries(Some(entries))
        .send()
        .await
        .unwrap();
    let attributes = sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let attributes = attributes.attributes.unwrap();
    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessages], "0");
    assert_eq!(
        attributes[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible],
        "0"
    );
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "30");
}

#[tokio::test]
async fn queues() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    assert_eq!(
        sqs.create_queue()
            .queue_name("jobs")
            .send()
            .await
            .unwrap()
            .queue_url
            .as_ref(),
        Some(&url)
    );
    let other = sqs
        .create_queue()
        .queue_name("jobs")
        .attributes(QueueAttributeName::VisibilityTimeout, "7")
        .send()
        .await;
    assert!(other.unwrap_err().into_service_error().is_queue_name_exists());
    let absent = sqs.get_queue_url().queue_name("absent").send().await;
    assert!(absent.unwrap_err().into_service_error().is_queue_does_not_exist());
    sqs.set_queue_attributes()
        .queue_url(&url)
        .attributes(QueueAttributeName::DelaySeconds, "900")
        .send()
        .await
        .unwrap();
    sqs.send_message()
        .queue_url(&url)
        .message_body("x")
        .send()
        .await
        .unwrap();
    assert!(receive(&sqs, &url, 0, 0).await.is_empty(), "the queue's own delay");
    sqs.purge_queue().queue_url(&url).send().await.unwrap();
    sqs.create_queue().queue_name("jobs-2").send().await.unwrap();
    let listed = sqs.list_queues().queue_name_prefix("jobs").send().await.unwrap();
    assert_eq!(listed.queue_urls().len(), 2);
    sqs.delete_queue().queue_url(&url).send().await.unwrap();
    let gone = sqs.send_message().queue_url(&url).message_body("x").send().await;
    assert!(gone.unwrap_err().into_service_error().is_queue_does_not_exist());
    assert_eq!(world.emulator.counts().sqs["CreateQueue"], 4);
}
