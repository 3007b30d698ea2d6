//! One round of load on one proxy: by wrk, or by h2load where it is HTTP/2. A round in which a
//! request failed is no measurement.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::Scene;
use super::peer::Peer;
use super::running::pinned;

const H2LOAD: &str = "/usr/bin/h2load";
/// HTTP/2: so many connections, with so many requests at once on each.
const H2_CONNECTIONS: u32 = 16;
const H2_STREAMS: u32 = 4;
const UPLOAD: &str = "wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", 65536)\n";

/// What one round of one proxy gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    pub(super) requests_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Processor time of the proxy for one request.
    pub(super) cpu_us: f64,
}

/// What the load says of a round.
struct Seen {
    requests: f64,
    requests_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Loads `peer` for some seconds over some connections.
pub(super) fn round(scene: Scene, peer: &Peer, shape: (u32, u32)) -> anyhow::Result<Round> {
    let before = peer.process.cpu()?;
    let seen = match scene {
        Scene::Http2 => h2load(peer, shape.1)?,
        _ => wrk(scene, peer, shape)?,
    };
    let cpu = peer.process.cpu()?.saturating_sub(before);
    Ok(Round {
        requests_per_second: seen.requests_per_second,
        p50_ms: seen.p50_ms,
        p99_ms: seen.p99_ms,
        cpu_us: cpu.as_secs_f64() * 1e6 / seen.requests,
    })
}

fn wrk(scene: Scene, peer: &Peer, (connections, seconds): (u32, u32)) -> anyhow::Result<Seen> {
    let folder = tempfile::tempdir().context("making a folder")?;
    let script = folder.path().join("upload.lua");
    std::fs::write(&script, UPLOAD).context("writing what wrk does")?;
    let mut command = pinned(1, Path::new("wrk"));
    command
        .args(["--latency", "--threads", "1"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")]);
    match scene {
        Scene::Upload => command
            .arg("--script")
            .arg(&script)
            .arg(format!("http://{}/", peer.plain)),
        Scene::Large => command.arg(format!("http://{}/large", peer.plain)),
        Scene::Tls => command.arg(format!("https://{}/", peer.secure)),
        _ => command.arg(format!("http://{}/", peer.plain)),
    };
    let text = output(&mut command)?;
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("the round had failed requests:\n{text}");
    }
    read_wrk(&text).with_context(|| format!("reading what wrk said:\n{text}"))
}

fn h2load(peer: &Peer, seconds: u32) -> anyhow::Result<Seen> {
    ensure!(
        Path::new(H2LOAD).exists(),
        "h2load is not installed: apt-get install nghttp2-client"
    );
    let folder = tempfile::tempdir().context("making a folder")?;
    let log = folder.path().join("requests");
    let text = output(
        pinned(1, Path::new(H2LOAD))
            .args(["--threads", "1", "--clients", &H2_CONNECTIONS.to_string()])
            .args(["--max-concurrent-streams", &H2_STREAMS.to_string()])
            .args(["--duration", &seconds.to_string(), "--log-file"])
            .arg(&log)
            .arg(format!("https://{}/", peer.secure)),
    )?;
    let requests = std::fs::read_to_string(&log).context("reading what h2load wrote")?;
    read_h2load(&requests, Duration::from_secs(seconds.into()))
        .with_context(|| format!("reading what h2load said:\n{text}"))
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "the load ended with {}:\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}

/// Reads the report of wrk.
fn read_wrk(text: &str) -> Option<Seen> {
    let after = |label: &str| {
        text.lines()
            .find_map(|l| l.trim().strip_prefix(label))
            .map(str::trim)
    };
    let requests: f64 = text
        .lines()
        .find_map(|l| l.trim().split_once(" requests in "))
        .and_then(|(n, _)| n.parse().ok())?;
    Some(Seen {
        requests,
        requests_per_second: after("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    units
        .iter()
        .find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

/// Reads a line of h2load for each request: when it began, its status, its microseconds.
/// Nothing where one failed.
fn read_h2load(requests: &str, took: Duration) -> Option<Seen> {
    let mut micros = Vec::new();
    for line in requests.lines() {
        let mut fields = line.split('\t').skip(1);
        if fields.next()? != "200" {
            return None;
        }
        micros.push(fields.next()?.parse::<u32>().ok()?);
    }
    micros.sort_unstable();
    let at = |hundredth: usize| {
        let place = (micros.len() * hundredth / 100).min(micros.len().checked_sub(1)?);
        micros.get(place).map(|micros| f64::from(*micros) / 1000.0)
    };
    let requests = f64::from(u32::try_from(micros.len()).ok()?);
    Some(Seen {
        requests,
        requests_per_second: requests / took.as_secs_f64(),
        p50_ms: at(50)?,
        p99_ms: at(99)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_wrk_is_read() {
        let text = "  Latency Distribution\n     50%  820.00us\n     99%    1.50ms\n\
                    \x20 40000 requests in 4.00s, 5.00MB read\nRequests/sec:  10000.00\n";
        let seen = read_wrk(text).unwrap();
        assert!((seen.p50_ms - 0.82).abs() < 1e-9 && (seen.p99_ms - 1.5).abs() < 1e-9);
        assert!((seen.requests - 40000.0).abs() < 1e-9);
    }

    #[test]
    fn the_lines_of_h2load_are_read_and_a_failed_request_spoils_them() {
        let lines = (1..=200).map(|n| format!("17\t200\t{}\n", n * 10));
        let good = lines.collect::<Vec<_>>().concat();
        let seen = read_h2load(&good, Duration::from_secs(2)).unwrap();
        assert!((seen.requests_per_second - 100.0).abs() < 1e-9);
        assert!((seen.p50_ms - 1.01).abs() < 1e-9 && (seen.p99_ms - 1.99).abs() < 1e-9);
        assert!(read_h2load(&format!("{good}17\t503\t9\n"), Duration::from_secs(2)).is_none());
        assert!(read_h2load("", Duration::from_secs(2)).is_none());
    }
}
