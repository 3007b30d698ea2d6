//! A small application for the tests of Slipway: keeps the contract of an instance, or
//! breaks it in one named way.
//!
//! `app serve MODE` answers on `PORT`; `app migrate MODE` stands for a schema change; `app work
//! MODE` does the jobs in the folder `JOBS`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use chassis::{Env, Shutdown};
use serde::Deserialize;

/// A release that goes bad answers this many requests first, so that its preview is good.
const GOOD_FIRST: u64 = 30;
/// The size of a large answer.
const BIG: usize = 64 * 1024;
/// A stream of events has so many of them.
const EVENTS: u32 = 20;
/// One comes every so often.
const EVENT_EVERY: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let env = Env::process();
    let done = match words.as_slice() {
        ["serve", mode] => serve(mode, &env),
        ["migrate", mode] => migrate(mode, &env),
        ["work", mode] => work(mode, &env),
        _ => Err(anyhow::anyhow!("app serve|migrate|work MODE")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::from(3)
        }
    }
}

/// A line of the log.
fn say(message: &str) {
    eprintln!(
        "{}",
        serde_json::json!({ "level": "INFO", "message": message })
    );
}

fn migrate(mode: &str, env: &Env) -> anyhow::Result<()> {
    match mode {
        "none" => Ok(()),
        "broken" => anyhow::bail!("relation \"bookings\" does not exist"),
        "database" => {
            let url = env.get("DATABASE_URL").unwrap_or_default();
            let host = url.rsplit_once('@').map_or(url, |(_, host)| host);
            let address = host.split('/').next().unwrap_or_default();
            TcpStream::connect(address)
                .map_err(|e| anyhow::anyhow!("the database at {address}: {e}"))?;
            Ok(())
        }
        other => anyhow::bail!("there is no migration {other}"),
    }
}

/// A worker. A job is a file `N.todo`, and whoever has the lock on it has it in hand: the kernel
/// takes that from a process that is gone. To do it is to write a line into `ran`, after which
/// it becomes `N.done`. At SIGTERM a worker `finishes` the job in its hands, or `hands-back` what
/// it has begun.
fn work(mode: &str, env: &Env) -> anyhow::Result<()> {
    let worker = Worker {
        hands_back: mode == "hands-back",
        jobs: env.require("JOBS", "the folder of jobs")?.into(),
        release: env.require("RELEASE", "the release that runs")?.to_owned(),
        instance: env.require("INSTANCE", "this instance")?.to_owned(),
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async { worker.run(&Shutdown::on_signals()?).await })
}

struct Worker {
    hands_back: bool,
    jobs: PathBuf,
    release: String,
    instance: String,
}

/// A job in somebody's hands.
struct Job {
    name: String,
    _lock: File,
}

