//! What a worker counts: tries by kind and outcome, what waits and for how long, what is
//! dead. Labels are names of ours, never anything a visitor typed.

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::store::outbox;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    channel: String,
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Try {
    channel: String,
    kind: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Work {
    name: &'static str,
}

/// The counters of one worker.
pub(crate) struct Tally {
    registry: Registry,
    tries: Family<Try, Counter>,
    depth: Family<Kind, Gauge>,
    oldest: Family<Kind, Gauge>,
    dead: Family<Kind, Gauge>,
    sweeps: Family<Work, Counter>,
    /// Rows that are being handled now.
    pub(crate) in_hand: Gauge,
    /// Ids that were put into Redis.
    pub(crate) queued: Counter,
}

impl Tally {
    pub(crate) fn new(release: &str) -> Self {
        let mut registry = Registry::with_prefix("booking");
        let info = Info::new(vec![("release".to_owned(), release.to_owned())]);
        registry.register("build", "The release that runs", info);
        let mut tally = Self {
            registry,
            tries: Family::default(),
            depth: Family::default(),
            oldest: Family::default(),
            dead: Family::default(),
            sweeps: Family::default(),
            in_hand: Gauge::default(),
            queued: Counter::default(),
        };
        tally.register();
        tally
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let tries = self.tries.clone();
        registry.register(
            "message_tries",
            "Tries to send, by what came of them",
            tries,
        );
        let depth = self.depth.clone();
        registry.register("messages_due", "Messages that are due and not sent", depth);
        let oldest = self.oldest.clone();
        registry.register(
            "messages_oldest_due_seconds",
            "For how long the oldest of them has been due",
            oldest,
        );
        let dead = self.dead.clone();
        registry.register("messages_dead", "Messages that were given up", dead);
        let sweeps = self.sweeps.clone();
        registry.register("sweeps", "Rounds of work that comes again", sweeps);
        let in_hand = self.in_hand.clone();
        registry.register("messages_in_hand", "Messages being handled", in_hand);
        let queued = self.queued.clone();
        registry.register("messages_queued", "Messages put into the queue", queued);
    }

    pub(crate) fn tried(&self, channel: &str, kind: &str, outcome: &'static str) {
        let label = Try {
            channel: channel.to_owned(),
            kind: kind.to_owned(),
            outcome,
        };
        self.tries.get_or_create(&label).inc();
    }

    pub(crate) fn swept(&self, name: &'static str) {
        self.sweeps.get_or_create(&Work { name }).inc();
    }

    /// Shows what the outbox holds.
    pub(crate) fn show(&self, rows: &[outbox::Tally], now: Timestamp) {
        self.depth.clear();
        self.oldest.clear();
        self.dead.clear();
        for row in rows {
            let label = Kind {
                channel: row.channel.clone(),
                kind: row.kind.clone(),
            };
            if row.is_dead {
                self.dead.get_or_create(&label).set(row.rows);
            } else {
                self.depth.get_or_create(&label).set(row.rows);
                let age = outbox::age(row.oldest, now);
                self.oldest.get_or_create(&label).set(age);
            }
        }
    }

    /// The text that Prometheus scrapes.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
