//! Which cases fail with which flaw, in the order of the table of cases.

/// Makes a test of each flaw.
macro_rules! broken {
    ($(
        $name:ident: $flaw:ident fails [$($case:literal),* $(,)?] $(perhaps [$($perhaps:literal),* $(,)?])?;
    )*) => {
        $(
            #[test]
            fn $name() {
                let perhaps: &[&str] = &[$($($perhaps),*)?];
                crate::check(|| Place::new(Flaw::$flaw), &FLAWED, &[$($case),*], perhaps);
            }
        )*
    };
}

mod checked;
mod index;
mod store;
