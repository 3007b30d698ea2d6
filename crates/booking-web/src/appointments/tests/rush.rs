//! Many at once, in every order, and processes that end in the middle: the database decides,
//! and nothing is ever there by half.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use booking::{Span, State};
use chassis::Random;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use super::shop::{KEEPER, Shop, book, person, wish};
use crate::appointments::staffed::OnBehalfOf;
use crate::appointments::time_off::Absence;
use crate::appointments::{Answer, Appointments, Choice, Confirmation, Holding, Rescheduling};
use crate::crew::Who;
use crate::store::hold::Holder;

const CLIENTS: usize = 1000;
/// So many of them at the same moment, on 32 connections.
const AT_ONCE: usize = 200;
const DEADLOCKS: &str = "select deadlocks from pg_stat_database where datname = current_database()";
fn choice(start: Timestamp, visitor: u8) -> Choice<'static> {
    Choice {
        start,
        who: Who::Anyone,
        holder: Holder {
            visit: Some([visitor; 32]),
            origin: None,
        },
        instead_of: None,
        key: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_one_time_are_one_winner_and_no_deadlock() {
    let shop = Shop::open(32).await;
    let start = shop.free(shop.now).await[0];
    let attempts = (0..CLIENTS).map(|n| {
        let shop = &shop;
        async move {
            let (key, email) = (format!("k{n}"), format!("v{n}@example.co.za"));
            // Every third only holds it.
            if n % 3 == 0 {
                let mut wanted = choice(start, 0);
                wanted.holder.visit = Some(*blake3::hash(key.as_bytes()).as_bytes());
                let held = shop.appointments.hold(shop.offered(), wanted, shop.now);
                return matches!(held.await.unwrap(), Holding::Kept { .. });
            }
            let wish = wish(start, &key, &email);
            let booked = shop.book(&wish, shop.now);
            matches!(booked.await.unwrap(), Answer::Made { .. })
        }
    });
    let attempts = stream::iter(attempts).buffer_unordered(AT_ONCE);
    let won: Vec<bool> = attempts.collect().await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    assert_eq!(shop.count(DEADLOCKS).await, 0);
    assert_eq!(shop.broken().await, [""; 0]);
}

/// Counts how often a future could go on.
struct Steps(Notify);

impl Wake for Steps {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Goes on with `future` at most `steps` times; none where it is not done by then.
async fn steps<F: Future>(future: F, steps: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let woken = Arc::new(Steps(Notify::new()));
    let waker = Waker::from(Arc::clone(&woken));
    for _ in 0..steps {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        woken.0.notified().await;
    }
    None
}

/// Lets a process end after each step of what it does, and looks at what it leaves, until it
/// is done before it ends.
async fn ended_at_each_step(shop: &Shop, what: &str, act: impl AsyncFn(&Appointments)) {
    for count in 1..400 {
        let process = shop.process();
        let done = steps(act(&process), count).await;
        // Its connection ends with it, in the middle of whatever the database does.
        drop(process);
        assert_eq!(shop.broken().await, [""; 0], "{what}, after {count} steps");
        if done.is_some() {
            assert!(count > 5, "{what} has no steps");
            return;
        }
    }
    panic!("{what} does not end");
}

#[tokio::test]
async fn a_process_that_ends_after_any_step_leaves_nothing_in_half() {
    let shop = Shop::open(4).await;
    let free = shop.free(shop.now).await;
    let (first, last) = (free[0], *free.last().unwrap());
    let (offered, now) = (shop.offered(), shop.now);
    ended_at_each_step(&shop, "booking", async |process| {
        // Sent again with its key, it is booked once, whatever became of it before.
        let wish = wish(first, "k", "k@example.co.za");
        let answer = book(process, offered, &wish, now).await.unwrap();
        assert!(matches!(
            answer,
            Answer::Made { .. } | Answer::MadeBefore { .. }
        ));
    })
    .await;
    let token = shop.appointments.token(shop_booking(&shop).await);
    ended_at_each_step(&shop, "moving", async |process| {
        let moved = process.reschedule(&token, last, None, now).await.unwrap();
        assert_eq!(moved, Rescheduling::There);
    })
    .await;
    ended_at_each_step(&shop, "cancelling", async |process| {
        process.cancel(&token, None, None, now).await.unwrap();
    })
    .await;
    ended_at_each_step(&shop, "holding", async |process| {
        let held = process.hold(offered, choice(first, 1), now).await.unwrap();
        assert!(matches!(held, Holding::Kept { .. }));
    })
    .await;
    let held = shop.appointments.hold(offered, choice(first, 1), now).await;
    let Holding::Kept { token } = held.unwrap() else {
        panic!("one's own hold is kept");
    };
    ended_at_each_step(&shop, "confirming", async |process| {
        let who = person("c@example.co.za");
        let confirmed = process.confirm(&token, who, None, now).await.unwrap();
        assert!(matches!(confirmed, Confirmation::Answer(_)));
    })
    .await;
    assert_eq!(shop.booking(&token).await.1, State::Confirmed);
}

/// The booking that was made last.
async fn shop_booking(shop: &Shop) -> Uuid {
    let again = wish(shop.now, "k", "k@example.co.za");
    let mut transaction = crate::store::begin(&shop.appointments.pool, shop.business.id)
        .await
        .unwrap();
    let earlier = crate::store::link::earlier(&mut transaction, again.key).await;
    earlier.unwrap().unwrap().booking
}

/// What one of several does, by chance.
async fn act(
    shop: &Shop,
    random: &Random,
    who: u8,
    tokens: &[String],
    free: &[Timestamp],
) -> Option<String> {
    let appointments = &shop.appointments;
    let pick = |count: usize| usize::try_from(random.below(count as u64)).unwrap();
    let start = free[pick(free.len())];
    let token = tokens.get(pick(tokens.len().max(1)));
    // Now and then what is held has run out.
    let now = shop.now.checked_add(SignedDuration::from_mins(
        15 * i64::try_from(pick(2)).unwrap(),
    ));
    let now = now.unwrap();
    match (pick(9), token) {
        (0 | 1, _) => {
            let key = random.token();
            let email = format!("{key}@example.co.za");
            let wish = wish(start, &key, &email);
            match book(appointments, shop.offered(), &wish, now)
                .await
                .unwrap()
            {
                Answer::Made { token, .. } => return Some(token),
                other => assert_eq!(other, Answer::Gone),
            }
        }
        (2 | 3, _) => {
            let held = appointments.hold(shop.offered(), choice(start, who), now);
            if let Holding::Kept { token } = held.await.unwrap() {
                return Some(token);
            }
        }
        (4, Some(token)) => {
            let confirmed = appointments.confirm(token, person("c@example.co.za"), None, now);
            confirmed.await.unwrap();
        }
        (5, Some(token)) => {
            appointments
                .reschedule(token, start, None, now)
                .await
                .unwrap();
        }
        (6, Some(token)) => {
            appointments.cancel(token, None, None, now).await.unwrap();
        }
        (7, Some(token)) => {
            let (id, _) = shop.booking(token).await;
            let seen = shop.seen(id).await;
            let moved = appointments.move_at_desk(seen, (start, Who::Anyone), KEEPER, now);
            moved.await.unwrap();
            let seen = shop.seen(id).await;
            let off = appointments.cancel_at_desk(seen, (OnBehalfOf::Business, None), KEEPER, now);
            off.await.unwrap();
        }
        (8, _) => {
            appointments.sweep_holds(now).await.unwrap();
            let end = start.checked_add(SignedDuration::from_hours(3)).unwrap();
            let absence = Absence {
                staff: shop.giver().await,
                during: Span::new(start, end).unwrap(),
                reason: "other",
            };
            // Where it hits a booking, nothing is done, for nobody decides.
            let leaving = appointments.leave(&shop.business, absence, &[], KEEPER, now);
            leaving.await.unwrap();
        }
        _ => {}
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_four_do_at_once_the_database_holds_the_truth() {
    let shop = Shop::open(12).await;
    let free = shop.free(shop.now).await;
    let seeds = 40;
    for seed in 0..seeds {
        let random = Random::seeded(seed);
        let mut tokens: Vec<String> = Vec::new();
        for _ in 0..8 {
            let acts = (0..4).map(|who| act(&shop, &random, who, &tokens, &free));
            let made = join_all(acts).await;
            tokens.extend(made.into_iter().flatten());
        }
        assert_eq!(shop.broken().await, [""; 0], "seed {seed}");
    }
}
