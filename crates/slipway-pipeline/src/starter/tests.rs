//! Each kind of folder, and the `slipway.toml` that comes of it.

#![cfg(test)]

use super::*;

fn drafted(folder: &Folder) -> Starter {
    let starter = draft(folder, &Wishes::default()).unwrap();
    assert!(starter.text.lines().count() <= 30, "{}", starter.text);
    starter
}

/// What a person is told, a line for each fact.
fn told(starter: &Starter) -> String {
    let lines = starter.facts.iter().map(|fact| {
        let mark = if fact.is_guess { "?" } else { " " };
        format!("{mark} {}: {} ({})\n", fact.what, fact.value, fact.whence)
    });
    lines.collect()
}

#[test]
fn a_node_application_without_packages() {
    let folder = Folder::of(
        "shop",
        &[
            (
                "package.json",
                r#"{ "name": "@acme/corner-shop", "scripts": { "start": "node server.js" } }"#,
            ),
            (
                "server.js",
                "http.listen(process.env.PORT);\nif (url === '/healthz') ok(process.env.GREETING)",
            ),
            ("public/index.html", "<h1>hello</h1>"),
            ("README.md", "hello"),
        ],
    );
    let starter = drafted(&folder);
    assert_eq!(
        (starter.kind, starter.service.as_str()),
        (Kind::Node, "corner-shop")
    );
    insta::assert_snapshot!(starter.text);
    insta::assert_snapshot!(told(&starter));
    let variables: Vec<&str> = starter.variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(variables, ["GREETING"]);
    assert_eq!(starter.variables[0].whence, "server.js:2");
}

#[test]
fn a_node_application_that_is_installed_built_and_tested() {
    let package = r#"{
        "name": "blog",
        "scripts": { "start": "next start", "build": "next build", "test": "vitest run" },
        "dependencies": { "next": "15", "pg": "8" },
        "devDependencies": { "vitest": "3" }
    }"#;
    let files = [
        ("package.json", package),
        ("package-lock.json", "{}"),
        ("next.config.js", ""),
        ("src/db.ts", "connect(process.env.DATABASE_URL)"),
        ("src/db.test.ts", "process.env.ONLY_IN_TESTS"),
        ("public/icon.svg", "<svg/>"),
    ];
    let folder = Folder::of("x", &files);
    let refused = draft(&folder, &Wishes::default()).unwrap_err();
    assert_eq!(
        refused,
        Unseen::NotInstalled {
            program: "next".to_owned()
        }
    );
    let folder = folder.with_program("next", "node_modules/next/dist/bin/next");
    let starter = drafted(&folder);
    insta::assert_snapshot!(starter.text);
    insta::assert_snapshot!(told(&starter));
    let variables: Vec<&str> = starter.variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(variables, ["DATABASE_URL"]);
}

