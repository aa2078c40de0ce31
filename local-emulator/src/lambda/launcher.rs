//! Starts child processes from one thread that lives as long as the emulator. A child asks the kernel to be killed when its parent
//! *thread* ends, so a thread of a pool would take its children along when it retires.
//!
//! The request goes through `setpriv --pdeathsig KILL` (util-linux), which reaches frozen children too. Without that tool an emulator that
//! is itself killed leaves its frozen children behind; those that run end when their Runtime API connection closes.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::function::Function;
use crate::settings::RunAs;

/// What a child is started with.
pub(crate) struct Launch {
    pub program: PathBuf,
    pub args: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub folder: PathBuf,
    pub run_as: Option<RunAs>,
    /// Takes both stdout and stderr, in the order they were written.
    pub output: io::PipeWriter,
}

type Order = (Launch, oneshot::Sender<io::Result<Child>>);

pub(crate) struct Launcher {
    orders: mpsc::Sender<Order>,
    /// Whether children die with the emulator even while frozen.
    pub ties_children: bool,
}

impl Launcher {
    pub fn start() -> Launcher {
        let (orders, inbox) = mpsc::channel::<Order>();
        let setpriv = find_setpriv();
        let ties_children = setpriv.is_some();
        let runtime = Handle::current();
        let work = move || {
            // Children are awaited by the runtime that started the emulator.
            let _runtime = runtime.enter();
            for (launch, reply) in inbox {
                let _ = reply.send(spawn(launch, setpriv.as_ref()));
            }
        };
        let thread = std::thread::Builder::new().name("launcher".to_owned());
        thread.spawn(work).expect("a process can start one more thread");
        Launcher { orders, ties_children }
    }

    pub async fn launch(&self, launch: Launch) -> io::Result<Child> {
        let (reply, answer) = oneshot::channel();
        let stopped = || io::Error::other("the launcher has stopped");
        self.orders.send((launch, reply)).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn find_setpriv() -> Option<PathBuf> {
    ["/usr/bin/setpriv", "/bin/setpriv", "/usr/sbin/setpriv"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
}

fn spawn(launch: Launch, setpriv: Option<&PathBuf>) -> io::Result<Child> {
    let mut command = match setpriv {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(&launch.program);
            command
        }
        None => Command::new(&launch.program),
    };
    command
        .args(&launch.args)
        .env_clear()
        .envs(launch.environment)
        .current_dir(&launch.folder);
    command
        .stdin(Stdio::null())
        .stdout(launch.output.try_clone()?)
        .stderr(launch.output)
        .process_group(0);
    if let Some(RunAs { uid, gid }) = launch.run_as {
        command.uid(uid).gid(gid);
    }
    command.spawn()
}

/// The environment of a function's process: nothing is inherited.
pub(crate) fn environment(function: &Function, service: &Service<'_>, folder: &str) -> Vec<(String, String)> {
    let settings = &function.settings;
    let memory = settings.memory_mb.to_string();
    let log_group = format!("/aws/lambda/{}", settings.name);
    let task_root = settings
        .program
        .parent()
        .map(|parent| parent.to_string_lossy().into_owned())
        .unwrap_or_default();
    let fixed = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("TMPDIR", folder),
        ("LAMBDA_TASK_ROOT", &task_root),
        ("_HANDLER", "bootstrap"),
        ("AWS_LAMBDA_RUNTIME_API", service.runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", &settings.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", &function.version),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", service.log_stream),
        ("AWS_REGION", service.region),
        ("AWS_DEFAULT_REGION", service.region),
        ("AWS_ACCESS_KEY_ID", service.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", service.secret_access_key),
    ];
    let fixed = fixed
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let own = settings.environment.iter().chain(&settings.secrets.0);
    fixed
        .chain(own.map(|(name, value)| (name.clone(), value.clone())))
        .collect()
}

/// What an environment is told of the service around it.
pub(crate) struct Service<'s> {
    pub runtime_api: &'s str,
    pub log_stream: &'s str,
    pub region: &'s str,
    pub access_key_id: &'s str,
    pub secret_access_key: &'s str,
}
