# SPDX-License-Identifier: MIT
# softndk_folder(FOLDER DEPENDENCIES): src/FOLDER becomes the target softndk_FOLDER (slashes become
# underscores). Includes are written from src/ ("wire/fpdu.h"); a dependency that is not listed
# does not link.
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
  target_link_libraries(softndk_${name} ${scope} softndk_flags)
  if(folder STREQUAL "kenv" OR folder STREQUAL "ndk" OR folder STREQUAL "verify")
    target_include_directories(softndk_${name} ${scope} ${CMAKE_SOURCE_DIR}/include/softndk)
  endif()
  foreach(dep ${deps})
    string(REPLACE "/" "_" dep_name ${dep})
    target_link_libraries(softndk_${name} ${scope} softndk_${dep_name})
  endforeach()
endfunction()
