# SPDX-License-Identifier: MIT
# softndk_flags: the compiler flags of every target of ours.
#
# NDEBUG is not used: SN_ASSERT stays on in every build; SN_DASSERT follows SOFTNDK_DEBUG.
option(SOFTNDK_WERROR "Treat warnings as errors" ON)

set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-Og -g -DSOFTNDK_DEBUG=1")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g -DSOFTNDK_DEBUG=1")

add_library(softndk_flags INTERFACE)
target_compile_definitions(softndk_flags INTERFACE _GNU_SOURCE)
target_compile_options(softndk_flags INTERFACE
  -Wall -Wextra -Wshadow -Wno-multichar -fno-omit-frame-pointer
  $<$<COMPILE_LANGUAGE:C>:-Wconversion -Wswitch-enum -Wstrict-prototypes -Wmissing-prototypes -Wvla>)
if(SOFTNDK_WERROR)
  target_compile_options(softndk_flags INTERFACE -Werror)
endif()
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  # Checks SN_GUARDED_BY, SN_REQUIRES and SN_EXCLUDES.
  target_compile_options(softndk_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-Wthread-safety>)
endif()
if(SOFTNDK_SANITIZE)
  target_compile_options(softndk_flags INTERFACE
    -fsanitize=${SOFTNDK_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(softndk_flags INTERFACE -fsanitize=${SOFTNDK_SANITIZE})
endif()
if(SOFTNDK_FUZZ)
  target_compile_options(softndk_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
