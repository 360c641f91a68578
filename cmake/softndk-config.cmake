# SPDX-License-Identifier: MIT
# find_package(softndk) gives softndk::softndk (shared) and softndk::static.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/softndk-targets.cmake)
