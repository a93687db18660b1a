//! Whether what the origin and the client see is what the case says.
//!
//! Nothing stops at the first difference: a failure tells everything that one exchange did otherwise.

use super::case::{Expected, Step, Visit};
use super::lines::Braces;
use super::message::{Fields, Request, Response};

/// Compares a request that the origin got with what the case says about it.
pub(super) fn visit(
    step: &Step,
    visit: &Visit,
    request: &Request,
    braces: &Braces,
    problems: &mut Vec<String>,
) {
    if request.method != step.method {
        problems.push(format!("the origin saw {} instead of {}", request.method, step.method));
    }
    for line in &visit.sees {
        let line = braces.fill(line);
        if !has_line(&request.fields, &line) {
            problems.push(format!("the origin did not see {:?} in {:?}", lossy(&line), request.fields));
        }
    }
    for name in visit.misses.iter().filter(|name| request.fields.has(name)) {
        problems.push(format!("the origin saw {name}: {}", request.fields.text(name)));
    }
    let content = step.content.unwrap_or_default().as_bytes();
    if request.content != content {
        problems.push(format!(
            "the origin saw the content {:?} instead of {:?}",
            lossy(&request.content),
            lossy(content)
        ));
    }
}

/// Compares a response with what the case says about it, or else with what the origin answered.
pub(super) fn response(
    step: &Step,
    content: Option<&[u8]>,
    was_asked: bool,
    response: &Response,
    braces: &Braces,
    problems: &mut Vec<String>,
) {
    let Response { head, .. } = response;
    let says = |is: fn(&Expected) -> bool| step.expected.iter().any(is);
    if !says(|expected| matches!(expected, Expected::Status(_))) {
        let status = own_status(step, was_asked);
        if head.status != status {
            problems.push(format!("the status is {} instead of {status}", head.status));
        }
    }
    if !says(|expected| matches!(expected, Expected::Broken)) && !response.is_complete {
        problems.push("the response broke off".to_owned());
    }
    let is_about_content = says(|expected| matches!(expected, Expected::Text(_) | Expected::Broken));
    let has_content = step.method != "HEAD" && !matches!(head.status, 204 | 304);
    if let Some(content) = content
        && has_content
        && !is_about_content
        && response.content != content
    {
        problems.push(format!("the content is {} instead of {}", clip(&response.content), clip(content)));
    }
    for expected in &step.expected {
        if let Some(problem) = problem(expected, response, braces) {
            problems.push(problem);
        }
    }
}

/// The status when the case does not say: what the origin answered, unless that only confirms what is stored.
fn own_status(step: &Step, was_asked: bool) -> u16 {
    let is_before = step.visiting != super::case::Visiting::Behind;
    let replied = step.visits.last().filter(|_| was_asked && is_before);
    match replied.and_then(|visit| visit.reply.as_ref()) {
        Some(reply) if reply.status != 304 => reply.status,
        _ => 200,
    }
}

fn problem(expected: &Expected, response: &Response, braces: &Braces) -> Option<String> {
    let Response { interim, head, content, is_complete } = response;
    let fields = &head.fields;
    match expected {
        Expected::Status(statuses) => (!statuses.contains(&head.status))
            .then(|| format!("the status is {} instead of {statuses:?}", head.status)),
        Expected::Shows(line) => {
            let line = braces.fill(line);
            (!has_line(fields, &line)).then(|| format!("no {:?} in {fields:?}", lossy(&line)))
        }
        Expected::Lines(name, values) => {
            let values: Vec<_> = values.iter().map(|value| braces.fill(value)).collect();
            (fields.lines(name) != values).then(|| {
                let lines: Vec<_> = fields.lines(name).into_iter().map(lossy).collect();
                format!("the lines of {name} are {lines:?}")
            })
        }
        Expected::Mentions(name, text) => (!fields.text(name).contains(text))
            .then(|| format!("{name} is {:?}, without {text}", fields.text(name))),
        Expected::Lacks(name) => fields.has(name).then(|| format!("there is {name}: {}", fields.text(name))),
        Expected::Age(least, most) => {
            let age = fields.text("Age");
            let is_within = age.parse().is_ok_and(|age: u64| (*least..=*most).contains(&age));
            (!is_within).then(|| format!("Age is {age:?} and not between {least} and {most}"))
        }
        Expected::Text(texts) => {
            let texts: Vec<_> = texts.iter().map(|text| braces.fill(text)).collect();
            (!texts.is_empty() && !texts.contains(content)).then(|| {
                let texts: Vec<_> = texts.iter().map(|text| clip(text)).collect();
                format!("the content is {} instead of {}", clip(content), texts.join(" or "))
            })
        }
        Expected::Interim(statuses) => {
            let seen: Vec<_> = interim.iter().map(|head| head.status).collect();
            (seen != *statuses).then(|| format!("the interim responses are {seen:?} instead of {statuses:?}"))
        }
        Expected::Broken => is_complete.then(|| "the response did not break off".to_owned()),
    }
}

/// Whether `fields` have `line`, or any line of this name when it is only a name.
fn has_line(fields: &Fields, line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return fields.has(&lossy(line)) };
    let value = line[colon + 1..].trim_ascii();
    fields.lines(&lossy(&line[..colon])).contains(&value)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the beginning of `content`, which may be long.
fn clip(content: &[u8]) -> String {
    let text: String = lossy(content).chars().take(200).collect();
    format!("{text:?}")
}
