//! Every route of Booking, in one table: the address, who answers it, its limits.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::error::Fault;
use crate::pages::desk;
use crate::route::{delete, get, post};
use crate::{api, assets, feed, frame, health, pages};

/// What visitors reach.
pub(crate) fn public(app: Arc<App>) -> Router {
    visitors(&app)
        .merge(accounts())
        .merge(streams())
        .fallback(async || Fault::NotFound)
        .method_not_allowed_fallback(async || Fault::Method)
        .layer(CatchPanicLayer::custom(|_| {
            Fault::Broken(anyhow::anyhow!("a handler panicked")).into_response()
        }))
        .layer(from_fn_with_state(Arc::clone(&app), frame::frame))
        .with_state(app)
}

fn visitors(app: &Arc<App>) -> Router<Arc<App>> {
    people()
        .merge(programs())
        .layer(from_fn(frame::in_time))
        .layer(from_fn_with_state(Arc::clone(app), frame::in_turn))
        .layer(from_fn(frame::whole))
}

fn people() -> Router<Arc<App>> {
    Router::new()
        .merge(one_booking())
        // Pages.
        .route("/", get(pages::home::get))
        .route("/{business}", get(pages::business::get))
        .route("/{business}/{service}", get(pages::times::get))
        .route("/{business}/privacy", get(pages::privacy::get))
        .route(
            "/{business}/privacy/request",
            get(pages::ask::get).merge(post(pages::ask::post)),
        )
        .route("/{business}/privacy/asked", get(pages::ask::asked))
        .route(
            "/{business}/privacy/confirm/{token}",
            get(pages::ask::confirm).merge(post(pages::ask::confirmed)),
        )
        .route("/{business}/{service}/month", get(pages::month::get))
        .route(
            "/{business}/{service}/details",
            get(pages::details::get).merge(post(pages::details::post)),
        )
        .route(
            "/{business}/{service}/hold",
            get(pages::hold::back).merge(post(pages::hold::choose)),
        )
        .route(
            "/b/{token}/marketing",
            get(pages::marketing::get).merge(post(pages::marketing::post)),
        )
        .route(
            "/unsubscribe/{token}",
            get(pages::unsubscribe::get).merge(post(pages::unsubscribe::post)),
        )
        .route("/feeds/{file}", get(feed::get))
        // Static files.
        .route("/assets/{file}", get(assets::get))
        .route("/favicon.ico", get(assets::favicon))
        .route("/robots.txt", get(assets::robots))
}

/// What the holder of a secret address reaches.
fn one_booking() -> Router<Arc<App>> {
    Router::new()
        .route("/b/{token}", get(pages::booking::get))
        .route(
            "/b/{token}/details",
            get(pages::hold::get).merge(post(pages::hold::confirm)),
        )
        .route("/b/{token}/extend", post(pages::hold::extend))
        .route("/b/{token}/calendar.ics", get(pages::booking::calendar))
        .route(
            "/b/{token}/cancel",
            get(pages::cancel::get).merge(post(pages::cancel::post)),
        )
        .route(
            "/b/{token}/reschedule",
            get(pages::reschedule::get).merge(post(pages::reschedule::post)),
        )
        .route(
            "/b/{token}/repeat",
            get(pages::repeat::get).merge(post(pages::repeat::post)),
        )
}

