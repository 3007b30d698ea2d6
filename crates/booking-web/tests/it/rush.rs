//! A thousand at once, against the real program: one winner, and everybody else is told
//! cleanly what is free near by. Also across two releases, and where answers are lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::claims::{invariants, statuses};
use crate::openings::{YOGA, class};
use crate::site::{Api, World, wish};
use chassis::{Clock, Random};
use futures_util::future::join_all;
use serde_json::Value;

const CLIENTS: usize = 1000;
/// A client that is asked to come back later gives up after so long.
const PATIENCE: Duration = Duration::from_secs(120);
const BUSINESS: &str = "the-quiet-room";
/// One person gives it.
const SERVICE: &str = "private-yoga";
const DEADLOCKS: &str = "select deadlocks from pg_stat_database where datname = current_database()";

/// Books without holding the answer against the document, which takes longer than the
/// answer. Where the machine has other work and asks for patience, it comes again.
async fn book(api: &Api, key: &str, wish: &Value) -> (u16, Value) {
    let path = format!("{}/api/v1/businesses/{BUSINESS}/bookings", api.address);
    let asked = Clock::system();
    let until = asked.monotonic() + PATIENCE;
    loop {
        let request = api.client.post(&path).header("idempotency-key", key);
        let answer = request.json(wish).send().await.unwrap();
        let status = answer.status().as_u16();
        let Some(wait) = later(&answer).filter(|_| asked.monotonic() < until) else {
            return (status, answer.json().await.unwrap());
        };
        tokio::time::sleep(wait).await;
    }
}

/// When to come again, where that is the answer.
fn later(answer: &reqwest::Response) -> Option<Duration> {
    [429, 503].contains(&answer.status().as_u16()).then(|| {
        let seconds = &answer.headers()["retry-after"];
        Duration::from_secs(seconds.to_str().unwrap().parse().unwrap())
    })
}

/// Everybody wants the same start at the same moment, each at one of `sites`; how many get
/// which answer.
async fn all_at(world: &World, sites: &[Api], start: &str) -> BTreeMap<u16, usize> {
    chassis::descriptors::raise();
    let attempts = (0..CLIENTS).map(|client| {
        let api = &sites[client % sites.len()];
        let wish = wish(SERVICE, start, &format!("visitor-{client}"));
        async move { book(api, &format!("key-{client}"), &wish).await }
    });
    let mut counts = BTreeMap::new();
    for (status, body) in join_all(attempts).await {
        *counts.entry(status).or_default() += 1;
        if status == 409 {
            assert_eq!(body["alternatives"].as_array().unwrap().len(), 3, "{body}");
        }
    }
    assert_eq!(world.count(DEADLOCKS).await, 0);
    assert_eq!(invariants(world).await, [""; 0]);
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_want_one_time_are_one_winner_and_clean_conflicts() {
    let world = World::seeded().await;
    let site = world.site().await;
    let start = site.api().free(BUSINESS, SERVICE, 14).await[0].clone();
    let counts = all_at(&world, &[site.api()], &start).await;
    assert_eq!(counts, BTreeMap::from([(201, 1), (409, CLIENTS - 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_two_releases_are_one_winner_and_clean_conflicts() {
    let world = World::seeded().await;
    let (old, new) = tokio::join!(world.release("old"), world.release("new"));
    let start = old.api().free(BUSINESS, SERVICE, 14).await[0].clone();
    let counts = all_at(&world, &[old.api(), new.api()], &start).await;
    assert_eq!(counts, BTreeMap::from([(201, 1), (409, CLIENTS - 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_who_want_the_last_seat_are_one_winner_and_the_class_is_full() {
    let world = World::seeded().await;
    let (old, new) = tokio::join!(world.release("old"), world.release("new"));
    let (business, service) = YOGA;
    let sites = [old.api(), new.api()];
    let (start, left) = class(&sites[0], 3).await;
    for seat in 1..left {
        let wish = wish(service, &start, &format!("early-{seat}"));
        let key = format!("early-{seat}");
        assert_eq!(sites[0].book(business, &key, &wish).await.status, 201);
    }
    let attempts = (0..100).map(|client| {
        let wish = wish(service, &start, &format!("last-{client}"));
        let api = &sites[client % 2];
        async move { api.book(business, &format!("last-{client}"), &wish).await }
    });
    let said = join_all(attempts).await;
    assert_eq!(statuses(&said), BTreeMap::from([(201, 1), (409, 99)]));
    let full = "select count(*) from class where is_active and taken = capacity
        and id = (select class_id from seat order by id desc limit 1)";
    assert_eq!(world.count(full).await, 1);
    assert_eq!(world.count(DEADLOCKS).await, 0);
    assert_eq!(invariants(&world).await, [""; 0]);
}

/// Asks, and hangs up after a while whatever has happened by then.
async fn hang_up(api: &Api, key: &str, wish: &Value, after: Duration) {
    let path = format!("{}/api/v1/businesses/{BUSINESS}/bookings", api.address);
    let request = api.client.post(path).header("idempotency-key", key);
    let answer = tokio::time::timeout(after, request.json(wish).send()).await;
    drop(answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_asked_for_again_and_one_booking_is_made() {
    let world = World::seeded().await;
    let (old, new) = tokio::join!(world.release("old"), world.release("new"));
    let sites = [old.api(), new.api()];
    let free = sites[0].free(BUSINESS, SERVICE, 31).await;
    let random = Random::seeded(42);
    // Times are further apart than a visit with its buffers, and some are wanted by two.
    let clients = (0..60).map(|client: usize| {
        let start = &free[(client / 2 * 7) % free.len()];
        let wish = wish(SERVICE, start, &format!("lost-{client}"));
        let after = [random.below(60), random.below(400)].map(Duration::from_millis);
        let sites = &sites;
        async move {
            let key = format!("lost-{client}");
            for (n, after) in after.into_iter().enumerate() {
                hang_up(&sites[(client + n) % 2], &key, &wish, after).await;
            }
            let first = sites[client % 2].book(BUSINESS, &key, &wish).await;
            let again = sites[(client + 1) % 2].book(BUSINESS, &key, &wish).await;
            assert!([201, 409].contains(&first.status), "{first:?}");
            if first.status == 201 {
                assert_eq!((again.status, &again.body), (201, &first.body));
            }
            (first.status == 201).then(|| first.text("token").to_owned())
        }
    });
    let tokens: Vec<String> = join_all(clients).await.into_iter().flatten().collect();
    let apart: BTreeSet<&String> = tokens.iter().collect();
    assert_eq!(apart.len(), tokens.len());
    assert!(tokens.len() > 20, "only {} were booked", tokens.len());
    let rows = "select count(*) from booking join customer on customer.id = booking.customer_id
        where customer.email like 'lost-%'";
    assert_eq!(usize::try_from(world.count(rows).await), Ok(tokens.len()));
    assert_eq!(world.count(DEADLOCKS).await, 0);
    assert_eq!(invariants(&world).await, [""; 0]);
}
