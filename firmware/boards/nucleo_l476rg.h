/* SPDX-License-Identifier: Apache-2.0 */
/* NUCLEO-L476RG (MB1136): the pins in use. Arduino names as in UM1724 Rev 14, table 23.
 *
 *   PA0  A0   sensor, ADC1_IN5
 *   PA2  -    USART2_TX to the ST-LINK's virtual COM port (AF7)
 *   PA3  -    USART2_RX from it, with the pull-up: high also where the line is open, as a driven idle line is
 *   PA8  D7   marker_inference: high during the network's invocation
 *   PB10 D6   marker_active: high from wake-up to Stop 2 entry
 *   PB5  D4   INT1 of the accelerometer, where the build has one
 *   PB8  D15  I2C1_SCL to it (AF4), PB9 D14 I2C1_SDA
 *   PA13, PA14  SWD, left as reset leaves them */
#define BOARD_MCU "stm32l476"

/* Ports with a pin in use. */
#define BOARD_PORTS (RCC_AHB2ENR_GPIOAEN | RCC_AHB2ENR_GPIOBEN)

#define SENSOR_PORT GPIOA
#define SENSOR_PIN 0u
#define SENSOR_ADC_CHANNEL 5u

#define MARKER_INFERENCE_PORT GPIOA
#define MARKER_INFERENCE_PIN 8u
#define MARKER_ACTIVE_PORT GPIOB
#define MARKER_ACTIVE_PIN 10u

#define CONSOLE_UART USART2
#define CONSOLE_PORT GPIOA
#define CONSOLE_TX_PIN 2u
#define CONSOLE_RX_PIN 3u
#define CONSOLE_ALTERNATE 7u /* DS10198 Rev 8, table 17 */
#define CONSOLE_CLOCK_MASK RCC_CCIPR_USART2SEL_MASK
#define CONSOLE_CLOCK(code) RCC_CCIPR_USART2SEL(code)
#define CONSOLE_GATES APB1ENR1
#define CONSOLE_GATE RCC_APB1ENR1_USART2EN
#define CONSOLE_ASLEEP_APB1 RCC_APB1SMENR1_USART2SMEN
#define CONSOLE_ASLEEP_APB2 0u
#define CONSOLE_INTERRUPT IRQ_USART2
#define CONSOLE_DMA_CHANNEL 7
#define CONSOLE_DMA_REQUEST 2u /* DMA_CSELR.C7S: USART2_TX (RM0351) */
#define CONSOLE_EDGE_INTERRUPT IRQ_EXTI3
#define CONSOLE_EDGE_PORT 0u /* SYSCFG_EXTICR: port A */

#define BUS I2C1
#define BUS_PORT GPIOB
#define BUS_SCL_PIN 8u
#define BUS_SDA_PIN 9u
#define BUS_ALTERNATE 4u
#define BUS_CLOCK_MASK RCC_CCIPR_I2C1SEL_MASK
#define BUS_CLOCK(code) RCC_CCIPR_I2C1SEL(code)
#define BUS_GATE RCC_APB1ENR1_I2C1EN
#define BUS_ASLEEP RCC_APB1SMENR1_I2C1SMEN
#define BUS_INTERRUPT IRQ_I2C1_EV
#define BUS_DMA_CHANNEL 7
#define BUS_DMA_REQUEST 3u /* DMA_CSELR.C7S: I2C1_RX (RM0351) */

#define SENSOR_INTERRUPT_PORT GPIOB
#define SENSOR_INTERRUPT_PIN 5u
#define SENSOR_EDGE_INTERRUPT IRQ_EXTI9_5
#define SENSOR_EDGE_PORT 1u /* SYSCFG_EXTICR: port B */
