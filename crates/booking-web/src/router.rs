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
use crate::route::{delete, get, get_and_post, post};
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
            get_and_post(pages::ask::get, pages::ask::post),
        )
        .route("/{business}/privacy/asked", get(pages::ask::asked))
        .route(
            "/{business}/privacy/confirm/{token}",
            get_and_post(pages::ask::confirm, pages::ask::confirmed),
        )
        .route("/{business}/{service}/month", get(pages::month::get))
        .route(
            "/{business}/{service}/details",
            get_and_post(pages::details::get, pages::details::post),
        )
        .route(
            "/{business}/{service}/hold",
            get_and_post(pages::hold::back, pages::hold::choose),
        )
        .route(
            "/b/{token}/marketing",
            get_and_post(pages::marketing::get, pages::marketing::post),
        )
        .route(
            "/unsubscribe/{token}",
            get_and_post(pages::unsubscribe::get, pages::unsubscribe::post),
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
            get_and_post(pages::hold::get, pages::hold::confirm),
        )
        .route("/b/{token}/extend", post(pages::hold::extend))
        .route("/b/{token}/calendar.ics", get(pages::booking::calendar))
        .route(
            "/b/{token}/cancel",
            get_and_post(pages::cancel::get, pages::cancel::post),
        )
        .route(
            "/b/{token}/reschedule",
            get_and_post(pages::reschedule::get, pages::reschedule::post),
        )
        .route(
            "/b/{token}/repeat",
            get_and_post(pages::repeat::get, pages::repeat::post),
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
            get_and_post(api::diary::list, api::bookings::create),
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
            get_and_post(api::keys::list, api::keys::create),
        )
        .route(
            "/api/v1/businesses/{business}/keys/{id}",
            delete(api::keys::revoke),
        )
        .route(
            "/api/v1/businesses/{business}/feeds",
            get_and_post(api::feeds::list, api::feeds::create),
        )
        .route(
            "/api/v1/businesses/{business}/feeds/{id}",
            delete(api::feeds::revoke),
        )
        .route(
            "/api/v1/businesses/{business}/webhooks",
            get_and_post(api::webhooks::list, api::webhooks::create),
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
        .route("/sign-in", get_and_post(sign_in::get, sign_in::post))
        .route("/sign-in/passkey", post(sign_in::passkey))
        .route("/sign-in/passkey/begin", post(sign_in::begin_passkey))
        .route("/sign-out", post(sign_in::out))
        .route(
            "/sign-in/code",
            get_and_post(second_step::code, second_step::give_code),
        )
        .route("/forgot", get_and_post(reset::forgot, reset::ask))
        .route("/reset/{token}", get_and_post(reset::get, reset::post))
        .route("/start", get_and_post(start::get, start::post))
        .route(
            "/confirm/{token}",
            get_and_post(start::confirm, start::confirmed),
        )
        .route(
            "/invitation/{token}",
            get_and_post(members::invited, members::accept),
        )
        .route("/account", get(account::get))
        .route("/account/sessions", post(account::end))
        .route("/account/confirm-again", post(account::confirm_again))
        .route(
            "/account/password",
            get_and_post(account::password, account::set_password),
        )
        .route(
            "/account/password-again",
            get_and_post(second_step::password, second_step::give_password),
        )
        .route(
            "/account/codes",
            get_and_post(account::codes, account::set_codes),
        )
        .route("/account/codes/picture.svg", get(account::codes_picture))
        .route(
            "/account/passkeys",
            get_and_post(passkeys::get, passkeys::post),
        )
        .route("/account/passkeys/begin", post(passkeys::begin))
        .route("/desk", get(pages::places::get))
        .route("/desk/{business}/welcome", get(embed::welcome))
        .route(
            "/desk/{business}/members",
            get_and_post(members::get, members::post),
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
            get_and_post(desk::book::get, desk::book::post),
        )
        .route(
            "/desk/{business}/walk-in",
            get_and_post(desk::walk_in::get, desk::walk_in::post),
        )
        .route("/desk/{business}/time-off", get(desk::time_off::get))
        .route(
            "/desk/{business}/time-off/new",
            get_and_post(desk::time_off::look, desk::time_off::post),
        )
        .route("/desk/{business}/time-off/end", post(desk::time_off::end))
        .route("/desk/{business}/customers", get(desk::customers::get))
        .route(
            "/desk/{business}/customers/new",
            get_and_post(desk::customers::new, desk::customers::create),
        )
        .route(
            "/desk/{business}/customers/{customer}",
            get_and_post(desk::customer::get, desk::customer::post),
        )
        .route(
            "/desk/{business}/customers/{customer}/merge",
            get_and_post(desk::merge::get, desk::merge::post),
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
            get_and_post(desk::change::move_page, desk::change::moved),
        )
        .route(
            "/desk/{business}/bookings/{booking}/cancel",
            get_and_post(desk::change::cancel_page, desk::change::cancel),
        )
        .route(
            "/desk/{business}/bookings/{booking}/repeat",
            get_and_post(desk::repeat::get, desk::repeat::post),
        )
}

