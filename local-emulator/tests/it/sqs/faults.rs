//! Each fault of SQS, seen by a client.

use aws_sdk_sqs::Client;
use local_emulator::{FaultRule, FaultSettings, SqsFault};

use super::{queue, receive, start};
use crate::common::World;

fn set(world: &World, fault: SqsFault, target: &str, count_max: u64) {
    let rule = FaultRule {
        fault,
        probability: 1.0,
        target: target.to_owned(),
        count_max: Some(count_max),
    };
    let sqs = vec![rule];
    world.emulator.set_faults(FaultSettings {
        sqs,
        ..Default::default()
    });
}

async fn send(sqs: &Client, url: &str, body: &str) {
    sqs.send_message()
        .queue_url(url)
        .message_body(body)
        .send()
        .await
        .unwrap();
}

async fn bodies(sqs: &Client, url: &str, wait_s: i32) -> Vec<String> {
    let received = receive(sqs, url, 30, wait_s).await;
    received.into_iter().map(|message| message.body.unwrap()).collect()
}

#[tokio::test]
async fn a_dropped_message_never_comes_and_only_in_the_named_queue() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    set(&world, SqsFault::Drop, "other", 9);
    send(&sqs, &url, "kept").await;
    set(&world, SqsFault::Drop, "jobs", 1);
    send(&sqs, &url, "lost").await;
    send(&sqs, &url, "after").await;
    assert_eq!(bodies(&sqs, &url, 0).await, ["kept", "after"]);
}

#[tokio::test]
async fn a_duplicate_comes_also_after_the_first_was_deleted() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    set(&world, SqsFault::Duplicate, "jobs", 1);
    send(&sqs, &url, "twice").await;
    let one = sqs
        .receive_message()
        .queue_url(&url)
        .send()
        .await
        .unwrap()
        .messages
        .unwrap();
    let handle = one[0].receipt_handle().unwrap();
    sqs.delete_message()
        .queue_url(&url)
        .receipt_handle(handle)
        .send()
        .await
        .unwrap();
    let again = receive(&sqs, &url, 30, 0).await;
    assert_eq!((again.len(), again[0].message_id()), (1, one[0].message_id()));
}

#[tokio::test]
async fn reordered_delayed_empty_and_failed() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    for body in ["1", "2", "3"] {
        send(&sqs, &url, body).await;
    }
    set(&world, SqsFault::EmptyReceive, "jobs", 1);
    assert!(
        bodies(&sqs, &url, 20).await.is_empty(),
        "at once, though there are three"
    );
    set(&world, SqsFault::Reorder, "jobs", 1);
    assert_eq!(bodies(&sqs, &url, 0).await, ["3", "2", "1"]);

    set(&world, SqsFault::Delay { ms: 500 }, "jobs", 1);
    send(&sqs, &url, "late").await;
    assert!(bodies(&sqs, &url, 0).await.is_empty());
    assert_eq!(bodies(&sqs, &url, 5).await, ["late"]);

    // More often than the client tries.
    set(&world, SqsFault::InternalError, "jobs", 9);
    let failed = sqs.send_message().queue_url(&url).message_body("x").send().await;
    assert_eq!(failed.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    world.emulator.set_faults(FaultSettings::default());
    assert!(bodies(&sqs, &url, 0).await.is_empty(), "nothing applied");
}