/// The interface for programs.
fn programs() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/openapi.json", get(api::document::get))
        .route("/api/v1/docs", get(pages::guide::get))
        .route("/api/v1/docs/objects", get(pages::guide::objects))
        .route("/problems/{kind}", get(pages::guide::problem))
        .route("/api/v1/businesses", get(api::businesses::list))
        .route(
            "/api/v1/businesses/{business}/services",
            get(api::businesses::services),
        )
        .route(
            "/api/v1/businesses/{business}/services/{service}/availability",
            get(api::availability::get),
        )
        .route(
            "/api/v1/businesses/{business}/services/{service}/availability/month",
            get(api::availability::month),
        )
        .route(
            "/api/v1/businesses/{business}/services/{service}/availability/next",
            get(api::availability::next),
        )
        .route(
            "/api/v1/businesses/{business}/services/{service}/staff",
            get(api::availability::staff),
        )
        .route(
            "/api/v1/businesses/{business}/bookings",
            get(api::diary::list).merge(post(api::bookings::create)),
        )
        .route(
            "/api/v1/businesses/{business}/holds",
            post(api::holds::create),
        )
        .route(
            "/api/v1/businesses/{business}/series",
            post(api::series::create),
        )
        .route(
            "/api/v1/businesses/{business}/series/plan",
            post(api::series::plan),
        )
        .route("/api/v1/bookings/{token}", get(api::bookings::read))
        .route("/api/v1/bookings/{token}/extend", post(api::holds::extend))
        .route(
            "/api/v1/bookings/{token}/reschedule",
            post(api::reschedule::post),
        )
        .route(
            "/api/v1/bookings/{token}/cancel",
            post(api::bookings::cancel),
        )
        .merge(with_a_key())
        // Health.
        .route("/health", get(health::alive))
        .route("/api/health", get(health::parts))
        .route("/api/bookings/health", get(health::bookings))
}

/// What the programs of a business reach with a key.
fn with_a_key() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/api/v1/businesses/{business}/bookings/{id}",
            get(api::diary::read),
        )
        .route(
            "/api/v1/businesses/{business}/bookings/{id}/cancel",
            post(api::diary::cancel),
        )
        .route(
            "/api/v1/businesses/{business}/series/{id}",
            get(api::repeats::read),
        )
        .route(
            "/api/v1/businesses/{business}/series/{id}/cancel",
            post(api::repeats::cancel),
        )
        .route(
            "/api/v1/businesses/{business}/customers",
            get(api::customers::list),
        )
        .route(
            "/api/v1/businesses/{business}/keys",
            get(api::keys::list).merge(post(api::keys::create)),
        )
        .route(
            "/api/v1/businesses/{business}/keys/{id}",
            delete(api::keys::revoke),
        )
        .route(
            "/api/v1/businesses/{business}/feeds",
            get(api::feeds::list).merge(post(api::feeds::create)),
        )
        .route(
            "/api/v1/businesses/{business}/feeds/{id}",
            delete(api::feeds::revoke),
        )
        .route(
            "/api/v1/businesses/{business}/webhooks",
            get(api::webhooks::list).merge(post(api::webhooks::create)),
        )
        .route(
            "/api/v1/businesses/{business}/webhooks/{id}",
            delete(api::webhooks::remove),
        )
        .route(
            "/api/v1/businesses/{business}/webhooks/{id}/secret",
            post(api::webhooks::rotate),
        )
        .route(
            "/api/v1/businesses/{business}/webhooks/{id}/ping",
            post(api::webhooks::ping),
        )
        .route(
            "/api/v1/businesses/{business}/webhooks/{id}/deliveries",
            get(api::webhooks::deliveries),
        )
        .route(
            "/api/v1/businesses/{business}/webhooks/{id}/deliveries/{delivery}/again",
            post(api::webhooks::again),
        )
}

