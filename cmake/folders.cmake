# SPDX-License-Identifier: MIT
# softndk_folder(FOLDER DEPENDENCIES [LIBRARIES...]): src/FOLDER becomes the static library
# softndk_FOLDER (slashes become underscores). Includes are written from src/ ("wire/fpdu.h"); a
# dependency that is not listed does not link, and scripts/tidy refuses its headers.
#
# SOFTNDK_FOLDERS collects the names; cmake/library.cmake makes the product of their objects, so
# each source file is compiled once per build directory.
set(SOFTNDK_FOLDERS "" CACHE INTERNAL "Folders of src/ declared with softndk_folder()")

function(softndk_folder folder deps)
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.c)
  if(sources)
    add_library(softndk_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(softndk_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(softndk_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(softndk_${name} ${scope} softndk_flags ${ARGN})
  if(folder MATCHES "^(kenv|ndk|verify|chaos|calltrace|product)$")
    # These folders speak the public names.
    target_include_directories(softndk_${name} ${scope} ${CMAKE_SOURCE_DIR}/include/softndk)
  endif()
  foreach(dep ${deps})
    string(REPLACE "/" "_" dep_name ${dep})
    target_link_libraries(softndk_${name} ${scope} softndk_${dep_name})
  endforeach()
  set(SOFTNDK_FOLDERS ${SOFTNDK_FOLDERS} ${folder} CACHE INTERNAL "")
endfunction()
