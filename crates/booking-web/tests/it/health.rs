//! The three questions about health, each seen to turn red by the thing that it asks
//! about, and what visitors get meanwhile.

use crate::site::{Said, Site, World, run, until, wish};
use serde_json::Value;
use testkit::postgres::{Database, Postgres};
use testkit::redis::Redis;

fn check<'a>(said: &'a Said, name: &str) -> &'a Value {
    let checks = said.body["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("{name} was not looked at: {said:?}"))
}

/// Alive, parts, bookings.
async fn statuses(site: &Site) -> [(u16, String); 3] {
    let api = site.api();
    let mut found = Vec::new();
    for path in ["/health", "/api/health", "/api/bookings/health"] {
        let said = api.get(path).await;
        assert_eq!(said.text("release"), crate::site::RELEASE);
        found.push((said.status, said.text("status").to_owned()));
    }
    found.try_into().unwrap()
}

fn up() -> (u16, String) {
    (200, "up".to_owned())
}

fn down() -> (u16, String) {
    (503, "down".to_owned())
}

#[tokio::test]
async fn all_is_well_where_all_is_there() {
    let world = World::seeded().await;
    let site = world.site().await;
    assert_eq!(statuses(&site).await, [up(), up(), up()]);
    // A rehearsal leaves no trace.
    let claims = "select count(*) from claim where upper(during) < '2020-01-01'";
    assert_eq!(world.count(claims).await, 0);
}

#[tokio::test]
async fn a_database_that_stops_makes_all_but_alive_red_and_nobody_sees_an_error_of_ours() {
    let mut postgres = Postgres::start().unwrap();
    let database = Database::empty(&postgres.address()).await.unwrap();
    let url = database.url();
    run("migrate", &url).unwrap();
    run("seed", &url).unwrap();
    let site = Site::start(&[("DATABASE_URL", &url), ("RELEASE", crate::site::RELEASE)]).await;
    assert_eq!(statuses(&site).await, [up(), up(), up()]);
    let api = site.api();
    let start = api.free("karoo-cuts", "haircut", 7).await[0].clone();

    postgres.stop().unwrap();
    assert_eq!(statuses(&site).await, [up(), down(), down()]);
    let parts = api.get("/api/health").await;
    assert_eq!(check(&parts, "database")["status"], "down");
    assert_eq!(
        check(&parts, "database")["detail"],
        "the database does not answer"
    );

    let said = api
        .book("karoo-cuts", "k", &wish("haircut", &start, "t"))
        .await;
    assert_eq!(
        (said.status, said.text("type").ends_with("/unavailable")),
        (503, true),
        "{said:?}"
    );
    let page = site.visitor().open("/karoo-cuts").await;
    assert_eq!(
        (page.status.as_u16(), page.heading()),
        (503, "We cannot answer just now")
    );
}

#[tokio::test]
async fn a_release_that_starts_without_its_database_is_well_once_it_is_there() {
    let shared = testkit::services::shared().unwrap();
    let database = Database::empty(&shared.postgres).await.unwrap();
    let url = database.url();
    let site = Site::start(&[("DATABASE_URL", &url), ("RELEASE", crate::site::RELEASE)]).await;
    // There is a database, but no schema in it.
    let parts = site.api().get("/api/health").await;
    assert_eq!(parts.status, 503);
    assert_eq!(check(&parts, "database")["status"], "up");
    let detail = check(&parts, "schema")["detail"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        detail.contains("level 0") && detail.contains("booking migrate"),
        "{detail}"
    );
    run("migrate", &url).unwrap();
    assert_eq!(statuses(&site).await, [up(), up(), up()]);
}

#[tokio::test]
async fn a_schema_that_is_too_old_is_red_and_a_newer_one_is_not() {
    let world = World::migrated().await;
    let site = world.site().await;
    let pool = world.all().await;
    let set = async |statement: &'static str| {
        sqlx::query(statement).execute(&pool).await.unwrap();
    };
    set("update _sqlx_migrations set success = false").await;
    assert_eq!(statuses(&site).await, [up(), down(), down()]);
    set("update _sqlx_migrations set success = true, version = 9990 + version").await;
    assert_eq!(statuses(&site).await, [up(), up(), up()]);
}

#[tokio::test]
async fn a_cache_that_is_gone_is_slower_and_not_down() {
    let world = World::seeded().await;
    let mut redis = Redis::start().unwrap();
    let (url, cache) = (
        world.database.url(),
        redis.address().database().await.unwrap(),
    );
    let site = Site::start(&[
        ("DATABASE_URL", &url),
        ("REDIS_URL", &cache),
        ("RELEASE", crate::site::RELEASE),
    ])
    .await;
    let api = site.api();
    let before = api.free("karoo-cuts", "haircut", 7).await;
    assert_eq!(api.free("karoo-cuts", "haircut", 7).await, before);

    redis.stop().unwrap();
    let parts = api.get("/api/health").await;
    assert_eq!((parts.status, parts.text("status")), (200, "degraded"));
    assert_eq!(check(&parts, "cache")["status"], "degraded");
    assert_eq!(statuses(&site).await[2], up());
    // The same answer, and a booking can still be made.
    assert_eq!(api.free("karoo-cuts", "haircut", 7).await, before);
    let made = api
        .book("karoo-cuts", "k", &wish("haircut", &before[0], "t"))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
}

#[tokio::test]
async fn what_is_kept_in_the_cache_is_never_older_than_the_last_booking() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let (business, service) = ("the-quiet-room", "private-yoga");
    for round in 0..5 {
        let free = api.free(business, service, 14).await;
        let start = free[0].clone();
        let made = api
            .book(business, &round.to_string(), &wish(service, &start, "t"))
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        assert!(
            !api.free(business, service, 14).await.contains(&start),
            "{start} is still offered"
        );
    }
    // And the cache was really used.
    let url = world.redis.clone();
    let keys = until("something is kept", async || {
        let client = redis::Client::open(url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let keys: i64 = redis::cmd("DBSIZE")
            .query_async(&mut connection)
            .await
            .unwrap();
        (keys > 0).then_some(keys)
    })
    .await;
    assert!(keys >= 6, "{keys} answers are kept");
}
