//! A Redis that is full, or that answers late: Booking is slower then, never wrong, and its
//! health says so.

use std::os::unix::net::UnixStream as Socket;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use testkit::redis::Redis;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};

use crate::site::{RELEASE, Site, World, until, wish};

const BUSINESS: &str = "the-quiet-room";
const SERVICE: &str = "private-yoga";

async fn site(world: &World, redis: &str) -> Site {
    let url = world.database.url();
    let variables = [("DATABASE_URL", url.as_str()), ("REDIS_URL", redis)];
    Site::start(&[&variables[..], &[("RELEASE", RELEASE)]].concat()).await
}

/// How the cache is, as the health of the parts says.
async fn cache(site: &Site) -> String {
    let said = site.api().get("/api/health").await;
    assert_eq!(said.status, 200, "{said:?}");
    let checks = said.body["checks"].as_array().unwrap();
    let cache = checks.iter().find(|check| check["name"] == "cache");
    cache.unwrap()["status"].as_str().unwrap().to_owned()
}

/// Booking shows what is true and keeps what is booked, as often as it is asked.
async fn is_right(site: &Site, key: &str) {
    let api = site.api();
    for round in 0..3 {
        let free = api.free(BUSINESS, SERVICE, 14).await;
        let start = &free[0];
        let key = format!("{key}-{round}");
        let made = api.book(BUSINESS, &key, &wish(SERVICE, start, &key)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let after = api.free(BUSINESS, SERVICE, 14).await;
        assert!(!after.contains(start), "{start} is still offered");
        assert_eq!(api.cancel(made.text("token")).await.status, 200);
        assert_eq!(api.free(BUSINESS, SERVICE, 14).await, free);
    }
}

#[tokio::test]
async fn a_cache_that_is_full_is_slower_never_wrong_and_said_to_be() {
    let world = World::seeded().await;
    let redis = Redis::start().unwrap();
    let url = redis.address().database().await.unwrap();
    let site = site(&world, &url).await;
    assert_eq!(cache(&site).await, "up");
    is_right(&site, "before").await;
    let client = redis::Client::open(url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut limit = async |memory: &str| {
        for (name, value) in [("maxmemory-policy", "noeviction"), ("maxmemory", memory)] {
            let mut set = redis::cmd("CONFIG");
            set.arg("SET").arg(name).arg(value);
            let () = set.query_async(&mut connection).await.unwrap();
        }
    };
    limit("1").await;
    assert_eq!(cache(&site).await, "degraded");
    is_right(&site, "full").await;
    // Signing in counts attempts in Redis, and goes on by the database.
    let desk = site.visitor().sign_in("owner@karoo-cuts.example").await;
    assert_eq!(desk.status.as_u16(), 200, "{}", desk.html);
    limit("0").await;
    until("the cache is well", async || {
        (cache(&site).await == "up").then_some(())
    })
    .await;
    is_right(&site, "after").await;
}

/// A door to Redis that can be made to let nothing through for a long time.
struct Door {
    address: String,
    is_slow: Arc<AtomicBool>,
}

impl Door {
    async fn to(socket: PathBuf) -> Self {
        drop(Socket::connect(&socket).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let is_slow = Arc::new(AtomicBool::new(false));
        let slow = Arc::clone(&is_slow);
        tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                let redis = UnixStream::connect(&socket).await.unwrap();
                let slow = Arc::clone(&slow);
                tokio::spawn(async move {
                    let (mut from, mut to) = visitor.into_split();
                    let (mut answers, mut asks) = redis.into_split();
                    let there = async { tokio::io::copy(&mut from, &mut asks).await };
                    let back = async {
                        let mut bytes = vec![0; 64 * 1024];
                        loop {
                            let read = answers.read(&mut bytes).await?;
                            if read == 0 {
                                return std::io::Result::Ok(0);
                            }
                            if slow.load(Ordering::Relaxed) {
                                tokio::time::sleep(Duration::from_secs(5)).await;
                            }
                            to.write_all(&bytes[..read]).await?;
                        }
                    };
                    // Whichever side hangs up first ends both.
                    tokio::select! { _ = there => {}, _ = back => {} }
                });
            }
        });
        Self { address, is_slow }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_answers_late_is_not_waited_for() {
    let world = World::seeded().await;
    let redis = Redis::start().unwrap();
    let url = redis.address().database().await.unwrap();
    let socket = url.strip_prefix("unix://").unwrap();
    let (socket, database) = socket.split_once("?db=").unwrap();
    let door = Door::to(PathBuf::from(socket)).await;
    let site = site(&world, &format!("redis://{}/{database}", door.address)).await;
    assert_eq!(cache(&site).await, "up");
    is_right(&site, "before").await;
    door.is_slow.store(true, Ordering::Relaxed);
    assert_eq!(cache(&site).await, "degraded");
    let began = Instant::now();
    let page = site.visitor().open("/karoo-cuts/haircut").await;
    assert_eq!(page.status.as_u16(), 200);
    // The answers of Redis take five seconds; nobody waits for one of them.
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    is_right(&site, "slow").await;
    door.is_slow.store(false, Ordering::Relaxed);
    until("the cache is well", async || {
        (cache(&site).await == "up").then_some(())
    })
    .await;
    is_right(&site, "after").await;
}
