//! The address under which a client reached us: every URI in an answer is absolute and starts with it.

use crate::settings::ServerSettings;
use http::{HeaderMap, Uri};
use std::net::SocketAddr;

/// `http://host:port`, without a slash at the end. `bound` is the address we listen on, for clients that name no host.
pub fn base(headers: &HeaderMap, uri: &Uri, settings: &ServerSettings, bound: SocketAddr) -> String {
    let forwarded = settings.trusts_forwarded.then(|| forwarded(headers)).flatten();
    forwarded.unwrap_or_else(|| {
        let authority = header(headers, "host").or(uri.authority().map(|authority| authority.as_str()));
        authority
            .filter(|text| is_authority(text))
            .map_or_else(|| format!("http://{bound}"), |host| format!("http://{host}"))
    })
}

/// What the proxy in front of us was asked for. Each header may list one value per proxy; the first is the client's.
fn forwarded(headers: &HeaderMap) -> Option<String> {
    let first = |name| {
        header(headers, name)
            .and_then(|value| value.split(',').next())
            .map(str::trim)
    };
    let host = first("x-forwarded-host")
        .or(header(headers, "host"))
        .filter(|host| is_authority(host))?;
    let scheme = if first("x-forwarded-proto") == Some("https") {
        "https"
    } else {
        "http"
    };
    let port = first("x-forwarded-port").and_then(|port| port.parse::<u16>().ok());
    let usual = if scheme == "https" { 443 } else { 80 };
    match port.filter(|port| *port != usual && !has_port(host)) {
        Some(port) => Some(format!("{scheme}://{host}:{port}")),
        None => Some(format!("{scheme}://{host}")),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Host names, addresses and ports: nothing that could start a path or a user part.
fn is_authority(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    !text.is_empty() && text.chars().all(allowed)
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
