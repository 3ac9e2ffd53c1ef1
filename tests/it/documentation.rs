//! Documentation that is written from the program, and command lines that the documents show.

use std::path::Path;

use cuntong::cli;

use crate::harness::{Scratch, free_port, program};

const TABLE: &str = "docs/operators/configuration.md";
const BEGIN: &str = "<!-- table: written from the program -->\n";
const END: &str = "<!-- end of table -->";

/// Run with `UPDATE_DOCS=1` to write the table anew.
#[test]
fn the_table_of_options_is_the_program_s() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the table's beginning");
    let (shown, tail) = rest.split_once(END).expect("the table's end");
    let table = cli::configuration_table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(shown, table, "{TABLE} is out of date: run UPDATE_DOCS=1 cargo test --test it documentation");
}

#[test]
fn command_lines_in_the_documents_are_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    let mut files = vec![root.join("README.md")];
    for dir in ["docs", "docs/operators", "docs/guides"] {
        for entry in std::fs::read_dir(root.join(dir)).into_iter().flatten().flatten() {
            files.push(entry.path());
        }
    }
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(file).unwrap();
        let mut in_code = false;
        for line in text.replace("\\\n", " ").lines() {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
                continue;
            }
            let line = line.trim().trim_start_matches("$ ").trim_start_matches("sudo ");
            // Variables before the command belong to the shell.
            let words: Vec<&str> = line
                .split_whitespace()
                .skip_while(|w| w.contains('=') && w.chars().next().is_some_and(char::is_uppercase))
                .take_while(|w| !w.starts_with('#') && !matches!(*w, "<" | ">" | "|" | "&&" | "&"))
                .collect();
            if in_code && words.first() == Some(&"cuntong") {
                seen += 1;
                if let Err(error) = cli::accepts(&words) {
                    panic!("{}: {line}\n{error}", file.display());
                }
            }
        }
    }
    assert!(seen > 5, "only {seen} command lines found");
}

#[test]
fn the_doctor_says_what_to_mend() {
    let home = Scratch::new("doctor");
    let listen = format!("127.0.0.1:{}", free_port());
    let fine = program().args(["doctor", "--listen", &listen, "--data-dir"]).arg(&home.0).output().unwrap();
    let said = String::from_utf8_lossy(&fine.stdout).into_owned();
    assert!(fine.status.success(), "{said}");
    assert!(said.contains("✓ PostgreSQL") && said.contains("✓ PostGIS"), "{said}");

    let nothing = Scratch::new("no-postgres");
    let broken = program()
        .args(["doctor", "--listen", &listen, "--postgres-bin"])
        .arg(&nothing.0)
        .args(["--tls-cert", "/nowhere.crt", "--tls-key", "/nowhere.key", "--data-dir"])
        .arg(&home.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(!broken.status.success(), "{said}");
    assert!(said.contains("✗ PostgreSQL") && said.contains("/nowhere.crt"), "{said}");
}

#[test]
fn help_is_for_people() {
    let help = program().arg("--help").output().unwrap();
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for word in ["启动服务", "cuntong doctor", "docs/operators/configuration.md", "DATABASE_URL"] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
}
