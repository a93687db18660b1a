//! `get`, from an origin on a loopback port.

use std::io::Read;
use std::process::Stdio;

use http::Method;

use crate::origin::{Origin, page_bytes};
use crate::support::{Place, Ran, damage, key, run};

/// How many URLs several processes share.
const PAGES: u32 = 6;

fn get(place: &Place, arguments: &[&str], url: &str) -> Ran {
    run(place.larder(&["get", url]).args(arguments))
}

fn names_in(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("it is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("it can be listed").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_second_request_of_a_url_is_answered_from_the_cache() {
    let (origin, place) = (Origin::start(), Place::new());
    let url = origin.url("/hello");
    for expected in ["larder: miss", "larder: hit"] {
        let ran = get(&place, &[], &url);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "hello\n"), "{ran:?}");
        assert!(ran.stderr.starts_with(expected) && ran.stderr.lines().count() == 1, "{ran:?}");
    }
    assert_eq!(origin.asked("/hello"), 1);
    assert_eq!(place.run(&["ls"]).succeeded().lines(), [url.as_str()]);
    let quiet = get(&place, &["--quiet"], &url).succeeded();
    assert_eq!(quiet.stdout, "hello\n");
}

#[test]
fn include_puts_status_line_and_fields_before_the_body() {
    let (origin, place) = (Origin::start(), Place::new());
    for _ in 0..2 {
        let ran = get(&place, &["-i", "-q"], &origin.url("/hello")).succeeded();
        let (head, body) = ran.stdout.split_once("\n\n").expect("an empty line");
        assert!(
            head.starts_with("HTTP/1.1 200 OK\n") && head.contains("content-type: text/plain"),
            "{ran:?}"
        );
        assert_eq!(body, "hello\n");
    }
}

#[test]
fn fields_from_the_network_cannot_steer_a_terminal_and_a_pipe_gets_the_body_as_it_is() {
    let (origin, place) = (Origin::start(), Place::new());
    let ran = get(&place, &["-i", "-q"], &origin.url("/steering")).succeeded();
    let (head, body) = ran.stdout.split_once("\n\n").expect("an empty line");
    assert!(head.contains("x-csi: \\u{9b}2J"), "{ran:?}");
    assert_eq!(body, "\u{1b}[2J");
}

#[test]
fn a_file_is_there_whole_or_not_at_all() {
    let (origin, place) = (Origin::start(), Place::new());
    let file = place.outside("file");
    let name = file.to_str().expect("a name");
    let ran = get(&place, &["-q", "-o", name], &origin.url("/page/3")).succeeded();
    assert_eq!(ran.stdout, "");
    assert!(std::fs::read(&file).expect("there") == page_bytes(3));

    get(&place, &["-q", "-o", name], &origin.url("/broken")).failed(1, "");
    assert!(std::fs::read(&file).expect("there") == page_bytes(3), "what was there is untouched");
    let names: Vec<_> = std::fs::read_dir(place.outside(""))
        .expect("there")
        .map(|e| e.expect("a name").file_name())
        .collect();
    assert_eq!(names.len(), 2, "nothing but the cache and the file: {names:?}");

    get(&place, &["-q", "-o", name], &origin.url("/hello")).succeeded();
    assert_eq!(std::fs::read_to_string(&file).expect("there"), "hello\n", "it is replaced");
    get(&place, &["-o", place.outside("absent/file").to_str().expect("a name")], &origin.url("/hello"))
        .failed(1, "cannot write");
}

#[cfg(unix)]
#[test]
fn a_file_is_made_as_others_are_and_links_and_devices_stay() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    let (origin, place) = (Origin::start(), Place::new());
    let (plain, fresh, link) = (place.outside("plain"), place.outside("fresh"), place.outside("link"));
    std::fs::write(&plain, "").expect("written");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode();
    let url = origin.url("/hello");
    get(&place, &["-q", "-o", fresh.to_str().expect("a name")], &url).succeeded();
    assert_eq!(mode(&fresh), mode(&plain));

    std::fs::set_permissions(&plain, PermissionsExt::from_mode(0o640)).expect("ours");
    symlink(&plain, &link).expect("made");
    get(&place, &["-q", "-o", link.to_str().expect("a name")], &url).succeeded();
    assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(std::fs::read_to_string(&plain).expect("there"), "hello\n");
    assert_eq!(mode(&plain) & 0o777, 0o640);

    get(&place, &["-q", "-o", "/dev/null"], &url).succeeded();
    assert!(std::fs::metadata("/dev/null").expect("there").file_type().is_char_device());
}

