//! Messages to and from bytes, with a bound on how deep they nest.
//!
//! prost's own bound of 100 is too low: a program that adds a column 50 times has a plan that is
//! deeper. Without any, a hostile message would overflow the stack.

use std::marker::PhantomData;

use bytes::{Buf, Bytes};
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// How deep messages may nest; a relation over another takes two levels, as in Spark.
const DEPTH_MAX: usize = 1024;

/// How deep a message may nest to be decoded on the stack that is there.
const DEPTH_SMALL: usize = 100;

/// How many groups may be within each other. Any text may read like groups, as a row of `s` does:
/// the bound is far above that of messages.
const GROUPS_MAX: usize = 1 << 18;

/// The stack that passing over a group takes.
const GROUP_STACK_BYTES: usize = 1 << 10;

/// The stack that is made for deep messages, over which prost recurs.
const STACK_BYTES: usize = 32 << 20;

/// The stack that has to be left for encoding.
const STACK_BYTES_LEFT: usize = 1 << 20;

/// prost's encoding with a bound on the depth of what comes in.
#[derive(Debug)]
pub(crate) struct DepthCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for DepthCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for DepthCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = Writer<T>;
    type Decoder = Reader<U>;

    fn encoder(&mut self) -> Writer<T> {
        Writer(PhantomData)
    }

    fn decoder(&mut self) -> Reader<U> {
        Reader(PhantomData)
    }
}

/// Writes messages.
#[derive(Debug)]
pub(crate) struct Writer<T>(PhantomData<T>);

impl<T: Message> Encoder for Writer<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let encode = || message.encode(buffer);
        let failed = |error| Status::internal(format!("the answer cannot be encoded: {error}"));
        stacker::maybe_grow(STACK_BYTES_LEFT, STACK_BYTES, encode).map_err(failed)
    }
}

/// Reads messages.
#[derive(Debug)]
pub(crate) struct Reader<U>(PhantomData<U>);

impl<U: Message + Default> Decoder for Reader<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        decode(bytes).map(Some).map_err(Status::invalid_argument)
    }
}

/// The message of these bytes, or in words why they are none that is read: every message that
/// comes from outside passes here, also one that was packed within another.
pub(crate) fn decode<M: Message + Default>(bytes: Bytes) -> Result<M, String> {
    let depth = depth(&bytes);
    if depth.levels > DEPTH_MAX {
        return Err(format!("the message nests deeper than {DEPTH_MAX} levels"));
    }
    if depth.groups > GROUPS_MAX {
        return Err(format!("the message nests deeper than {GROUPS_MAX} groups"));
    }
    let decode = || M::decode(bytes);
    let decoded = match depth.levels > DEPTH_SMALL || depth.groups > DEPTH_SMALL {
        true => stacker::grow(STACK_BYTES + depth.groups * GROUP_STACK_BYTES, decode),
        false => decode(),
    };
    decoded.map_err(|error| format!("the message is damaged: {error}"))
}

/// How deep a message nests at most.
#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    levels: usize,
    /// Groups within each other, which no message of the protocol has: prost passes over them, a
    /// call for each.
    groups: usize,
}

/// How deep a message may nest at most, without knowing which of its fields are messages: whatever
/// has a length and reads like a message is taken for one.
fn depth(message: &[u8]) -> Depth {
    let mut open: Vec<(&[u8], usize)> = vec![(message, 0)];
    let mut deepest = Depth::default();
    while let Some((mut rest, groups)) = open.pop() {
        if rest.is_empty() {
            continue;
        }
        let Some(field) = next_field(&mut rest) else { continue };
        match field {
            Field::Bytes(inner) => {
                open.push((rest, groups));
                // A text of a character or an empty message has nothing in it.
                if inner.len() > 1 {
                    open.push((inner, 0));
                    deepest.levels = deepest.levels.max(open.len());
                }
            }
            Field::GroupStart => {
                open.push((rest, groups + 1));
                deepest.groups = deepest.groups.max(groups + 1);
            }
            Field::GroupEnd => open.push((rest, groups.saturating_sub(1))),
        }
        if deepest.levels > DEPTH_MAX || deepest.groups > GROUPS_MAX {
            break;
        }
    }
    deepest
}

