//! The visitors of the demo: they look at pages, ask for free times, book, upload
//! files and follow a stream, each with a connection and a name of their own. Bounded
//! in rate and number; a POST whose answer was an error is repeated with its key later.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use chassis::Random;
use http::Method;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use testkit::tally::{Share, Tally as Outcomes};
use testkit::visitor::{Body, Outcome, Visitor};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Visitors who look and book.
const VISITORS: u32 = 64;
/// Visitors who upload, each one file after the other.
const UPLOADERS: u32 = 2;
/// The size of an upload, and how slowly it is sent.
const UPLOAD_CHUNKS: usize = 40;
const UPLOAD_CHUNK_BYTES: usize = 16 * 1024;
const UPLOAD_PAUSE: Duration = Duration::from_millis(50);
/// However the demo goes, the load ends by itself.
const LASTS_MAX: Duration = Duration::from_secs(15 * 60);
/// How often one booking is repeated until an answer tells whether it was made.
const REPEATS_MAX: usize = 5;

/// The load while it is open.
pub(super) struct Traffic {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    runtime: tokio::runtime::Handle,
    before: BTreeSet<String>,
}

/// What the load has seen so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) failed: u64,
    pub(super) uploads: u64,
    pub(super) streams: u64,
    /// From the first failure to the last.
    pub(super) bad_for: Duration,
    outcomes: Outcomes,
}

/// What the load had seen when it was closed.
#[derive(Debug)]
pub(super) struct End {
    pub(super) tally: Tally,
    /// Ids of the bookings that clients were told of.
    pub(super) told: BTreeSet<String>,
    /// Ids of the bookings that stood before the load.
    pub(super) before: BTreeSet<String>,
    /// Bookings of which it is still not known whether they were made.
    pub(super) unanswered: u64,
}

struct Shared {
    address: SocketAddr,
    random: Random,
    stop: CancellationToken,
    outcomes: Mutex<Outcomes>,
    told: Mutex<BTreeSet<String>>,
    offers: Vec<Offer>,
    answered: AtomicU64,
    uploads: AtomicU64,
    streams: AtomicU64,
    unanswered: AtomicU64,
}

/// A service that can be booked.
#[derive(Debug, Clone)]
struct Offer {
    business: String,
    service: String,
}

