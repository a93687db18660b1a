//! Two users of one cache: neither ever gets the other's response where the standard forbids it.
//!
//! The origin answers everybody with their own name, so that the content tells whose response it is.

use super::super::case::{Case, Mode, Step, case, get};
use super::super::reply::{ok, reply};

/// How a user shows who they are.
#[derive(Clone, Copy)]
enum Credentials {
    Authorization,
    Cookie,
}

/// Whether a shared cache may give one user's response to the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    /// It may, whoever asks how.
    Allowed,
    /// It may between cookies, because only `Authorization` forbids it (RFC 9111, section 3.5).
    Cookies,
    /// It may not.
    Never,
}

use Sharing::{Allowed, Cookies, Never};

/// Header cases: what the response says, and who may share it in a shared cache.
const ROWS: &[(&str, Sharing, &[&str])] = &[
    ("no field at all", Cookies, &[]),
    ("max-age", Cookies, &["Cache-Control: max-age=3600"]),
    ("Max-Age", Cookies, &["Cache-Control: Max-Age=3600"]),
    ("Expires", Cookies, &["Expires: {now+3600}"]),
    ("an old Last-Modified", Cookies, &["Last-Modified: {now-10000000}"]),
    ("an unknown directive", Cookies, &["Cache-Control: x=\"public\", max-age=3600"]),
    ("immutable", Cookies, &["Cache-Control: max-age=3600, immutable"]),
    ("stale-while-revalidate", Cookies, &["Cache-Control: max-age=3600, stale-while-revalidate=600"]),
    ("a directive that begins with public", Cookies, &["Cache-Control: publicly, max-age=3600"]),
    ("public as a value", Cookies, &["Cache-Control: x=public, max-age=3600"]),
    ("public", Allowed, &["Cache-Control: public, max-age=3600"]),
    ("PUBLIC", Allowed, &["Cache-Control: PUBLIC, max-age=3600"]),
    ("public on the second line", Allowed, &["Cache-Control: max-age=3600", "Cache-Control: public"]),
    ("s-maxage", Allowed, &["Cache-Control: s-maxage=3600"]),
    ("S-MaxAge", Allowed, &["Cache-Control: S-MaxAge=3600"]),
    ("must-revalidate", Allowed, &["Cache-Control: max-age=3600, must-revalidate"]),
    ("an unreadable s-maxage", Cookies, &["Cache-Control: max-age=3600, s-maxage=x"]),
    ("proxy-revalidate", Cookies, &["Cache-Control: max-age=3600, proxy-revalidate"]),
    ("private", Never, &["Cache-Control: private, max-age=3600"]),
    ("PRIVATE", Never, &["Cache-Control: PRIVATE, max-age=3600"]),
    ("private alone", Never, &["Cache-Control: private", "Last-Modified: {now-10000000}"]),
    ("private on the second line", Never, &["Cache-Control: max-age=3600", "Cache-Control: private"]),
    ("private among commas", Never, &["Cache-Control: max-age=3600,,,private,,"]),
    ("private without names", Never, &["Cache-Control: private=\"\", max-age=3600"]),
    ("private with a blank name", Never, &["Cache-Control: private=\" \", max-age=3600"]),
    ("private with an argument that is no name", Never, &["Cache-Control: private=\",\", max-age=3600"]),
    ("private beside public", Never, &["Cache-Control: public, private, max-age=3600"]),
    ("private beside s-maxage", Never, &["Cache-Control: private, s-maxage=3600"]),
    ("private beside must-revalidate", Never, &["Cache-Control: private, max-age=3600, must-revalidate"]),
    ("private after an open quote", Never, &["Cache-Control: max-age=3600, x=\"a, private"]),
    ("no-store", Never, &["Cache-Control: no-store"]),
    ("No-Store", Never, &["Cache-Control: No-Store, max-age=3600"]),
    ("no-store beside public", Never, &["Cache-Control: public, max-age=3600, no-store"]),
    ("no-store beside s-maxage", Never, &["Cache-Control: s-maxage=3600, no-store"]),
    ("no-store with an argument", Never, &["Cache-Control: no-store=x, max-age=3600"]),
    ("no-store after an open quote", Never, &["Cache-Control: max-age=3600, x=\"a, no-store"]),
    ("no-cache", Never, &["Cache-Control: no-cache"]),
    ("NO-CACHE", Never, &["Cache-Control: NO-CACHE, max-age=3600"]),
    ("no-cache beside public", Never, &["Cache-Control: public, no-cache, max-age=3600"]),
    ("no-cache without names", Never, &["Cache-Control: no-cache=\"\", max-age=3600"]),
    ("max-age=0", Never, &["Cache-Control: max-age=0"]),
    ("max-age=0 beside public", Never, &["Cache-Control: public, max-age=0"]),
    ("a garbage max-age", Never, &["Cache-Control: max-age=soon"]),
    ("a negative max-age", Never, &["Cache-Control: public, max-age=-1"]),
    ("Expires: 0", Never, &["Expires: 0"]),
    ("Vary: *", Never, &["Cache-Control: public, max-age=3600", "Vary: *"]),
    (
        "Vary on both credentials",
        Never,
        &["Cache-Control: public, max-age=3600", "Vary: Authorization, Cookie"],
    ),
    (
        "Vary on both credentials on two lines",
        Never,
        &["Cache-Control: public, max-age=3600", "Vary: Cookie", "Vary: Authorization"],
    ),
    (
        "Vary on both credentials in capitals",
        Never,
        &["Cache-Control: public, max-age=3600", "Vary: COOKIE, AUTHORIZATION"],
    ),
    (
        "Vary on both credentials and s-maxage",
        Never,
        &["Cache-Control: s-maxage=3600", "Vary: Accept, Cookie, Authorization"],
    ),
    ("Set-Cookie", Never, &["Cache-Control: max-age=3600", "Set-Cookie: session=1"]),
    ("Set-Cookie and Expires", Never, &["Expires: {now+3600}", "Set-Cookie: session=1"]),
    ("Set-Cookie and private", Never, &["Cache-Control: private, max-age=3600", "Set-Cookie: session=1"]),
    (
        "Set-Cookie and an old Last-Modified",
        Never,
        &["Last-Modified: {now-10000000}", "Set-Cookie: session=1"],
    ),
];

