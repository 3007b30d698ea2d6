//! The database of the delivered application, asked directly and past every service,
//! so that what the clients were told can be held against what is stored.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// What is stored.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// Ids of the bookings that stand, of every business.
    pub(super) standing: std::collections::BTreeSet<String>,
    /// Pairs of active claims on one lane that overlap.
    pub(super) overlaps: u64,
    /// Standing bookings for which their person is not taken exactly once, for the whole visit,
    /// by the booking itself or by the class in which it has a seat.
    pub(super) unclaimed: u64,
}

const STANDING: &str = "select id from booking where state = 'confirmed'";
const OVERLAPS: &str = "select count(*) from claim a join claim b \
    on a.lane_id = b.lane_id and a.id < b.id and a.during && b.during where a.active and b.active";
const UNCLAIMED: &str = "select count(*) from booking b \
    join staff on staff.id = b.staff_id \
    left join seat on seat.booking_id = b.id and seat.is_active \
    left join lateral (select count(*) as claims, \
            bool_and(c.during @> tstzrange(b.starts_at, b.ends_at)) as is_whole \
        from claim c where c.active and c.lane_id = staff.lane_id \
            and (c.booking_id = b.id or c.class_id = seat.class_id)) as held on true \
    where b.state = 'confirmed' and (held.claims <> 1 or held.is_whole is not true)";

/// Reads the database of Booking in the state folder `state`, as its superuser: row-level
/// security hides nothing from the count.
pub(super) fn read(state: &Path) -> anyhow::Result<Stored> {
    let number = |text: String| text.trim().parse().context("reading a count");
    Ok(Stored {
        standing: ask(state, STANDING)?.lines().map(str::to_owned).collect(),
        overlaps: number(ask(state, OVERLAPS)?)?,
        unclaimed: number(ask(state, UNCLAIMED)?)?,
    })
}

fn ask(state: &Path, question: &str) -> anyhow::Result<String> {
    let folder = state.join("accessories/postgres");
    let record = std::fs::read(folder.join("accessory.json")).context("finding PostgreSQL")?;
    let record: serde_json::Value = serde_json::from_slice(&record)?;
    let password = std::fs::read_to_string(folder.join("secrets/slipway"))
        .context("reading the superuser's password")?;
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--tuples-only", "--no-align"])
        .args(["--host=127.0.0.1", "--username=slipway", "--dbname=booking"])
        .arg(format!("--port={}", record["port"]))
        .args(["--command", question])
        .env("PGPASSWORD", password.trim())
        .stdin(Stdio::null())
        .output()
        .context("starting psql")?;
    ensure!(
        output.status.success(),
        "psql: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).context("reading what psql printed")
}