impl Worker {
    async fn run(&self, shutdown: &Shutdown) -> anyhow::Result<()> {
        say(&format!("working in {}", self.jobs.display()));
        let _at_work = self.come()?;
        while !shutdown.is_requested() {
            match self.claim()? {
                Some(job) => self.perform(job, shutdown).await?,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        say("finished");
        Ok(())
    }

    /// Is at work while the file is held, and writes into `met` which other releases are.
    fn come(&self) -> anyhow::Result<File> {
        let own = format!("{}.{}.at-work", self.instance, self.release);
        let at_work = File::create(self.jobs.join(&own))?;
        at_work.try_lock()?;
        for name in self.names(".at-work")? {
            let is_other = name.rsplit('.').next() != Some(self.release.as_str());
            if is_other && lock(&self.file(&name, "at-work"))?.is_none() {
                self.write("met", &format!("{} {name}", self.release))?;
            }
        }
        Ok(at_work)
    }

    /// The first job that nobody has.
    fn claim(&self) -> anyhow::Result<Option<Job>> {
        for name in self.names(".todo")? {
            let path = self.file(&name, "todo");
            let lock = match lock(&path) {
                Ok(Some(lock)) => lock,
                Ok(None) => continue,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            // Somebody may have finished it since its name was read.
            if path.exists() {
                return Ok(Some(Job { name, _lock: lock }));
            }
        }
        Ok(None)
    }

    async fn perform(&self, job: Job, shutdown: &Shutdown) -> anyhow::Result<()> {
        if !self.has_run(&job.name)? {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(40)) => {}
                () = shutdown.requested(), if self.hands_back => return Ok(()),
            }
            self.write("ran", &format!("{} {}", job.name, self.release))?;
        }
        std::fs::rename(self.file(&job.name, "todo"), self.file(&job.name, "done"))?;
        Ok(())
    }

    /// Whether somebody did it who was gone before it could be named `done`.
    fn has_run(&self, job: &str) -> anyhow::Result<bool> {
        match std::fs::read_to_string(self.jobs.join("ran")) {
            Ok(ran) => Ok(ran.lines().any(|line| line.split(' ').next() == Some(job))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, name: &str, line: &str) -> anyhow::Result<()> {
        let path = self.jobs.join(name);
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        // In one piece, so that no two lines mix.
        file.write_all(format!("{line}\n").as_bytes())?;
        Ok(())
    }

    /// The files with this ending, without it, in order.
    fn names(&self, ending: &str) -> anyhow::Result<Vec<String>> {
        let mut names: Vec<String> = std::fs::read_dir(&self.jobs)?
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
            .collect();
        names.sort();
        Ok(names)
    }

    fn file(&self, name: &str, state: &str) -> PathBuf {
        self.jobs.join(format!("{name}.{state}"))
    }
}

/// The file, held; none while another process holds it.
fn lock(path: &Path) -> std::io::Result<Option<File>> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[derive(Clone)]
struct App {
    mode: Arc<str>,
    release: HeaderValue,
    served: Arc<AtomicU64>,
}

fn serve(mode: &str, env: &Env) -> anyhow::Result<()> {
    say(&format!("starting as {mode}"));
    if mode == "dies-at-once" {
        anyhow::bail!("the configuration has no key PRICES");
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(answer(mode, env))
}

async fn answer(mode: &str, env: &Env) -> anyhow::Result<()> {
    let port: u16 = env.parse_or("PORT", 0)?;
    let app = App {
        mode: mode.into(),
        release: HeaderValue::from_str(env.get("RELEASE").unwrap_or("none"))?,
        served: Arc::default(),
    };
    if mode == "slow-start" {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let port = if mode == "wrong-port" { 0 } else { port };
    let shutdown = if mode == "ignores-term" {
        let ignored = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        // Taking the signal and doing nothing with it is what ignoring it means.
        std::mem::forget(ignored);
        Shutdown::new()
    } else {
        Shutdown::on_signals()?
    };
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    say(&format!("listening on {}", listener.local_addr()?));
    let routes = Router::new()
        .route("/health", get(health))
        .route("/slow", get(slow))
        .route("/page", get(html))
        .route("/upload", post(upload))
        .route("/big", get(big))
        .route("/events", get(events))
        .fallback(page)
        .with_state(app);
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move { shutdown.requested().await })
        .await?;
    say("finished");
    Ok(())
}

impl App {
    fn answer(&self, status: StatusCode, body: impl Into<String>) -> Response {
        let mut answer = (status, body.into()).into_response();
        if &*self.mode == "nameless" {
            return answer;
        }
        let name = HeaderName::from_static("x-release");
        answer.headers_mut().insert(name, self.release.clone());
        answer
    }

    /// The answer to a visitor, good or bad as the mode has it.
    fn visit(&self, body: String) -> Response {
        let count = self.served.fetch_add(1, Ordering::SeqCst);
        let bad = match &*self.mode {
            "health-only" => true,
            "third-fails" => count > GOOD_FIRST && count.is_multiple_of(3),
            "dies-under-load" if count > GOOD_FIRST => {
                say("out of memory");
                std::process::abort();
            }
            _ => false,
        };
        if bad {
            return self.answer(StatusCode::INTERNAL_SERVER_ERROR, "something broke");
        }
        self.answer(StatusCode::OK, body)
    }
}

async fn health(State(app): State<App>) -> Response {
    match &*app.mode {
        "never-healthy" => app.answer(StatusCode::SERVICE_UNAVAILABLE, "the cache is cold"),
        _ => app.answer(StatusCode::OK, "good"),
    }
}

async fn page(State(app): State<App>) -> Response {
    let mode = app.mode.to_string();
    app.visit(mode)
}

/// A page that asks for more once it was loaded.
async fn html(State(app): State<App>) -> Response {
    let mut answer = app.visit("<script src=\"/app.js\"></script>".to_owned());
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

#[derive(Deserialize)]
struct Slow {
    ms: u64,
}

async fn slow(State(app): State<App>, Query(slow): Query<Slow>) -> Response {
    tokio::time::sleep(Duration::from_millis(slow.ms.min(10_000))).await;
    app.visit("slow".to_owned())
}

async fn upload(State(app): State<App>, body: Bytes) -> Response {
    app.visit(body.len().to_string())
}

async fn big(State(app): State<App>) -> Response {
    app.visit("an answer of 64 KiB ".repeat(BIG / 20))
}

/// A stream of events that ends after two seconds.
async fn events(State(app): State<App>) -> Response {
    let events = futures_util::stream::unfold(0, |sent| async move {
        if sent == EVENTS {
            return None;
        }
        tokio::time::sleep(EVENT_EVERY).await;
        let event = Bytes::from(format!("data: {sent}\n\n"));
        Some((Ok::<_, std::io::Error>(event), sent + 1))
    });
    let mut answer = app.visit(String::new());
    if answer.status().is_success() {
        *answer.body_mut() = Body::from_stream(events);
        let kind = HeaderValue::from_static("text/event-stream");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer.headers_mut().remove(CONTENT_LENGTH);
    }
    answer
}