/// Who somebody is, and the desk of a business.
fn accounts() -> Router<Arc<App>> {
    use pages::{account, embed, members, passkeys, reset, second_step, sign_in, start};
    Router::new()
        .route("/sign-in", get(sign_in::get).merge(post(sign_in::post)))
        .route("/sign-in/passkey", post(sign_in::passkey))
        .route("/sign-in/passkey/begin", post(sign_in::begin_passkey))
        .route("/sign-out", post(sign_in::out))
        .route(
            "/sign-in/code",
            get(second_step::code).merge(post(second_step::give_code)),
        )
        .route("/forgot", get(reset::forgot).merge(post(reset::ask)))
        .route("/reset/{token}", get(reset::get).merge(post(reset::post)))
        .route("/start", get(start::get).merge(post(start::post)))
        .route(
            "/confirm/{token}",
            get(start::confirm).merge(post(start::confirmed)),
        )
        .route(
            "/invitation/{token}",
            get(members::invited).merge(post(members::accept)),
        )
        .route("/account", get(account::get))
        .route("/account/sessions", post(account::end))
        .route("/account/confirm-again", post(account::confirm_again))
        .route(
            "/account/password",
            get(account::password).merge(post(account::set_password)),
        )
        .route(
            "/account/password-again",
            get(second_step::password).merge(post(second_step::give_password)),
        )
        .route(
            "/account/codes",
            get(account::codes).merge(post(account::set_codes)),
        )
        .route("/account/codes/picture.svg", get(account::codes_picture))
        .route(
            "/account/passkeys",
            get(passkeys::get).merge(post(passkeys::post)),
        )
        .route("/account/passkeys/begin", post(passkeys::begin))
        .route("/desk", get(pages::places::get))
        .route("/desk/{business}/welcome", get(embed::welcome))
        .route(
            "/desk/{business}/members",
            get(members::get).merge(post(members::post)),
        )
        .route("/embed/{business}", get(embed::get))
        .merge(desk_of_the_day())
        .merge(desk_of_the_offer())
        .merge(desk_of_programs())
        .merge(desk_of_privacy())
        .layer(from_fn(frame::in_time))
        .layer(from_fn(frame::whole))
}

/// What the people of a business use all day.
fn desk_of_the_day() -> Router<Arc<App>> {
    Router::new()
        .route("/desk/{business}", get(desk::today::get))
        .route("/desk/{business}/calendar", get(desk::calendar::get))
        .route("/desk/{business}/calendar/week", get(desk::week::get))
        .route(
            "/desk/{business}/bookings/{booking}",
            get(desk::booking::get),
        )
        .route(
            "/desk/{business}/bookings/{booking}/note",
            post(desk::booking::note),
        )
        .merge(desk_of_one_booking())
        .route(
            "/desk/{business}/book",
            get(desk::book::get).merge(post(desk::book::post)),
        )
        .route(
            "/desk/{business}/walk-in",
            get(desk::walk_in::get).merge(post(desk::walk_in::post)),
        )
        .route("/desk/{business}/time-off", get(desk::time_off::get))
        .route(
            "/desk/{business}/time-off/new",
            get(desk::time_off::look).merge(post(desk::time_off::post)),
        )
        .route("/desk/{business}/time-off/end", post(desk::time_off::end))
        .route("/desk/{business}/customers", get(desk::customers::get))
        .route(
            "/desk/{business}/customers/new",
            get(desk::customers::new).merge(post(desk::customers::create)),
        )
        .route(
            "/desk/{business}/customers/{customer}",
            get(desk::customer::get).merge(post(desk::customer::post)),
        )
        .route(
            "/desk/{business}/customers/{customer}/merge",
            get(desk::merge::get).merge(post(desk::merge::post)),
        )
}

/// What is done to one booking at the desk.
fn desk_of_one_booking() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/desk/{business}/bookings/{booking}/state",
            post(desk::change::tell),
        )
        .route(
            "/desk/{business}/bookings/{booking}/move",
            get(desk::change::move_page).merge(post(desk::change::moved)),
        )
        .route(
            "/desk/{business}/bookings/{booking}/cancel",
            get(desk::change::cancel_page).merge(post(desk::change::cancel)),
        )
        .route(
            "/desk/{business}/bookings/{booking}/repeat",
            get(desk::repeat::get).merge(post(desk::repeat::post)),
        )
}

