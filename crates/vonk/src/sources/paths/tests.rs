//! What paths, directories and globs lead to.

use std::fs;

use super::*;
use crate::Session;

/// Lists `paths` below a new directory that holds the `files`; gives the names relative to it.
async fn list(files: &[&str], paths: &[&str]) -> Result<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let prefix = root.to_str().unwrap();
    let paths: Vec<String> = paths
        .iter()
        .map(|path| match path.strip_prefix("file://") {
            Some(rest) => format!("file://{prefix}/{rest}"),
            None => format!("{prefix}/{path}"),
        })
        .collect();
    let spec = ReadSpec::new(paths.iter().map(String::as_str));
    let found = Root::find(&Session::new().state(), &spec)?.list().await?;
    let strip = |file: Found| {
        let path = format!("/{}", file.meta.location);
        path.strip_prefix(prefix).unwrap().trim_start_matches('/').to_owned()
    };
    Ok(found.into_iter().map(strip).collect())
}

#[tokio::test]
async fn a_directory_is_read_below_without_hidden_names() {
    let files = ["b/2", "a", "_SUCCESS", ".hidden", "b/_temporary/3", "_day=1/4"];
    assert_eq!(list(&files, &[""]).await.unwrap(), ["_day=1/4", "a", "b/2"]);
}

#[tokio::test]
async fn globs_match_names_sets_braces_and_any_depth() {
    let files = ["a1.csv", "a2.csv", "b1.csv", "d/c.csv", "d/e/f.csv", "d/e/g.txt", "_x.csv"];
    assert_eq!(list(&files, &["a?.csv"]).await.unwrap(), ["a1.csv", "a2.csv"]);
    assert_eq!(list(&files, &["[!a]1.csv"]).await.unwrap(), ["b1.csv"]);
    assert_eq!(list(&files, &["{b1,d/c}.csv"]).await.unwrap(), ["b1.csv", "d/c.csv"]);
    assert_eq!(list(&files, &["d/**/*.csv"]).await.unwrap(), ["d/c.csv", "d/e/f.csv"]);
    assert_eq!(list(&files, &["d/**"]).await.unwrap(), ["d/c.csv", "d/e/f.csv", "d/e/g.txt"]);
    assert_eq!(list(&files, &["*/e"]).await.unwrap(), ["d/e/f.csv", "d/e/g.txt"]);
    assert_eq!(list(&files, &["*.csv"]).await.unwrap(), ["a1.csv", "a2.csv", "b1.csv"]);
    assert_eq!(list(&files, &["_*.csv"]).await.unwrap(), ["_x.csv"]);
}

#[tokio::test]
async fn a_list_keeps_its_order() {
    assert_eq!(list(&["a", "b"], &["b", "a"]).await.unwrap(), ["b", "a"]);
}

#[tokio::test]
async fn unusual_names_are_names() {
    let names =
        ["a b.csv", "100%.csv", "a%20b.csv", "ü.csv", "q'\".csv", "k=v.csv", "x[1].csv", "{y}.csv"];
    for name in names {
        assert_eq!(list(&names, &[name]).await.unwrap(), [name]);
    }
    assert_eq!(list(&names, &["file://a%20b.csv"]).await.unwrap(), ["a b.csv"]);
    assert_eq!(list(&["d/x", "e/y"], &["d/../e/./y"]).await.unwrap(), ["e/y"]);
}

#[tokio::test]
async fn a_path_to_nothing_says_why() {
    let error = list(&["data.csv"], &["dat.csv"]).await.unwrap_err();
    assert_eq!(error.condition(), Condition::PATH_NOT_FOUND);
    assert_eq!(error.hint_text(), Some("did you mean `data.csv`?"));
    let error = list(&["data.csv"], &["*.parquet"]).await.unwrap_err();
    assert!(error.message().starts_with("no file matches"), "{error}");
    let error = list(&["d/_hidden"], &["d"]).await.unwrap_err();
    assert!(error.message().ends_with("holds no files"), "{error}");
}

#[test]
fn other_stores_name_their_feature() {
    let spec = ReadSpec::new(["ftp://host/x"]);
    let error = Root::find(&Session::new().state(), &spec).unwrap_err();
    assert!(error.message().contains("`ftp`"), "{error}");
}
