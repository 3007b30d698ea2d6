//! A proxy in front of one upstream, for benchmarks: `proxy LISTEN UPSTREAM WORKERS`. With
//! `--tls LISTEN CHAIN KEY` behind, it offers TLS as well; with a FOLDER behind, it serves the
//! table that lies there instead, and takes others.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use chassis::{Clock, Env, Random, Shutdown};
use slipway_proxy::{
    CertificateFiles, Client, Generation, HealthCheck, Options, Pool, Route, Secure, Table, Target,
    serve,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    chassis::telemetry::init(&Env::process())?;
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("usage: proxy LISTEN UPSTREAM WORKERS")
    };
    let listen: SocketAddr = next()?.parse()?;
    let upstream: SocketAddr = next()?.parse()?;
    let workers = next()?.parse()?;
    let mut given = next().ok();
    let secure = if given.as_deref() == Some("--tls") {
        given = None;
        Some(secure(&next()?, next()?, next()?)?)
    } else {
        None
    };
    let given = given.map(PathBuf::from);
    let own = std::env::temp_dir().join(format!("slipway-proxy-{}", std::process::id()));
    let folder = given.clone().unwrap_or(own);
    let admin = folder.join("admin.sock");
    let listeners = vec![TcpListener::bind(listen)?];
    let world = (Clock::system(), Random::system());
    let mut options = Options::new(listeners, folder.clone(), admin.clone(), world);
    options.workers = workers;
    options.secure = secure;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(async {
        let shutdown = Shutdown::on_signals()?;
        let client = Client::new(admin);
        let publish = async {
            while given.is_none() && client.publish(&table(upstream)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            served = serve(options, shutdown) => served?,
            () = publish => {}
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    });
    if given.is_none() {
        std::fs::remove_dir_all(&folder)?;
    }
    served
}

fn secure(listen: &str, chain: String, key: String) -> Result<Secure, Box<dyn std::error::Error>> {
    Ok(Secure {
        listeners: vec![TcpListener::bind(listen.parse::<SocketAddr>()?)?],
        certificates: vec![CertificateFiles {
            chain: chain.into(),
            key: key.into(),
        }],
        awaited: Vec::new(),
        redirect: false,
        public_port: None,
        hsts: None,
    })
}

fn table(upstream: SocketAddr) -> Table {
    let target = Target {
        instance: "upstream".to_owned(),
        address: upstream,
    };
    let pool = Pool {
        release: "bench".to_owned(),
        targets: vec![target],
        health: None,
    };
    let route = Route {
        hosts: Vec::new(),
        pools: BTreeMap::from([("blue".to_owned(), pool)]),
        live: "blue".to_owned(),
        split: None,
        preview: None,
        hold: false,
        rules: Vec::new(),
        maintenance: None,
        skew: None,
        slow: None,
        slow_start_ms: 0,
        health: HealthCheck {
            path: "/health".to_owned(),
            every_ms: 1000,
            timeout_ms: 1000,
            down_after: 3,
            up_after: 1,
        },
    };
    Table {
        generation: Generation(1),
        routes: BTreeMap::from([("web".to_owned(), route)]),
    }
}
