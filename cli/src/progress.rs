//! A line on stderr that says how far a statement is. Where stderr is no terminal, and only if asked for, plain lines instead.

use crate::arguments::ProgressMode;
use crate::client::Stats;
use crate::shown;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(100);
const LINES_EVERY: Duration = Duration::from_secs(1);

pub enum Progress {
    Hidden,
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    pub fn new(mode: ProgressMode) -> Progress {
        match (mode, io::stderr().is_terminal()) {
            (ProgressMode::Never, _) | (ProgressMode::Auto, false) => Progress::Hidden,
            (_, true) => Progress::Bar(bar()),
            (ProgressMode::Always, false) => Progress::Lines { last: Instant::now() },
        }
    }

    pub fn show(&mut self, stats: &Stats) {
        match self {
            Progress::Hidden => {}
            Progress::Bar(bar) => {
                bar.set_length(stats.total_splits.max(1));
                bar.set_position(stats.completed_splits);
                bar.set_message(line(stats));
            }
            Progress::Lines { last } if last.elapsed() < LINES_EVERY => {}
            Progress::Lines { last } => {
                *last = Instant::now();
                eprintln!("{}", line(stats));
            }
        }
    }

    /// Makes room for rows or last words.
    pub fn clear(&mut self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
        *self = Progress::Hidden;
    }
}

fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {percent:>3}% ▕{bar:20}▏ {msg}").expect("the template is well formed");
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr())
        .with_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    bar.enable_steady_tick(TICK);
    bar
}

/// `running · 2/5 stages · 41/72 tasks · 6,001,215 rows · 1.20 GB · 8.1 s · $0.000912`
pub fn line(stats: &Stats) -> String {
    let (done, stages) = stats.root_stage.as_ref().map_or((0, 0), |root| root.counted());
    let mut parts = vec![stats.state.to_lowercase()];
    parts.extend((stages > 0).then(|| format!("{done}/{stages} stages")));
    parts.extend((stats.total_splits > 0).then(|| format!("{}/{} tasks", stats.completed_splits, stats.total_splits)));
    parts.extend((stats.processed_rows > 0).then(|| shown::count(stats.processed_rows, "row")));
    parts.extend((stats.bytes() > 0).then(|| shown::bytes(stats.bytes())));
    parts.push(shown::duration(Duration::from_millis(stats.elapsed_time_millis)));
    parts.extend(stats.cost().map(shown::dollars));
    parts.join(" · ")
}

#[cfg(test)]
mod tests;
