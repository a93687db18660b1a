//! The decisions of the fixed expiry mode, as tables: what is stored, until when, and what is done about a request.

mod fixed {
    use larder_policy::CacheOptions;

    use crate::support::secs;

    mod decide;
    mod keys;
    mod lifetime;
    mod options;
    mod properties;
    mod redirect;
    mod refresh;
    mod stale;
    mod store;

    fn hour() -> CacheOptions {
        CacheOptions::fixed(secs(3600))
    }
}

mod support;
