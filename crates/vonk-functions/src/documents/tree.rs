//! A document as a tree, whichever format its text has.

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Null,
    Boolean(bool),
    /// A number as it is written.
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    /// Members in their order; a name may come twice.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// The last member of a name.
    pub(super) fn member(&self, name: &str) -> Option<&Tree> {
        match self {
            Tree::Object(members) => {
                members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}
