//! Sessions: options that are checked, and options that change a running session.

use vonk::{Condition, Session};

#[test]
fn an_unknown_option_is_refused_with_the_likely_one() {
    let error = Session::builder().config("vonk.memory.limt", "1GB").get_or_create().unwrap_err();
    assert_eq!(error.condition(), Condition::CONFIG_NOT_FOUND);
    assert_eq!(error.hint_text(), Some("did you mean `vonk.memory.limit`?"));
}

#[tokio::test]
async fn sessions_do_not_share_options() {
    let (one, other) = (Session::new(), Session::new());
    one.set("spark.app.name", "one").unwrap();
    assert_eq!(one.config().get("vonk.app.name"), Some("one"));
    assert_eq!(other.config().get("vonk.app.name"), Some("vonk"));
    one.unset("vonk.app.name").unwrap();
    assert_eq!(one.config().get("vonk.app.name"), Some("vonk"));
}
