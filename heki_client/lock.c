// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock sequence: from a kernel that boots to one that VTL1 protects.
 *
 * Early load, while initcalls run: certificates are sent at once, from memory that the kernel frees
 * later. Everything else waits for the return of mark_rodata_ro(): by then init memory is gone,
 * boot-time patching is over and the kernel's own protection is final. The first process starts
 * after that.
 *
 * Late load: userspace gives certificates and offers the files of modules, then asks for the lock.
 *
 * Locks: lock_mutex around everything here; outermost but for that of the device.
 */
#include "internal.h"

#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "hooks.h"

#define RING_SIZE (64u << 10)

static DEFINE_MUTEX(lock_mutex);
static bool certs_sent;
static unsigned long ring;

static void phase_set(enum client_phase phase)
{
	/* Pairs with client_phase(). */
	smp_store_release(&client.phase, phase);
}

/* The phase ends the same way whether or not anybody still listens. */
static int end_of_boot(void)
{
	return client_call(HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0);
}

/* Say which step failed, and VTL1's reason when it was VTL1 that refused. */
static void lock_failed(const char *step, int error)
{
	struct heki_log_record record;
	char text[64];

	if (client_refusal(0, &record))
		snprintf(text, sizeof(text), "%s: %s", step, client_error_name(record.error));
	else
		strscpy(text, step, sizeof(text));
	client_report("lock", "-", error, text);
}

static const struct lock_step {
	const char *name;
	int (*run)(void);
} lock_steps[] = {
	{ "symbols", client_kernel_symbols },
	{ "lists and patch sites", client_kernel_lists },
	{ "policy", client_exec_send },
	{ "protection", client_protect_kernel },
	{ "modules loaded before", client_modules_loaded_before },
	{ "registers", client_registers_lock },
	{ "end of boot", end_of_boot },
};

static int lock_run(void)
{
	const struct lock_step *step;
	int error;

	for (step = lock_steps; step < lock_steps + ARRAY_SIZE(lock_steps); step++) {
		error = step->run();
		if (error < 0) {
			lock_failed(step->name, error);
			return error;
		}
	}
	return 0;
}

static int lock_sequence(void)
{
	int error;

	/* Nothing is lost yet: they may still come. */
	if (!certs_sent) {
		client_report("lock", "-", -ENOKEY, "no certificates were given");
		return -ENOKEY;
	}
	error = client_probes_hold();
	if (error)
		return error;
	phase_set(CLIENT_LOCKING);
	error = lock_run();
	client_probes_release();
	if (error) {
		pr_err("this system is NOT protected; for another try %s\n",
		       client_enforced() ? "reboot" : "reload vtl1_shim as well");
		phase_set(CLIENT_FAILED);
		client_policy_final();
		return error;
	}
	phase_set(CLIENT_LOCKED);
	client_policy_final();
	pr_info("end of boot, loaded %s, grade \"%s\"\n", client.early ? "early" : "late",
		client_enforced() ? "enforce" : "audit");
	return 0;
}

static bool lock_open(void)
{
	enum client_phase phase = client_phase();

	return phase == CLIENT_BOOTING || phase == CLIENT_WAITING;
}

int client_lock_now(void)
{
	int error = -EPERM;

	mutex_lock(&lock_mutex);
	if (lock_open())
		error = lock_sequence();
	mutex_unlock(&lock_mutex);
	return error;
}

static int certs_send(void)
{
	int error = client_certs_send();

	if (error)
		lock_failed("system certificates", error);
	else
		certs_sent = true;
	client_certs_free();
	return error;
}

int client_lock_certs(const void *der, size_t n)
{
	int error = -EPERM;

	mutex_lock(&lock_mutex);
	if (lock_open() && certs_sent) {
		error = -EALREADY;
	} else if (lock_open()) {
		error = client_certs_add(der, n);
		if (!error)
			error = certs_send();
	}
	mutex_unlock(&lock_mutex);
	return error;
}

int client_lock_offer(const void *elf, size_t n)
{
	int error = -EPERM;

	mutex_lock(&lock_mutex);
	if (lock_open())
		error = client_modules_offer(elf, n);
	mutex_unlock(&lock_mutex);
	return error;
}

DEFINE_STATIC_CALL_NULL(rodata_original, mark_rodata_ro);

static void rodata_replacement(void)
{
	int cookie = client_hook_enter();

	static_call(rodata_original)();
	client_lock_now();
	client_hook_leave(cookie);
}

static struct client_hook rodata_hook = {
	.symbol = "mark_rodata_ro",
	.replacement = rodata_replacement,
};

static void rodata_prepare(struct client_hook *hook)
{
	static_call_update(rodata_original, (typeof(&mark_rodata_ro))hook->address);
}

/* What the kernel was built with is there only now; what the initramfs adds is trusted as well. */
static int certs_early(const char *extra)
{
	int error = client_certs_builtin();

	if (!error && extra)
		error = client_certs_file(extra);
	if (!error)
		error = client_kernel_revoked_copy();
	return error ? error : certs_send();
}

static int certs_late(const char *extra)
{
	int error = extra ? client_certs_file(extra) : 0;

	return error || !extra ? error : certs_send();
}

static int ring_allocate(void)
{
	int result;

	ring = __get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(RING_SIZE));
	if (!ring)
		return -ENOMEM;
	result = client_call(HEKI_CALL_ALLOCATE_RINGBUFFER, __pa(ring), RING_SIZE, 0);
	if (result >= 0)
		return 0;
	free_pages(ring, get_order(RING_SIZE));
	ring = 0;
	return result;
}

/* Memory that VTL1 may still write to is lost rather than freed. */
static void ring_release(void)
{
	if (ring && client_call(HEKI_CALL_ALLOCATE_RINGBUFFER, 0, 0, 0) >= 0)
		free_pages(ring, get_order(RING_SIZE));
	ring = 0;
}

/**
 * client_lock_init() - begin, as far as is possible now
 * @extra: file of further certificates, or NULL
 * @kexec: file of trust anchors for kexec, or NULL
 *
 * Return: 0 or -errno
 */
int client_lock_init(const char *extra, const char *kexec)
{
	int error;

	error = ring_allocate();
	if (error) {
		lock_failed("log ring", error);
		return error;
	}
	phase_set(client.early ? CLIENT_BOOTING : CLIENT_WAITING);
	error = client.early ? certs_early(extra) : certs_late(extra);
	if (!error && kexec)
		error = client_certs_kexec(kexec);
	if (!error && client.early)
		error = client_hook_install(&rodata_hook, rodata_prepare);
	if (error)
		client_lock_exit();
	return error;
}

void client_lock_exit(void)
{
	client_hook_remove(&rodata_hook);
	client_registers_exit();
	ring_release();
	client_certs_free();
	client_kernel_data_free();
}
