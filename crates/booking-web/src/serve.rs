//! The life of `booking serve`: bind, serve, drain. And the two commands that only
//! touch the database.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chassis::{Clock, Env, Random, Shutdown};
use http::HeaderValue;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::account::password::Passwords;
use crate::account::webauthn::Passkeys;
use crate::account::{Accounts, Keys};
use crate::api::{imports, live};
use crate::app::App;
use crate::appointments::Appointments;
use crate::appointments::rezone::{Fate, Misplaced, Rezoning};
use crate::cache::Cache;
use crate::config::{self, Config, FormSecret};
use crate::database;
use crate::door::Door;
use crate::health::Shared;
use crate::language;
use crate::links::Links;
use crate::metrics::Metrics;
use crate::router;
use crate::security::FormKey;
use crate::seed::{self as demonstration, Planted};
use crate::server::{self, Drained};
use crate::store;
use crate::turnstile::Turnstile;

/// Two for each health endpoint that looks at the database.
const PROBE_CONNECTIONS: u32 = 4;

/// More than there are processors gains nothing.
const COMPUTED_AT_ONCE: usize = 4;

/// Serves until `shutdown`, then finishes what is in flight.
pub(crate) async fn serve(
    config: Config,
    clock: Clock,
    random: Random,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    language::prepare();
    let public = bind(config.port).await?;
    let internal = match config.internal_port {
        Some(port) => Some(bind(port).await?),
        None => None,
    };
    if matches!(config.form_key, FormSecret::FromDatabase) {
        tracing::info!("FORM_KEY is not set; forms and booking links are keyed by DATABASE_URL");
    }
    let material = config.form_key_material();
    let pool = database::pool(&config.database_url, config.database_connections)?;
    let metrics = Metrics::new(&config.release);
    let accounts = Accounts {
        pool: pool.clone(),
        clock: clock.clone(),
        random: random.clone(),
        passwords: Passwords::new(random.clone(), metrics.password_hashes.clone()),
        keys: Keys::derive(material, config.old_form_key()),
        passkeys: passkeys(
            &config,
            public.local_addr().context("reading an address")?.port(),
        ),
        secure: config.secure,
    };
    let links = Links::derive(material);
    let appointments = Appointments {
        pool,
        random: random.clone(),
        link_key: links.booking_key(),
    };
    let cache = match &config.redis_url {
        Some(url) => Some(Cache::new(url, clock.clone())?),
        None => None,
    };
    let app = Arc::new(App {
        appointments,
        accounts,
        links,
        probes: database::pool(&config.database_url, PROBE_CONNECTIONS)?,
        parts: Shared::default(),
        rehearsal: Shared::default(),
        cache,
        release_header: HeaderValue::from_str(&config.release).context("reading RELEASE")?,
        form_key: FormKey::derive(config.form_key_material(), config.secure),
        secure: config.secure,
        door: Door::new(config.database_connections, metrics.waiting.clone()),
        computing: Semaphore::new(COMPUTED_AT_ONCE),
        metrics,
        streams: Turnstile::new(live::STREAMS_MAX, live::STREAMS_OF_ONE),
        imports: Turnstile::new(imports::IMPORTS_MAX, imports::IMPORTS_OF_ONE),
        webhook_reach: config.webhooks,
        key_requests: config.key_requests,
        shutdown: shutdown.clone(),
        release: config.release,
        clock,
        random,
    });
    let metrics_at = match &internal {
        Some(listener) => Some(address(listener)?),
        None => None,
    };
    tracing::info!(
        address = address(&public)?,
        internal = metrics_at,
        release = %app.release,
        "serving"
    );
    answer(app, public, internal, shutdown, config.drain_seconds).await
}

/// Answers on both ports. The internal one outlives the public one, so that the drain can
/// be watched.
async fn answer(
    app: Arc<App>,
    public: TcpListener,
    internal: Option<TcpListener>,
    shutdown: Shutdown,
    drain_seconds: u64,
) -> anyhow::Result<()> {
    chassis::descriptors::raise();
    let end = Shutdown::new();
    let metrics = internal.map(|listener| {
        let router = router::internal(Arc::clone(&app));
        tokio::spawn(server::serve(listener, router, end.child(), Duration::ZERO))
    });
    let drain = Duration::from_secs(drain_seconds);
    let drained = server::serve(public, router::public(app), shutdown, drain).await;
    end.request();
    if let Some(metrics) = metrics {
        metrics.await.context("ending the internal port")?;
    }
    match drained {
        Drained::Whole => {
            tracing::info!("drained; every request in flight was finished");
            Ok(())
        }
        Drained::Cut(connections) => anyhow::bail!(
            "{connections} connections were still busy {drain_seconds} seconds after the end \
             was asked for"
        ),
    }
}

