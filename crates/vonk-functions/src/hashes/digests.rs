//! `md5`, `sha1`, `sha2`, `crc32` and `hmac`.

use arrow::datatypes::{Int32Type, Int64Type};
use datafusion::logical_expr::ScalarUDF;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::rows;

const BYTES: Parameters = Parameters::exact(&[Kind::Bytes]);

/// Spark's `md5`.
pub(super) fn md5() -> ScalarUDF {
    Kernel::new("md5", BYTES, rows::text, |call| {
        let inputs = call.bytes(0)?;
        rows::texts(call, |row, output| {
            push_digest::<Md5>(inputs.value(row), output);
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `sha1`.
pub(super) fn sha1() -> ScalarUDF {
    Kernel::new("sha1", BYTES, rows::text, |call| {
        let inputs = call.bytes(0)?;
        rows::texts(call, |row, output| {
            push_digest::<Sha1>(inputs.value(row), output);
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `sha2(bytes, bits)`; 0 bits are 256, and others than there are give NULL.
pub(super) fn sha2() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Bytes, Kind::Int]);
    Kernel::new("sha2", parameters, rows::text, |call| {
        let (inputs, bits) = (call.bytes(0)?, call.primitive::<Int32Type>(1)?);
        rows::texts(call, |row, output| {
            let input = inputs.value(row);
            match bits.value(row) {
                224 => push_digest::<Sha224>(input, output),
                0 | 256 => push_digest::<Sha256>(input, output),
                384 => push_digest::<Sha384>(input, output),
                512 => push_digest::<Sha512>(input, output),
                _ => return Ok(false),
            }
            Ok(true)
        })
    })
    .udf()
}

fn push_digest<D: Digest>(input: &[u8], output: &mut String) {
    for byte in D::digest(input) {
        output.push_str(&format!("{byte:02x}"));
    }
}

/// Spark's `crc32`.
pub(super) fn crc32() -> ScalarUDF {
    Kernel::new("crc32", BYTES, rows::long, |call| {
        let inputs = call.bytes(0)?;
        rows::numbers::<Int64Type>(call, |row| {
            Ok(Some(i64::from(crc32fast::hash(inputs.value(row)))))
        })
    })
    .udf()
}

/// Spark's `hmac(key, message[, algorithm])`, by SHA-256 unless it is told otherwise.
pub(super) fn hmac() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Bytes, Kind::Bytes], &[Kind::Text]);
    Kernel::new("hmac", parameters, rows::binary, |call| {
        let (keys, messages) = (call.bytes(0)?, call.bytes(1)?);
        let algorithms = call.optional_text(2)?;
        rows::bytes(call, |row, output| {
            let name = algorithms.as_ref().map_or("SHA-256", |names| names.value(row));
            let (key, message) = (keys.value(row), messages.value(row));
            match name.to_uppercase().replace("HMAC", "").replace('-', "").as_str() {
                "MD5" => keyed::<Md5>(key, message, 64, output),
                "SHA1" => keyed::<Sha1>(key, message, 64, output),
                "SHA224" => keyed::<Sha224>(key, message, 64, output),
                "SHA256" => keyed::<Sha256>(key, message, 64, output),
                "SHA384" => keyed::<Sha384>(key, message, 128, output),
                "SHA512" => keyed::<Sha512>(key, message, 128, output),
                _ => {
                    let message = format!("`hmac` does not know the algorithm `{name}`");
                    return Err(Failure::new("INVALID_PARAMETER_VALUE", message)
                        .hint("use SHA-256 or SHA-512")
                        .into());
                }
            }
            Ok(true)
        })
    })
    .udf()
}

/// RFC 2104: the digest of a digest, each begun with the key under a mask.
fn keyed<D: Digest>(key: &[u8], message: &[u8], block: usize, output: &mut Vec<u8>) {
    let mut padded = match key.len() > block {
        true => D::digest(key).to_vec(),
        false => key.to_vec(),
    };
    padded.resize(block, 0);
    let masked = |mask: u8| padded.iter().map(|byte| byte ^ mask).collect::<Vec<u8>>();
    let inner = D::new().chain_update(masked(0x36)).chain_update(message).finalize();
    output.extend_from_slice(&D::new().chain_update(masked(0x5C)).chain_update(inner).finalize());
}
