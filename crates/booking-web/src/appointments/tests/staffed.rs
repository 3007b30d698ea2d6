//! What the staff do, with a clock that stands where the test wants it.

use booking::{State, Waiver};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::shop::{KEEPER, Shop};
use crate::appointments::keeper::Keeper;
use crate::appointments::phone::{DeskAnswer, DeskWish, Guest};
use crate::appointments::staffed::{DeskChange, OnBehalfOf};
use crate::crew::Who;

fn plus(at: Timestamp, minutes: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

async fn ring(shop: &Shop, start: Timestamp, guest: Guest<'_>, key: &str) -> DeskAnswer {
    let wish = DeskWish {
        start,
        who: Who::Anyone,
        guest,
        note: None,
        walked_in: false,
        told: true,
        keeper: KEEPER,
        key,
    };
    let booked = shop
        .appointments
        .book_at_desk(shop.offered(), wish, shop.now);
    booked.await.unwrap()
}

fn made(answer: DeskAnswer) -> Uuid {
    match answer {
        DeskAnswer::Made { booking } => booking,
        other => panic!("{other:?}"),
    }
}

fn guest(email: &str) -> Guest<'_> {
    Guest::New {
        name: "Thandi Nkosi",
        email: Some(email),
        phone: Some("+27821234567"),
    }
}

async fn tell(shop: &Shop, booking: Uuid, to: State, now: Timestamp) -> DeskChange {
    let seen = shop.seen(booking).await;
    let told = shop.appointments.tell(seen, to, KEEPER, now);
    told.await.unwrap()
}

async fn state(shop: &Shop, booking: Uuid) -> State {
    let token = shop.appointments.token(booking);
    shop.booking(&token).await.1
}

async fn call_off(shop: &Shop, booking: Uuid, whose: OnBehalfOf, now: Timestamp) -> DeskChange {
    let seen = shop.seen(booking).await;
    let off = shop
        .appointments
        .cancel_at_desk(seen, (whose, None), KEEPER, now);
    off.await.unwrap()
}

