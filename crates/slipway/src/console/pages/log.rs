//! The last lines that an instance logged.

use std::io::SeekFrom;
use std::sync::Arc;

use anyhow::Context as _;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use slipway_journal::InstanceId;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::pages::{Section, Site, render};
use crate::console::view::log::{LogLine, last_lines};
use crate::console::words::{capital, short};

const LINES: usize = 200;
/// Read from the end of the file; 200 lines are seldom longer.
const TAIL_BYTES: u64 = 256 * 1024;

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage {
    site: Site,
    short: String,
    id: String,
    rollout: Option<(String, String)>,
    ended: Option<String>,
    lines: Vec<LogLine>,
    is_there: bool,
}

/// Answers `/instances/{id}/log`.
pub(crate) async fn get(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let id: InstanceId = id.parse().map_err(|_| Fault::NotFound)?;
    let (rollout, ended) = known(&desk, id);
    let tail = tail(&desk, id).await?;
    if tail.is_none() && rollout.is_none() {
        return Err(Fault::NotFound);
    }
    render(&LogPage {
        site: Site::of(&desk, Section::Elsewhere),
        short: short(id),
        id: id.to_string(),
        rollout,
        ended: ended.map(|how| capital(&how)),
        is_there: tail.is_some(),
        lines: last_lines(tail.as_deref().unwrap_or_default(), LINES),
    })
}

/// The rollout that started the instance, and how the instance ended.
fn known(desk: &Desk, id: InstanceId) -> (Option<(String, String)>, Option<String>) {
    let picture = desk.live.picture();
    let mut rollouts = picture.reading.rollouts.iter().rev();
    let found = rollouts.find_map(|rollout| {
        let instance = rollout.instances.iter().find(|i| i.instance == id)?;
        let release = rollout.release.short().to_owned();
        Some((
            (rollout.rollout.to_string(), release),
            instance.ended.clone(),
        ))
    });
    match found {
        Some((rollout, ended)) => (Some(rollout), ended),
        None => (None, None),
    }
}

/// The end of the instance's log, from the first whole line on; nothing where there is no log.
async fn tail(desk: &Desk, id: InstanceId) -> Result<Option<String>, Fault> {
    // The id was parsed, so that it cannot lead out of the folder.
    let path = desk
        .ground
        .state
        .instances()
        .join(id.to_string())
        .join("log");
    let mut file = match File::open(&path).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(anyhow::Error::new(error)
                .context("opening an instance's log")
                .into());
        }
    };
    let length = file
        .metadata()
        .await
        .context("looking at an instance's log")?
        .len();
    let from = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))
        .await
        .context("reading an instance's log")?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES)
        .read_to_end(&mut bytes)
        .await
        .context("reading an instance's log")?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Some(match text.split_once('\n') {
        Some((_, rest)) if from > 0 => rest.to_owned(),
        _ => text,
    }))
}
