//! `cargo xtask bench`: measurements beside a peer in the same run, printed as ratios.
//! Never a test: these machines are shared and noisy, so only ratios mean something.

mod booking;
mod claim;
mod judge;
mod messages;
mod proxy;
mod switch;

use std::env::args_os;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use anyhow::Context as _;
use chassis::Env;
use clap::Subcommand;

use crate::setup;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Bench {
    /// The data plane beside nginx, haproxy and kamal-proxy: one core each, same work
    Proxy(proxy::Options),
    /// Booking with a million bookings in it: months, pages, and bookings beside pgbench
    Booking(booking::Options),
    /// Booking beside its bare statement: many clients on one free time
    Claim(claim::Options),
    /// The judge of releases beside what else is used, on made-up traffic
    Judge(judge::Options),
    /// Messages that are all due at once, to queue and to send
    Messages(messages::Options),
    /// Releases that come and go under load: failed requests, and how long each takes
    Switch(switch::Options),
}

pub(crate) fn run(root: &Path, env: &Env, bench: Bench) -> anyhow::Result<()> {
    // Both need no other program, and are built optimized by themselves.
    let is_alone = matches!(bench, Bench::Judge(_) | Bench::Switch(_));
    if !is_alone {
        setup::run(setup::Purpose::Bench)?;
    }
    // The load on the proxy is made by other programs.
    let is_quick = is_alone || matches!(bench, Bench::Proxy(_));
    if cfg!(debug_assertions) && !is_quick {
        return optimized(root);
    }
    match bench {
        Bench::Proxy(options) => proxy::run(root, env, &options),
        Bench::Booking(options) => booking::run(root, options),
        Bench::Claim(options) => claim::run(root, options),
        Bench::Judge(options) => judge::run(root, options),
        Bench::Messages(options) => messages::run(root, options),
        Bench::Switch(options) => switch::run(root, env, options),
    }
}

/// Goes on as the same command, optimized: what a slow client needs of the machine, and waits
/// for itself, would be measured with the server.
fn optimized(root: &Path) -> anyhow::Result<()> {
    let ended = crate::cargo::command()
        .args([
            "run",
            "--quiet",
            "--locked",
            "--release",
            "--bin",
            "xtask",
            "--",
        ])
        .args(args_os().skip(1))
        .current_dir(root)
        .exec();
    Err(ended).context("starting cargo run")
}

/// The middle of `values`; nought when there are none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < f64::EPSILON);
        assert!((median(&[9.0, 1.0, 3.0]) - 3.0).abs() < f64::EPSILON);
    }
}
