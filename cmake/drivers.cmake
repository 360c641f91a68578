# SPDX-License-Identifier: MIT
# The driver author's tools, ndkcc and ndkrun, and the drivers of tests/drivers.
#
# ndkcc finds what it needs relative to itself: ../include/softndk, ../lib, ../share/softndk/ndkcc.
# So the build directory looks like an installation.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include ${CMAKE_BINARY_DIR}/share/softndk)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/softndk ${CMAKE_BINARY_DIR}/include/softndk SYMBOLIC)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/tools/ndkcc ${CMAKE_BINARY_DIR}/share/softndk/ndkcc SYMBOLIC)
configure_file(${CMAKE_SOURCE_DIR}/tools/ndkcc/ndkcc ${CMAKE_BINARY_DIR}/bin/ndkcc @ONLY)
install(PROGRAMS ${CMAKE_BINARY_DIR}/bin/ndkcc DESTINATION bin)
install(FILES tools/ndkcc/adapt.py tools/ndkcc/lp64.py DESTINATION share/softndk/ndkcc)
install(DIRECTORY tools/ndkcc/include DESTINATION share/softndk/ndkcc FILES_MATCHING PATTERN "*.h")
install(FILES cmake/softndk-driver.cmake DESTINATION lib/cmake/softndk)

# With the shared library, so that the driver and ndkrun have one kernel.
file(GLOB ndkrun_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/ndkrun/*.c)
add_executable(ndkrun ${ndkrun_sources} ${CMAKE_SOURCE_DIR}/tools/common/args.c)
target_include_directories(ndkrun PRIVATE ${CMAKE_SOURCE_DIR}/tools)
target_link_libraries(ndkrun PRIVATE softndk_flags softndk_shared ${CMAKE_DL_LIBS} Threads::Threads)
target_compile_definitions(ndkrun PRIVATE SOFTNDK_TOOL_VERSION="${PROJECT_VERSION}")
# A sanitizer's run-time looks for __asan_default_options in the program.
set_target_properties(ndkrun PROPERTIES ENABLE_EXPORTS ON INSTALL_RPATH "$ORIGIN/../lib")
install(TARGETS ndkrun RUNTIME DESTINATION bin)

# tests/drivers: each is compiled by ndkcc and run by ndkrun; broken/ must be found out.
foreach(driver rsock nvmf shared broken)
  add_test(NAME drivers_${driver} COMMAND bash ${CMAKE_SOURCE_DIR}/tests/drivers/run.sh
    ${CMAKE_BINARY_DIR}/bin ${CMAKE_C_COMPILER} "${SOFTNDK_SANITIZE}" ${driver})
  set_tests_properties(drivers_${driver} PROPERTIES LABELS drivers TIMEOUT 900)
endforeach()
if(NOT SOFTNDK_SANITIZE)
  add_test(NAME install_driver COMMAND bash ${CMAKE_SOURCE_DIR}/tests/install/driver_test.sh
    ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
  set_tests_properties(install_driver PROPERTIES LABELS install TIMEOUT 600)
endif()
