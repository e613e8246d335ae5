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

/// First bytes of compressed data, and the ending that tells of them.
const COMPRESSIONS: [(&[u8], &str); 5] = [
    (&[0x1f, 0x8b], "gz"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zst"),
    (b"BZh", "bz2"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
];

/// A directory that only this user can read, and that goes with this value.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> io::Result<Self> {
        tempfile::Builder::new().prefix("vonk-stdin-").tempdir().map(Self)
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
pub(crate) fn copy(
    input: &mut dyn Read,
    directory: &Path,
    format: Option<InputFormat>,
) -> io::Result<String> {
    let mut head = Vec::new();
    input.take(SNIFFED_BYTES).read_to_end(&mut head)?;
    let compression = COMPRESSIONS.iter().find(|(magic, _)| head.starts_with(magic));
    let format = format.unwrap_or_else(|| sniff(&uncompressed(&head)));
    let mut path: PathBuf = directory.join(format!("{NAME}.{}", ending(format)));
    if let Some((_, ending)) = compression {
        path.as_mut_os_string().push(format!(".{ending}"));
    }
    let mut file = File::create_new(&path)?;
    file.write_all(&head)?;
    io::copy(input, &mut file)?;
    let path = path.display().to_string().replace('`', "``");
    Ok(format!(
        "CREATE OR REPLACE TEMPORARY VIEW {NAME} AS SELECT * FROM {}.`{path}`",
        ending(format)
    ))
}

/// The first bytes of data behind the commonest compressions.
fn uncompressed(head: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // The end of the data is cut off, which is no error here.
    let _cut = match head {
        [0x1f, 0x8b, ..] => flate2::read::MultiGzDecoder::new(head).read_to_end(&mut bytes),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::Decoder::with_buffer(head)
            .and_then(|decoder| decoder.take(SNIFFED_BYTES).read_to_end(&mut bytes)),
        _ => return head.to_vec(),
    };
    bytes
}

fn sniff(head: &[u8]) -> InputFormat {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match text {
        _ if head.starts_with(b"PAR1") => InputFormat::Parquet,
        _ if head.starts_with(b"ARROW1") => InputFormat::Arrow,
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

    fn check(input: &[u8], format: Option<InputFormat>, expect: &str) {
        let place = Place::new().unwrap();
        let sql = copy(&mut &*input, place.path(), format).unwrap();
        let file = place.path().join(expect);
        assert_eq!(std::fs::read(&file).unwrap(), input, "{sql}");
        assert!(sql.contains(&format!("`{}`", file.display())), "{sql}");
    }

    #[test]
    fn data_is_named_by_what_it_is() {
        check(b"a,b\n1,2\n", None, "stdin.csv");
        check(b" {\"a\": 1}", None, "stdin.json");
        check(b"[{\"a\": 1}]", None, "stdin.json");
        check(b"PAR1....PAR1", None, "stdin.parquet");
        check(b"ARROW1\0\0", None, "stdin.arrow");
        check(b"{", Some(InputFormat::Text), "stdin.text");
        check(b"", None, "stdin.csv");
    }

    #[test]
    fn compressed_data_is_looked_into() {
        let json = b"{\"a\": 1}\n".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&json).unwrap();
        check(&gzip.finish().unwrap(), None, "stdin.json.gz");
        check(&zstd::encode_all(&*json, 1).unwrap(), None, "stdin.json.zst");
        check(b"BZh91AY&SY", None, "stdin.csv.bz2");
    }

    #[test]
    fn the_table_is_found_by_its_word() {
        assert!(is_named_in("select * from STDIN"));
        assert!(is_named_in("select * from `stdin` s"));
        assert!(!is_named_in("select 'stdin'"));
        assert!(!is_named_in("select stdin_count -- stdin"));
    }
}
