//! Many messages through one queue, by several clients at once: each comes once, and none stays.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::{queue, receive, start};

const MESSAGES: usize = 2_000;
const CLIENTS: usize = 4;

#[tokio::test]
async fn none_of_many_messages_is_lost_or_stuck() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    let send = async |client: usize| {
        for n in (client..MESSAGES).step_by(CLIENTS) {
            let send = sqs.send_message().queue_url(&url).message_body(n.to_string());
            send.send().await.unwrap();
        }
    };
    join_all((0..CLIENTS).map(send)).await;
    let drain = async |_| {
        let mut bodies = Vec::new();
        // Each round but the last takes a message, so this bounds it.
        for _ in 0..=MESSAGES {
            let received = receive(&sqs, &url, 600, 0).await;
            if received.is_empty() {
                break;
            }
            for message in received {
                let handle = message.receipt_handle.unwrap();
                let delete = sqs.delete_message().queue_url(&url).receipt_handle(handle);
                delete.send().await.unwrap();
                bodies.push(message.body.unwrap().parse::<usize>().unwrap());
            }
        }
        bodies
    };
    let bodies: Vec<usize> = join_all((0..CLIENTS).map(drain)).await.concat();
    assert_eq!(bodies.len(), MESSAGES, "none twice");
    assert_eq!(bodies.into_iter().collect::<BTreeSet<_>>(), (0..MESSAGES).collect());
    assert!(receive(&sqs, &url, 0, 0).await.is_empty());
}
