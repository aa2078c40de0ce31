//! The address under which a client reached us: every URI in an answer is absolute and starts with it. It must be one that is ours alone:
//! a page of another site can have that site's name resolved to our address, and its browser then lets it ask us and read the answers.

use crate::settings::ServerSettings;
use http::{HeaderMap, Uri};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The first name that a request calls us by and that is not ours: neither an address, nor `localhost`, nor one that the operator has named.
/// Whoever calls us nothing is no browser.
pub fn foreign_name(headers: &HeaderMap, uri: &Uri, settings: &ServerSettings) -> Option<String> {
    let forwarded = headers.get_all("x-forwarded-host").iter();
    let forwarded = forwarded.filter(|_| settings.trusts_forwarded);
    // A proxy that is trusted tells what it was called; what it calls us is its own business.
    let called = match headers.contains_key("x-forwarded-host") && settings.trusts_forwarded {
        true => Vec::new(),
        false => headers.get_all("host").iter().collect(),
    };
    let texts = forwarded.chain(called).map(|value| value.to_str().unwrap_or_default());
    let texts = texts.map(|text| text.split(',').next().unwrap_or_default().trim());
    let mut texts = texts.chain(uri.authority().map(|authority| authority.as_str()));
    texts.find(|text| !is_our_name(text, settings)).map(str::to_owned)
}

fn is_our_name(text: &str, settings: &ServerSettings) -> bool {
    if !is_authority(text) {
        return false;
    }
    let inside = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if let Some((inside, _)) = inside {
        return inside.parse::<Ipv6Addr>().is_ok();
    }
    let host = text.split(':').next().unwrap_or_default();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_named = settings.names.iter().any(|name| name.eq_ignore_ascii_case(&host));
    host.parse::<Ipv4Addr>().is_ok() || host == "localhost" || host.ends_with(".localhost") || is_named
}

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
