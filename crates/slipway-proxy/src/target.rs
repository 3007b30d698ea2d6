//! One instance as the proxy knows it: how it does and what it has in flight. Lives as
//! long as some table names it, so a new table forgets nothing.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::choose::Fitness;
use crate::shard::Shards;
use crate::stats::{Health, TargetStats};
use crate::table::HealthCheck;

/// Connect failures in a row after which a target is left out for a moment.
const CONNECT_FAILURES: u32 = 3;

/// Tells targets apart across tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TargetKey {
    pub(crate) service: String,
    pub(crate) release: String,
    pub(crate) instance: String,
    pub(crate) address: SocketAddr,
}

/// What one look saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// A good answer of the right release.
    Good,
    /// No good answer, though something is there.
    Bad(String),
    /// Nobody there, or another release.
    Nobody(String),
}

/// An instance.
#[derive(Debug)]
pub(crate) struct TargetState {
    pub(crate) key: TargetKey,
    pub(crate) in_flight: Shards,
    /// Asks for a look at once.
    pub(crate) look_now: Notify,
    started: Instant,
    health: AtomicU8,
    dead: AtomicBool,
    good: AtomicU32,
    failures: AtomicU32,
    connect_failures: AtomicU32,
    /// Milliseconds since `started`.
    ejected_until: AtomicU64,
    last_failure: Mutex<Option<String>>,
    /// Over how many milliseconds its share grows, once it is up; nought: at once.
    warms_for: AtomicU32,
    /// When it has its whole share, milliseconds since `started`; nought: it has.
    warm_at: AtomicU64,
}

const UNKNOWN: u8 = 0;
const UP: u8 = 1;
const DOWN: u8 = 2;

impl TargetState {
    pub(crate) fn new(key: TargetKey, workers: usize) -> Self {
        Self {
            key,
            in_flight: Shards::new(workers),
            look_now: Notify::new(),
            started: Instant::now(),
            health: AtomicU8::new(UNKNOWN),
            dead: AtomicBool::new(false),
            good: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            connect_failures: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            warms_for: AtomicU32::new(0),
            warm_at: AtomicU64::new(0),
        }
    }

    /// From the next time on that it comes up its share grows over so many milliseconds.
    pub(crate) fn warms_for(&self, milliseconds: u32) {
        self.warms_for.store(milliseconds, Ordering::Relaxed);
    }

    pub(crate) fn health(&self) -> Health {
        match self.health.load(Ordering::Acquire) {
            UP => Health::Up,
            DOWN => Health::Down,
            _ => Health::Unknown,
        }
    }

    /// What it is worth as a choice at the instant `now`; `draw` gives a number below its
    /// argument, and is asked only while its share grows.
    pub(crate) fn fitness(&self, now: Instant, draw: impl FnOnce(u64) -> u64) -> Fitness {
        let ejected_until = self.ejected_until.load(Ordering::Relaxed);
        if ejected_until != 0 && self.millis(now) < ejected_until {
            return Fitness::Dead;
        }
        match self.health() {
            Health::Up if self.is_warm(now, draw) => Fitness::Up,
            Health::Up => Fitness::Warming,
            Health::Unknown => Fitness::Unknown,
            Health::Down if self.dead.load(Ordering::Relaxed) => Fitness::Dead,
            Health::Down => Fitness::Poor,
        }
    }

    /// Whether it stands among the others for one request: for all, once it is warm.
    fn is_warm(&self, now: Instant, draw: impl FnOnce(u64) -> u64) -> bool {
        let warm_at = self.warm_at.load(Ordering::Relaxed);
        if warm_at == 0 {
            return true;
        }
        let left = warm_at.saturating_sub(self.millis(now));
        if left == 0 {
            self.warm_at.store(0, Ordering::Relaxed);
            return true;
        }
        draw(self.warms_for.load(Ordering::Relaxed).max(1).into()) >= left
    }

    /// It is up since `now`, and was not before.
    fn came_up(&self, now: Instant) {
        let warms_for = self.warms_for.load(Ordering::Relaxed);
        if warms_for > 0 {
            let warm_at = self.millis(now).saturating_add(warms_for.into());
            self.warm_at.store(warm_at, Ordering::Relaxed);
        }
    }

    /// Takes a look into account; tells whether requests that wait should look again: the
    /// health is another now, or it answers again before it counted as down. Called by the
    /// one task that looks. The first look decides alone, later ones need company.
    pub(crate) fn looked(&self, now: Instant, look: Look, check: &HealthCheck) -> bool {
        let before = (self.health(), self.dead.load(Ordering::Relaxed));
        let mut is_back = false;
        match look {
            Look::Good => {
                is_back = self.failures.swap(0, Ordering::Relaxed) != 0;
                self.dead.store(false, Ordering::Relaxed);
                let good = self.good.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                if before.0 != Health::Up && (before.0 == Health::Unknown || good >= check.up_after)
                {
                    self.came_up(now);
                    self.health.store(UP, Ordering::Release);
                }
            }
            Look::Bad(words) => self.failed(words, false, check),
            Look::Nobody(words) => self.failed(words, true, check),
        }
        is_back || before != (self.health(), self.dead.load(Ordering::Relaxed))
    }

    fn failed(&self, words: String, nobody: bool, check: &HealthCheck) {
        self.good.store(0, Ordering::Relaxed);
        let failures = self
            .failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        *self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(words);
        if self.health() == Health::Unknown || failures >= check.down_after {
            self.dead.store(nobody, Ordering::Relaxed);
            self.health.store(DOWN, Ordering::Release);
        }
    }