/// What a business changes now and then.
fn desk_of_the_offer() -> Router<Arc<App>> {
    Router::new()
        .route("/desk/{business}/services", get(desk::services::get))
        .route(
            "/desk/{business}/services/new",
            get_and_post(desk::services::new, desk::services::create),
        )
        .route(
            "/desk/{business}/services/{service}",
            get_and_post(desk::services::one, desk::services::post),
        )
        .route(
            "/desk/{business}/services/{service}/offer",
            post(desk::services::offer),
        )
        .route(
            "/desk/{business}/rooms",
            get_and_post(desk::rooms::get, desk::rooms::create),
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
            get_and_post(desk::settings::get, desk::settings::post),
        )
        .merge(desk_of_settings())
        .route("/desk/{business}/staff", get(desk::staff::get))
        .route(
            "/desk/{business}/staff/new",
            get_and_post(desk::staff::new, desk::staff::create),
        )
        .route(
            "/desk/{business}/staff/{staff}",
            get_and_post(desk::staff::one, desk::staff::post),
        )
        .route(
            "/desk/{business}/staff/{staff}/employ",
            post(desk::staff::employ),
        )
        .route(
            "/desk/{business}/hours/{lane}",
            get_and_post(desk::hours::get, desk::hours::post),
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
            get_and_post(desk::reminders::get, desk::reminders::post),
        )
        .route(
            "/desk/{business}/settings/holidays",
            get_and_post(desk::holidays::get, desk::holidays::post),
        )
        .route(
            "/desk/{business}/settings/privacy",
            get_and_post(desk::responsible::get, desk::responsible::post),
        )
}

/// What a business lets its programs do.
fn desk_of_programs() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/desk/{business}/keys",
            get_and_post(desk::keys::get, desk::keys::create),
        )
        .route(
            "/desk/{business}/keys/{key}/revoke",
            post(desk::keys::revoke),
        )
        .route(
            "/desk/{business}/feeds",
            get_and_post(desk::feeds::get, desk::feeds::create),
        )
        .route("/desk/{business}/feeds/{feed}", post(desk::feeds::act))
        .route(
            "/desk/{business}/webhooks",
            get_and_post(desk::webhooks::get, desk::webhooks::create),
        )
        .route(
            "/desk/{business}/webhooks/{webhook}",
            get_and_post(desk::webhooks::one, desk::webhooks::act),
        )
}

/// What the law asks of a business.
fn desk_of_privacy() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/desk/{business}/privacy",
            get_and_post(pages::office::get, pages::office::post),
        )
        .route(
            "/desk/{business}/privacy/requests/{request}",
            get_and_post(pages::office::request, pages::office::act),
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
            get_and_post(pages::incidents::list, pages::incidents::post),
        )
        .route(
            "/desk/{business}/privacy/incidents/{incident}",
            get_and_post(pages::incidents::get, pages::incidents::told),
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
