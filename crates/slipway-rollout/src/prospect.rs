//! What rolling a service back would be at this moment: by which way, how fast, at what loss,
//! and what stands in its way. Pure over the journal's book and a look at the world; changes
//! nothing. The engine goes the very way that is told here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use slipway_journal::event::rollout::{RolloutState, Step};
use slipway_journal::{InstanceId, ReleaseId, ServiceName};

use crate::book::{Book, Record};
use crate::strategy;

/// As many of the latest changes of routes are asked how long one takes.
const CHANGES: usize = 10;

/// What is so now, beside the journal. Whoever looks fills it; nothing in it is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// Whether control answers: without it nobody carries an order out.
    pub control: bool,
    /// Whether the proxy answers: without it no table is published.
    pub proxy: bool,
    /// The instances whose very processes run.
    pub alive: BTreeSet<InstanceId>,
    /// Of them those that the proxy finds well.
    pub up: BTreeSet<InstanceId>,
    /// Requests under way on the live release.
    pub in_flight: u64,
    /// Requests a second that the live release gets.
    pub rate: u64,
    /// Why releases could not be started again, for those that could not.
    pub unfit: BTreeMap<ReleaseId, String>,
    /// The services that stand on this one.
    pub followers: BTreeSet<ServiceName>,
    /// For how long pages keep their release, where they do.
    pub pages: Option<Duration>,
}

/// How a rollback goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The new release has no visitors yet: its rollout is called off.
    CallOff,
    /// The old release is warm: one change of routes.
    Warm,
    /// The old release is stopped: a rollout of its own.
    Slow,
    /// There is nothing to go back to.
    Impossible,
}

/// What a rollback would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prospect {
    /// Of which service.
    pub service: ServiceName,
    /// Whether it could be done now.
    pub can: bool,
    /// How it would go.
    pub kind: Kind,
    /// The release that would be left.
    pub from: Option<ReleaseId>,
    /// The release that visitors would reach.
    pub to: Option<ReleaseId>,
    /// All of it in a sentence.
    pub words: String,
    /// How long it would take.
    pub speed: Option<Speed>,
    /// What it would cost, a sentence each.
    pub loss: Vec<String>,
    /// What stands in its way; empty where it can be done.
    pub obstacles: Vec<Obstacle>,
}

/// How long something would take, by what was measured here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Speed {
    /// Microseconds; the slowest of what was measured. None where nothing was yet.
    pub expected_us: Option<u64>,
    /// How many measurements that rests on.
    pub measured: usize,
    /// In words.
    pub words: String,
}

/// Something in the way, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// What.
    pub what: String,
    /// What to do about it.
    pub next: String,
}