impl Traffic {
    /// Opens `rate` requests per second to `address`. `before` are bookings that stand.
    pub(super) fn open(
        runtime: &Runtime,
        address: &str,
        rate: u32,
        before: BTreeSet<String>,
    ) -> anyhow::Result<Self> {
        let address = address
            .trim_start_matches("http://")
            .parse()
            .context("reading the address")?;
        let (offers, asked) = runtime.block_on(offers(address))?;
        let shared = Arc::new(Shared {
            address,
            random: Random::system(),
            stop: CancellationToken::new(),
            outcomes: Mutex::new(asked),
            told: Mutex::default(),
            offers,
            answered: AtomicU64::new(0),
            uploads: AtomicU64::new(0),
            streams: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        let pace = Duration::from_secs(1) * VISITORS / rate;
        for number in 0..VISITORS {
            tasks.spawn_on(visit(Arc::clone(&shared), number, pace), runtime.handle());
        }
        for number in 0..UPLOADERS {
            tasks.spawn_on(upload(Arc::clone(&shared), number), runtime.handle());
        }
        tasks.spawn_on(follow(Arc::clone(&shared)), runtime.handle());
        let stop = shared.stop.clone();
        tasks.spawn_on(
            async move {
                tokio::select! {
                    () = sleep(LASTS_MAX) => stop.cancel(),
                    () = stop.cancelled() => {}
                }
            },
            runtime.handle(),
        );
        Ok(Self {
            shared,
            tasks,
            runtime: runtime.handle().clone(),
            before,
        })
    }

    /// Waits until `more` further requests have been answered.
    pub(super) fn await_more(&self, more: u64) -> anyhow::Result<()> {
        let wanted = self.shared.answered.load(Ordering::SeqCst) + more;
        let there = testkit::wait::until(Duration::from_secs(60), || {
            self.shared.answered.load(Ordering::SeqCst) >= wanted
        });
        ensure!(there, "the load stands still; {}", self.examples());
        Ok(())
    }

    /// What was seen so far.
    pub(super) fn tally(&self) -> Tally {
        self.shared.tally()
    }

    /// Whether the start page holds `text`.
    pub(super) fn sees(&self, text: &str) -> anyhow::Result<bool> {
        let outcome = self.runtime.block_on(async {
            let outcome = Visitor::new(self.shared.address, "demo").get("/").await;
            self.shared.count("look at the start page", &outcome);
            outcome
        });
        let answer = outcome.answer.map_err(anyhow::Error::msg)?;
        Ok(String::from_utf8_lossy(&answer.body).contains(text))
    }

    /// Lets what is in flight end, and starts nothing more.
    pub(super) fn close(mut self) -> anyhow::Result<End> {
        self.shared.stop.cancel();
        self.runtime.block_on(async {
            let all = async { while self.tasks.join_next().await.is_some() {} };
            timeout(Duration::from_secs(60), all)
                .await
                .context("the load does not end")
        })?;
        let told = lock(&self.shared.told).clone();
        Ok(End {
            tally: self.shared.tally(),
            told,
            before: self.before,
            unanswered: self.shared.unanswered.load(Ordering::SeqCst),
        })
    }

    /// The first failures, in words.
    pub(super) fn examples(&self) -> String {
        let outcomes = lock(&self.shared.outcomes);
        if outcomes.examples.is_empty() {
            return "no request failed".to_owned();
        }
        format!(
            "the first failures:\n    {}",
            outcomes.examples.join("\n    ")
        )
    }
}

impl Tally {
    /// What came after `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        let mut since = self.clone();
        since.requests -= before.requests;
        since.failed -= before.failed;
        since.uploads -= before.uploads;
        since.streams -= before.streams;
        for (release, share) in &mut since.outcomes.releases {
            let earlier = before.by(release);
            share.served -= earlier.served;
            share.failed -= earlier.failed;
        }
        since
    }

    /// What one release answered.
    pub(super) fn by(&self, release: &str) -> Share {
        self.outcomes.release(release)
    }

    /// Answers other than a success, a conflict or an error of the server: a mistake of
    /// the demo itself, or of a release.
    pub(super) fn odd(&self) -> u64 {
        let is_odd = |status: u16| (300..500).contains(&status) && status != 409;
        let statuses = self.outcomes.statuses.iter();
        statuses.filter(|(s, _)| is_odd(**s)).map(|(_, n)| n).sum()
    }

    /// Within which time half of all requests were answered whole, and 99 % of them.
    /// Uploads and streams, which last as long as they are made to, are among them.
    pub(super) fn latency(&self) -> (Duration, Duration) {
        (self.outcomes.quantile(0.5), self.outcomes.quantile(0.99))
    }
}

impl Shared {
    fn count(&self, what: &str, outcome: &Outcome) {
        lock(&self.outcomes).add(what, outcome);
        self.answered.fetch_add(1, Ordering::SeqCst);
    }

    fn tally(&self) -> Tally {
        let outcomes = lock(&self.outcomes).clone();
        Tally {
            requests: outcomes.requests,
            failed: outcomes.failed,
            uploads: self.uploads.load(Ordering::SeqCst),
            streams: self.streams.load(Ordering::SeqCst),
            bad_for: outcomes
                .failing
                .map_or(Duration::ZERO, |(first, last)| last - first),
            outcomes,
        }
    }

