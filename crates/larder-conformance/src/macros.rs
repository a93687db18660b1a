//! The two macros of a backend's test file: each turns the table of cases into one `#[test]` per case.
//!
//! Whether a test is ignored is decided here, at compile time, from the `skip` list: libtest then reports it as
//! ignored with the reason, and cannot report it as passed.

/// Makes one `#[test]` of each case of the suite, in a module per group.
///
/// `fixture` is an expression of type `Fn() -> impl Fixture`; `skip` names each
/// [`Capability`](crate::Capability) that the backend does not offer, with the reason. The cases that need it
/// are then ignored with that reason. Call the macro once per configuration, each in a module of its own.
///
/// # Examples
///
/// ```
/// # use std::sync::Arc;
/// # use larder_conformance::{Fixture, Instance};
/// # use larder_core::{BoxError, async_trait};
/// # use larder_memory::MemoryStore;
/// struct Memory;
///
/// #[async_trait]
/// impl Fixture for Memory {
///     async fn open(&self) -> Result<Instance, BoxError> {
///         Ok(Instance::responses_only(Arc::new(MemoryStore::new())))
///     }
/// }
///
/// larder_conformance::backend_tests! {
///     fixture: || Memory,
///     skip: [
///         redirects: "this crate is a store alone",
///         sharing: "each instance has a memory of its own",
///         durability: "it keeps nothing once it is dropped",
///         corruption: "there are no stored bytes",
///     ],
/// }
/// # fn main() {}
/// ```
///
/// What is not a capability does not compile:
///
/// ```compile_fail
/// # struct Memory;
/// # #[larder_core::async_trait]
/// # impl larder_conformance::Fixture for Memory {
/// #     async fn open(&self) -> Result<larder_conformance::Instance, larder_core::BoxError> { Err("no".into()) }
/// # }
/// larder_conformance::backend_tests! { fixture: || Memory, skip: [speed: "it is slow"] }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! backend_tests {
    (fixture: $fixture:expr $(,)?) => {
        $crate::backend_tests! { fixture: $fixture, skip: [] }
    };
    (fixture: $fixture:expr, skip: [$($skip:tt)*] $(,)?) => {
        fn __subject() -> $crate::Subject {
            $crate::Subject::new($fixture)
        }

        $crate::__skips! { [$($skip)*] [run run run run run] }
    };
}

/// Makes one `#[test]` of each case that a serialization format must pass, in a module `codec`.
///
/// `codec` is an expression of type `Arc<dyn Codec>`.
///
/// # Examples
///
/// ```no_run
/// # struct Format;
/// # impl Format { fn shared() -> std::sync::Arc<dyn larder_core::Codec> { unimplemented!() } }
/// larder_conformance::codec_tests! { codec: Format::shared() }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! codec_tests {
    (codec: $codec:expr $(,)?) => {
        fn __subject() -> ::std::sync::Arc<dyn $crate::private::Codec> {
            $codec
        }

        $crate::__codec_cases! { [$crate::__codec_tests] [] }
    };
}

/// Sorts the skip list into one slot per capability: `run`, or a reason in parentheses.
#[doc(hidden)]
#[macro_export]
macro_rules! __skips {
    ([] $slots:tt) => {
        $crate::__backend_cases! { [$crate::__backend_tests] $slots }
    };
    ([responses: $why:literal $(, $($rest:tt)*)?] [$a:tt $b:tt $c:tt $d:tt $e:tt]) => {
        $crate::__skips! { [$($($rest)*)?] [($why) $b $c $d $e] }
    };
    ([redirects: $why:literal $(, $($rest:tt)*)?] [$a:tt $b:tt $c:tt $d:tt $e:tt]) => {
        $crate::__skips! { [$($($rest)*)?] [$a ($why) $c $d $e] }
    };
    ([sharing: $why:literal $(, $($rest:tt)*)?] [$a:tt $b:tt $c:tt $d:tt $e:tt]) => {
        $crate::__skips! { [$($($rest)*)?] [$a $b ($why) $d $e] }
    };
    ([durability: $why:literal $(, $($rest:tt)*)?] [$a:tt $b:tt $c:tt $d:tt $e:tt]) => {
        $crate::__skips! { [$($($rest)*)?] [$a $b $c ($why) $e] }
    };
    ([corruption: $why:literal $(, $($rest:tt)*)?] [$a:tt $b:tt $c:tt $d:tt $e:tt]) => {
        $crate::__skips! { [$($($rest)*)?] [$a $b $c $d ($why)] }
    };
    ([$($other:tt)*] $slots:tt) => {
        ::core::compile_error!(
            "`skip` is a list of `capability: \"reason\"`, where the capability is responses, redirects, \
             sharing, durability or corruption"
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __backend_tests {
    ($slots:tt $($group:ident { $($file:ident::$name:ident $needs:tt $proves:literal;)* })*) => {
        $(
            mod $group {
                $($crate::__backend_test! { $needs $slots $group $name })*
            }
        )*
    };
}

/// Finds the first need of a case that is skipped; there is a test in any case.
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_test {
    (run [$($needs:tt)*] $slots:tt $group:ident $name:ident) => {
        $crate::__backend_test! { [$($needs)*] $slots $group $name }
    };
    (($why:literal) [$($needs:tt)*] $slots:tt $group:ident $name:ident) => {
        #[test]
        #[ignore = $why]
        fn $name() {
            $crate::private::test_backend(stringify!($group), stringify!($name), &super::__subject());
        }
    };
    ([] $slots:tt $group:ident $name:ident) => {
        #[test]
        fn $name() {
            $crate::private::test_backend(stringify!($group), stringify!($name), &super::__subject());
        }
    };
    ([responses $($rest:tt)*] [$a:tt $b:tt $c:tt $d:tt $e:tt] $group:ident $name:ident) => {
        $crate::__backend_test! { $a [$($rest)*] [$a $b $c $d $e] $group $name }
    };
    ([redirects $($rest:tt)*] [$a:tt $b:tt $c:tt $d:tt $e:tt] $group:ident $name:ident) => {
        $crate::__backend_test! { $b [$($rest)*] [$a $b $c $d $e] $group $name }
    };
    ([sharing $($rest:tt)*] [$a:tt $b:tt $c:tt $d:tt $e:tt] $group:ident $name:ident) => {
        $crate::__backend_test! { $c [$($rest)*] [$a $b $c $d $e] $group $name }
    };
    ([durability $($rest:tt)*] [$a:tt $b:tt $c:tt $d:tt $e:tt] $group:ident $name:ident) => {
        $crate::__backend_test! { $d [$($rest)*] [$a $b $c $d $e] $group $name }
    };
    ([corruption $($rest:tt)*] [$a:tt $b:tt $c:tt $d:tt $e:tt] $group:ident $name:ident) => {
        $crate::__backend_test! { $e [$($rest)*] [$a $b $c $d $e] $group $name }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __codec_tests {
    ([] $($name:ident $proves:literal;)*) => {
        mod codec {
            $(
                #[test]
                fn $name() {
                    $crate::private::test_codec(stringify!($name), &super::__subject());
                }
            )*
        }
    };
}
