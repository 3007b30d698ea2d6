//! Many at once: who gets a time is decided by the database, once, and whoever does
//! not gets a clean answer. Also across two releases that share one schema.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::site::{Api, Said, World, wish};
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;

/// Two active claims of one lane that share an instant.
const OVERLAPS: &str = "select count(*) from claim a join claim b
    on a.lane_id = b.lane_id and a.id < b.id and a.during && b.during
    where a.active and b.active";

/// Bookings that stand without exactly one active claim of their person that covers the
/// visit, be it their own or that of the class in which they have a seat; and others with
/// an active claim or seat.
const STRAYS: &str = "select count(*) from booking
    join staff on staff.id = booking.staff_id
    left join seat on seat.booking_id = booking.id and seat.is_active
    left join lateral (
        select count(*) filter (where claim.lane_id = staff.lane_id) as active,
               bool_and(claim.during @> tstzrange(starts_at, ends_at))
                   filter (where claim.lane_id = staff.lane_id) as covers,
               count(*) as all_active
        from claim
        where claim.active
          and (claim.booking_id = booking.id or claim.class_id = seat.class_id)
    ) as held on true
    where case when state not like 'cancelled%' and state <> 'expired' then held.active <> 1 or held.covers is not true
          else held.all_active > 0 or seat.id is not null end";

/// Classes whose count is not that of their seats, that have more than they hold, or that
/// nobody sits in and nobody planned; and claims of what is over.
const SEATS: &str = "select count(*) from class
    left join lateral (select count(*) as seats from seat
        where seat.class_id = class.id and seat.is_active) as s on true
    left join lateral (select count(*) as claims from claim
        where claim.class_id = class.id and claim.active) as c on true
    where taken <> seats or taken > capacity
       or is_active <> (claims > 0) or (is_active and taken = 0 and not is_planned)";

/// Bookings without what is written beside each: a link, a consent, a message.
const BARE: &str = "select count(*) from booking where created_at > now() - interval '1 hour'
    and state not in ('held', 'expired')
    and (not exists (select from booking_link l where l.booking_id = booking.id)
      or not exists (select from consent c where c.booking_id = booking.id)
      or not exists (select from audit a where a.subject = booking.id)
      or not exists (select from outbox o where o.booking_id = booking.id))";

const DEADLOCKS: &str = "select deadlocks from pg_stat_database where datname = current_database()";

/// What must never be, whatever was done: overlapping claims, claims of nobody, classes that
/// count their seats wrong, bookings without their claims, transactions that waited in a circle.
pub(crate) async fn invariants(world: &World) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, query) in [
        ("overlaps", OVERLAPS),
        ("strays", STRAYS),
        ("seats", SEATS),
        ("bare", BARE),
        ("deadlocks", DEADLOCKS),
    ] {
        let count = world.count(query).await;
        if count != 0 {
            broken.push(format!("{count} {name}"));
        }
    }
    broken
}

pub(crate) fn statuses(said: &[Said]) -> BTreeMap<u16, usize> {
    said.iter().fold(BTreeMap::new(), |mut counts, said| {
        *counts.entry(said.status).or_default() += 1;
        counts
    })
}

