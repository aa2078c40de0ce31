//! One planner, as the server holds it. Dropped, it is killed: whatever it computed ends with it.

use super::death::Death;
use super::frame::Frame;
use super::pool::PlannerProgram;
use super::wire::{Ask, Said, read, written};
use std::io::{self, Write as _};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Bytes of its last words that are kept.
const WORDS_BYTES_MAX: usize = 8 * 1024;

/// From the end of its output until it is gone.
const DEATH_DURATION_MAX: Duration = Duration::from_secs(2);

/// glibc keeps what was freed unless it is told to give large pieces back.
const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_MMAP_THRESHOLD_", "1048576"),
    ("MALLOC_TRIM_THRESHOLD_", "4194304"),
];

pub struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    words: JoinHandle<Vec<u8>>,
}

impl Process {
    pub async fn start(program: &PlannerProgram) -> io::Result<Process> {
        let mut child = Command::new(&program.program)
            .envs(ALLOCATOR)
            .envs(program.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C on a terminal is the server's to handle.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("a planner has no pipes");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let mut process = Process {
            child,
            stdin,
            stdout: BufReader::new(stdout),
            words: tokio::spawn(hear(stderr)),
        };
        process.send(Frame::of(program.setup.reveal().clone())).await?;
        Ok(process)
    }

    pub async fn ask(&mut self, ask: &Ask) -> io::Result<()> {
        self.send(Frame::of(written(ask))).await
    }

    /// What it says next, with the Arrow part beside it. An error is its end.
    pub async fn said(&mut self) -> io::Result<(Said, Vec<u8>)> {
        let frame = Frame::read(&mut self.stdout).await?;
        Ok((read(&frame)?, frame.arrow))
    }

    /// Why it ended. To be asked once it says nothing more.
    pub async fn death(mut self) -> Death {
        let status = timeout(DEATH_DURATION_MAX, self.child.wait()).await;
        let words = timeout(DEATH_DURATION_MAX, self.words).await;
        let words = words.ok().and_then(Result::ok).unwrap_or_default();
        Death::of(status.ok().and_then(Result::ok), &String::from_utf8_lossy(&words))
    }

    async fn send(&mut self, frame: Frame) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame.write(&mut bytes)?;
        self.stdin.write_all(&bytes).await?;
        self.stdin.flush().await
    }
}

/// Passes its log lines on to the server's, and keeps the last.
async fn hear(mut stderr: ChildStderr) -> Vec<u8> {
    let (mut words, mut piece) = (Vec::new(), [0; 1024]);
    while let Ok(length @ 1..) = stderr.read(&mut piece).await {
        // Nobody may read the server's log; the planner goes on.
        let _ = io::stderr().write_all(&piece[..length]);
        words.extend_from_slice(&piece[..length]);
        let surplus = words.len().saturating_sub(WORDS_BYTES_MAX);
        words.drain(..surplus);
    }
    words
}
