# SPDX-License-Identifier: Apache-2.0
"""USART, UART and LPUART, version 3: the ones with ISR, ICR, RDR and TDR."""
