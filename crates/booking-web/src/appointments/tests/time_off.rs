//! Time off, with a clock that stands where the test wants it: what it hits, what becomes of
//! that, and what comes in between.

use booking::{Span, State};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::shop::{KEEPER, Shop, wish};
use crate::appointments::keeper::Keeper;
use crate::appointments::time_off::{Absence, Decision, Fate, Leaving};
use crate::appointments::{Answer, Choice, Holding};
use crate::crew::Who;
use crate::store::block::Hit;
use crate::store::hold::Holder;

fn plus(at: Timestamp, minutes: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn is_within(span: Span, at: Timestamp) -> bool {
    span.start() <= at && at < span.end()
}

async fn booked(shop: &Shop, start: Timestamp, who: &str) -> Uuid {
    let email = format!("{who}@example.co.za");
    let wish = wish(start, who, &email);
    let booked = shop.book(&wish, shop.now);
    let Answer::Made { token, .. } = booked.await.unwrap() else {
        panic!("a free time cannot be had");
    };
    shop.booking(&token).await.0
}

async fn absence(shop: &Shop, from: Timestamp, minutes: i64) -> Absence<'static> {
    Absence {
        staff: shop.giver().await,
        during: Span::new(from, plus(from, minutes)).unwrap(),
        reason: "leave",
    }
}

async fn leave(shop: &Shop, absence: Absence<'_>, decisions: &[Decision]) -> Leaving {
    let leaving = shop
        .appointments
        .leave(&shop.business, absence, decisions, KEEPER, shop.now);
    leaving.await.unwrap()
}

fn undecided(leaving: Leaving) -> Vec<Hit> {
    match leaving {
        Leaving::Undecided(hits) => hits,
        other => panic!("{other:?}"),
    }
}

fn decide(hit: &Hit, fate: Fate) -> Decision {
    Decision {
        booking: hit.booking,
        version: hit.version,
        fate,
    }
}

/// That everything stays which the demonstration has there, besides `decisions`.
fn others_stay(hits: &[Hit], decisions: &[Decision]) -> Vec<Decision> {
    let others = hits.iter().filter(|hit| {
        let is_own = |decision: &Decision| decision.booking == hit.booking;
        !decisions.iter().any(is_own)
    });
    let stay = others.map(|hit| decide(hit, Fate::Stays));
    stay.chain(decisions.iter().copied()).collect()
}

fn of(hits: &[Hit], booking: Uuid) -> Hit {
    let found = hits.iter().find(|hit| hit.booking == booking);
    found.unwrap().clone()
}

async fn state(shop: &Shop, booking: Uuid) -> State {
    let token = shop.appointments.token(booking);
    shop.booking(&token).await.1
}

#[tokio::test]
async fn time_off_takes_what_is_free_and_what_becomes_free_and_ends_without_a_trace() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let stays = booked(&shop, free[0], "stays").await;
    // Six weeks, from before the first visit.
    let away = absence(&shop, plus(free[0], -30), 60 * 24 * 42).await;
    let hits = undecided(leave(&shop, away, &[]).await);
    let own = of(&hits, stays);
    assert_eq!(own.start, free[0]);
    assert_eq!(own.name.as_deref(), Some("Thandi Nkosi"));
    // Nothing has changed until it is decided.
    assert!(!shop.free(shop.now).await.is_empty());
    let left = leave(&shop, away, &others_stay(&hits, &[])).await;
    assert!(matches!(left, Leaving::Away), "{left:?}");
    assert_eq!(shop.free(shop.now).await, []);
    assert_eq!(shop.broken().await, [""; 0]);

    // What is called off within it is not offered again.
    let seen = shop.seen(stays).await;
    let whose = crate::appointments::staffed::OnBehalfOf::Business;
    let off = shop
        .appointments
        .cancel_at_desk(seen, (whose, None), KEEPER, shop.now);
    off.await.unwrap();
    assert_eq!(shop.free(shop.now).await, []);
    let block = shop.id("select id from block where is_active").await;
    let bound = Keeper {
        only: Some(Uuid::nil()),
        ..KEEPER
    };
    let (business, appointments) = (shop.business.id, &shop.appointments);
    let unblock = async |keeper| {
        appointments
            .unblock(business, block, keeper, shop.now)
            .await
    };
    assert!(!unblock(bound).await.unwrap());
    assert!(unblock(KEEPER).await.unwrap());
    assert!(!unblock(KEEPER).await.unwrap());
    assert_eq!(shop.free(shop.now).await, free);
    let left = appointments.leave(&shop.business, away, &[], bound, shop.now);
    assert!(matches!(left.await.unwrap(), Leaving::Unknown));
}

