//! At most so many in a day and in a week: many at once, moves, holds that ran out, and those
//! who set no limit.

use std::time::Duration;

use booking::{Span, week_of};
use futures_util::future::join_all;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use testkit::wait;
use uuid::Uuid;

use super::shop::{KEEPER, Shop, person, wish};
use crate::appointments::staffed::DeskChange;
use crate::appointments::time_off::{Absence, Decision, Fate, Leaving};
use crate::appointments::{Answer, Choice, Confirmation, Extension, Holding, Rescheduling};
use crate::crew::Who;
use crate::store;
use crate::store::hold::Holder;

const DEADLOCKS: &str = "select deadlocks from pg_stat_database where datname = current_database()";
/// Nothing overlaps, so that only the limit stands in the way.
const SHORT: &str = "update service set duration_minutes = 10, step_minutes = 10,
    before_minutes = 0, after_minutes = 0, notice_minutes = 0 where slug = 'private-yoga'";
const STANDING: &str = "select count(*) from booking join service on service.id = service_id
    where service.slug = 'private-yoga' and created_at > now() - interval '1 hour'
      and booking.state in ('held', 'confirmed')";

/// Nobody has booked anything yet.
const NOBODY: [&str; 3] = [
    "update claim set active = false where booking_id in
         (select id from booking where state = 'confirmed')",
    "update seat set is_active = false",
    "update booking set state = 'cancelled_by_business', version = version + 1
         where state = 'confirmed'",
];

async fn short(limit: &'static str) -> Shop {
    let mut shop = Shop::open(24).await;
    for change in NOBODY {
        shop.set(change).await;
    }
    shop.set("delete from service_need").await;
    shop.set(SHORT).await;
    shop.set(limit).await;
    shop
}

