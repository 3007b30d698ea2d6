//! What one release of one service served: counted by each worker for itself, summed when
//! asked. Counts only grow while the proxy runs, also when the pool leaves the table.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::clients::Clients;
use crate::latency::{self, Latency};
use crate::stats::{Bad, PoolStats, Second};

/// How many seconds are kept, the running one included.
const SECONDS: usize = 16;
/// How many different clients of a second are told apart.
const CLIENTS: usize = 64;
/// Seconds in which a client is bad once.
const ONCE_S: u64 = 10;
/// Seconds in which a client is one of the bad clients once.
const HOUR_S: u64 = 3_600;
/// Who waited so long for an answer did not leave because of something else.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered to the end, below 500.
    Good,
    /// Answered 5xx, or not to the end through no fault of the client.
    Failed,
    /// Broken off by the client in the middle of its answer.
    Abandoned,
    /// Broken off by the client, who had waited so long for an answer.
    GivenUp(Duration),
}

impl Outcome {
    /// As the access log says it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Failed => "failed",
            Self::Abandoned | Self::GivenUp(_) => "abandoned",
        }
    }

    /// Whether it is a failure to whoever judges the release; none where nothing can be said.
    fn is_failure(self) -> Option<bool> {
        match self {
            Self::Good | Self::Abandoned => Some(false),
            Self::Failed => Some(true),
            Self::GivenUp(waited) => (waited >= PATIENCE).then_some(true),
        }
    }
}

/// How long its answer let wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Not for long, or there was none.
    Quick,
    /// It was slow.
    Slow,
    /// It was very slow.
    VerySlow,
}

/// The counts of a pool.
#[derive(Debug)]
pub(crate) struct Counters {
    service: String,
    release: String,
    /// Who was judged by within the second.
    tried: Clients,
    /// Who was counted as failed, slow and very slow within ten seconds.
    counted: [Clients; 3],
    /// Who was within the hour.
    known: [Clients; 3],
    shards: Box<[Shard]>,
}

#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    begun: AtomicU64,
    served: AtomicU64,
    failed: AtomicU64,
    abandoned: AtomicU64,
    bad: [AtomicU64; 3],
    bad_clients: [AtomicU64; 3],
    left_out: [AtomicU64; 3],
    retried: AtomicU64,
    held: AtomicU64,
    shielded: AtomicU64,
    previewed: AtomicU64,
    slowest_us: AtomicU64,
    latency: Latency,
    seconds: [Slot; SECONDS],
}

/// One second of one worker. Its number is one above the second, so that nought is none.
#[derive(Debug)]
struct Slot {
    number: AtomicU64,
    served: AtomicU64,
    failed: AtomicU64,
    known: AtomicU32,
    clients: [AtomicU64; CLIENTS],
}

impl Counters {
    pub(crate) fn new(service: &str, release: &str, workers: usize) -> Self {
        Self {
            service: service.to_owned(),
            release: release.to_owned(),
            tried: Clients::within(1),
            counted: std::array::from_fn(|_| Clients::within(ONCE_S)),
            known: std::array::from_fn(|_| Clients::within(HOUR_S)),
            shards: (0..workers.max(1)).map(|_| Shard::new()).collect(),
        }
    }

    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    pub(crate) fn release(&self) -> &str {
        &self.release
    }

    /// A request chose this pool.
    pub(crate) fn begin(&self, worker: usize) {
        self.shard(worker).begun.fetch_add(1, Ordering::Relaxed);
    }

    /// A request left the pool before anything was sent, and waits for another chance.
    pub(crate) fn withdraw(&self, worker: usize) {
        self.shard(worker).begun.fetch_sub(1, Ordering::Relaxed);
    }