#[tokio::test]
async fn whatever_is_shown_can_be_had_while_nobody_else_wants_it() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    for (business, services) in [
        ("karoo-cuts", ["haircut", "beard-trim", "cut-and-beard"]),
        (
            "bluff-physio",
            ["first-visit", "follow-up", "sports-massage"],
        ),
        (
            "the-quiet-room",
            ["first-conversation", "breathing", "counselling"],
        ),
    ] {
        for service in services {
            // The first, the last, and one in between.
            for place in 0..3 {
                let free = api.free(business, service, 31).await;
                let start = &free[(free.len() - 1) * place / 2];
                let key = format!("{service}-{place}");
                let made = api.book(business, &key, &wish(service, start, "t")).await;
                assert_eq!(made.status, 201, "{business}, {service}, {start}: {made:?}");
            }
        }
    }
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_wishes_of_different_services_never_share_a_person() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    // Both people of the business give these; their lengths and steps differ.
    let business = "karoo-cuts";
    let mut wishes = Vec::new();
    for service in ["haircut", "beard-trim", "cut-and-beard"] {
        let free = api.free(business, service, 2).await;
        wishes.extend(free.into_iter().take(25).map(|start| (service, start)));
    }
    let attempts = wishes.iter().enumerate().map(|(n, (service, start))| {
        let (api, wish) = (api.clone(), wish(service, start, &format!("visitor-{n}")));
        async move { api.book(business, &format!("key-{n}"), &wish).await }
    });
    let said = join_all(attempts).await;
    let counts = statuses(&said);
    assert!(
        counts.keys().all(|status| [201, 409].contains(status)),
        "{counts:?}"
    );
    assert!(counts.len() == 2, "nobody won or nobody lost: {counts:?}");
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_and_booking_again_at_once_leave_one_owner() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let (business, service) = ("the-quiet-room", "private-yoga");
    let start = api.free(business, service, 14).await[0].clone();
    let made = api
        .book(business, "first", &wish(service, &start, "first"))
        .await;
    let token = made.text("token").to_owned();
    let cancels = join_all((0..10).map(|_| api.cancel(&token)));
    let books = join_all((0..10).map(|n| {
        let (api, wish) = (api.clone(), wish(service, &start, &format!("v{n}")));
        async move { api.book(business, &format!("k{n}"), &wish).await }
    }));
    let (cancelled, booked) = tokio::join!(cancels, books);
    assert_eq!(statuses(&cancelled), BTreeMap::from([(200, 10)]));
    assert!(booked.iter().filter(|said| said.status == 201).count() <= 1);
    assert!(
        booked.iter().all(|said| [201, 409].contains(&said.status)),
        "{booked:?}"
    );
    assert_eq!(invariants(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_release_began_the_other_goes_on_with() {
    let world = World::seeded().await;
    let (old, new) = tokio::join!(world.release("old"), world.release("new"));
    let start = old.api().free("karoo-cuts", "haircut", 7).await[0].clone();
    let wanted = wish("haircut", &start, "thandi");
    let made = old.api().book("karoo-cuts", "key", &wanted).await;
    // The same request reaches the new release when the answer was lost on the way.
    let again = new.api().book("karoo-cuts", "key", &wanted).await;
    assert_eq!((made.status, &made.body), (201, &again.body));
    let visitor = new.visitor();
    let ask = visitor
        .open(&format!("/b/{}/cancel", made.text("token")))
        .await;
    // The form that one release gave is taken by the other.
    let at_old = crate::site::Visitor {
        client: visitor.client.clone(),
        address: old.address.clone(),
    };
    let token = [("csrf".to_owned(), ask.field("csrf"))];
    let cancelled = at_old.send(&ask.address, &token).await;
    assert_eq!(cancelled.heading(), "Your booking is cancelled");
    assert_eq!(new.api().cancel(made.text("token")).await.status, 200);
}

/// What visitors do, each with a number that stands for "one of those that there are".
#[derive(Debug, Clone, Copy)]
enum Act {
    Book {
        service: usize,
        time: usize,
    },
    Cancel {
        booking: usize,
    },
    /// Repeats an earlier request with its key.
    Repeat {
        request: usize,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_usize, 0..12_usize).prop_map(|(service, time)| Act::Book { service, time }),
        2 => any::<usize>().prop_map(|booking| Act::Cancel { booking }),
        1 => any::<usize>().prop_map(|request| Act::Repeat { request }),
    ]
}

const SERVICES: [&str; 3] = ["first-conversation", "breathing", "counselling"];
const BUSINESS: &str = "the-quiet-room";

/// What was told to whom: key, wish, and the answer.
#[derive(Default)]
struct Told {
    made: Vec<(String, Value, Said)>,
    cancelled: HashSet<String>,
}

/// Does `acts`, four at a time, and remembers what was told.
async fn play(api: &Api, times: &[Vec<String>], round: u32, acts: &[Act]) -> Told {
    let mut told = Told::default();
    for (group, acts) in acts.chunks(4).enumerate() {
        let earlier: Vec<(String, Value)> = told
            .made
            .iter()
            .map(|(key, wish, _)| (key.clone(), wish.clone()))
            .collect();
        let tokens: Vec<String> = told
            .made
            .iter()
            .map(|(_, _, said)| said.text("token").to_owned())
            .collect();
        let done = stream::iter(acts.iter().enumerate())
            .map(|(n, act)| {
                let key = format!("{round}-{group}-{n}");
                let (earlier, tokens) = (&earlier, &tokens);
                async move {
                    match *act {
                        Act::Cancel { booking } if !tokens.is_empty() => {
                            let token = &tokens[booking % tokens.len()];
                            let said = api.cancel(token).await;
                            assert_eq!(said.status, 200, "{said:?}");
                            Some(Err(token.clone()))
                        }
                        Act::Repeat { request } if !earlier.is_empty() => {
                            let (key, wish) = earlier[request % earlier.len()].clone();
                            let said = api.book(BUSINESS, &key, &wish).await;
                            assert_eq!(said.status, 201, "{said:?}");
                            None
                        }
                        Act::Book { service, time } => {
                            let wish = wish(SERVICES[service], &times[service][time], &key);
                            let said = api.book(BUSINESS, &key, &wish).await;
                            assert!([201, 409].contains(&said.status), "{said:?}");
                            (said.status == 201).then_some(Ok((key, wish, said)))
                        }
                        _ => None,
                    }
                }
            })
            .buffer_unordered(4)
            .collect::<Vec<_>>()
            .await;
        for outcome in done.into_iter().flatten() {
            match outcome {
                Ok(made) => told.made.push(made),
                Err(token) => drop(told.cancelled.insert(token)),
            }
        }
    }
    told
}

#[test]
fn whatever_visitors_do_no_two_claims_overlap_and_everybody_was_told_the_truth() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let _within = runtime.enter();
    let world = runtime.block_on(World::seeded());
    let site = runtime.block_on(world.site());
    let api = site.api();
    let rounds = AtomicU32::new(0);
    let mut runner = TestRunner::new(Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    });
    let acts = proptest::collection::vec(act(), 1..40);
    let outcome = runner.run(&acts, |acts| {
        runtime.block_on(async {
            let mut times = Vec::new();
            for service in SERVICES {
                times.push(api.free(BUSINESS, service, 31).await);
            }
            prop_assert!(
                times.iter().all(|times| times.len() >= 12),
                "nothing is left to book"
            );
            let round = rounds.fetch_add(1, Ordering::Relaxed);
            let told = play(&api, &times, round, &acts).await;
            let broken = invariants(&world).await;
            prop_assert!(broken.is_empty(), "{broken:?}");
            for (_, _, made) in &told.made {
                let token = made.text("token");
                let read = api.get(&format!("/api/v1/bookings/{token}")).await;
                let is_cancelled = read.text("state") != "confirmed";
                prop_assert_eq!(is_cancelled, told.cancelled.contains(token), "{:?}", read);
            }
            Ok::<(), TestCaseError>(())
        })
    });
    outcome.unwrap();
}