#[tokio::test]
async fn who_rings_is_booked_by_name_and_the_audit_names_who_did_it() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let id = made(ring(&shop, free[0], guest("rang@example.co.za"), "a").await);
    assert_eq!(state(&shop, id).await, State::Confirmed);
    // The same form sent again is the same booking; another one cannot have the time.
    let again = ring(&shop, free[0], guest("rang@example.co.za"), "a").await;
    assert_eq!(again, DeskAnswer::Made { booking: id });
    let other = ring(&shop, free[1], guest("rang@example.co.za"), "a").await;
    assert_eq!(other, DeskAnswer::KeyReused);
    let gone = ring(&shop, free[0], guest("late@example.co.za"), "b").await;
    assert_eq!(gone, DeskAnswer::Gone);
    let unknown = ring(&shop, free[1], Guest::Known(Uuid::nil()), "c").await;
    assert_eq!(unknown, DeskAnswer::UnknownGuest);
    let told =
        "select count(*) from audit where actor = 'business' and action = 'booking.confirmed'
        and actor_id = '00000000-0000-0000-0000-000000000007' and after->>'state' = 'confirmed'";
    assert_eq!(shop.count(told).await, 1);
    let how = "select count(*) from consent join notice using (wording_hash)
        where channel = 'phone' and purpose = 'carry-out-booking'
          and recorded_by = '00000000-0000-0000-0000-000000000007'";
    assert_eq!(shop.count(how).await, 1, "once, and with its wording");
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn who_rings_needs_no_address_and_who_is_known_stays_who_they_are() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let nameless = Guest::New {
        name: "Gogo Mthembu",
        email: None,
        phone: None,
    };
    made(ring(&shop, free[0], nameless, "a").await);
    let whose = "select count(*) from booking join customer on customer.id = booking.customer_id
        where customer.name = 'Gogo Mthembu' and customer.email is null
          and booking.booked_name = 'Gogo Mthembu'";
    assert_eq!(shop.count(whose).await, 1);
    let last = *free.last().unwrap();
    let known = made(ring(&shop, last, guest("known@example.co.za"), "b").await);
    let renamed = Guest::New {
        name: "Somebody Else",
        email: Some("known@example.co.za"),
        phone: None,
    };
    let off = call_off(&shop, known, OnBehalfOf::Business, shop.now).await;
    assert_eq!(off, DeskChange::Done);
    made(ring(&shop, last, renamed, "c").await);
    let one = "select count(*) from customer where email = 'known@example.co.za'
        and name = 'Thandi Nkosi'";
    assert_eq!(shop.count(one).await, 1);
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn who_walks_in_is_there_at_once() {
    let shop = Shop::open(4).await;
    // Somebody comes between two free times, at a minute that is not offered.
    let free = shop.free(shop.now).await;
    let step = i64::from(shop.service.step_minutes);
    let pair = free.windows(2).find(|two| two[1] == plus(two[0], step));
    let came = plus(pair.unwrap()[0], 1);
    let wish = DeskWish {
        start: came,
        who: Who::Anyone,
        guest: guest("walked@example.co.za"),
        note: None,
        walked_in: true,
        told: false,
        keeper: KEEPER,
        key: "walked",
    };
    let now = came.checked_add(SignedDuration::from_secs(30)).unwrap();
    let answer = shop.appointments.book_at_desk(shop.offered(), wish, now);
    let id = made(answer.await.unwrap());
    assert_eq!(state(&shop, id).await, State::Arrived);
    // Nobody said that they were told anything, so nothing says it.
    assert_eq!(shop.count("select count(*) from consent").await, 0);
    assert_eq!(
        tell(&shop, id, State::Completed, now).await,
        DeskChange::Done
    );
    assert_eq!(
        tell(&shop, id, State::NoShow, now).await,
        DeskChange::NotAllowed
    );
}

