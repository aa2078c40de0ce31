//! The HTTP face of SQS: the `X-Amz-Target` header names the action, the body is its JSON, the path says nothing.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::actions::{Actions, message_bytes};
use super::door::Door;
use super::error::SqsError;
use super::fault::SqsFault;
use super::wire::{Batch, ChangeVisibility, Delete, QueueRef, Send};
use super::{batch, queue::Queue};
use crate::authorization::{self, Refusal};
use crate::count::Counter;
use crate::fault::Faults;
use crate::lambda::Destination;
use crate::settings::Settings;

/// Room for a batch of 1 MiB in JSON, where a byte may take six.
const REQUEST_BYTES_MAX: usize = 8 << 20;
/// Message bytes of one batch, as on AWS.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// What a request is charged by: its queue, and the larger of what went in and out.
#[derive(Default)]
struct Metered {
    queue: String,
    bytes: usize,
}

#[derive(Clone)]
pub(crate) struct SqsApi {
    actions: Arc<Actions>,
    access_key_id: String,
    counter: Arc<Counter>,
}

impl SqsApi {
    pub fn new(settings: &Settings, url: String, counter: Arc<Counter>, faults: Arc<Faults>) -> SqsApi {
        let actions = Actions {
            url,
            region: settings.region.clone(),
            queues: Default::default(),
            faults,
        };
        let access_key_id = settings.credentials.access_key_id.clone();
        SqsApi {
            actions: Arc::new(actions),
            access_key_id,
            counter,
        }
    }

    /// Puts messages in queues from within this process.
    pub fn door(&self) -> Arc<dyn Destination> {
        Arc::new(Door(self.actions.clone()))
    }

    pub async fn route(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let request_id = uuid::Uuid::new_v4().to_string();
        let (parts, body) = request.into_parts();
        let action = action(&parts.headers).unwrap_or_default().to_owned();
        self.counter.sqs(&action);
        let mut metered = Metered::default();
        let answer = self.answer(&action, &parts.headers, body, &mut metered).await;
        if let Ok(value) = &answer {
            metered.bytes = metered.bytes.max(value.to_string().len());
        }
        self.counter.sqs_billed(&metered.queue, metered.bytes);
        Ok(match answer {
            Ok(value) => Response::builder()
                .header(http::header::CONTENT_TYPE, "application/x-amz-json-1.0")
                .header("x-amzn-requestid", request_id)
                .body(Full::new(value.to_string().into()))
                .expect("an id fits a header"),
            Err(error) => error.response(&request_id),
        })
    }

    async fn answer(
        &self,
        action: &str,
        headers: &HeaderMap,
        body: Incoming,
        metered: &mut Metered,
    ) -> Result<Value, SqsError> {
        authorization::check(headers, &self.access_key_id).map_err(|refusal| match refusal {
            Refusal::Missing => SqsError::forbidden("MissingAuthenticationToken", "Missing Authentication Token"),
            Refusal::UnknownKey => SqsError::forbidden(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
        })?;
        let collected = Limited::new(body, REQUEST_BYTES_MAX).collect().await;
        let body = collected
            .map_err(|_| SqsError::malformed("the request body is too large or ended early"))?
            .to_bytes();
        metered.queue = serde_json::from_slice(&body).map_or_else(|_| String::new(), QueueRef::name);
        metered.bytes = body.len();
        let is_struck = |fault: &SqsFault| matches!(fault, SqsFault::InternalError);
        if self.actions.faults.sqs.draw(&metered.queue, is_struck).is_some() {
            return Err(SqsError::internal());
        }
        self.run(action, &body).await
    }

    async fn run(&self, action: &str, body: &[u8]) -> Result<Value, SqsError> {
        let actions = &self.actions;
        match action {
            "CreateQueue" => actions.create_queue(parse(body)?),
            "GetQueueUrl" => actions.get_queue_url(parse(body)?),
            "ListQueues" => actions.list_queues(parse(body)?),
            "ListDeadLetterSourceQueues" => actions.list_dead_letter_source_queues(parse(body)?),
            "DeleteQueue" => actions.delete_queue(parse(body)?).map(value),
            "PurgeQueue" => actions.purge_queue(parse(body)?).map(value),
            "GetQueueAttributes" => actions.get_queue_attributes(parse(body)?),
            "SetQueueAttributes" => actions.set_queue_attributes(parse(body)?).map(value),
            "SendMessage" => actions.send(&*self.queue(body)?, parse(body)?).map(value),
            "SendMessageBatch" => self.send_batch(body),
            "ReceiveMessage" => actions.receive(parse(body)?).await,
            "DeleteMessage" => actions.delete(&*self.queue(body)?, parse(body)?).map(value),
            "DeleteMessageBatch" => self.batch(body, |queue, entry: Delete| actions.delete(queue, entry)),
            "ChangeMessageVisibility" => actions.change_visibility(&*self.queue(body)?, parse(body)?).map(value),
            "ChangeMessageVisibilityBatch" => self.batch(body, |queue, entry: ChangeVisibility| {
                actions.change_visibility(queue, entry)
            }),
            other => Err(SqsError::unknown_action(other)),
        }
    }

    fn send_batch(&self, body: &[u8]) -> Result<Value, SqsError> {
        let batch: Batch<Send> = parse(body)?;
        let bytes = batch.entries.iter().map(|entry| message_bytes(&entry.request)).sum();
        if bytes > BATCH_BYTES_MAX {
            return Err(SqsError::large_batch(bytes));
        }
        let queue = self.queue(body)?;
        batch::run(batch.entries, |entry| self.actions.send(&queue, entry))
    }

    fn batch<T: DeserializeOwned, R: Serialize>(
        &self,
        body: &[u8],
        action: impl Fn(&Queue, T) -> Result<R, SqsError>,
    ) -> Result<Value, SqsError> {
        let queue = self.queue(body)?;
        let batch: Batch<T> = parse(body)?;
        batch::run(batch.entries, |entry| action(&queue, entry))
    }

    fn queue(&self, body: &[u8]) -> Result<Arc<Queue>, SqsError> {
        self.actions.queue(&parse::<QueueRef>(body)?.queue_url)
    }
}

fn action(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.strip_prefix("AmazonSQS.")
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        match message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next())
        {
            Some(field) => SqsError::missing(field),
            None => SqsError::malformed(message),
        }
    })
}

fn value<T: Serialize>(answer: T) -> Value {
    serde_json::to_value(answer).expect("answers have string keys")
}
