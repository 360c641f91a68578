# SPDX-License-Identifier: MIT
# Public headers: each compiles alone in C11 and C++14, with the project's compilers and, where it
# is installed, with clang too; and their layouts are the documented ones (tests/abi).
if(SOFTNDK_FUZZ)
  return()
endif()
file(GLOB public_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/softndk/*.h)
set(header_units "")
foreach(header ${public_headers})
  get_filename_component(file ${header} NAME)
  get_filename_component(name ${header} NAME_WE)
  foreach(language c cpp)
    set(unit ${CMAKE_BINARY_DIR}/public_headers/${name}.${language})
    # Twice, to prove the guard.
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include <${file}>\n#include <${file}>\nextern int softndk_header_${name};\nint softndk_header_${name};\n")
    list(APPEND header_units ${unit})
  endforeach()
endforeach()
file(GLOB header_mixes CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/headers/*.c
  ${CMAKE_SOURCE_DIR}/tests/headers/*.cpp)
list(APPEND header_units ${header_mixes})

add_library(softndk_public_headers OBJECT ${header_units})
target_include_directories(softndk_public_headers PRIVATE ${CMAKE_SOURCE_DIR}/include/softndk)
target_link_libraries(softndk_public_headers PRIVATE softndk_flags)

# A consumer's compiler need not be ours: no flags but the warnings, both languages, both compilers.
foreach(compiler gcc clang)
  find_program(HEADERS_${compiler} ${compiler})
  if(NOT HEADERS_${compiler})
    continue()
  endif()
  foreach(language "c;c11" "c++;c++14")
    list(GET language 0 kind)
    list(GET language 1 standard)
    add_test(NAME headers_${compiler}_${standard}
      COMMAND bash ${CMAKE_SOURCE_DIR}/tests/headers/alone.sh ${HEADERS_${compiler}} ${kind}
        ${standard} ${CMAKE_SOURCE_DIR}/include/softndk)
    set_tests_properties(headers_${compiler}_${standard} PROPERTIES LABELS headers TIMEOUT 300)
  endforeach()
endforeach()

# tests/abi/*.c: one program; most of it is checked when it compiles.
file(GLOB abi_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/abi/*.c)
add_executable(abi_layout ${abi_sources})
target_include_directories(abi_layout PRIVATE ${CMAKE_SOURCE_DIR}/include/softndk)
target_link_libraries(abi_layout PRIVATE softndk_flags)
add_test(NAME abi_layout COMMAND abi_layout)
set_tests_properties(abi_layout PROPERTIES LABELS abi TIMEOUT 60)
