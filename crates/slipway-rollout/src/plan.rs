//! What rolling a service back would mean right now. Pure; changes nothing.

use std::fmt;

use serde::Serialize;
use slipway_journal::event::rollout::Step;
use slipway_journal::{ReleaseId, ServiceName};

use crate::book::{Book, Record};
use crate::strategy;

/// What rolling back would mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RollbackPlan {
    /// The old release is warm: one routing change.
    Warm {
        /// The release that would get the traffic.
        to: ReleaseId,
        /// What it would cost, in words.
        words: String,
    },
    /// The old release is stopped: a rollout of its own.
    Slow {
        /// The release that would be brought up again.
        to: ReleaseId,
        /// What it would cost, in words.
        words: String,
    },
    /// There is nothing to go back to.
    Impossible {
        /// Why.
        why: String,
    },
}

impl fmt::Display for RollbackPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warm { words, .. } | Self::Slow { words, .. } => f.write_str(words),
            Self::Impossible { why } => f.write_str(why),
        }
    }
}

/// What rolling `service` back would mean.
pub fn rollback(book: &Book, service: &ServiceName) -> RollbackPlan {
    // What moves now is what a rollback takes back, also while it has a share only.
    let moving = book
        .of_service(service)
        .filter(|r| r.has_traffic() && !r.stage.is_end())
        .last();
    let Some(live) = moving.or_else(|| book.live_of(service)) else {
        return RollbackPlan::Impossible {
            why: format!("no release of {service} is live"),
        };
    };
    let Some(previous) = live.previous.and_then(|id| book.rollouts.get(&id)) else {
        return RollbackPlan::Impossible {
            why: format!(
                "{} is the first release of {service} here",
                live.release.short()
            ),
        };
    };
    let to = previous.release.clone();
    if strategy::is_warm(book, live) {
        let words = format!(
            "one routing change: {} is warm{}",
            to.short(),
            switch_words(live)
        );
        return RollbackPlan::Warm { to, words };
    }
    let words = format!(
        "slow: {} is stopped and would be started, checked and switched to like a new release{}",
        to.short(),
        start_words(previous)
    );
    RollbackPlan::Slow { to, words }
}

fn switch_words(live: &Record) -> String {
    let shift = live.last(|s| matches!(s, Step::Shift { .. }));
    let took = shift.and_then(|s| s.done.as_ref()).and_then(|d| d.took_us);
    took.map_or_else(String::new, |us| {
        format!("; the last one took {}.{} ms", us / 1000, us % 1000 / 100)
    })
}

fn start_words(previous: &Record) -> String {
    let live_at = previous
        .last(|s| matches!(s, Step::Shift { .. }))
        .and_then(|s| s.done.as_ref())
        .map(|d| d.at);
    live_at.map_or_else(String::new, |at| {
        let took = at.duration_since(previous.asked_at);
        format!("; that took {} s last time", took.as_secs().max(1))
    })
}
