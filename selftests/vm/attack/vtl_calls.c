// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes VTL calls from a stock kernel, for tests only: starts VTL1 on all CPUs when it is loaded, then
 *
 *   calls    writing N makes N echo calls on each CPU at once, by a thread each, and looks whether
 *            the result is right and every register as before; written in vain when one was not
 *   cycles   what one call has cost on average, by the time-stamp counter
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <asm/fpu/api.h>
#include <asm/tsc.h>

#include "vtl_call.h"

#define IMAGE_START 0x0
#define IMAGE_ECHO 0x1fe00
#define IMAGE_ECHO_MASK 0x7fffffffull
#define CALL_ENABLE_APS 0x1ffe0
#define CALL_BOOT_APS 0x1ffe1
#define BOOT_TOKEN 0xdc

static void *call_page;
static atomic64_t bad, spent;

static u64 vtl_call(u64 id, u64 a, u64 b, u64 c, struct kept *kept)
{
	unsigned long flags;
	u64 result;

	kernel_fpu_begin();
	local_irq_save(flags);
	result = vtl_call_keeping(call_page, id, a, b, c, kept);
	local_irq_restore(flags);
	kernel_fpu_end();
	return result;
}

static bool one_call(u64 n)
{
	struct kept kept, before;
	u64 seed = n * 0x9e3779b97f4a7c15ull;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(before.general); i++) {
		before.general[i] = seed + i;
		before.vector[i] = ~seed - i;
	}
	kept = before;
	return vtl_call(IMAGE_ECHO, seed, n, ~n, &kept) == ((seed ^ n ^ ~n) & IMAGE_ECHO_MASK) &&
	       !memcmp(&kept, &before, sizeof(kept));
}

/**
 * struct work - calls of one CPU
 * @calls: how many
 * @done:  when they have been made
 */
struct work {
	u64 calls;
	struct completion done;
};

static int make_calls(void *data)
{
	struct work *work = data;
	u64 start = rdtsc(), n;

	for (n = 0; n < work->calls; n++) {
		if (!one_call(n))
			atomic64_inc(&bad);
		cond_resched();
	}
	atomic64_add(rdtsc() - start, &spent);
	complete(&work->done);
	return 0;
}

static int on_all_cpus(u64 calls)
{
	struct work *work = kcalloc(nr_cpu_ids, sizeof(*work), GFP_KERNEL);
	struct task_struct *task;
	unsigned int cpu;

	if (!work)
		return -ENOMEM;
	atomic64_set(&bad, 0);
	atomic64_set(&spent, 0);
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		work[cpu].calls = calls;
		init_completion(&work[cpu].done);
		task = kthread_create_on_cpu(make_calls, &work[cpu], cpu, "vtl_calls/%u");
		if (IS_ERR(task))
			make_calls(&work[cpu]);
		else
			wake_up_process(task);
	}
	for_each_online_cpu(cpu)
		wait_for_completion(&work[cpu].done);
	atomic64_set(&spent, atomic64_read(&spent) / num_online_cpus() / calls);
	cpus_read_unlock();
	kfree(work);
	return atomic64_read(&bad) ? -EIO : 0;
}

static int calls_set(const char *text, const struct kernel_param *param)
{
	u64 calls;
	int ret = kstrtou64(text, 0, &calls);

	if (!ret)
		ret = calls ? on_all_cpus(calls) : -EINVAL;
	return ret;
}

static int cycles_get(char *text, const struct kernel_param *param)
{
	return sprintf(text, "%llu\n", (u64)atomic64_read(&spent));
}

static const struct kernel_param_ops calls_ops = { .set = calls_set };
static const struct kernel_param_ops cycles_ops = { .get = cycles_get };
module_param_cb(calls, &calls_ops, NULL, 0200);
module_param_cb(cycles, &cycles_ops, NULL, 0400);

static long start_here(void *unused)
{
	struct kept kept = { };

	return vtl_call(IMAGE_START, 0, 0, 0, &kept);
}

/* VTL1 on all CPUs that are online, from the one where it is already. */
static long start_all(void *unused)
{
	u8 *mask = (u8 *)get_zeroed_page(GFP_KERNEL), *tokens = (u8 *)get_zeroed_page(GFP_KERNEL);
	struct kept kept = { };
	unsigned int cpu;
	long ret = 0;

	for_each_online_cpu(cpu)
		mask[cpu / 8] |= 1 << cpu % 8;
	if (vtl_call(CALL_ENABLE_APS, virt_to_phys(mask) >> PAGE_SHIFT, 0, 0, &kept))
		ret = -EIO;
	for_each_online_cpu(cpu)
		if (!ret)
			ret = work_on_cpu(cpu, start_here, NULL);
	if (!ret && vtl_call(CALL_BOOT_APS, virt_to_phys(mask) >> PAGE_SHIFT,
			     virt_to_phys(tokens) >> PAGE_SHIFT, 0, &kept))
		ret = -EIO;
	for_each_online_cpu(cpu)
		if (tokens[cpu] != BOOT_TOKEN)
			ret = -EIO;
	free_page((unsigned long)mask);
	free_page((unsigned long)tokens);
	return ret;
}

static int __init vtl_calls_init(void)
{
	if (!hv_hypercall_pg)
		return -ENODEV;
	call_page = vtl_call_find();
	return call_page ? work_on_cpu(0, start_all, NULL) : -ENODEV;
}

static void __exit vtl_calls_exit(void)
{
}

module_init(vtl_calls_init);
module_exit(vtl_calls_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VTL calls, for tests only");
