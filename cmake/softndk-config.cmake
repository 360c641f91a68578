# SPDX-License-Identifier: MIT
# find_package(softndk) gives softndk::softndk (shared) and softndk::static, the tools
# SOFTNDK_NDKCC and SOFTNDK_NDKRUN, and softndk_add_driver().
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/softndk-targets.cmake)
get_filename_component(SOFTNDK_NDKCC ${CMAKE_CURRENT_LIST_DIR}/../../../bin/ndkcc ABSOLUTE)
get_filename_component(SOFTNDK_NDKRUN ${CMAKE_CURRENT_LIST_DIR}/../../../bin/ndkrun ABSOLUTE)
include(${CMAKE_CURRENT_LIST_DIR}/softndk-driver.cmake)
