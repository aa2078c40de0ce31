//! Dead-letter queues and purges.

use aws_sdk_sqs::types::QueueAttributeName::{RedriveAllowPolicy, RedrivePolicy};

use super::{queue, receive, start};

fn policy(target: &str, receives: u32) -> String {
    format!(r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:{target}","maxReceiveCount":{receives}}}"#)
}

#[tokio::test]
async fn a_message_received_too_often_moves_to_the_dead_letter_queue() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    let dead = sqs.create_queue().queue_name("dead").send().await.unwrap();
    let dead = dead.queue_url.unwrap();
    let set = sqs.set_queue_attributes().queue_url(&url);
    let absent = set.clone().attributes(RedrivePolicy, policy("absent", 2)).send().await;
    assert!(absent.is_err(), "the target must exist");
    set.attributes(RedrivePolicy, policy("dead", 2)).send().await.unwrap();
    let sent = sqs
        .send_message()
        .queue_url(&url)
        .message_body("poison")
        .send()
        .await
        .unwrap();

    assert_eq!(receive(&sqs, &url, 0, 0).await.len(), 1);
    assert_eq!(receive(&sqs, &url, 0, 0).await.len(), 1);
    assert!(
        receive(&sqs, &dead, 0, 0).await.is_empty(),
        "not before the next receive"
    );
    assert!(receive(&sqs, &url, 0, 0).await.is_empty());
    let moved = receive(&sqs, &dead, 0, 0).await;
    assert_eq!((moved.len(), moved[0].message_id()), (1, sent.message_id()));

    let sources = sqs
        .list_dead_letter_source_queues()
        .queue_url(&dead)
        .send()
        .await
        .unwrap();
    assert_eq!(sources.queue_urls(), std::slice::from_ref(&url));
}

#[tokio::test]
async fn a_queue_may_refuse_to_take_dead_letters() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    sqs.create_queue()
        .queue_name("closed")
        .attributes(RedriveAllowPolicy, r#"{"redrivePermission":"denyAll"}"#)
        .send()
        .await
        .unwrap();
    let set = sqs.set_queue_attributes().queue_url(&url);
    assert!(
        set.clone()
            .attributes(RedrivePolicy, policy("closed", 2))
            .send()
            .await
            .is_err()
    );
    assert!(
        set.clone()
            .attributes(RedrivePolicy, policy("jobs", 0))
            .send()
            .await
            .is_err()
    );
    assert!(set.attributes(RedrivePolicy, "").send().await.is_ok(), "takes it away");
}

#[tokio::test]
async fn a_second_purge_within_a_minute_is_refused() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    sqs.send_message()
        .queue_url(&url)
        .message_body("x")
        .send()
        .await
        .unwrap();
    sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert!(receive(&sqs, &url, 0, 0).await.is_empty());
    let again = sqs.purge_queue().queue_url(&url).send().await.unwrap_err();
    assert!(again.into_service_error().is_purge_queue_in_progress());
}
