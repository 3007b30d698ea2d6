//! Visitors at a steady rate: pages, large answers, uploads, answers that take a while, new
//! connections, and streams of events that some follow. Never repeats a request.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use http::Method;
use http_body_util::BodyExt as _;
use testkit::tally::Tally;
use testkit::visitor::{Answer, Outcome, Visitor, whole};
use testkit::wait;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Visitors who keep their connection.
const VISITORS: u64 = 64;
/// Visitors who follow a stream of events, one after the other.
const FOLLOWERS: u64 = 8;
/// What an upload sends.
const UPLOAD_BYTES: usize = 64 * 1024;

/// The load while it is open.
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    thread: JoinHandle<Tally>,
}

/// What it had seen in the end.
pub(crate) struct Seen {
    pub(crate) tally: Tally,
    pub(crate) lasted: Duration,
    kinds: BTreeMap<&'static str, u64>,
}

struct Shared {
    address: SocketAddr,
    began: Instant,
    stop: CancellationToken,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    kinds: BTreeMap<&'static str, u64>,
    answered: u64,
    /// When the last request was begun that a release answered, since the beginning.
    last: BTreeMap<String, Duration>,
}

impl Crowd {
    /// `rate` requests a second to `address`.
    pub(crate) fn open(address: SocketAddr, rate: u64) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            address,
            began: Instant::now(),
            stop: CancellationToken::new(),
            counts: Mutex::default(),
        });
        let pace = Duration::from_secs(1) * u32::try_from(VISITORS)? / u32::try_from(rate.max(1))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("making a runtime")?;
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || runtime.block_on(come(theirs, pace)));
        Ok(Self { shared, thread })
    }

    /// The time since the beginning.
    pub(crate) fn now(&self) -> Duration {
        self.shared.began.elapsed()
    }

    /// When the last request was begun that `release` answered.
    pub(crate) fn last_asked(&self, release: &str) -> Duration {
        let counts = self.shared.counts();
        counts.last.get(release).copied().unwrap_or_default()
    }

    /// Waits until `more` requests were answered.
    pub(crate) fn await_more(&self, more: u64) -> anyhow::Result<()> {
        let wanted = self.shared.counts().answered + more;
        let came = wait::until(Duration::from_secs(60), || {
            self.shared.counts().answered >= wanted
        });
        ensure!(came, "no more requests come through");
        Ok(())
    }

    /// Lets what is in flight end.
    pub(crate) fn close(self) -> anyhow::Result<Seen> {
        self.shared.stop.cancel();
        let tally = self.thread.join();
        let tally = tally.map_err(|_| anyhow::anyhow!("the load panicked"))?;
        let kinds = self.shared.counts().kinds.clone();
        Ok(Seen {
            tally,
            lasted: self.shared.began.elapsed(),
            kinds,
        })
    }
}

impl Seen {
    /// How many there were of each kind.
    pub(crate) fn kinds(&self) -> String {
        let kinds = self.kinds.iter().map(|(kind, n)| format!("{n} {kind}"));
        kinds.collect::<Vec<_>>().join(", ")
    }
}

impl Shared {
    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, kind: &'static str, began: Duration, outcome: &Outcome) {
        let mut counts = self.counts();
        counts.answered += 1;
        *counts.kinds.entry(kind).or_default() += 1;
        if let Ok(answer) = &outcome.answer
            && let Some(release) = answer.release()
        {
            let last = counts.last.entry(release.to_owned()).or_default();
            *last = (*last).max(began);
        }
    }
}

async fn come(shared: Arc<Shared>, pace: Duration) -> Tally {
    let mut tasks = JoinSet::new();
    for number in 0..VISITORS {
        tasks.spawn(visit(Arc::clone(&shared), number, pace));
    }
    for number in 0..FOLLOWERS {
        tasks.spawn(follow(Arc::clone(&shared), number));
    }
    let mut all = Tally::default();
    while let Some(tally) = tasks.join_next().await {
        all.merge(&tally.expect("a visitor does not panic"));
    }
    all
}

async fn visit(shared: Arc<Shared>, number: u64, pace: Duration) -> Tally {
    let name = format!("visitor {number}");
    let mut kept = Visitor::new(shared.address, &name);
    let mut tally = Tally::default();
    let mut turn = number;
    // Each begins at another moment, so that they do not come all at once.
    tokio::time::sleep(pace * u32::try_from(number).unwrap_or(0) / 64).await;
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shared.stop.is_cancelled() {
        ticks.tick().await;
        turn += 1;
        let began = shared.began.elapsed();
        let (kind, outcome) = match turn % 20 {
            0 => ("slow answers", kept.get("/slow?ms=60").await),
            1 | 2 => ("answers of 64 KiB", kept.get("/big").await),
            3 => {
                let body = whole(vec![b'x'; UPLOAD_BYTES]);
                let sent = kept.send(Method::POST, "/upload", &[], body).await;
                ("uploads of 64 KiB", sent)
            }
            4 | 5 => {
                let mut new = Visitor::new(shared.address, &name);
                ("pages over new connections", new.get("/").await)
            }
            _ => ("pages", kept.get("/").await),
        };
        tally.add(kind, &outcome);
        shared.count(kind, began, &outcome);
    }
    tally
}

/// Follows a stream to its end, and then the next one. One that is cut has failed.
async fn follow(shared: Arc<Shared>, number: u64) -> Tally {
    let mut tally = Tally::default();
    while !shared.stop.is_cancelled() {
        let mut visitor = Visitor::new(shared.address, &format!("follower {number}"));
        let (began, since) = (Instant::now(), shared.began.elapsed());
        let opened = visitor.open(Method::GET, "/events", &[], whole("")).await;
        let answer = match opened {
            Ok(answer) => {
                let (head, body) = answer.into_parts();
                let read = body.collect().await;
                read.map_err(|e| format!("the stream was cut: {e}"))
                    .map(|body| Answer {
                        status: head.status,
                        headers: head.headers,
                        body: body.to_bytes(),
                    })
            }
            Err(reason) => Err(reason),
        };
        let outcome = Outcome {
            answer,
            took: began.elapsed(),
            ended: Instant::now(),
        };
        tally.add("streams", &outcome);
        shared.count("streams of two seconds", since, &outcome);
    }
    tally
}
