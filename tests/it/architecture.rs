//! Who may import whom (docs/architecture.md): read from the `use` lines and paths of the source.

use std::collections::BTreeSet;
use std::path::Path;

/// Module, and the modules of ours that it may name. `error`, `clock`, `config` and `telemetry`
/// belong to nobody and may be named by all.
const RULE: &[(&str, &[&str])] = &[
    ("cli", &["http", "app", "map", "exchange", "db", "domain", "cli"]),
    ("http", &["app", "db", "map", "exchange", "domain", "http"]),
    ("app", &["db", "exchange", "domain", "app"]),
    ("map", &["db", "domain", "map"]),
    ("exchange", &["db", "domain", "exchange"]),
    ("db", &["domain", "db"]),
    ("domain", &["domain"]),
];

#[test]
fn modules_import_only_what_lies_below_them() {
    let mut broken = Vec::new();
    for (module, allowed) in RULE {
        for (file, text) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module)) {
            for named in named_modules(&text) {
                let is_ruled = RULE.iter().any(|(name, _)| *name == named);
                if is_ruled && !allowed.contains(&named.as_str()) {
                    broken.push(format!("{file}: {module} must not import {named}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn domain_knows_no_database_and_does_not_wait() {
    for (file, text) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain")) {
        for word in ["sqlx::", "tokio::", ".await", "axum::", "Utc::now"] {
            assert!(!text.contains(word), "{file} holds {word}");
        }
    }
}

#[test]
fn tiles_knows_nothing_of_ours_nor_of_database_and_network() {
    let manifest =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tiles/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    for name in ["cuntong", "sqlx", "tokio", "axum", "hyper"] {
        assert!(!dependencies.lines().any(|line| line.starts_with(name)), "tiles depends on {name}");
    }
}

#[test]
fn no_source_file_is_longer_than_a_reader_bears() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let long: Vec<String> = ["src", "tiles/src"]
        .iter()
        .flat_map(|dir| sources(&root.join(dir)))
        .filter(|(_, text)| text.lines().count() > 600)
        .map(|(file, text)| format!("{file}: {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// First segments after `crate::`, also inside `use crate::{a, b::c}`.
fn named_modules(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && depth == 0 && c.is_alphabetic() => {
                        found.insert(word(&group[i..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.insert(word(rest));
        }
    }
    found
}

fn sources(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).expect("source")));
        }
    }
    found
}
