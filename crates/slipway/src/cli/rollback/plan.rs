//! `slipway rollback --plan`: looks at the journal's file, the processes and the proxy, and
//! says what a rollback would be. Needs nobody: it answers while control is away, too.

use std::collections::BTreeSet;

use slipway_journal::{EnvironmentName, InstanceId, ServiceName};
use slipway_proxy::{Health, PoolStats};
use slipway_rollout::Shelf;
use slipway_rollout::book::Book;
use slipway_rollout::prospect::{self, Kind, Prospect, World};

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::environment::Environment;
use crate::reading::Reading;
use crate::status::{self, ProxyStatus};
use crate::terminal::{self, DIM, GOOD, WARN, paint};

/// As many of the last seconds say how many requests come.
const SECONDS: usize = 5;

/// Says what a rollback would be; changes nothing.
pub(super) fn show(
    context: &Context,
    asked: Option<ServiceName>,
    json: bool,
) -> anyhow::Result<Exit> {
    let prospect = context.wait(look(context, asked))?;
    if json {
        terminal::json(&prospect)?;
    } else {
        print(&prospect);
    }
    Ok(if prospect.can {
        Exit::Success
    } else {
        Exit::Refused
    })
}

async fn look(context: &Context, asked: Option<ServiceName>) -> anyhow::Result<Prospect> {
    let entries = context.entries().await?;
    let reading = Reading::of(&entries);
    let running = context.running().ok().and_then(|record| record.environment);
    let last = reading
        .rollouts
        .last()
        .map(|rollout| rollout.environment.clone());
    let environment = running.or(last).unwrap_or_else(production);
    let settings = Environment::read(&context.project, &environment).ok();
    let book = Book::of(environment, &entries);
    let service = service(&book, asked)?;
    let status = status::gather(&context.state, &reading).await?;
    let mut world = World {
        control: status.processes.control.answers,
        proxy: status.proxy.is_some(),
        alive: alive(&book),
        ..World::default()
    };
    if let Some(proxy) = &status.proxy {
        see(&mut world, proxy, &book, &service);
    }
    if let Some(settings) = &settings {
        world.followers = settings.followers(&service).cloned().collect();
        let of_service = settings.service.get(&service);
        world.pages = of_service.and_then(|s| Some(s.policy.skew?.0));
    }
    let previous = book
        .live_of(&service)
        .and_then(|live| book.rollouts.get(&live.previous?));
    if let Some(previous) = previous
        && let Err(why) = Shelf::new(context.state.releases()).check(&previous.release, &service)
    {
        world
            .unfit
            .insert(previous.release.clone(), why.to_string());
    }
    Ok(prospect::prospect(&book, &service, &world))
}

/// What is asked about when nothing ever happened here.
fn production() -> EnvironmentName {
    "production".parse().expect("\"production\" is a name")
}

/// The service that was named, or the only one that the journal knows.
fn service(book: &Book, asked: Option<ServiceName>) -> anyhow::Result<ServiceName> {
    if let Some(asked) = asked {
        return Ok(asked);
    }
    let mut known: Vec<ServiceName> = book.services().into_iter().collect();
    match (known.pop(), known.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(Failure::refused(
            "nothing was ever deployed here, so nothing can be taken back",
        )
        .hint("`slipway ship` makes a release and deploys it")
        .into()),
        (Some(_), _) => Err(Failure::usage("there is more than one service")
            .hint("say which: --service NAME")
            .into()),
    }
}

fn alive(book: &Book) -> BTreeSet<InstanceId> {
    let runs = |instance: &&slipway_rollout::book::Instance| {
        let running = instance.running.as_ref();
        running.is_some_and(|(identity, _)| identity.is_alive())
    };
    book.instances
        .values()
        .filter(runs)
        .map(|instance| instance.id)
        .collect()
}

/// What the proxy says.
fn see(world: &mut World, proxy: &ProxyStatus, book: &Book, service: &ServiceName) {
    let pools = || {
        proxy
            .stats
            .pools
            .iter()
            .filter(|pool| pool.service == service.as_str())
    };
    let well = pools()
        .flat_map(|pool| &pool.targets)
        .filter(|target| target.health == Health::Up);
    world.up = well
        .filter_map(|target| target.instance.parse().ok())
        .collect();
    let live = book.live_of(service).map(|live| live.release.as_str());
    if let Some(pool) = pools().find(|pool| Some(pool.release.as_str()) == live) {
        world.in_flight = pool.in_flight;
        world.rate = rate(pool);
    }
}

/// Requests a second, over the last seconds that are over.
fn rate(pool: &PoolStats) -> u64 {
    let over = pool.seconds.iter().rev().skip(1).take(SECONDS);
    let (count, served) = over.fold((0, 0), |(count, served), second| {
        (count + 1, served + second.served)
    });
    served / u64::max(count, 1)
}

fn print(prospect: &Prospect) {
    let head = match (prospect.can, prospect.kind) {
        (true, Kind::Warm | Kind::CallOff) => paint(GOOD, "yes"),
        (true, _) => paint(WARN, "yes"),
        (false, _) => paint(WARN, "no"),
    };
    terminal::line(format!(
        "{head:<4} {}",
        terminal::wrapped(&prospect.words, 74, "     ")
    ));
    for loss in &prospect.loss {
        part("loss", loss);
    }
    for obstacle in &prospect.obstacles {
        if obstacle.what != prospect.words {
            part("why not", &obstacle.what);
        }
        part("next", &obstacle.next);
    }
    if prospect.can {
        part(
            "next",
            &format!("slipway rollback --service {}", prospect.service),
        );
    }
}

fn part(name: &str, words: &str) {
    let name = paint(DIM, format!("{name:<8}"));
    terminal::line(format!(
        "  {name} {}",
        terminal::wrapped(words, 68, "           ")
    ));
}
