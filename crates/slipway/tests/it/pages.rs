//! Pages keep the release that they were loaded from for a set time after a switch.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use slipway_journal::ReleaseId;
use testkit::visitor::{Visitor, whole};
use tokio::runtime::{Builder, Runtime};

use crate::ground::Ground;
use crate::load::{Load, brief};
use crate::release::draft;

const SKEW: Duration = Duration::from_secs(4);

/// Slipway with pages that keep their release, and no bake but theirs.
fn up() -> Ground {
    let environment = Ground::environment()
        .replace("instances = 2", "instances = 1\nskew = \"4s\"")
        .replace("bake = \"1h\"", "bake = \"0s\"");
    let mut ground = Ground::with_environment(&environment);
    ground.start();
    ground
}

/// Somebody with a browser.
struct Browser {
    visitor: Visitor,
    runtime: Runtime,
}

impl Browser {
    fn of(ground: &Ground) -> Self {
        Self {
            visitor: Visitor::new(ground.address(), "a browser"),
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    /// Loads the page; the release that answered.
    fn load(&mut self) -> String {
        self.ask("/page", "navigate")
    }

    /// What the page asks for once it was loaded.
    fn script(&mut self) -> String {
        self.ask("/app.js", "no-cors")
    }

    fn ask(&mut self, path: &str, mode: &str) -> String {
        let headers = [("sec-fetch-mode", mode)];
        let asked = self.visitor.send(Method::GET, path, &headers, whole(""));
        let answer = self.runtime.block_on(asked).answer.unwrap();
        answer.release().unwrap().to_owned()
    }
}

/// When something happened first, of those events that `is` true of.
fn first(ground: &Ground, is: impl Fn(&serde_json::Value) -> bool) -> Option<Timestamp> {
    let events = ground.events();
    let event = events.iter().find(|e| is(&e["event"]))?;
    event["at"].as_str()?.parse().ok()
}

#[test]
fn a_page_keeps_its_release_after_the_switch_and_not_for_ever() {
    let ground = up();
    let release = |name| draft("normal", name).make(&ground.state()).to_string();
    let (one, two, three) = (release("one"), release("two"), release("three"));
    ground.deploy(&one).with(0);
    let (mut early, mut late) = (Browser::of(&ground), Browser::of(&ground));
    assert_eq!(early.load(), one);
    let load = Load::start(ground.address(), 4);
    let second = ground.deploy(&two).with(0).json();
    assert_eq!(early.script(), one);
    assert_eq!(late.load(), two);
    assert_eq!(late.script(), two);
    // Whoever waits for the place of the old release waits for its pages.
    let third = ground.deploy(&three).with(0).json();
    let tally = load.count();
    assert_eq!(tally.failed, 0, "{}", brief(&tally));
    assert_eq!(early.script(), three);
    let shifted = first(&ground, |e| {
        e["rollout"] == second["rollout"] && e["kind"] == "done" && e["step"]["do"] == "shift"
    });
    let locked = first(&ground, |e| {
        e["rollout"] == third["rollout"] && e["state"]["name"] == "locked"
    });
    let kept = locked.unwrap().duration_since(shifted.unwrap());
    let kept = Duration::try_from(kept).unwrap();
    assert!(kept >= SKEW, "{kept:?}");
}

#[test]
fn the_pages_of_a_release_that_is_taken_back_get_what_everybody_gets() {
    let ground = up();
    let release = |name| -> ReleaseId { draft("normal", name).make(&ground.state()) };
    let (one, two) = (release("one"), release("two"));
    ground.deploy(one.as_str()).with(0);
    ground.deploy(two.as_str()).with(0);
    let mut browser = Browser::of(&ground);
    assert_eq!(browser.load(), two.as_str());
    ground.run(&["rollback", "--reason", "prices"]).with(0);
    assert_eq!(browser.script(), one.as_str());
    let table = &ground.status()["proxy"]["table"];
    let skew = &table["routes"]["shop"]["skew"];
    assert_eq!(skew["for_s"], 4, "{table:#}");
    assert_eq!(skew["pools"].as_array().map(Vec::len), Some(0), "{table:#}");
}
