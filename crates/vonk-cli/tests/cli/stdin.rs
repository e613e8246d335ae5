//! Data on standard input: every format, plain and in every compression.

use std::io::{Read, Write};

use crate::{run, vonk};

/// The same two rows as bytes, and the options that reading them takes.
fn inputs() -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let sql = "SELECT 'x' AS t, 6 AS a UNION ALL SELECT 'y', 7";
    let binary = |format| vonk(&["-o", format, sql], "").stdout;
    vec![
        ("csv", b"t,a\nx,6\ny,7\n".to_vec(), vec![]),
        ("tsv", b"t\ta\nx\t6\ny\t7\n".to_vec(), vec![]),
        ("json lines", b"{\"t\":\"x\",\"a\":6}\n{\"t\":\"y\",\"a\":7}\n".to_vec(), vec![]),
        ("json array", b"[{\"t\":\"x\",\"a\":6},\n {\"t\":\"y\",\"a\":7}]\n".to_vec(), vec![]),
        ("parquet", binary("parquet"), vec![]),
        ("arrow", binary("arrow"), vec![]),
        ("text", b"6\n7\n".to_vec(), vec!["--stdin-format", "text"]),
    ]
}

fn compressions(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(bytes).unwrap();
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    snappy.write_all(bytes).unwrap();
    let (mut bzip2, mut xz) = (Vec::new(), Vec::new());
    bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast()).read_to_end(&mut bzip2).unwrap();
    liblzma::read::XzEncoder::new(bytes, 1).read_to_end(&mut xz).unwrap();
    vec![
        ("plain", bytes.to_vec()),
        ("gz", gzip.finish().unwrap()),
        ("zst", zstd::encode_all(bytes, 1).unwrap()),
        ("bz2", bzip2),
        ("xz", xz),
        ("lz4", lz4.finish().unwrap()),
        ("snappy", snappy.into_inner().unwrap()),
    ]
}

#[test]
fn every_format_is_read_in_every_compression() {
    for (format, bytes, options) in inputs() {
        let column = if format == "text" { "CAST(value AS INT)" } else { "a" };
        let sql = format!("SELECT sum({column}) AS total FROM stdin");
        for (compression, data) in compressions(&bytes) {
            let arguments = [&options[..], &["-o", "csv", &sql]].concat();
            let expect = (0, "total\n13\n".to_owned(), String::new());
            assert_eq!(run(&arguments, &data), expect, "{format} {compression}");
        }
    }
}

#[test]
fn a_stream_of_arrow_is_read_like_a_file() {
    use arrow::array::Int32Array;
    use arrow::ipc::writer::StreamWriter;
    use arrow::record_batch::RecordBatch;
    use std::sync::Arc;
    let column: arrow::array::ArrayRef = Arc::new(Int32Array::from(vec![6, 7]));
    let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    let bytes = stream.into_inner().unwrap();
    let sql = "SELECT sum(a) AS total FROM stdin";
    assert_eq!(run(&["-o", "csv", sql], &bytes), (0, "total\n13\n".to_owned(), String::new()));
}

#[test]
fn torn_data_is_told_by_the_name_that_the_user_knows() {
    let sql = "SELECT sum(a) AS total FROM stdin";
    for (format, bytes, _) in inputs() {
        if format == "parquet" {
            let (code, stdout, stderr) = run(&["-o", "csv", sql], &bytes[..bytes.len() / 2]);
            assert_eq!((code, stdout.as_str()), (3, ""), "{stderr}");
            assert!(stderr.contains("<stdin>") && !stderr.contains("vonk-stdin"), "{stderr}");
        }
    }
    let rows = "6\n".repeat(10_000);
    for (compression, data) in compressions(format!("a\n{rows}").as_bytes()) {
        if compression != "plain" && compression != "snappy" {
            let (code, stdout, stderr) = run(&["-o", "csv", sql], &data[..data.len() / 2]);
            assert_eq!((code, stdout.as_str()), (3, ""), "{compression}: {stderr}");
            assert!(stderr.contains("standard input"), "{compression}: {stderr}");
        }
    }
}