#[tokio::test]
async fn each_booking_that_time_off_hits_stays_is_moved_or_is_called_off_at_once() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let (first, last) = (free[0], *free.last().unwrap());
    // Far enough from each other for a visit with its buffers.
    let after = |at| *free.iter().find(|free| **free >= plus(at, 90)).unwrap();
    let second = after(first);
    let third = after(second);
    let mut ids = Vec::new();
    for (n, start) in [first, second, third].into_iter().enumerate() {
        ids.push(booked(&shop, start, &format!("n{n}")).await);
    }
    let until = third.duration_since(first).as_mins() + 180;
    let away = absence(&shop, plus(first, -60), until).await;
    let appointments = &shop.appointments;
    let would = appointments.would_hit(&shop.business, away, KEEPER, shop.now);
    let would = would.await.unwrap();
    for (hit, times) in would.iter().filter(|(hit, _)| ids.contains(&hit.booking)) {
        assert_eq!(times.len(), 3, "{hit:?}");
        let is_within = times.iter().any(|at| is_within(away.during, *at));
        assert!(!is_within, "{times:?}");
    }
    let hits: Vec<Hit> = would.into_iter().map(|(hit, _)| hit).collect();
    let own: Vec<Hit> = ids.iter().map(|id| of(&hits, *id)).collect();
    let decisions = |to| {
        let own = [
            decide(&own[0], Fate::Stays),
            decide(&own[1], Fate::Off),
            decide(&own[2], Fate::Moved(to)),
        ];
        others_stay(&hits, &own)
    };
    // To be moved into the time off cannot be, and then nothing is done.
    let gone = leave(&shop, away, &decisions(second)).await;
    assert!(
        matches!(gone, Leaving::Gone(id) if id == ids[2]),
        "{gone:?}"
    );
    assert_eq!(state(&shop, ids[1]).await, State::Confirmed);
    let left = leave(&shop, away, &decisions(last)).await;
    assert!(matches!(left, Leaving::Away), "{left:?}");
    assert_eq!(state(&shop, ids[0]).await, State::Confirmed);
    assert_eq!(state(&shop, ids[1]).await, State::CancelledByBusiness);
    let found = appointments.find(&appointments.token(ids[2])).await;
    let (_, moved) = found.unwrap().unwrap();
    assert_eq!(moved.start, last);
    // Each change is told and written like any other.
    let told = "select count(*) from outbox where kind in ('cancelled', 'moved')";
    assert_eq!(shop.count(told).await, 2);
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn a_booking_that_changed_since_it_was_decided_about_is_told_again() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let id = booked(&shop, free[0], "moves").await;
    let away = absence(&shop, plus(free[0], -60), 60 * 24 * 20).await;
    let hits = undecided(leave(&shop, away, &[]).await);
    let token = shop.appointments.token(id);
    let last = *free.last().unwrap();
    let moved = shop.appointments.reschedule(&token, last, None, shop.now);
    moved.await.unwrap();
    let decisions = others_stay(&hits, &[decide(&of(&hits, id), Fate::Off)]);
    let again = undecided(leave(&shop, away, &decisions).await);
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].booking, again[0].start), (id, last));
    assert_eq!(state(&shop, id).await, State::Confirmed);
    // One that was called off meanwhile needs no decision any more.
    let off = shop.appointments.cancel(&token, None, None, shop.now).await;
    off.unwrap();
    let left = leave(&shop, away, &decisions).await;
    assert!(matches!(left, Leaving::Away), "{left:?}");
}

#[tokio::test]
async fn what_somebody_is_booking_just_now_is_told_and_stays() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let choice = Choice {
        start: free[0],
        who: Who::Anyone,
        holder: Holder {
            visit: Some([1; 32]),
            origin: None,
        },
        instead_of: None,
        key: None,
    };
    let held = shop.appointments.hold(shop.offered(), choice, shop.now);
    let Holding::Kept { token } = held.await.unwrap() else {
        panic!("a free time cannot be held");
    };
    let away = absence(&shop, plus(free[0], -60), 60 * 8).await;
    let hits = undecided(leave(&shop, away, &[]).await);
    let held = hits.iter().find(|hit| hit.is_held).unwrap();
    assert_eq!((held.start, held.name.as_deref()), (free[0], None));
    // Nobody knows yet whom to tell, so it can neither be called off nor moved.
    let off = others_stay(&hits, &[decide(held, Fate::Off)]);
    undecided(leave(&shop, away, &off).await);
    let left = leave(&shop, away, &others_stay(&hits, &[])).await;
    assert!(matches!(left, Leaving::Away), "{left:?}");
    // Once it is let go, its time is off, too.
    shop.appointments
        .cancel(&token, None, None, shop.now)
        .await
        .unwrap();
    assert!(!shop.free(shop.now).await.contains(&free[0]));
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_books_while_time_off_is_entered_is_refused_or_told() {
    let shop = Shop::open(16).await;
    let free = shop.free(shop.now).await;
    let away = absence(&shop, plus(free[0], -60), 60 * 24 * 3).await;
    let within: Vec<_> = free
        .iter()
        .filter(|at| is_within(away.during, **at))
        .collect();
    // What the demonstration has there stays.
    let there = shop
        .appointments
        .would_hit(&shop.business, away, KEEPER, shop.now);
    let there: Vec<Hit> = there
        .await
        .unwrap()
        .into_iter()
        .map(|(hit, _)| hit)
        .collect();
    let before = others_stay(&there, &[]);
    let customers = within.iter().enumerate().map(|(n, start)| {
        let shop = &shop;
        async move {
            let (key, email) = (format!("k{n}"), format!("v{n}@example.co.za"));
            let wish = wish(**start, &key, &email);
            let booked = shop.book(&wish, shop.now);
            matches!(booked.await.unwrap(), Answer::Made { .. })
        }
    });
    let staff = async {
        let mut decisions = before.clone();
        loop {
            match leave(&shop, away, &decisions).await {
                Leaving::Away => break decisions.len() - before.len(),
                Leaving::Undecided(hits) => {
                    decisions.extend(hits.iter().map(|hit| decide(hit, Fate::Stays)));
                }
                Leaving::Again => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let (made, told) = tokio::join!(join_all(customers), staff);
    let made = made.iter().filter(|made| **made).count();
    // Every booking that stands within it was told before it was taken.
    assert_eq!(made, told);
    assert_eq!(
        shop.free(shop.now)
            .await
            .iter()
            .filter(|at| is_within(away.during, **at))
            .count(),
        0
    );
    assert_eq!(shop.broken().await, [""; 0]);
}