/// What a business changes now and then.
fn desk_of_the_offer() -> Router<Arc<App>> {
    Router::new()
        .route("/desk/{business}/services", get(desk::services::get))
        .route(
            "/desk/{business}/services/new",
            get(desk::services::new).merge(post(desk::services::create)),
        )
        .route(
            "/desk/{business}/services/{service}",
            get(desk::services::one).merge(post(desk::services::post)),
        )
        .route(
            "/desk/{business}/services/{service}/offer",
            post(desk::services::offer),
        )
        .route(
            "/desk/{business}/rooms",
            get(desk::rooms::get).merge(post(desk::rooms::create)),
        )
        .route("/desk/{business}/rooms/{kind}", post(desk::rooms::add))
        .route(
            "/desk/{business}/rooms/{kind}/use",
            post(desk::rooms::employ),
        )
        .route("/desk/{business}/messages", get(desk::messages::get))
        .route(
            "/desk/{business}/messages/again",
            post(desk::messages::again),
        )
        .route(
            "/desk/{business}/settings",
            get(desk::settings::get).merge(post(desk::settings::post)),
        )
        .merge(desk_of_settings())
        .route("/desk/{business}/staff", get(desk::staff::get))
        .route(
            "/desk/{business}/staff/new",
            get(desk::staff::new).merge(post(desk::staff::create)),
        )
        .route(
            "/desk/{business}/staff/{staff}",
            get(desk::staff::one).merge(post(desk::staff::post)),
        )
        .route(
            "/desk/{business}/staff/{staff}/employ",
            post(desk::staff::employ),
        )
        .route(
            "/desk/{business}/hours/{lane}",
            get(desk::hours::get).merge(post(desk::hours::post)),
        )
        .route(
            "/desk/{business}/hours/{lane}/differ",
            post(desk::hours::differ),
        )
        .route(
            "/desk/{business}/hours/{lane}/differ/remove",
            post(desk::hours::remove),
        )
}

/// What a business sets once.
fn desk_of_settings() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/desk/{business}/settings/messages",
            get(desk::reminders::get).merge(post(desk::reminders::post)),
        )
        .route(
            "/desk/{business}/settings/holidays",
            get(desk::holidays::get).merge(post(desk::holidays::post)),
        )
        .route(
            "/desk/{business}/settings/privacy",
            get(desk::responsible::get).merge(post(desk::responsible::post)),
        )
}

/// What a business lets its programs do.
fn desk_of_programs() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/desk/{business}/keys",
            get(desk::keys::get).merge(post(desk::keys::create)),
        )
        .route(
            "/desk/{business}/keys/{key}/revoke",
            post(desk::keys::revoke),
        )
        .route(
            "/desk/{business}/feeds",
            get(desk::feeds::get).merge(post(desk::feeds::create)),
        )
        .route("/desk/{business}/feeds/{feed}", post(desk::feeds::act))
        .route(
            "/desk/{business}/webhooks",
            get(desk::webhooks::get).merge(post(desk::webhooks::create)),
        )
        .route(
            "/desk/{business}/webhooks/{webhook}",
            get(desk::webhooks::one).merge(post(desk::webhooks::act)),
        )
}

/// What the law asks of a business.
fn desk_of_privacy() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/desk/{business}/privacy",
            get(pages::office::get).merge(post(pages::office::post)),
        )
        .route(
            "/desk/{business}/privacy/requests/{request}",
            get(pages::office::request).merge(post(pages::office::act)),
        )
        .route(
            "/desk/{business}/privacy/requests/{request}/copy",
            get(pages::office::copy_page),
        )
        .route(
            "/desk/{business}/privacy/requests/{request}/copy.json",
            get(pages::office::copy_file),
        )
        .route(
            "/desk/{business}/privacy/access",
            get(pages::office::access),
        )
        .route(
            "/desk/{business}/privacy/incidents",
            get(pages::incidents::list).merge(post(pages::incidents::post)),
        )
        .route(
            "/desk/{business}/privacy/incidents/{incident}",
            get(pages::incidents::get).merge(post(pages::incidents::told)),
        )
}

/// Routes that take or give as long as they need, within limits of their own.
fn streams() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/businesses/{business}/live", get(api::live::get))
        .route(
            "/api/v1/businesses/{business}/imports",
            post(api::imports::post),
        )
}

/// What only the operator's own programs reach.
pub(crate) fn internal(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health::alive))
        .with_state(app)
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    match app.metrics.text() {
        Ok(text) => (
            [(
                CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(error) => Fault::Broken(error.into()).into_response(),
    }
}
