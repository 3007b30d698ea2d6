//! Several services in one environment: deployed in the order in which they stand on each other.

use std::fs;

use serde_json::Value;

use crate::ground::Ground;
use crate::release::{link, program};

/// Two services that are made of one job; `front` comes first by name, and stands on `stock`.
const PIPELINE: &str = r#"
[project]
name = "shop"

[job.build]
run = ["sh", "-c", "mkdir -p out && cp app page.txt out/"]
inputs = ["app", "page.txt"]
outputs = ["out"]

[service.front]
needs = ["build"]
start = ["./app", "serve", "normal"]
health = "/health"
files = [{ from = "out", to = "." }]

[service.stock]
needs = ["build"]
start = ["./app", "serve", "MODE"]
health = "/health"
files = [{ from = "out", to = "." }]
"#;

const SERVICES: &str = r#"
[proxy]
listen = "127.0.0.1:0"
workers = 2

[console]
listen = "127.0.0.1:0"

[service.front]
hosts = ["front.example"]
after = ["stock"]
policy = { instances = 1, ready_within = "1s", quiet = "50ms", observe = "500ms", stop_grace = "2s" }

[service.stock]
hosts = ["stock.example"]
policy = { instances = 1, ready_within = "1s", quiet = "50ms", observe = "500ms", stop_grace = "2s" }
"#;

fn project() -> Ground {
    project_in(SERVICES)
}

fn project_in(environment: &str) -> Ground {
    let mut ground = Ground::with_environment(environment);
    link(&program(), &ground.project().join("app"));
    make(&ground, "one", "normal");
    ground.start();
    ground
}

fn make(ground: &Ground, page: &str, stock: &str) {
    fs::write(ground.project().join("page.txt"), page).unwrap();
    let pipeline = PIPELINE.replace("MODE", stock);
    fs::write(ground.project().join("slipway.toml"), pipeline).unwrap();
}

/// The services that somebody asked to be deployed, in order.
fn asked(ground: &Ground) -> Vec<String> {
    let events = ground.events();
    let asked = events.iter().map(|e| &e["event"]);
    let asked = asked.filter(|e| e["area"] == "rollout" && e["kind"] == "requested");
    asked
        .map(|e| e["service"].as_str().unwrap().to_owned())
        .collect()
}

fn services(reports: &Value) -> Vec<&str> {
    let reports = reports.as_array().unwrap().iter();
    reports.map(|r| r["service"].as_str().unwrap()).collect()
}

#[test]
fn all_services_are_deployed_in_their_order_and_status_shows_each() {
    let ground = project();
    let status = ground.status();
    assert_eq!(services(&status["services"]), ["front", "stock"]);
    ground.run(&["run"]).with(0);
    let reports = ground.run(&["deploy", "--all", "--json"]).with(0).json();
    assert_eq!(services(&reports), ["stock", "front"]);
    assert_eq!(asked(&ground), ["stock", "front"]);
    let shown = ground.run(&["status"]).with(0).out;
    assert!(
        shown.contains("front  stands on stock\n  live") && shown.contains("stock\n  live"),
        "{shown}"
    );
    let again = ground.run(&["deploy", "--all"]).with(0);
    assert!(again.err.contains("is live already"), "{again:#?}");

    make(&ground, "two", "normal");
    ground.run(&["ship"]).with(0);
    assert_eq!(asked(&ground), ["stock", "front", "stock", "front"]);
    let plan = ["rollback", "--plan", "--service", "stock", "--json"];
    let plan = ground.run(&plan).with(0).json();
    let loss = plan["loss"].to_string();
    assert!(loss.contains("of front came after it"), "{plan:#}");
    let back = ["rollback", "--service", "stock", "--reason", "prices"];
    ground.run(&back).with(0);
}

#[test]
fn a_service_is_refused_while_what_it_stands_on_is_not_live() {
    let ground = project();
    ground.run(&["run"]).with(0);
    let refused = ground.run(&["deploy", "--service", "front"]).with(3);
    assert!(
        refused.err.contains("no release of stock is live"),
        "{refused:#?}"
    );
    assert_eq!(asked(&ground), Vec::<String>::new());
    ground.run(&["deploy", "--service", "stock"]).with(0);
    ground.run(&["deploy", "--service", "front"]).with(0);
    assert_eq!(asked(&ground), ["stock", "front"]);
}

#[test]
fn a_service_is_refused_while_what_it_stands_on_changes() {
    let patient = SERVICES.replace("ready_within = \"1s\"", "ready_within = \"60s\"");
    let ground = project_in(&patient);
    ground.run(&["run"]).with(0);
    ground.run(&["deploy", "--all"]).with(0);
    make(&ground, "two", "never-healthy");
    ground.run(&["run"]).with(0);
    let stock = ["deploy", "--service", "stock", "--detach"];
    ground.run(&stock).with(0);
    let refused = ground.run(&["deploy", "--service", "front"]).with(3);
    assert!(
        refused
            .err
            .contains("is not through with a new release of stock"),
        "{refused:#?}"
    );
}

#[test]
fn what_comes_after_one_that_does_not_go_live_stays_as_it_is() {
    let ground = project();
    make(&ground, "one", "never-healthy");
    ground.run(&["run"]).with(0);
    let failed = ground.run(&["deploy", "--all"]).with(1);
    assert!(failed.err.contains("stays as it is"), "{failed:#?}");
    assert_eq!(asked(&ground), ["stock"]);
}

#[test]
fn a_circle_is_refused_before_anything_starts() {
    let circle = SERVICES.replace(
        "hosts = [\"stock.example\"]",
        "hosts = [\"stock.example\"]\nafter = [\"front\"]",
    );
    let ground = Ground::with_environment(&circle);
    let refused = ground.run(&["up"]).with(2);
    assert!(
        refused
            .err
            .contains("in a circle: front after stock after front"),
        "{refused:#?}"
    );
}
