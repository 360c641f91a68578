# SPDX-License-Identifier: MIT
# Consumers that keep the rules must not be reported: tests of tests/api that do, and the tools, run
# once more with SOFTNDK_VERIFY=break, which ends them at the first report; also under schedules.
if(SOFTNDK_FUZZ)
  return()
endif()

# softndk_verified(SCHEDULE TEST...): tests/api/TEST.c as the test verify_SCHEDULE_TEST.
function(softndk_verified schedule)
  foreach(test ${ARGN})
    string(REPLACE ":" "_" name ${schedule}_${test})
    add_test(NAME verify_${name} COMMAND api_${test})
    set_tests_properties(verify_${name} PROPERTIES LABELS verify TIMEOUT 900
      ENVIRONMENT "SOFTNDK_VERIFY=break;SOFTNDK_SCHEDULE=${schedule}")
  endforeach()
endfunction()

set(clean atomics_test hostile_peer_test raw_peer_test statistics_test)
softndk_verified(lenient ${clean} conformance_fpdu_test conformance_reads_test net_test security_test)
softndk_verified(pend ${clean})
softndk_verified(hostile:1 ${clean})

foreach(script ndkping_test ndkperf_test)
  add_test(NAME verify_${script}
    COMMAND bash ${CMAKE_SOURCE_DIR}/tests/tools/${script}.sh ${CMAKE_BINARY_DIR}/bin)
  set_tests_properties(verify_${script} PROPERTIES LABELS verify TIMEOUT 300
    ENVIRONMENT SOFTNDK_VERIFY=break)
endforeach()
