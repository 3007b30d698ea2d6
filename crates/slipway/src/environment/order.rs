//! The order in which the services of an environment are deployed: each after those that it
//! stands on. A circle has no order and is refused.

use std::collections::BTreeSet;

use slipway_journal::ServiceName;

use super::Environment;

impl Environment {
    /// The services, each after those that it comes after and else by name; or why there is no
    /// order.
    pub(crate) fn in_order(&self) -> Result<Vec<ServiceName>, String> {
        for (service, settings) in &self.service {
            if let Some(unknown) = settings
                .after
                .iter()
                .find(|a| !self.service.contains_key(a))
            {
                return Err(format!(
                    "[service.{service}] comes after {unknown}, and there is no [service.{unknown}]"
                ));
            }
        }
        let mut left: BTreeSet<&ServiceName> = self.service.keys().collect();
        let mut order = Vec::new();
        while let Some(next) = left.iter().copied().find(|s| self.is_due(s, &left)) {
            left.remove(next);
            order.push(next.clone());
        }
        match left.first() {
            None => Ok(order),
            Some(first) => Err(format!(
                "the services stand on each other in a circle: {}",
                self.circle(first, &left)
            )),
        }
    }

    /// The services that stand on `service`.
    pub(crate) fn followers<'a>(
        &'a self,
        service: &'a ServiceName,
    ) -> impl Iterator<Item = &'a ServiceName> {
        let follows = self.service.iter();
        let follows = follows.filter(move |(_, settings)| settings.after.contains(service));
        follows.map(|(name, _)| name)
    }

    /// Whether all that a service stands on has its place in the order.
    fn is_due(&self, service: &ServiceName, left: &BTreeSet<&ServiceName>) -> bool {
        let after = self.service.get(service).map(|s| s.after.as_slice());
        after.unwrap_or_default().iter().all(|a| !left.contains(a))
    }

    /// A circle, from any service of which none has a place.
    fn circle(&self, from: &ServiceName, left: &BTreeSet<&ServiceName>) -> String {
        let mut way = vec![from];
        loop {
            let last = way.last().and_then(|last| self.service.get(*last));
            let next = last.and_then(|s| s.after.iter().find(|a| left.contains(a)));
            let Some(next) = next else {
                break;
            };
            let start = way.iter().position(|s| *s == next);
            way.push(next);
            if let Some(start) = start {
                way.drain(..start);
                break;
            }
        }
        let names: Vec<&str> = way.iter().map(|s| s.as_str()).collect();
        names.join(" after ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(services: &[(&str, &[&str])]) -> Environment {
        let services = services.iter();
        let services =
            services.map(|(name, after)| format!("[service.{name}]\nafter = {after:?}\n"));
        let services: Vec<String> = services.collect();
        let text = format!("[proxy]\nlisten = \"127.0.0.1:0\"\n{}", services.concat());
        toml::from_str(&text).unwrap()
    }

    fn order(services: &[(&str, &[&str])]) -> Result<Vec<String>, String> {
        let order = environment(services).in_order()?;
        Ok(order.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_comes_after_what_it_stands_on_and_else_by_name() {
        let services: [(&str, &[&str]); 4] = [
            ("api", &["store"]),
            ("shop", &[]),
            ("store", &[]),
            ("web", &["api", "shop"]),
        ];
        assert_eq!(order(&services).unwrap(), ["shop", "store", "api", "web"]);
        assert_eq!(order(&[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_circle_and_an_unknown_name_are_refused_in_words() {
        let circle: [(&str, &[&str]); 4] = [
            ("api", &["web"]),
            ("job", &["api"]),
            ("shop", &[]),
            ("web", &["api"]),
        ];
        let error = order(&circle).unwrap_err();
        assert!(
            error.contains("in a circle: api after web after api"),
            "{error}"
        );
        let error = order(&[("api", &["api"])]).unwrap_err();
        assert!(error.contains("api after api"), "{error}");
        let error = order(&[("web", &["api"])]).unwrap_err();
        assert!(error.contains("there is no [service.api]"), "{error}");
    }
}