    /// A request reached it.
    pub(crate) fn connected(&self) {
        if self.connect_failures.load(Ordering::Relaxed) != 0 {
            self.connect_failures.store(0, Ordering::Relaxed);
        }
    }

    /// A request could not connect; the third time in a row leaves it out for `eject`.
    pub(crate) fn connect_failed(&self, now: Instant, eject: Duration, words: &str) {
        let failures = self
            .connect_failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        if failures >= CONNECT_FAILURES {
            self.connect_failures.store(0, Ordering::Relaxed);
            self.ejected_until
                .store(self.millis(now + eject), Ordering::Relaxed);
            tracing::warn!(
                instance = self.key.instance,
                service = self.key.service,
                error = words,
                "an instance cannot be reached and is left out for a moment"
            );
        }
        *self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(words.to_owned());
        self.look_now.notify_one();
    }

    /// A good look ends the time that it is left out for; tells whether requests may wait
    /// because they could not reach it.
    pub(crate) fn readmit(&self, now: Instant) -> bool {
        let was_left_out = self.ejected_until.swap(0, Ordering::Relaxed) != 0;
        if was_left_out {
            self.came_up(now);
        }
        was_left_out || self.connect_failures.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn stats(&self) -> TargetStats {
        TargetStats {
            instance: self.key.instance.clone(),
            health: self.health(),
            failures: self.failures.load(Ordering::Relaxed),
            last_failure: self
                .last_failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            in_flight: self.in_flight.sum(),
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.started);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn target() -> TargetState {
        let key = TargetKey {
            service: "web".into(),
            release: "r1".into(),
            instance: "i1".into(),
            address: ([127, 0, 0, 1], 1).into(),
        };
        TargetState::new(key, 1)
    }

    /// What has its whole share draws no number.
    fn never(_: u64) -> u64 {
        panic!("a number was drawn")
    }

    fn check() -> HealthCheck {
        HealthCheck {
            path: "/health".into(),
            every_ms: 1,
            timeout_ms: 1,
            down_after: 3,
            up_after: 2,
        }
    }

    #[test]
    fn the_first_look_decides_and_later_ones_need_company() {
        let target = target();
        let now = Instant::now();
        let look = |look: Look| {
            target.looked(now, look, &check());
            target.fitness(now, never)
        };
        let bad = || Look::Bad("500".into());
        assert_eq!(look(Look::Good), Fitness::Up);
        assert_eq!(
            [look(bad()), look(bad()), look(bad())],
            [Fitness::Up, Fitness::Up, Fitness::Poor]
        );
        assert_eq!([look(Look::Good), look(bad())], [Fitness::Poor; 2]);
        assert_eq!(
            [look(Look::Good), look(Look::Good)],
            [Fitness::Poor, Fitness::Up]
        );
    }

    #[test]
    fn nobody_there_is_dead() {
        let target = target();
        let now = Instant::now();
        assert!(target.looked(now, Look::Nobody("refused".into()), &check()));
        assert_eq!(target.fitness(now, never), Fitness::Dead);
        assert_eq!(target.stats().last_failure.as_deref(), Some("refused"));
    }

    #[test]
    fn three_connect_failures_in_a_row_leave_a_target_out_for_a_while() {
        let target = target();
        let now = Instant::now();
        let eject = Duration::from_secs(5);
        target.looked(now, Look::Good, &check());
        for reconnects in [true, false] {
            target.connect_failed(now, eject, "refused");
            target.connect_failed(now, eject, "refused");
            if reconnects {
                target.connected();
            }
            assert_eq!(target.fitness(now, never), Fitness::Up);
        }
        target.connect_failed(now, eject, "refused");
        assert_eq!(target.fitness(now, never), Fitness::Dead);
        assert_eq!(target.fitness(now + eject, never), Fitness::Up);
    }

    /// So many of a hundred thousand requests, drawn evenly, for which it stood among the others.
    fn asked(target: &TargetState, now: Instant) -> u32 {
        let draws = (0..100_000_u64).map(|n| target.fitness(now, |below| n * below / 100_000));
        u32::try_from(draws.filter(|f| *f == Fitness::Up).count()).unwrap()
    }

    proptest! {
        #[test]
        fn the_share_of_one_that_came_up_grows_with_time_and_is_whole_in_the_end(
            warms_for in 1_u32..60_000,
            times in prop::collection::vec(0_u32..=1000, 1..6),
        ) {
            let target = target();
            let now = Instant::now();
            target.warms_for(warms_for);
            target.looked(now, Look::Good, &check());
            let mut times = times;
            times.sort_unstable();
            for thousandth in times {
                let passed = Duration::from_millis(u64::from(warms_for) * u64::from(thousandth) / 1000);
                let seen = i64::from(asked(&target, now + passed));
                let expected = i64::try_from(passed.as_millis()).unwrap() * 100_000 / i64::from(warms_for);
                let exact_to = 1 + 200_000 / i64::from(warms_for);
                prop_assert!((seen - expected).abs() <= exact_to, "{seen} for {expected}");
            }
            let later = now + Duration::from_millis(warms_for.into());
            prop_assert_eq!(target.fitness(later, never), Fitness::Up);
            // It falls out, and begins anew when it is back.
            for _ in 0..3 {
                target.connect_failed(later, Duration::from_secs(5), "refused");
            }
            prop_assert_eq!(target.fitness(later, never), Fitness::Dead);
            prop_assert!(target.readmit(later));
            prop_assert!(asked(&target, later) <= 200_000 / warms_for);
        }
    }
}
