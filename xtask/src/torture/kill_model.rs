//! What a killed writer may have left: what it acknowledged, and whatever it had begun.
//!
//! The writer prints a line before each operation and one after it. It has at most one operation under way for a
//! key, so that each key has one settled state and at most one other that it may be in.

use std::collections::BTreeMap;

use super::record::Record;

/// One line of the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// The cache is open.
    Ready,
    /// A write begins, after which the entry is this and its alias leads to it.
    Save(String, Record),
    /// An update of the head begins, after which the entry is this.
    Update(String, Record),
    /// A delete begins.
    Delete(String),
    /// A clear begins; nothing else is under way.
    Clear,
    /// The operation on this key was acknowledged.
    Done(String),
    /// The clear was acknowledged.
    Cleared,
    /// The writer saw something wrong.
    Error(String),
}

impl Line {
    /// Returns the line of this text, or `None` when it is cut off or another.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "ready" => Self::Ready,
            "save" | "update" => {
                let mut parts = rest.split(' ');
                let key = parts.next()?.to_owned();
                let mut number = || parts.next()?.parse().ok();
                let record = Record { version: number()?, len: number()?, head: number()? };
                if word == "save" { Self::Save(key, record) } else { Self::Update(key, record) }
            }
            "delete" => Self::Delete(rest.to_owned()),
            "clear" => Self::Clear,
            "done" => Self::Done(rest.to_owned()),
            "cleared" => Self::Cleared,
            "error" => Self::Error(rest.to_owned()),
            _ => return None,
        })
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Save(key, Record { version, len, head }) => write!(f, "save {key} {version} {len} {head}"),
            Self::Update(key, Record { version, len, head }) => {
                write!(f, "update {key} {version} {len} {head}")
            }
            Self::Delete(key) => write!(f, "delete {key}"),
            Self::Clear => f.write_str("clear"),
            Self::Done(key) => write!(f, "done {key}"),
            Self::Cleared => f.write_str("cleared"),
            Self::Error(text) => write!(f, "error {}", text.replace('\n', " ")),
        }
    }
}

/// An entry, and whether its alias leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// What the entry holds.
    pub(super) record: Record,
    /// Whether the alias is there.
    pub(super) aliased: bool,
}

/// What is known of the entries.
#[derive(Default)]
pub(super) struct Model {
    slots: BTreeMap<String, Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    settled: Option<State>,
    /// The states that the operation under way goes through; the last is what it leaves when it is acknowledged.
    under_way: Vec<Option<State>>,
}

impl Model {
    /// Returns a model of these keys, all without an entry.
    pub(super) fn new(keys: impl Iterator<Item = String>) -> Self {
        Self { slots: keys.map(|key| (key, Slot::default())).collect() }
    }

    /// Takes note of a line.
    ///
    /// # Errors
    ///
    /// When the writer reports something wrong, or does what it must not.
    pub(super) fn note(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::Ready => {}
            Line::Save(key, record) => self.slot(key)?.begin_save(*record),
            Line::Update(key, record) => self.slot(key)?.begin_update(*record),
            Line::Delete(key) => self.slot(key)?.begin_delete(),
            Line::Clear => self.slots.values_mut().for_each(Slot::begin_delete),
            Line::Done(key) => self.slot(key)?.settle(),
            Line::Cleared => self.slots.values_mut().for_each(Slot::settle),
            Line::Error(text) => return Err(text.clone()),
        }
        Ok(())
    }

    /// Returns how many entries have an operation under way.
    pub(super) fn under_way(&self) -> u64 {
        self.slots.values().filter(|slot| !slot.under_way.is_empty()).count() as u64
    }

    /// Takes note of what a reader found for `key` after the kill, which is from now on what is settled.
    ///
    /// # Errors
    ///
    /// When it is neither what was acknowledged nor what the operation under way goes through.
    pub(super) fn found(&mut self, key: &str, found: Option<State>) -> Result<(), String> {
        let slot = self.slot(key)?;
        if found != slot.settled && !slot.under_way.contains(&found) {
            return Err(format!("{key}: found {found:?}, after {slot:?}"));
        }
        *slot = Slot { settled: found, under_way: Vec::new() };
        Ok(())
    }

    fn slot(&mut self, key: &str) -> Result<&mut Slot, String> {
        self.slots.get_mut(key).ok_or_else(|| format!("the writer names an unknown key {key:?}"))
    }
}

