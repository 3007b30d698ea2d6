//! A database that goes down under a load of bookings and comes back, or has no room left:
//! whoever books is told so clearly and may come again, nothing is half written, and all is
//! well within two seconds of its return.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;
use testkit::postgres::{Database, End, Postgres};

use crate::claims::invariants;
use crate::site::{Api, Site, World, run, until, wish};

const CLIENTS: usize = 24;
const PATIENCE: Duration = Duration::from_secs(90);
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// Services that several people give, so that many can book at once.
const OFFERS: [(&str, &str); 3] = [
    ("karoo-cuts", "haircut"),
    ("bluff-physio", "follow-up"),
    ("the-quiet-room", "breathing"),
];

/// The demonstration on a database of its own that can go down.
async fn world(postgres: &Postgres) -> World {
    let database = Database::empty(&postgres.address()).await.unwrap();
    run("migrate", &database.url()).unwrap();
    run("seed", &database.url()).unwrap();
    let shared = testkit::services::shared().unwrap();
    World {
        database,
        redis: shared.redis.database().await.unwrap(),
    }
}

/// A key, what was asked for under it, and the secret address that it got.
type Kept = (String, &'static str, Value, String);

/// What clients share.
struct Load {
    wishes: Vec<(&'static str, Value)>,
    next: AtomicUsize,
    is_over: AtomicBool,
    made: AtomicUsize,
    refused: AtomicUsize,
}

impl Load {
    async fn of(site: &Site) -> Arc<Self> {
        let mut wishes = Vec::new();
        for (business, service) in OFFERS {
            for start in site.api().free(business, service, 31).await {
                let who = format!("{service}-{start}").replace(':', "-");
                wishes.push((business, wish(service, &start, &who)));
            }
        }
        // Neighbours in time are wanted at once, so that there are conflicts, too.
        Arc::new(Self {
            wishes,
            next: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            made: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        })
    }

    /// Books one time after the other, each until there is a last word about it.
    async fn client(self: Arc<Self>, api: Api) -> Vec<Kept> {
        let mut kept = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((business, wish)) = self.wishes.get(place) else {
                break;
            };
            let key = format!("key-{place}");
            if let Some(token) = self.last_word(&api, business, &key, wish).await {
                self.made.fetch_add(1, Ordering::Relaxed);
                kept.push((key, *business, wish.clone(), token));
            }
        }
        kept
    }

    /// Asks again, under the same key, for as long as nobody knows.
    async fn last_word(
        &self,
        api: &Api,
        business: &str,
        key: &str,
        wish: &Value,
    ) -> Option<String> {
        let began = Instant::now();
        loop {
            if let Some(word) = self.ask(api, business, key, wish).await {
                return word;
            }
            assert!(began.elapsed() < PATIENCE, "nobody knows of {key}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// None while nobody knows; then the secret address, where the time could be had.
    async fn ask(
        &self,
        api: &Api,
        business: &str,
        key: &str,
        wish: &Value,
    ) -> Option<Option<String>> {
        let path = format!("{}/api/v1/businesses/{business}/bookings", api.address);
        let request = api.client.post(path).header("idempotency-key", key);
        let answer = request.json(wish).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body: Value = answer.json().await.unwrap();
        match status {
            201 => Some(Some(body["token"].as_str().unwrap().to_owned())),
            409 => Some(None),
            _ => {
                assert_eq!(status, 503, "{body}");
                assert!(headers.contains_key("retry-after"), "{headers:?}");
                assert_eq!(headers["content-type"], "application/problem+json");
                let kind = body["type"].as_str().unwrap();
                assert!(kind.ends_with("/unavailable"), "{body}");
                self.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    async fn some_more(&self, count: usize) {
        let before = self.made.load(Ordering::Relaxed);
        until("some more are booked", async || {
            (self.made.load(Ordering::Relaxed) >= before + count).then_some(())
        })
        .await;
    }
}

/// Nothing is half written, and whoever asks again gets what they got.
async fn is_whole(world: &World, api: &Api, kept: &[Kept]) {
    assert_eq!(invariants(world).await, [""; 0]);
    let orphans = "select (select count(*) from claim where active and booking_id is not null
            and not exists (select from booking b where b.id = claim.booking_id))
        + (select count(*) from idempotency_key k
            where not exists (select from booking b where b.id = k.booking_id))";
    assert_eq!(world.count(orphans).await, 0);
    let stored = "select count(*) from idempotency_key";
    let stored = usize::try_from(world.count(stored).await).unwrap();
    assert_eq!(stored, kept.len(), "a booking that nobody knows of");
    let again = kept.iter().step_by(kept.len().div_ceil(40).max(1));
    for (key, business, wish, token) in again {
        let said = api.book(business, key, wish).await;
        assert_eq!((said.status, said.text("token")), (201, token.as_str()));
    }
}

/// How long it takes until a booking can be made.
async fn bookable_again(api: &Api) -> Duration {
    let began = Instant::now();
    until("a booking could be made", async || {
        let said = api
            .client
            .get(format!("{}/api/bookings/health", api.address));
        (said.send().await.unwrap().status() == 200).then_some(())
    })
    .await;
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_restarts_under_load_is_told_of_and_loses_nothing() {
    let postgres = Postgres::restartable(None).unwrap();
    let world = world(&postgres).await;
    let site = world.site().await;
    let load = Load::of(&site).await;
    let clients = (0..CLIENTS).map(|_| tokio::spawn(Arc::clone(&load).client(site.api())));
    let clients: Vec<_> = clients.collect();
    let mut back = Vec::new();
    for how in [End::InOrder, End::Crash] {
        load.some_more(40).await;
        let refused = load.refused.load(Ordering::Relaxed);
        postgres.down(how).unwrap();
        until("clients are told", async || {
            (load.refused.load(Ordering::Relaxed) > refused).then_some(())
        })
        .await;
        postgres.up().unwrap();
        back.push(bookable_again(&site.api()).await);
    }
    load.some_more(20).await;
    load.is_over.store(true, Ordering::Relaxed);
    let kept: Vec<Kept> = join_all(clients)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    is_whole(&world, &site.api(), &kept).await;
    assert!(back.iter().all(|took| *took <= BACK_WITHIN), "{back:?}");
}

/// A small disk that goes with the test.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where this process may not make one.
    fn of(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("mode=755,size={megabytes}m"),
                "none",
            ])
            .arg(folder.path())
            .status();
        mounted.is_ok_and(|s| s.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves nothing free.
    fn fill(&self) {
        let file = self.path().join("filler");
        // It fails when the disk is full, which is what is wanted.
        let filled = Command::new("dd")
            .args(["if=/dev/zero", "bs=64k", "status=none"])
            .arg(format!("of={}", file.display()))
            .output();
        assert!(!filled.unwrap().status.success(), "the disk is not full");
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let ended = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
        assert!(ended.is_ok_and(|s| s.success()), "a disk stays mounted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_is_told_of_and_leaves_nothing_half_written() {
    let Some(disk) = Disk::of(260) else {
        eprintln!("skipped: only root can make a disk that is small enough to be full");
        return;
    };
    let postgres = Postgres::restartable(Some(disk.path())).unwrap();
    let world = world(&postgres).await;
    let site = world.site().await;
    let load = Load::of(&site).await;
    let clients = (0..4).map(|_| tokio::spawn(Arc::clone(&load).client(site.api())));
    let clients: Vec<_> = clients.collect();
    load.some_more(20).await;
    disk.fill();
    until("clients are told", async || {
        (load.refused.load(Ordering::Relaxed) > 0).then_some(())
    })
    .await;
    disk.free();
    if postgres.is_down() {
        postgres.up().unwrap();
    }
    let took = bookable_again(&site.api()).await;
    load.some_more(5).await;
    load.is_over.store(true, Ordering::Relaxed);
    let kept: Vec<Kept> = join_all(clients)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    is_whole(&world, &site.api(), &kept).await;
    let tokens: BTreeMap<_, _> = kept.iter().map(|kept| (&kept.3, &kept.0)).collect();
    assert_eq!(tokens.len(), kept.len(), "two answers are one booking");
    eprintln!("bookable again after {took:?}");
}
