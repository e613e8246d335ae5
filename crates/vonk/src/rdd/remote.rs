//! Files of object stores: the engine's own sources read them, and their rows become elements.

use std::path::Path;

use super::job::or_throw;
use super::text::{not_utf8, split_paths};
use super::whole::unpack;
use super::{Rdd, SparkContext};
use crate::dataframe::DataFrame;
use crate::sources::compression::Compression;

/// Whether any path of a list lies in a store that is not the local disk.
pub(super) fn is_remote(paths: &str) -> bool {
    split_paths(paths).iter().any(|path| path.contains("://") && !path.starts_with("file:"))
}

/// The lines of text files.
pub(super) fn lines(context: &SparkContext, paths: &str) -> Rdd<String> {
    read(context, "text", paths).rdd_of::<(String,)>().map(|(line,)| line)
}

/// Files as pairs of their path and their whole text, unpacked.
pub(super) fn whole_texts(context: &SparkContext, paths: &str) -> Rdd<(String, String)> {
    whole(context, paths).map(|(path, bytes)| {
        let name = Path::new(&path);
        let bytes = or_throw(unpack(name, bytes, Compression::by_name(&path).0));
        let text = String::from_utf8(bytes)
            .map_err(|wrong| not_utf8(name, wrong.utf8_error().valid_up_to() as u64));
        (path, or_throw(text))
    })
}

/// Files as pairs of their path and their bytes.
pub(super) fn whole(context: &SparkContext, paths: &str) -> Rdd<(String, Vec<u8>)> {
    read(context, "binaryFile", paths).select(["path", "content"]).rdd_of()
}

fn read(context: &SparkContext, format: &str, paths: &str) -> DataFrame {
    let paths: Vec<String> = split_paths(paths).into_iter().map(str::to_owned).collect();
    context.session().read().format(format).load(paths)
}

#[cfg(test)]
mod tests {
    use crate::session::Session;

    #[tokio::test]
    async fn the_engine_reads_what_the_local_reader_reads() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.txt"), "to be\nor not\n").unwrap();
        std::fs::write(directory.path().join("b.txt"), "to see").unwrap();
        let path = directory.path().to_str().unwrap();
        let context = Session::new().context();

        let lines = super::lines(&context, path).collect().await.unwrap();
        assert_eq!(lines, ["to be", "or not", "to see"]);
        assert_eq!(lines, context.text_file(path).collect().await.unwrap());

        let texts = super::whole_texts(&context, path).values().collect().await.unwrap();
        assert_eq!(texts, ["to be\nor not\n", "to see"]);
        let bytes = super::whole(&context, path).values().collect().await.unwrap();
        assert_eq!(bytes, [b"to be\nor not\n".to_vec(), b"to see".to_vec()]);
    }

    #[test]
    fn one_remote_path_makes_a_list_remote() {
        assert!(super::is_remote("a.txt,s3://bucket/b.txt"));
        assert!(!super::is_remote("a.txt,file:///b.txt"));
    }
}
