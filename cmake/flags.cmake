# SPDX-License-Identifier: MIT
# Compiler flags of every target of ours.
add_library(softndk_flags INTERFACE)
target_compile_options(softndk_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wno-multichar
  $<$<COMPILE_LANGUAGE:C>:-Wconversion -Wswitch-enum -Wstrict-prototypes -Wmissing-prototypes -Wvla>
  -fno-omit-frame-pointer
  $<$<CONFIG:Release>:-O2 -g>)
# NDEBUG is not used: SN_ASSERT stays on in every build, SN_DASSERT follows SOFTNDK_DEBUG.
set(CMAKE_C_FLAGS_RELEASE "")
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_DEBUG "-Og -g3 -DSOFTNDK_DEBUG=1")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g3")
if(SOFTNDK_SANITIZE)
  target_compile_options(softndk_flags INTERFACE -fsanitize=${SOFTNDK_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(softndk_flags INTERFACE -fsanitize=${SOFTNDK_SANITIZE})
endif()
if(SOFTNDK_FUZZ)
  target_compile_options(softndk_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  target_compile_options(softndk_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-Wthread-safety>)
endif()
target_compile_definitions(softndk_flags INTERFACE _GNU_SOURCE)
