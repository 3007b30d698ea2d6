//! A running console with everything that it stands on, for one test.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State as Extract;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use chassis::{Clock, Env, ManualClock, Random, Shutdown};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::Steering;
use slipway_journal::{Actor, Event, Journal, RolloutId, ServiceName};
use slipway_proxy::Client;
use slipway_rollout::Standing;
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixListener};
use tokio::task::JoinHandle;

use crate::console::helm::{Answer, Helm, Plan};
use crate::console::session::Sessions;
use crate::console::view::sample;
use crate::console::{self, Ground};
use crate::state::State;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running console.
pub(crate) struct House {
    pub(crate) address: String,
    /// The host under which alone somebody is signed in.
    pub(crate) home: String,
    /// The cookie of somebody who is signed in.
    pub(crate) session: String,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) journal: Journal,
    pub(crate) state: State,
    pub(crate) shutdown: Shutdown,
    pub(crate) served: JoinHandle<anyhow::Result<()>>,
    hands: ManualClock,
    /// What the proxy tells fits so many rollouts.
    told: Arc<AtomicUsize>,
    /// The proxy tells no counts.
    is_mute: Arc<AtomicBool>,
    _folder: TempDir,
}

/// What the console was asked to do, by a helm that only writes it down.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) orders: Mutex<Vec<String>>,
    pub(crate) refusal: Option<String>,
    pub(crate) standing: Option<Standing>,
    pub(crate) closed: Option<String>,
}

impl Notes {
    pub(crate) fn orders(&self) -> Vec<String> {
        self.orders.lock().unwrap().clone()
    }

    fn note<T>(&self, order: String, done: T) -> Result<T, String> {
        self.orders.lock().unwrap().push(order);
        match &self.refusal {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(done),
        }
    }
}

impl Helm for Notes {
    fn closed(&self) -> Option<String> {
        self.closed.clone()
    }

    fn rollback_plan<'a>(&'a self, _: &'a ServiceName) -> BoxFuture<'a, Plan> {
        let words = "routing change, no restart, about 5 ms".to_owned();
        async { Plan::Warm { words } }.boxed()
    }

    fn rollback<'a>(
        &'a self,
        actor: Actor,
        service: &'a ServiceName,
        reason: String,
    ) -> BoxFuture<'a, Answer<RolloutId>> {
        let order = format!("{actor:?} rolls back {service}: {reason}");
        let answer = self.note(order, sample::rollout_id(1));
        async { Ok(answer) }.boxed()
    }

    fn cancel(
        &self,
        actor: Actor,
        rollout: RolloutId,
        reason: String,
    ) -> BoxFuture<'_, Answer<()>> {
        let answer = self.note(format!("{actor:?} cancels {rollout}: {reason}"), ());
        async { Ok(answer) }.boxed()
    }

    fn steer(
        &self,
        actor: Actor,
        rollout: RolloutId,
        (order, seen): (Steering, u16),
        reason: String,
    ) -> BoxFuture<'_, Answer<()>> {
        let words = format!("{actor:?} says {order:?} of {rollout} at {seen}: {reason}");
        let answer = self.note(words, ());
        async { Ok(answer) }.boxed()
    }

    fn standing(&self, rollout: RolloutId) -> Option<Standing> {
        self.standing.clone().filter(|s| s.rollout == rollout)
    }
}

impl House {
    /// A console over a journal of so many rollouts and a proxy that fits them.
    pub(crate) async fn open(rollouts: usize, helm: Option<Arc<dyn Helm>>) -> Self {
        let house = Self::without_proxy(rollouts, helm).await;
        house.proxy();
        house
    }