/// The rows that are not fresh in either mode.
const NEVER_FRESH: &[&str] = &["no field at all", "an unreadable s-maxage"];

/// The rows that a private cache takes for all who have other cookies.
const PUBLIC: &[&str] = &["public", "PUBLIC", "public on the second line"];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, sharing, lines) in ROWS {
        for mode in Mode::ALL {
            cases.push(two_users(what, *sharing, lines, Credentials::Authorization, mode));
            cases.push(two_users(what, *sharing, lines, Credentials::Cookie, mode));
        }
    }
    cases.extend(mixed());
    cases
}

/// Returns a case where Ann and Bob ask in turn for what is answered with `lines`.
fn two_users(what: &str, sharing: Sharing, lines: &[&str], credentials: Credentials, mode: Mode) -> Case {
    let (kind, section, ann, bob) = match credentials {
        Credentials::Authorization => {
            ("Authorization", "9111 3.5", "Authorization: Bearer ann", "Authorization: Bearer bob")
        }
        Credentials::Cookie => ("cookies", "9111 7.3", "Cookie: user=ann", "Cookie: user=bob"),
    };
    let is_shared = match (mode, credentials) {
        // It is not fresh, so that nobody is given it without asking.
        _ if NEVER_FRESH.contains(&what) => false,
        (Mode::Shared, Credentials::Cookie) => sharing != Never,
        (Mode::Shared, Credentials::Authorization) => sharing == Allowed,
        // Cookies keep apart what does not say that it is for all.
        (Mode::Private, Credentials::Cookie) => PUBLIC.contains(&what),
        // One directory never mixes two credentials.
        (Mode::Private, Credentials::Authorization) => false,
    };
    let asking = |line: &'static str, own: &'static str| {
        let step = get().with(line);
        if is_shared { step.cached().text("ann") } else { step.perhaps(ok(lines).text(own)).text(own) }
    };
    let kept = if is_shared { "are given the same" } else { "are kept apart" };
    let case = case(section, format!("{what}: two {kind} {kept}, {}", mode.name()))
        .then(get().with(ann).answered(ok(lines).text("ann")))
        .then(asking(bob, "bob"))
        .then(asking(ann, "ann"))
        .then(asking(bob, "bob"));
    match mode {
        Mode::Shared => case.shared(),
        Mode::Private => case.private(),
    }
}

