# SPDX-License-Identifier: Apache-2.0
# ENGINE=tflm: finds the headers and the static library of TensorFlow Lite Micro below TFLM_DIR, a checkout in which
# `make -f tensorflow/lite/micro/tools/make/Makefile TARGET=cortex_m_generic TARGET_ARCH=cortex-m4+fp microlite` ran,
# or a folder with the same files in include/ and lib/.
if(NOT TFLM_DIR)
    message(FATAL_ERROR "ENGINE=tflm needs TFLM_DIR: a folder with TensorFlow Lite Micro's headers and its static library")
endif()
if(NOT IS_DIRECTORY ${TFLM_DIR})
    message(FATAL_ERROR "TFLM_DIR=${TFLM_DIR} is no folder")
endif()
if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "ENGINE=tflm needs the GNU toolchain (cmake/gcc.cmake): the library is linked with its C++ run-time")
endif()
enable_language(CXX)

set(tflm_downloads ${TFLM_DIR}/tensorflow/lite/micro/tools/make/downloads)
find_path(TFLM_INCLUDE tensorflow/lite/micro/micro_interpreter.h
    PATHS ${TFLM_DIR} ${TFLM_DIR}/include NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
if(NOT TFLM_INCLUDE)
    message(FATAL_ERROR "TFLM_DIR=${TFLM_DIR} has no tensorflow/lite/micro/micro_interpreter.h, nor has its include/")
endif()
find_path(TFLM_FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h
    PATHS ${TFLM_DIR}/include ${TFLM_DIR} ${tflm_downloads}/flatbuffers/include ${TFLM_DIR}/third_party/flatbuffers/include
    NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
if(NOT TFLM_FLATBUFFERS_INCLUDE)
    message(FATAL_ERROR "TFLM_DIR=${TFLM_DIR} has no flatbuffers/flatbuffers.h in include/, ${tflm_downloads}/flatbuffers or third_party/")
endif()
file(GLOB_RECURSE TFLM_LIBRARIES ${TFLM_DIR}/lib/libtensorflow-microlite.a ${TFLM_DIR}/gen/*/libtensorflow-microlite.a)
list(LENGTH TFLM_LIBRARIES tflm_library_count)
if(NOT tflm_library_count EQUAL 1)
    message(FATAL_ERROR "TFLM_DIR=${TFLM_DIR} has ${tflm_library_count} libraries lib/libtensorflow-microlite.a or gen/*/lib/libtensorflow-microlite.a; there must be one: ${TFLM_LIBRARIES}")
endif()

set(engine_sources
    engine_tflm/network.cc
    engine_tflm/platform.cc)
set(engine_folders engine_tflm engine)
