//! Rules about Rust files. The file is parsed, so nothing in a comment or a string
//! can trigger a rule about code.

use std::path::{Component, Path};

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::Finding;

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "manager", "misc",
];

/// Ends of paths that read the wall clock, randomness or the environment.
const AMBIENT: &[&str] = &[
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "OffsetDateTime::now_utc",
    "env::var",
    "env::var_os",
    "env::vars",
    "env::vars_os",
    "rand::rng",
    "rand::random",
    "SysRng",
    "Uuid::now_v7",
    "Uuid::new_v4",
];

/// Where a file stands decides which rules hold for it.
struct Place {
    /// Tests, and programs that only developers run.
    is_test: bool,
    is_chassis: bool,
    is_store: bool,
}

fn place(file: &Path) -> Place {
    let has = |name: &str| {
        file.components()
            .any(|c| c == Component::Normal(name.as_ref()))
    };
    Place {
        is_test: has("tests") || has("benches") || has("testkit") || has("xtask"),
        is_chassis: has("chassis"),
        is_store: has("store") || file.file_stem().is_some_and(|s| s == "store"),
    }
}

/// Checks one file.
pub(super) fn check(file: &Path, text: &str) -> Vec<Finding> {
    let finding = |line, rule, advice| Finding {
        file: file.to_owned(),
        line,
        rule,
        advice,
    };
    let mut findings = Vec::new();
    if !text.starts_with("//!") {
        let advice = "say in 1 to 5 lines of //! what this is, never does, and what always holds";
        findings.push(finding(1, "header", advice.to_owned()));
    }
    let lines = text.lines().count();
    if lines > FILE_LINES {
        let advice = format!("{lines} lines; at most {FILE_LINES}: one noun too many?");
        findings.push(finding(lines, "file length", advice));
    }
    if file
        .file_stem()
        .and_then(|s| s.to_str())
        .is_some_and(|s| EMPTY_NAMES.contains(&s))
    {
        findings.push(finding(
            1,
            "file name",
            "name the file after its noun".to_owned(),
        ));
    }
    match syn::parse_file(text) {
        Err(error) => findings.push(finding(1, "syntax", error.to_string())),
        Ok(parsed) => {
            let mut place = place(file);
            place.is_test |= is_for_tests(&parsed.attrs);
            let mut rules = Rules {
                place,
                found: Vec::new(),
            };
            rules.visit_file(&parsed);
            findings.extend(
                rules
                    .found
                    .into_iter()
                    .map(|(line, rule, advice)| finding(line, rule, advice)),
            );
        }
    }
    findings
}

struct Rules {
    place: Place,
    found: Vec<(usize, &'static str, String)>,
}

impl Rules {
    fn function(&mut self, name: &syn::Ident, block: &syn::Block) {
        let span = block.span();
        let lines = span.end().line.saturating_sub(span.start().line) + 1;
        if lines > FUNCTION_LINES && !self.place.is_test {
            let advice = format!("{name} has {lines} lines; at most {FUNCTION_LINES}");
            self.found
                .push((span.start().line, "function length", advice));
        }
    }

    fn path(&mut self, path: &syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let full = names.join("::");
        let line = path.span().start().line;
        let is_ambient = AMBIENT
            .iter()
            .any(|end| full == *end || full.ends_with(&format!("::{end}")));
        if is_ambient && !self.place.is_chassis && !self.place.is_test {
            let advice = format!("{full}: take a Clock, Random or Env of chassis as an argument");
            self.found.push((line, "ambient", advice));
        }
        if let [first, second, ..] = names.as_slice()
            && first == "sqlx"
        {
            self.sql(line, second);
        }
    }

    /// What of sqlx takes statements may neither be called nor imported.
    fn sql(&mut self, line: usize, name: &str) {
        let takes_statements = ["query", "raw_sql", "AssertSqlSafe", "QueryBuilder"];
        let is_sql = takes_statements.iter().any(|n| name.starts_with(n));
        if is_sql && !self.place.is_store && !self.place.is_test {
            let advice = format!("sqlx::{name}: SQL belongs into a store module");
            self.found.push((line, "sql", advice));
        }
    }

    fn imports_of_sqlx(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.imports_of_sqlx(tree);
                }
            }
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                self.sql(ident.span().start().line, &ident.to_string());
            }
            syn::UseTree::Path(_) | syn::UseTree::Glob(_) => {}
        }
    }
}

