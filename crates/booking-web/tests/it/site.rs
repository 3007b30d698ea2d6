//! A running `booking serve` for one test: the real program on a real socket, with a
//! database and a cache of its own. Ends with the test, whatever happens.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chassis::{Clock, Env};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::{Value, json};
use sqlx::PgPool;
use testkit::postgres::Database;
use testkit::{services, wait};

use crate::contract;

pub(crate) const RELEASE: &str = "test-release-1";
/// The password of everybody in the demonstration, as the README says.
pub(crate) const DEMONSTRATION: &str = "this is only a demonstration";
const PATIENCE: Duration = Duration::from_secs(20);

/// A database and a cache that nobody else uses.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) redis: String,
}

impl World {
    /// The demonstration, as `booking migrate` and `booking seed` make it.
    pub(crate) async fn seeded() -> Self {
        Self::of("booking_seeded", async |url| {
            run("migrate", url)?;
            run("seed", url)
        })
        .await
    }

    /// The schema without a row, as `booking migrate` makes it.
    pub(crate) async fn migrated() -> Self {
        Self::of("booking_migrated", async |url| run("migrate", url)).await
    }

    async fn of(template: &str, prepare: impl AsyncFnOnce(&str) -> anyhow::Result<()>) -> Self {
        let shared = services::shared().unwrap();
        let database = Database::cloned(&shared.postgres, template, prepare).await;
        Self {
            database: database.unwrap(),
            redis: shared.redis.database().await.unwrap(),
        }
    }

    /// Starts a release on it.
    pub(crate) async fn site(&self) -> Site {
        self.release(RELEASE).await
    }

    pub(crate) async fn release(&self, release: &str) -> Site {
        let (database, redis) = (self.database.url(), self.redis.as_str());
        Site::start(&[
            ("DATABASE_URL", &database),
            ("REDIS_URL", redis),
            ("RELEASE", release),
        ])
        .await
    }

    /// Sees everything, as no role of the application does.
    pub(crate) async fn all(&self) -> PgPool {
        PgPool::connect(&self.database.admin_url()).await.unwrap()
    }

    /// One number out of the whole database.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        let pool = self.all().await;
        let count = sqlx::query_scalar(query).fetch_one(&pool).await.unwrap();
        pool.close().await;
        count
    }
}

/// Counts of limits begin anew at full hours and every ten minutes within them: waits where that
/// is so near that it would fall into a test.
pub(crate) async fn counts_go_on() {
    let clock = Clock::system();
    let far = async || (clock.now().as_second().rem_euclid(600) < 540).then_some(());
    wait::answer(Duration::from_secs(90), far).await.unwrap();
}

/// The program, with nothing in its environment but where its counters go, if it has any.
pub(crate) fn booking(command: &str) -> Command {
    const COUNTERS: &str = "LLVM_PROFILE_FILE";
    let mut program = Command::new(env!("CARGO_BIN_EXE_booking"));
    program.arg(command).env_clear();
    if let Some(file) = Env::process().get(COUNTERS) {
        program.env(COUNTERS, file);
    }
    program
}

/// Runs another command of the program to its end; its log where it fails.
pub(crate) fn run(command: &str, url: &str) -> anyhow::Result<()> {
    let output = booking(command).env("DATABASE_URL", url).output()?;
    anyhow::ensure!(
        output.status.success(),
        "booking {command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// The program, where it answers, and what it logged.
pub(crate) struct Site {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    pub(crate) address: String,
    pub(crate) metrics: String,
}

impl Site {
    /// Starts the program with these variables besides its ports.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = booking("serve")
            .envs([
                ("PORT", "0"),
                ("INTERNAL_PORT", "0"),
                ("LOG", "debug,hyper=info,sqlx=info"),
            ])
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = collect(&mut child);
        let mut site = Self {
            child,
            lines,
            address: String::new(),
            metrics: String::new(),
        };
        let serving = until("the program serves", async || site.logged("serving")).await;
        site.address = format!("http://{}", serving["address"].as_str().unwrap());
        site.metrics = format!("http://{}/metrics", serving["internal"].as_str().unwrap());
        site
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The first log line with that message.
    pub(crate) fn logged(&self, message: &str) -> Option<Value> {
        self.lines()
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["message"] == message)
    }

    /// A visitor's browser: keeps cookies, follows nothing by itself.
    pub(crate) fn visitor(&self) -> Visitor {
        self.visitor_from("203.0.113.7")
    }

    /// The same, behind a proxy that saw that address.
    pub(crate) fn visitor_from(&self, address: &'static str) -> Visitor {
        let seen = [(
            HeaderName::from_static("x-forwarded-for"),
            HeaderValue::from_static(address),
        )];
        let client = Client::builder()
            .cookie_store(true)
            .default_headers(HeaderMap::from_iter(seen))
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Visitor {
            client,
            address: self.address.clone(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// One of the program's counters.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let text = Client::new().get(&self.metrics).send().await.unwrap();
        let text = text.text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().parse().ok())
            .unwrap_or_else(|| panic!("no counter {name} in\n{text}"))
    }

    pub(crate) fn api(&self) -> Api {
        Api {
            client: Client::new(),
            address: self.address.clone(),
        }
    }

    /// What SIGTERM does, asked for by the shell's own `kill`.
    pub(crate) fn terminate(&self) {
        assert!(self.ask_to_end().unwrap().success());
    }

    fn ask_to_end(&self) -> io::Result<ExitStatus> {
        let kill = format!("kill {}", self.child.id());
        Command::new("/bin/sh").args(["-c", &kill]).status()
    }

    /// Waits for the end of the program, and of what it logged.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let status = until("the program ends", async || child.try_wait().unwrap()).await;
        // The reader lets go of its share of the lines at their end.
        let lines = &self.lines;
        let is_read = async || (Arc::strong_count(lines) == 1).then_some(());
        until("the last line is read", is_read).await;
        status
    }
}

impl Drop for Site {
    /// Asks for the end first, for only then does a program leave its counters.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) && self.ask_to_end().is_ok() {
            let child = &mut self.child;
            if !wait::until(PATIENCE, || !matches!(child.try_wait(), Ok(None))) {
                eprintln!("the program does not end by itself");
            }
        }
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("the program could not be ended: {error}");
        }
    }
}

