//! The real server as a child process: `mayfly serve --local`, told from its output where it listens.

use crate::elsewhere::Cloud;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take to print that it is ready.
const READY_WAIT: Duration = Duration::from_secs(60);
/// What the command promises: SIGTERM stops it and every child within this.
pub const STOP_WAIT: Duration = Duration::from_secs(5);

/// A running server. Dropping it stops it.
pub struct Server {
    child: Child,
    cloud: Cloud,
    pub url: String,
    pub s3: String,
    pub sqs: String,
    pub lambda: String,
}

/// The `mayfly` binary that was built beside this test.
pub fn binary() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a process knows its program");
    folder.pop();
    if folder.ends_with("deps") || folder.ends_with("examples") {
        folder.pop();
    }
    let binary = folder.join("mayfly");
    assert!(
        binary.exists(),
        "{} is missing: build the whole workspace first",
        binary.display()
    );
    binary
}

/// Which program executors run, and as whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executors {
    /// The `bootstrap` that is deployed, as `nobody`, who cannot look into the emulator's folders.
    Foreign,
    /// `mayfly` itself, as the user who started the server.
    Itself,
}

/// Set to `itself` or `foreign`, it overrules what the suite would take.
const EXECUTORS: &str = "MAYFLY_TEST_EXECUTORS";
/// `nobody` on Debian and most others.
const NOBODY: &str = "65534:65534";

impl Executors {
    /// Foreign where that can be had: only root may start processes of another user.
    pub fn of_suite() -> Executors {
        match std::env::var(EXECUTORS).as_deref() {
            Ok("itself") => Executors::Itself,
            Ok("foreign") => Executors::Foreign,
            Ok(other) => panic!("{EXECUTORS} is {other:?}; it can be itself or foreign"),
            Err(_) if nix::unistd::geteuid().is_root() => Executors::Foreign,
            Err(_) => Executors::Itself,
        }
    }

    fn arguments(self) -> Vec<OsString> {
        let bootstrap = binary().with_file_name("bootstrap");
        match self {
            Executors::Foreign => vec![
                "--executor-user".into(),
                NOBODY.into(),
                "--executor".into(),
                bootstrap.into(),
            ],
            Executors::Itself => Vec::new(),
        }
    }
}

impl Server {
    pub fn start(arguments: &[&str]) -> Server {
        Server::start_with(Executors::of_suite(), arguments)
    }

    pub fn start_with(executors: Executors, arguments: &[&str]) -> Server {
        Server::start_in(executors, arguments, &[])
    }

    /// In an environment of its own.
    pub fn start_in(executors: Executors, arguments: &[&str], environment: &[(&str, PathBuf)]) -> Server {
        let cloud = Cloud::of_suite(arguments);
        let mut command = Command::new(binary());
        command
            .args(["serve", "--local", "--port", "0"])
            .args(executors.arguments())
            .envs(environment.iter().cloned());
        cloud.apply(&mut command);
        Server::spawn(command, cloud)
    }

    /// Started by a command line that says everything.
    pub fn of(command: Command) -> Server {
        Server::spawn(command, Cloud::none())
    }

    /// Another server over the same cloud, by way of `s3`.
    pub fn beside(&self, s3: &str, arguments: &[&str]) -> Server {
        let mut command = self.command_beside(s3, &self.lambda);
        command.args(arguments);
        Server::of(command)
    }

    /// Another server over the same cloud, that reaches Lambda by way of `lambda`.
    pub fn beside_lambda(&self, lambda: &str, arguments: &[&str]) -> Server {
        self.beside_in(lambda, arguments, &[])
    }

    /// The same, in an environment of its own.
    pub fn beside_in(&self, lambda: &str, arguments: &[&str], environment: &[(&str, PathBuf)]) -> Server {
        let mut command = self.command_beside(&self.s3, lambda);
        command.args(arguments).envs(environment.iter().cloned());
        Server::of(command)
    }

    /// What starts another server over the same cloud.
    pub fn command_beside(&self, s3: &str, lambda: &str) -> Command {
        let mut command = Command::new(binary());
        command.args(["serve", "--local", "--port", "0", "--s3-endpoint", s3]);
        command.args(["--sqs-endpoint", &self.sqs, "--lambda-endpoint", lambda]);
        command
            .env("AWS_ACCESS_KEY_ID", "emulator")
            .env("AWS_SECRET_ACCESS_KEY", "emulator-secret");
        command
    }

    fn spawn(mut command: Command, cloud: Cloud) -> Server {
        let mut child = command
            .env("MAYFLY_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
        let mut server = Server {
            child,
            cloud,
            url: String::new(),
            s3: String::new(),
            sqs: String::new(),
            lambda: String::new(),
        };
        let deadline = Instant::now() + READY_WAIT;
        while server.lambda.is_empty() {
            let line = receive
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                .expect("the server gets ready");
            server.read(&line);
        }
        server
    }

    fn read(&mut self, line: &str) {
        let places = [
            ("listening on ", &mut self.url),
            ("s3 endpoint ", &mut self.s3),
            ("sqs endpoint ", &mut self.sqs),
            ("lambda endpoint ", &mut self.lambda),
        ];
        for (label, place) in places {
            if let Some(url) = line.strip_prefix(label) {
                url.trim().clone_into(place);
            }
        }
    }

    /// To be called after a change in a mounted folder.
    pub fn refresh(&self) {
        self.cloud.refresh();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing is said to anybody.
    pub fn kill(&mut self) {
        signal(self.child.id(), Signal::SIGKILL);
        let _ = self.child.wait();
    }

    /// SIGTERM, then waits. Returns how long it took.
    pub fn stop(&mut self) -> Duration {
        let start = Instant::now();
        if self.child.try_wait().expect("we are its parent").is_none() {
            signal(self.child.id(), Signal::SIGTERM);
        }
        while self.child.try_wait().expect("we are its parent").is_none() {
            if start.elapsed() > STOP_WAIT * 2 {
                signal(self.child.id(), Signal::SIGKILL);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        start.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends a signal to a process that this test started, directly or through the server.
pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("a pid fits"));
    // It may have ended by itself meanwhile.
    let _ = kill(pid, signal);
}

/// All living descendants of a process, from /proc.
pub fn descendants(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .expect("Linux has /proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, parent(pid)?)))
        .collect();
    let (mut found, mut at) = (vec![root], 0);
    while let Some(&ancestor) = found.get(at) {
        found.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == ancestor)
                .map(|(pid, _)| *pid),
        );
        at += 1;
    }
    found.split_off(1)
}

/// Whether a process exists and is no zombie.
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
