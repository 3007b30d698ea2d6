//! Businesses with years of bookings behind and weeks ahead of them: one large one, with a
//! tenth of all people and bookings, and many with three people each.

use std::fs;

use anyhow::Context as _;
use testkit::postgres::Database;

use crate::bench::claim::{psql, psql_file};

/// Bookings of one person, on average: about four on each working day of two years.
const BOOKINGS_OF_ONE: u32 = 2_400;
/// Visits that fit into the days that are filled, for one person.
const VISITS_OF_ONE: u32 = 6_950;
const PEOPLE_OF_A_SMALL_ONE: u32 = 3;

/// What was loaded.
#[derive(Debug, Clone)]
pub(super) struct World {
    bookings: u32,
    people: u32,
    /// Their slugs; the first is the large one.
    pub(super) businesses: Vec<String>,
}

/// The service that each of them gives.
pub(super) const SERVICE: &str = "visit";

impl World {
    fn of(bookings: u32) -> (Self, u32) {
        let people = (bookings / BOOKINGS_OF_ONE).max(12);
        let large = (people / 10).max(PEOPLE_OF_A_SMALL_ONE);
        let small = (people - large) / PEOPLE_OF_A_SMALL_ONE;
        let people = large + small * PEOPLE_OF_A_SMALL_ONE;
        let businesses = (0..=small).map(slug).collect();
        let world = Self {
            bookings,
            people,
            businesses,
        };
        (world, large)
    }

    pub(super) fn words(&self) -> String {
        format!(
            "{} bookings, {} businesses, {} people",
            self.bookings,
            self.businesses.len(),
            self.people
        )
    }
}

fn slug(business: u32) -> String {
    format!("b-{business:04}")
}

/// Fills an empty database.
pub(super) fn load(database: &Database, bookings: u32) -> anyhow::Result<World> {
    let (world, large) = World::of(bookings);
    let share = f64::from(bookings) / f64::from(world.people * VISITS_OF_ONE);
    let text = [
        offers(world.people, large),
        visits(bookings, share),
        TABLES.to_owned(),
    ];
    let folder = tempfile::tempdir().context("making a folder")?;
    let script = folder.path().join("load.sql");
    fs::write(&script, text.concat()).context("writing the statements")?;
    psql_file(database, &script)?;
    psql(database, "vacuum analyze")?;
    psql(database, "checkpoint")?;
    Ok(world)
}

/// Who gives what, and when.
fn offers(people: u32, large: u32) -> String {
    format!(
        "set session_replication_role = replica;
         set synchronous_commit = off;
         set work_mem = '256MB';
         set maintenance_work_mem = '512MB';
         create temporary table person as
             select n, b, md5('business' || b)::uuid as business, md5('lane' || n)::uuid as lane,
                 md5('staff' || n)::uuid as staff, md5('service' || b)::uuid as service
             from (select n, case when n < {large} then 0
                       else 1 + (n - {large}) / {PEOPLE_OF_A_SMALL_ONE} end as b
                   from generate_series(0, {people} - 1) n) as people;
         create temporary table shop as
             select b, business, service, count(*) as people from person group by 1, 2, 3;
         insert into business (id, slug, name, about, zone, currency, created_at)
             select business, 'b-' || lpad(b::text, 4, '0'), 'Business ' || b,
                 'Open from Monday to Saturday.', 'Africa/Johannesburg', 'ZAR', now()
             from shop;
         insert into location (id, business_id, name, address)
             select business, business, 'Main Street', b || ' Main Street' from shop;
         insert into service (id, business_id, slug, name, duration_minutes, after_minutes,
                 step_minutes, horizon_days, price_cents)
             select service, business, '{SERVICE}', 'Visit', 30, 10, 15, 90, 35000 from shop;
         insert into lane (id, business_id, kind) select lane, business, 'person' from person;
         insert into staff (id, business_id, location_id, lane_id, name)
             select staff, business, business, lane, 'Person ' || n from person;
         insert into service_staff (business_id, service_id, staff_id)
             select business, service, staff from person;
         insert into opening (id, business_id, lane_id, weekday, opens, closes)
             select gen_random_uuid(), business, lane, weekday, 480, 1020
             from person, generate_series(1, 6) weekday;
         insert into customer (id, business_id, name, email, created_at)
             select md5(b || 'customer' || c)::uuid, business, 'Customer ' || c,
                 'customer' || c || '@example.com', now()
             from shop, generate_series(0, people * 600 - 1) c;
"
    )
}

