//! Visits that repeat: told before, booked one by one, and called off together.

use booking::{End, Every, Repeat, State};
use jiff::Timestamp;

use super::shop::{KEEPER, Shop, person, wish};
use crate::appointments::staffed::{OnBehalfOf, Seen};
use crate::appointments::{Answer, By, Ending, SeriesAnswer, SeriesWish, Source, Whose};
use crate::crew::Who;

const WEEKLY: Repeat = Repeat {
    every: Every::Week,
    end: End::Count(4),
};

async fn source(shop: &Shop, start: Timestamp) -> Source {
    let mut wish = wish(start, "first", "weekly@example.co.za");
    wish.person.time_zone = Some("Europe/Berlin");
    let booked = shop.book(&wish, shop.now);
    let Answer::Made { token, .. } = booked.await.unwrap() else {
        panic!("a free time cannot be had");
    };
    let (id, _) = shop.booking(&token).await;
    let source = shop.appointments.source(shop.business.id, id).await;
    source.unwrap().unwrap()
}

async fn made(shop: &Shop, wish: &SeriesWish<'_>) -> Vec<(Timestamp, Option<uuid::Uuid>)> {
    let answer = shop
        .appointments
        .book_series(shop.offered(), wish, shop.now);
    match answer.await.unwrap() {
        SeriesAnswer::Made { visits, .. } => visits,
        SeriesAnswer::KeyReused => panic!("the key is new"),
    }
}

#[tokio::test]
async fn each_conflict_of_a_series_is_told_with_what_is_near_before_anything_is_booked() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let plan = async || {
        let series = (free[0], WEEKLY);
        let who = Who::Anyone;
        let planned = shop
            .appointments
            .plan_series(shop.offered(), who, series, shop.now);
        planned.await.unwrap()
    };
    let before = plan().await;
    assert_eq!(before.len(), 4);
    let clock = shop.zone.to_datetime(free[0]).time();
    assert!(before.iter().all(|visit| visit.at.time() == clock));
    assert!(before[0].is_free);
    let taken = wish(free[0], "taken", "other@example.co.za");
    let booked = shop.book(&taken, shop.now);
    assert!(matches!(booked.await.unwrap(), Answer::Made { .. }));
    let after = plan().await;
    assert!(!after[0].is_free);
    assert_eq!(after[0].near.len(), 3);
    assert!(!after[0].near.contains(&free[0]));
    assert_eq!(after[1..], before[1..]);
    for visit in &after {
        assert!(visit.is_free == visit.near.is_empty(), "{visit:?}");
    }
    assert_eq!(shop.count("select count(*) from series").await, 0);
}

#[tokio::test]
async fn what_was_chosen_of_a_series_is_booked_once_and_the_rest_is_told() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let source = source(&shop, free[0]).await;
    let (last, first) = (*free.last().unwrap(), free[0]);
    let starts = [first, last];
    let wish = SeriesWish {
        whose: Whose::Of {
            source: &source,
            by: By::Customer,
        },
        who: Who::Anyone,
        first,
        repeat: WEEKLY,
        starts: &starts,
        key: "series",
    };
    let visits = made(&shop, &wish).await;
    // The first is the booking itself, so nobody can have it again.
    assert_eq!(visits[0], (first, None));
    let booked = visits[1].1.unwrap();
    // Sent again after the answer was lost, it is the same.
    assert_eq!(made(&shop, &wish).await, visits);
    let token = shop.appointments.token(booked);
    let (_, booking) = shop.appointments.find(&token).await.unwrap().unwrap();
    assert_eq!(booking.start, last);
    let together = "select count(*) from booking where series_id = (select id from series)";
    assert_eq!(shop.count(together).await, 2);
    let rule = "select count(*) from series where rule = 'FREQ=WEEKLY;COUNT=4'";
    assert_eq!(shop.count(rule).await, 1);
    let told = "select count(*) from consent where customer_id =
        (select id from customer where email = 'weekly@example.co.za')";
    assert_eq!(shop.count(told).await, 2);
    let other = SeriesWish {
        starts: &starts[1..],
        ..wish
    };
    let reused = shop
        .appointments
        .book_series(shop.offered(), &other, shop.now);
    assert_eq!(reused.await.unwrap(), SeriesAnswer::KeyReused);
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn one_visit_of_a_series_is_called_off_alone_and_the_others_are_known() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let mut apart: Vec<Timestamp> = Vec::new();
    for start in free.iter().copied() {
        let hours = |last: &Timestamp| start.duration_since(*last).as_hours();
        if apart.last().is_none_or(|last| hours(last) >= 3) {
            apart.push(start);
        }
    }
    let source = source(&shop, apart[0]).await;
    let wish = SeriesWish {
        whose: Whose::Of {
            source: &source,
            by: KEEPER.by(),
        },
        who: Who::Anyone,
        first: apart[0],
        repeat: WEEKLY,
        starts: &apart[1..4],
        key: "series",
    };
    let visits = made(&shop, &wish).await;
    let is_booked = visits.iter().all(|(_, booking)| booking.is_some());
    assert!(is_booked, "{visits:?}");
    let series = shop.id("select id from series").await;
    let rest = async |from| {
        let business = shop.business.id;
        let rest = shop.appointments.rest_of_series(business, series, from);
        rest.await.unwrap().len()
    };
    assert_eq!(rest(apart[0]).await, 4);
    assert_eq!(rest(apart[2]).await, 2);
    let token = shop.appointments.token(visits[1].1.unwrap());
    let off = shop.appointments.cancel(&token, None, None, shop.now).await;
    off.unwrap();
    assert_eq!(rest(apart[0]).await, 3);
    assert_eq!(shop.booking(&token).await.1, State::CancelledByCustomer);
    // Who booked by phone did so at the desk.
    let by_phone = "select count(*) from booking where source = 'phone'";
    assert_eq!(shop.count(by_phone).await, 3);
    let zone = "select count(*) from booking where customer_zone = 'Europe/Berlin'";
    assert_eq!(shop.count(zone).await, 4);
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn a_series_of_somebody_new_is_booked_in_their_name() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let wish = SeriesWish {
        whose: Whose::Person(person("new@example.co.za")),
        who: Who::Anyone,
        first: free[0],
        repeat: WEEKLY,
        starts: &free[..1],
        key: "series",
    };
    let visits = made(&shop, &wish).await;
    assert!(visits[0].1.is_some());
    let whose = "select count(*) from booking join customer on customer.id = customer_id
        where customer.email = 'new@example.co.za' and series_id is not null";
    assert_eq!(shop.count(whose).await, 1);
}

