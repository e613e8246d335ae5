//! Where paths lead, and what an opened file tells of its place.

use std::fs;

use super::*;

#[test]
fn a_link_made_after_the_check_is_found_by_the_open_file() {
    let outside = tempfile::tempdir().unwrap();
    let inside = tempfile::tempdir().unwrap();
    let (secret, path) = (outside.path().join("secret"), inside.path().join("a"));
    fs::write(&secret, "x").unwrap();
    fs::write(&path, "y").unwrap();
    let policy = Policy::safe().allow_read(inside.path()).unwrap();
    policy.check(Access::Read, &path).unwrap();
    assert!(policy.check_opened(&path, &File::open(&path).unwrap()).is_ok());
    // What a race would open between check and opening.
    assert!(policy.check_opened(&path, &File::open(&secret).unwrap()).is_err());
}

#[test]
fn what_is_not_there_is_judged_by_what_is() {
    let root = tempfile::tempdir().unwrap();
    let real = root.path().canonicalize().unwrap();
    let policy = Policy::safe().allow_write(root.path()).unwrap();
    let may = |name: &str| policy.check(Access::Write, &real.join(name)).is_ok();
    assert!(may("new") && may("new/deep/file.csv") && may("."));
    assert!(!may("..") && !may("new/../../x") && !may("new/.."));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/nowhere/at/all", real.join("broken")).unwrap();
        assert!(!may("broken") && !may("broken/x"));
    }
}

#[test]
fn a_policy_without_rules_allows_everything() {
    assert!(Policy::default().check(Access::Write, Path::new("/etc/passwd")).is_ok());
    assert!(Policy::default().check_setting("vonk.memory.limit").is_ok());
    assert!(Policy::safe().check_setting("spark.driver.memory").is_err());
    assert!(Policy::safe().check_setting("spark.sql.session.timeZone").is_ok());
}
