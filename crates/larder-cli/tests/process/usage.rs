//! Help, exit codes, and where the cache directory is.

use crate::support::{Place, larder, page, run};

const COMMANDS: [&str; 13] = [
    "get",
    "ls",
    "show",
    "rm",
    "clear",
    "prune",
    "stats",
    "verify",
    "path",
    "completions",
    "man",
    "proxy",
    "explain",
];

#[test]
fn help_names_every_command_and_every_exit_code() {
    let help = run(&mut larder(&["--help"])).succeeded().stdout;
    for command in COMMANDS {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} is not in {help}"
        );
    }
    for code in [
        "0    done",
        "1    failed",
        "2    wrong usage",
        "3    not in",
        "4    `verify`",
        "22   `get",
        "130  interrupted",
    ] {
        assert!(help.contains(code), "{code} is not in {help}");
    }
    assert!(help.contains("LARDER_DIR") && help.contains("Examples:"), "{help}");
}

#[test]
fn every_command_has_a_help_of_its_own() {
    for command in COMMANDS {
        let help = run(&mut larder(&["help", command])).succeeded().stdout;
        assert!(help.contains(&format!("Usage: larder {command}")), "{help}");
        assert_eq!(run(&mut larder(&[command, "--help"])).succeeded().stdout, help, "{command}");
    }
}

#[test]
fn wrong_usage_is_code_2() {
    let place = Place::new();
    place.fill([page("https://example.org/", "")]);
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["ls", "--no-such-option"],
        &["ls", "--long", "--json"],
        &["show"],
        &["show", "not a key"],
        &["show", "ftp//x"],
        &["rm"],
        &["clear"],
        &["completions", "no-such-shell"],
        &["man", "no-such-command"],
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn what_is_not_there_is_code_3() {
    let place = Place::new();
    place.fill([page("https://example.org/", "")]);
    place
        .run(&["show", "https://example.org/absent"])
        .failed(3, "https://example.org/absent is not in the cache");
    place.run(&["show", "absent-key"]).failed(3, "absent-key is not in the cache");
    place.run(&["rm", "https://example.org/absent"]).failed(3, "is not in the cache");
}

#[test]
fn no_command_makes_a_cache_where_there_is_none() {
    let place = Place::new();
    let other = place.outside("something-else");
    std::fs::create_dir_all(other.join("responses")).expect("made");
    for dir in [place.cache(), other.clone()] {
        for arguments in [
            &["ls"][..],
            &["show", "https://example.org/"],
            &["rm", "https://example.org/"],
            &["clear", "--yes"],
            &["prune"],
            &["stats"],
            &["verify"],
            &["explain", "https://example.org/"],
            &["proxy", "--offline", "--listen", "127.0.0.1:0", "--origin", "http://127.0.0.1:1/"],
        ] {
            let ran = run(larder(arguments).arg("--dir").arg(&dir));
            ran.failed(3, &format!("there is no cache in {}", dir.display()));
        }
    }
    assert!(!place.cache().exists());
    assert_eq!(std::fs::read_dir(&other).expect("there").count(), 1, "nothing was put there");
}

#[test]
fn a_cache_that_cannot_be_opened_is_code_1_with_its_cause() {
    let place = Place::new();
    place.fill([page("https://example.org/", "")]);
    std::fs::write(place.cache().join("layout"), "larder layout 9\n").expect("written");
    place.run(&["ls"]).failed(1, "directory layout 9, which this build does not read");
}

#[test]
fn the_directory_is_the_option_else_the_variable_else_the_users_cache() {
    let place = Place::new();
    let (option, variable, home) =
        (place.outside("option"), place.outside("variable"), place.outside("home"));
    let path = |command: &mut std::process::Command| run(command).succeeded().stdout;

    let from_all = path(larder(&["path", "--dir"]).arg(&option).env("LARDER_DIR", &variable));
    assert_eq!(from_all, format!("{}\n", option.display()));
    let from_variable = path(larder(&["path"]).env("LARDER_DIR", &variable));
    assert_eq!(from_variable, format!("{}\n", variable.display()));
    let with_tilde = path(larder(&["path"]).env("LARDER_DIR", "~/c").env("HOME", &home));
    assert_eq!(with_tilde, format!("{}\n", home.join("c").display()));
    let relative = path(larder(&["path", "--dir", "c"]).current_dir(place.outside("")));
    assert_eq!(relative, format!("{}\n", place.outside("c").display()));

    let default = path(larder(&["path"]).env("HOME", &home).env_remove("XDG_CACHE_HOME"));
    let empty = path(larder(&["path"]).env("HOME", &home).env_remove("XDG_CACHE_HOME").env("LARDER_DIR", ""));
    assert_eq!(empty, default, "an empty variable is as good as none");
    assert!(default.starts_with(&*home.to_string_lossy()) && default.ends_with("larder\n"), "{default}");
    #[cfg(target_os = "linux")]
    {
        let xdg = path(larder(&["path"]).env("HOME", &home).env("XDG_CACHE_HOME", place.outside("xdg")));
        assert_eq!(xdg, format!("{}\n", place.outside("xdg/larder").display()));
    }
}

#[test]
fn a_complaint_about_an_argument_keeps_its_secret() {
    for arguments in [
        &["get", "-H", "Authorization Bearer hunter2", "http://127.0.0.1/"][..],
        &["get", "ftp://me:hunter2@127.0.0.1/"],
    ] {
        let ran = run(&mut larder(arguments));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(!ran.stderr.contains("hunter2") && !ran.stderr.is_empty(), "{ran:?}");
    }
}

#[test]
fn a_directory_of_somebody_else_is_not_made_a_cache() {
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["responses/users.json", "tmp/notes.txt", "tmp/deep/notes.txt"] {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, "theirs").expect("made");
    }
    let dir = directory.path().to_str().expect("text");
    // Nobody listens there; what counts is what is left of the directory.
    run(&mut larder(&["--dir", dir, "get", "http://127.0.0.1:1/"]));
    for command in [&["clear", "--yes"][..], &["verify"], &["prune", "--all"]] {
        run(&mut larder(&[&["--dir", dir], command].concat()));
    }
    for name in ["responses/users.json", "tmp/notes.txt", "tmp/deep/notes.txt"] {
        assert_eq!(std::fs::read(directory.path().join(name)).expect(name), b"theirs");
    }
}
