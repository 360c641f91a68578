# SPDX-License-Identifier: MIT
# fuzz/<target>.c defines LLVMFuzzerTestOneInput. With SOFTNDK_FUZZ it is a libFuzzer program;
# otherwise fuzz_<target> replays every file of fuzz/corpus/<target>/ and is a plain test.
file(GLOB fuzz_targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*.c)
list(FILTER fuzz_targets EXCLUDE REGEX "/replay_main\\.c$")
if(SOFTNDK_FUZZ AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "SOFTNDK_FUZZ needs clang: configure with `cmake --preset fuzz`.")
endif()
foreach(source ${fuzz_targets})
  get_filename_component(target ${source} NAME_WE)
  add_executable(fuzz_${target} ${source})
  target_link_libraries(fuzz_${target} PRIVATE softndk_internal)
  if(SOFTNDK_FUZZ)
    target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${target} PRIVATE ${CMAKE_SOURCE_DIR}/fuzz/replay_main.c)
    add_test(NAME fuzz_${target}
      COMMAND fuzz_${target} ${CMAKE_SOURCE_DIR}/fuzz/corpus/${target})
    set_tests_properties(fuzz_${target} PROPERTIES LABELS fuzz TIMEOUT 300)
  endif()
endforeach()
