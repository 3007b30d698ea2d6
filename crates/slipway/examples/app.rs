//! A small application for the tests of Slipway: keeps the contract of an instance, or
//! breaks it in one named way.
//!
//! `app serve MODE` answers on `PORT`; `app migrate MODE` stands for a schema change.

use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use chassis::{Env, Shutdown};
use serde::Deserialize;

/// A release that goes bad answers this many requests first, so that its preview is good.
const GOOD_FIRST: u64 = 30;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let env = Env::process();
    let done = match words.as_slice() {
        ["serve", mode] => serve(mode, &env),
        ["migrate", mode] => migrate(mode, &env),
        _ => Err(anyhow::anyhow!("app serve|migrate MODE")),
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