    /// The same before the proxy answers.
    pub(crate) async fn without_proxy(rollouts: usize, helm: Option<Arc<dyn Helm>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State::locate(
            Some(&folder.path().join("state")),
            &Env::default(),
            folder.path(),
        )
        .unwrap();
        state.create().unwrap();
        let entries = sample::entries_of(rollouts);
        let (clock, hands) = Clock::manual(entries[0].at);
        let journal = Journal::open(&state.journal(), clock.clone())
            .await
            .unwrap();
        for entry in entries {
            hands.set(entry.at);
            journal
                .append(entry.actor, vec![entry.event])
                .await
                .unwrap();
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (port, address) = (address.port(), address.to_string());
        let shutdown = Shutdown::new();
        let sessions = Arc::new(Sessions::new(clock.clone(), Random::seeded(5)));
        let ground = Ground {
            journal: journal.clone(),
            proxy: Client::new(state.proxy_socket()),
            state: state.clone(),
            environment: "production".parse().unwrap(),
            services: vec![sample::service()],
            helm,
            sessions: Arc::clone(&sessions),
            clock,
            random: Random::seeded(7),
        };
        let link = sessions.invite(Actor::Person("thandi".to_owned()));
        let session = sessions.begin(&link).unwrap();
        let served = tokio::spawn(console::serve(listener, ground, shutdown.clone()));
        Self {
            address,
            home: format!("{}:{port}", sessions.host()),
            session: format!("slipway-session={session}"),
            sessions,
            journal,
            state,
            shutdown,
            served,
            hands,
            told: Arc::new(AtomicUsize::new(rollouts)),
            is_mute: Arc::default(),
            _folder: folder,
        }
    }

    /// From now on the proxy tells no counts, so that nobody samples it, and its table fits
    /// so many rollouts.
    pub(crate) fn tell_only_table(&self, rollouts: usize) {
        self.is_mute.store(true, Ordering::SeqCst);
        self.told.store(rollouts, Ordering::SeqCst);
    }

    /// Answers on the proxy's socket what fits; between two looks at its counts a second
    /// passes.
    fn proxy(&self) {
        let listener = UnixListener::bind(self.state.proxy_socket()).unwrap();
        let looks = Arc::new(AtomicU64::new(0));
        let hands = self.hands.clone();
        let (told, is_mute) = (Arc::clone(&self.told), Arc::clone(&self.is_mute));
        let stats = async move |Extract(looks): Extract<Arc<AtomicU64>>| {
            if is_mute.load(Ordering::SeqCst) {
                return Err(StatusCode::SERVICE_UNAVAILABLE);
            }
            hands.advance(Duration::from_secs(1));
            let look = looks.fetch_add(1, Ordering::SeqCst);
            let (_, stats) = sample::proxy_of(told.load(Ordering::SeqCst), look);
            Ok(Json(stats))
        };
        let told = Arc::clone(&self.told);
        let table = async move || Json(sample::proxy_of(told.load(Ordering::SeqCst), 0).0);
        let routes = Router::new()
            .route("/stats", get(stats))
            .route("/table", get(table))
            .with_state(looks);
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            axum::serve(listener, routes)
                .with_graceful_shutdown(async move { shutdown.requested().await })
                .await
                .unwrap();
        });
    }

    /// Writes one more event of a rollout; gives its place.
    pub(crate) async fn write(&self, event: RolloutEvent) -> i64 {
        let actor = Actor::System("executor".into());
        let entries = self
            .journal
            .append(actor, vec![Event::Rollout(event)])
            .await;
        entries.unwrap()[0].seq.0
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.ask(Method::GET, path, &[], "").await
    }

    /// A page once it holds `words`: the picture follows journal and proxy a moment later.
    pub(crate) async fn get_with(&self, path: &str, words: &str) -> Page {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.get(path).await;
            if page.text.contains(words) {
                return page;
            }
            assert!(
                Instant::now() < deadline,
                "{path} never held {words:?}: {}",
                page.text
            );
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Page {
        let (status, headers, body) = self.open_stream(method, path, headers, body).await;
        let bytes = body.collect().await.unwrap().to_bytes();
        Page {
            status,
            headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Sends a request; the body is read as it comes.
    pub(crate) async fn open_stream(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, HeaderMap, Incoming) {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", &self.address);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let answer = tokio::time::timeout(PATIENCE, sender.send_request(request));
        let (head, body) = answer.await.unwrap().unwrap().into_parts();
        (head.status, head.headers, body)
    }

    /// Asks control to end; the console must be gone soon after.
    pub(crate) async fn close(self) {
        self.shutdown.request();
        let ended = tokio::time::timeout(PATIENCE, self.served).await;
        ended.unwrap().unwrap().unwrap();
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}