/// Four visits at the desk, some hours apart: the starts and the bookings.
async fn four(shop: &Shop) -> (Vec<Timestamp>, Vec<uuid::Uuid>) {
    let mut apart: Vec<Timestamp> = Vec::new();
    for start in shop.free(shop.now).await {
        let hours = |last: &Timestamp| start.duration_since(*last).as_hours();
        if apart.last().is_none_or(|last| hours(last) >= 3) {
            apart.push(start);
        }
    }
    apart.truncate(4);
    let source = source(shop, apart[0]).await;
    let wish = SeriesWish {
        whose: Whose::Of {
            source: &source,
            by: KEEPER.by(),
        },
        who: Who::Anyone,
        first: apart[0],
        repeat: WEEKLY,
        starts: &apart[1..],
        key: "series",
    };
    let visits = made(shop, &wish).await;
    let visits = visits.into_iter().map(|(_, booking)| booking.unwrap());
    (
        apart,
        std::iter::once(source.booking).chain(visits).collect(),
    )
}

async fn states(shop: &Shop, visits: &[uuid::Uuid]) -> Vec<State> {
    let mut states = Vec::new();
    for visit in visits {
        let token = shop.appointments.token(*visit);
        states.push(shop.booking(&token).await.1);
    }
    states
}

#[tokio::test]
async fn what_is_left_of_a_series_is_called_off_at_once_or_not_at_all() {
    let shop = Shop::open(4).await;
    let (starts, visits) = four(&shop).await;
    let token = |place: usize| shop.appointments.token(visits[place]);
    let before = shop.free(shop.now).await;
    // The first of them has begun, so none of them goes.
    let late = starts[1]
        .checked_add(jiff::SignedDuration::from_mins(1))
        .unwrap();
    let refused = shop.appointments.end_series(&token(1), None, late).await;
    assert_eq!(refused.unwrap(), Ending::TooLate);
    assert_eq!(states(&shop, &visits).await, [State::Confirmed; 4]);
    assert_eq!(shop.free(shop.now).await, before);

    let ended = shop
        .appointments
        .end_series(&token(1), None, shop.now)
        .await;
    assert_eq!(ended.unwrap(), Ending::Done(3));
    let off = State::CancelledByCustomer;
    assert_eq!(
        states(&shop, &visits).await,
        [State::Confirmed, off, off, off]
    );
    let free = shop.free(shop.now).await;
    assert!(
        starts[1..].iter().all(|start| free.contains(start)),
        "the times are free"
    );
    let audit = "select count(distinct subject) from audit where action = 'booking.cancelled'
        and subject in (select id from booking where series_id is not null)";
    assert_eq!(shop.count(audit).await, 3);
    let again = shop
        .appointments
        .end_series(&token(1), None, shop.now)
        .await;
    assert_eq!(again.unwrap(), Ending::Done(0));
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn the_desk_calls_off_a_series_as_it_saw_it_and_everybody_at_once_does_so_once() {
    let shop = Shop::open(8).await;
    let (_, visits) = four(&shop).await;
    let seen = shop.seen(visits[0]).await;
    let stale = Seen {
        version: seen.version + 1,
        ..seen
    };
    let why = (OnBehalfOf::Business, Some("The shop moves"));
    let appointments = &shop.appointments;
    let changed = appointments.end_series_at_desk(stale, why, KEEPER, shop.now);
    assert_eq!(changed.await.unwrap(), Ending::Changed);
    let many = (0..6).map(|_| appointments.end_series_at_desk(seen, why, KEEPER, shop.now));
    let ended = futures_util::future::join_all(many).await;
    let ended: Vec<Ending> = ended.into_iter().map(Result::unwrap).collect();
    let count = |one: Ending| ended.iter().filter(|ended| **ended == one).count();
    assert_eq!(
        (count(Ending::Done(4)), count(Ending::Done(0))),
        (1, 5),
        "{ended:?}"
    );
    assert_eq!(
        states(&shop, &visits).await,
        [State::CancelledByBusiness; 4]
    );
    let told = "select count(*) from booking where cancel_reason = 'The shop moves'";
    assert_eq!(shop.count(told).await, 4);
    assert_eq!(shop.broken().await, [""; 0]);
}
