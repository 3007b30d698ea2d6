//! One person in several records, and many records at once: what is judged about one of them
//! is judged about all.

use jiff::SignedDuration;
use uuid::Uuid;

use super::erasure::Erased;
use super::person::World;
use super::retention;
use crate::store;
use crate::store::privacy;

const OTHER_EMAIL: &str = "z.quetzal.before@example.co.za";

/// A record that was merged into the person's.
async fn merged(world: &World) -> Uuid {
    world
        .run(&[
            "insert into customer (id, business_id, name, email, phone, created_at, merged_into)
             values ('00000000-0000-4000-8000-000000000001', :business, :name,
                 'z.quetzal.before@example.co.za', :phone, now() - interval '9 days', :customer)",
        ])
        .await;
    Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001)
}

async fn customer_of(world: &World, email: &str) -> Option<Uuid> {
    let mut transaction = store::begin(&world.pool, world.business).await.unwrap();
    privacy::customer_of(&mut transaction, email).await.unwrap()
}

async fn retain_in(world: &World, days: i64) -> retention::Gone {
    let later = world
        .now
        .saturating_add(SignedDuration::from_hours(days * 24))
        .unwrap();
    retention::retain(&world.pool, &world.random, later)
        .await
        .unwrap()
}

#[tokio::test]
async fn somebody_who_still_comes_is_kept_also_where_an_old_record_has_their_address() {
    let world = World::new().await;
    world
        .run(&[
            "insert into customer (id, business_id, name, email, created_at)
             values (gen_random_uuid(), :business, 'As it was', lower(:email),
                 now() - interval '2000 days')",
        ])
        .await;
    let named = "select count(*) from customer where erased_at is null and $1 is not null
                 and lower(email) = 'zandile.quetzal@example.co.za'";
    assert_eq!(world.one(named).await, 2);
    retain_in(&world, 0).await;
    assert_eq!(world.one(named).await, 2, "the last visit was a week ago");
    retain_in(&world, 1100).await;
    assert_eq!(world.one(named).await, 0);
}

#[tokio::test]
async fn a_merged_person_is_found_given_out_held_and_erased_from_either_address() {
    let world = World::new().await;
    let other = merged(&world).await;
    for email in [OTHER_EMAIL, "ZANDILE.quetzal@example.co.za"] {
        assert_eq!(customer_of(&world, email).await, Some(world.customer));
    }
    for customer in [other, world.customer] {
        let copy = world.export_of(customer).await;
        assert_eq!(copy["customer"].len(), 2, "from {customer}");
        assert!(copy.contains_key("booking"), "from {customer}");
    }
    world
        .run(&[
            "insert into legal_hold (id, business_id, customer_id, reason, placed_at)
             values (gen_random_uuid(), :business, :customer, 'A claim', now())",
        ])
        .await;
    assert_eq!(world.erase_of(other).await, Erased::Held);
    world
        .run(&["update legal_hold set lifted_at = now() where customer_id = :customer"])
        .await;
    assert_eq!(world.erase_of(other).await, Erased::Now);
    assert!(world.scan().await.is_empty(), "{:?}", world.scan().await);
    assert_eq!(customer_of(&world, OTHER_EMAIL).await, None);
    let listed = "select count(*) from erasure where $1 is not null";
    assert_eq!(world.one(listed).await, 2);
}

#[tokio::test]
async fn whoever_cannot_be_erased_yet_keeps_nobody_else() {
    let world = World::new().await;
    world
        .run(&[
            "insert into legal_hold (id, business_id, customer_id, reason, placed_at)
             values (gen_random_uuid(), :business, :customer, 'A claim', now())",
            "insert into customer (id, business_id, name, created_at, merged_into)
             select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, :business,
                 'Held by another record', now() - interval '2000 days', :customer
             from generate_series(1, 150) as n",
            "insert into customer (id, business_id, name, created_at)
             values ('ffffffff-ffff-4fff-8fff-ffffffffffff', :business, 'Long ago',
                 now() - interval '2000 days')",
        ])
        .await;
    retain_in(&world, 0).await;
    let left = "select count(*) from customer where name = 'Long ago' and $1 is not null";
    assert_eq!(world.one(left).await, 0);
    let held = "select count(*) from customer where merged_into = $1 and erased_at is null";
    assert_eq!(world.one(held).await, 150);
}

