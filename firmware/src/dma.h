/* SPDX-License-Identifier: Apache-2.0 */
/* The names in registers.h of a DMA channel whose number is the board's: DMA_NAME(CPAR, 7, ) is CPAR7. */
#ifndef HIL_DMA_H
#define HIL_DMA_H

#define DMA_PASTE(before, channel, after) before##channel##after
#define DMA_NAME(before, channel, after) DMA_PASTE(before, channel, after)

#endif
