//! What one release of one service served: counted by each worker for itself, summed when
//! asked. Counts only grow while the proxy runs, also when the pool leaves the table.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::clients::{self, Clients};
use crate::latency::{self, Latency};
use crate::stats::{Bad, PoolStats, Second};

/// How many seconds are kept, the running one included.
const SECONDS: usize = 16;
/// How many different clients of a second are told apart.
const CLIENTS: usize = 64;
/// Seconds in which a client is judged by once for each kind of question.
const ONCE_S: u64 = 10;
/// Seconds in which a client is one of the bad clients once.
const KNOWN_S: u64 = 600;
/// Kinds of questions of clients that are told apart within ten seconds: 256 KiB.
const TRIED: usize = 32 * 1024;
/// Clients with something bad that are.
const BAD: usize = 4 * 1024;
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
    /// By whom, and by what kind of question of theirs, was judged within ten seconds.
    tried: Clients,
    /// Who was bad within them.
    offended: Clients,
    /// Who was within ten minutes.
    known: Clients,
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
            tried: Clients::within(ONCE_S, TRIED),
            offended: Clients::within(ONCE_S, BAD),
            known: Clients::within(KNOWN_S, BAD),
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

    /// A request ended in the second `at`; `client` tells clients apart, `asked` what they asked.
    pub(crate) fn end(
        &self,
        worker: usize,
        at: u64,
        (outcome, pace): (Outcome, Pace),
        (client, asked): (u64, u64),
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
        self.judge(shard, at, (outcome, pace), (client, asked));
    }

    /// Counts for whoever judges the release. A client is judged by once within ten seconds for
    /// each kind of question, by the first answer that says something, and as bad once for all of
    /// them: few who ask very often count neither for all nor against all, and a page that is fine
    /// hides no failing call of an API. All else is left out.
    fn judge(
        &self,
        shard: &Shard,
        at: u64,
        (outcome, pace): (Outcome, Pace),
        (client, asked): (u64, u64),
    ) {
        let was_answered = !matches!(outcome, Outcome::GivenUp(_));
        // Who left sooner would perhaps have been answered in time.
        let is_slow = |is: bool| (is || was_answered).then_some(is);
        let is_bad = [
            outcome.is_failure(),
            is_slow(pace != Pace::Quick),
            is_slow(pace == Pace::VerySlow),
        ];
        let told = marks(is_bad.map(|bad| bad.is_some()));
        let tried = match told {
            0 => 0,
            told => self.tried.mark(at, clients::unit(client, asked), told),
        };
        let worse = tried & marks(is_bad.map(|bad| bad == Some(true)));
        let bad = match worse {
            0 => 0,
            worse => self.offended.mark(at, client, worse),
        };
        let known = match bad {
            0 => 0,
            bad => self.known.mark(at, client, bad),
        };
        let tried = tried & !(worse & !bad);
        for kind in 0..3 {
            let count = |of: &[AtomicU64; 3]| of[kind].fetch_add(1, Ordering::Relaxed);
            let is = |marks: u8| marks & 1 << kind != 0;
            if !is(tried) {
                count(&shard.left_out);
            }
            if is(bad) {
                count(&shard.bad);
            }
            if is(known) {
                count(&shard.bad_clients);
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

/// One bit for each kind.
fn marks(kinds: [bool; 3]) -> u8 {
    let kinds = kinds.into_iter().enumerate();
    kinds.map(|(kind, is)| u8::from(is) << kind).sum()
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
            counters.end(worker, 3, (outcome, Pace::Quick), (client, 0));
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
    fn a_client_is_judged_by_once_in_ten_seconds_by_the_first_answer() {
        let counters = Counters::new("web", "r1", 2);
        for (worker, at, outcome, pace, client) in [
            (0, 1, Outcome::Failed, Pace::Quick, 7),
            (1, 9, Outcome::Failed, Pace::VerySlow, 7),
            (0, 9, Outcome::Good, Pace::Slow, 7),
            (0, 9, Outcome::Good, Pace::Slow, 8),
            (0, 10, Outcome::Failed, Pace::Quick, 7),
        ] {
            counters.end(worker, at, (outcome, pace), (client, 0));
        }
        let stats = counters.stats(10);
        let bad = Bad {
            failed: 2,
            slow: 1,
            very_slow: 0,
        };
        assert_eq!((stats.served, stats.failed, stats.bad), (5, 3, Some(bad)));
        let again = Bad {
            failed: 2,
            slow: 2,
            very_slow: 2,
        };
        assert_eq!(stats.left_out, again, "the same one within ten seconds");
        let clients = Bad {
            failed: 1,
            slow: 1,
            very_slow: 0,
        };
        assert_eq!(stats.bad_clients, Some(clients), "one of them came again");
    }

    #[test]
    fn whatever_fails_for_one_client_is_bad_once_in_ten_seconds() {
        let counters = Counters::new("web", "r1", 1);
        for at in 0..100 {
            let asked = clients::asked("GET", &format!("/{at}"));
            counters.end(0, at / 5, (Outcome::Failed, Pace::Quick), (7, asked));
        }
        let stats = counters.stats(19);
        let told = stats.served - stats.left_out.failed;
        assert_eq!((told, stats.bad.unwrap().failed), (2, 2));
        assert_eq!(stats.bad_clients.unwrap().failed, 1);
    }

    #[test]
    fn a_client_for_whom_everything_fails_is_bad_whenever_it_is_judged_by() {
        let counters = Counters::new("web", "r1", 1);
        for at in 0..100 {
            counters.end(0, at, (Outcome::Failed, Pace::Quick), (7, 0));
        }
        let stats = counters.stats(99);
        let told = stats.served - stats.left_out.failed;
        assert_eq!((told, stats.bad.unwrap().failed), (10, 10));
    }

    #[test]
    fn a_page_that_is_fine_hides_no_call_that_fails_but_now_and_then() {
        let counters = Counters::new("web", "r1", 1);
        let (page, api) = (clients::asked("GET", "/"), clients::asked("POST", "/api"));
        for client in 0..1_000_u64 {
            let client = client.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            counters.end(0, 1, (Outcome::Good, Pace::Quick), (client, page));
            for asset in 0..30 {
                let asked = clients::asked("GET", &format!("/assets/{asset}.js"));
                counters.end(0, 1, (Outcome::Good, Pace::Quick), (client, asked));
            }
            counters.end(0, 1, (Outcome::Failed, Pace::Quick), (client, api));
        }
        let failed = counters.stats(1).bad.unwrap().failed;
        assert!((840..930).contains(&failed), "{failed}");
    }

    #[test]
    fn of_whom_nothing_was_told_yet_the_next_request_tells() {
        let counters = Counters::new("web", "r1", 1);
        let soon = Outcome::GivenUp(Duration::from_secs(1));
        counters.end(0, 1, (soon, Pace::Quick), (7, 0));
        counters.end(0, 2, (Outcome::Failed, Pace::Quick), (7, 0));
        let stats = counters.stats(2);
        let failed = (stats.bad.unwrap().failed, stats.left_out.failed);
        assert_eq!((stats.served, failed), (2, (1, 1)));
    }

    proptest::proptest! {
        #[test]
        fn never_more_is_bad_than_was_told_and_never_more_told_than_there_are_kinds(
            ends in proptest::collection::vec((0_u64..40, 0_usize..4, 0_usize..3, 0_u64..4), 0..200),
        ) {
            let counters = Counters::new("web", "r1", 1);
            let mut ends = ends;
            ends.sort_unstable();
            for (at, outcome, pace, client) in ends {
                let soon = Outcome::GivenUp(Duration::from_secs(at % 8));
                let outcome = [Outcome::Good, Outcome::Failed, Outcome::Abandoned, soon][outcome];
                let pace = [Pace::Quick, Pace::Slow, Pace::VerySlow][pace];
                counters.end(0, at, (outcome, pace), (client, at));
            }
            let stats = counters.stats(40);
            let of = |b: Bad| [b.failed, b.slow, b.very_slow];
            let (bad, out) = (of(stats.bad.unwrap_or_default()), of(stats.left_out));
            for (bad, out) in bad.into_iter().zip(out) {
                let told = stats.served - out;
                // Four whiles, four clients, sixteen kinds.
                proptest::prop_assert!(bad <= 4 * 4 && bad <= told && told <= 4 * 4 * 16);
            }
        }
    }

    #[test]
    fn who_gives_up_soon_says_nothing_and_who_waited_five_seconds_was_failed() {
        let judged = |outcome, pace| {
            let counters = Counters::new("web", "r1", 1);
            counters.end(0, 1, (outcome, pace), (7, 0));
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
            counters.end(0, at, (Outcome::Good, Pace::Quick), (0, 0));
        }
        let seconds: Vec<_> = counters.stats(99).seconds.iter().map(|s| s.at).collect();
        assert_eq!(seconds, (85..100).collect::<Vec<_>>());
    }

    #[test]
    fn failed_clients_are_counted_up_to_64() {
        let counters = Counters::new("web", "r1", 1);
        for client in 0..500 {
            counters.end(0, 1, (Outcome::Failed, Pace::Quick), (client, 0));
        }
        assert_eq!(counters.stats(1).seconds[0].failed_clients, 64);
    }
}
