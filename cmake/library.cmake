# SPDX-License-Identifier: MIT
# The product: libsoftndk, built from the folder libraries.
file(GLOB_RECURSE product_sources CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/src/base/*.c ${CMAKE_SOURCE_DIR}/src/wire/*.c ${CMAKE_SOURCE_DIR}/src/mem/*.c
  ${CMAKE_SOURCE_DIR}/src/iwarp/*.c ${CMAKE_SOURCE_DIR}/src/plat/*.c
  ${CMAKE_SOURCE_DIR}/src/rnic/*.c ${CMAKE_SOURCE_DIR}/src/kenv/*.c ${CMAKE_SOURCE_DIR}/src/ndk/*.c)
list(FILTER product_sources EXCLUDE REGEX "/src/plat/sim/")
