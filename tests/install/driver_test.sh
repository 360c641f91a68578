#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# driver_test.sh BUILD-FOLDER CC: a driver author with an installed softndk: ndkcc and ndkrun by
# hand, then softndk_add_driver() in a CMake project with a test.
set -euo pipefail
BUILD=${1:?usage: driver_test.sh BUILD-FOLDER CC}
CC=${2:-cc}
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
# A loaded machine is slow; that is no mistake of the driver.
export SOFTNDK_VERIFY_CALLBACK_MS=30000

cmake --install "$BUILD" --prefix "$WORK/prefix" >"$WORK/install.log" || {
    cat "$WORK/install.log"
    exit 1
}
mkdir "$WORK/project"
cp "$TOP"/tests/drivers/rsock/* "$TOP"/tests/drivers/broken/refuses.c "$WORK/project"
cd "$WORK/project"

"$WORK/prefix/bin/ndkcc" --cc "$CC" -o refuses.so refuses.c
rc=0
"$WORK/prefix/bin/ndkrun" refuses.so >"$WORK/out" 2>&1 || rc=$?
[ "$rc" -eq 4 ] || { cat "$WORK/out"; echo "status $rc, expected 4" >&2; exit 1; }

cat >CMakeLists.txt <<'EOT'
cmake_minimum_required(VERSION 3.25)
project(mydriver C)
enable_testing()
find_package(softndk 0.1 REQUIRED)
softndk_add_driver(rsock driver.c adapter.c buffer.c socket.c transfer.c selftest.c
  DEFINITIONS DBG=1 INCLUDES . COMPILER ${CMAKE_C_COMPILER})
add_test(NAME rsock
  COMMAND ${SOFTNDK_NDKRUN} $<TARGET_PROPERTY:rsock,SOFTNDK_DRIVER_FILE> --patience 300
    --map 192.168.77.1=127.0.0.1 --map 192.168.77.2=127.0.0.2 --map 12=0 --map 13=0)
set_tests_properties(rsock PROPERTIES PASS_REGULAR_EXPRESSION "self test passed.*ndkrun: clean")
EOT
{
    cmake -S . -B build -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$WORK/prefix" &&
        cmake --build build && ctest --test-dir build --output-on-failure --no-tests=error
} >"$WORK/cmake.log" 2>&1 || { cat "$WORK/cmake.log"; exit 1; }

# A header that changes makes the driver anew.
touch RSock.h
cmake --build build | grep -q "Compiling driver" || { echo "a changed header is not noticed" >&2; exit 1; }
[ -z "$(cmake --build build | grep "Compiling driver")" ] || { echo "it is made again for nothing" >&2; exit 1; }
echo "installed, compiled by hand and by CMake, ran"