/// A field as it is on the wire.
enum Field<'a> {
    /// What has a length.
    Bytes(&'a [u8]),
    /// The beginning of a group, which ends at a mark of its own.
    GroupStart,
    GroupEnd,
}

/// Takes a field; gives what is in it, and nothing if these are no fields.
fn next_field<'a>(rest: &mut &'a [u8]) -> Option<Field<'a>> {
    let (_, wire) = decode_key(rest).ok()?;
    let length = match wire {
        WireType::Varint => {
            decode_varint(rest).ok()?;
            return Some(Field::Bytes(&[]));
        }
        WireType::ThirtyTwoBit => 4,
        WireType::SixtyFourBit => 8,
        WireType::LengthDelimited => usize::try_from(decode_varint(rest).ok()?).ok()?,
        WireType::StartGroup => return Some(Field::GroupStart),
        WireType::EndGroup => return Some(Field::GroupEnd),
    };
    let (inner, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(Field::Bytes(if wire == WireType::LengthDelimited { inner } else { &[] }))
}

#[cfg(test)]
mod tests {
    use spark_connect_proto::relation::RelType;
    use spark_connect_proto::{Limit, Range, Relation};

    use super::*;

    fn nested(levels: usize) -> Relation {
        let range = Range { end: 10, step: 1, ..Range::default() };
        let mut relation = Relation { common: None, rel_type: Some(RelType::Range(range)) };
        for _ in 0..levels {
            let limit = Limit { input: Some(Box::new(relation)), limit: 5 };
            relation = Relation { common: None, rel_type: Some(RelType::Limit(Box::new(limit))) };
        }
        relation
    }

    #[test]
    fn long_chains_of_relations_are_within_the_bound() {
        // Encoding, decoding and comparing recur as deep as the message nests.
        let roomy = std::thread::Builder::new().stack_size(STACK_BYTES * 2);
        let compared = roomy.spawn(|| {
            let message = nested(400).encode_to_vec();
            assert!((800..=DEPTH_MAX).contains(&depth(&message).levels));
            assert_eq!(decode::<Relation>(message.into()).unwrap(), nested(400));
        });
        compared.unwrap().join().unwrap();
    }

    #[test]
    fn groups_that_nest_do_not_overflow_the_stack() {
        // Field 1 begins a group, and another in it, and so on: none ends.
        let message = vec![0x0B; 10_000];
        assert!(decode::<Relation>(message.into()).unwrap_err().contains("damaged"));
        let message = vec![0x0B; GROUPS_MAX + 1];
        assert!(decode::<Relation>(message.into()).unwrap_err().contains("deeper"));
        // One that is unknown and ends is passed over.
        assert!(decode::<Relation>(vec![0xFB, 0x3F, 0xFC, 0x3F].into()).is_ok());
    }

    #[test]
    fn texts_that_read_like_groups_are_texts() {
        let sql = spark_connect_proto::Sql { query: "s".repeat(5_000), ..Default::default() };
        let relation = Relation { common: None, rel_type: Some(RelType::Sql(sql)) };
        assert_eq!(decode::<Relation>(relation.encode_to_vec().into()).unwrap(), relation);
    }

    #[test]
    fn what_nests_too_deep_is_told_without_reading_it() {
        let mut message = Vec::new();
        for _ in 0..100_000 {
            // Field 1 of wire type 2: its length and all that is within.
            let mut outer = vec![0x0A];
            prost::encoding::encode_varint(message.len().min(100_000) as u64, &mut outer);
            if message.len() > 50_000 {
                break;
            }
            outer.extend_from_slice(&message);
            message = outer;
        }
        assert!(depth(&message).levels > DEPTH_MAX);
        assert!(decode::<Relation>(message.into()).unwrap_err().contains("deeper"));
    }
}
