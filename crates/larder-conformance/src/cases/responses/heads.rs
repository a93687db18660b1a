//! Every field of a head comes back as it was written.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use larder_core::{ResponseHead, Timestamp};

use crate::case::Setup;
use crate::failure::{Failure, Verdict, equal};
use crate::samples::{Sample, append, full_head, holds, hop, key, noise};

/// Writes each head under a key of its own, then reads all of them.
async fn round_trip(setup: &Setup, heads: impl IntoIterator<Item = ResponseHead>, contract: &str) -> Verdict {
    let store = setup.store().await?;
    let samples: Vec<Sample> = heads.into_iter().map(Sample::with_head).collect();
    for (i, sample) in samples.iter().enumerate() {
        store.write(&key(&format!("head-{i}")), sample.response()).await?;
    }
    for (i, sample) in samples.iter().enumerate() {
        holds(&store, &key(&format!("head-{i}")), sample, contract).await?;
    }
    Ok(())
}

fn plain() -> ResponseHead {
    Sample::new("plain").head
}

fn with(change: impl FnOnce(&mut ResponseHead)) -> ResponseHead {
    let mut head = plain();
    change(&mut head);
    head
}

pub(crate) async fn every_field_of_the_head_is_kept(setup: &Setup) -> Verdict {
    round_trip(setup, [plain(), full_head()], "a read returns the head that was written").await
}

pub(crate) async fn repeated_fields_keep_their_values_in_order(setup: &Setup) -> Verdict {
    let head = with(|head| {
        append(&mut head.headers, &[("set-cookie", b"b=2"), ("x-other", b"1"), ("set-cookie", b"a=1")]);
        append(&mut head.headers, &[("set-cookie", b"b=2"), ("x-other", b"0")]);
    });
    round_trip(setup, [head], "every value of a header field is kept, in order").await
}

pub(crate) async fn field_values_keep_bytes_outside_ascii(setup: &Setup) -> Verdict {
    let head = with(|head| {
        let obs_text: Vec<u8> = (0x80..=0xff).collect();
        append(&mut head.headers, &[("x-obs", &obs_text), ("x-latin", b"caf\xe9"), ("x-tab", b"a\tb")]);
        append(&mut head.headers, &[("x-utf8", "\u{65e5}\u{672c}".as_bytes())]);
    });
    round_trip(setup, [head], "field values keep the bytes 0x80 to 0xFF").await
}

pub(crate) async fn empty_field_values_are_kept(setup: &Setup) -> Verdict {
    let head = with(|head| append(&mut head.headers, &[("x-empty", b""), ("x-a", b""), ("x-a", b"")]));
    round_trip(setup, [head], "a field without a value is still a field").await
}

pub(crate) async fn many_and_long_fields_are_kept(setup: &Setup) -> Verdict {
    let head = with(|head| {
        for i in 0..300_u32 {
            let name = HeaderName::try_from(format!("x-field-{i}")).expect("a valid name");
            head.headers.append(name, HeaderValue::from(i));
        }
        append(&mut head.headers, &[("x-long", &[b'v'; 16_000])]);
    });
    round_trip(setup, [head], "a head of many and long fields is kept whole").await
}

pub(crate) async fn the_request_fields_of_vary_are_kept(setup: &Setup) -> Verdict {
    let head = with(|head| {
        append(&mut head.vary_fields, &[("accept", b"text/html"), ("accept", b""), ("x-b", b"\xff")]);
    });
    round_trip(setup, [head], "the request fields that Vary nominates are kept").await
}

pub(crate) async fn methods_statuses_and_versions_are_kept(setup: &Setup) -> Verdict {
    let purge = Method::from_bytes(b"PURGE").expect("a token");
    let methods = [Method::GET, Method::HEAD, Method::POST, purge];
    let statuses = [100, 204, 206, 301, 404, 599, 999];
    let versions = [Version::HTTP_09, Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3];
    let heads = methods.into_iter().map(|method| with(|head| head.method = method));
    let heads = heads.chain(
        statuses
            .into_iter()
            .map(|status| with(|head| head.status = StatusCode::from_u16(status).expect("three digits"))),
    );
    let heads = heads.chain(versions.into_iter().map(|version| with(|head| head.version = version)));
    round_trip(setup, heads, "method, status and version are kept").await
}

