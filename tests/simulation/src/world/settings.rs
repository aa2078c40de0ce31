//! What a seed's coordinators are told to keep to.

use crate::random::Streams;
use mayfly_auditor::{Bounds, Copying};
use mayfly_schedule::{Settings, Speculation};
use rand::Rng;
use rand::rngs::SmallRng;

/// Small fleets, short tasks, and journals that are told often.
pub(super) fn draw(streams: &mut Streams) -> Settings {
    let defaults = Settings::default();
    let journal_wins_max = match streams.coordination.random_range(0..4) {
        0 => defaults.journal_wins_max,
        _ => streams.coordination.random_range(1..=12),
    };
    let concurrency_max = streams.graphs.random_range(1..=24);
    // In some seeds so short that what has four times as long may straggle beyond it, too. Even, where short turns are odd.
    let task_duration_ms = (streams.graphs.random_range(10_000..=60_000) >> streams.sizes.random_range(0..=2)) & !1;
    Settings {
        bucket: String::new(),
        concurrency_max,
        task_duration_ms,
        short_turns_max: (task_duration_ms / 2 % 3) as u32,
        short_turn_ms: (task_duration_ms / [2, 4, 8][(task_duration_ms / 6 % 3) as usize]) | 1,
        journal_wins_max,
        journal_risk_mb_ms_max: 1 << streams.coordination.random_range(20..34),
        speculation: draw_speculation(&mut streams.copies),
        ..defaults
    }
}

/// When stragglers are copied: off in some seeds, as it is by default in some, and anything else in the others.
fn draw_speculation(stream: &mut SmallRng) -> Option<Speculation> {
    let defaults = Speculation::default();
    match stream.random_range(0..10) {
        0..3 => None,
        3..6 => Some(defaults),
        _ => Some(Speculation {
            won_percent: stream.random_range(25..=90),
            small_tasks: stream.random_range(0..=12),
            small_percent: stream.random_range(110..=400),
            elapsed_percent: stream.random_range(100..=200),
            crowd_percent: stream.random_range(100..=250),
            elapsed_ms_min: stream.random_range(0..=1_000),
            speed_percent: stream.random_range(20..=100),
            tasks_percent: stream.random_range(0..=40),
            cost_percent: stream.random_range(0..=30),
            cost_mb_ms_min: stream.random_range(0..=2 * defaults.cost_mb_ms_min),
        }),
    }
}

fn copying(rule: &Speculation) -> Copying {
    Copying {
        won_percent: rule.won_percent,
        small_tasks: rule.small_tasks,
        small_percent: rule.small_percent,
        elapsed_percent: rule.elapsed_percent,
        crowd_percent: rule.crowd_percent,
        elapsed_ms_min: rule.elapsed_ms_min,
        speed_percent: rule.speed_percent,
        tasks_percent: rule.tasks_percent,
        cost_percent: rule.cost_percent,
        cost_mb_ms_min: rule.cost_mb_ms_min,
    }
}

/// The same, for the auditor.
pub(super) fn bounds(settings: &Settings) -> Bounds {
    Bounds {
        concurrency_max: settings.concurrency_max,
        short_turns_max: settings.short_turns_max,
        short_turn_ms: settings.short_turn_ms,
        task_duration_ms: settings.task_duration_ms,
        answer_grace_ms: settings.answer_grace_ms,
        retries_min: settings.retries_min,
        retries_percent: settings.retries_percent,
        backoff_ms: settings.backoff_ms,
        journal_wins_max: settings.journal_wins_max,
        journal_risk_mb_ms_max: settings.journal_risk_mb_ms_max,
        copies: settings.speculation.as_ref().map(copying),
        fleet_dead_ms: settings.fleet_dead_ms,
        idle_ms_max: settings.backoff_ms_max,
    }
}
