//! A server with canned answers, for trying clients by hand: `types`, `rows N`, `many N`, `query N` (runs until canceled), anything
//! else is a syntax error. Prints its address.

// The tests use more of these than this server does.
#[allow(dead_code)]
#[path = "../tests/it/support/canned.rs"]
mod canned;
#[allow(dead_code)]
#[path = "../tests/it/support/every_type.rs"]
mod every_type;
#[allow(dead_code)]
#[path = "../tests/it/support/fake_query.rs"]
mod fake_query;

use mayfly_server::{ServerSettings, serve};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gzip = std::env::args().all(|argument| argument != "--no-gzip");
    let settings = ServerSettings {
        gzip,
        ..ServerSettings::new("127.0.0.1:0".parse()?)
    };
    let server = serve(settings, Arc::new(canned::Canned::default()), CancellationToken::new()).await?;
    println!("listening on http://{}", server.addr);
    server.stopped().await;
    Ok(())
}
