//! A finding as a self-contained .slt file.

use std::fmt::Write;

use crate::oracle::Side;
use crate::print::Dialect;
use crate::reply::Reply;
use crate::shrink::Finding;

/// The finding as records that show it: what is right has to be found out and put in.
#[must_use]
pub fn slt(finding: &Finding, oracle: &str, place: &str) -> String {
    let mut text = format!("# {}\n# {oracle}, {place}\n", finding.difference.message);
    for table in &finding.tables {
        let values = table.as_values(Dialect::Vonk);
        push(&mut text, &format!("\nstatement ok\nCREATE TEMP VIEW {} AS {values}\n", table.name));
    }
    for side in &finding.difference.sides {
        push_side(&mut text, side);
    }
    text
}

fn push_side(text: &mut String, side: &Side) {
    push(text, &format!("\n# {}\n", side.setting));
    match &side.reply {
        Reply::Rows(rows) => {
            let columns = rows.first().map_or(1, Vec::len);
            push(text, &format!("query {} rowsort\n{}\n----\n", "?".repeat(columns), side.sql));
            for row in rows {
                push(text, &format!("{}\n", row.join(" ")));
            }
        }
        Reply::Refused(error) | Reply::Broken(error) => {
            push(text, &format!("statement error\n{}\n# {error}\n", side.sql));
        }
        Reply::Absent => {}
    }
}

fn push(text: &mut String, more: &str) {
    // Writing to a String cannot fail.
    let _ = text.write_str(more);
}
