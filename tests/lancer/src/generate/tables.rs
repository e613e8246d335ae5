//! Tables whose values meet often: small domains with every special value in them.

use vonk_tests::random::SplitMix;

use crate::table::Table;
use crate::value::{Kind, Value};

const DOUBLES: [f64; 9] = [-0.0, 0.0, 0.25, 1.5, -1.0, 2.0, 4.0, f64::NAN, f64::INFINITY];
const TEXTS: [&str; 12] =
    ["", "a", "b", "ab", "A", "é", "ñandú", "日本", " a", "b ", "it's", "a-b"];

/// Two or three tables, whose columns have the same names.
pub fn tables(dice: &mut SplitMix) -> Vec<Table> {
    let count = 2 + dice.below(2);
    (0..count).map(|index| table(dice, index)).collect()
}

fn table(dice: &mut SplitMix, index: usize) -> Table {
    let nested = dice.chance(15);
    let mut kinds = vec![Kind::Integer];
    for _ in 0..1 + dice.below(4) {
        let kind = *dice.choose(&Kind::COLUMNS);
        if nested || !kind.is_nested() {
            kinds.push(kind);
        }
    }
    let count = if dice.chance(8) { 0 } else { 1 + dice.below(9) };
    // A column without special values now and then, so that joins and groups find plenty.
    let plain: Vec<bool> = kinds.iter().map(|_| dice.chance(30)).collect();
    let mut row = || {
        let cells = kinds.iter().zip(&plain);
        cells.map(|(kind, plain)| cell(dice, *kind, *plain)).collect()
    };
    let rows = (0..count).map(|_| row()).collect();
    let columns = kinds.iter().enumerate().map(|(i, kind)| (format!("c{i}"), *kind)).collect();
    Table { name: format!("t{index}"), columns, rows }
}

fn cell(dice: &mut SplitMix, kind: Kind, plain: bool) -> Value {
    if !plain && dice.chance(20) { Value::Null } else { value(dice, kind) }
}

/// A value of a kind that is not NULL.
pub(super) fn value(dice: &mut SplitMix, kind: Kind) -> Value {
    let item = |dice: &mut SplitMix| (!dice.chance(20)).then(|| dice.below(4) as i64);
    match kind {
        Kind::Boolean => Value::Boolean(dice.chance(50)),
        Kind::Integer => Value::Integer(dice.below(8) as i64 - 2),
        Kind::Double | Kind::Ratio => Value::Double(*dice.choose(&DOUBLES)),
        Kind::Decimal => Value::Decimal((dice.below(9) as i64 - 2) * 25),
        Kind::Text => Value::Text((*dice.choose(&TEXTS)).to_owned()),
        Kind::Date => Value::Date(*dice.choose(&[0, -1, 19_782, 19_783, 11_016])),
        Kind::Timestamp => {
            Value::Timestamp(*dice.choose(&[0, -1, 1_709_164_800, 1_709_211_296, 951_782_400]))
        }
        Kind::List => Value::List((0..dice.below(3)).map(|_| item(dice)).collect()),
        Kind::Struct => {
            let text = (!dice.chance(20)).then(|| (*dice.choose(&TEXTS)).to_owned());
            Value::Struct(item(dice), text)
        }
    }
}
