# SPDX-License-Identifier: MIT
# Tests, tools, benchmarks and fuzz targets: each source file (or folder, for tools) is a program.
# Adding a file is enough; nothing has to be listed here.
enable_testing()

# Every folder library, the simulated platform included.
add_library(softndk_internal INTERFACE)
foreach(folder ${SOFTNDK_FOLDERS})
  string(REPLACE "/" "_" name ${folder})
  target_link_libraries(softndk_internal INTERFACE softndk_${name})
endforeach()

include(cmake/fuzz.cmake)
if(SOFTNDK_FUZZ)
  return() # build/fuzz holds the fuzz targets only.
endif()

add_library(softndk_test_deps INTERFACE)
target_link_libraries(softndk_test_deps INTERFACE softndk_flags PkgConfig::CMOCKA)
target_include_directories(softndk_test_deps INTERFACE ${CMAKE_SOURCE_DIR}/tests)

# softndk_tests(LABEL FILES LIBRARIES...): each file is a program named after its path below tests/
# and a CTest test of the same name.
function(softndk_tests label files)
  foreach(source ${files})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/tests ${source})
    string(REGEX REPLACE "\\.c$" "" name ${path})
    string(REPLACE "/" "_" name ${name})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE softndk_test_deps ${ARGN})
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 900
      SKIP_RETURN_CODE 77) # says itself why
  endforeach()
endfunction()

# tests/unit/<folder>/<name>_test.c: white-box, linked with that folder's library and what it needs,
# so that a dependency which is not allowed does not link in the test either. From rnic upwards a
# test may choose its platform.
file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.c)
foreach(source ${unit_tests})
  file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/tests/unit ${source})
  get_filename_component(folder ${path} DIRECTORY)
  string(REPLACE "/" "_" library softndk_${folder})
  if(folder MATCHES "^(rnic|kenv|ndk|verify|chaos|calltrace|product)$")
    softndk_tests(unit ${source} ${library} softndk_plat_linux softndk_plat_sim)
  else()
    softndk_tests(unit ${source} ${library})
  endif()
endforeach()

# tests/support: builders, checkers and a fake consumer that know the public headers only.
file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.c)
if(support)
  add_library(softndk_test_support STATIC ${support})
  target_link_libraries(softndk_test_support PUBLIC softndk_test_deps softndk_static)
else()
  add_library(softndk_test_support INTERFACE)
  target_link_libraries(softndk_test_support INTERFACE softndk_test_deps softndk_static)
endif()