/// The way that a rollback goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way<'a> {
    /// Calls this rollout off.
    CallOff(&'a Record),
    /// Takes this rollout's traffic away.
    Switch(&'a Record),
    /// Rolls the second one's release out again in place of the first.
    Redeploy(&'a Record, &'a Record),
    /// Nowhere; the rollout whose release is live, where there is one.
    Nowhere(Option<&'a Record>),
}

/// The way that a rollback of `service` goes now.
pub(crate) fn way<'a>(book: &'a Book, service: &'a ServiceName) -> Way<'a> {
    let mut of_service = book.of_service(service);
    let coming = of_service.find(|r| r.is_before_traffic() && r.stage != RolloutState::Queued);
    if let Some(coming) = coming {
        return Way::CallOff(coming);
    }
    let is_halted = |r: &Record| matches!(r.stage, RolloutState::Halted { .. });
    let moving = book
        .of_service(service)
        .filter(|r| r.has_traffic() && (!r.stage.is_end() || is_halted(r)))
        .last();
    if let Some(moving) = moving.filter(|r| strategy::is_warm(book, r)) {
        return Way::Switch(moving);
    }
    let live = book.live_of(service);
    let previous = live.and_then(|live| Some((live, book.rollouts.get(&live.previous?)?)));
    match previous {
        Some((live, previous)) => Way::Redeploy(live, previous),
        None => Way::Nowhere(live),
    }
}

/// What a rollback of `service` would be.
pub fn prospect(book: &Book, service: &ServiceName, world: &World) -> Prospect {
    let view = View { book, world };
    let mut prospect = match way(book, service) {
        Way::CallOff(coming) => view.call_off(coming),
        Way::Switch(moving) => view.switch(moving),
        Way::Redeploy(live, previous) => view.redeploy(live, previous),
        Way::Nowhere(live) => nowhere(service, live),
    };
    if prospect.kind != Kind::Impossible {
        prospect.obstacles.extend(silent(world));
    }
    prospect.can = prospect.obstacles.is_empty();
    prospect
}

#[derive(Clone, Copy)]
struct View<'a> {
    book: &'a Book,
    world: &'a World,
}

impl View<'_> {
    fn call_off(self, coming: &Record) -> Prospect {
        let live = self
            .book
            .live_of(&coming.service)
            .map(|r| r.release.clone());
        let stays = live.as_ref().map_or_else(
            || "nothing was live before".to_owned(),
            |live| format!("they stay on {}", live.short()),
        );
        Prospect {
            words: format!(
                "at once: the rollout of {} is called off; no visitor is on it, {stays}",
                coming.release.short()
            ),
            from: Some(coming.release.clone()),
            to: live,
            ..blank(&coming.service, Kind::CallOff)
        }
    }

    fn switch(self, moving: &Record) -> Prospect {
        let previous = moving.previous.and_then(|id| self.book.rollouts.get(&id));
        let to = previous.map(|r| r.release.clone());
        let to_words = to
            .as_ref()
            .map_or("the old release", |r| r.short())
            .to_owned();
        let speed = self.change_of_routes(&moving.service);
        let mut prospect = Prospect {
            words: format!(
                "at once: one change of routes, {to_words} is warm; {}",
                speed.words
            ),
            from: Some(moving.release.clone()),
            speed: Some(speed),
            to,
            ..blank(&moving.service, Kind::Warm)
        };
        prospect.loss = self.loss_of_switch(moving);
        let Some(previous) = previous else {
            return prospect;
        };
        let known = self.book.serving_of(previous.id);
        let known: Vec<InstanceId> = known.map(|i| i.id).collect();
        let well = known
            .iter()
            .filter(|id| self.world.up.contains(*id))
            .count();
        let alive = known
            .iter()
            .filter(|id| self.world.alive.contains(*id))
            .count();
        if alive == 0 {
            prospect.obstacles.push(Obstacle {
                what: format!("no instance of {to_words} runs any more"),
                next: "control starts them again by itself; ask once more in a few seconds"
                    .to_owned(),
            });
        } else if self.world.proxy && well < known.len() {
            prospect.loss.push(format!(
                "{well} of {} instances of {to_words} are well: less capacity until control has started the others again",
                known.len()
            ));
        }
        match strategy::taken(self.book, previous) {
            0 => {}
            gone => prospect.loss.push(format!(
                "{gone} of the instances of {to_words} were stopped for {}: less capacity until control has started them again",
                moving.release.short()
            )),
        }
        prospect
    }

    fn loss_of_switch(self, moving: &Record) -> Vec<String> {
        let from = moving.release.short();
        let mut loss = vec![match self.world.in_flight {
            0 => format!("no request: none is under way on {from}"),
            n => format!("no request: the {n} under way on {from} are finished there"),
        }];
        loss.extend(schema(moving));
        loss.extend(self.pages(from));
        loss.extend(self.followers(moving));
        loss.push(format!(
            "{from} is quarantined: it comes again with --force only"
        ));
        loss
    }

    /// What is loaded from a release that is taken back does not keep it.
    fn pages(self, from: &str) -> Option<String> {
        self.world.pages.map(|_| {
            format!(
                "pages that were loaded from {from} get the rest from the release that comes back"
            )
        })
    }

    /// The releases that were brought in since and stand on the one that would be left.
    fn followers(self, left: &Record) -> Vec<String> {
        let live = |service| self.book.live_of(service);
        let later = self.world.followers.iter().filter_map(live);
        let later = later.filter(|r| r.asked_at > left.asked_at);
        let words = |r: &Record| {
            format!(
                "{} of {} came after it and stands on it: it stays, beside the older {}",
                r.release.short(),
                r.service,
                left.service
            )
        };
        later.map(words).collect()
    }

    fn redeploy(self, live: &Record, previous: &Record) -> Prospect {
        let (from, to) = (live.release.short(), previous.release.short());
        let speed = coming_up(previous);
        let mut prospect = Prospect {
            words: format!(
                "slow: {to} is stopped and would be started, checked and switched to like a new release; {}",
                speed.words
            ),
            from: Some(live.release.clone()),
            to: Some(previous.release.clone()),
            ..blank(&live.service, Kind::Slow)
        };
        let until = speed.expected_us.map_or_else(
            || format!("visitors stay on {from} until then"),
            |us| {
                let requests = self.world.rate.saturating_mul(us) / 1_000_000;
                format!(
                    "visitors stay on {from} until then: about {requests} requests at the {} a second that come now",
                    self.world.rate
                )
            },
        );
        prospect.loss.push(until);
        prospect.loss.extend(schema(live));
        prospect.loss.extend(self.followers(live));
        prospect.speed = Some(speed);
        if let Some(why) = self.world.unfit.get(&previous.release) {
            prospect.obstacles.push(Obstacle {
                what: why.clone(),
                next: format!(
                    "make {to} again from its commit with `slipway run`, or deploy another release"
                ),
            });
        }
        prospect
    }

    /// How long changes of routes took here lately: back and forth are the same.
    fn change_of_routes(self, service: &ServiceName) -> Speed {
        let mut took: Vec<_> = self
            .book
            .of_service(service)
            .flat_map(|r| &r.steps)
            .filter(|s| matches!(s.step, Step::Shift { .. } | Step::Restore { .. }) && s.held())
            .filter_map(|s| s.done.as_ref())
            .filter_map(|seen| Some((seen.at, seen.took_us?)))
            .collect();
        took.sort_unstable();
        let latest: Vec<u64> = took.iter().rev().take(CHANGES).map(|(_, us)| *us).collect();
        let words = match latest.iter().max() {
            Some(us) => format!(
                "the slowest of the last {} here took {}",
                latest.len(),
                milliseconds(*us)
            ),
            None => "none was measured here yet".to_owned(),
        };
        Speed {
            expected_us: latest.iter().max().copied(),
            measured: latest.len(),
            words,
        }
    }
}

