//! A format with one flaw: it encodes a head as a ticket, and keeps the head itself.

use std::sync::Mutex;

use larder_conformance::{CodecCase, Outcome, codec_cases};
use larder_core::{Codec, Error, ErrorKind, ResponseHead, Result};

use crate::store::Held;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    None,
    LosesReason,
    LosesRepeatedValues,
    WrapsTimes,
    Overwrites,
    TakesTruncations,
    IgnoresWhatFollows,
    ChecksNothing,
    PanicsOnOtherLengths,
    CallsItIo,
    HasNoNumber,
    ShoutsItsName,
}

#[derive(Debug)]
struct Tickets {
    flaw: Flaw,
    heads: Mutex<Vec<ResponseHead>>,
}

const LEN: usize = 16;

fn check(number: u64) -> u64 {
    (number ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0x0100_0000_01b3)
}

impl Tickets {
    fn number(&self, bytes: &[u8]) -> Option<u64> {
        assert!(self.flaw != Flaw::PanicsOnOtherLengths || bytes.len() == LEN, "{} bytes", bytes.len());
        let mut padded = [0; LEN];
        let len = bytes.len().min(LEN);
        padded[..len].copy_from_slice(&bytes[..len]);
        let (number, sum) = padded.split_first_chunk::<8>()?;
        let number = u64::from_be_bytes(*number);
        let sound = self.flaw == Flaw::ChecksNothing || check(number).to_be_bytes() == *sum;
        match bytes.len() {
            LEN => sound.then_some(number),
            17.. => (sound && self.flaw == Flaw::IgnoresWhatFollows).then_some(number),
            8..LEN if self.flaw == Flaw::TakesTruncations => Some(number),
            _ => None,
        }
    }
}

impl Codec for Tickets {
    fn id(&self) -> u8 {
        if self.flaw == Flaw::HasNoNumber { 0 } else { 200 }
    }

    fn name(&self) -> &'static str {
        if self.flaw == Flaw::ShoutsItsName { "Tickets" } else { "tickets" }
    }

    fn encode(&self, head: &ResponseHead, out: &mut Vec<u8>) -> Result<()> {
        let mut head = head.clone();
        match self.flaw {
            Flaw::LosesReason => head.reason = None,
            Flaw::LosesRepeatedValues => {
                for (name, value) in &head.headers.clone() {
                    head.headers.insert(name, value.clone());
                }
            }
            Flaw::WrapsTimes => {
                let millis = head.requested_at.as_millis() % (1 << 50);
                head.requested_at = larder_core::Timestamp::from_millis(millis);
            }
            Flaw::Overwrites => out.clear(),
            _ => {}
        }
        let mut heads = self.heads.held();
        let number = heads.len() as u64;
        heads.push(head);
        out.extend_from_slice(&number.to_be_bytes());
        out.extend_from_slice(&check(number).to_be_bytes());
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<ResponseHead> {
        let kind = if self.flaw == Flaw::CallsItIo { ErrorKind::Io } else { ErrorKind::Corrupt };
        let number = self.number(bytes).and_then(|number| usize::try_from(number).ok());
        let head = number.and_then(|number| self.heads.held().get(number).cloned());
        head.ok_or_else(|| Error::new(kind, "no such ticket"))
    }
}

#[test]
fn each_flaw_fails_the_cases_that_it_should() {
    let flaws: [(Flaw, &[&str]); 12] = [
        (Flaw::None, &[]),
        (Flaw::LosesReason, &["every_field_round_trips", "text_round_trips"]),
        (Flaw::LosesRepeatedValues, &["every_field_round_trips", "field_values_round_trip"]),
        (Flaw::WrapsTimes, &["times_round_trip"]),
        (Flaw::Overwrites, &["encoding_appends"]),
        (Flaw::TakesTruncations, &["truncations_are_refused"]),
        (Flaw::IgnoresWhatFollows, &["what_follows_the_encoding_is_refused"]),
        (Flaw::ChecksNothing, &[]),
        (
            Flaw::PanicsOnOtherLengths,
            &["truncations_are_refused", "what_follows_the_encoding_is_refused", "any_bytes_do_no_harm"],
        ),
        (
            Flaw::CallsItIo,
            &[
                "truncations_are_refused",
                "what_follows_the_encoding_is_refused",
                "damaged_encodings_do_no_harm",
                "any_bytes_do_no_harm",
            ],
        ),
        (Flaw::HasNoNumber, &["the_format_has_a_name_and_a_number"]),
        (Flaw::ShoutsItsName, &["the_format_has_a_name_and_a_number"]),
    ];
    for (flaw, expected) in flaws {
        let codec = Tickets { flaw, heads: Mutex::default() };
        let failed = codec_cases().iter().filter(|case| case.run(&codec) != Outcome::Passed);
        let failed: Vec<&str> = failed.map(CodecCase::name).collect();
        assert_eq!(failed, expected, "{flaw:?}");
    }
}
