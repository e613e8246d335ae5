//! tmp
#[test]
fn names() {
    let session = crate::Session::new();
    let state = session.state();
    let mut a: Vec<_> = state.scalar_functions().keys().cloned().collect(); a.sort();
    let mut b: Vec<_> = state.aggregate_functions().keys().cloned().collect(); b.sort();
    let mut c: Vec<_> = state.window_functions().keys().cloned().collect(); c.sort();
    let mut d: Vec<_> = state.higher_order_functions().keys().cloned().collect(); d.sort();
    println!("SCALAR {}\nAGG {}\nWIN {}\nHO {}\n TF {:?}", a.join(" "), b.join(" "), c.join(" "), d.join(" "), state.table_functions().keys());
}