/// From being asked for to visitors, when it came the last time.
fn coming_up(previous: &Record) -> Speed {
    let shift = previous.last(|s| matches!(s, Step::Shift { .. }));
    let took = shift
        .and_then(|s| s.done.as_ref())
        .and_then(|seen| Duration::try_from(seen.at.duration_since(previous.asked_at)).ok())
        .and_then(|took| u64::try_from(took.as_micros()).ok());
    Speed {
        expected_us: took,
        measured: usize::from(took.is_some()),
        words: match took {
            Some(us) => format!("that took {} s last time", (us / 1_000_000).max(1)),
            None => "how long that takes was not measured yet".to_owned(),
        },
    }
}

/// What a release did to the schema is not undone.
fn schema(record: &Record) -> Option<String> {
    record.did(|s| matches!(s, Step::Expand)).then(|| {
        format!(
            "nothing that was written: the schema stays as {} expanded it, and both releases can work with it",
            record.release.short()
        )
    })
}

fn nowhere(service: &ServiceName, live: Option<&Record>) -> Prospect {
    let (words, next) = match live {
        Some(live) => (
            format!(
                "{} is the first release of {service} here",
                live.release.short()
            ),
            "correct it, and `slipway ship`",
        ),
        None => (
            format!("no release of {service} is live"),
            "`slipway ship` makes one and deploys it",
        ),
    };
    Prospect {
        from: live.map(|r| r.release.clone()),
        obstacles: vec![Obstacle {
            what: words.clone(),
            next: next.to_owned(),
        }],
        words,
        ..blank(service, Kind::Impossible)
    }
}

/// Whoever would have to do it does not answer.
fn silent(world: &World) -> Vec<Obstacle> {
    let mut silent = Vec::new();
    if !world.control {
        silent.push(Obstacle {
            what: "control does not answer, so nobody carries it out".to_owned(),
            next: "`slipway up` starts it; the keeper starts it again by itself".to_owned(),
        });
    }
    if !world.proxy {
        silent.push(Obstacle {
            what: "the proxy does not answer, so no route can change".to_owned(),
            next: "`slipway up` starts it; the keeper starts it again by itself".to_owned(),
        });
    }
    silent
}

fn blank(service: &ServiceName, kind: Kind) -> Prospect {
    Prospect {
        service: service.clone(),
        can: false,
        kind,
        from: None,
        to: None,
        words: String::new(),
        speed: None,
        loss: Vec::new(),
        obstacles: Vec::new(),
    }
}

fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}
