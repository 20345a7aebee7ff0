# SPDX-License-Identifier: Apache-2.0
# GNU Arm toolchain from the search path.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)

set(HIL_ARCHITECTURE -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_ASM_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++) # for ENGINE=tflm alone
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(HIL_TOOLCHAIN_COMPILE_OPTIONS)
set(HIL_TOOLCHAIN_LINK_OPTIONS)
set(HIL_TOOLCHAIN_LIBRARIES gcc) # 64-bit shifts and the like, where the compiler does not inline them
