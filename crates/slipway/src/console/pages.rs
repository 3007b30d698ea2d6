//! The pages: each reads the picture, makes its words and renders them. They work
//! without scripts; the live ones then refresh themselves.

pub(crate) mod act;
pub(crate) mod history;
pub(crate) mod journal;
pub(crate) mod log;
pub(crate) mod overview;
pub(crate) mod receipt;
pub(crate) mod rollout;
pub(crate) mod sign_in;
pub(crate) mod steer;

use anyhow::Context as _;
use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;

use crate::console::fault::Fault;
use crate::console::{Desk, assets};

/// What the frame of every page shows.
pub(crate) struct Site {
    pub(crate) stylesheet: String,
    pub(crate) script: String,
    pub(crate) icon: String,
    /// Nothing on a page that knows no environment.
    pub(crate) environment: Option<String>,
    pub(crate) zone: String,
    pub(crate) section: Section,
    /// Where live updates come from, on a page that has them.
    pub(crate) events: Option<String>,
    /// Seconds after which a page without scripts loads itself again.
    pub(crate) refresh: Option<u32>,
}

/// The part of the console that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    History,
    Journal,
    Elsewhere,
}

impl Section {
    /// For the navigation: the link of the page itself, or of what it belongs to.
    pub(crate) fn is(self, name: &str) -> bool {
        match self {
            Self::Overview => name == "overview",
            Self::History => name == "history",
            Self::Journal => name == "journal",
            Self::Elsewhere => false,
        }
    }
}

const REFRESH_SECONDS: u32 = 5;

/// Whether a page without scripts loads itself again.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Refresh {
    #[serde(default)]
    refresh: String,
}

impl Refresh {
    fn seconds(&self) -> Option<u32> {
        (self.refresh != "off").then_some(REFRESH_SECONDS)
    }
}

impl Site {
    pub(crate) fn of(desk: &Desk, section: Section) -> Self {
        Self {
            environment: Some(desk.ground.environment.to_string()),
            zone: desk.face().zone_name(),
            section,
            ..Self::bare()
        }
    }

    /// A page that changes by itself.
    pub(crate) fn live(mut self, events: String, refresh: &Refresh) -> Self {
        self.events = Some(events);
        self.refresh = refresh.seconds();
        self
    }

    pub(crate) fn bare() -> Self {
        Self {
            stylesheet: assets::stylesheet(),
            script: assets::script(),
            icon: assets::icon(),
            environment: None,
            zone: "UTC".to_owned(),
            section: Section::Elsewhere,
            events: None,
            refresh: None,
        }
    }
}

/// A part of a page that changes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    /// The id of its element.
    pub(crate) name: String,
    pub(crate) html: String,
}

impl Region {
    fn render(name: impl Into<String>, part: &impl Template) -> Result<Self, Fault> {
        let name = name.into();
        let html = part
            .render()
            .with_context(|| format!("rendering the region {name}"))?;
        Ok(Self { name, html })
    }
}

fn render(page: &impl Template) -> Result<Response, Fault> {
    let html = page.render().context("rendering a page")?;
    Ok(Html(html).into_response())
}