#[test]
fn a_body_that_breaks_off_is_code_1_and_not_stored() {
    let (origin, place) = (Origin::start(), Place::new());
    for _ in 0..2 {
        let ran = get(&place, &["-q"], &origin.url("/broken")).failed(1, "");
        assert!("half".starts_with(&ran.stdout), "{ran:?}");
    }
    assert_eq!(origin.asked("/broken"), 2);
    assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
}

#[test]
fn an_origin_that_cannot_be_reached_is_code_1_with_its_cause() {
    let place = Place::new();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}/", listener.local_addr().expect("bound"))
    };
    let ran = get(&place, &[], &closed).failed(1, "");
    assert!(ran.stderr.lines().skip(1).any(|line| line.starts_with("because: ")), "{ran:?}");
}

#[test]
fn offline_takes_what_is_stored_fresh_or_stale_and_nothing_else() {
    let (origin, place) = (Origin::start(), Place::new());
    let (stored, absent) = (origin.url("/tagged"), origin.url("/hello"));
    get(&place, &["--offline"], &absent).failed(3, "there is no cache");
    assert!(!place.cache().exists());
    get(&place, &["-q", "--expire-after", "0"], &stored).succeeded();
    let ran = get(&place, &["--offline"], &stored);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "tagged"), "{ran:?}");
    assert!(ran.stderr.starts_with("larder: hit") && ran.stderr.contains("stale since"), "{ran:?}");
    get(&place, &["--offline"], &absent).failed(3, &format!("{absent} is not in the cache"));
    get(&place, &["--offline", "-d", "x"], &absent).failed(3, "is not in the cache");
    assert_eq!(get(&place, &["--offline", "-q", "-H", "Range: bytes=0-1"], &stored).succeeded().stdout, "ta");
    let with_password = absent.replace("http://", "http://me:hunter2@");
    let ran = get(&place, &["--offline"], &with_password).failed(3, "is not in the cache");
    assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    assert_eq!((origin.asked("/tagged"), origin.asked("/hello")), (1, 0));
}

#[test]
fn what_expires_at_once_and_cannot_be_validated_is_not_stored() {
    let (origin, place) = (Origin::start(), Place::new());
    let ran = get(&place, &["--expire-after", "0"], &origin.url("/hello"));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "hello\n"), "{ran:?}");
    assert!(ran.stderr.starts_with("larder: miss, not stored"), "{ran:?}");
    assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
}

#[test]
fn refresh_and_a_stale_response_ask_the_origin_whether_it_has_changed() {
    let (origin, place) = (Origin::start(), Place::new());
    let url = origin.url("/tagged");
    for (arguments, said, asked) in [
        (&["--expire-after", "never"][..], "miss", 1),
        (&[], "hit", 1),
        (&["--refresh"], "validated", 2),
        (&["--expire-after", "0"], "validated", 3),
    ] {
        let ran = get(&place, arguments, &url);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "tagged"), "{ran:?}");
        assert!(ran.stderr.starts_with(&format!("larder: {said}")), "{arguments:?}: {ran:?}");
        assert_eq!(origin.asked("/tagged"), asked, "{arguments:?}");
    }
}

#[test]
fn an_expiry_goes_before_what_the_header_fields_say() {
    let (origin, place) = (Origin::start(), Place::new());
    let url = origin.url("/no-store");
    let ran = get(&place, &[], &url);
    assert!(ran.stderr.starts_with("larder: miss, not stored"), "{ran:?}");
    assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
    get(&place, &["-q", "--expire-after", "7d"], &url).succeeded();
    assert_eq!(place.run(&["ls"]).succeeded().lines(), [url.as_str()]);
}

