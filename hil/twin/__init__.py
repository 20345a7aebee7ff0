# SPDX-License-Identifier: Apache-2.0
"""The virtual bench: a NUCLEO-L476RG, its wires and its instruments, in a process of its own.

It speaks the wire protocols of the libraries that drive a real bench (pyOCD's remote probe, NI gRPC, SCPI
on a raw socket, a serial port as a TCP socket), so whatever works on the bench works here, and the other
way round. Nothing in this package knows the rig controller; nothing in the controller knows this package.
"""