/// Passkeys belong to the address of visitors: the public one, or on a developer's machine
/// this one.
fn passkeys(config: &Config, port: u16) -> Option<Passkeys> {
    let url = match &config.public_url {
        Some(url) => url.clone(),
        None if config.secure => {
            tracing::warn!("PUBLIC_URL is not set: there are no passkeys");
            return None;
        }
        None => format!("http://localhost:{port}"),
    };
    Passkeys::at(&url)
        .inspect_err(|why| tracing::warn!(%why, "there are no passkeys"))
        .ok()
}

async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("listening on 127.0.0.1:{port}"))
}

fn address(listener: &TcpListener) -> anyhow::Result<String> {
    let address = listener.local_addr().context("reading an address")?;
    Ok(address.to_string())
}

/// Applies the schema changes that are missing. Safe to run again, by several processes
/// at once, and beside a release that is serving.
pub(crate) async fn migrate(env: &Env) -> anyhow::Result<()> {
    let url = config::database_url_only(env)?;
    let level = database::migrate(&url).await?;
    tracing::info!(level, "the schema is up to date");
    Ok(())
}

/// Fills a database that has no business yet with a demonstration; one that has some
/// stays as it is.
pub(crate) async fn seed(env: &Env, clock: &Clock) -> anyhow::Result<()> {
    let url = config::database_url_only(env)?;
    let mut connection = database::connect(&url).await?;
    match demonstration::plant(&mut connection, clock.now()).await? {
        Planted::Now { bookings } => tracing::info!(bookings, "the demonstration is there"),
        Planted::Before => tracing::info!("there are businesses already; nothing changed"),
    }
    Ok(())
}

/// Gives back once what was held for long enough. Safe to run beside whoever serves.
pub(crate) async fn sweep(env: &Env, clock: &Clock, random: Random) -> anyhow::Result<()> {
    let url = config::database_url_only(env)?;
    let appointments = Appointments {
        pool: database::pool(&url, 1)?,
        random,
        // Ending a hold makes no secret address.
        link_key: [0; 32],
    };
    let holds = appointments.sweep_holds(clock.now()).await?;
    tracing::info!(holds, "what was held for long enough is given back");
    Ok(())
}

/// Moves the visits whose time on the wall is at another instant now, or only names them.
/// Fails where one of them cannot move.
pub(crate) async fn rezone(
    env: &Env,
    rezoning: Rezoning,
    clock: &Clock,
    random: Random,
) -> anyhow::Result<()> {
    let url = config::database_url_only(env)?;
    let appointments = Appointments {
        pool: database::pool(&url, 2)?,
        random,
        // Moving a visit makes no secret address.
        link_key: [0; 32],
    };
    let businesses = {
        let mut connection = appointments.pool.acquire().await?;
        store::rezone::businesses(&mut connection).await?
    };
    let mut stays = Vec::new();
    for (business, slug) in businesses {
        for one in appointments.rezone(business, rezoning, clock.now()).await? {
            let Misplaced {
                booking,
                from,
                wall,
                zone,
                fate,
            } = one;
            match fate {
                Fate::To(to) => {
                    tracing::info!(%slug, %booking, %wall, %zone, %from, %to, ?rezoning, "a visit moves");
                }
                Fate::Taken(to) => stays.push(format!(
                    "{slug}, booking {booking}: {wall} in {zone} is {to} now, and that is taken"
                )),
                Fate::LeftOut => stays.push(format!(
                    "{slug}, booking {booking}: {wall} in {zone} does not exist any more"
                )),
                Fate::Unreadable => stays.push(format!(
                    "{slug}, booking {booking}: {wall} in {zone} cannot be read"
                )),
            }
        }
    }
    anyhow::ensure!(
        stays.is_empty(),
        "visits that cannot move:\n  - {}",
        stays.join("\n  - ")
    );
    Ok(())
}
