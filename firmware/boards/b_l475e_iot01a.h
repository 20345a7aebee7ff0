/* SPDX-License-Identifier: Apache-2.0 */
/* B-L475E-IOT01A: the pins in use. Arduino names as in UM2153 Rev 5, pin table.
 *
 *   PC5  A0   sensor, ADC1_IN14
 *   PB6  -    USART1_TX to the ST-LINK's virtual COM port (AF7)
 *   PB7  -    USART1_RX from it, with the pull-up: high also where the line is open, as a driven idle line is
 *   PA4  D7   marker_inference: high during the network's invocation
 *   PB1  D6   marker_active: high from wake-up to Stop 2 entry
 *   PD11 -    INT1 of the board's own accelerometer, where the build uses it
 *   PB10 -    I2C2_SCL to it (AF4), PB11 I2C2_SDA
 *   PA13, PA14  SWD, left as reset leaves them */
#define BOARD_MCU "stm32l475"

/* Ports with a pin in use. */
#ifdef SENSOR_LSM6DSL
#define BOARD_PORTS (RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOBEN | RCC_AHB2ENR_GPIODEN)
#else
#define BOARD_PORTS (RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOBEN | RCC_AHB2ENR_GPIOCEN)
#endif

#define SENSOR_PORT GPIOC
#define SENSOR_PIN 5u
#define SENSOR_ADC_CHANNEL 14u

#define MARKER_INFERENCE_PORT GPIOA
#define MARKER_INFERENCE_PIN 4u
#define MARKER_ACTIVE_PORT GPIOB
#define MARKER_ACTIVE_PIN 1u

#define CONSOLE_UART USART1
#define CONSOLE_PORT GPIOB
#define CONSOLE_TX_PIN 6u
#define CONSOLE_RX_PIN 7u
#define CONSOLE_ALTERNATE 7u /* DS10198 Rev 8, table 17 */
#define CONSOLE_CLOCK_MASK RCC_CCIPR_USART1SEL_MASK
#define CONSOLE_CLOCK(code) RCC_CCIPR_USART1SEL(code)
#define CONSOLE_GATES APB2ENR
#define CONSOLE_GATE RCC_APB2ENR_USART1EN
#define CONSOLE_ASLEEP_APB1 0u
#define CONSOLE_ASLEEP_APB2 RCC_APB2SMENR_USART1SMEN
#define CONSOLE_INTERRUPT IRQ_USART1
#define CONSOLE_DMA_CHANNEL 4
#define CONSOLE_DMA_REQUEST 2u /* DMA_CSELR.C4S: USART1_TX (RM0351) */
#define CONSOLE_EDGE_INTERRUPT IRQ_EXTI9_5
#define CONSOLE_EDGE_PORT 1u /* SYSCFG_EXTICR: port B */

#define BUS I2C2
#define BUS_PORT GPIOB
#define BUS_SCL_PIN 10u
#define BUS_SDA_PIN 11u
#define BUS_ALTERNATE 4u
#define BUS_CLOCK_MASK RCC_CCIPR_I2C2SEL_MASK
#define BUS_CLOCK(code) RCC_CCIPR_I2C2SEL(code)
#define BUS_GATE RCC_APB1ENR1_I2C2EN
#define BUS_ASLEEP RCC_APB1SMENR1_I2C2SMEN
#define BUS_INTERRUPT IRQ_I2C2_EV
#define BUS_DMA_CHANNEL 5
#define BUS_DMA_REQUEST 3u /* DMA_CSELR.C5S: I2C2_RX (RM0351) */

#define SENSOR_INTERRUPT_PORT GPIOD
#define SENSOR_INTERRUPT_PIN 11u
#define SENSOR_EDGE_INTERRUPT IRQ_EXTI15_10
#define SENSOR_EDGE_PORT 3u /* SYSCFG_EXTICR: port D */
