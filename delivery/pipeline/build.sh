#!/bin/sh
# Builds the program that is delivered, and lays it where the pipeline looks for it.
set -eu
cargo build --release --locked -p booking-web
install -D -m 755 "${CARGO_TARGET_DIR:-target}/release/booking" target/slipway/build/booking
