//! Digests, checksums and Spark's hashes of values.

use crate::function::Function;

mod aes;
mod digests;
mod values;

pub(crate) use values::{murmur3_of_bytes, murmur3_of_int, xxhash64_of};

/// Every function of hashes and ciphers that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["md5"],
        "md5(bytes)",
        "Gives the MD5 digest in hexadecimal digits.",
        digests::md5,
    ),
    Function::scalar(
        &["sha1", "sha"],
        "sha1(bytes)",
        "Gives the SHA-1 digest in hexadecimal digits.",
        digests::sha1,
    ),
    Function::scalar(
        &["sha2"],
        "sha2(bytes, bits)",
        "Gives the SHA-2 digest of 224, 256, 384 or 512 bits in hexadecimal digits.",
        digests::sha2,
    ),
    Function::scalar(
        &["crc32"],
        "crc32(bytes)",
        "Gives the cyclic redundancy check of 32 bits.",
        digests::crc32,
    ),
    Function::scalar(
        &["hmac"],
        "hmac(key, message[, algorithm])",
        "Gives the keyed digest of a message.",
        digests::hmac,
    ),
    Function::scalar(
        &["hash"],
        "hash(value, ...)",
        "Gives Murmur3's hash of 32 bits.",
        values::hash,
    ),
    Function::scalar(
        &["xxhash64"],
        "xxhash64(value, ...)",
        "Gives xxHash's hash of 64 bits.",
        values::xxhash64,
    ),
    Function::scalar(
        &["aes_encrypt"],
        "aes_encrypt(bytes, key[, mode[, padding[, iv[, aad]]]])",
        "Encrypts bytes by AES.",
        aes::encrypt,
    ),
    Function::scalar(
        &["aes_decrypt"],
        "aes_decrypt(bytes, key[, mode[, padding[, aad]]])",
        "Decrypts what `aes_encrypt` gave.",
        aes::decrypt,
    ),
    Function::scalar(
        &["try_aes_decrypt"],
        "try_aes_decrypt(bytes, key[, mode[, padding[, aad]]])",
        "Decrypts what `aes_encrypt` gave, NULL if it cannot.",
        aes::try_decrypt,
    ),
];
