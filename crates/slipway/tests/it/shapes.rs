//! What programs may rely on: the shape of everything that is printed with `--json`, held
//! against `docs/json.md`. A page that is not what the verbs print is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use slipway_rollout::account::Account;

use crate::ground::Ground;
use crate::release::draft;
use crate::ship;
use crate::workers;

/// The shape of a value, merged over every value of its kind that was seen.
#[derive(Debug, Clone, Default, PartialEq)]
struct Shape {
    words: BTreeSet<&'static str>,
    list: Option<Box<Self>>,
    object: Option<Object>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Object {
    seen: usize,
    fields: BTreeMap<String, (usize, Shape)>,
}

/// Fields whose content is described once, in words, at the top of the page.
const NAMED: [(&str, &str); 8] = [
    ("state", "state"),
    ("end", "state"),
    ("what", "moment"),
    ("actor", "actor"),
    ("event", "event"),
    ("table", "table"),
    ("stats", "stats"),
    ("parts", "parts"),
];

impl Shape {
    fn see(&mut self, value: &Value) {
        match value {
            Value::Null => self.word("null"),
            Value::Bool(_) => self.word("boolean"),
            Value::Number(_) => self.word("number"),
            Value::String(_) => self.word("string"),
            Value::Array(items) => {
                let list = self.list.get_or_insert_default();
                for item in items {
                    list.see(item);
                }
            }
            Value::Object(fields) => {
                let object = self.object.get_or_insert_default();
                object.seen += 1;
                for (name, value) in fields {
                    let (seen, shape) = object.fields.entry(known(name)).or_default();
                    *seen += 1;
                    match NAMED.iter().find(|(field, _)| field == name) {
                        Some((_, word)) if value.is_object() => shape.word(word),
                        _ => shape.see(value),
                    }
                }
            }
        }
    }

    fn word(&mut self, word: &'static str) {
        self.words.insert(word);
    }

