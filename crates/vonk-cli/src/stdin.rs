//! Data on standard input: a private copy with a telling name, read as the view `stdin`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};
use tempfile::TempDir;

use crate::args::InputFormat;

/// The name of the view.
pub(crate) const NAME: &str = "stdin";

/// How much is looked at to find out what the data is.
const SNIFFED_BYTES: u64 = 4096;

/// A directory that only this user can read, and that goes with this value.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("vonk-stdin-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        builder.tempdir().map(Self)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Whether a statement names the table `stdin`.
pub(crate) fn is_named_in(sql: &str) -> bool {
    let mut tokens = Vec::new();
    // What cannot be read here is told by the engine, with its place.
    let _unreadable =
        Tokenizer::new(&GenericDialect, sql).tokenize_with_location_into_buf(&mut tokens);
    tokens.iter().any(|token| match &token.token {
        Token::Word(word) => word.value.eq_ignore_ascii_case(NAME),
        _ => false,
    })
}

/// Copies all of the input into a directory, and gives the statement that makes the view.
///
/// Compressed input is decoded on the way: so the formats that are never compressed as a whole can
/// be read too, and a query reads the copy with all threads.
pub(crate) fn copy(
    input: impl Read + Send,
    directory: &Path,
    format: Option<InputFormat>,
) -> io::Result<String> {
    let mut input = vonk::sources::uncompressed(input)?;
    let mut head = Vec::new();
    input.by_ref().take(SNIFFED_BYTES).read_to_end(&mut head)?;
    let format = format.unwrap_or_else(|| sniff(&head));
    let path: PathBuf = directory.join(format!("{NAME}.{}", ending(format)));
    let mut file = File::create_new(&path)?;
    file.write_all(&head)?;
    io::copy(&mut input, &mut file)?;
    let path = path.display().to_string().replace('`', "``");
    Ok(format!(
        "CREATE OR REPLACE TEMPORARY VIEW {NAME} AS SELECT * FROM {}.`{path}`",
        ending(format)
    ))
}

fn sniff(head: &[u8]) -> InputFormat {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match text {
        _ if head.starts_with(b"PAR1") => InputFormat::Parquet,
        // A file of Arrow, or a stream, which begins with the mark of a message.
        _ if head.starts_with(b"ARROW1") || head.starts_with(b"\xff\xff\xff\xff") => {
            InputFormat::Arrow
        }
        _ if head.starts_with(b"Obj\x01") => InputFormat::Avro,
        [b'{' | b'[', ..] => InputFormat::Json,
        _ => InputFormat::Csv,
    }
}

/// The name of a format, which is the ending of its files too.
fn ending(format: InputFormat) -> &'static str {
    match format {
        InputFormat::Csv => "csv",
        InputFormat::Json => "json",
        InputFormat::Text => "text",
        InputFormat::Parquet => "parquet",
        InputFormat::Arrow => "arrow",
        InputFormat::Avro => "avro",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], format: Option<InputFormat>, expect: &str, content: &[u8]) {
        let place = Place::new().unwrap();
        let sql = copy(input, place.path(), format).unwrap();
        let file = place.path().join(expect);
        assert_eq!(std::fs::read(&file).unwrap(), content, "{sql}");
        assert!(sql.contains(&format!("`{}`", file.display())), "{sql}");
    }

    #[test]
    fn data_is_named_by_what_it_is() {
        for (input, format, expect) in [
            (&b"a,b\n1,2\n"[..], None, "stdin.csv"),
            (b" {\"a\": 1}", None, "stdin.json"),
            (b"[{\"a\": 1}]", None, "stdin.json"),
            (b"PAR1....PAR1", None, "stdin.parquet"),
            (b"ARROW1\0\0", None, "stdin.arrow"),
            (b"\xff\xff\xff\xff\x10\0\0\0", None, "stdin.arrow"),
            (b"{", Some(InputFormat::Text), "stdin.text"),
            (b"", None, "stdin.csv"),
        ] {
            check(input, format, expect, input);
        }
    }

    #[test]
    fn compressed_data_is_decoded() {
        let json = b"{\"a\": 1}\n".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&json).unwrap();
        check(&gzip.finish().unwrap(), None, "stdin.json", &json);
    }

    #[test]
    fn the_table_is_found_by_its_word() {
        assert!(is_named_in("select * from STDIN"));
        assert!(is_named_in("select * from `stdin` s"));
        assert!(!is_named_in("select 'stdin'"));
        assert!(!is_named_in("select stdin_count -- stdin"));
    }
}
