# SPDX-License-Identifier: MIT
# The product: libsoftndk.so and libsoftndk.a, made of the objects of every folder but plat/sim,
# and what `cmake --install` puts beside them.
include(CMakePackageConfigHelpers)

set(product_objects "")
foreach(folder ${SOFTNDK_FOLDERS})
  string(REPLACE "/" "_" name ${folder})
  get_target_property(type softndk_${name} TYPE)
  if(type STREQUAL "STATIC_LIBRARY" AND NOT folder STREQUAL "plat/sim")
    list(APPEND product_objects $<TARGET_OBJECTS:softndk_${name}>)
  endif()
endforeach()
if(NOT product_objects)
  message(FATAL_ERROR "src/ holds no source file: is this a complete copy of the tree?")
endif()

set(export_map ${CMAKE_SOURCE_DIR}/cmake/softndk.map)
add_library(softndk_shared SHARED ${product_objects})
add_library(softndk_static STATIC ${product_objects})
add_library(softndk::softndk ALIAS softndk_shared)
add_library(softndk::static ALIAS softndk_static)

foreach(product softndk_shared softndk_static)
  set_target_properties(${product} PROPERTIES OUTPUT_NAME softndk LINKER_LANGUAGE C)
  target_include_directories(${product} INTERFACE
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include/softndk> $<INSTALL_INTERFACE:include/softndk>)
  target_link_libraries(${product} PRIVATE Threads::Threads
    $<BUILD_INTERFACE:softndk_flags> $<BUILD_INTERFACE:PkgConfig::ISAL> $<INSTALL_INTERFACE:isal>
    $<BUILD_INTERFACE:PkgConfig::PCAP> $<INSTALL_INTERFACE:pcap>
    ${CMAKE_DL_LIBS})
endforeach()
set_target_properties(softndk_shared PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${export_map} EXPORT_NAME softndk)
set_target_properties(softndk_static PROPERTIES EXPORT_NAME static)
target_link_options(softndk_shared PRIVATE -Wl,--version-script=${export_map})
if(NOT SOFTNDK_SANITIZE)
  # Every symbol must be found; a sanitizer's own come from the program that loads the library.
  target_link_options(softndk_shared PRIVATE -Wl,-z,defs)
endif()

install(TARGETS softndk_shared softndk_static EXPORT softndk_targets
  LIBRARY DESTINATION lib ARCHIVE DESTINATION lib)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/softndk DESTINATION include
  FILES_MATCHING PATTERN "*.h")

configure_file(cmake/softndk.pc.in ${CMAKE_BINARY_DIR}/softndk.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/softndk.pc DESTINATION lib/pkgconfig)

write_basic_package_version_file(${CMAKE_BINARY_DIR}/softndk-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES cmake/softndk-config.cmake ${CMAKE_BINARY_DIR}/softndk-config-version.cmake
  DESTINATION lib/cmake/softndk)
install(EXPORT softndk_targets NAMESPACE softndk:: FILE softndk-targets.cmake
  DESTINATION lib/cmake/softndk)
