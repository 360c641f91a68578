# SPDX-License-Identifier: MIT
# softndk_add_driver(NAME SOURCE... [ASAN] [UBSAN] [TSAN] [DEBUG] [EXCLUDE_FROM_ALL]
#                    [COMPILER gcc|clang] [INCLUDES FOLDER...] [DEFINITIONS NAME[=VALUE]...]
#                    [OPTIONS NDKCC-OPTION...])
#
# The target NAME makes NAME.so in the current binary folder out of Windows driver sources, with
# ndkcc. Its file is the target property SOFTNDK_DRIVER_FILE, the program that runs it the variable
# SOFTNDK_NDKRUN:
#
#   find_package(softndk REQUIRED)
#   softndk_add_driver(mydriver driver.c queue.c INCLUDES inc)
#   add_test(NAME mydriver
#     COMMAND ${SOFTNDK_NDKRUN} $<TARGET_PROPERTY:mydriver,SOFTNDK_DRIVER_FILE> --until-idle)
function(softndk_add_driver name)
  cmake_parse_arguments(PARSE_ARGV 1 DRIVER "ASAN;UBSAN;TSAN;DEBUG;EXCLUDE_FROM_ALL" "COMPILER"
    "INCLUDES;DEFINITIONS;OPTIONS")
  if(NOT DRIVER_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "softndk_add_driver(${name}): no source file is named.")
  endif()
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${name}.so)
  set(arguments -o ${output} --deps ${output}.d)
  foreach(switch ASAN UBSAN TSAN DEBUG)
    if(DRIVER_${switch})
      string(TOLOWER ${switch} option)
      list(APPEND arguments --${option})
    endif()
  endforeach()
  if(DRIVER_COMPILER)
    list(APPEND arguments --cc ${DRIVER_COMPILER})
  endif()
  foreach(folder ${DRIVER_INCLUDES})
    get_filename_component(folder ${folder} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
    list(APPEND arguments -I ${folder})
  endforeach()
  foreach(definition ${DRIVER_DEFINITIONS})
    list(APPEND arguments -D${definition})
  endforeach()
  set(sources "")
  foreach(source ${DRIVER_UNPARSED_ARGUMENTS})
    get_filename_component(source ${source} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
    list(APPEND sources ${source})
  endforeach()
  add_custom_command(OUTPUT ${output}
    COMMAND ${SOFTNDK_NDKCC} ${arguments} ${DRIVER_OPTIONS} ${sources}
    DEPENDS ${sources} ${SOFTNDK_NDKCC} ${SOFTNDK_NDKCC_DEPENDS}
    DEPFILE ${output}.d
    COMMENT "Compiling driver ${name}.so"
    VERBATIM)
  if(DRIVER_EXCLUDE_FROM_ALL)
    add_custom_target(${name} DEPENDS ${output})
  else()
    add_custom_target(${name} ALL DEPENDS ${output})
  endif()
  set_target_properties(${name} PROPERTIES SOFTNDK_DRIVER_FILE ${output})
endfunction()
