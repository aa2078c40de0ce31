//! The query protocol of older SDKs: a form becomes the request that the JSON protocol would have sent, and the answer becomes XML.
//! Knows no action's rules.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::error::SqsError;

const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";
/// Fields of a form; a batch of ten messages with ten attributes each has some 450.
const FIELDS_MAX: usize = 2000;
/// Names with a dot and a number, such as `AttributeName.1`, and the lists they belong to.
const LISTS: [(&str, &str); 4] = [
    ("AttributeName", "AttributeNames"),
    ("MessageAttributeName", "MessageAttributeNames"),
    ("MessageSystemAttributeName", "MessageSystemAttributeNames"),
    ("TagKey", "TagKeys"),
];
const NUMBERS: [&str; 5] = [
    "DelaySeconds",
    "MaxNumberOfMessages",
    "MaxResults",
    "VisibilityTimeout",
    "WaitTimeSeconds",
];

type Fields = BTreeMap<String, String>;

/// The action and its request. The path names the queue where the form does not.
pub(crate) fn request(path: &str, form: &[u8]) -> Result<(String, Value), SqsError> {
    let fields: Fields = url::form_urlencoded::parse(form)
        .take(FIELDS_MAX + 1)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if fields.len() > FIELDS_MAX {
        return Err(SqsError::malformed("the form has too many fields"));
    }
    let action = fields.get("Action").cloned().unwrap_or_default();
    let mut request = object(&fields)?;
    if !request.contains_key("QueueUrl") && path.len() > 1 {
        request.insert("QueueUrl".to_owned(), path.into());
    }
    let entries = members(&fields, &format!("{action}RequestEntry"));
    if !entries.is_empty() {
        let entries = entries.values().map(object).collect::<Result<Vec<_>, _>>()?;
        request.insert("Entries".to_owned(), json!(entries));
    }
    Ok((action, request.into()))
}

fn object(fields: &Fields) -> Result<Map<String, Value>, SqsError> {
    let mut object = Map::new();
    for (name, value) in fields.iter().filter(|(name, _)| !name.contains('.')) {
        object.insert(name.clone(), scalar(name, value)?);
    }
    for (singular, plural) in LISTS {
        let values: Vec<_> = members(fields, singular)
            .into_values()
            .filter_map(|mut member| member.remove(""))
            .collect();
        if !values.is_empty() {
            object.insert(plural.to_owned(), json!(values));
        }
    }
    for (singular, key, plural) in [("Attribute", "Name", "Attributes"), ("Tag", "Key", "tags")] {
        let pairs: Fields = members(fields, singular)
            .into_values()
            .filter_map(|mut member| Some((member.remove(key)?, member.remove("Value")?)))
            .collect();
        if !pairs.is_empty() {
            object.insert(plural.to_owned(), json!(pairs));
        }
    }
    let typed = members(fields, "MessageAttribute").into_values().filter_map(typed);
    let typed: Map<String, Value> = typed.collect();
    if !typed.is_empty() {
        object.insert("MessageAttributes".to_owned(), typed.into());
    }
    Ok(object)
}

fn scalar(name: &str, value: &str) -> Result<Value, SqsError> {
    if !NUMBERS.contains(&name) {
        return Ok(value.into());
    }
    let number = value.parse::<i64>();
    number
        .map(Value::from)
        .map_err(|_| SqsError::invalid(format!("Value {value} for parameter {name} is invalid.")))
}

fn typed(member: Fields) -> Option<(String, Value)> {
    let value = member
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("Value.")?, value)));
    let value: Map<String, Value> = value
        .map(|(name, value)| (name.to_owned(), value.as_str().into()))
        .collect();
    Some((member.get("Name")?.clone(), value.into()))
}

/// `{name}.{number}.{rest}` by number, `rest` empty for `{name}.{number}`.
fn members(fields: &Fields, name: &str) -> BTreeMap<u32, Fields> {
    let mut members: BTreeMap<u32, Fields> = BTreeMap::new();
    for (field, value) in fields {
        let Some(rest) = field.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let (number, rest) = rest.split_once('.').unwrap_or((rest, ""));
        if let Ok(number) = number.parse() {
            members
                .entry(number)
                .or_default()
                .insert(rest.to_owned(), value.clone());
        }
    }
    members
}

pub(crate) fn answer(action: &str, value: &Value, request_id: &str) -> String {
    let mut xml = format!("<{action}Response xmlns=\"{NAMESPACE}\">");
    if value.as_object().is_some_and(|fields| !fields.is_empty()) {
        element(&mut xml, &format!("{action}Result"), |xml| fields(xml, action, value));
    }
    element(&mut xml, "ResponseMetadata", |xml| leaf(xml, "RequestId", request_id));
    xml + &format!("</{action}Response>")
}

pub(crate) fn error(code: &str, fault: &str, message: &str, request_id: &str) -> String {
    let mut xml = format!("<ErrorResponse xmlns=\"{NAMESPACE}\">");
    element(&mut xml, "Error", |xml| {
        leaf(xml, "Type", fault);
        leaf(xml, "Code", code);
        leaf(xml, "Message", message);
        leaf(xml, "Detail", "");
    });
    leaf(&mut xml, "RequestId", request_id);
    xml + "</ErrorResponse>"
}

pub(crate) fn response(status: http::StatusCode, xml: String, request_id: &str) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(http::header::CONTENT_TYPE, "text/xml")
        .header("x-amzn-requestid", request_id)
        .body(Full::new(xml.into()))
        .expect("an id fits a header")
}

/// Lists repeat an element, maps repeat one with a name and a value.
fn fields(xml: &mut String, action: &str, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("QueueUrls" | "queueUrls", Value::Array(urls)) => each(xml, action, "QueueUrl", urls),
            ("Messages", Value::Array(messages)) => each(xml, action, "Message", messages),
            ("Successful", Value::Array(done)) => each(xml, action, &format!("{action}ResultEntry"), done),
            ("Failed", Value::Array(failed)) => each(xml, action, "BatchResultErrorEntry", failed),
            ("Attributes", Value::Object(map)) => named(xml, action, "Attribute", map),
            ("MessageAttributes", Value::Object(map)) => named(xml, action, "MessageAttribute", map),
            _ => node(xml, action, name, value),
        }
    }
}

fn each(xml: &mut String, action: &str, name: &str, values: &[Value]) {
    for value in values {
        node(xml, action, name, value);
    }
}

fn named(xml: &mut String, action: &str, element_name: &str, map: &Map<String, Value>) {
    for (name, value) in map {
        element(xml, element_name, |xml| {
            leaf(xml, "Name", name);
            node(xml, action, "Value", value);
        });
    }
}

fn node(xml: &mut String, action: &str, name: &str, value: &Value) {
    match value {
        Value::Object(_) => element(xml, name, |xml| fields(xml, action, value)),
        Value::String(text) => leaf(xml, name, text),
        other => leaf(xml, name, &other.to_string()),
    }
}

fn leaf(xml: &mut String, name: &str, text: &str) {
    element(xml, name, |xml| escape(xml, text));
}

fn element(xml: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    xml.push_str(&format!("<{name}>"));
    inside(xml);
    xml.push_str(&format!("</{name}>"));
}

fn escape(xml: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // A parser would read a bare one as a line feed.
            '\r' => xml.push_str("&#13;"),
            // XML has no way to write the other control characters.
            c if c.is_control() && !matches!(c, '\t' | '\n') => xml.push('\u{FFFD}'),
            c => xml.push(c),
        }
    }
}
