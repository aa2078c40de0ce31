//! How far a load is, on stderr: a bar on a terminal, a line per file elsewhere.

use super::file::{File, Wrote};
use crate::arguments::ProgressMode;
use crate::shown;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(200);
const TEMPLATE: &str =
    "{spinner} {percent:>3}% ▕{bar:20}▏ {human_pos} of about {human_len} rows · {msg} · {elapsed}, {eta} to go";

pub struct Report {
    rows: ProgressBar,
    bytes: AtomicU64,
    has_lines: bool,
}

impl Report {
    pub fn new(mode: ProgressMode, files: &[File]) -> Report {
        let is_terminal = io::stderr().is_terminal();
        let target = match mode {
            ProgressMode::Auto | ProgressMode::Always if is_terminal => ProgressDrawTarget::stderr(),
            _ => ProgressDrawTarget::hidden(),
        };
        let expected = files
            .iter()
            .map(|file| file.table.rows(file.scale) / u64::from(file.piece.parts))
            .sum();
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is well formed");
        let rows = ProgressBar::with_draw_target(Some(expected), target).with_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        rows.enable_steady_tick(TICK);
        Report {
            rows,
            bytes: AtomicU64::new(0),
            has_lines: mode != ProgressMode::Never && !is_terminal,
        }
    }

    /// The counter of generated rows; clones count together.
    pub fn rows(&self) -> ProgressBar {
        self.rows.clone()
    }

    pub fn uploaded(&self, bytes: u64) {
        let all = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.rows.set_message(shown::bytes(all));
    }

    pub fn wrote(&self, file: &File, wrote: Wrote) {
        if self.has_lines {
            eprintln!(
                "{}: {}, {}",
                file.key,
                shown::count(wrote.rows, "row"),
                shown::bytes(wrote.bytes)
            );
        }
    }

    pub fn end(&self) {
        self.rows.finish_and_clear();
    }
}