#[test]
fn a_redirect_is_followed_and_skipped_the_next_time() {
    let (origin, place) = (Origin::start(), Place::new());
    for said in ["larder: miss", "larder: hit"] {
        let ran = get(&place, &[], &origin.url("/to/hello"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "hello\n"), "{ran:?}");
        assert!(ran.stderr.starts_with(said), "{ran:?}");
    }
    assert_eq!((origin.asked("/to/hello"), origin.asked("/hello")), (1, 1));
    let shown = place.run(&["show", "--json", &origin.url("/to/hello")]).succeeded().json().remove(0);
    assert_eq!(shown["url"], origin.url("/hello"));
}

#[test]
fn fail_makes_an_error_status_code_22_without_a_body() {
    let (origin, place) = (Origin::start(), Place::new());
    let url = origin.url("/absent");
    let ran = get(&place, &["-q"], &url).succeeded();
    assert_eq!(ran.stdout, "there is no such page\n");
    let file = place.outside("file");
    for arguments in [&["-q", "--fail"][..], &["-q", "-f", "-o", file.to_str().expect("a name")]] {
        let ran = get(&place, arguments, &url).failed(22, "404 Not Found");
        assert_eq!(ran.stdout, "");
    }
    assert!(!file.exists());
}

#[test]
fn method_fields_and_data_reach_the_origin_every_time() {
    let (origin, place) = (Origin::start(), Place::new());
    let url = origin.url("/echo");
    for _ in 0..2 {
        let ran = get(&place, &["-q", "-d", "a=1&b=2", "-H", "X-One: 1", "-H", "X-Two: 2"], &url).succeeded();
        for expected in [
            "POST /echo",
            "x-one: 1",
            "x-two: 2",
            "content-type: application/x-www-form-urlencoded",
            "\n\na=1&b=2",
        ] {
            assert!(ran.stdout.contains(expected), "{expected} is not in {ran:?}");
        }
    }
    assert_eq!(origin.asked("/echo"), 2);

    let data = place.outside("data");
    std::fs::write(&data, "{}").expect("written");
    let at_file = format!("@{}", data.display());
    let ran = get(&place, &["-q", "-X", "PUT", "-d", &at_file, "-H", "Content-Type: application/json"], &url);
    let ran = ran.succeeded();
    assert!(ran.stdout.starts_with("PUT /echo") && ran.stdout.ends_with("\n\n{}"), "{ran:?}");
    assert_eq!(ran.stdout.matches("content-type").count(), 1, "{ran:?}");
    let ran = get(&place, &["-q", "-d", "-x"], &url).succeeded();
    assert!(ran.stdout.ends_with("\n\n-x"), "{ran:?}");
    get(&place, &["-d", "@no-such-file"], &url).failed(1, "no-such-file");
}

