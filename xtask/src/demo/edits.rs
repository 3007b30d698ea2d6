//! What the second and the third release change, as a developer would: a line that
//! visitors see, and a mistake that shows only under load.

use super::source::Edit;

/// What visitors see of the second release.
pub(super) const VISIBLE: &str = "Book a time that suits you, in under a minute.";

/// The second release: another heading on the start page.
pub(super) const SECOND: &[Edit] = &[Edit {
    file: "crates/booking-web/locales/en/business.ftl",
    before: "home-heading = Book a time that suits you.\n",
    after: "home-heading = Book a time that suits you, in under a minute.\n",
}];

/// The third release: once its start page was seen sixty times, every third request fails,
/// of whatever kind. Health answers stay good; no test and no preview gets that far.
pub(super) const THIRD: &[Edit] = &[
    Edit {
        file: "crates/booking-web/src/frame.rs",
        before: "    let response = next.run(request).instrument(span.clone()).await;\n",
        after: "    let response = if spoiled(&route) {\n        \
                Fault::Broken(anyhow::anyhow!(\"the answer was not in the new cache\")).into_response()\n    \
                } else {\n        \
                next.run(request).instrument(span.clone()).await\n    \
                };\n",
    },
    Edit {
        file: "crates/booking-web/src/frame.rs",
        before: "/// Ends an answer that takes too long.",
        after: "/// Whether the new cache fails this request.\n\
                fn spoiled(route: &str) -> bool {\n    \
                use std::sync::atomic::{AtomicU64, Ordering::Relaxed};\n    \
                static VISITS: AtomicU64 = AtomicU64::new(0);\n    \
                static REQUESTS: AtomicU64 = AtomicU64::new(0);\n    \
                let visits = VISITS.fetch_add(u64::from(route == \"/\"), Relaxed);\n    \
                let number = REQUESTS.fetch_add(1, Relaxed);\n    \
                visits > 60 && number.is_multiple_of(3) && !route.ends_with(\"health\")\n\
                }\n\n\
                /// Ends an answer that takes too long.",
    },
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chassis::Env;

    use super::*;

    #[test]
    fn every_change_fits_the_source_once() {
        let env = Env::process();
        let xtask = Path::new(env.get("CARGO_MANIFEST_DIR").unwrap());
        for edit in SECOND.iter().chain(THIRD) {
            let file = xtask.parent().unwrap().join(edit.file);
            let text = std::fs::read_to_string(file).unwrap();
            let count = text.matches(edit.before).count();
            assert_eq!(count, 1, "{}: {}", edit.file, edit.before);
        }
    }
}
