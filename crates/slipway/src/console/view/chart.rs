//! The small line of requests per second. Pure: points in, attributes of an inline SVG
//! out, with words that say the same.

use std::fmt::Write as _;

use crate::console::traffic::{BEATS_MAX, Now, Point, Traffic};
use crate::console::words::{counted, micros, number, rate};

/// Samples that make one point of the line.
pub(crate) const WIDTH: usize = 5;
/// Gaps between points from edge to edge.
const GAPS: f64 = 59.0;
const _: () = assert!(BEATS_MAX / WIDTH == 60, "a gap less than points");
/// The picture's own units.
const RIGHT: f64 = 240.0;
const FLOOR: f64 = 43.0;
const HEIGHT: f64 = 40.0;

/// What one release serves now, in words and as a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrafficWords {
    pub(crate) rate: String,
    pub(crate) failed: String,
    pub(crate) has_failures: bool,
    pub(crate) p50: String,
    pub(crate) p99: String,
    pub(crate) chart: Chart,
    pub(crate) latency: Line,
}

/// How slow one answer in a hundred was, over the last minutes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// The words of the picture.
    pub(crate) label: String,
    /// `d` of the line; interrupted where nobody asked.
    pub(crate) edge: String,
}

/// What the lines of several releases are drawn to, so that they can be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Microseconds.
    pub(crate) latency: f64,
}

/// The line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    /// The words of the picture.
    pub(crate) label: String,
    /// `d` of the area and of its upper edge.
    pub(crate) area: String,
    pub(crate) edge: String,
    /// `d` of a stroke upwards for every point with failures.
    pub(crate) failures: String,
}

/// The traffic of `release`, drawn to scale.
pub(crate) fn traffic_words(
    traffic: &Traffic,
    service: &str,
    release: &str,
    scale: Scale,
) -> Option<TrafficWords> {
    let now = traffic.now(service, release)?;
    let line = traffic.line(service, release, WIDTH);
    let latency = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), micros);
    Some(TrafficWords {
        rate: rate(now.rate),
        failed: number(now.failed),
        has_failures: now.failed > 0,
        p50: latency(now.p50_us),
        p99: latency(now.p99_us),
        chart: chart(&line, &now, scale.rate),
        latency: latency_line(&line, scale.latency),
    })
}

/// The highest of the releases.
pub(crate) fn scale<'a>(
    traffic: &Traffic,
    service: &str,
    releases: impl IntoIterator<Item = &'a str>,
) -> Scale {
    let least = Scale {
        rate: 1.0,
        latency: 1.0,
    };
    releases
        .into_iter()
        .flat_map(|release| traffic.line(service, release, WIDTH))
        .fold(least, |scale, point| Scale {
            rate: scale.rate.max(point.served),
            latency: scale.latency.max(real(point.p99_us.unwrap_or(0))),
        })
}

fn latency_line(line: &[Point], highest: f64) -> Line {
    let known: Vec<u64> = line.iter().filter_map(|p| p.p99_us).collect();
    let label = match (known.last(), known.iter().max()) {
        (Some(now), Some(most)) => format!(
            "Time that 99 % of the answers did not exceed, over the last minutes: {} at last, {} at most",
            micros(*now),
            micros(*most)
        ),
        _ => "Nobody asked over the last minutes".to_owned(),
    };
    let mut edge = String::new();
    let mut pen = 'M';
    let mut x = first_place(line);
    for point in line {
        match point.p99_us {
            Some(us) => {
                let y = FLOOR - real(us) / highest * HEIGHT;
                append(&mut edge, format_args!("{pen}{x:.1} {y:.1}"));
                pen = 'L';
            }
            None => pen = 'M',
        }
        x += RIGHT / GAPS;
    }
    Line { label, edge }
}

/// Where the oldest point is drawn.
fn first_place(line: &[Point]) -> f64 {
    RIGHT - GAPS.min(count(line) - 1.0) * RIGHT / GAPS
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of one answer")]
fn real(us: u64) -> f64 {
    us as f64
}

fn chart(line: &[Point], now: &Now, peak: f64) -> Chart {
    let highest = line.iter().map(|p| p.served).fold(0.0, f64::max);
    let label = format!(
        "Requests per second over the last minutes: {} now, {} at most; {} failed in the last minute",
        rate(now.rate),
        rate(highest),
        counted(now.failed, "request", "requests"),
    );
    let (mut edge, mut failures) = (String::new(), String::new());
    let first = first_place(line);
    let mut x = first;
    for (place, point) in line.iter().enumerate() {
        let y = FLOOR - point.served / peak * HEIGHT;
        let pen = if place == 0 { 'M' } else { 'L' };
        append(&mut edge, format_args!("{pen}{x:.1} {y:.1}"));
        if point.failed > 0.0 {
            // A single failure must be seen as well, hence at least a short stroke.
            let top = (FLOOR - point.failed / peak * HEIGHT).min(FLOOR - 5.0);
            append(&mut failures, format_args!("M{x:.1} {FLOOR}V{top:.1}"));
        }
        x += RIGHT / GAPS;
    }
    let area = if edge.is_empty() {
        String::new()
    } else {
        format!("{edge}L{RIGHT:.1} {FLOOR}L{first:.1} {FLOOR}Z")
    };
    Chart {
        label,
        area,
        edge,
        failures,
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 60 points")]
fn count(line: &[Point]) -> f64 {
    line.len() as f64
}

fn append(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part)
        .expect("writing into a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Vec<Point> {
        let point = |&(served, failed): &(f64, f64)| Point {
            served,
            failed,
            p99_us: None,
        };
        points.iter().map(point).collect()
    }

    #[test]
    fn the_newest_point_is_at_the_right_edge_and_the_peak_at_the_top() {
        let chart = chart(&line(&[(50.0, 0.0), (100.0, 0.0)]), &Now::default(), 100.0);
        assert_eq!(chart.edge, "M235.9 23.0L240.0 3.0");
        assert!(
            chart.area.ends_with("L240.0 43L235.9 43Z"),
            "{}",
            chart.area
        );
        assert_eq!(chart.failures, "");
    }

    #[test]
    fn slowness_is_drawn_and_interrupted_where_nobody_asked() {
        let point = |p99_us| Point {
            p99_us,
            ..Point::default()
        };
        let points = [Some(5_000), None, Some(10_000), Some(2_500)].map(point);
        let line = latency_line(&points, 10_000.0);
        assert_eq!(line.edge, "M227.8 23.0M235.9 3.0L240.0 33.0");
        assert!(
            line.label.ends_with("2.5 ms at last, 10 ms at most"),
            "{}",
            line.label
        );
    }

    #[test]
    fn a_single_failure_is_seen() {
        let chart = chart(&line(&[(1000.0, 0.2)]), &Now::default(), 1000.0);
        assert_eq!(chart.failures, "M240.0 43V38.0");
    }

    #[test]
    fn no_point_is_no_line() {
        let chart = chart(&[], &Now::default(), 1.0);
        assert_eq!((chart.edge.as_str(), chart.area.as_str()), ("", ""));
    }
}