impl Slot {
    /// An entry is written before its alias.
    fn begin_save(&mut self, record: Record) {
        let aliased = self.settled.is_some_and(|state| state.aliased);
        self.under_way = vec![Some(State { record, aliased }), Some(State { record, aliased: true })];
    }

    fn begin_update(&mut self, record: Record) {
        self.under_way = vec![self.settled.map(|state| State { record, ..state })];
    }

    /// An entry is deleted after its alias.
    fn begin_delete(&mut self) {
        self.under_way = vec![self.settled.map(|state| State { aliased: false, ..state }), None];
    }

    fn settle(&mut self) {
        if let Some(state) = self.under_way.pop() {
            *self = Self { settled: state, under_way: Vec::new() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u64) -> Record {
        Record { version, len: 10, head: version }
    }

    fn state(version: u64, aliased: bool) -> State {
        State { record: record(version), aliased }
    }

    fn save(version: u64) -> Line {
        Line::Save("a".to_owned(), record(version))
    }

    fn done() -> Line {
        Line::Done("a".to_owned())
    }

    fn after(lines: &[Line]) -> Model {
        let mut model = Model::new(["a".to_owned(), "b".to_owned()].into_iter());
        for line in lines {
            model.note(line).expect("a line of known keys");
        }
        model
    }

    /// Of all states that there could be, exactly `allowed` may be found after `lines`.
    fn check(lines: &[Line], allowed: &[Option<State>]) {
        let longer = State { record: Record { len: 11, ..record(2) }, aliased: true };
        let states = [state(1, false), state(1, true), state(2, false), state(2, true), longer];
        for found in std::iter::once(None).chain(states.map(Some)) {
            let outcome = after(lines).found("a", found);
            assert_eq!(outcome.is_ok(), allowed.contains(&found), "{found:?} after {lines:?}");
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_printed() {
        let key = || "a".to_owned();
        for line in [
            Line::Ready,
            Line::Save(key(), Record { version: 1, len: 2, head: 3 }),
            Line::Update(key(), Record { version: 1, len: 2, head: 3 }),
            Line::Delete(key()),
            Line::Clear,
            Line::Done(key()),
            Line::Cleared,
            Line::Error("b c".to_owned()),
        ] {
            assert_eq!(Line::parse(&line.to_string()), Some(line));
        }
        for cut_off in ["", "sav", "save a 1", "save a 1 2"] {
            assert_eq!(Line::parse(cut_off), None, "{cut_off}");
        }
    }

    #[test]
    fn what_was_acknowledged_must_be_there() {
        let delete = Line::Delete("a".to_owned());
        check(&[], &[None]);
        check(&[save(1), done()], &[Some(state(1, true))]);
        check(&[save(1), done(), save(2), done()], &[Some(state(2, true))]);
        check(&[save(1), done(), Line::Update("a".to_owned(), record(2)), done()], &[Some(state(2, true))]);
        check(&[save(1), done(), delete, done()], &[None]);
        check(&[save(1), done(), Line::Clear, Line::Cleared], &[None]);
    }

    #[test]
    fn what_was_under_way_may_be_there_in_the_order_of_its_steps() {
        let delete = Line::Delete("a".to_owned());
        let gone_in_order = [Some(state(1, true)), Some(state(1, false)), None];
        check(&[save(1)], &[None, Some(state(1, false)), Some(state(1, true))]);
        check(&[save(1), done(), save(2)], &[Some(state(1, true)), Some(state(2, true))]);
        check(
            &[save(1), done(), Line::Update("a".to_owned(), record(2))],
            &[Some(state(1, true)), Some(state(2, true))],
        );
        check(&[save(1), done(), delete], &gone_in_order);
        check(&[save(1), done(), Line::Clear], &gone_in_order);
    }

    #[test]
    fn what_a_reader_found_is_settled() {
        let mut model = after(&[save(1)]);
        assert_eq!(model.under_way(), 1);
        model.found("a", Some(state(1, false))).expect("published, without its alias");
        assert_eq!(model.under_way(), 0);
        model.found("a", Some(state(1, true))).expect_err("nobody was writing any more");
    }
}
