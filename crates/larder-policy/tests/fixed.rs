//! The decisions of the fixed expiry mode, as tables: what is stored, until when, and what is done about a request.

mod fixed {
    mod decide;
    mod keys;
    mod lifetime;
    mod options;
    mod properties;
    mod redirect;
    mod refresh;
    mod stale;
    mod store;
    pub(crate) mod support;
}
