// SPDX-License-Identifier: GPL-2.0-only
/*
 * When /proc/lock_text is written to, a page of the kernel's text is locked, then written through a mapping
 * that the kernel itself allows.  The write is denied by Stage-2: the task ends, the kernel goes on.
 */
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "lock.h"

static ssize_t lock_text(struct file *file, const char __user *buffer, size_t size, loff_t *position)
{
	phys_addr_t text = __pa_symbol(_printk) & PAGE_MASK;
	struct page *page = phys_to_page(text);
	u64 *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	u64 first;

	if (!alias)
		return -ENOMEM;
	first = READ_ONCE(*alias);
	WRITE_ONCE(*alias, first);
	pr_info("lock_text: written before\n");
	pr_info("lock_text: locked: %lu\n", take_rights(text, RIGHT_READ | RIGHT_KERNEL | RIGHT_USER));
	pr_info("lock_text: read: %d\n", READ_ONCE(*alias) == first);
	WRITE_ONCE(*alias, first);
	pr_info("lock_text: written after\n");
	return size;
}

static const struct proc_ops lock_text_ops = {
	.proc_write = lock_text,
};

static int __init lock_text_init(void)
{
	return proc_create("lock_text", 0200, NULL, &lock_text_ops) ? 0 : -ENOMEM;
}

module_init(lock_text_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Locks a page of the kernel's text and writes to it");
