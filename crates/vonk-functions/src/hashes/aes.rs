//! `aes_encrypt` and `aes_decrypt`: AES in the modes GCM, CBC and ECB.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm, Nonce};
use arrow::array::{ArrayRef, BinaryViewArray, StringViewArray};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// The bytes of a block, and of the initialisation vector of CBC.
const BLOCK: usize = 16;

/// The bytes of the initialisation vector of GCM.
const NONCE: usize = 12;

/// Spark's `aes_encrypt`.
pub(super) fn encrypt() -> ScalarUDF {
    let parameters = Parameters::with_optional(
        &[Kind::Bytes, Kind::Bytes],
        &[Kind::Text, Kind::Text, Kind::Bytes, Kind::Bytes],
    );
    Kernel::new("aes_encrypt", parameters, rows::binary, |call| {
        let arguments = Arguments::new(call, "aes_encrypt")?;
        let vectors = (call.count() > 4).then(|| call.bytes(4)).transpose()?;
        let associated = (call.count() > 5).then(|| call.bytes(5)).transpose()?;
        rows::bytes(call, |row, output| {
            let vector = vectors.as_ref().map_or(b"".as_slice(), |vectors| vectors.value(row));
            let associated = associated.as_ref().map_or(b"".as_slice(), |given| given.value(row));
            arguments.cipher(row)?.encrypt(
                arguments.inputs.value(row),
                vector,
                associated,
                output,
            )?;
            Ok(true)
        })
    })
    .udf()
}

const DECRYPT: Parameters =
    Parameters::with_optional(&[Kind::Bytes, Kind::Bytes], &[Kind::Text, Kind::Text, Kind::Bytes]);

/// Spark's `aes_decrypt`.
pub(super) fn decrypt() -> ScalarUDF {
    Kernel::new("aes_decrypt", DECRYPT, rows::binary, |call| decrypted(call, "aes_decrypt", false))
        .udf()
}

/// Spark's `try_aes_decrypt`.
pub(super) fn try_decrypt() -> ScalarUDF {
    Kernel::new("try_aes_decrypt", DECRYPT, rows::binary, |call| {
        decrypted(call, "try_aes_decrypt", true)
    })
    .udf()
}

fn decrypted(call: &Call<'_>, name: &'static str, is_try: bool) -> Result<ArrayRef> {
    let arguments = Arguments::new(call, name)?;
    let associated = (call.count() > 4).then(|| call.bytes(4)).transpose()?;
    rows::bytes(call, |row, output| {
        let associated = associated.as_ref().map_or(b"".as_slice(), |given| given.value(row));
        let input = arguments.inputs.value(row);
        let done = arguments.cipher(row).and_then(|cipher| {
            cipher.decrypt(input, associated, output).ok_or_else(|| broken(name))
        });
        match done {
            Ok(()) => Ok(true),
            Err(_) if is_try => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    })
}

fn broken(name: &str) -> Failure {
    let message = format!("`{name}` cannot decrypt the bytes: they, the key or the mode is wrong");
    Failure::new("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", message)
        .hint("use `try_aes_decrypt` to get NULL instead")
}

/// What both directions take.
struct Arguments {
    name: &'static str,
    inputs: BinaryViewArray,
    keys: BinaryViewArray,
    modes: Option<StringViewArray>,
    paddings: Option<StringViewArray>,
}

impl Arguments {
    fn new(call: &Call<'_>, name: &'static str) -> Result<Self> {
        let (inputs, keys) = (call.bytes(0)?, call.bytes(1)?);
        let (modes, paddings) = (call.optional_text(2)?, call.optional_text(3)?);
        Ok(Self { name, inputs, keys, modes, paddings })
    }

    fn cipher(&self, row: usize) -> Result<Cipher<'_>, Failure> {
        let key = self.keys.value(row);
        if ![16, 24, 32].contains(&key.len()) {
            let message =
                format!("`{}` takes a key of 16, 24 or 32 bytes, not {}", self.name, key.len());
            return Err(Failure::new("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", message));
        }
        let mode = self.modes.as_ref().map_or("GCM", |modes| modes.value(row)).to_uppercase();
        let padding = self.paddings.as_ref().map_or("DEFAULT", |given| given.value(row));
        let mode = match (mode.as_str(), padding.to_uppercase().as_str()) {
            ("GCM", "DEFAULT" | "NONE") => Mode::Gcm,
            ("CBC", "DEFAULT" | "PKCS") => Mode::Cbc,
            ("ECB", "DEFAULT" | "PKCS") => Mode::Ecb,
            (mode, padding) => {
                let message = format!("AES has no mode {mode} with the padding {padding}");
                return Err(Failure::new("UNSUPPORTED_FEATURE.AES_MODE", message)
                    .hint("the modes are GCM, CBC and ECB"));
            }
        };
        Ok(Cipher { name: self.name, key, mode })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Gcm,
    Cbc,
    Ecb,
}

struct Cipher<'a> {
    name: &'static str,
    key: &'a [u8],
    mode: Mode,
}

