//! Memory: of a proxy that has answered once, and what a thousand connections more take that
//! have each been answered once and then do nothing, once that takes no less any more.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use chassis::Env;
use testkit::wait;

use super::Other;
use super::peer::{self, Ground, Peer};

/// A table with a row for each proxy, each started anew for it.
pub(super) fn table(
    ours: &Path,
    env: &Env,
    ground: &Ground,
    others: &[Other],
    connections: usize,
) -> anyhow::Result<String> {
    let mut text = format!(
        "\nIdle, {connections} connections\n\n\
         | | resident, MiB | with them, MiB | per connection, KiB |\n|---|---:|---:|---:|\n"
    );
    row(&mut text, &peer::slipway(ours, ground)?, connections)?;
    for other in others {
        match peer::start(*other, env, ground) {
            Ok(peer) => row(&mut text, &peer, connections)?,
            Err(error) => eprintln!("without {other:?}: {error:#}"),
        }
    }
    Ok(text)
}

fn row(text: &mut String, peer: &Peer, connections: usize) -> anyhow::Result<()> {
    // It listens before it has a table.
    let mut first = answered(peer.plain);
    wait::until(Duration::from_secs(20), || {
        if first.is_err() {
            first = answered(peer.plain);
        }
        first.is_ok()
    });
    let _first = first.with_context(|| format!("asking {}", peer.name))?;
    let before = peer.process.resident_kib()?;
    let held = (0..connections)
        .map(|_| answered(peer.plain))
        .collect::<anyhow::Result<Vec<_>>>()
        .with_context(|| format!("opening connections to {}", peer.name))?;
    let with = settled(peer)?;
    drop(held);
    let count = f64::from(u32::try_from(connections)?);
    let kib = |kib: u64| u32::try_from(kib).map(f64::from);
    let (before, with) = (kib(before)?, kib(with)?);
    writeln!(
        text,
        "| {} | {:.1} | {:.1} | {:.1} |",
        peer.name,
        before / 1024.0,
        with / 1024.0,
        (with - before) / count
    )
    .context("writing a row")
}

/// What is resident once it has not become less for three seconds, after fifteen at the latest.
fn settled(peer: &Peer) -> anyhow::Result<u64> {
    let mut least = peer.process.resident_kib()?;
    let mut since = Instant::now();
    let mut seen = Ok(());
    wait::until(Duration::from_secs(15), || {
        match peer.process.resident_kib() {
            Ok(now) if now < least => (least, since) = (now, Instant::now()),
            Ok(_) => {}
            Err(error) => seen = Err(error),
        }
        seen.is_err() || since.elapsed() >= Duration::from_secs(3)
    });
    seen.map(|()| least)
}

/// A connection on which one request was answered.
fn answered(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).context("connecting")?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")?;
    let mut read = Vec::new();
    while !read.ends_with(b"octets..") {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).context("reading an answer")?;
        ensure!(count > 0, "the connection was closed");
        read.extend_from_slice(&piece[..count]);
        let is_good = b"HTTP/1.1 200 ".iter().zip(&read).all(|(a, b)| a == b);
        ensure!(is_good, "it answers {:?}", String::from_utf8_lossy(&read));
    }
    Ok(stream)
}
