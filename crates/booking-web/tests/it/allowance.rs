//! How much a program with a key may ask for, and changes that overtake each other.

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::programs::key;
use crate::site::{RELEASE, Site, World, wish};

const BOOKINGS: &str = "/api/v1/businesses/karoo-cuts/bookings";

async fn ask(site: &Site, key: &str) -> Response {
    let request = site.api().client.get(site.url(BOOKINGS)).bearer_auth(key);
    request.send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers()[name].to_str().unwrap()
}

/// The number after `mark` in a header such as `"key";r=2;t=30`.
fn number(answer: &Response, name: &str, mark: &str) -> u64 {
    let rest = header(answer, name).split(mark).nth(1).unwrap();
    rest.split(';').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_key_is_told_what_is_left_and_refused_beyond_it_with_redis_and_without() {
    let world = World::seeded().await;
    let url = world.database.url();
    let common = [
        ("DATABASE_URL", url.as_str()),
        ("RELEASE", RELEASE),
        ("KEY_REQUESTS_PER_MINUTE", "3"),
    ];
    let with = [common.as_slice(), &[("REDIS_URL", world.redis.as_str())]].concat();
    for (variables, scopes) in [
        (with.as_slice(), ["read:bookings"]),
        (common.as_slice(), ["read:customers"]),
    ] {
        let site = Site::start(variables).await;
        let key = key(&world, "karoo-cuts", &scopes).await;
        let mut left = Vec::new();
        // A minute may end in between; then all is left once more.
        let refused = loop {
            let answer = ask(&site, &key).await;
            assert_eq!(header(&answer, "ratelimit-policy"), "\"key\";q=3;w=60");
            left.push(number(&answer, "ratelimit", "r="));
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                break answer;
            }
            assert!(left.len() <= 6, "it is never refused: {left:?}");
        };
        assert!(left.ends_with(&[2, 1, 0, 0]), "{left:?}");
        let seconds: u64 = header(&refused, "retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!(number(&refused, "ratelimit", "t="), seconds);
        assert_eq!(header(&refused, "content-type"), "application/problem+json");
        let problem: Value = refused.json().await.unwrap();
        let kind = problem["type"].as_str().unwrap();
        assert!(kind.ends_with("/too-many-requests"), "{problem}");
        // Whoever comes without a key is not counted, nor told.
        let open = site.api().client.get(site.url("/api/v1/businesses"));
        let open = open.send().await.unwrap();
        assert_eq!(open.status(), StatusCode::OK);
        assert!(!open.headers().contains_key("ratelimit"));
    }
    assert!(world.count("select count(*) from request_count").await > 0);
}

#[tokio::test]
async fn of_changes_at_the_same_time_to_what_was_seen_one_is_made() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 7).await;
    let made = api
        .book("karoo-cuts", "k", &wish("haircut", &free[0], "thandi"))
        .await;
    let path = site.url(&format!("/api/v1/bookings/{}", made.text("token")));
    let seen = api.client.get(&path).send().await.unwrap();
    let tag = header(&seen, "etag").to_owned();
    let cancels = (0..24).map(|_| {
        let request = api.client.post(format!("{path}/cancel"));
        let request = request
            .header("idempotency-key", "k")
            .header("if-match", &tag);
        async move { request.send().await.unwrap().status().as_u16() }
    });
    let mut answers = futures_util::future::join_all(cancels).await;
    answers.sort_unstable();
    let (made, overtaken) = answers.split_first().unwrap();
    assert_eq!(*made, 200);
    assert!(overtaken.iter().all(|status| *status == 412), "{answers:?}");
}