fn mixed() -> Vec<Case> {
    let section = "9111 3.5";
    let fresh = "Cache-Control: max-age=3600";
    let own = |step: Step, name: &'static str, lines: &[&str]| step.perhaps(ok(lines).text(name)).text(name);
    let ann = || get().with("Authorization: Bearer ann");
    let same = |lines: &[&str]| ann().answered(ok(lines).text("ann"));
    let private = &["Cache-Control: private, max-age=3600"];
    vec![
        case(section, "what a user got is not given to somebody without credentials")
            .then(same(&[fresh]))
            .then(own(get(), "nobody", &[fresh])),
        case(section, "what a user got privately is not given to somebody without credentials")
            .then(same(private))
            .then(own(get(), "nobody", private)),
        case(section, "a user gets their own response again from a private cache")
            .then(same(private))
            .then(ann().cached().text("ann"))
            .private(),
        case(section, "two users of a private cache both get their own again")
            .then(same(&[fresh]))
            .then(get().with("Authorization: Bearer bob").answered(ok(&[fresh]).text("bob")))
            .then(ann().cached().text("ann"))
            .then(get().with("Authorization: Bearer bob").cached().text("bob"))
            .private(),
        case(section, "a public response to a user is shared by a shared cache")
            .then(same(&["Cache-Control: public, max-age=3600"]))
            .then(get().with("Authorization: Bearer bob").cached().text("ann"))
            .shared(),
        case(section, "s-maxage lets a shared cache share a response to a user")
            .then(same(&["Cache-Control: s-maxage=3600"]))
            .then(get().with("Authorization: Bearer bob").cached().text("ann"))
            .shared(),
        case(section, "must-revalidate lets a shared cache share a response to a user")
            .then(same(&["Cache-Control: max-age=3600, must-revalidate"]))
            .then(get().with("Authorization: Bearer bob").cached().text("ann"))
            .shared(),
        case(section, "a shared cache does not reuse a response to Authorization even for the same user")
            .then(same(&[fresh]))
            .then(ann().answered(ok(&[fresh]).text("ann")))
            .shared(),
        case(section, "an empty Authorization is a credential too")
            .then(get().with("Authorization:").answered(ok(&[fresh]).text("empty")))
            .then(own(ann(), "ann", &[fresh])),
        case(section, "the scheme of Authorization separates two users")
            .then(get().with("Authorization: Basic x").answered(ok(&[fresh]).text("basic")))
            .then(own(get().with("Authorization: Bearer x"), "bearer", &[fresh])),
        case(section, "a targeted public lets a shared cache share a response to a user")
            .then(same(&["Cache-Control: private", "CDN-Cache-Control: public, max-age=3600"]))
            .then(get().with("Authorization: Bearer bob").cached().text("ann"))
            .shared(),
        case("9110 11.6.2", "a 401 without credentials does not answer a user")
            .then(get().answered(reply(401, &["Cache-Control: no-store", "WWW-Authenticate: Bearer"])))
            .then(same(&[fresh])),
        case("9111 4.3.2", "a condition of one user is not answered with what another got")
            .then(same(&[fresh, "ETag: \"a\""]))
            .then(
                get()
                    .with("Authorization: Bearer bob")
                    .with("If-None-Match: \"a\"")
                    .answered(ok(&[fresh, "ETag: \"b\""]).text("bob")),
            ),
    ]
}
