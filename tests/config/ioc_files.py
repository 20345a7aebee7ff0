# SPDX-License-Identifier: Apache-2.0
"""An .ioc as CubeMX writes one: escaped keys, three spellings of pins, defaults left out."""

SOUND = r"""#MicroXplorer Configuration settings - do not modify
Mcu.Name=STM32L476R(C-E-G)Tx
Mcu.UserName=STM32L476RGTx
PA0.GPIO_Label=VIBRATION [sensor]
PA0.Signal=ADCx_IN5
PA13\ (JTMS-SWDIO).Signal=SYS_JTMS-SWDIO
PA14\ (JTCK-SWCLK).Signal=SYS_JTCK-SWCLK
PA2.Signal=USART2_TX
PA3.Signal=USART2_RX
PB10.GPIO_Label=AWAKE
PB10.Signal=GPIO_Output
PC4.GPIO_PuPd=GPIO_PULLUP
PC4.Signal=GPIO_Input
PC14-OSC32_IN\ (PC14).Signal=RCC_OSC32_IN
PC15/OSC32_OUT.Signal=RCC_OSC32_OUT
PCC.Temperature=25
PCC.Vdd=3.0
ProjectManager.FreePins=true
RCC.HCLKFreq_Value=24000000
RCC.RTCClockSelection=RCC_RTCCLKSOURCE_LSE
RCC.RTCFreq_Value=32768
SH.ADCx_IN5.0=ADC1_IN5,IN5-Single-Ended
RTC.WakeUpClock=RTC_WAKEUPCLOCK_CK_SPRE_16BITS
RTC.WakeUpCounter=9
USART2.BaudRate=9600
VP_RTC_VS_RTC_WakeUp_intern.Mode=WakeUp
"""

WRONG = r"""Mcu.Name=STM32L475V(C-E-G)Tx
Mcu.UserName=STM32L475VGTx
PA13.Signal=GPIO_Output
PB6.Signal=USART1_TX
PC5.Signal=GPIO_Input
PD11.Signal=GPXTI11
PCC.Vdd=null
RCC.HCLKFreq_Value=100000000
"""
