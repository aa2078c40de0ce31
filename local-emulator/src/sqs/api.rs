//! The HTTP face of SQS. In JSON the `X-Amz-Target` header names the action and the path says nothing; a request without that header is
//! of the query protocol, see query.rs.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::actions::Actions;
use super::door::Door;
use super::error::SqsError;
use super::fault::SqsFault;
use super::limits::{message_bytes, value_bytes};
use super::wire::{AttributeValue, Batch, ChangeVisibility, Delete, QueueRef, Send};
use super::{batch, query, queue::Queue};
use crate::authorization::{self, Refusal};
use crate::count::Counter;
use crate::fault::Faults;
use crate::lambda::Destination;
use crate::settings::Settings;

/// Room for a batch of 1 MiB in JSON, where a byte may take six.
const REQUEST_BYTES_MAX: usize = 8 << 20;
/// Message bytes of one batch, as on AWS.
const BATCH_BYTES_MAX: usize = 1 << 20;

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
            faults,
            queues: Default::default(),
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
        if parts.headers.contains_key("x-amz-target") {
            return Ok(self.route_json(&parts.headers, body, &request_id).await);
        }
        Ok(self.route_query(&parts, body, &request_id).await)
    }

    async fn route_json(&self, headers: &HeaderMap, body: Incoming, request_id: &str) -> Response<Full<Bytes>> {
        let action = action(headers).unwrap_or_default();
        self.counter.sqs(action);
        let answer = async {
            let body = self.admit(headers, body).await?;
            let request = serde_json::from_slice(&body).map_err(|error| SqsError::malformed(error.to_string()))?;
            self.run(action, &request).await
        };
        match answer.await {
            Ok(value) => Response::builder()
                .header(http::header::CONTENT_TYPE, "application/x-amz-json-1.0")
                .header("x-amzn-requestid", request_id)
                .body(Full::new(value.to_string().into()))
                .expect("an id fits a header"),
            Err(error) => error.response(request_id),
        }
    }

    async fn route_query(&self, parts: &Parts, body: Incoming, request_id: &str) -> Response<Full<Bytes>> {
        let request = self.admit(&parts.headers, body).await;
        let request = request.and_then(|body| query::request(parts.uri.path(), &body));
        let action = request.as_ref().map_or("", |(action, _)| action);
        self.counter.sqs(action);
        let answer = match &request {
            Ok((action, request)) => self.run(action, request).await,
            Err(error) => Err(error.clone()),
        };
        match answer {
            Ok(value) => query::response(
                http::StatusCode::OK,
                query::answer(action, &value, request_id),
                request_id,
            ),
            Err(error) => error.query_response(request_id),
        }
    }

    /// The body, of a client that may speak here.
    async fn admit(&self, headers: &HeaderMap, body: Incoming) -> Result<Bytes, SqsError> {
        authorization::check(headers, &self.access_key_id).map_err(|refusal| match refusal {
            Refusal::Missing => SqsError::forbidden("MissingAuthenticationToken", "Missing Authentication Token"),
            Refusal::UnknownKey => SqsError::forbidden(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
        })?;
        let collected = Limited::new(body, REQUEST_BYTES_MAX).collect().await;
        let body = collected.map_err(|_| SqsError::malformed("the request body is too large or ended early"))?;
        Ok(body.to_bytes())
    }

    /// Does what is asked and counts it, payload and all.
    async fn run(&self, action: &str, body: &Value) -> Result<Value, SqsError> {
        let answer = self.act(action, body).await;
        let answered_bytes = answer.as_ref().map_or(0, payload_bytes);
        let bytes = payload_bytes(body).max(answered_bytes);
        self.counter.sqs_payload(queue_name(body), action, bytes as u64);
        answer
    }

    pub(super) async fn act(&self, action: &str, body: &Value) -> Result<Value, SqsError> {
        let actions = &self.actions;
        if actions
            .faults
            .sqs
            .draw(queue_name(body), SqsFault::is_of_request)
            .is_some()
        {
            return Err(SqsError::internal());
        }
        match action {
            "ListDeadLetterSourceQueues" => actions.list_dead_letter_source_queues(parse(body)?),
            "CreateQueue" => actions.create_queue(parse(body)?),
            "GetQueueUrl" => actions.get_queue_url(parse(body)?),
            "ListQueues" => actions.list_queues(parse(body)?),
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

    fn send_batch(&self, body: &Value) -> Result<Value, SqsError> {
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
        body: &Value,
        action: impl Fn(&Queue, T) -> Result<R, SqsError>,
    ) -> Result<Value, SqsError> {
        let queue = self.queue(body)?;
        let batch: Batch<T> = parse(body)?;
        batch::run(batch.entries, |entry| action(&queue, entry))
    }

    fn queue(&self, body: &Value) -> Result<Arc<Queue>, SqsError> {
        self.actions.queue(&parse::<QueueRef>(body)?.queue_url)
    }
}

fn action(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.strip_prefix("AmazonSQS.")
}

/// Bytes of the messages in a request or an answer: bodies and attributes.
fn payload_bytes(value: &Value) -> usize {
    let lists = ["Entries", "Messages"]
        .into_iter()
        .filter_map(|name| value.get(name)?.as_array());
    let listed: usize = lists.flatten().map(message_payload).sum();
    listed + message_payload(value)
}

fn message_payload(message: &Value) -> usize {
    let bodies = ["MessageBody", "Body"]
        .into_iter()
        .filter_map(|name| message.get(name)?.as_str());
    let attributes = message
        .get("MessageAttributes")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let attribute = |(name, value): (&String, &Value)| {
        let value = AttributeValue::deserialize(value).ok();
        name.len() + value.map_or(0, |value| value.data_type.len() + value_bytes(&value))
    };
    bodies.map(str::len).sum::<usize>() + attributes.map(attribute).sum::<usize>()
}

/// The queue that a request names by its URL or its name.
fn queue_name(body: &Value) -> &str {
    let named = body.get("QueueUrl").or_else(|| body.get("QueueName"));
    let named = named.and_then(Value::as_str).unwrap_or_default();
    named.rsplit('/').next().unwrap_or_default()
}

fn parse<T: DeserializeOwned>(body: &Value) -> Result<T, SqsError> {
    T::deserialize(body).map_err(|error| {
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
