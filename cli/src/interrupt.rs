//! Ctrl-C and SIGTERM. The first asks nicely; for commands that only talk to a server, the second leaves at once.

use std::process;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

const EXIT_CODE: i32 = 130;

/// Listens from now on. The token is cancelled by the first signal.
pub fn leave_on_second() -> CancellationToken {
    listen(|| process::exit(EXIT_CODE))
}

/// Listens from now on; signals after the first change nothing, because what runs here must stop its children first.
pub fn only_first() -> CancellationToken {
    listen(|| ())
}

fn listen(on_second: impl Fn() + Send + 'static) -> CancellationToken {
    let token = CancellationToken::new();
    let first = token.clone();
    // Without handlers a signal ends the process at once, which is the second-best answer.
    let (Ok(mut interrupts), Ok(mut terminations)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return token;
    };
    tokio::spawn(async move {
        either(&mut interrupts, &mut terminations).await;
        first.cancel();
        loop {
            either(&mut interrupts, &mut terminations).await;
            on_second();
        }
    });
    token
}

async fn either(interrupts: &mut Signal, terminations: &mut Signal) {
    tokio::select! {
        _ = interrupts.recv() => {}
        _ = terminations.recv() => {}
    }
}
