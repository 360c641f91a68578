#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# consumer_test.sh BUILD-FOLDER CC: installs into a temporary prefix, compiles the consumer that
# README.md shows (its first C block) as README.md says, runs it; then the same through CMake's
# find_package with the shared and the static library.
set -euo pipefail
BUILD=${1:?usage: consumer_test.sh BUILD-FOLDER CC}
CC=${2:-cc}
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

cmake --install "$BUILD" --prefix "$WORK/prefix" >"$WORK/install.log" || {
    cat "$WORK/install.log"
    exit 1
}
for path in bin/ndkping bin/ndkperf lib/libsoftndk.so lib/libsoftndk.a lib/pkgconfig/softndk.pc \
    lib/cmake/softndk/softndk-config.cmake include/softndk/ndkpi.h include/softndk/softndk.h; do
    [ -e "$WORK/prefix/$path" ] || { echo "the installation lacks $path" >&2; exit 1; }
done

awk '/^```c$/ { on = 1; next } on && /^```/ { exit } on' "$TOP/README.md" >"$WORK/consumer.c"
[ -s "$WORK/consumer.c" ] || { echo "README.md shows no C block" >&2; exit 1; }

cd "$WORK"
export PKG_CONFIG_PATH=$WORK/prefix/lib/pkgconfig
# The command of README.md; the flags are split into words on purpose.
$CC consumer.c $(pkg-config --cflags --libs softndk)
LD_LIBRARY_PATH=$WORK/prefix/lib ./a.out
$CC -o consumer_static consumer.c $(pkg-config --cflags softndk) prefix/lib/libsoftndk.a \
    $(pkg-config --static --libs softndk | sed 's/-lsoftndk//')
./consumer_static
./prefix/bin/ndkping --help >/dev/null

cat >CMakeLists.txt <<'EOF'
cmake_minimum_required(VERSION 3.25)
project(consumer C)
find_package(softndk 0.1 REQUIRED)
add_executable(shared consumer.c)
target_link_libraries(shared softndk::softndk)
add_executable(static consumer.c)
target_link_libraries(static softndk::static)
EOF
cmake -S . -B build -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$WORK/prefix" >cmake.log 2>&1 &&
    cmake --build build >>cmake.log 2>&1 || { cat cmake.log; exit 1; }
./build/shared
./build/static
echo "installed, compiled four ways, ran"
