// SPDX-License-Identifier: GPL-2.0-only
/*
 * vtl1_shim.ko: the secure-kernel core as a module of the kernel that it watches.
 *
 * Grade "audit": it finds mistakes, violations of policy and attackers who do not adapt. It is no
 * security boundary, since whoever can write kernel memory can write the core's.
 */
#include "shim.h"

#include <linux/hardirq.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/random.h>

#include "vtlcall.h"

static struct heki_limits limits = HEKI_LIMITS_DEFAULT;

module_param_named(modules, limits.modules, uint, 0444);
MODULE_PARM_DESC(modules, "budget: modules");
module_param_named(frames, limits.frames, uint, 0444);
MODULE_PARM_DESC(frames, "budget: protected pages");
module_param_named(symbols, limits.symbols, uint, 0444);
MODULE_PARM_DESC(symbols, "budget: exported symbols");
module_param_named(patches, limits.patches, uint, 0444);
MODULE_PARM_DESC(patches, "budget: text patch sites");

static struct heki_core *core;
static void *core_memory;

static const struct heki_host_ops shim_ops = {
	.name = "vtl1_shim.ko",
	.grade = HEKI_GRADE_AUDIT,
	.read = shim_read,
	.write = shim_write,
	.is_ram = shim_is_ram,
	.is_kexec_target = shim_is_kexec_target,
	.ram = shim_ram_range,
	.splits_exec = shim_splits_exec,
	.protect = shim_protect,
	.alloc = shim_alloc,
	.free = shim_free,
	.lock = shim_lock,
	.unlock = shim_unlock,
	.time_ns = shim_time_ns,
	.vp = shim_vp,
	.vp_enable = shim_vp_enable,
	.vp_up = shim_vp_up,
	.vp_restarted = shim_vp_restarted,
	.read_regs = shim_read_regs,
	.pin_regs = shim_pin_regs,
	.hash_begin = shim_hash_begin,
	.hash_update = shim_hash_update,
	.hash_end = shim_hash_end,
	.hash_copy = shim_hash_copy,
	.verify = shim_verify,
	.cert_check = shim_cert_check,
	.fiber_start = shim_fiber_start,
	.fiber_resume = shim_fiber_resume,
	.fiber_suspend = shim_fiber_suspend,
};

/* What is not in the table is refused by the core without sleeping. */
static bool call_sleeps(u64 id)
{
	switch (id) {
#define CALL_CONTEXT(id, name, handler, phase, context, arguments)                                 \
	case id:                                                                                   \
		return HEKI_CONTEXT_##context != HEKI_CONTEXT_ATOMIC;
	HEKI_CALLS(CALL_CONTEXT)
#undef CALL_CONTEXT
	default:
		return false;
	}
}

static bool context_wrong(bool sleeps)
{
	return in_nmi() || (sleeps && (preempt_count() || irqs_disabled()));
}

void heki_vtlcall(struct heki_vtlcall_regs *regs)
{
	bool sleeps = call_sleeps(regs->rdi);
	unsigned long flags;

	if (WARN_ONCE(context_wrong(sleeps), "vtlcall %#llx in a wrong context", regs->rdi)) {
		regs->r8 = -EINVAL;
		return;
	}
	if (sleeps) {
		might_sleep();
		heki_core_call(core, regs);
		return;
	}
	/* The VP must stay the same throughout the call, as it does in a VTL of its own. */
	local_irq_save(flags);
	heki_core_call(core, regs);
	local_irq_restore(flags);
}
EXPORT_SYMBOL_GPL(heki_vtlcall);

static int __init core_start(void)
{
	u8 seed[16];
	int error;

	limits.vps = nr_cpu_ids;
	core_memory = shim_alloc(NULL, heki_core_size(&limits));
	if (!core_memory) {
		pr_err("no memory for the budgets: %zu KiB\n", heki_core_size(&limits) >> 10);
		return -ENOMEM;
	}
	memset(core_memory, 0, heki_core_size(&limits));
	get_random_bytes(seed, sizeof(seed));
	core = heki_core_init(core_memory, &limits, &shim_ops, NULL, seed);
	error = shim_fiber_init(core, limits.slots);
	if (error)
		shim_free(NULL, core_memory, heki_core_size(&limits));
	return error;
}

static int __init shim_init(void)
{
	int error;

	error = shim_crypto_init();
	if (error)
		return error;
	error = shim_ram_init();
	if (error)
		goto out_crypto;
	error = shim_window_init();
	if (error)
		goto out_ram;
	error = shim_cpu_init();
	if (error)
		goto out_window;
	error = core_start();
	if (error)
		goto out_cpu;
	pr_info("VTL1 core in grade \"audit\", ABI %u, %zu KiB\n", HEKI_ABI_VERSION,
		heki_core_size(&limits) >> 10);
	pr_notice("audit is not a security boundary: who can write kernel memory can blind it\n");
	return 0;

out_cpu:
	shim_cpu_exit();
out_window:
	shim_window_exit();
out_ram:
	shim_ram_exit();
out_crypto:
	shim_crypto_exit();
	return error;
}

/* Callers hold the module by symbol_get(), so none is left. */
static void __exit shim_exit(void)
{
	shim_fiber_exit();
	shim_free(NULL, core_memory, heki_core_size(&limits));
	shim_cpu_exit();
	shim_window_exit();
	shim_ram_exit();
	shim_crypto_exit();
	pr_info("gone, nothing is validated any more\n");
}

module_init(shim_init);
module_exit(shim_exit);

MODULE_DESCRIPTION("HEKI VTL1 core, audit grade");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
