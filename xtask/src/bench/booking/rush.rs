//! Bookings by the API as programs make them, each with a key of its own and a time that
//! nobody else wants.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testkit::visitor::Visitor;
use tokio::task::JoinSet;

use super::load::{SERVICE, World};
use super::peer::Theirs;
use super::{Took, head};

/// A time of a business.
pub(super) type Slot = (String, String);

/// Times that are left to book.
#[derive(Debug)]
pub(super) struct Rush {
    slots: Arc<Vec<Slot>>,
    next: Arc<AtomicUsize>,
}

/// What one round came to.
#[derive(Debug, Default)]
pub(super) struct Ours {
    took: Took,
    conflicts: usize,
    seconds: f64,
}

impl Ours {
    fn per_second(&self) -> f64 {
        let made = self.took.ms.len() - self.took.wrong - self.conflicts;
        f64::from(u32::try_from(made).unwrap_or(u32::MAX)) / self.seconds
    }

    pub(super) fn beside(&self, theirs: &Theirs) -> String {
        let mut text = head("bookings");
        text += &self.took.row("Booking, over HTTP");
        text += &theirs.took.row("its statements, by pgbench");
        let (ours, theirs) = (self.per_second(), theirs.per_second);
        let rates = writeln!(
            text,
            "Booking {ours:.0} a second, {} conflicts; pgbench {theirs:.0} a second; ratio {:.2}",
            self.conflicts,
            ours / theirs
        );
        rates.expect("writing to a string does not fail");
        text
    }
}

/// Free times of all businesses in turn. Each lies where the visits of the loaded bookings
/// do, so that no two of them touch.
pub(super) async fn slots(address: SocketAddr, world: &World) -> anyhow::Result<Vec<Slot>> {
    let mut visitor = Visitor::new(address, "looks for times");
    let mut of_all: Vec<Vec<Slot>> = Vec::new();
    for slug in &world.businesses {
        let path = format!("/api/v1/businesses/{slug}/services/{SERVICE}/availability?days=31");
        let answer = visitor.get(&path).await.answer;
        let answer = answer.map_err(|error| anyhow::anyhow!("{error}"))?;
        let body = answer.json();
        let slots = body["slots"].as_array().context("no slots")?;
        let apart = slots.iter().filter(|slot| is_apart(slot));
        let start = |slot: &Value| Some(slot["start"].as_str()?.to_owned());
        let starts = apart.filter_map(start).map(|start| (slug.clone(), start));
        of_all.push(starts.collect());
    }
    let mut by_turn: BTreeMap<(usize, usize), Slot> = BTreeMap::new();
    for (business, slots) in of_all.into_iter().enumerate() {
        for (turn, slot) in slots.into_iter().enumerate() {
            by_turn.insert((turn, business), slot);
        }
    }
    Ok(by_turn.into_values().collect())
}

/// Whether it begins three quarters of an hour, or a multiple of that, after eight o'clock.
fn is_apart(slot: &Value) -> bool {
    let local = slot["local_start"].as_str().unwrap_or_default();
    let number = |range: std::ops::Range<usize>| local.get(range)?.parse::<u32>().ok();
    let minutes = number(11..13).zip(number(14..16));
    minutes.is_some_and(|(hour, minute)| (hour * 60 + minute).wrapping_sub(480).is_multiple_of(45))
}

impl Rush {
    pub(super) fn new(slots: Vec<Slot>) -> Self {
        Self {
            slots: Arc::new(slots),
            next: Arc::default(),
        }
    }

    /// Lets many book as fast as they are answered.
    pub(super) async fn run(
        &mut self,
        address: SocketAddr,
        clients: usize,
        within: Duration,
    ) -> anyhow::Result<Ours> {
        let began = Instant::now();
        let mut booking = JoinSet::new();
        for client in 0..clients {
            let (slots, next) = (Arc::clone(&self.slots), Arc::clone(&self.next));
            booking.spawn(async move {
                let mut visitor = Visitor::new(address, &format!("client-{client}"));
                let mut ours = Ours::default();
                while began.elapsed() < within {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(slot) = slots.get(place) else {
                        break;
                    };
                    book(&mut visitor, place, slot, &mut ours).await;
                }
                ours
            });
        }
        let mut all = Ours::default();
        while let Some(done) = booking.join_next().await {
            let ours = done.context("a client broke")?;
            all.took.ms.extend(ours.took.ms);
            all.took.wrong += ours.took.wrong;
            all.conflicts += ours.conflicts;
        }
        all.seconds = began.elapsed().as_secs_f64();
        let is_over = self.next.load(Ordering::Relaxed) >= self.slots.len();
        ensure!(
            !is_over,
            "there were only {} times to book",
            self.slots.len()
        );
        Ok(all)
    }
}

async fn book(visitor: &mut Visitor, place: usize, (slug, start): &Slot, ours: &mut Ours) {
    let key = format!("rush-{place}");
    let outcome = visitor
        .post_json(
            &format!("/api/v1/businesses/{slug}/bookings"),
            &[("idempotency-key", &key)],
            &wish(start, &key),
        )
        .await;
    ours.took.ms.push(outcome.took.as_secs_f64() * 1000.0);
    match outcome.status().map(|status| status.as_u16()) {
        Some(201) => {}
        Some(409) => ours.conflicts += 1,
        _ => ours.took.wrong += 1,
    }
}

/// What a program sends to book.
pub(super) fn wish(start: &str, who: &str) -> Value {
    json!({
        "service": SERVICE,
        "start": start,
        "name": "A Customer",
        "email": format!("{who}@example.com"),
        "phone": "082 123 4567",
    })
}