    fn write(&self, indent: usize) -> String {
        let mut kinds: Vec<String> = self.words.iter().map(|&word| word.to_owned()).collect();
        if let Some(list) = &self.list {
            kinds.push(format!("[{}]", list.write(indent)));
        }
        if let Some(object) = &self.object {
            let (inner, outer) = (" ".repeat(indent + 2), " ".repeat(indent));
            let lines = object.fields.iter().map(|(name, (seen, shape))| {
                let mark = if *seen < object.seen { "?" } else { "" };
                format!("{inner}{name}{mark}: {}\n", shape.write(indent + 2))
            });
            let lines: String = lines.collect();
            kinds.push(format!("{{\n{lines}{outer}}}"));
        }
        kinds.sort_by_key(|kind| kind == "null");
        kinds.join(" | ")
    }
}

/// Names that are ids or chosen by the project are not a part of the shape.
fn known(name: &str) -> String {
    let is_id = name.len() == 64 && name.chars().all(|c| c.is_ascii_hexdigit());
    if is_id {
        "RELEASE".to_owned()
    } else {
        name.to_owned()
    }
}

/// What each command printed.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, Shape>);

impl Seen {
    /// Runs a command with `--json` and looks at what it prints, whatever it came to.
    fn run(&mut self, ground: &Ground, name: &'static str, words: &[&str]) -> Value {
        let verbs: Vec<&str> = name.split(' ').collect();
        let ended = ground.run(&[&verbs[..], &["--json"], words].concat());
        let lines = ended.out.lines().filter(|_| name == "journal show");
        let value = match name {
            // One object in each line.
            "journal show" => {
                Value::Array(lines.map(|l| serde_json::from_str(l).unwrap()).collect())
            }
            _ => ended.json(),
        };
        let shape = self.0.entry(name).or_default();
        match &value {
            Value::Array(items) if name == "journal show" => {
                for item in items {
                    shape.see(item);
                }
            }
            value => shape.see(value),
        }
        value
    }
}

const GATED: &str = r#"
[report.tests]
job = "check"
format = "junit"
path = "report.xml"
least = 1

[gate.tests]
conditions = ["tests.failed == 0"]
fixtures = { tests = "bad.xml" }
"#;

/// Everything that a project goes through.
fn story() -> Seen {
    let (ground, mut seen) = (ship::project(), Seen::default());
    let folder = ground.project();
    let report = r#"<testsuite tests="1"><testcase name="a"/></testsuite>"#;
    fs::write(folder.join("good.xml"), report).unwrap();
    let failed =
        r#"<testsuite tests="1" failures="1"><testcase name="a"><failure/></testcase></testsuite>"#;
    fs::write(folder.join("bad.xml"), failed).unwrap();
    let check = ship::PIPELINE
        .replace("echo checked", "cp good.xml report.xml")
        .replace(
            "inputs = [\"page.txt\"]",
            "inputs = [\"page.txt\", \"good.xml\"]\noutputs = [\"report.xml\"]",
        );
    fs::write(folder.join("slipway.toml"), format!("{check}{GATED}")).unwrap();
    seen.run(&ground, "up", &[]);
    seen.run(
        &ground,
        "init",
        &["--dry-run", "--start", "./app serve normal"],
    );
    seen.run(&ground, "run", &[]);
    seen.run(&ground, "run", &[]);
    seen.run(&ground, "why", &["build"]);
    seen.run(&ground, "gate selftest", &[]);
    seen.run(&ground, "ship", &[]);
    seen.run(&ground, "status", &[]);
    seen.run(&ground, "rollback --plan", &[]);
    fs::write(folder.join("page.txt"), "two").unwrap();
    seen.run(&ground, "why", &["build"]);
    seen.run(&ground, "ship", &[]);
    seen.run(&ground, "status", &[]);
    seen.run(&ground, "rollback --plan", &[]);
    seen.run(&ground, "rollback", &[]);
    let broken = draft("health-only", "broken").make(&ground.state());
    seen.run(&ground, "deploy", &[broken.as_str()]);
    let three = draft("normal", "three").make(&ground.state());
    seen.run(&ground, "deploy", &[three.as_str()]);
    let slow = draft("slow-start", "slow").make(&ground.state());
    seen.run(&ground, "deploy", &[slow.as_str(), "--detach"]);
    // What it takes the place of is known from then on.
    ground.wait_for("the rollout to be locked", || {
        let status = ground.status();
        let state = status["services"][0]["rollout"]["state"]["name"].as_str();
        !matches!(state, None | Some("queued"))
    });
    seen.run(&ground, "cancel", &[]);
    seen.run(&ground, "receipt", &[]);
    seen.run(&ground, "console", &[]);
    seen.run(&ground, "history", &[]);
    seen.run(&ground, "journal verify", &[]);
    seen.run(&ground, "journal show", &[]);
    seen.run(&ground, "doctor", &[]);
    seen.run(&ground, "doctor", &["--environment", "moon"]);
    let red = ship::PIPELINE.replace("echo checked", "echo the page is wrong; exit 4");
    fs::write(folder.join("slipway.toml"), red).unwrap();
    seen.run(&ground, "run", &[]);
    seen.run(&ground, "down", &[]);
    governed(&mut seen);
    seen
}

/// Who may deploy, and when.
fn governed(seen: &mut Seen) {
    let account = Account::name_of(rustix::process::geteuid().as_raw());
    let by = format!("[approval.by]\n{account} = []\nsomebody-else = []\n");
    let ground = Ground::up_with(&by);
    let one = draft("normal", "one").author("eve@example.org");
    let one = one.make(&ground.state());
    seen.run(&ground, "lock", &["for a while", "--lasts", "1h"]);
    seen.run(&ground, "lock", &["and this", "--service", "shop"]);
    seen.run(&ground, "status", &[]);
    seen.run(&ground, "unlock", &[]);
    seen.run(&ground, "unlock", &["--service", "shop"]);
    seen.run(&ground, "deploy", &[one.as_str(), "--detach"]);
    seen.run(&ground, "approve", &[]);
    seen.run(&ground, "status", &[]);
    seen.run(&ground, "history", &[]);
    seen.run(&ground, "decline", &[one.as_str(), "not today"]);
    let freeze = "[[freeze]]\nreason = \"r\"\nfrom = \"2020-01-01\"\nuntil = \"2090-01-01\"\n";
    let stock = "[service.stock]\nafter = [\"shop\"]\n";
    ground.write_environment(&format!("{}\n{freeze}{stock}", Ground::environment()));
    seen.run(&ground, "status", &[]);
    let pages = Ground::environment().replace("bake =", "skew = \"10m\"\nbake =");
    let jobs = workers::folder(&ground).display().to_string();
    let jobs = format!("[service.shop.env]\nJOBS = \"{jobs}\"\n");
    ground.write_environment(&format!("{pages}\n{jobs}"));
    let two = draft("normal", "two").worker("jobs", "finishes");
    let two = two.make(&ground.state());
    seen.run(&ground, "deploy", &[one.as_str()]);
    seen.run(&ground, "deploy", &[two.as_str()]);
    ground.wait_for("a worker", || {
        let status = ground.status();
        status["services"][0]["workers"][0]["pid"].is_number()
    });
    seen.run(&ground, "status", &[]);
    seen.run(&ground, "rollback", &[]);
    seen.run(&ground, "quarantine list", &[]);
    seen.run(&ground, "quarantine lift", &[two.as_str(), "not its fault"]);
}

#[test]
fn what_programs_read_is_what_the_page_says() {
    let seen = story();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    let page = fs::read_to_string(&file).unwrap_or_default();
    let (head, _) = page.split_once("\n## ").unwrap_or((&page, ""));
    let mut wanted = head.trim_end().to_owned();
    for (name, shape) in &seen.0 {
        let shape = shape.write(0);
        wanted.extend([
            format!("\n\n## slipway {name} --json\n\n"),
            format!("```text\n{shape}\n```"),
        ]);
    }
    wanted.push('\n');
    let proposal = Path::new(env!("CARGO_TARGET_TMPDIR")).join("json.md");
    fs::write(&proposal, &wanted).unwrap();
    assert!(
        page == wanted,
        "docs/json.md is not what is printed. A field that went, or has another type, breaks programs; \
         where the change is meant, say so in the changelog and take {} for the page",
        proposal.display()
    );
}
