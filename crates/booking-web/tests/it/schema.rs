//! Bringing the schema up to date, keeping businesses apart, and the demonstration.

use crate::site::{Site, World, run, wish};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use testkit::postgres::Database;
use testkit::services;

/// The migrations that there are.
fn all_levels() -> Vec<i64> {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
    let mut levels: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .map(|name| name.split('_').next().unwrap().parse().unwrap())
        .collect();
    levels.sort_unstable();
    levels
}

async fn empty() -> Database {
    Database::empty(&services::shared().unwrap().postgres)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_may_migrate_at_once_and_again() {
    let database = empty().await;
    let url = database.url();
    let together: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            tokio::task::spawn_blocking(move || run("migrate", &url))
        })
        .collect();
    for one in together {
        one.await.unwrap().unwrap();
    }
    run("migrate", &url).unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let levels: Vec<i64> = sqlx::query_scalar("select version from _sqlx_migrations order by 1")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(levels, all_levels());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_a_lock_without_holding_up_visitors_for_long() {
    let database = empty().await;
    let url = database.url();
    // Somebody else's migration is in progress.
    let mut other = PgConnection::connect(&url).await.unwrap();
    sqlx::query("create table _sqlx_migrations (version bigint primary key, description text not null, installed_on timestamptz not null default now(), success boolean not null, checksum bytea not null, execution_time bigint not null)")
        .execute(&mut other)
        .await
        .unwrap();
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("lock table _sqlx_migrations in access exclusive mode")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let migrating = tokio::task::spawn_blocking(move || run("migrate", &url));
    let waits = "select count(*) from pg_locks where not granted";
    let admin = database.admin_url();
    crate::site::until("the migration waits", async || {
        let mut connection = PgConnection::connect(&admin).await.unwrap();
        let waiting: i64 = sqlx::query_scalar(waits)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        (waiting > 0).then_some(())
    })
    .await;
    transaction.rollback().await.unwrap();
    migrating.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_schema_of_a_newer_release_is_left_alone_and_serves_the_older_one() {
    let world = World::migrated().await;
    let pool = world.all().await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'of the future', true, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    // As when the older release comes back.
    run("migrate", &world.database.url()).unwrap();
    let levels: Vec<i64> = sqlx::query_scalar("select version from _sqlx_migrations order by 1")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(levels, [all_levels(), vec![9999]].concat());
    let site = world.site().await;
    assert_eq!(site.api().get("/api/health").await.status, 200);
}

#[tokio::test]
async fn a_role_that_row_level_security_does_not_bind_is_refused() {
    let database = empty().await;
    let refused = run("migrate", &database.admin_url())
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("passes by row-level security"),
        "{refused}"
    );
    let tables = PgConnection::connect(&database.url()).await;
    let mut connection = tables.unwrap();
    let count: i64 =
        sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(count, 0, "something was made before it was refused");
}

