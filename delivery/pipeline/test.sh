#!/bin/sh
# Runs the tests once, with counters: one run says what failed and which lines it went through.
set -eu
counters="$PWD/target/slipway/counters"
rm -rf "$counters"
# One file for each program, however often it is started.
export LLVM_PROFILE_FILE="$counters/%m.profraw"
export RUSTC_WORKSPACE_WRAPPER="$PWD/delivery/pipeline/count.sh"
# Not the examples in the documentation, of which these crates have none: looking for them takes seconds.
exec cargo test --locked --no-fail-fast --lib --bins --tests -p booking -p booking-web -p chassis
