#!/bin/sh
# Runs the protoc that cargo has unpacked with the crate `protoc-bin-vendored`, or the one on PATH.
# Cargo unpacks every package before it builds the first, so that no step by hand is needed.
set -eu

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x86_64 ;;
  Linux-aarch64) platform=linux-aarch_64 ;;
  Linux-i?86) platform=linux-x86_32 ;;
  Linux-ppc64le) platform=linux-ppcle_64 ;;
  Linux-s390x) platform=linux-s390_64 ;;
  Darwin-x86_64) platform=macos-x86_64 ;;
  Darwin-arm64) platform=macos-aarch_64 ;;
  *) platform=unknown ;;
esac

for protoc in "${CARGO_HOME:-${HOME:-}/.cargo}"/registry/src/*/protoc-bin-vendored-"$platform"-*/bin/protoc \
  "${HOME:-}"/.cargo/registry/src/*/protoc-bin-vendored-"$platform"-*/bin/protoc; do
  if [ -x "$protoc" ]; then
    exec "$protoc" "$@"
  fi
done
if command -v protoc >/dev/null 2>&1; then
  exec protoc "$@"
fi
echo "no protoc for $platform: neither in cargo's registry nor on PATH" >&2
echo "hint: run \`cargo fetch\`, or install protoc (Debian: protobuf-compiler) and set PROTOC" >&2
exit 1
