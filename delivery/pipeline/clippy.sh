#!/bin/sh
# Builds our packages with clippy as their compiler. `cargo clippy` would do, but would read every
# library once more for itself; this takes them as the tests do.
set -eu
clippy-driver -V >/dev/null || {
  echo "clippy is missing; it comes with: rustup component add clippy" >&2
  exit 1
}
export RUSTC_WORKSPACE_WRAPPER=clippy-driver
# As `cargo clippy -- -D warnings` puts it.
export CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"
exec cargo build --locked -p booking -p booking-web -p chassis
