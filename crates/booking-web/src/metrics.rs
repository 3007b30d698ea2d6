//! What the process counts about itself, in the Prometheus text format.
//! Labels are route templates and enumerations, never anything a visitor typed.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::language;

/// Upper bounds in seconds; the objectives are at 60 and 150 ms.
const LATENCY_BOUNDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.06, 0.1, 0.15, 0.5, 1.0, 5.0, 15.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
    method: &'static str,
}

/// The counters of one process.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram>,
    /// Requests that are being answered now.
    pub(crate) in_flight: Gauge,
    /// Those who wait until it is their turn to change something.
    pub(crate) waiting: Gauge,
    /// Live event streams that are open now.
    pub(crate) streams: Gauge,
    /// Months of free times that were computed, not kept from before.
    pub(crate) months: Counter,
    /// Bookings that were made.
    pub(crate) bookings: Counter,
    /// Bookings that were refused because the time was gone.
    pub(crate) conflicts: Counter,
    /// Bookings that were cancelled.
    pub(crate) cancellations: Counter,
    /// Hashes of passwords that were computed, for whatever reason.
    pub(crate) password_hashes: Counter,
    /// Bytes that were received as imports.
    pub(crate) import_bytes: Counter<u64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new(release: &str) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("booking"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_BOUNDS)),
            in_flight: Gauge::default(),
            waiting: Gauge::default(),
            streams: Gauge::default(),
            months: Counter::default(),
            bookings: Counter::default(),
            conflicts: Counter::default(),
            cancellations: Counter::default(),
            password_hashes: Counter::default(),
            import_bytes: Counter::default(),
        };
        metrics.register(release);
        metrics
    }

    fn register(&mut self, release: &str) {
        let registry = &mut self.registry;
        registry.register(
            "build",
            "The release that runs",
            Info::new(vec![("release".to_owned(), release.to_owned())]),
        );
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register(
            "http_request_seconds",
            "Time from the request's head to the response's head",
            self.latency.clone(),
        );
        registry.register(
            "http_in_flight",
            "Requests being answered",
            self.in_flight.clone(),
        );
        registry.register(
            "waiting",
            "Requests that wait until it is their turn to change something",
            self.waiting.clone(),
        );
        registry.register("live_streams", "Live streams open", self.streams.clone());
        registry.register(
            "months_computed",
            "Months of free times computed",
            self.months.clone(),
        );
        registry.register("made", "Bookings made", self.bookings.clone());
        registry.register(
            "conflicts",
            "Bookings refused because the time was gone",
            self.conflicts.clone(),
        );
        registry.register(
            "cancelled",
            "Bookings cancelled",
            self.cancellations.clone(),
        );
        registry.register(
            "password_hashes",
            "Hashes of passwords computed",
            self.password_hashes.clone(),
        );
        registry.register(
            "import_bytes",
            "Bytes received as imports",
            self.import_bytes.clone(),
        );
        registry.register(
            "messages_missing",
            "Messages that a language lacks and a page wanted",
            language::missing(),
        );
    }

    /// Counts one answered request.
    pub(crate) fn answered(&self, route: &str, method: &http::Method, status: u16, took: Duration) {
        let method = known_method(method);
        let route = route.to_owned();
        self.latency
            .get_or_create(&RouteLabels {
                route: route.clone(),
                method,
            })
            .observe(took.as_secs_f64());
        self.requests
            .get_or_create(&RequestLabels {
                route,
                method,
                status,
            })
            .inc();
    }

    /// The text that Prometheus scrapes.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A method of a visitor's own making must not make a new series.
fn known_method(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_template() {
        let metrics = Metrics::new("r1");
        metrics.answered(
            "/b/{token}",
            &http::Method::GET,
            200,
            Duration::from_millis(3),
        );
        metrics.bookings.inc();
        let text = metrics.text().unwrap();
        for line in [
            r#"booking_http_requests_total{route="/b/{token}",method="GET",status="200"} 1"#,
            "booking_made_total 1",
            r#"booking_build_info{release="r1"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
