//! Completions and manual pages.

use std::process::Stdio;

use crate::support::{larder, run};

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&mut larder(&["completions", shell])).succeeded().stdout;
        for word in ["larder", "verify", "keep"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn bash_takes_its_completions() {
    let script = run(&mut larder(&["completions", "bash"])).succeeded().stdout;
    let checked =
        std::process::Command::new("bash").args(["-n", "-c", &script]).stdin(Stdio::null()).output();
    // A machine without bash has nothing to check with.
    if let Ok(output) = checked {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn manual_pages_are_made_for_the_program_and_each_command() {
    let page = run(&mut larder(&["man"])).succeeded().stdout;
    for word in [".TH larder 1", ".SH NAME", ".SH SYNOPSIS", "larder\\-verify(1)", "Exit codes", "LARDER_DIR"]
    {
        assert!(page.contains(word), "{word} is not in {page}");
    }
    for (command, option) in
        [("verify", "\\-\\-keep"), ("proxy", "\\-\\-origin"), ("explain", "\\-\\-shared")]
    {
        let page = run(&mut larder(&["man", command])).succeeded().stdout;
        for word in [&format!(".TH larder-{command} 1"), option] {
            assert!(page.contains(word), "{word} is not in {page}");
        }
    }
}
