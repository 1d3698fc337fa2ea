// SPDX-License-Identifier: GPL-2.0-only
/*
 * An attacker in the kernel: changes one byte of what HEKI protects, through a writable alias of
 * the page, and puts it back.  For tests only.
 *
 * Writing 1 to a parameter changes the byte, 0 restores it:
 *   text    a byte of padding between two functions of the kernel
 *   rodata  the NUL behind the kernel's digits
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/vmalloc.h>

#define PADDING_SEARCH 4096
#define PADDING_RUN 4
#define PADDING 0xcc

/**
 * struct target - a byte to change
 * @find:    its address, NULL when there is none
 * @address: while it is changed
 */
struct target {
	const u8 *(*find)(void);
	const u8 *address;
};

static const u8 *find_padding(void)
{
	const u8 *text = (const u8 *)kernel_restart;
	unsigned int i, run = 0;

	for (i = 0; i < PADDING_SEARCH; i++) {
		run = text[i] == PADDING ? run + 1 : 0;
		if (run == PADDING_RUN)
			return text + i;
	}
	return NULL;
}

static const u8 *find_digits_end(void)
{
	return (const u8 *)hex_asc_upper + 16;
}

static struct target text_target = { .find = find_padding };
static struct target rodata_target = { .find = find_digits_end };

static int flip(const u8 *address)
{
	struct page *page = pfn_to_page(PHYS_PFN(__pa_symbol(address)));
	u8 *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	if (!alias)
		return -ENOMEM;
	alias[offset_in_page(address)] ^= 1;
	vunmap(alias);
	return 0;
}

static int restore(struct target *target)
{
	int ret = target->address ? flip(target->address) : 0;

	target->address = NULL;
	return ret;
}

static int change(struct target *target)
{
	int ret;

	if (target->address)
		return -EALREADY;
	target->address = target->find();
	if (!target->address)
		return -ENOENT;
	ret = flip(target->address);
	if (ret)
		target->address = NULL;
	return ret;
}

static int target_set(const char *value, const struct kernel_param *parameter)
{
	bool on;
	int ret = kstrtobool(value, &on);

	if (ret)
		return ret;
	return on ? change(parameter->arg) : restore(parameter->arg);
}

static int target_get(char *buffer, const struct kernel_param *parameter)
{
	const struct target *target = parameter->arg;

	return sprintf(buffer, "%d\n", target->address ? 1 : 0);
}

static const struct kernel_param_ops target_ops = {
	.set = target_set,
	.get = target_get,
};

module_param_cb(text, &target_ops, &text_target, 0600);
MODULE_PARM_DESC(text, "1 changes a byte of kernel text, 0 restores it");
module_param_cb(rodata, &target_ops, &rodata_target, 0600);
MODULE_PARM_DESC(rodata, "1 changes a byte of read-only data, 0 restores it");

static int __init attack_init(void)
{
	return 0;
}

static void __exit attack_exit(void)
{
	restore(&text_target);
	restore(&rodata_target);
}

module_init(attack_init);
module_exit(attack_exit);

MODULE_DESCRIPTION("Attack of HEKI's own tests: changes a protected byte");
MODULE_LICENSE("GPL");
