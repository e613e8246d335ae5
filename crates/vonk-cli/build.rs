//! Links the command so that it starts small.

#![allow(clippy::print_stdout, reason = "how a build script speaks to cargo")]

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if reads_packed_relocations() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the C library that the command will run with reads packed relocations, as glibc does from
/// 2.36 on. They take 0.1 MB where plain ones take 7, all of which is read at every start.
fn reads_packed_relocations() -> bool {
    let gnu = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "gnu");
    gnu && env::var("TARGET").ok() == env::var("HOST").ok()
        && Command::new("getconf").arg("GNU_LIBC_VERSION").output().is_ok_and(|told| {
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            let version = told.trim().rsplit(' ').next().and_then(|version| {
                let (major, minor) = version.split_once('.')?;
                Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
            });
            version >= Some((2, 36))
        })
}