/// When somebody comes: each person has twelve visits on a working day, of which a share is
/// taken.
fn visits(bookings: u32, share: f64) -> String {
    format!(
        "create temporary table visit as
             select gen_random_uuid() as id, n, b, business, lane, staff, service, at,
                 md5(b || 'customer' || (n * 41 + d * 13 + k * 7 + 9000000)
                     % (people * 600))::uuid as customer
             from (select person.*, shop.people, d, k,
                       (current_date + d) at time zone 'Africa/Johannesburg'
                           + interval '8 hours' + k * interval '45 minutes' as at
                   from person join shop using (b, business, service),
                       generate_series(-600, 75) d, generate_series(0, 11) k
                   where extract(isodow from current_date + d) <= 6
                       and (hashint8(n * 1000003::bigint + d * 997 + k) & 65535)
                           < {share} * 65536) as visits
             limit {bookings};
"
    )
}

/// The rows of each booking. The proof against overlaps is built at the end, at once.
const TABLES: &str = "
    alter table claim drop constraint claim_no_overlap;
    insert into booking (id, business_id, service_id, staff_id, customer_id, state, starts_at,
            ends_at, zone, local_start, price_cents, currency, created_at, state_since)
        select id, business, service, staff, customer,
            case when at < now() then 'completed' else 'confirmed' end, at,
            at + interval '30 minutes', 'Africa/Johannesburg',
            to_char(at at time zone 'Africa/Johannesburg', 'YYYY-MM-DD\"T\"HH24:MI:SS'),
            35000, 'ZAR', at - interval '20 days', at - interval '20 days'
        from visit order by at;
    insert into claim (id, business_id, lane_id, booking_id, during, starts_at, ends_at)
        select gen_random_uuid(), business, lane, id,
            tstzrange(at, at + interval '40 minutes', '[)'), at, at + interval '40 minutes'
        from visit order by at;
    insert into booking_link (token_hash, business_id, booking_id)
        select sha256(id::text::bytea), business, id from visit;
    insert into audit (id, business_id, at, actor, action, subject)
        select gen_random_uuid(), business, at - interval '20 days', 'customer',
            'booking.confirmed', id
        from visit order by at;
    insert into consent (id, business_id, customer_id, booking_id, purpose, notice, given_at)
        select gen_random_uuid(), business, customer, id, 'booking', 'notice',
            at - interval '20 days'
        from visit order by at;
    alter table claim add constraint claim_no_overlap
        exclude using gist (lane_id with =, during with &&) where (active);
";

/// How the database finds what is taken in a month of the large business, as the role that
/// row-level security binds.
pub(super) fn explained(database: &Database) -> anyhow::Result<String> {
    let statement = "
        begin;
        select set_config('booking.business', md5('business0')::uuid::text, true);
        set local role application;
        explain (analyze, buffers)
        select lane_id, block_id is not null, array_agg(starts_at), array_agg(ends_at) from claim
        where active and lane_id = any(array(select id from lane))
            and ends_at > now() and starts_at < now() + interval '36 days'
            and (hold_until is null or hold_until > now())
        group by 1, 2;
        rollback";
    psql(database, statement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_world_has_one_large_business_and_some_small_ones() {
        let (world, large) = World::of(20_000);
        assert_eq!((world.people, large), (12, 3));
        assert_eq!(world.businesses.len(), 4);
        let (world, large) = World::of(1_000_000);
        assert_eq!((large, world.businesses.len()), (41, 126));
    }
}
