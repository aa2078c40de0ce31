//! S3 and SQS that another implementation serves: moto's server, as a child process. The suite runs on it when [`CLOUD`] says `moto`.

use crate::{python, tpch};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

/// Set to `moto`, the suite's S3 and SQS are moto's.
const CLOUD: &str = "MAYFLY_TEST_CLOUD";
const MOTO: &str = "moto[server,s3,sqs]==5.2.5";
/// Whatever keys, moto takes them.
const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "elsewhere"),
    ("AWS_SECRET_ACCESS_KEY", "elsewhere-secret"),
];

thread_local! {
    /// What was started for a data folder: a second server on that folder finds what the first left.
    static KEPT: RefCell<BTreeMap<String, Rc<Moto>>> = RefCell::default();
}

/// Whether S3 and SQS are served elsewhere, where the emulator counts nothing.
pub fn is_chosen() -> bool {
    match std::env::var(CLOUD).as_deref() {
        Ok("moto") => true,
        Ok(other) => panic!("{CLOUD} is {other:?}; it can be moto"),
        Err(_) => false,
    }
}

/// A running moto. Dropping it ends it.
pub struct Moto {
    child: Child,
    lines: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    pub url: String,
}

impl Moto {
    pub fn start(arguments: &[&str]) -> Moto {
        let script = tpch::root().join("tests/end-to-end/python/moto_cloud.py");
        let mut child = Command::new(python::with("python-moto", &[MOTO]))
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("moto starts");
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut moto = Moto {
            child,
            lines: RefCell::new((stdin, stdout)),
            url: String::new(),
        };
        moto.url = format!("http://127.0.0.1:{}", moto.line());
        moto
    }

    /// For the arguments of a server: the same moto for the same data folder, with each mounted folder in it.
    fn for_server(arguments: &[&str]) -> Rc<Moto> {
        let start = || Rc::new(Moto::start(&[]));
        let data = arguments.windows(2).find(|pair| pair[0] == "--data");
        let moto = match data {
            Some(pair) => KEPT.with_borrow_mut(|kept| kept.entry(pair[1].to_owned()).or_insert_with(start).clone()),
            None => start(),
        };
        for pair in arguments.windows(2).filter(|pair| pair[0] == "--mount") {
            moto.mirror(pair[1]);
        }
        moto
    }

    /// Makes a bucket hold what a folder holds, given `BUCKET=FOLDER`.
    fn mirror(&self, mount: &str) {
        writeln!(self.lines.borrow_mut().0, "{mount}").expect("moto listens");
        assert_eq!(self.line(), "done");
    }

    fn line(&self) -> String {
        let mut line = String::new();
        let read = self.lines.borrow_mut().1.read_line(&mut line);
        assert!(read.expect("moto speaks") > 0, "moto ended");
        line.trim().to_owned()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server is started with: its arguments as a local cloud of its own takes them, or with S3 and SQS elsewhere.
pub struct Cloud {
    moto: Option<Rc<Moto>>,
    mounts: Vec<String>,
    arguments: Vec<String>,
}

impl Cloud {
    pub fn of_suite(arguments: &[&str]) -> Cloud {
        let own = || Cloud {
            moto: None,
            mounts: Vec::new(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        };
        if is_chosen() {
            Cloud::elsewhere(arguments)
        } else {
            own()
        }
    }

    /// Of a server to which its command line tells everything.
    pub fn none() -> Cloud {
        Cloud {
            moto: None,
            mounts: Vec::new(),
            arguments: Vec::new(),
        }
    }

    fn elsewhere(arguments: &[&str]) -> Cloud {
        let moto = Moto::for_server(arguments);
        let (mut kept, mut mounts) = (Vec::new(), Vec::new());
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            match argument {
                "--data" => drop(rest.next()),
                "--mount" => mounts.extend(rest.next().map(|&mount| mount.to_owned())),
                other => kept.push(other.to_owned()),
            }
        }
        for flag in ["--s3-endpoint", "--sqs-endpoint"] {
            kept.extend([flag.to_owned(), moto.url.clone()]);
        }
        Cloud {
            moto: Some(moto),
            mounts,
            arguments: kept,
        }
    }

    pub fn apply(&self, command: &mut Command) {
        command.args(&self.arguments);
        if self.moto.is_some() {
            command.envs(KEYS);
        }
    }

    /// Shows what changed in mounted folders; a mount of the emulator's shows it by itself.
    pub fn refresh(&self) {
        if let Some(moto) = &self.moto {
            self.mounts.iter().for_each(|mount| moto.mirror(mount));
        }
    }
}
