//! The wire itself: the query protocol of older SDKs, and requests that no SDK would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{queue, start};
use crate::common::World;

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const SIGNED: &str = "authorization: AWS4-HMAC-SHA256 Credential=emulator/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0\r\n";

/// Sends bytes as they are and reads to the end.
async fn raw(world: &World, request: Vec<u8>) -> String {
    exchange(world, request, false).await
}

/// A client that ends its side early gets no answer for sure: the server takes it for gone.
async fn exchange(world: &World, request: Vec<u8>, ends_early: bool) -> String {
    let address = world.emulator.endpoints().sqs.trim_start_matches("http://").to_owned();
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may refuse and close before all is sent.
        let _ = stream.write_all(&request);
        if ends_early {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n");
    (head + body).into_bytes()
}

async fn query(world: &World, form: &str) -> String {
    raw(world, post(&format!("{SIGNED}{FORM}"), form)).await
}

fn inside<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0
}

#[tokio::test]
async fn the_query_protocol_serves_the_same_queues() {
    let world = start().await;
    let created = query(
        &world,
        "Action=CreateQueue&QueueName=old&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=7",
    )
    .await;
    assert!(created.starts_with("HTTP/1.1 200"), "{created}");
    let url = inside(&created, "QueueUrl").to_owned();
    let told = query(
        &world,
        &format!("Action=GetQueueAttributes&QueueUrl={url}&AttributeName.1=VisibilityTimeout"),
    )
    .await;
    assert_eq!(
        inside(&told, "Attribute"),
        "<Name>VisibilityTimeout</Name><Value>7</Value>"
    );

    let attribute =
        "MessageAttribute.1.Name=k&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v";
    let sent = query(
        &world,
        &format!("Action=SendMessage&QueueUrl={url}&MessageBody=a%3Cb%26c%0D&{attribute}"),
    )
    .await;
    let received = query(
        &world,
        &format!("Action=ReceiveMessage&QueueUrl={url}&AttributeName.1=All&MessageAttributeName.1=All"),
    )
    .await;
    assert_eq!(inside(&received, "Body"), "a&lt;b&amp;c&#13;");
    assert_eq!(inside(&received, "MD5OfBody"), inside(&sent, "MD5OfMessageBody"));
    assert_eq!(
        inside(&received, "MD5OfMessageAttributes"),
        inside(&sent, "MD5OfMessageAttributes")
    );
    let value = inside(inside(&received, "MessageAttribute"), "Value");
    assert_eq!(
        (inside(value, "DataType"), inside(value, "StringValue")),
        ("String", "v")
    );

    let entry = |n: u32, body: &str| {
        format!("&SendMessageBatchRequestEntry.{n}.Id=e{n}&SendMessageBatchRequestEntry.{n}.MessageBody={body}")
    };
    let batch = query(
        &world,
        &format!(
            "Action=SendMessageBatch&QueueUrl={url}{}{}",
            entry(1, "x"),
            entry(2, "%01")
        ),
    )
    .await;
    assert_eq!(inside(inside(&batch, "SendMessageBatchResultEntry"), "Id"), "e1");
    let failed = inside(&batch, "BatchResultErrorEntry");
    assert_eq!(
        (inside(failed, "Id"), inside(failed, "Code")),
        ("e2", "InvalidMessageContents")
    );

    let absent = query(&world, "Action=GetQueueUrl&QueueName=absent").await;
    assert!(absent.starts_with("HTTP/1.1 400"), "{absent}");
    assert_eq!(inside(&absent, "Code"), "AWS.SimpleQueueService.NonExistentQueue");
    let fifo = query(&world, "Action=CreateQueue&QueueName=a.fifo").await;
    assert_eq!(inside(&fifo, "Code"), "AWS.SimpleQueueService.UnsupportedOperation");
}

#[tokio::test]
async fn malformed_requests_are_refused_and_harm_nothing() {
    let world = start().await;
    let (sqs, url) = queue(&world).await;
    let json = |action: &str| format!("{SIGNED}x-amz-target: AmazonSQS.{action}\r\n");
    let refused = [
        post(&json("SendMessage"), "{"),
        post(&json("SendMessage"), "[]"),
        post(&json("SendMessage"), r#"{"QueueUrl":7,"MessageBody":{}}"#),
        post(&json("SendMessageBatch"), r#"{"QueueUrl":"jobs","Entries":[{}]}"#),
        post(&json("NoSuchAction"), "{}"),
        post(&json("ReceiveMessage"), &"[".repeat(100_000)),
        post("x-amz-target: AmazonSQS.ListQueues\r\n", "{}"),
        post(
            "authorization: AWS4-HMAC-SHA256\r\nx-amz-target: AmazonSQS.ListQueues\r\n",
            "{}",
        ),
        post(&format!("{SIGNED}{FORM}"), "%FF%00=&&&=.=Action&Action=%zz"),
        post(&format!("{SIGNED}{FORM}"), &"a.1.b=c&".repeat(3000)),
    ];
    for request in refused {
        let answer = raw(&world, request).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // These end the connection, perhaps before an answer can be read.
    let big = post(&format!("{SIGNED}x-big: {}\r\n", "x".repeat(1 << 20)), "");
    for request in [big, b"POST / HTTP/9.9\r\n\r\n".to_vec(), vec![0xff; 4096]] {
        let answer = raw(&world, request).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // Half a body, then the end.
    let mut half = post(&json("SendMessage"), r#"{"QueueUrl":"jobs","MessageBody":"half"}"#);
    half.truncate(half.len() - 5);
    let answer = exchange(&world, half, true).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    assert!(
        super::receive(&sqs, &url, 0, 0).await.is_empty(),
        "nothing came of them"
    );
}
