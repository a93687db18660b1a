//! What the expansion of the macros calls; not part of the interface.

use larder_core::Codec as CodecTrait;

use crate::case::Outcome;
use crate::subject::Subject;
use crate::table::{cases, codec_cases};

#[doc(no_inline)]
pub use larder_core::Codec;

/// Runs one case as a test.
#[track_caller]
pub fn test_backend(group: &str, name: &str, subject: &Subject) {
    let case = cases().iter().find(|case| case.group() == group && case.name() == name);
    let case = case.expect("tests are made of the same table as cases");
    conclude(&case.to_string(), case.proves(), case.run(subject));
}

/// Runs one case for a codec as a test.
#[track_caller]
pub fn test_codec(name: &str, codec: &std::sync::Arc<dyn CodecTrait>) {
    let case = codec_cases().iter().find(|case| case.name() == name);
    let case = case.expect("tests are made of the same table as cases");
    conclude(&case.to_string(), case.proves(), case.run(codec.as_ref()));
}

#[track_caller]
fn conclude(case: &str, proves: &str, outcome: Outcome) {
    match outcome {
        Outcome::Passed => {}
        Outcome::Failed(why) => panic!("{case} failed: {proves}\n{why}"),
        Outcome::Skipped(why) => panic!("{case} was skipped at run time: {why}"),
    }
}
