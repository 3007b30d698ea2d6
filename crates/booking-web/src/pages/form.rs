//! What forms of accounts have in common: their problems in words, their answers.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use jiff::SignedDuration;

use crate::error::{Fault, FieldProblem};
use crate::intake::Problem;
use crate::language::{Language, Message, message};
use crate::pages::{render, words};
use crate::security::Visit;

/// The fields that need another value, in words.
#[derive(Default)]
pub(super) struct Problems(Vec<FieldProblem>);

impl Problems {
    pub(super) fn in_words(problems: Vec<Problem>, language: Language) -> Self {
        Self(Problem::all_in_words(problems, language))
    }

    /// The one field that needs another value.
    pub(super) fn one(field: &'static str, detail: Message, language: Language) -> Self {
        Self::in_words(vec![Problem { field, detail }], language)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What is wrong with a field.
    pub(super) fn of(&self, field: &str) -> Option<&str> {
        let found = self.0.iter().find(|problem| problem.field == field);
        found.map(|problem| problem.detail.as_str())
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a FieldProblem;
    type IntoIter = std::slice::Iter<'a, FieldProblem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Notes what is wrong while fields are read one after the other.
#[derive(Default)]
pub(super) struct Reading(Vec<Problem>);

impl Reading {
    /// The value, or nothing and a note.
    pub(super) fn take<T>(&mut self, field: &'static str, read: Result<T, Message>) -> Option<T> {
        read.map_err(|detail| self.0.push(Problem { field, detail }))
            .ok()
    }

    pub(super) fn end(self) -> Vec<Problem> {
        self.0
    }
}

/// A password that is there; whether it is right or fit, others say.
pub(super) fn password(text: &str) -> Result<(), Message> {
    if text.is_empty() {
        return Err(message("field-password-missing"));
    }
    Ok(())
}

/// A page with a form, for a browser that is given what the form needs.
pub(super) fn page(visit: &Visit, page: &impl Template) -> Result<Response, Fault> {
    let mut response = render(page)?;
    visit.remember(&mut response);
    Ok(response)
}

/// The same page again, because something in it needs another value.
pub(super) fn again(page: &impl Template) -> Result<Response, Fault> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, render(page)?).into_response())
}

/// The same page again, because nothing is looked at for a while.
pub(super) fn later(page: &impl Template, wait: SignedDuration) -> Result<Response, Fault> {
    let after = [(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1))];
    Ok((StatusCode::TOO_MANY_REQUESTS, after, render(page)?).into_response())
}

/// How long that is, in whole minutes.
pub(super) fn wait_in_words(language: Language, wait: SignedDuration) -> String {
    words::duration(language, wait.as_secs() / 60 + 1)
}

/// Lets the browser keep these.
pub(super) fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
