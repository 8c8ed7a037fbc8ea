//! Writes one of each export to a folder:
//! `cargo run -p lophoc-documents --example samples -- DIR`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a tool for developers

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::PathBuf;

use lophoc_documents::{csv, html, json, pdf, xlsx};

fn main() {
    let dir: PathBuf = std::env::args_os()
        .nth(1)
        .expect("the folder to write to")
        .into();
    std::fs::create_dir_all(&dir).unwrap();
    for (name, document) in common::all() {
        let sheet = document.seal().unwrap();
        let put = |ending: &str, bytes: Vec<u8>| {
            let path = dir.join(format!("{name}.{ending}"));
            println!("{} {}", path.display(), bytes.len());
            std::fs::write(path, bytes).unwrap();
        };
        put("xlsx", xlsx::write(&sheet).unwrap());
        put(
            "csv",
            csv::write(&sheet, csv::CsvOptions::default()).unwrap(),
        );
        put("pdf", pdf::write(&sheet).unwrap());
        put("html", html::write(&sheet).into_bytes());
        put("json", json::write(&sheet, None).unwrap());
    }
}
