#!/bin/sh
# Lays out what is delivered: the program, which must start, and its licence.
set -eu
out=target/slipway/package
rm -rf "$out"
install -D -m 755 target/slipway/build/booking "$out/booking"
"$out/booking" --version
install -m 644 LICENSE "$out/LICENSE"
