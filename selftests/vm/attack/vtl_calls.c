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
#include <asm/mshyperv.h>
#include <asm/nospec-branch.h>
#include <asm/tsc.h>

#define CALL_GET_VP_REGISTERS 0x50ull
#define REGISTER_CODE_PAGE_OFFSETS 0xd0002
#define REP_ONE (1ull << 32)

#define IMAGE_START 0x0
#define IMAGE_ECHO 0x1fe00
#define IMAGE_ECHO_MASK 0x7fffffffull
#define CALL_ENABLE_APS 0x1ffe0
#define CALL_BOOT_APS 0x1ffe1
#define BOOT_TOKEN 0xdc

/**
 * struct kept - registers that a call must leave alone
 * @general: RBX, R9 to R15
 * @vector:  XMM0 to XMM3
 */
struct kept {
	u64 general[8];
	u64 vector[8];
};

static void *call_page;
static atomic64_t bad, spent;

/* The general registers are given values, which come back in @kept with what the call has made. */
static noinline u64 call_keeping(u64 id, u64 a, u64 b, u64 c, struct kept *kept)
{
	register u64 r8 asm("r8") = c;
	register struct kept *r9 asm("r9") = kept;
	u64 zero = 0, rax = (u64)call_page;

	asm volatile("push %%rbp; push %%rbx\n\t"
		     "mov %%r9, %%rbp\n\t"
		     "mov 0(%%rbp), %%rbx; mov 8(%%rbp), %%r9; mov 16(%%rbp), %%r10\n\t"
		     "mov 24(%%rbp), %%r11; mov 32(%%rbp), %%r12; mov 40(%%rbp), %%r13\n\t"
		     "mov 48(%%rbp), %%r14; mov 56(%%rbp), %%r15\n\t"
		     "movdqu 64(%%rbp), %%xmm0; movdqu 80(%%rbp), %%xmm1\n\t"
		     "movdqu 96(%%rbp), %%xmm2; movdqu 112(%%rbp), %%xmm3\n\t"
		     ANNOTATE_RETPOLINE_SAFE "call *%%rax\n\t"
		     "mov %%rbx, 0(%%rbp); mov %%r9, 8(%%rbp); mov %%r10, 16(%%rbp)\n\t"
		     "mov %%r11, 24(%%rbp); mov %%r12, 32(%%rbp); mov %%r13, 40(%%rbp)\n\t"
		     "mov %%r14, 48(%%rbp); mov %%r15, 56(%%rbp)\n\t"
		     "movdqu %%xmm0, 64(%%rbp); movdqu %%xmm1, 80(%%rbp)\n\t"
		     "movdqu %%xmm2, 96(%%rbp); movdqu %%xmm3, 112(%%rbp)\n\t"
		     "pop %%rbx; pop %%rbp"
		     : "+a"(rax), "+c"(zero), "+D"(id), "+S"(a), "+d"(b), "+r"(r8), "+r"(r9)
		     :
		     : "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	return r8;
}

static u64 vtl_call(u64 id, u64 a, u64 b, u64 c, struct kept *kept)
{
	unsigned long flags;
	u64 result;

	kernel_fpu_begin();
	local_irq_save(flags);
	result = call_keeping(id, a, b, c, kept);
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

/* Where in the hypercall page a VTL call begins. */
static int find_call_page(void)
{
	register u64 r8 asm("r8");
	u64 status = (u64)hv_hypercall_pg, input = CALL_GET_VP_REGISTERS | REP_ONE, in, *page;

	page = (u64 *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	page[0] = ~0ull;
	page[1] = 0xfffffffe;
	page[2] = REGISTER_CODE_PAGE_OFFSETS;
	in = virt_to_phys(page);
	r8 = in + 0x800;
	asm volatile(ANNOTATE_RETPOLINE_SAFE "call *%%rax"
		     : "+a"(status), "+c"(input), "+d"(in), "+r"(r8) : : "r9", "r10", "r11", "memory", "cc");
	call_page = hv_hypercall_pg + (page[0x800 / 8] & 0xfff);
	free_page((unsigned long)page);
	return status & 0xffff ? -ENODEV : 0;
}

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
	int ret;

	if (!hv_hypercall_pg)
		return -ENODEV;
	ret = find_call_page();
	return ret ? ret : work_on_cpu(0, start_all, NULL);
}

static void __exit vtl_calls_exit(void)
{
}

module_init(vtl_calls_init);
module_exit(vtl_calls_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VTL calls, for tests only");
