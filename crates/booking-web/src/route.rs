//! What answers one method of an address. The type of a handler ends here: whatever wraps the
//! routes is compiled once, and not anew for each of some two hundred handlers.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{self, MethodRouter};

use crate::app::App;

type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler of any type.
#[derive(Clone)]
struct Erased(Arc<dyn Fn(Request, Arc<App>) -> Answer + Send + Sync>);

impl Erased {
    fn new<T: 'static>(handler: impl Handler<T, Arc<App>>) -> Self {
        Self(Arc::new(move |request, app| {
            Box::pin(handler.clone().call(request, app))
        }))
    }
}

impl Handler<(), Arc<App>> for Erased {
    type Future = Answer;

    fn call(self, request: Request, app: Arc<App>) -> Answer {
        (self.0)(request, app)
    }
}

/// Answers GET, and HEAD with it. More than one method: `get(one).merge(post(other))`.
pub(crate) fn get<T: 'static>(handler: impl Handler<T, Arc<App>>) -> MethodRouter<Arc<App>> {
    routing::get(Erased::new(handler))
}

/// Answers POST.
pub(crate) fn post<T: 'static>(handler: impl Handler<T, Arc<App>>) -> MethodRouter<Arc<App>> {
    routing::post(Erased::new(handler))
}

/// Answers DELETE.
pub(crate) fn delete<T: 'static>(handler: impl Handler<T, Arc<App>>) -> MethodRouter<Arc<App>> {
    routing::delete(Erased::new(handler))
}
