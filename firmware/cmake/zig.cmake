# SPDX-License-Identifier: Apache-2.0
# Clang of the `ziglang` package: the same version, and so the same bytes, on every host. Pass -DHIL_PYTHON=<python>.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HIL_PYTHON)

set(zig_cc "${HIL_PYTHON}" -m ziglang cc -target thumb-freestanding-eabihf -mcpu=cortex_m4+vfp4d16sp)
set(CMAKE_C_COMPILER ${zig_cc})
set(CMAKE_ASM_COMPILER ${zig_cc})

# Of a known kind: CMake need not find out, which would have zig build a C library for the host first.
set(CMAKE_C_COMPILER_FORCED TRUE)
set(CMAKE_C_COMPILER_ID_RUN TRUE)
set(CMAKE_C_COMPILER_ID Clang)
set(CMAKE_C_COMPILER_FRONTEND_VARIANT GNU)
set(CMAKE_C_STANDARD_COMPUTED_DEFAULT 17)
set(CMAKE_ASM_COMPILER_ID_RUN TRUE)
set(CMAKE_ASM_COMPILER_ID Clang)

# The debug information names the package's headers: not by where the package happens to be installed.
execute_process(
    COMMAND "${HIL_PYTHON}" -c "import pathlib, ziglang; print(pathlib.Path(ziglang.__file__).parent.as_posix())"
    OUTPUT_STRIP_TRAILING_WHITESPACE
    OUTPUT_VARIABLE zig_directory
    COMMAND_ERROR_IS_FATAL ANY)

# zig sanitises undefined behaviour by default, keeps a frame pointer and aligns segments to 64 KB pages.
set(HIL_ARCHITECTURE)
set(HIL_TOOLCHAIN_COMPILE_OPTIONS
    -fno-sanitize=undefined -fomit-frame-pointer "-ffile-prefix-map=${zig_directory}=zig")
set(HIL_TOOLCHAIN_LINK_OPTIONS -Wl,--entry=Reset_Handler -Wl,-z,max-page-size=4096)
set(HIL_TOOLCHAIN_LIBRARIES)
