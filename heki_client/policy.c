// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refusing patches of protected text where the kernel's own interface can fail.
 *
 * Kprobes, tracers of functions, BPF programs at functions and live patches end in text patches that
 * VTL1 does not know. By then it is too late for an error: the kernel has no way to be told, and
 * takes a patch that did not happen for a bug. So they are refused at registration, and who asked
 * sees EPERM. Tracepoints, static keys and static calls go on: their places are known.
 *
 * This is for those who keep to the kernel's interfaces. Who can write to kernel memory can take
 * these hooks off, and meets VTL1 at the patch.
 *
 * Functions of ftrace's own files cannot be taken over by ftrace; they are by kprobes. The probe
 * decides, and sends a caller that is refused to a function of ours with the same arguments.
 *
 * Locks: none; reports are made in the caller's context.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/static_call.h>

#include "hooks.h"

static unsigned long text_start, text_end;

/* Protected text is not patched from its protection on, which is before the lock has come to its end. */
static bool strict(void)
{
	if (!client_locked() && !READ_ONCE(client.text_protected))
		return false;
	return READ_ONCE(client.patches) != CLIENT_PATCHES_REPORT || client_final();
}

/* Whether function tracers are among what is refused. */
static bool no_tracing(void)
{
	return strict() && READ_ONCE(client.patches) != CLIENT_PATCHES_TRACING;
}

static bool protected_text(unsigned long address)
{
	return (address >= text_start && address < text_end) || client_modules_text(address, 1);
}

static int refuse(const char *interface, const char *name)
{
	char text[96];

	client_count(CLIENT_COUNT_patches_refused);
	snprintf(text, sizeof(text), "%s refused by HEKI: patches=%s, mode=%s, grade %s", interface,
		 client_patches_policy_name(), client_mode_name(),
		 client_enforced() ? "enforce" : "audit");
	client_report("patching", name, -EPERM, text);
	return -EPERM;
}

static int program_refused(void)
{
	client_count(CLIENT_COUNT_patches_refused);
	client_report("patching", "-", -EPERM, "a new BPF program refused by HEKI: exec=strict");
	return -EPERM;
}

static int kprobe_verdict(const char *interface, const struct kprobe *p)
{
	unsigned long address = (unsigned long)p->addr;
	char name[64];

	if (!strict())
		return 0;
	if (p->symbol_name)
		address = client_symbol(p->symbol_name);
	/* What is not there is the kernel's to refuse. */
	if (!address || !protected_text(address + p->offset))
		return 0;
	snprintf(name, sizeof(name), "%ps", (void *)address);
	return refuse(interface, name);
}

static int check_prototype(struct bpf_prog **prog, union bpf_attr *attr, bpfptr_t uattr, u32 size)
{
	return -EOPNOTSUPP;
}

DEFINE_STATIC_CALL(check_original, check_prototype);
DEFINE_STATIC_CALL_NULL(kprobe_original, register_kprobe);
DEFINE_STATIC_CALL_NULL(enable_original, enable_kprobe);
DEFINE_STATIC_CALL_NULL(bpf_original, bpf_arch_text_poke);
DEFINE_STATIC_CALL_NULL(runtime_original, bpf_prog_select_runtime);
DEFINE_STATIC_CALL_NULL(unlink_original, bpf_trampoline_unlink_prog);

static int kprobe_replacement(struct kprobe *p)
{
	int cookie = client_hook_enter();
	int error = kprobe_verdict("register_kprobe", p);

	if (!error)
		error = static_call(kprobe_original)(p);
	client_hook_leave(cookie);
	return error;
}

/* One that was registered before lock and was off. */
static int enable_replacement(struct kprobe *p)
{
	int cookie = client_hook_enter();
	int error = kprobe_verdict("enable_kprobe", p);

	if (!error)
		error = static_call(enable_original)(p);
	client_hook_leave(cookie);
	return error;
}

/* To take a call away is no attack, and cannot fail. */
static int bpf_replacement(void *ip, enum bpf_text_poke_type type, void *old, void *new)
{
	int cookie = client_hook_enter(), error = 0;
	char name[64];

	if (new && strict() && protected_text((unsigned long)ip)) {
		snprintf(name, sizeof(name), "%ps", ip);
		error = refuse("bpf_arch_text_poke", name);
	}
	if (!error)
		error = static_call(bpf_original)(ip, type, old, new);
	client_hook_leave(cookie);
	return error;
}

/* A new program would be compiled to memory that nobody may execute. */
static struct bpf_prog *runtime_replacement(struct bpf_prog *fp, int *error)
{
	int cookie = client_hook_enter();

	if (client_exec_closed())
		*error = program_refused();
	else
		fp = static_call(runtime_original)(fp, error);
	client_hook_leave(cookie);
	return fp;
}

/*
 * Where one of several programs goes, the kernel makes new code that calls the others, and points the
 * function there: a patch that is refused. It does not look at the error and frees the program, which
 * the old code goes on calling; so the program stays.
 */
