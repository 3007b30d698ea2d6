#!/bin/sh
# Stands between cargo and rustc for our own packages: compiles them with counters. Libraries do
# not come through here. Cargo knows this file by its name alone: what does something else must be
# called something else, or nothing is compiled anew.
exec "$@" -C instrument-coverage
