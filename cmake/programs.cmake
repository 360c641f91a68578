# SPDX-License-Identifier: MIT
# Tests, tools, benchmarks and fuzz targets: each source file (or folder, for tools) is a program.
enable_testing()

add_library(softndk_test_deps INTERFACE)
target_link_libraries(softndk_test_deps INTERFACE softndk_flags PkgConfig::CMOCKA)
target_include_directories(softndk_test_deps INTERFACE ${CMAKE_SOURCE_DIR}/tests)

# tests/unit/<folder>/<name>_test.c: white-box, linked with that folder's library and what it needs.
file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.c)
foreach(source ${unit_tests})
  file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/tests/unit ${source})
  get_filename_component(folder ${path} DIRECTORY)
  string(REPLACE "/" "_" lib ${folder})
  string(REGEX REPLACE "\\.c$" "" name unit/${path})
  string(REPLACE "/" "_" name ${name})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE softndk_test_deps softndk_${lib})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