# tests/api/*_test.c: what a consumer sees, on the real platform.
file(GLOB api_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/api/*_test.c)
softndk_tests(api "${api_tests}" softndk_test_support)

# tests/sim: *_test.c are tests; the other files are the simulated world that the tests and the
# program softndk_sim (its main() is in main.c) share.
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/*.c)
set(sim_tests ${sim_sources})
list(FILTER sim_tests INCLUDE REGEX "_test\\.c$")
list(FILTER sim_sources EXCLUDE REGEX "_test\\.c$")
list(FILTER sim_sources EXCLUDE REGEX "/main\\.c$")
if(sim_sources)
  add_library(softndk_sim_world STATIC ${sim_sources})
  target_link_libraries(softndk_sim_world PUBLIC softndk_test_deps softndk_rnic softndk_plat_sim)
  target_compile_definitions(softndk_sim_world PUBLIC
    SIM_SEEDS_FILE="${CMAKE_SOURCE_DIR}/tests/sim/seeds.txt")
else()
  add_library(softndk_sim_world INTERFACE)
  target_link_libraries(softndk_sim_world INTERFACE softndk_test_deps softndk_internal)
endif()
softndk_tests(sim "${sim_tests}" softndk_sim_world)
if(EXISTS ${CMAKE_SOURCE_DIR}/tests/sim/main.c)
  add_executable(softndk_sim ${CMAKE_SOURCE_DIR}/tests/sim/main.c)
  target_link_libraries(softndk_sim PRIVATE softndk_sim_world)
endif()

# tools/<tool>/*.c: ordinary consumers. tools/common is shared among them.
file(GLOB tool_folders CONFIGURE_DEPENDS LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/tools/*)
file(GLOB tool_common CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/common/*.c)
if(tool_common)
  add_library(softndk_tool_common STATIC ${tool_common})
  target_link_libraries(softndk_tool_common PUBLIC softndk_flags softndk_static PkgConfig::JANSSON)
  target_include_directories(softndk_tool_common PUBLIC ${CMAKE_SOURCE_DIR}/tools)
endif()
foreach(tool_folder ${tool_folders})
  get_filename_component(tool ${tool_folder} NAME)
  file(GLOB sources CONFIGURE_DEPENDS ${tool_folder}/*.c)
  if(sources AND NOT tool MATCHES "^(common|ndkrun)$") # ndkrun: cmake/drivers.cmake
    add_executable(${tool} ${sources})
    target_link_libraries(${tool} PRIVATE softndk_flags softndk_static PkgConfig::JANSSON m)
    target_compile_definitions(${tool} PRIVATE SOFTNDK_TOOL_VERSION="${PROJECT_VERSION}")
    if(tool_common)
      target_link_libraries(${tool} PRIVATE softndk_tool_common)
    endif()
    install(TARGETS ${tool} RUNTIME DESTINATION bin)
  endif()
endforeach()

# examples/<name>/*.c: consumers to learn from, with the public headers alone; not installed.
file(GLOB example_folders CONFIGURE_DEPENDS LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/examples/*)
foreach(example_folder ${example_folders})
  get_filename_component(example ${example_folder} NAME)
  file(GLOB sources CONFIGURE_DEPENDS ${example_folder}/*.c)
  if(sources)
    add_executable(example_${example} ${sources})
    target_link_libraries(example_${example} PRIVATE softndk_flags softndk_static)
  endif()
endforeach()

# tests/tools: *_test.c link with tools/common; *_test.sh get the folder of the programs as $1.
file(GLOB tool_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/tools/*_test.c)
if(tool_common)
  softndk_tests(tools "${tool_tests}" softndk_tool_common softndk_test_support)
endif()
file(GLOB tool_scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/tools/*_test.sh)
foreach(script ${tool_scripts})
  get_filename_component(name ${script} NAME_WE)
  add_test(NAME tools_${name} COMMAND bash ${script} ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(tools_${name} PROPERTIES LABELS tools TIMEOUT 300)
endforeach()

# tests/interop: against the siw driver of a Linux guest; 77, skipped, where there is no lab or QEMU.
# Not under a sanitizer: emulation is slow enough.
add_executable(interop_verbs_test ${CMAKE_SOURCE_DIR}/tests/interop/verbs_test.c)
target_link_libraries(interop_verbs_test PRIVATE softndk_test_support)
if(NOT SOFTNDK_SANITIZE)
  add_test(NAME interop_siw
    COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/interop/siw.py ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(interop_siw PROPERTIES LABELS interop TIMEOUT 2400 SKIP_RETURN_CODE 77
    COST 1000)
  # examples/nvmf against the kernel's NVMe target in such a guest.
  add_test(NAME interop_nvmf
    COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/interop/nvmf.py ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(interop_nvmf PROPERTIES LABELS interop TIMEOUT 1800 SKIP_RETURN_CODE 77
    COST 999)
  # What tshark makes of SOFTNDK_PCAP; skipped without tshark.
  add_test(NAME interop_capture
    COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/interop/capture.py ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(interop_capture PROPERTIES LABELS interop TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()

# bench/<name>.c: bench_<name>, what ./dev perf compares with and measures inside.
file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.c)
foreach(source ${benches})
  get_filename_component(name ${source} NAME_WE)
  add_executable(bench_${name} ${source})
  target_link_libraries(bench_${name} PRIVATE softndk_tool_common softndk_internal m)
endforeach()

# Instructions by operation, against bench/guard.txt; 77, skipped, without valgrind or with another
# compiler than that of the limits.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT SOFTNDK_SANITIZE)
  string(REGEX MATCH "^[0-9]+" compiler_major ${CMAKE_C_COMPILER_VERSION})
  add_test(NAME perf_guard COMMAND python3 ${CMAKE_SOURCE_DIR}/scripts/perf-guard
    --compiler ${CMAKE_C_COMPILER_ID}-${compiler_major}-${CMAKE_SYSTEM_PROCESSOR}
    ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(perf_guard PROPERTIES LABELS perf-guard TIMEOUT 600 SKIP_RETURN_CODE 77)
endif()

# Every header below src/ and tests/ compiles alone, and twice.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.h ${CMAKE_SOURCE_DIR}/tests/*.h)
list(FILTER headers EXCLUDE REGEX "/tests/drivers/") # Windows sources: ndkcc compiles them
set(header_sources "")
foreach(header ${headers})
  file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${header})
  set(source ${CMAKE_BINARY_DIR}/headers/${path}.c)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
  list(APPEND header_sources ${source})
endforeach()
if(header_sources AND NOT SOFTNDK_SANITIZE)
  add_library(softndk_headers OBJECT ${header_sources})
  target_link_libraries(softndk_headers PRIVATE softndk_test_deps softndk_internal)
endif()

include(cmake/drivers.cmake)

# Checks of the tree itself.
find_program(PYTHON3 python3 REQUIRED)
add_test(NAME tidy COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/scripts/tidy)
add_test(NAME tidy_selftest COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/scripts/tidy --self-test)
add_test(NAME exports COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/scripts/exports
  --library $<TARGET_FILE:softndk_shared>)
set_tests_properties(tidy tidy_selftest exports PROPERTIES LABELS tidy TIMEOUT 120)
if(NOT SOFTNDK_SANITIZE)
  add_test(NAME install_consumer COMMAND bash ${CMAKE_SOURCE_DIR}/tests/install/consumer_test.sh
    ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
  set_tests_properties(install_consumer PROPERTIES LABELS install TIMEOUT 120)
endif()
