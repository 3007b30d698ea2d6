//! Visitors who keep coming while something happens, and an account of every answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use http::Method;
use testkit::tally::Tally;
use testkit::visitor::{Visitor, whole};
use testkit::wait;

/// Visitors that keep coming until they are counted.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    thread: Option<JoinHandle<Tally>>,
}

/// Where visitors go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) page: &'static str,
    /// None where nobody writes anything, so that whoever meets a death can be asked again.
    pub(crate) upload: Option<&'static str>,
    pub(crate) slow: &'static str,
}

/// Those of the test application.
const APP: Places = Places {
    page: "/",
    upload: Some("/upload"),
    slow: "/slow?ms=60",
};

impl Load {
    /// Visitors of the test application.
    pub(crate) fn start(address: SocketAddr, visitors: usize) -> Self {
        Self::at(address, visitors, APP)
    }

    /// Visitors of the test application who only read.
    pub(crate) fn readers(address: SocketAddr, visitors: usize) -> Self {
        Self::at(
            address,
            visitors,
            Places {
                upload: None,
                ..APP
            },
        )
    }

    /// `visitors` different people ask again and again, without a pause but a short one;
    /// one in ten requests is an upload, one in twenty is slow.
    pub(crate) fn at(address: SocketAddr, visitors: usize, places: Places) -> Self {
        let (stop, done) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (until, count) = (Arc::clone(&stop), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(crowd(address, visitors, places, &until, &count))
        });
        let load = Self {
            stop,
            done,
            thread: Some(thread),
        };
        load.more(20);
        load
    }

    /// Waits until so many further requests ended.
    pub(crate) fn more(&self, requests: u64) {
        let wanted = self.done.load(Ordering::SeqCst) + requests;
        let came = wait::until(Duration::from_secs(60), || {
            self.done.load(Ordering::SeqCst) >= wanted
        });
        assert!(came, "no more requests come through");
    }

    /// Ends it and gives the account.
    pub(crate) fn count(mut self) -> Tally {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().expect("counted once").join().unwrap()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// What a failed test needs to know of an account.
pub(crate) fn brief(tally: &Tally) -> String {
    format!(
        "{} of {} failed, by status {:?}, by release {:?}: {:#?}",
        tally.failed, tally.requests, tally.statuses, tally.releases, tally.examples
    )
}

async fn crowd(
    address: SocketAddr,
    visitors: usize,
    places: Places,
    stop: &Arc<AtomicBool>,
    done: &Arc<AtomicU64>,
) -> Tally {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..visitors {
        let (stop, done) = (Arc::clone(stop), Arc::clone(done));
        tasks.spawn(async move {
            let mut visitor = Visitor::new(address, &format!("visitor {number}"));
            let mut tally = Tally::default();
            let mut turn = number as u64;
            while !stop.load(Ordering::SeqCst) {
                turn += 1;
                visit(&mut visitor, places, turn, &mut tally).await;
                done.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tally
        });
    }
    let mut all = Tally::default();
    while let Some(tally) = tasks.join_next().await {
        all.merge(&tally.unwrap());
    }
    all
}

async fn visit(visitor: &mut Visitor, places: Places, turn: u64, tally: &mut Tally) {
    if turn.is_multiple_of(20) {
        tally.add("slow", &visitor.get(places.slow).await);
    } else if let Some(upload) = places.upload.filter(|_| turn.is_multiple_of(10)) {
        let body = whole(vec![b'x'; 64 * 1024]);
        let outcome = visitor.send(Method::POST, upload, &[], body).await;
        tally.add("upload", &outcome);
    } else {
        tally.add("page", &visitor.get(places.page).await);
    }
}
