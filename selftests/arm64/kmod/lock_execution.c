// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of code of this module may from now on be executed by user mode only, which asks for a processor
 * that can tell the two apart. Then it is called, when /proc/lock_execution is written to: the task ends,
 * the kernel goes on.
 */
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "lock.h"

static noinline __aligned(PAGE_SIZE) int answer(int n)
{
	return n * 6;
}

/* So that nothing else of the module is in the page. */
static noinline __aligned(PAGE_SIZE) int behind(int n)
{
	return n + 1;
}

static ssize_t lock_execution(struct file *file, const char __user *buffer, size_t size, loff_t *position)
{
	int (*volatile call)(int) = answer;
	phys_addr_t page = page_to_phys(vmalloc_to_page((void *)answer));

	pr_info("lock_execution: called before: %d\n", call(7));
	pr_info("lock_execution: locked: %lu\n", take_rights(page, RIGHT_READ | RIGHT_USER));
	pr_info("lock_execution: called after: %d\n", call(7) + behind(0));
	return size;
}

static const struct proc_ops lock_execution_ops = {
	.proc_write = lock_execution,
};

static int __init lock_execution_init(void)
{
	return proc_create("lock_execution", 0200, NULL, &lock_execution_ops) ? 0 : -ENOMEM;
}

module_init(lock_execution_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Takes the kernel's right to execute a page away and executes it");