#[test]
fn a_reader_that_has_seen_enough_of_a_body_is_no_failure_and_leaves_nothing() {
    let (origin, place) = (Origin::start(), Place::new());
    let mut process = place
        .larder(&["get", "-q", &origin.url("/page/40")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be run");
    let mut stdout = process.stdout.take().expect("piped");
    stdout.read_exact(&mut [0; 1000]).expect("the beginning");
    drop(stdout);
    let output = process.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
}

#[cfg(unix)]
#[test]
fn an_interrupted_download_leaves_no_file() {
    let (origin, place) = (Origin::start(), Place::new());
    let file = place.outside("file");
    let process = place
        .larder(&["get", "-q", &origin.url("/endless"), "-o", file.to_str().expect("a name")])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be run");
    while origin.asked("/endless") == 0 {
        std::thread::yield_now();
    }
    let id = process.id().to_string();
    assert!(
        std::process::Command::new("kill").args(["-INT", &id]).status().expect("it can be run").success()
    );
    let output = process.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let left: Vec<_> = names_in(&place.outside(""));
    assert_eq!(left, ["cache"], "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
}

#[test]
fn a_killed_download_leaves_nothing_after_the_next_command() {
    let (origin, place) = (Origin::start(), Place::new());
    let mut process = place
        .larder(&["get", "-q", &origin.url("/endless")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be run");
    let mut beginning = [0; 13];
    process.stdout.take().expect("piped").read_exact(&mut beginning).expect("the beginning");
    assert_eq!(&beginning, b"the beginning");
    process.kill().expect("it runs");
    process.wait().expect("it ends");
    assert_eq!(place.run(&["ls"]).succeeded().stdout, "");
    assert_eq!(names_in(&place.cache().join("tmp")), [""; 0]);
    assert_eq!(place.run(&["verify"]).succeeded().stdout, "0 entries checked, none of them bad\n");
}

#[test]
fn eight_processes_on_one_directory_get_the_right_bytes() {
    let (origin, place) = (Origin::start(), Place::new());
    std::thread::scope(|scope| {
        for process in 0..8 {
            let (origin, place) = (&origin, &place);
            scope.spawn(move || {
                for round in 0..8 {
                    let number = (process + round) % PAGES;
                    let refresh = if (process + round) % 5 == 0 { &["--refresh"][..] } else { &[] };
                    let url = origin.url(&format!("/page/{number}"));
                    let output =
                        place.larder(&["get", "-q", &url]).args(refresh).output().expect("it can be run");
                    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
                    assert_eq!(output.status.code(), Some(0));
                    assert!(output.stdout == page_bytes(number), "page {number} has other bytes");
                }
            });
        }
    });
    let verified = place.run(&["verify"]).succeeded();
    assert_eq!(verified.stdout, format!("{PAGES} entries checked, none of them bad\n"));
    let asked: usize = (0..PAGES).map(|number| origin.asked(&format!("/page/{number}"))).sum();
    assert!(asked < 8 * 8, "the cache answered some of the requests");
}

#[test]
fn a_damaged_entry_is_fetched_again() {
    let (origin, place) = (Origin::start(), Place::new());
    let url = origin.url("/page/1");
    let fetch = || place.larder(&["get", "-q", &url]).output().expect("it can be run");
    assert!(fetch().stdout == page_bytes(1));
    damage(&place.path_of(&key(&Method::GET, &url)));
    let output = fetch();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == page_bytes(1), "no wrong byte was handed out");
    assert_eq!(place.run(&["verify"]).succeeded().lines().len(), 1);
}

#[test]
fn a_long_entry_that_is_damaged_on_the_way_is_an_error_and_then_gone() {
    let (origin, place) = (Origin::start(), Place::new());
    let (url, file) = (origin.url("/page/40"), place.outside("file"));
    let name = file.to_str().expect("a name");
    get(&place, &["-q", "-o", name], &url).succeeded();
    damage(&place.path_of(&key(&Method::GET, &url)));
    std::fs::remove_file(&file).expect("there");
    get(&place, &["-q", "-o", name], &url).failed(1, "is not what was written");
    assert!(!file.exists());
    get(&place, &["-q", "-o", name], &url).succeeded();
    assert!(std::fs::read(&file).expect("there") == page_bytes(40));
    assert_eq!(place.run(&["verify"]).succeeded().lines().len(), 1);
}

#[test]
fn a_cache_that_cannot_be_used_is_no_failure_of_a_request() {
    let (origin, place) = (Origin::start(), Place::new());
    std::fs::write(place.cache(), "not a directory").expect("written");
    let ran = get(&place, &[], &origin.url("/hello"));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "hello\n"), "{ran:?}");
    assert!(ran.stderr.starts_with("larder: going on without the cache"), "{ran:?}");
    get(&place, &["--offline"], &origin.url("/hello")).failed(1, "");
}

#[test]
fn wrong_usage_of_get_is_code_2() {
    let place = Place::new();
    for arguments in [
        &["example.org"][..],
        &["ftp://example.org/"],
        &["http://a.test/", "--offline", "--refresh"],
        &["http://a.test/", "--expire-after", "soon"],
        &["http://a.test/", "-H", "no colon"],
        &["http://a.test/", "-X", "NO METHOD"],
        &[],
    ] {
        let ran = run(place.larder(&["get"]).args(arguments));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ran:?}");
    }
    assert!(!place.cache().exists());
}