fn minutes_after(at: Timestamp, minutes: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn date(shop: &Shop, at: Timestamp) -> Date {
    shop.zone.to_datetime(at).date()
}

/// The free times of the first day from the coming Monday on that has as many.
async fn day_of(shop: &Shop, count: usize) -> Vec<Timestamp> {
    let free = shop.free(shop.now).await;
    let this_week = week_of(date(shop, shop.now)).1;
    let mut days = free.chunk_by(|a, b| date(shop, *a) == date(shop, *b));
    let day = days.find(|day| day.len() >= count && date(shop, day[0]) > this_week);
    day.unwrap().to_vec()
}

/// Books all of `starts` at the same moment, and says how many were booked.
async fn book_at_once(shop: &Shop, starts: &[Timestamp]) -> usize {
    let attempts = starts.iter().enumerate().map(|(n, start)| async move {
        let (key, email) = (format!("k{start}"), format!("v{n}@example.co.za"));
        let wish = wish(*start, &key, &email);
        let booked = shop.book(&wish, shop.now);
        let answer = booked.await.unwrap();
        assert!(
            matches!(answer, Answer::Made { .. } | Answer::Gone),
            "{answer:?}"
        );
        matches!(answer, Answer::Made { .. })
    });
    let won = join_all(attempts).await;
    won.into_iter().filter(|won| *won).count()
}

async fn book(shop: &Shop, start: Timestamp) -> Option<String> {
    let key = format!("one {start}");
    let wish = wish(start, &key, "one@example.co.za");
    let booked = shop.book(&wish, shop.now);
    match booked.await.unwrap() {
        Answer::Made { token, .. } => Some(token),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_at_once_on_a_day_that_takes_three_are_three_and_no_deadlock() {
    for limit in [
        "update service set day_max = 3 where slug = 'private-yoga'",
        "update service set week_max = 3 where slug = 'private-yoga'",
        "update staff set day_max = 3 where id in (select staff_id from service_staff
           join service on service.id = service_id where slug = 'private-yoga')",
        "update staff set day_max = 5, week_max = 3 where true",
    ] {
        let shop = short(limit).await;
        let day = day_of(&shop, 22).await;
        assert_eq!(book_at_once(&shop, &day[..20]).await, 3, "{limit}");
        assert_eq!(shop.count(STANDING).await, 3, "{limit}");
        assert_eq!(shop.count(DEADLOCKS).await, 0, "{limit}");
        assert_eq!(shop.broken().await, [""; 0]);
        // What is full is not offered, and what is not is.
        let free = shop.free(shop.now).await;
        let full = date(&shop, day[0]);
        assert!(
            free.iter().all(|start| date(&shop, *start) != full),
            "{limit}"
        );
        assert!(!free.is_empty());
        assert_eq!(book(&shop, day[21]).await, None, "{limit}");
    }
}

#[tokio::test]
async fn what_is_called_off_makes_room_on_a_full_day() {
    let shop = short("update service set day_max = 1 where slug = 'private-yoga'").await;
    let day = day_of(&shop, 3).await;
    let token = book(&shop, day[0]).await.unwrap();
    assert_eq!(book(&shop, day[1]).await, None);
    shop.appointments
        .cancel(&token, None, None, shop.now)
        .await
        .unwrap();
    assert!(book(&shop, day[2]).await.is_some());
}

#[tokio::test]
async fn a_move_within_a_full_day_is_not_one_more_and_one_into_it_is() {
    let mut shop = short("update service set day_max = 2 where slug = 'private-yoga'").await;
    let day = day_of(&shop, 6).await;
    let free = shop.free(shop.now).await;
    let other = free
        .iter()
        .find(|start| date(&shop, **start) > date(&shop, day[0]));
    let other = *other.unwrap();
    let (first, _) = (
        book(&shop, day[0]).await.unwrap(),
        book(&shop, day[1]).await.unwrap(),
    );
    let third = book(&shop, other).await.unwrap();
    let (appointments, now) = (shop.appointments.clone(), shop.now);
    let to = async |token: &str, start| {
        let moved = appointments.reschedule(token, start, None, now);
        moved.await.unwrap()
    };
    assert_eq!(to(&first, day[2]).await, Rescheduling::There);
    assert_eq!(
        to(&third, day[3]).await,
        Rescheduling::Gone,
        "the day is full"
    );
    let (id, _) = shop.booking(&third).await;
    let seen = shop.seen(id).await;
    let at_desk = appointments.move_at_desk(seen, (day[3], Who::Anyone), KEEPER, now);
    assert_eq!(
        at_desk.await.unwrap(),
        DeskChange::Gone,
        "the limit binds the desk, too"
    );
    // Also where there are more than there may be by now.
    shop.set("update service set day_max = 1 where slug = 'private-yoga'")
        .await;
    assert_eq!(to(&first, day[4]).await, Rescheduling::There);
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn a_hold_counts_until_it_has_run_out_and_comes_back_only_where_there_is_room() {
    let shop = short("update service set day_max = 1 where slug = 'private-yoga'").await;
    let day = day_of(&shop, 4).await;
    let hold = async |start, visitor: u8, now| {
        let choice = Choice {
            start,
            who: Who::Anyone,
            holder: Holder {
                visit: Some([visitor; 32]),
                origin: None,
            },
            instead_of: None,
            key: None,
        };
        match shop
            .appointments
            .hold(shop.offered(), choice, now)
            .await
            .unwrap()
        {
            Holding::Kept { token } => Some(token),
            _ => None,
        }
    };
    let confirm = async |token: &str, now| {
        let confirmed = shop
            .appointments
            .confirm(token, person("h@example.co.za"), None, now);
        confirmed.await.unwrap()
    };
    let first = hold(day[0], 1, shop.now).await.unwrap();
    assert_eq!(
        hold(day[1], 2, shop.now).await,
        None,
        "the first one counts"
    );
    let later = minutes_after(shop.now, 30);
    let second = hold(day[1], 2, later).await.unwrap();
    let gone = Confirmation::Answer(Answer::Gone);
    assert_eq!(
        confirm(&first, later).await,
        gone,
        "there is no room any more"
    );
    let extended = shop.appointments.extend(&first, later).await.unwrap();
    assert_eq!(extended, Extension::Over);
    let made = confirm(&second, later).await;
    assert!(
        matches!(made, Confirmation::Answer(Answer::Made { .. })),
        "{made:?}"
    );
    assert_eq!(shop.count(STANDING).await, 1);
}

#[tokio::test]
async fn a_hold_that_ran_out_and_was_never_cleared_takes_no_room_in_the_week() {
    let shop = short("update service set week_max = 1 where slug = 'private-yoga'").await;
    let day = day_of(&shop, 2).await;
    let free = shop.free(shop.now).await;
    let week = week_of(date(&shop, day[0]));
    // Further away than a day and a half, so that booking does not clear the hold away.
    let far = free
        .iter()
        .rev()
        .find(|start| date(&shop, **start) <= week.1);
    let far = *far.unwrap();
    assert!(far.duration_since(day[0]) > SignedDuration::from_hours(48));
    let choice = Choice {
        start: day[0],
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
        panic!("a free time is kept");
    };
    let later = minutes_after(shop.now, 30);
    let wish = wish(far, "far", "far@example.co.za");
    let booked = shop.book(&wish, later).await;
    assert!(matches!(booked.unwrap(), Answer::Made { .. }));
    let who = person("h@example.co.za");
    let confirmed = shop.appointments.confirm(&token, who, None, later).await;
    assert_eq!(confirmed.unwrap(), Confirmation::Answer(Answer::Gone));
    let extended = shop.appointments.extend(&token, later).await;
    assert_eq!(extended.unwrap(), Extension::Over);
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_away_moves_nobody_into_a_full_day() {
    let shop = short("update service set day_max = 1 where slug = 'private-yoga'").await;
    let day = day_of(&shop, 2).await;
    let free = shop.free(shop.now).await;
    let mut after = free
        .iter()
        .filter(|start| date(&shop, **start) > date(&shop, day[0]));
    let first = *after.next().unwrap();
    let hit: Uuid = {
        let token = book(&shop, day[0]).await.unwrap();
        shop.booking(&token).await.0
    };
    let _other = book(&shop, first).await.unwrap();
    let absence = Absence {
        staff: shop.giver().await,
        during: Span::new(day[0], minutes_after(day[0], 10)).unwrap(),
        reason: "leave",
    };
    let second = *after
        .find(|start| date(&shop, **start) == date(&shop, first))
        .unwrap();
    let decisions = [Decision {
        booking: hit,
        version: 1,
        fate: Fate::Moved(second),
    }];
    let left = shop
        .appointments
        .leave(&shop.business, absence, &decisions, KEEPER, shop.now);
    assert!(matches!(left.await.unwrap(), Leaving::Gone(booking) if booking == hit));
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whoever_sets_a_limit_waits_for_those_who_count() {
    let mut shop = short("update service set day_max = null").await;
    let day = day_of(&shop, 2).await;
    let monday = week_of(date(&shop, day[0])).0;
    let mut counting = store::begin(&shop.appointments.pool, shop.business.id)
        .await
        .unwrap();
    let alone = store::limit::count_alone(&mut counting, shop.service.id, monday);
    alone.await.unwrap();
    assert!(
        book(&shop, day[0]).await.is_some(),
        "without a limit nobody waits"
    );
    shop.set("update service set day_max = 5 where slug = 'private-yoga'")
        .await;
    let waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
    let booked = async { book(&shop, day[1]).await };
    let let_on = async {
        let waiting = wait::answer(Duration::from_secs(20), async || {
            (shop.count(waits).await == 1).then_some(())
        });
        waiting.await.unwrap();
        counting.rollback().await.unwrap();
    };
    let (booked, ()) = futures_util::future::join(booked, let_on).await;
    assert!(booked.is_some());
}
