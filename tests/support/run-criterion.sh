#!/usr/bin/env bash
# Runs one Criterion program for meson's TAP protocol.
exec "$1" --tap=/dev/stdout --quiet