static int unlink_replacement(struct bpf_tramp_link *link, struct bpf_trampoline *trampoline,
			      struct bpf_prog *target)
{
	int cookie = client_hook_enter();
	int error = static_call(unlink_original)(link, trampoline, target);
	char name[64];

	if (error == -EPERM && strict()) {
		bpf_prog_inc(link->link.prog);
		snprintf(name, sizeof(name), "%ps", trampoline->func.addr);
		client_report("patching", name, error, "a BPF program stays, for others are there too");
		error = 0;
	}
	client_hook_leave(cookie);
	return error;
}

static void unlink_prepare(struct client_hook *hook)
{
	static_call_update(unlink_original, (typeof(&bpf_trampoline_unlink_prog))hook->address);
}

/* One of several functions is compiled while it is verified. The last parameter is that of newer kernels. */
static int check_replacement(struct bpf_prog **prog, union bpf_attr *attr, bpfptr_t uattr, u32 size)
{
	int cookie = client_hook_enter(), error;

	if (client_exec_closed())
		error = program_refused();
	else
		error = static_call(check_original)(prog, attr, uattr, size);
	client_hook_leave(cookie);
	return error;
}

static void check_prepare(struct client_hook *hook)
{
	static_call_update(check_original, (typeof(&check_prototype))hook->address);
}

static void runtime_prepare(struct client_hook *hook)
{
	static_call_update(runtime_original, (typeof(&bpf_prog_select_runtime))hook->address);
}

static void kprobe_prepare(struct client_hook *hook)
{
	static_call_update(kprobe_original, (typeof(&register_kprobe))hook->address);
}

static void enable_prepare(struct client_hook *hook)
{
	static_call_update(enable_original, (typeof(&enable_kprobe))hook->address);
}

static void bpf_prepare(struct client_hook *hook)
{
	static_call_update(bpf_original, (typeof(&bpf_arch_text_poke))hook->address);
}

/**
 * struct interface - a function that is taken over by ftrace
 * @hook:    its name and what runs in its stead
 * @prepare: points the static call to the original
 */
struct interface {
	struct client_hook hook;
	void (*prepare)(struct client_hook *hook);
};

static struct interface interfaces[] = {
	{ { .symbol = "register_kprobe", .replacement = kprobe_replacement }, kprobe_prepare },
	{ { .symbol = "enable_kprobe", .replacement = enable_replacement }, enable_prepare },
	{ { .symbol = "bpf_arch_text_poke", .replacement = bpf_replacement }, bpf_prepare },
	{ { .symbol = "bpf_check", .replacement = check_replacement }, check_prepare },
	{ { .symbol = "bpf_prog_select_runtime", .replacement = runtime_replacement },
	  runtime_prepare },
	{ { .symbol = "bpf_trampoline_unlink_prog", .replacement = unlink_replacement },
	  unlink_prepare },
};

/* What is not for tracing: calls that go elsewhere at once, and what changes where a function goes on. */
#define OPS_REFUSED (FTRACE_OPS_FL_DIRECT | FTRACE_OPS_FL_IPMODIFY)

/* The first parameter is the tracer. */
static bool startup_applies(const struct pt_regs *regs)
{
	const struct ftrace_ops *ops = (const struct ftrace_ops *)regs->di;

	return no_tracing() || (strict() && ops->flags & OPS_REFUSED);
}

static bool tracer_applies(const struct pt_regs *regs)
{
	return no_tracing();
}

static int *stack_tracer; /* the kernel's stack_tracer_enabled */

/* The second parameter is whether to write. One from before lock can be switched off. */
static bool stack_applies(const struct pt_regs *regs)
{
	return no_tracing() && regs->si && stack_tracer && !READ_ONCE(*stack_tracer);
}

static bool livepatch_applies(const struct pt_regs *regs)
{
	return strict();
}

/* VTL1 lets functions be traced by what it knows: no tracer gets a trampoline of its own. */
static bool trampoline_applies(const struct pt_regs *regs)
{
	return READ_ONCE(client.text_protected);
}

/* What a caller that is refused runs instead. */
static int startup_refused(struct ftrace_ops *ops, int command)
{
	int cookie = client_hook_enter();
	char name[64];
	int error;

	snprintf(name, sizeof(name), "%ps", ops->func);
	error = refuse("ftrace", name);
	client_hook_leave(cookie);
	return error;
}

static int tracer_refused(void *instance)
{
	int cookie = client_hook_enter();
	int error = refuse("current_tracer", "function");

	client_hook_leave(cookie);
	return error;
}

static int graph_refused(void *tracer)
{
	int cookie = client_hook_enter();
	int error = refuse("register_ftrace_graph", "function_graph");

	client_hook_leave(cookie);
	return error;
}

