# SPDX-License-Identifier: MIT
# tests/chaos/*_test.c: what a consumer sees under schedules and with faults. And tests/api again
# under schedules: those that assume no more than the interface promises. Left out are those that
# count on a call ending inline, on a poll that takes all there is, or on an untouched NdkReserved.
if(SOFTNDK_FUZZ)
  return()
endif()
file(GLOB chaos_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/chaos/*_test.c)
softndk_tests(chaos "${chaos_tests}" softndk_test_support)

# softndk_under(SCHEDULE TEST...): tests/api/TEST.c once more, as the test SCHEDULE_TEST.
function(softndk_under schedule)
  foreach(test ${ARGN})
    string(REPLACE ":" "_" name ${schedule}_${test})
    add_test(NAME chaos_${name} COMMAND api_${test})
    set_tests_properties(chaos_${name} PROPERTIES LABELS chaos TIMEOUT 900
      ENVIRONMENT SOFTNDK_SCHEDULE=${schedule})
  endforeach()
endfunction()

set(under_any atomics_test connector_test endpoint_test hostile_peer_test listener_test
  pd_mr_mw_test qp_data_test qp_test raw_peer_test srq_test statistics_test verbs_test)
softndk_under(pend ${under_any} cq_test)
softndk_under(inline connector_test endpoint_test listener_test pd_mr_mw_test qp_data_test qp_test)
softndk_under(hostile:1 ${under_any})
softndk_under(hostile:2 connector_test endpoint_test listener_test qp_data_test srq_test)
