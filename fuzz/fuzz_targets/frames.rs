//! See `slipway_proxy::fuzzing::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slipway_proxy::fuzzing::frames(bytes));