#[tokio::test]
async fn a_release_in_such_a_role_is_not_well() {
    let world = World::seeded().await;
    let url = world.database.admin_url();
    let site = Site::start(&[("DATABASE_URL", &url), ("RELEASE", crate::site::RELEASE)]).await;
    for path in ["/api/health", "/api/bookings/health"] {
        let said = site.api().get(path).await;
        assert_eq!(said.status, 503, "{said:?}");
        assert!(
            said.body.to_string().contains("row-level security"),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn every_table_of_a_business_is_bound_by_row_level_security_for_its_owner_too() {
    let world = World::migrated().await;
    let unbound = world
        .count(
            "select count(*) from pg_class
             where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
               and relname <> '_sqlx_migrations'
               and not (relrowsecurity and relforcerowsecurity)",
        )
        .await;
    assert_eq!(unbound, 0);
    // The whole of it rests on the role that the application uses.
    let pool = sqlx::PgPool::connect(&world.database.url()).await.unwrap();
    let row = sqlx::query(
        "select pg_get_userbyid(relowner) = current_user, rolsuper or rolbypassrls
         from pg_class, pg_roles where relname = 'booking' and rolname = current_user",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(
        (row.get::<bool, _>(0), row.get::<bool, _>(1)),
        (true, false)
    );
}

#[tokio::test]
async fn the_rows_of_a_neighbour_can_neither_be_seen_nor_changed_nor_written() {
    let world = World::seeded().await;
    let all = world.all().await;
    let ids: Vec<(uuid::Uuid,)> = sqlx::query_as("select id from business order by slug")
        .fetch_all(&all)
        .await
        .unwrap();
    let (ours, theirs) = (ids[0].0, ids[1].0);
    let tables: Vec<(String,)> = sqlx::query_as(
        "select table_name::text from information_schema.columns
         where table_schema = 'public' and column_name = 'business_id' order by 1",
    )
    .fetch_all(&all)
    .await
    .unwrap();
    assert!(tables.len() >= 14, "{tables:?}");

    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    let count = async |connection: &mut PgConnection, table: &str, condition: &str| -> i64 {
        let query = format!("select count(*) from {table} where {condition}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(connection)
            .await
            .unwrap()
    };
    for (table,) in &tables {
        assert_eq!(
            count(&mut connection, table, "true").await,
            0,
            "{table} without a scope"
        );
    }
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query("select set_config('booking.business', $1, true)")
        .bind(ours.to_string())
        .execute(&mut *transaction)
        .await
        .unwrap();
    let foreign = format!("business_id <> '{ours}'");
    for (table,) in &tables {
        assert_eq!(
            count(&mut transaction, table, &foreign).await,
            0,
            "{table} of a neighbour"
        );
    }
    assert!(
        count(&mut transaction, "booking", "true").await > 0,
        "our own are seen"
    );
    for statement in ["update customer set name = 'x'", "delete from claim"] {
        let query = format!("{statement} where business_id = '{theirs}'");
        let changed = sqlx::query(sqlx::AssertSqlSafe(query))
            .execute(&mut *transaction)
            .await;
        assert_eq!(changed.unwrap().rows_affected(), 0, "{statement}");
    }
    let written = sqlx::query("insert into lane (id, business_id, kind) values ($1, $2, 'room')")
        .bind(uuid::Uuid::max())
        .bind(theirs)
        .execute(&mut *transaction)
        .await
        .unwrap_err();
    assert!(
        written.to_string().contains("row-level security"),
        "{written}"
    );
}

#[tokio::test]
async fn one_business_cannot_be_asked_for_what_another_offers() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let path = "/api/v1/businesses/karoo-cuts/services/private-yoga/availability";
    assert_eq!(api.get(path).await.status, 404);
    let start = &api.free("the-quiet-room", "private-yoga", 14).await[0];
    let said = api
        .book("karoo-cuts", "k", &wish("private-yoga", start, "t"))
        .await;
    assert_eq!(said.status, 404, "{said:?}");
}

#[tokio::test]
async fn the_demonstration_is_whole_the_same_each_time_and_planted_once() {
    let (one, two) = (empty().await, empty().await);
    let mut pictures = Vec::new();
    for database in [&one, &two] {
        run("migrate", &database.url()).unwrap();
        run("seed", &database.url()).unwrap();
        run("seed", &database.url()).unwrap();
        let mut connection = PgConnection::connect(&database.admin_url()).await.unwrap();
        let row: (i64, i64, i64, i64, i64, Option<String>) = sqlx::query_as(
            "select (select count(*) from business), (select count(*) from service),
                    (select count(*) from staff), (select count(*) from booking),
                    (select count(distinct starts_at::date) from booking),
                    (select md5(string_agg(local_start || zone || price_cents, ',' order by local_start, price_cents)) from booking)",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        pictures.push(row);
    }
    let (businesses, services, staff, bookings, days, _) = pictures[0];
    assert_eq!((businesses, services, staff), (3, 11, 8));
    assert!(
        bookings >= 400 && days >= 24,
        "{bookings} bookings on {days} days"
    );
    assert_eq!(pictures[0], pictures[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_may_plant_at_once() {
    let database = empty().await;
    let url = database.url();
    run("migrate", &url).unwrap();
    // One of them is slow to end.
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut slow = other.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(4120551)")
        .execute(&mut *slow)
        .await
        .unwrap();
    let planting: Vec<_> = (0..2)
        .map(|_| {
            let url = url.clone();
            tokio::task::spawn_blocking(move || run("seed", &url))
        })
        .collect();
    let admin = database.admin_url();
    // Longer than a schema change would wait.
    let waits = "select count(*) from pg_stat_activity where wait_event = 'advisory' \
                 and clock_timestamp() - query_start > interval '4 s'";
    crate::site::until("both have waited long", async || {
        let mut connection = PgConnection::connect(&admin).await.unwrap();
        let waiting: i64 = sqlx::query_scalar(waits)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        (waiting == 2).then_some(())
    })
    .await;
    slow.rollback().await.unwrap();
    for one in planting {
        one.await.unwrap().unwrap();
    }
    let count: i64 = sqlx::query_scalar("select count(*) from business")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(count, 3);
}

#[tokio::test]
async fn there_are_free_times_enough_for_a_demonstration() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let mut free = 0;
    for (business, service) in [
        ("karoo-cuts", "haircut"),
        ("bluff-physio", "follow-up"),
        ("the-quiet-room", "breathing"),
    ] {
        free += api.free(business, service, 31).await.len();
    }
    // How many exactly depends on the weekday and the holidays to come.
    assert!(free > 1000, "{free}");
}

#[tokio::test]
async fn claims_that_were_there_before_get_their_ends_and_old_ones_are_left() {
    let world = World::seeded().await;
    let before = world.all().await;
    // On some days of the week the demonstration has none that is so old.
    sqlx::query(
        "update claim set during = tstzrange(
             lower(during) - interval '60 days', upper(during) - interval '60 days')
         where id in (select id from claim where active order by during limit 5)",
    )
    .execute(&before)
    .await
    .unwrap();
    sqlx::query("update claim set starts_at = null, ends_at = null")
        .execute(&before)
        .await
        .unwrap();
    let recent = "select count(*) from claim
        where active and upper(during) > now() - interval '7 days'";
    let all = world.count("select count(*) from claim").await;
    let recent = world.count(recent).await;
    assert!(0 < recent && recent < all, "{recent} of {all}");
    // As the owner of the tables, whom row-level security binds.
    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    sqlx::raw_sql(include_str!("../../migrations/0024_claim_ends_filled.sql"))
        .execute(&mut connection)
        .await
        .unwrap();
    let filled = "select count(*) from claim
        where active and upper(during) > now() - interval '7 days'
          and starts_at = lower(during) and ends_at = upper(during)";
    let with_ends = "select count(*) from claim where ends_at is not null";
    let found = (world.count(filled).await, world.count(with_ends).await);
    assert_eq!(found, (recent, recent));
}