pub(crate) async fn reasons_are_kept(setup: &Setup) -> Verdict {
    let reasons = [None, Some(""), Some("OK"), Some("Tr\u{e8}s bien")];
    let heads = reasons.map(|reason| with(|head| head.reason = reason.map(Into::into)));
    round_trip(setup, heads, "a reason phrase is kept, and none is not an empty one").await
}

pub(crate) async fn urls_are_kept(setup: &Setup) -> Verdict {
    let long = format!("https://example.org/{}?q={}", "p".repeat(4_000), "%2F".repeat(1_000));
    let urls = [
        "/",
        "http://example.org",
        "http://[2001:db8::1]:8080/a//b/../c",
        "https://user@example.org/?a=1&a=2&b",
        &long,
    ];
    let heads = urls.map(|url| with(|head| head.url = url.parse::<Uri>().expect("a valid URI")));
    round_trip(setup, heads, "the URL is kept as it was").await
}

pub(crate) async fn the_redirect_history_is_kept(setup: &Setup) -> Verdict {
    let histories = [0, 1, 20].map(|hops| {
        with(|head| {
            for _ in 0..hops {
                let mut hop = hop("http://example.org/from", StatusCode::SEE_OTHER, "/to");
                hop.method = Method::POST;
                append(&mut hop.headers, &[("set-cookie", b"a=1"), ("set-cookie", b"b=\xe9")]);
                head.history.push(hop);
            }
        })
    });
    round_trip(setup, histories, "every hop is kept with its method, URL, status and fields").await
}

pub(crate) async fn times_are_kept_to_the_millisecond(setup: &Setup) -> Verdict {
    let heads = [0, 1, -1, -86_400_001, 1_700_000_000_123, i64::MIN, i64::MAX].map(|millis| {
        with(|head| {
            head.requested_at = Timestamp::from_millis(millis);
            head.received_at = Timestamp::from_millis(millis.saturating_add(1));
            head.created_at = Timestamp::from_millis(millis.saturating_sub(1));
            head.expires_at = Some(Timestamp::from_millis(millis));
        })
    });
    round_trip(setup, heads, "times are kept, those before 1970 too").await
}

pub(crate) async fn metadata_is_kept(setup: &Setup) -> Verdict {
    let pairs = [("", ""), ("tag", "news"), ("\u{1f9fa}", "larder\n\"quoted\"\\"), ("nul", "\0"), ("z", "")];
    let metadata: BTreeMap<String, String> = pairs.map(|(k, v)| (k.into(), v.into())).into();
    let head = with(|head| head.metadata = metadata);
    round_trip(setup, [head], "the user's metadata is kept, whatever text it is").await
}

pub(crate) async fn read_head_agrees_with_read(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for (name, len) in [("empty", 0), ("small", 10), ("large", 200_000)] {
        let (key, mut sample) = (key(name), Sample::with_body(name, noise(len, 1)));
        sample.head = full_head();
        store.write(&key, sample.streamed(30_000)).await?;
        let (read, stored) = (store.read(&key).await?, store.read_head(&key).await?);
        let stored = stored.ok_or_else(|| missing("read_head"))?;
        let read = read.ok_or_else(|| missing("read"))?;
        equal(&stored.head, &read.head, "read_head returns the head that read returns")?;
        equal(Some(&stored.revision), read.revision(), "read_head returns the revision that read returns")?;
        let contract = "body_len is the length of the body that a read returns";
        equal(stored.body_len, Sample::of(read).await?.body.len() as u64, contract)?;
    }
    Ok(())
}

#[track_caller]
fn missing(operation: &str) -> Failure {
    Failure::new("an entry that was written is there", format!("{operation} found nothing"))
}

pub(crate) async fn a_head_is_of_its_own_entry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for name in ["a", "b", "c"] {
        store.write(&key(name), Sample::new(name).response()).await?;
    }
    for name in ["c", "a", "b"] {
        let stored = store.read_head(&key(name)).await?.ok_or_else(|| missing("read_head"))?;
        equal(stored.head, Sample::new(name).head, "read_head returns the head of the entry under its key")?;
    }
    equal(store.read_head(&key("d")).await?.map(|stored| stored.head), None, "a miss is Ok(None)")
}
