//! Signals to a whole process group: freeze, thaw, kill. A group that is gone already is fine.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

pub(crate) fn freeze(group: u32) {
    send(group, Signal::SIGSTOP);
}

pub(crate) fn thaw(group: u32) {
    send(group, Signal::SIGCONT);
}

/// Reaches a frozen group too.
pub(crate) fn kill(group: u32) {
    send(group, Signal::SIGKILL);
}

fn send(group: u32, signal: Signal) {
    let group = i32::try_from(group).expect("a pid fits i32");
    let _ = killpg(Pid::from_raw(group), signal);
}
