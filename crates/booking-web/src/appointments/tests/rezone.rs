//! The rules of a zone change after somebody booked: what is stored is an hour off then.

use booking::State;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::shop::{Shop, wish};
use crate::appointments::Answer;
use crate::appointments::rezone::{Fate, Rezoning};

/// As if everybody had booked when the clocks were an hour ahead of today's rules.
const OTHER_RULES: [&str; 3] = [
    "update claim set active = false where booking_id in
         (select id from booking where created_at > now() - interval '1 hour')",
    "update claim set during = tstzrange(lower(during) - interval '1 hour',
             upper(during) - interval '1 hour'), active = true
         where booking_id in
             (select id from booking where created_at > now() - interval '1 hour')",
    "update booking set starts_at = starts_at - interval '1 hour',
             ends_at = ends_at - interval '1 hour', version = version + 1
         where created_at > now() - interval '1 hour'",
];

async fn book(shop: &Shop, start: Timestamp) -> Uuid {
    let (key, email) = (start.to_string(), "wall@example.co.za");
    let wish = wish(start, &key, email);
    let booked = shop.book(&wish, shop.now);
    let Answer::Made { token, .. } = booked.await.unwrap() else {
        panic!("a free time cannot be had");
    };
    shop.booking(&token).await.0
}

/// When a booking is, and in which version.
async fn start(shop: &Shop, booking: Uuid) -> (Timestamp, i32) {
    let token = shop.appointments.token(booking);
    let (_, found) = shop.appointments.find(&token).await.unwrap().unwrap();
    assert_eq!(found.state, State::Confirmed.as_str());
    (found.start, found.version)
}

/// Free times of one day, back to back: a visit and what is needed after it.
async fn in_a_row(shop: &Shop) -> Vec<Timestamp> {
    let free = shop.free(shop.now).await;
    let taken = i64::from(shop.service.duration_minutes + shop.service.after_minutes);
    let step = SignedDuration::from_mins(taken);
    let row = |first: &Timestamp| -> Vec<Timestamp> {
        let mut row = vec![*first];
        while let Ok(next) = row[row.len() - 1].checked_add(step) {
            if row.len() == 3 || !free.contains(&next) {
                break;
            }
            row.push(next);
        }
        row
    };
    free.iter().map(row).find(|row| row.len() == 3).unwrap()
}

#[tokio::test]
async fn the_time_on_the_wall_stays_and_the_instant_moves_with_its_claims() {
    let mut shop = Shop::open(4).await;
    let (business, now) = (shop.business.id, shop.now);
    let found = shop.appointments.rezone(business, Rezoning::Looked, now);
    assert_eq!(found.await.unwrap(), [], "nothing is misplaced yet");
    let row = in_a_row(&shop).await;
    let mut bookings = Vec::new();
    for at in &row {
        bookings.push(book(&shop, *at).await);
    }
    for change in OTHER_RULES {
        shop.set(change).await;
    }
    let hour = SignedDuration::from_hours(1);
    // Only looking changes nothing.
    let looked = shop.appointments.rezone(business, Rezoning::Looked, now);
    let looked = looked.await.unwrap();
    assert_eq!(looked.len(), 3);
    for ((told, booking), at) in looked.iter().zip(&bookings).zip(&row) {
        assert_eq!((told.booking, told.fate), (*booking, Fate::To(*at)));
        assert_eq!(
            start(&shop, *booking).await,
            (at.checked_sub(hour).unwrap(), 2)
        );
    }
    let done = shop.appointments.rezone(business, Rezoning::Done, now);
    assert_eq!(done.await.unwrap(), looked);
    for (booking, at) in bookings.iter().zip(&row) {
        assert_eq!(start(&shop, *booking).await, (*at, 3));
    }
    let told = "select count(*) from audit where action = 'booking.moved' and actor = 'clock'";
    assert_eq!(shop.count(told).await, 3);
    let mails = "select count(*) from outbox where kind = 'moved'";
    assert_eq!(shop.count(mails).await, 3, "calendars show the old instant");
    assert_eq!(shop.broken().await, [""; 0]);
    let again = shop.appointments.rezone(business, Rezoning::Done, now);
    assert_eq!(again.await.unwrap(), []);
}

#[tokio::test]
async fn a_visit_whose_new_instant_somebody_else_has_stays_and_is_told() {
    let mut shop = Shop::open(4).await;
    let row = in_a_row(&shop).await;
    let (first, last) = (book(&shop, row[0]).await, book(&shop, row[2]).await);
    for change in OTHER_RULES {
        shop.set(change).await;
    }
    // By the rules of today, something is at the time where the first one belongs.
    let own = book_over(&shop, row[0]).await;
    let (business, now) = (shop.business.id, shop.now);
    let done = shop.appointments.rezone(business, Rezoning::Done, now);
    let done = done.await.unwrap();
    let fates: Vec<_> = done.iter().map(|one| (one.booking, one.fate)).collect();
    assert_eq!(
        fates,
        [(first, Fate::Taken(row[0])), (last, Fate::To(row[2]))]
    );
    let hour = SignedDuration::from_hours(1);
    assert_eq!(
        start(&shop, first).await.0,
        row[0].checked_sub(hour).unwrap()
    );
    assert_eq!(start(&shop, last).await.0, row[2]);
    assert_eq!(shop.count(own).await, 1);
    assert_eq!(shop.broken().await, [""; 0]);
}

/// Takes a little of the time at `start` for time off, as a booking of today could.
async fn book_over(shop: &Shop, start: Timestamp) -> &'static str {
    use crate::appointments::Absence;
    let from = start.checked_add(SignedDuration::from_mins(40)).unwrap();
    let to = start.checked_add(SignedDuration::from_mins(45)).unwrap();
    let absence = Absence {
        staff: shop.giver().await,
        during: booking::Span::new(from, to).unwrap(),
        reason: "other",
    };
    let keeper = super::shop::KEEPER;
    let left = shop
        .appointments
        .leave(&shop.business, absence, &[], keeper, shop.now);
    left.await.unwrap();
    "select count(*) from block where reason = 'other' and is_active"
}