#[tokio::test]
async fn nobody_is_missing_too_soon_and_a_mistake_is_taken_back_within_two_days() {
    let shop = Shop::open(4).await;
    let start = shop.free(shop.now).await[0];
    let id = made(ring(&shop, start, guest("late@example.co.za"), "a").await);
    let early = tell(&shop, id, State::NoShow, plus(start, 9)).await;
    assert_eq!(early, DeskChange::NotAllowed);
    let said = plus(start, 10);
    for _ in 0..2 {
        assert_eq!(tell(&shop, id, State::NoShow, said).await, DeskChange::Done);
    }
    let two_days = 48 * 60;
    let late = tell(&shop, id, State::Confirmed, plus(said, two_days + 1)).await;
    assert_eq!(late, DeskChange::NotAllowed);
    let undone = tell(&shop, id, State::Arrived, plus(said, two_days)).await;
    assert_eq!(undone, DeskChange::Done);
    let other = tell(&shop, Uuid::nil(), State::Arrived, said).await;
    assert_eq!(other, DeskChange::Unknown);
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn the_staff_move_and_call_off_and_only_the_customers_own_wish_costs_them() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let appointments = &shop.appointments;
    let id = made(ring(&shop, free[0], guest("moved@example.co.za"), "a").await);
    let to = *free.last().unwrap();
    let before = shop.seen(id).await;
    for _ in 0..2 {
        // Sent twice, it is moved once.
        let moved = appointments.move_at_desk(before, (to, Who::Anyone), KEEPER, shop.now);
        assert_eq!(moved.await.unwrap(), DeskChange::Done);
    }
    let stale = appointments.move_at_desk(before, (free[0], Who::Anyone), KEEPER, shop.now);
    assert_eq!(stale.await.unwrap(), DeskChange::Changed);
    let (_, booking) = appointments
        .find(&appointments.token(id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((booking.id, booking.start), (id, to));

    let whose = OnBehalfOf::Customer(Some(Waiver::HospitalOrBereavement));
    assert_eq!(call_off(&shop, id, whose, to).await, DeskChange::Done);
    let free_of_charge = "select count(*) from booking where fee_cents = 0 and fee_is_waived";
    assert_eq!(shop.count(free_of_charge).await, 1);
    let second = made(ring(&shop, to, guest("moved@example.co.za"), "b").await);
    let off = call_off(&shop, second, OnBehalfOf::Business, to).await;
    assert_eq!(off, DeskChange::Done);
    assert_eq!(state(&shop, second).await, State::CancelledByBusiness);
    assert_eq!(shop.broken().await, [""; 0]);
}

#[tokio::test]
async fn who_is_bound_to_one_calendar_changes_no_other() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let bound = |only| Keeper {
        only: Some(only),
        ..KEEPER
    };
    let (own, other) = (bound(shop.giver().await), bound(Uuid::from_u128(9)));
    let wish = |keeper, key| DeskWish {
        start: free[0],
        who: Who::Anyone,
        guest: guest("own@example.co.za"),
        note: None,
        walked_in: false,
        told: true,
        keeper,
        key,
    };
    let book = async |wish| {
        let booked = shop
            .appointments
            .book_at_desk(shop.offered(), wish, shop.now);
        booked.await.unwrap()
    };
    assert_eq!(book(wish(other, "a")).await, DeskAnswer::Gone);
    let seen = shop.seen(made(book(wish(own, "b")).await)).await;
    let (appointments, now) = (&shop.appointments, shop.now);
    let to = (*free.last().unwrap(), Who::Anyone);
    let moved = appointments.move_at_desk(seen, to, other, now).await;
    let told = appointments.tell(seen, State::Arrived, other, now).await;
    let off = appointments.cancel_at_desk(seen, (OnBehalfOf::Business, None), other, now);
    for refused in [moved, told, off.await] {
        assert_eq!(refused.unwrap(), DeskChange::Unknown);
    }
    let moved = appointments.move_at_desk(seen, to, own, now).await;
    assert_eq!(moved.unwrap(), DeskChange::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn calling_off_against_a_no_show_and_moving_against_either_have_one_outcome() {
    let shop = Shop::open(8).await;
    let free = shop.free(shop.now).await;
    let start = free[0];
    let late = plus(start, 15);
    for round in 0..10 {
        let key = format!("round-{round}");
        let id = made(ring(&shop, start, guest("both@example.co.za"), &key).await);
        let (seen, appointments) = (shop.seen(id).await, &shop.appointments);
        let whose = OnBehalfOf::Customer(None);
        let to = (*free.last().unwrap(), Who::Anyone);
        let (off, missing, moved) = tokio::join!(
            appointments.cancel_at_desk(seen, (whose, None), KEEPER, late),
            appointments.tell(seen, State::NoShow, KEEPER, late),
            appointments.move_at_desk(seen, to, KEEPER, late),
        );
        let outcomes = [off.unwrap(), missing.unwrap(), moved.unwrap()];
        let done = outcomes.iter().filter(|one| **one == DeskChange::Done);
        assert_eq!(done.count(), 1, "{outcomes:?}");
        let now = state(&shop, id).await;
        let expected = match outcomes {
            [DeskChange::Done, ..] => State::CancelledByCustomer,
            [_, DeskChange::Done, _] => State::NoShow,
            _ => State::Confirmed,
        };
        assert_eq!(now, expected);
        assert_eq!(shop.broken().await, [""; 0]);
        // The next round needs the time again.
        if now == State::NoShow {
            tell(&shop, id, State::Confirmed, late).await;
        }
        if now != State::CancelledByCustomer {
            let off = call_off(&shop, id, OnBehalfOf::Business, late).await;
            assert_eq!(off, DeskChange::Done);
        }
    }
}
