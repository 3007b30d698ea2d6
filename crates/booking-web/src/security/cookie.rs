//! Cookies: how one is read and written, the same for all of ours.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The value of the first cookie of that name.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// A cookie that no script reads and no other site sends along with a form. Without
/// `seconds` it goes when the browser closes; with none left it goes now.
pub(crate) fn write(name: &str, value: &str, seconds: Option<u32>, secure: bool) -> HeaderValue {
    let age = seconds.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}");
    HeaderValue::try_from(cookie).expect("a cookie of letters and digits")
}