/// `#[cfg(test)]` and `#[test]`, with any path before `test`.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        meta => meta
            .path()
            .segments
            .last()
            .is_some_and(|s| s.ident == "test"),
    })
}

impl<'ast> Visit<'ast> for Rules {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            self.function(&item.sig.ident, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "unwrap" && call.args.is_empty() && !self.place.is_test {
            let advice = "return the error, or expect with the invariant as its text".to_owned();
            self.found
                .push((call.method.span().start().line, "unwrap", advice));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        if path.ident == "sqlx" {
            self.imports_of_sqlx(&path.tree);
        }
        visit::visit_use_path(self, path);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(path);
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(file: &str, text: &str) -> Vec<&'static str> {
        check(Path::new(file), text)
            .into_iter()
            .map(|f| f.rule)
            .collect()
    }

    #[test]
    fn a_module_without_a_header_is_refused() {
        assert_eq!(rules("a.rs", "fn f() {}"), ["header"]);
        assert_eq!(rules("a.rs", "//! A.\nfn f() {}"), [""; 0]);
    }

    #[test]
    fn a_long_file_and_a_long_function_are_refused() {
        let file = format!("//! A.\n{}", "// x\n".repeat(600));
        assert_eq!(rules("a.rs", &file), ["file length"]);
        let function = format!("//! A.\nfn f() {{\n{}}}", "    g();\n".repeat(70));
        assert_eq!(rules("crates/a/src/a.rs", &function), ["function length"]);
        assert_eq!(rules("crates/a/tests/a.rs", &function), [""; 0]);
    }

    #[test]
    fn a_name_that_says_nothing_is_refused() {
        assert_eq!(rules("crates/a/src/utils.rs", "//! A."), ["file name"]);
    }

    #[test]
    fn unwrap_is_refused_outside_tests() {
        let code = "//! A.\nfn f() { g().unwrap(); }";
        assert_eq!(rules("crates/a/src/a.rs", code), ["unwrap"]);
        assert_eq!(rules("crates/a/tests/a.rs", code), [""; 0]);
        let in_test = "//! A.\n#[cfg(test)]\nmod tests { fn f() { g().unwrap(); } }";
        assert_eq!(rules("crates/a/src/a.rs", in_test), [""; 0]);
        let all_test = "//! A.\n#![cfg(test)]\nfn f() { g().unwrap(); }";
        assert_eq!(rules("crates/a/src/a.rs", all_test), [""; 0]);
        let in_comment = "//! A.\n// g().unwrap()\nconst A: &str = \"g().unwrap()\";";
        assert_eq!(rules("crates/a/src/a.rs", in_comment), [""; 0]);
    }

    #[test]
    fn the_clock_chance_and_the_environment_are_read_in_chassis_only() {
        for read in [
            "std::time::SystemTime::now()",
            "Timestamp::now()",
            "std::env::var(\"A\")",
            "rand::rng()",
        ] {
            let code = format!("//! A.\nfn f() {{ {read}; }}");
            assert_eq!(rules("crates/a/src/a.rs", &code), ["ambient"], "{read}");
            assert_eq!(rules("crates/chassis/src/a.rs", &code), [""; 0], "{read}");
        }
        assert_eq!(
            rules("crates/a/src/a.rs", "//! A.\nfn f() { clock.now(); }"),
            [""; 0]
        );
    }

    #[test]
    fn sql_is_refused_outside_store() {
        let code = "//! A.\nfn f() { sqlx::query!(\"select 1\"); }";
        assert_eq!(rules("crates/a/src/pages.rs", code), ["sql"]);
        assert_eq!(rules("crates/a/src/store/bookings.rs", code), [""; 0]);
        assert_eq!(rules("crates/a/src/store.rs", code), [""; 0]);
        for import in ["query_as", "{PgPool, AssertSqlSafe}", "query as ask"] {
            let code = format!("//! A.\nuse sqlx::{import};");
            assert_eq!(rules("crates/a/src/pages.rs", &code), ["sql"], "{import}");
        }
        let code = "//! A.\nuse sqlx::{Connection as _, PgPool};";
        assert_eq!(rules("crates/a/src/pages.rs", code), [""; 0]);
    }
}