#[tokio::test]
async fn a_business_that_fails_keeps_no_other_from_letting_go() {
    let world = World::new().await;
    world
        .run(&[
            "create function fails() returns trigger language plpgsql as
                 $$ begin raise exception 'broken'; end $$",
            "do $$ begin execute format('create trigger fails before update on customer
                 for each row when (new.business_id <> %L) execute function fails()',
                 (select id from business where slug = 'karoo-cuts')); end $$",
        ])
        .await;
    let gone = retain_in(&world, 1100).await;
    assert!(gone.0["contact"] > 0, "{gone:?}");
    assert!(world.scan().await.is_empty());
}

#[tokio::test]
async fn messages_go_ninety_days_after_they_were_sent_or_given_up_and_held_ones_stay() {
    let world = World::new().await;
    world
        .run(&[
            "insert into outbox (id, business_id, dedupe_key, kind, booking_id, send_after, state,
                 recipient, content)
             values (gen_random_uuid(), :business, 'given-up', 'reminder', :booking,
                 now() - interval '1 day', 'dead', :email, :name)",
            "insert into legal_hold (id, business_id, customer_id, reason, placed_at)
             values (gen_random_uuid(), :business, :customer, 'A claim', now())",
        ])
        .await;
    let dead = "select count(*) from outbox where dedupe_key = 'given-up' and $1 is not null";
    retain_in(&world, 100).await;
    assert_eq!(world.one(dead).await, 1, "a hold stands");
    world
        .run(&["update legal_hold set lifted_at = now() where customer_id = :customer"])
        .await;
    retain_in(&world, 88).await;
    assert_eq!(world.one(dead).await, 1);
    retain_in(&world, 90).await;
    assert_eq!(world.one(dead).await, 0);
}

#[tokio::test]
async fn a_request_that_has_lost_its_address_loses_its_words_too() {
    let world = World::new().await;
    world
        .run(&[
            "insert into privacy_request (id, business_id, kind, channel, state, outcome, language,
                 received_at, due_at, closed_at)
             values (gen_random_uuid(), :business, 'erasure', 'phone', 'refused',
                 'We told ' || :name, 'en', now() - interval '400 days',
                 now() - interval '370 days', now() - interval '399 days')",
        ])
        .await;
    retain_in(&world, 0).await;
    let words = "select count(*) from privacy_request where outcome like 'We told%'
                 and $1 is not null";
    assert_eq!(world.one(words).await, 0);
}

#[tokio::test]
async fn whoever_signed_up_and_never_confirmed_is_forgotten_with_a_business_that_nobody_used() {
    let world = World::new().await;
    let sign_up = |slug: &str, number: u8| {
        format!(
            "with one as (insert into account (id, email, name, state, created_at)
                 values ('00000000-0000-4000-8000-00000000010{number}',
                     '{slug}@nails.example', 'Quetzal of {slug}', 'unconfirmed', now())
                 returning id),
             shop as (insert into business (id, slug, name, zone, currency, created_at, is_listed)
                 values ('00000000-0000-4000-8000-00000000020{number}', '{slug}',
                     'Quetzal Nails', 'Africa/Johannesburg', 'ZAR', now(), false)
                 returning id)
             select 1 from one, shop"
        )
    };
    let (unused, booked) = (sign_up("unused", 1), sign_up("booked", 2));
    let belongs = "insert into membership (business_id, account_id, role, created_at)
         select business.id, account.id, 'owner', now() from business, account
         where account.email = business.slug || '@nails.example'";
    let links = "insert into account_link (token_hash, account_id, purpose, created_at, expires_at)
         select sha256(id::text::bytea), id, 'confirm_email', now(), now() + interval '2 days'
         from account where state = 'unconfirmed'";
    let used = "update business set is_listed = true where slug = 'booked'";
    world.run(&[&unused, &booked, belongs, links, used]).await;
    let named = "select count(*) from account where name like 'Quetzal of%' and $1 is not null";
    retain_in(&world, 31).await;
    assert_eq!(world.one(named).await, 2, "the link ended 29 days ago");
    retain_in(&world, 33).await;
    assert_eq!(world.one(named).await, 1);
    let left = "select count(*) from business where name = 'Quetzal Nails' and $1 is not null";
    assert_eq!(world.one(left).await, 1);
    let gone = "select count(*) from account where email like 'unused%' and $1 is not null";
    assert_eq!(world.one(gone).await, 0);
    retain_in(&world, 34).await;
    assert_eq!(world.one(named).await, 1, "one that was listed stays");
    // Whoever comes next may have the address that nobody used.
    let taken = "select count(*) from business where slug = 'unused' and $1 is not null";
    assert_eq!(world.one(taken).await, 0);
    world.run(&[&sign_up("unused", 3)]).await;
    assert_eq!(world.one(taken).await, 1);
    let kept = "select count(*) from business where slug = 'booked' and $1 is not null";
    assert_eq!(world.one(kept).await, 1);
}
