//! Tells from the request line alone which kind of request it is, before anything is parsed or authenticated: what is refused is counted too.

use http::{HeaderMap, Method, Uri};

use crate::count::S3Operation;

/// The bucket (empty when the path names none) and the kind of request.
pub(crate) fn classify(method: &Method, uri: &Uri, headers: &HeaderMap) -> (String, S3Operation) {
    let path = uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let query = Query(uri.query().unwrap_or(""));
    let operation = if key.is_empty() {
        of_bucket(method, query)
    } else {
        of_object(method, query, headers)
    };
    (bucket.to_owned(), operation)
}

fn of_bucket(method: &Method, query: Query<'_>) -> S3Operation {
    match *method {
        Method::GET if !query.has("location") => S3Operation::List,
        Method::PUT => S3Operation::CreateBucket,
        Method::HEAD => S3Operation::Head,
        Method::DELETE => S3Operation::Delete,
        Method::POST if query.has("delete") => S3Operation::Delete,
        _ => S3Operation::Other,
    }
}

fn of_object(method: &Method, query: Query<'_>, headers: &HeaderMap) -> S3Operation {
    let part = query.has("uploadId");
    match *method {
        // ListParts is billed as a LIST.
        Method::GET if part => S3Operation::List,
        Method::GET => S3Operation::Get,
        Method::HEAD => S3Operation::Head,
        Method::PUT if part => S3Operation::MultipartPart,
        Method::PUT if headers.contains_key("x-amz-copy-source") => S3Operation::Copy,
        Method::PUT => S3Operation::Put,
        Method::DELETE if part => S3Operation::MultipartAbort,
        Method::DELETE => S3Operation::Delete,
        Method::POST if query.has("uploads") => S3Operation::MultipartCreate,
        Method::POST if part => S3Operation::MultipartComplete,
        _ => S3Operation::Other,
    }
}

#[derive(Clone, Copy)]
struct Query<'q>(&'q str);

impl Query<'_> {
    fn has(self, name: &str) -> bool {
        self.0.split('&').any(|pair| pair.split('=').next() == Some(name))
    }
}
