//! Rebuilds the server when the built browser client changed, and names the
//! commit for `lophoc version`.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let dist = Path::new("../../web-client/dist");
    // A path that does not exist would make every build start anew; `make build`
    // touches this file when the client is built for the first time.
    if dist.exists() {
        println!("cargo:rerun-if-changed={}", dist.display());
    }
    println!(
        "cargo:rustc-env=BUILD_COMMIT={}",
        commit().unwrap_or_else(|| "unknown".to_owned())
    );
}

fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
