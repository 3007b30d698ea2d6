//! The visitors of the simulated world: they come as time goes by, whatever happens, and count
//! for themselves what became of each request.

use std::collections::BTreeMap;
use std::time::Duration;

use chassis::Random;
use slipway_proxy::{Route, Target};

use crate::tests::machine::{Machine, Mood};
use crate::tests::plane::{Flight, Plane};

/// Different people.
const PEOPLE: u64 = 300;
/// The proxy waits so long for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What visitors saw, by service and by the release that answered; none where nobody did.
pub(crate) type Seen = BTreeMap<(String, Option<String>), Count>;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) served: u64,
    pub(crate) failed: u64,
}

#[derive(Debug)]
pub(crate) struct Crowd {
    /// Requests a second, for each service.
    pub(crate) rate: u64,
    /// How many of a hundred take seconds.
    pub(crate) lasting: u64,
    pub(crate) seen: Seen,
    random: Random,
    /// Requests that are due, in microseconds of the rate.
    due: u64,
    /// Who knocks while the proxy is gone.
    waiting: Vec<(String, u64)>,
}

impl Crowd {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rate: 100,
            lasting: 0,
            seen: Seen::new(),
            random: Random::seeded(seed),
            due: 0,
            waiting: Vec::new(),
        }
    }

    pub(crate) fn count(&mut self, service: &str, release: Option<&str>, failed: bool) {
        let key = (service.to_owned(), release.map(str::to_owned));
        let count = self.seen.entry(key).or_default();
        count.served += 1;
        count.failed += u64::from(failed);
    }

    /// Everybody who comes within `span`, and everybody who has waited for the proxy.
    pub(crate) fn come(
        &mut self,
        plane: &mut Plane,
        machine: &Machine,
        span: Duration,
        now: Duration,
    ) {
        self.due += u64::try_from(span.as_micros()).unwrap_or(0) * self.rate;
        let requests = self.due / 1_000_000;
        self.due %= 1_000_000;
        let services: Vec<String> = plane.table.routes.keys().cloned().collect();
        for service in services {
            for _ in 0..requests {
                let client = self.random.below(PEOPLE);
                self.waiting.push((service.clone(), client));
            }
        }
        if plane.is_up {
            for (service, client) in std::mem::take(&mut self.waiting) {
                self.ask(plane, machine, (&service, client), now);
            }
        }
    }

    fn ask(
        &mut self,
        plane: &mut Plane,
        machine: &Machine,
        (service, client): (&str, u64),
        now: Duration,
    ) {
        let Some(route) = plane.table.routes.get(service) else {
            return;
        };
        if route.hold {
            self.waiting.push((service.to_owned(), client));
            return;
        }
        let Some(pool) = route.pools.get(pool_of(route, client)) else {
            return;
        };
        let mut targets: Vec<Target> = pool.targets.clone();
        let turn = usize::try_from(self.random.below(targets.len() as u64)).unwrap_or(0);
        targets.rotate_left(turn);
        // Those that are down come last, and one try is followed by two others at most.
        targets.sort_by_key(|t| plane.is_down(t));
        let answers = |t: &&Target| machine.of(t).is_some_and(|p| p.is_ready(now));
        let Some(target) = targets.iter().take(3).find(answers) else {
            plane.reached_nobody(service);
            self.count(service, None, true);
            return;
        };
        let hangs = machine.mood(&pool.release) == Mood::Hangs;
        let lasts = self.random.below(100) < self.lasting;
        let ends = match (hangs, lasts) {
            (true, _) => now + PATIENCE,
            (false, true) => now + Duration::from_millis(1000 + self.random.below(4000)),
            (false, false) => now,
        };
        let flight = Flight {
            service: service.to_owned(),
            release: pool.release.clone(),
            client,
            target: target.clone(),
            generation: plane.table.generation.0,
            began: now,
            ends,
        };
        if ends > now {
            plane.flights.push(flight);
        } else {
            self.end(plane, machine, &flight, now);
        }
    }

    /// Requests whose time has come, or whose instance is gone, end.
    pub(crate) fn land(&mut self, plane: &mut Plane, machine: &Machine, now: Duration) {
        let is_over =
            |f: &Flight| f.ends <= now || machine.of(&f.target).is_none_or(|p| !p.is_alive());
        let (over, on) = std::mem::take(&mut plane.flights)
            .into_iter()
            .partition(is_over);
        plane.flights = on;
        let over: Vec<Flight> = over;
        for flight in over {
            self.end(plane, machine, &flight, now);
        }
    }

    fn end(&mut self, plane: &mut Plane, machine: &Machine, flight: &Flight, now: Duration) {
        let is_gone = machine.of(&flight.target).is_none_or(|p| !p.is_alive());
        let mood = machine.mood(&flight.release);
        let failed = is_gone || self.random.below(100) < mood.failing();
        plane.count(flight, failed, mood == Mood::Slow, now);
        self.count(&flight.service, Some(&flight.release), failed);
    }

    /// The proxy died with these requests in it.
    pub(crate) fn lose(&mut self, flights: &[Flight]) {
        for flight in flights {
            self.count(&flight.service, None, true);
        }
    }
}

/// Who is in at one share is in at every higher one of the same epoch.
fn pool_of(route: &Route, client: u64) -> &str {
    let Some(split) = &route.split else {
        return &route.live;
    };
    let place = (client ^ split.epoch).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    if place % 10_000 < u64::from(split.weight) {
        &split.pool
    } else {
        &route.live
    }
}
