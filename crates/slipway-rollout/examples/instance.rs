//! An application for the tests of this crate: answers as the file `mode` in its folder says.
//! Modes: `good`, `third-fails`, `turns-bad` (that once a file `turned` is there), `health-only`, `dies`, `wrong-port`, `slow`, `deaf`, `stubborn`,
//! `moved` (its health look is `/up`).

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use chassis::{Env, Shutdown};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let env = Env::process();
    let mode = std::fs::read_to_string("mode").context("reading mode")?;
    let release = env.require("RELEASE", "the release that runs")?.to_owned();
    if std::env::args().nth(1).as_deref() == Some("migrate") {
        return migrate(&mode, &env);
    }
    let mode = mode.trim().to_owned();
    if mode == "dies" {
        anyhow::bail!("cannot read the configuration: DATABASE_URL is not set");
    }
    let port: u16 = env.parse_or("PORT", 0)?;
    let port = if mode == "wrong-port" { 0 } else { port };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let shutdown = Shutdown::on_signals()?;
    if mode == "slow" {
        tokio::time::sleep(Duration::from_millis(3000)).await;
    }
    let listener = TcpListener::bind(address).await.context("listening")?;
    let served = Arc::new(Served {
        mode,
        release,
        count: AtomicU64::new(0),
    });
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.context("accepting")?;
                let served = Arc::clone(&served);
                tokio::spawn(async move {
                    let answer = service_fn(move |request| {
                        let served = Arc::clone(&served);
                        async move { Ok::<_, Infallible>(served.answer(&request)) }
                    });
                    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                    if let Err(error) = served.await {
                        tracing::debug!(%error, "a connection ended");
                    }
                });
            }
            () = shutdown.requested() => {
                if served.mode == "stubborn" {
                    std::future::pending::<()>().await;
                }
                return Ok(());
            }
        }
    }
}

fn has_turned() -> bool {
    std::path::Path::new("turned").exists()
}

fn migrate(mode: &str, env: &Env) -> anyhow::Result<()> {
    if mode.trim() == "no-migration" {
        anyhow::bail!("relation \"booking\" is locked by somebody else");
    }
    if let Some(path) = env.get("MIGRATED") {
        std::fs::write(path, "yes").context("writing that it migrated")?;
    }
    Ok(())
}

struct Served {
    mode: String,
    release: String,
    count: AtomicU64,
}

impl Served {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let path = request.uri().path();
        let status = match (self.mode.as_str(), path) {
            ("deaf", "/health") if count > 40 => 500,
            ("moved", "/health") => 404,
            ("moved", "/up") | (_, "/health" | "/preview") => 200,
            (_, "/up") => 404,
            ("health-only", _) => 500,
            ("third-fails", _) if count.is_multiple_of(3) => 500,
            ("turns-bad", _) if count.is_multiple_of(3) && has_turned() => 500,
            _ => 200,
        };
        let body = Full::new(Bytes::from(format!("{} {path}\n", self.mode)));
        let mut response = Response::new(body);
        if let Ok(status) = http::StatusCode::from_u16(status) {
            *response.status_mut() = status;
        }
        if let Ok(release) = http::HeaderValue::from_str(&self.release) {
            response.headers_mut().insert("x-release", release);
        }
        response
    }
}
