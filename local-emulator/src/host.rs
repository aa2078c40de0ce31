//! Which host a request may name. A web page of somebody else's can have the name of its own site resolved to 127.0.0.1, and its browser
//! then lets it ask us and read what we say: nobody is answered here who calls us by a name that others can own.

use std::error::Error;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use http_body::Body;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::Service;

/// Requests to addresses and to `localhost` reach the service, all others are answered 421.
#[derive(Clone)]
pub(crate) struct Named<S>(pub S);

impl<S, B> Service<Request<Incoming>> for Named<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Either<B, Full<Bytes>>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let is_ours = is_ours(request.headers(), request.uri());
        let answer = is_ours.then(|| self.0.call(request));
        Box::pin(async move {
            match answer {
                Some(answer) => Ok(answer.await?.map(Either::Left)),
                None => Ok(misdirected()),
            }
        })
    }
}

fn misdirected<B>() -> Response<Either<B, Full<Bytes>>> {
    const WORDS: &str = "this is a local cloud: it answers to an address or to localhost, and to no other name\n";
    let mut answer = Response::new(Either::Right(Full::from(WORDS)));
    *answer.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    answer
}

/// Whether every name that the request calls us by is ours. One that calls us nothing comes from no browser.
fn is_ours(headers: &HeaderMap, uri: &Uri) -> bool {
    let named = headers.get_all(header::HOST).iter();
    let named = named.map(|name| name.to_str().ok().and_then(|text| text.parse::<Authority>().ok()));
    let mut all = named.chain(uri.authority().cloned().map(Some));
    all.all(|authority| authority.is_some_and(|authority| is_local(&authority)))
}

fn is_local(authority: &Authority) -> bool {
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_address = match inside {
        Some(inside) => inside.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok(),
    };
    let is_localhost = host == "localhost" || host.ends_with(".localhost");
    (is_address || is_localhost) && !authority.as_str().contains('@')
}

#[cfg(test)]
mod tests;