#[test]
fn a_node_application_with_each_lock_file() {
    let package = r#"{ "main": "app.js", "dependencies": { "express": "5" } }"#;
    for (lock, install) in [
        ("package-lock.json", r#"run = ["npm", "ci"]"#),
        (
            "yarn.lock",
            r#"run = ["yarn", "install", "--frozen-lockfile"]"#,
        ),
        (
            "pnpm-lock.yaml",
            r#"run = ["pnpm", "install", "--frozen-lockfile"]"#,
        ),
        ("notes.txt", r#"run = ["npm", "install"]"#),
    ] {
        let folder = Folder::of(
            "x",
            &[
                ("package.json", package),
                (lock, ""),
                ("app.js", "env.PORT"),
            ],
        );
        let starter = drafted(&folder);
        assert!(starter.text.contains(install), "{lock}: {}", starter.text);
        assert!(
            starter.text.contains(r#"start = ["node", "app.js"]"#),
            "{}",
            starter.text
        );
    }
}

#[test]
fn a_go_program() {
    let folder = Folder::of(
        "x",
        &[
            ("go.mod", "module example.com/acme/tickets\n\ngo 1.24\n"),
            (
                "cmd/tickets/main.go",
                "package main\n\nfunc main() { mux.HandleFunc(\"GET /health\", f); os.Getenv(\"PORT\") }",
            ),
            ("cmd/import/main.go", "package main\n\nfunc main() {}"),
            ("store/store.go", "package store"),
            ("store/store_test.go", "package store"),
            ("templates/page.html", ""),
        ],
    );
    let starter = drafted(&folder);
    assert_eq!(
        (starter.kind, starter.service.as_str()),
        (Kind::Go, "tickets")
    );
    insta::assert_snapshot!(starter.text);
    insta::assert_snapshot!(told(&starter));
}

#[test]
fn a_rust_program_of_a_workspace() {
    let folder = Folder::of(
        "x",
        &[
            ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]"),
            ("Cargo.lock", ""),
            ("crates/web/Cargo.toml", "[package]\nname = \"web\""),
            (
                "crates/web/src/main.rs",
                "env::var(\"PORT\"); route(\"/livez\")",
            ),
            ("crates/store/Cargo.toml", "[package]\nname = \"store\""),
            ("crates/store/src/lib.rs", ""),
        ],
    );
    let starter = drafted(&folder);
    assert_eq!(
        (starter.kind, starter.service.as_str()),
        (Kind::Rust, "web")
    );
    insta::assert_snapshot!(starter.text);
    insta::assert_snapshot!(told(&starter));
}

#[test]
fn a_procfile_has_the_last_word() {
    let folder = Folder::of(
        "letters",
        &[
            (
                "Procfile",
                "release: ./migrate.py up\nweb: gunicorn letters:app -b 127.0.0.1:$PORT\n",
            ),
            ("letters.py", "app = App(os.environ[\"SECRET_KEY\"])"),
            ("migrate.py", "#!/usr/bin/python3\n"),
        ],
    );
    let starter = drafted(&folder);
    assert_eq!(starter.kind, Kind::Procfile);
    insta::assert_snapshot!(starter.text);
    insta::assert_snapshot!(told(&starter));
    let node = Folder::of(
        "x",
        &[
            ("Procfile", "web: node --inspect=0 start.js"),
            (
                "package.json",
                r#"{ "scripts": { "start": "node other.js" } }"#,
            ),
            ("start.js", "process.env.PORT"),
        ],
    );
    let starter = drafted(&node);
    assert!(
        starter
            .text
            .contains(r#"start = ["node", "--inspect=0", "start.js"]"#),
        "{}",
        starter.text
    );
}

#[test]
fn a_plain_program_that_reads_port() {
    for (file, text, start) in [
        (
            "server.py",
            "port = int(os.environ[\"PORT\"])",
            r#"start = ["python3", "server.py"]"#,
        ),
        (
            "serve",
            "#!/bin/sh\nexec busybox httpd -f -p $PORT",
            r#"start = ["./serve"]"#,
        ),
        ("app.rb", "ENV[\"PORT\"]", r#"start = ["ruby", "app.rb"]"#),
    ] {
        let folder = Folder::of("plain", &[(file, text), ("page.html", "")]);
        let starter = drafted(&folder);
        assert_eq!(
            (starter.kind, starter.service.as_str()),
            (Kind::Program, "plain")
        );
        assert!(starter.text.contains(start), "{}", starter.text);
        assert!(
            starter.text.contains(r#"files = ["page.html""#) || starter.text.contains(file),
            "{}",
            starter.text
        );
    }
}

#[test]
fn what_cannot_be_seen_is_refused_and_a_wish_helps() {
    let empty = Folder::of("x", &[]);
    let nothing = draft(&empty, &Wishes::default()).unwrap_err();
    assert_eq!(
        nothing.to_string(),
        "nothing here says how it is started: the folder is empty"
    );
    let two = Folder::of("x", &[("one.py", "PORT"), ("two.py", "PORT")]);
    let several = draft(&two, &Wishes::default()).unwrap_err();
    assert_eq!(
        several,
        Unseen::Several(vec!["one.py".to_owned(), "two.py".to_owned()])
    );
    let wishes = Wishes {
        service: Some("two".parse().unwrap()),
        ..Wishes::default()
    };
    let named = draft(&two, &wishes).unwrap();
    assert!(
        named.text.contains(r#"start = ["python3", "two.py"]"#),
        "{}",
        named.text
    );
    let broken = Folder::of("x", &[("package.json", "{ \"name\": ")]);
    let unreadable = draft(&broken, &Wishes::default()).unwrap_err();
    assert!(
        matches!(unreadable, Unseen::Unreadable { .. }),
        "{unreadable}"
    );
    let page = Folder::of("site", &[("index.html", "<h1>hello</h1>")]);
    let wishes = Wishes {
        start: Some("busybox httpd -f -p 127.0.0.1:$PORT".to_owned()),
        health: Some("/index.html".to_owned()),
        ..Wishes::default()
    };
    let starter = draft(&page, &wishes).unwrap();
    assert!(
        starter.text.contains(r#"health = "/index.html""#),
        "{}",
        starter.text
    );
    assert!(
        starter.text.contains("exec busybox httpd"),
        "{}",
        starter.text
    );
}

#[test]
fn a_package_json_of_tools_alone_is_no_application() {
    let folder = Folder::of(
        "x",
        &[
            (
                "package.json",
                r#"{ "devDependencies": { "prettier": "3" } }"#,
            ),
            ("go.mod", "module tool"),
            (
                "main.go",
                "package main\nfunc main() { os.Getenv(\"PORT\") }",
            ),
        ],
    );
    assert_eq!(drafted(&folder).kind, Kind::Go);
}