    /// A further try.
    pub(crate) fn retried(&self, worker: usize) {
        self.shard(worker).retried.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that had waited reached this pool.
    pub(crate) fn held(&self, worker: usize) {
        self.shard(worker).held.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that failed here was answered by another pool.
    pub(crate) fn shielded(&self, worker: usize) {
        self.shard(worker).shielded.fetch_add(1, Ordering::Relaxed);
    }

    /// A tester's request ended: that is all that is said of it.
    pub(crate) fn previewed(&self, worker: usize) {
        self.shard(worker).previewed.fetch_add(1, Ordering::Relaxed);
    }

    /// The first byte of an answer came.
    pub(crate) fn answered(&self, worker: usize, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let shard = self.shard(worker);
        shard.latency.record(micros);
        if micros > shard.slowest_us.load(Ordering::Relaxed) {
            shard.slowest_us.store(micros, Ordering::Relaxed);
        }
    }

    /// A request ended in the second `at`; `client` tells clients apart.
    pub(crate) fn end(
        &self,
        worker: usize,
        at: u64,
        (outcome, pace): (Outcome, Pace),
        client: u64,
    ) {
        let shard = self.shard(worker);
        let slot = shard.slot(at);
        shard.served.fetch_add(1, Ordering::Relaxed);
        slot.served.fetch_add(1, Ordering::Relaxed);
        if matches!(outcome, Outcome::Abandoned | Outcome::GivenUp(_)) {
            shard.abandoned.fetch_add(1, Ordering::Relaxed);
        }
        if outcome == Outcome::Failed {
            shard.failed.fetch_add(1, Ordering::Relaxed);
            slot.failed.fetch_add(1, Ordering::Relaxed);
            slot.know(client);
        }
        self.judge(shard, at, (outcome, pace), client);
    }

    /// Counts for whoever judges the release. A client is asked once within a second, so that
    /// few who ask very often do not count for all: it is bad where anything in that second was,
    /// and once within ten seconds for each kind. What is left out says nothing: the rest of the
    /// second, and where nobody knows what would have come.
    fn judge(&self, shard: &Shard, at: u64, (outcome, pace): (Outcome, Pace), client: u64) {
        let is_tried = !self.tried.is_new(at, client);
        let was_answered = !matches!(outcome, Outcome::GivenUp(_));
        // Who left sooner would perhaps have been answered in time.
        let is_slow = |is: bool| (is || was_answered).then_some(is);
        let is_bad = [
            outcome.is_failure(),
            is_slow(pace != Pace::Quick),
            is_slow(pace == Pace::VerySlow),
        ];
        for (kind, is_bad) in is_bad.into_iter().enumerate() {
            if is_tried || is_bad.is_none() {
                shard.left_out[kind].fetch_add(1, Ordering::Relaxed);
            }
            if is_bad == Some(true) && self.counted[kind].is_new(at, client) {
                shard.bad[kind].fetch_add(1, Ordering::Relaxed);
            }
            if is_bad == Some(true) && self.known[kind].is_new(at, client) {
                shard.bad_clients[kind].fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What was counted until the second `now`; the targets are somebody else's to add.
    pub(crate) fn stats(&self, now: u64) -> PoolStats {
        let mut latency = latency::empty();
        let mut stats = PoolStats {
            service: self.service.clone(),
            release: self.release.clone(),
            ..PoolStats::default()
        };
        let mut begun = 0;
        let mut bad_clients = Bad::default();
        for shard in &self.shards {
            // A part before its whole, so that it is never seen larger.
            stats.shielded += shard.shielded.load(Ordering::Acquire);
            bad_clients.add(&shard.bad_clients);
            stats.bad.get_or_insert_default().add(&shard.bad);
            stats.left_out.add(&shard.left_out);
            // Ended before begun, so that what is in flight is never seen below nought.
            stats.served += shard.served.load(Ordering::Acquire);
            stats.failed += shard.failed.load(Ordering::Acquire);
            stats.abandoned += shard.abandoned.load(Ordering::Relaxed);
            stats.retried += shard.retried.load(Ordering::Relaxed);
            stats.held += shard.held.load(Ordering::Relaxed);
            stats.previewed += shard.previewed.load(Ordering::Acquire);
            stats.slowest_us = stats
                .slowest_us
                .max(shard.slowest_us.load(Ordering::Relaxed));
            begun += shard.begun.load(Ordering::Acquire);
            shard.latency.add_to(&mut latency);
        }
        stats.bad_clients = Some(bad_clients);
        stats.in_flight = begun.saturating_sub(stats.served + stats.previewed);
        stats.latency = latency::listed(&latency);
        let oldest = now.saturating_sub(SECONDS as u64 - 2);
        stats.seconds = (oldest..=now).filter_map(|at| self.second(at)).collect();
        stats
    }

    fn second(&self, at: u64) -> Option<Second> {
        let mut second = Second {
            at,
            ..Second::default()
        };
        let mut clients = BTreeSet::new();
        for shard in &self.shards {
            shard.peek(at).add_to(at, &mut second, &mut clients);
        }
        second.failed_clients = u32::try_from(clients.len().min(CLIENTS)).unwrap_or(u32::MAX);
        (second.served > 0).then_some(second)
    }

    fn shard(&self, worker: usize) -> &Shard {
        &self.shards[worker % self.shards.len()]
    }
}

impl Bad {
    fn add(&mut self, counts: &[AtomicU64; 3]) {
        let [failed, slow, very_slow] = counts.each_ref().map(|n| n.load(Ordering::Acquire));
        self.failed += failed;
        self.slow += slow;
        self.very_slow += very_slow;
    }
}

impl Shard {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            begun: zero(),
            served: zero(),
            failed: zero(),
            abandoned: zero(),
            bad: [zero(), zero(), zero()],
            bad_clients: [zero(), zero(), zero()],
            left_out: [zero(), zero(), zero()],
            retried: zero(),
            held: zero(),
            shielded: zero(),
            previewed: zero(),
            slowest_us: zero(),
            latency: Latency::new(),
            seconds: std::array::from_fn(|_| Slot::new()),
        }
    }

    fn peek(&self, at: u64) -> &Slot {
        &self.seconds[usize::try_from(at).unwrap_or(0) % SECONDS]
    }

    /// The slot of this second, emptied when it still holds an older one. Only the worker
    /// that owns the shard comes here.
    fn slot(&self, at: u64) -> &Slot {
        let slot = self.peek(at);
        if slot.number.load(Ordering::Relaxed) != at + 1 {
            slot.number.store(0, Ordering::Release);
            slot.served.store(0, Ordering::Relaxed);
            slot.failed.store(0, Ordering::Relaxed);
            slot.known.store(0, Ordering::Relaxed);
            slot.number.store(at + 1, Ordering::Release);
        }
        slot
    }
}

impl Slot {
    fn new() -> Self {
        Self {
            number: AtomicU64::new(0),
            served: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            known: AtomicU32::new(0),
            clients: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    fn know(&self, client: u64) {
        let known = self.known.load(Ordering::Relaxed) as usize;
        let known = known.min(CLIENTS);
        let is_new = !self.clients[..known]
            .iter()
            .any(|c| c.load(Ordering::Relaxed) == client);
        if is_new && known < CLIENTS {
            self.clients[known].store(client, Ordering::Relaxed);
            self.known.fetch_add(1, Ordering::Release);
        }
    }

    fn add_to(&self, at: u64, second: &mut Second, clients: &mut BTreeSet<u64>) {
        if self.number.load(Ordering::Acquire) != at + 1 {
            return;
        }
        second.served += self.served.load(Ordering::Relaxed);
        second.failed += self.failed.load(Ordering::Relaxed);
        let known = (self.known.load(Ordering::Acquire) as usize).min(CLIENTS);
        clients.extend(
            self.clients[..known]
                .iter()
                .map(|c| c.load(Ordering::Relaxed)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_add_up_and_clients_count_once() {
        let counters = Counters::new("web", "r1", 2);
        for (worker, outcome, client) in [
            (0, Outcome::Good, 1),
            (0, Outcome::Failed, 7),
            (1, Outcome::Failed, 7),
            (1, Outcome::Failed, 8),
            (1, Outcome::Abandoned, 9),
        ] {
            counters.begin(worker);
            counters.end(worker, 3, (outcome, Pace::Quick), client);
        }
        counters.begin(0);
        let stats = counters.stats(3);
        assert_eq!((stats.served, stats.failed, stats.abandoned), (5, 3, 1));
        assert_eq!(stats.in_flight, 1);
        assert_eq!(
            stats.seconds,
            [Second {
                at: 3,
                served: 5,
                failed: 3,
                failed_clients: 2
            }]
        );
    }

    #[test]
    fn a_client_is_bad_once_for_each_kind_in_ten_seconds() {
        let counters = Counters::new("web", "r1", 2);
        for (worker, at, outcome, pace, client) in [
            (0, 1, Outcome::Failed, Pace::Quick, 7),
            (1, 9, Outcome::Failed, Pace::VerySlow, 7),
            (0, 9, Outcome::Good, Pace::Slow, 7),
            (0, 9, Outcome::Good, Pace::Slow, 8),
            (0, 10, Outcome::Failed, Pace::Quick, 7),
        ] {
            counters.end(worker, at, (outcome, pace), client);
        }
        let stats = counters.stats(10);
        let bad = Bad {
            failed: 2,
            slow: 2,
            very_slow: 1,
        };
        assert_eq!((stats.served, stats.failed, stats.bad), (5, 3, Some(bad)));
        let again = Bad {
            failed: 1,
            slow: 1,
            very_slow: 1,
        };
        assert_eq!(stats.left_out, again, "twice in a second");
        let clients = Bad {
            failed: 1,
            slow: 2,
            very_slow: 1,
        };
        assert_eq!(stats.bad_clients, Some(clients), "one of them came again");
    }

    #[test]
    fn a_second_in_which_anything_was_bad_is_bad() {
        let counters = Counters::new("web", "r1", 1);
        for outcome in [
            Outcome::Good,
            Outcome::Failed,
            Outcome::Failed,
            Outcome::Good,
        ] {
            counters.end(0, 1, (outcome, Pace::Quick), 7);
        }
        let stats = counters.stats(1);
        let failed = (stats.bad.unwrap().failed, stats.left_out.failed);
        assert_eq!((stats.served, failed), (4, (1, 3)));
    }

    #[test]
    fn who_gives_up_soon_says_nothing_and_who_waited_five_seconds_was_failed() {
        let judged = |outcome, pace| {
            let counters = Counters::new("web", "r1", 1);
            counters.end(0, 1, (outcome, pace), 7);
            let stats = counters.stats(1);
            assert_eq!((stats.served, stats.failed, stats.abandoned), (1, 0, 1));
            let of = |b: Bad| [b.failed, b.slow, b.very_slow];
            (of(stats.bad.unwrap()), of(stats.left_out))
        };
        let given_up = |seconds| Outcome::GivenUp(Duration::from_secs(seconds));
        assert_eq!(judged(Outcome::Abandoned, Pace::Quick), ([0; 3], [0; 3]));
        assert_eq!(judged(given_up(4), Pace::Quick), ([0; 3], [1; 3]));
        assert_eq!(judged(given_up(4), Pace::Slow), ([0, 1, 0], [1, 0, 1]));
        assert_eq!(judged(given_up(5), Pace::Quick), ([1, 0, 0], [0, 1, 1]));
        assert_eq!(judged(given_up(5), Pace::VerySlow), ([1, 1, 1], [0; 3]));
    }

    #[test]
    fn testers_are_counted_apart() {
        let counters = Counters::new("web", "r1", 1);
        counters.begin(0);
        counters.previewed(0);
        let stats = counters.stats(0);
        assert_eq!((stats.previewed, stats.served, stats.in_flight), (1, 0, 0));
    }

    #[test]
    fn fifteen_seconds_are_kept_oldest_first() {
        let counters = Counters::new("web", "r1", 1);
        for at in 0..100 {
            counters.end(0, at, (Outcome::Good, Pace::Quick), 0);
        }
        let seconds: Vec<_> = counters.stats(99).seconds.iter().map(|s| s.at).collect();
        assert_eq!(seconds, (85..100).collect::<Vec<_>>());
    }

    #[test]
    fn failed_clients_are_counted_up_to_64() {
        let counters = Counters::new("web", "r1", 1);
        for client in 0..500 {
            counters.end(0, 1, (Outcome::Failed, Pace::Quick), client);
        }
        assert_eq!(counters.stats(1).seconds[0].failed_clients, 64);
    }
}
