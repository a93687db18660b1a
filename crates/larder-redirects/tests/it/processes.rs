//! Several processes in one directory: no error, no lost row.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use larder_core::RedirectIndex;
use larder_redirects::SqliteRedirects;

use crate::place::{Outcome, Place, child, child_arguments, key, listed, works};

const CHILDREN: usize = 4;

/// Opens the index with patience for a machine on which every process waits for a processor.
async fn open(path: &Path) -> larder_core::Result<SqliteRedirects> {
    SqliteRedirects::builder(path).busy_timeout(Duration::from_secs(30)).open().await
}

/// Starts children that wait for each other, and lets them go.
fn start(name: &str, path: &Path) -> Result<Vec<Child>, std::io::Error> {
    let mut children =
        (0..CHILDREN).map(|n| child(name, path, &n.to_string()).spawn()).collect::<Result<Vec<_>, _>>()?;
    for child in &mut children {
        // Every child reads its input to the end first.
        drop(child.stdin.take());
    }
    Ok(children)
}

fn wait_for_the_start() -> std::io::Result<()> {
    std::io::stdin().read_to_string(&mut String::new()).map(drop)
}

fn finish(children: Vec<Child>) -> Outcome {
    for child in children {
        let output = child.wait_with_output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

#[tokio::test]
async fn processes_write_read_list_and_delete_at_once() -> Outcome {
    let place = Place::new();
    let children = start("processes::child_writes_and_reads", &place.path())?;
    let index = open(&place.path()).await?;
    for _ in 0..50 {
        listed(&index).await?;
        works(&index).await?;
    }
    finish(children)?;
    let mut expected: Vec<_> = (0..CHILDREN)
        .flat_map(|n| (0..300).filter(|i| i % 3 != 0).map(move |i| key(format!("{n}-{i}"))))
        .collect();
    expected.sort();
    assert_eq!(listed(&index).await?, expected);
    assert!(!place.beside(".corrupt").exists());
    Ok(())
}

#[tokio::test]
#[ignore = "run in a child process by another test"]
async fn child_writes_and_reads() -> Outcome {
    let Some((path, n)) = child_arguments() else { return Ok(()) };
    wait_for_the_start()?;
    let index = open(&path).await?;
    for i in 0..300 {
        let (from, to) = (key(format!("{n}-{i}")), key(format!("target-{n}-{i}")));
        index.write(std::slice::from_ref(&from), &to, None).await?;
        assert_eq!(index.read(&from).await?.expect("just written").target, to);
        if i % 3 == 0 {
            assert!(index.delete(&from).await?);
        }
        if i % 50 == 0 {
            listed(&index).await?;
        }
    }
    index.close().await?;
    Ok(())
}

#[tokio::test]
async fn processes_that_find_garbage_together_lose_no_row() -> Outcome {
    for _ in 0..5 {
        let place = Place::new();
        fs::write(place.path(), "garbage".repeat(1000))?;
        finish(start("processes::child_writes_some", &place.path())?)?;
        let expected: Vec<_> =
            (0..CHILDREN).flat_map(|n| (10..30).map(move |i| key(format!("{n}-{i}")))).collect();
        assert_eq!(listed(&open(&place.path()).await?).await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_removed_again_and_again_is_never_an_error() -> Outcome {
    let place = Place::new();
    let mut children = start("processes::child_writes_and_forgets", &place.path())?;
    while children.iter_mut().any(|child| matches!(child.try_wait(), Ok(None))) {
        place.remove();
        works(&open(&place.path()).await?).await?;
    }
    finish(children)?;
    works(&open(&place.path()).await?).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "run in a child process by another test"]
async fn child_writes_some() -> Outcome {
    let Some((path, n)) = child_arguments() else { return Ok(()) };
    wait_for_the_start()?;
    let index = open(&path).await?;
    for i in 10..30 {
        index.write(&[key(format!("{n}-{i}"))], &key("target"), None).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run in a child process by another test"]
async fn child_writes_and_forgets() -> Outcome {
    let Some((path, n)) = child_arguments() else { return Ok(()) };
    wait_for_the_start()?;
    let index = open(&path).await?;
    for i in 0..500 {
        let from = key(format!("{n}-{i}"));
        index.write(std::slice::from_ref(&from), &key("target"), None).await?;
        let found = index.read(&from).await?;
        assert!(found.is_none_or(|alias| alias.target == key("target")));
    }
    Ok(())
}

#[tokio::test]
async fn what_a_killed_process_was_told_is_written_is_there() -> Outcome {
    let place = Place::new();
    for round in 0..8 {
        let mut child =
            child("processes::child_writes_until_killed", &place.path(), &round.to_string()).spawn()?;
        drop(child.stdin.take());
        let mut told = Vec::new();
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        // libtest may begin a line of its own before the first one.
        for line in lines.take(25 + 7 * round) {
            told.extend(line?.split_whitespace().find_map(|word| word.strip_prefix("wrote:").map(key)));
        }
        child.kill()?;
        child.wait()?;
        let index = open(&place.path()).await?;
        assert!(told.len() > 10);
        for written in told {
            assert!(index.contains(&written).await?, "{written}");
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run in a child process by another test"]
async fn child_writes_until_killed() -> Outcome {
    let Some((path, n)) = child_arguments() else { return Ok(()) };
    let index = open(&path).await?;
    for i in 0..100_000 {
        let from = key(format!("killed-{n}-{i}"));
        index.write(std::slice::from_ref(&from), &key("target"), None).await?;
        println!("wrote:{from}");
    }
    Ok(())
}