    fn offer(&self) -> &Offer {
        let index = self.random.below(self.offers.len() as u64);
        &self.offers[usize::try_from(index).unwrap_or(0)]
    }
}

/// The services that can be booked, by the API, and what asking for them came to.
async fn offers(address: SocketAddr) -> anyhow::Result<(Vec<Offer>, Outcomes)> {
    let mut visitor = Visitor::new(address, "demo");
    let mut asked = Outcomes::default();
    let mut offers = Vec::new();
    let mut ask = async |path: &str| {
        let outcome = visitor.get(path).await;
        asked.add("GET what can be booked", &outcome);
        read(outcome)
    };
    let businesses = ask("/api/v1/businesses").await?;
    for business in list(&businesses, "businesses") {
        let slug = business["slug"].as_str().context("a business has a slug")?;
        let services = ask(&format!("/api/v1/businesses/{slug}/services")).await?;
        for service in list(&services, "services") {
            let service = service["slug"].as_str().context("a service has a slug")?;
            offers.push(Offer {
                business: slug.to_owned(),
                service: service.to_owned(),
            });
        }
    }
    ensure!(!offers.is_empty(), "nothing can be booked: {businesses}");
    Ok((offers, asked))
}

/// The list that an answer is, or holds under `name`.
fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = value.as_array().or_else(|| value[name].as_array());
    list.map_or(&[], Vec::as_slice)
}

fn read(outcome: Outcome) -> anyhow::Result<Value> {
    let answer = outcome.answer.map_err(anyhow::Error::msg)?;
    ensure!(answer.status.is_success(), "answered {}", answer.status);
    Ok(answer.json())
}

/// One who looks at pages, asks for free times, and books every eighth time.
async fn visit(shared: Arc<Shared>, number: u32, pace: Duration) {
    let mut visitor = Visitor::new(shared.address, &format!("demo visitor {number}"));
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut turn = u64::from(number);
    while next(&shared, &mut ticks).await {
        turn += 1;
        let offer = shared.offer().clone();
        let (business, service) = (&offer.business, &offer.service);
        match turn % 8 {
            0 => book(&shared, &mut visitor, &offer, &mut ticks).await,
            1 | 2 => look(&shared, &mut visitor, "/").await,
            3 | 4 => look(&shared, &mut visitor, &format!("/{business}")).await,
            5 => look(&shared, &mut visitor, &format!("/{business}/{service}")).await,
            6 => look(&shared, &mut visitor, "/api/v1/businesses").await,
            _ => {
                look(
                    &shared,
                    &mut visitor,
                    &format!("/api/v1/businesses/{business}/services"),
                )
                .await;
            }
        }
    }
}

/// Waits for the next turn; false when the load is to end.
async fn next(shared: &Shared, ticks: &mut tokio::time::Interval) -> bool {
    tokio::select! {
        biased;
        () = shared.stop.cancelled() => false,
        _ = ticks.tick() => true,
    }
}

async fn look(shared: &Shared, visitor: &mut Visitor, path: &str) {
    let outcome = visitor.get(path).await;
    shared.count(&format!("GET {path}"), &outcome);
}

/// Asks for the free times of a random week, holds one of them, and books it.
async fn book(
    shared: &Shared,
    visitor: &mut Visitor,
    offer: &Offer,
    ticks: &mut tokio::time::Interval,
) {
    let Offer { business, service } = offer;
    let path = format!("/api/v1/businesses/{business}/services/{service}/availability?days=14");
    let outcome = visitor.get(&path).await;
    shared.count("GET availability", &outcome);
    let Ok(answer) = outcome.answer else { return };
    let free = answer.json();
    let slots = list(&free, "slots");
    if slots.is_empty() || !next(shared, ticks).await {
        return;
    }
    let slot = &slots[usize::try_from(shared.random.below(slots.len() as u64)).unwrap_or(0)];
    let key = shared.random.token();
    let person = key.get(..12).unwrap_or("somebody").to_lowercase();
    let want = json!({ "service": service, "start": slot["start"] });
    let path = format!("/api/v1/businesses/{business}/holds");
    let hold_key = format!("{key}-hold");
    let held = ask(shared, visitor, "POST hold", (&path, &hold_key), &want).await;
    let Some(token) = held.and_then(|held| held["token"].as_str().map(str::to_owned)) else {
        return;
    };
    if !next(shared, ticks).await {
        return;
    }
    let wish = json!({
        "hold": token,
        "name": format!("Visitor {person}"),
        "email": format!("{person}@example.com"),
    });
    let path = format!("/api/v1/businesses/{business}/bookings");
    match ask(shared, visitor, "POST booking", (&path, &key), &wish).await {
        None => {
            shared.unanswered.fetch_add(1, Ordering::SeqCst);
        }
        Some(booking) => {
            if let Some(id) = booking["id"].as_str() {
                lock(&shared.told).insert(id.to_owned());
            }
        }
    }
}