pub(crate) fn collect(child: &mut Child) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (stderr, into) = (child.stderr.take().unwrap(), Arc::clone(&lines));
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            into.lock().unwrap().push(line);
        }
    });
    lines
}

/// Asks again until there is an answer; fails when that takes too long.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "it takes too long until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A program that uses the API.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) client: Client,
    pub(crate) address: String,
}

/// What the API said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) body: Value,
}

impl Said {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field]
            .as_str()
            .unwrap_or_else(|| panic!("{field} is missing in {self:?}"))
    }
}

impl Api {
    pub(crate) async fn get(&self, path: &str) -> Said {
        said(self.client.get(format!("{}{path}", self.address))).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Said {
        let request = self.client.post(format!("{}{path}", self.address));
        said(request.header("idempotency-key", key).json(body)).await
    }

    /// The free times of a service in the days from `skip` days ahead.
    pub(crate) async fn free(&self, business: &str, service: &str, days: u32) -> Vec<String> {
        let path =
            format!("/api/v1/businesses/{business}/services/{service}/availability?days={days}");
        let said = self.get(&path).await;
        let slots = said.body["slots"]
            .as_array()
            .unwrap_or_else(|| panic!("{said:?}"));
        slots
            .iter()
            .map(|slot| slot["start"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) async fn book(&self, business: &str, key: &str, wish: &Value) -> Said {
        let path = format!("/api/v1/businesses/{business}/bookings");
        self.post(&path, key, wish).await
    }

    /// Holds a time for somebody who comes from that address.
    pub(crate) async fn hold(&self, business: &str, key: &str, want: &Value, from: &str) -> Said {
        let path = format!("{}/api/v1/businesses/{business}/holds", self.address);
        let request = self.client.post(path).header("idempotency-key", key);
        said(request.header("x-forwarded-for", from).json(want)).await
    }

    pub(crate) async fn cancel(&self, token: &str) -> Said {
        let path = format!("/api/v1/bookings/{token}/cancel");
        self.post(&path, "any", &json!({})).await
    }
}

/// Sends it; whatever the API answers must be as its document says.
pub(crate) async fn said(request: reqwest::RequestBuilder) -> Said {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let origin = request.url().origin().ascii_serialization();
    let answer = client.execute(request).await.unwrap();
    let header = |name| {
        let value = answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (status, media_type) = (answer.status().as_u16(), header("content-type"));
    let text = answer.text().await.unwrap();
    let said = Said {
        status,
        media_type,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    };
    contract::check(&client, &origin, (method.as_str(), &path), &said).await;
    said
}

/// A wish as a program sends it.
pub(crate) fn wish(service: &str, start: &str, who: &str) -> Value {
    json!({
        "service": service,
        "start": start,
        "name": "Thandi Nkosi",
        "email": format!("{who}@example.co.za"),
        "phone": "082 123 4567",
    })
}

/// A browser without scripts.
pub(crate) struct Visitor {
    pub(crate) client: Client,
    pub(crate) address: String,
}

/// A page as the visitor sees it.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) address: String,
    pub(crate) html: String,
}

impl Visitor {
    pub(crate) async fn open(&self, path: &str) -> Page {
        let answer = self.client.get(self.url(path)).send().await.unwrap();
        Page::of(answer, path).await
    }

    /// Sends a form and follows where the answer leads, as browsers do.
    pub(crate) async fn send(&self, path: &str, fields: &[(String, String)]) -> Page {
        let answer = self
            .client
            .post(self.url(path))
            .form(fields)
            .send()
            .await
            .unwrap();
        if answer.status() != StatusCode::SEE_OTHER {
            return Page::of(answer, path).await;
        }
        let next = answer.headers()["location"].to_str().unwrap().to_owned();
        self.open(&next).await
    }

    /// Signs somebody of the demonstration in, and gives the page that they come to.
    pub(crate) async fn sign_in(&self, email: &str) -> Page {
        self.try_password(email, DEMONSTRATION).await
    }

    /// Sends the form of the sign-in page.
    pub(crate) async fn try_password(&self, email: &str, password: &str) -> Page {
        let form = self.open("/sign-in").await;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields = [
            pair("csrf", &form.field("csrf")),
            pair("email", email),
            pair("password", password),
        ];
        self.send("/sign-in", &fields).await
    }

    /// Chooses a time on the page of times.
    pub(crate) async fn choose(&self, times: &Page, start: &str) -> Page {
        let mut fields = vec![
            ("csrf".to_owned(), times.field("csrf")),
            ("start".to_owned(), start.to_owned()),
        ];
        if times.html.contains("name=\"staff\"") {
            fields.push(("staff".to_owned(), times.field("staff")));
        }
        let path = times.address.split('?').next().unwrap();
        self.send(&format!("{path}/hold"), &fields).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

impl Page {
    pub(crate) async fn of(answer: Response, path: &str) -> Self {
        Self {
            status: answer.status(),
            address: path.to_owned(),
            html: answer.text().await.unwrap(),
        }
    }

    /// The value of the first hidden field or radio button of that name.
    pub(crate) fn field(&self, name: &str) -> String {
        self.tags("input")
            .into_iter()
            .find(|tag| attribute(tag, "name") == Some(name))
            .and_then(|tag| attribute(tag, "value"))
            .unwrap_or_else(|| panic!("{} has no field {name}:\n{}", self.address, self.html))
            .to_owned()
    }

    /// Every field of the first form whose tag holds `mark`, as a browser would send it.
    pub(crate) fn form(&self, mark: &str) -> Vec<(String, String)> {
        let form = self.html.split("<form ").skip(1);
        let mut form = form.filter(|form| form.split('>').next().unwrap().contains(mark));
        let form = form
            .next()
            .unwrap_or_else(|| panic!("{} has no form", self.address));
        let form = form.split("</form>").next().unwrap();
        let mut fields = Vec::new();
        for piece in form.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').unwrap();
            let Some(name) = attribute(tag, " name") else {
                continue;
            };
            let value = match tag.split(' ').next().unwrap() {
                "textarea" => Some(text),
                "select" => selected(form, tag),
                "input" if tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\"") => {
                    attribute(tag, "value").filter(|_| tag.contains(" checked"))
                }
                "input" => Some(attribute(tag, "value").unwrap_or_default()),
                _ => None,
            };
            fields.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        }
        fields
    }

    /// The addresses that links within the main part lead to.
    pub(crate) fn links(&self) -> Vec<String> {
        let main = self.html.split("<main").nth(1).unwrap();
        let main = main.split("</main>").next().unwrap();
        main.split("<a ")
            .skip(1)
            .filter_map(|rest| attribute(rest.split('>').next()?, "href"))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn heading(&self) -> &str {
        let rest = self.html.split("<h1>").nth(1).unwrap();
        rest.split("</h1>").next().unwrap()
    }

    fn tags(&self, name: &str) -> Vec<&str> {
        self.html
            .split(&format!("<{name} "))
            .skip(1)
            .filter_map(|rest| rest.split('>').next())
            .collect()
    }
}

/// The value of the chosen option of a select, or of its first.
fn selected<'a>(form: &'a str, tag: &str) -> Option<&'a str> {
    let select = form.split(tag).nth(1)?.split("</select>").next()?;
    let options: Vec<&str> = select.split("<option ").skip(1).collect();
    let chosen = options
        .iter()
        .find(|o| o.split('>').next().unwrap().contains(" selected"));
    attribute(chosen.or(options.first())?.split('>').next()?, "value")
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let tag = tag.split(&format!("{name}=\"")).nth(1)?;
    tag.split('"').next()
}

/// The fields of a details form as a visitor fills it in.
pub(crate) fn filled(page: &Page) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut fields = vec![
        ("csrf".to_owned(), page.field("csrf")),
        ("start".to_owned(), page.field("start")),
        pair("name", "Thandi Nkosi"),
        pair("email", "thandi@example.co.za"),
        pair("phone", "082 123 4567"),
        pair("note", ""),
    ];
    for name in ["request", "staff"] {
        if page.html.contains(&format!("name=\"{name}\"")) {
            fields.push((name.to_owned(), page.field(name)));
        }
    }
    fields
}
