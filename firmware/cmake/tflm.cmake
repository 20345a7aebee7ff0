# SPDX-License-Identifier: Apache-2.0
# ENGINE=tflm: a static library of TensorFlow Lite Micro and the folders of its headers. `hil firmware build` finds them;
# `hil firmware tflm check DIR` prints them, and the commands that build what is missing.
if(NOT TFLM_LIBRARY OR NOT TFLM_INCLUDE)
    message(FATAL_ERROR "ENGINE=tflm needs TFLM_LIBRARY and TFLM_INCLUDE: `hil firmware tflm check DIR` prints them")
endif()
foreach(path ${TFLM_LIBRARY} ${TFLM_INCLUDE})
    if(NOT EXISTS ${path})
        message(FATAL_ERROR "${path} does not exist")
    endif()
endforeach()
if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "ENGINE=tflm needs the GNU toolchain (cmake/gcc.cmake): the library is linked with its C++ run-time")
endif()
enable_language(CXX)

set(engine_sources
    engine_tflm/network.cc
    engine_tflm/platform.cc)
set(engine_folders engine_tflm engine)
