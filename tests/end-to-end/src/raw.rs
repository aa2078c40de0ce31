//! Requests as no client of ours makes them: under any name, with any head.

use std::io;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// A connection to the base URL of a service, from this address.
pub async fn connect(url: &str, from: IpAddr) -> io::Result<TcpStream> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let address = address.parse().map_err(io::Error::other)?;
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(address).await
}

/// Head and body of what comes back. `line` is method and target; the connection closes after it.
pub async fn ask(url: &str, from: IpAddr, line: &str, headers: &[&str], body: &str) -> io::Result<String> {
    let mut stream = connect(url, from).await?;
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The status that an answer begins with.
pub fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}