impl Cipher<'_> {
    /// The vector, if there is one, stands in front of what is encrypted.
    fn encrypt(
        &self,
        input: &[u8],
        vector: &[u8],
        associated: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let length = match self.mode {
            Mode::Gcm => NONCE,
            Mode::Cbc => BLOCK,
            Mode::Ecb => 0,
        };
        if !vector.is_empty() && self.mode == Mode::Ecb {
            return Err(self.unsupported("an initialisation vector", "IV"));
        }
        if !associated.is_empty() && self.mode != Mode::Gcm {
            return Err(self.unsupported("associated data", "AAD"));
        }
        match vector.len() {
            0 => (0..length).for_each(|_| output.push(random_byte())),
            given if given == length => output.extend_from_slice(vector),
            given => {
                let message = format!("the mode takes a vector of {length} bytes, not {given}");
                return Err(Failure::new("INVALID_PARAMETER_VALUE.AES_IV_LENGTH", message));
            }
        }
        if self.mode == Mode::Gcm {
            let sealed = self.gcm(true, input, output, associated);
            output.extend_from_slice(&sealed.ok_or_else(|| broken(self.name))?);
            return Ok(());
        }
        let padding = BLOCK - input.len() % BLOCK;
        let padded = input.iter().copied().chain(std::iter::repeat_n(padding as u8, padding));
        let padded: Vec<u8> = padded.collect();
        let mut last = output.clone();
        last.resize(BLOCK, 0);
        for block in padded.as_chunks::<BLOCK>().0 {
            let mut mixed = *block;
            if self.mode == Mode::Cbc {
                mixed.iter_mut().zip(&last).for_each(|(byte, last)| *byte ^= last);
            }
            self.block(true, &mut mixed);
            output.extend_from_slice(&mixed);
            last = mixed.to_vec();
        }
        Ok(())
    }

    fn unsupported(&self, what: &str, kind: &str) -> Failure {
        let condition = match kind {
            "IV" => "UNSUPPORTED_FEATURE.AES_MODE_IV",
            _ => "UNSUPPORTED_FEATURE.AES_MODE_AAD",
        };
        Failure::new(condition, format!("this mode of AES takes no {what}"))
    }

    fn decrypt(&self, input: &[u8], associated: &[u8], output: &mut Vec<u8>) -> Option<()> {
        if self.mode == Mode::Gcm {
            let (vector, sealed) = input.split_at_checked(NONCE)?;
            output.extend_from_slice(&self.gcm(false, sealed, vector, associated)?);
            return Some(());
        }
        let vector = if self.mode == Mode::Cbc { BLOCK } else { 0 };
        let (mut last, blocks) = input.split_at_checked(vector)?;
        let (blocks, rest) = blocks.as_chunks::<BLOCK>();
        if !rest.is_empty() {
            return None;
        }
        for block in blocks {
            let mut mixed = *block;
            self.block(false, &mut mixed);
            if self.mode == Mode::Cbc {
                mixed.iter_mut().zip(last).for_each(|(byte, last)| *byte ^= last);
            }
            output.extend_from_slice(&mixed);
            last = block;
        }
        let padding = usize::from(*output.last()?);
        let is_padding = |byte: &u8| usize::from(*byte) == padding;
        let start = output.len().checked_sub(padding)?;
        let is_right = (1..=BLOCK).contains(&padding) && output[start..].iter().all(is_padding);
        output.truncate(start);
        is_right.then_some(())
    }

    fn gcm(&self, seals: bool, msg: &[u8], vector: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let nonce = Nonce::try_from(vector).ok()?;
        let payload = Payload { msg, aad };
        macro_rules! by {
            ($cipher:ty) => {{
                let cipher = <$cipher>::new_from_slice(self.key).ok()?;
                match seals {
                    true => cipher.encrypt(&nonce, payload).ok(),
                    false => cipher.decrypt(&nonce, payload).ok(),
                }
            }};
        }
        match self.key.len() {
            16 => by!(Aes128Gcm),
            24 => by!(AesGcm<Aes192, aes_gcm::aead::consts::U12>),
            _ => by!(Aes256Gcm),
        }
    }

    fn block(&self, encrypts: bool, block: &mut [u8; BLOCK]) {
        macro_rules! by {
            ($cipher:ty) => {
                if let Ok(cipher) = <$cipher>::new_from_slice(self.key) {
                    let mut given = Array::from(*block);
                    match encrypts {
                        true => cipher.encrypt_block(&mut given),
                        false => cipher.decrypt_block(&mut given),
                    }
                    *block = given.into();
                }
            };
        }
        match self.key.len() {
            16 => by!(Aes128),
            24 => by!(Aes192),
            _ => by!(Aes256),
        }
    }
}

/// A vector must never come twice with one key, so it is the system's randomness.
fn random_byte() -> u8 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as u8
}