/* It is off, so that 0 is no change. What is written is in the kernel, maybe without a zero at its end. */
static int stack_refused(const void *table, int write, void *buffer, size_t *size, loff_t *position)
{
	int cookie = client_hook_enter(), error = 0, value;
	char text[16];

	strscpy(text, buffer, min(*size + 1, sizeof(text)));
	if (kstrtoint(text, 0, &value) || value)
		error = refuse("stack_trace_sysctl", "stack_tracer_enabled");
	client_hook_leave(cookie);
	return error;
}

static int livepatch_refused(void *patch)
{
	int cookie = client_hook_enter();
	int error = refuse("klp_enable_patch", "-");

	client_hook_leave(cookie);
	return error;
}

/* It is entered by way of the one that all share, which is slower. */
static void trampoline_left_out(struct ftrace_ops *ops)
{
}

/**
 * struct probed - a function that ftrace cannot take over, or need not
 * @probe:   its probe
 * @applies: whether the policy refuses
 * @refused: runs in its stead then
 * @there:   the probe is registered
 */
struct probed {
	struct kprobe probe;
	bool (*applies)(const struct pt_regs *regs);
	void *refused;
	bool there;
};

static struct probed probed[] = {
	{ { .symbol_name = "ftrace_startup" }, startup_applies, startup_refused },
	/* It would not look at the error of the above. */
	{ { .symbol_name = "function_trace_init" }, tracer_applies, tracer_refused },
	/* On 6.1 it would leave the tracer half registered. */
	{ { .symbol_name = "register_ftrace_graph" }, tracer_applies, graph_refused },
	/* Nor would this one look at the error. */
	{ { .symbol_name = "stack_trace_sysctl" }, stack_applies, stack_refused },
	{ { .symbol_name = "arch_ftrace_update_trampoline" }, trampoline_applies,
	  trampoline_left_out },
	{ { .symbol_name = "klp_enable_patch" }, livepatch_applies, livepatch_refused },
};

/* At the first instruction: registers and stack are as the caller left them. */
static int probed_entry(struct kprobe *p, struct pt_regs *regs)
{
	const struct probed *f = container_of(p, struct probed, probe);

	if (!f->applies(regs))
		return 0;
	regs->ip = (unsigned long)f->refused;
	return 1;
}
NOKPROBE_SYMBOL(probed_entry);

/* With one of these no probe is turned into a jump later on, which would be a patch after lock. */
static void probed_after(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(probed_after);

static int probed_install(struct probed *f)
{
	int error;

	/* A kernel without it cannot be asked for it. */
	if (!client_symbol(f->probe.symbol_name))
		return 0;
	f->probe.pre_handler = probed_entry;
	f->probe.post_handler = probed_after;
	error = register_kprobe(&f->probe);
	if (error)
		pr_err("%s cannot be probed: error %d\n", f->probe.symbol_name, error);
	else
		f->there = true;
	return error;
}

/* The page of an instruction that is executed out of line. */
static int slot_add(struct client_ranges *ranges, const struct kprobe *p)
{
	unsigned long page = (unsigned long)p->ainsn.insn & PAGE_MASK;

	return page ? client_ranges_add(ranges, (void *)page, PAGE_SIZE, CLIENT_TEXT_ATTRIBUTES) :
		      0;
}

bool client_policy_probe(const void *address)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probed); i++)
		if (probed[i].there && probed[i].probe.addr == address)
			return true;
	return false;
}

int client_policy_slots(struct client_ranges *ranges)
{
	int error = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probed) && !error; i++)
		if (probed[i].there)
			error = slot_add(ranges, &probed[i].probe);
	return error;
}

/* What is refused there may still be on its way back when its probe has gone. */
static void probed_remove(void)
{
	bool any = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probed); i++) {
		if (!probed[i].there)
			continue;
		unregister_kprobe(&probed[i].probe);
		probed[i].there = false;
		any = true;
	}
	if (!any)
		return;
	synchronize_rcu_tasks();
	synchronize_srcu(&client_hooks_srcu);
	synchronize_rcu_tasks();
}

void client_policy_show(struct seq_file *m, const char *separator)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probed); i++) {
		if (!probed[i].there)
			continue;
		seq_printf(m, "%s%s", separator, probed[i].probe.symbol_name);
		separator = ",";
	}
}

int client_policy_init(void)
{
	int error = 0;
	size_t i;

	text_start = client_symbol("_stext");
	text_end = client_symbol("_etext");
	stack_tracer = (int *)client_symbol("stack_tracer_enabled");
	if (!text_start || text_end <= text_start)
		return -ENOENT;
	for (i = 0; i < ARRAY_SIZE(probed) && !error; i++)
		error = probed_install(&probed[i]);
	for (i = 0; i < ARRAY_SIZE(interfaces) && !error; i++)
		if (client_symbol(interfaces[i].hook.symbol))
			error = client_hook_add(&interfaces[i].hook, interfaces[i].prepare);
	if (error)
		client_policy_exit();
	return error;
}

void client_policy_exit(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(interfaces); i++)
		client_hook_remove(&interfaces[i].hook);
	probed_remove();
}
