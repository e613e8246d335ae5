//! The run modes: every query must give the same rows under each of them.

use vonk::config::{self, OPTIONS};
use vonk::{Result, Session};

/// Settings that may change how a query runs and never what it answers.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// The name in test names and in `skipif` and `onlyif` lines.
    pub name: &'static str,
    /// Options over the defaults.
    settings: &'static [(&'static str, &'static str)],
    /// Whether every rule and operator of our own is switched off.
    own_rules_off: bool,
}

/// All modes that each file of `sql/` runs under.
pub const MODES: &[Mode] = &[
    Mode { name: "one-thread", settings: &[(config::MASTER, "local[1]")], own_rules_off: false },
    Mode { name: "four-threads", settings: &[(config::MASTER, "local[4]")], own_rules_off: false },
    Mode {
        name: "small-batches",
        settings: &[(config::MASTER, "local[2]"), (config::BATCH_SIZE, "3")],
        own_rules_off: false,
    },
    Mode {
        name: "low-memory",
        settings: &[
            (config::MASTER, "local[2]"),
            (config::MEMORY_LIMIT, "64MB"),
            (config::SPILLING_JOINS, "always"),
        ],
        own_rules_off: false,
    },
    Mode {
        name: "own-rules-off",
        settings: &[(config::MASTER, "local[2]"), (config::SPILLING_JOINS, "never")],
        own_rules_off: true,
    },
];

impl Mode {
    /// A session under this mode, whose tables live in `warehouse`.
    ///
    /// # Errors
    /// If an option has gone or its value no longer fits.
    pub fn session(&self, warehouse: &str) -> Result<Session> {
        let mut builder = Session::builder().config(config::WAREHOUSE, warehouse);
        for (name, value) in self.settings {
            builder = builder.config(*name, *value);
        }
        let own = OPTIONS.iter().filter(|row| row.name.starts_with("vonk.optimizer."));
        for row in own.filter(|_| self.own_rules_off) {
            builder = builder.config(row.name, "false");
        }
        builder.get_or_create()
    }
}