/// Posts until an answer tells what became of it; none where none does.
async fn ask(
    shared: &Shared,
    visitor: &mut Visitor,
    what: &str,
    (path, key): (&str, &str),
    body: &Value,
) -> Option<Value> {
    for _ in 0..REPEATS_MAX {
        let outcome = visitor
            .post_json(path, &[("idempotency-key", key)], body)
            .await;
        shared.count(what, &outcome);
        if !outcome.is_failed() {
            return outcome.answer.ok().map(|answer| answer.json());
        }
        sleep(Duration::from_secs(1)).await;
    }
    None
}

/// One who sends a file slowly, again and again, and checks that it arrived whole.
async fn upload(shared: Arc<Shared>, number: u32) {
    let mut visitor = Visitor::new(shared.address, &format!("demo uploader {number}"));
    let path = format!("/api/v1/businesses/{}/imports", shared.offer().business);
    while !shared.stop.is_cancelled() {
        let outcome = visitor
            .send(
                Method::POST,
                &path,
                &[("content-type", "text/csv")],
                slow_file(),
            )
            .await;
        shared.count("POST upload", &outcome);
        let arrived = outcome.answer.is_ok_and(|a| {
            a.json()["length"].as_u64() == Some((UPLOAD_CHUNKS * UPLOAD_CHUNK_BYTES) as u64)
        });
        if arrived {
            shared.uploads.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A file of two seconds.
fn slow_file() -> Body {
    let chunks = futures_util::stream::unfold(0, |sent| async move {
        if sent == UPLOAD_CHUNKS {
            return None;
        }
        sleep(UPLOAD_PAUSE).await;
        let chunk = Bytes::from(vec![b'a'; UPLOAD_CHUNK_BYTES]);
        Some((Ok(Frame::data(chunk)), sent + 1))
    });
    StreamBody::new(chunks).boxed()
}

/// One who follows a stream of events, and opens it again when it ends, as browsers do.
async fn follow(shared: Arc<Shared>) {
    let path = format!("/api/v1/businesses/{}/live", shared.offer().business);
    while !shared.stop.is_cancelled() {
        let mut visitor = Visitor::new(shared.address, "demo follower");
        let began = Instant::now();
        let opened = visitor
            .open(Method::GET, &path, &[], testkit::visitor::whole(""))
            .await;
        let answer = match opened {
            Ok(answer) => read_stream(&shared, answer).await,
            Err(reason) => Err(reason),
        };
        let outcome = Outcome {
            answer,
            took: began.elapsed(),
            ended: Instant::now(),
        };
        shared.count("follow a stream", &outcome);
        if !outcome.is_failed() {
            shared.streams.fetch_add(1, Ordering::SeqCst);
        }
        // What browsers wait before they connect again is longer.
        sleep(Duration::from_millis(200)).await;
    }
}

/// Reads events until the stream ends or the load does. A stream that was cut is a
/// failure; one that ended in order is not.
async fn read_stream(
    shared: &Shared,
    answer: http::Response<hyper::body::Incoming>,
) -> Result<testkit::visitor::Answer, String> {
    let (head, mut body) = answer.into_parts();
    loop {
        let frame = tokio::select! {
            () = shared.stop.cancelled() => break,
            frame = body.frame() => frame,
        };
        match frame {
            None => break,
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(format!("the stream was cut: {error}")),
        }
    }
    Ok(testkit::visitor::Answer {
        status: head.status,
        headers: head.headers,
        body: Bytes::new(),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
