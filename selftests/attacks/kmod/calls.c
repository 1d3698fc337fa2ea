// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forged vtlcalls.  The effect is that VTL1 serves one.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <heki/heki.h>
#include <heki/image.h>

#include "attacks.h"

#define UNKNOWN 0x1fff5
#define LOCAL_APIC 0xfee00000
#define FLOOD 3000

/**
 * struct call - parameters of a call, and memory for its chain
 * @id:   of the call
 * @p:    parameters
 * @a:    first page of the chain
 * @b:    second page
 * @what: address that is refused
 */
struct call {
	u64 id;
	u64 p[3];
	struct heki_page *a;
	struct heki_page *b;
	u64 what;
};

static u64 text_page(void)
{
	return physical(target_text()) & PAGE_MASK;
}

static void one_range(struct call *call, u64 pa, u64 n, u64 attributes)
{
	call->a->nranges = 1;
	call->a->ranges[0] = (struct heki_range){
		.va = (u64)__va(pa),
		.pa = pa,
		.epa = pa + n,
		.attributes = attributes,
	};
	call->p[0] = __pa(call->a);
	call->p[1] = 1;
}

static void forge_unknown(struct call *call)
{
	call->id = UNKNOWN;
}

static void forge_test(struct call *call)
{
	call->id = HEKI_TEST_NULL;
}

static void forge_protect(struct call *call)
{
	call->id = HEKI_CALL_PROTECT_MEMORY;
	one_range(call, text_page(), PAGE_SIZE, HEKI_ATTR_READ | HEKI_ATTR_WRITE);
}

static void forge_kdata(struct call *call)
{
	call->id = HEKI_CALL_LOAD_KDATA;
	one_range(call, __pa(call->b), 64, HEKI_KDATA_SYSTEM_CERTS);
}

static void forge_lock_regs(struct call *call)
{
	call->id = HEKI_CALL_LOCK_REGS;
}

static void forge_late_module(struct call *call)
{
	call->id = HEKI_CALL_VALIDATE_MODULE;
	one_range(call, __pa(call->b), PAGE_SIZE, HEKI_MOD_TEXT);
	call->p[2] = HEKI_MODULE_UNVERIFIED;
	call->what = HEKI_MODULE_UNVERIFIED;
}

static void forge_unaligned(struct call *call)
{
	call->id = HEKI_CALL_COPY_SECONDARY_KEY;
	one_range(call, __pa(call->b), 64, 0);
	call->p[0] += 8;
	call->what = call->p[0];
}

static void forge_cyclic(struct call *call)
{
	call->id = HEKI_CALL_COPY_SECONDARY_KEY;
	one_range(call, __pa(call->b), 64, 0);
	call->a->next_pa = __pa(call->a);
	call->p[1] = 1000;
	call->what = __pa(call->a);
}

static void forge_empty(struct call *call)
{
	call->id = HEKI_CALL_COPY_SECONDARY_KEY;
	call->a->next_pa = __pa(call->b);
	call->b->next_pa = __pa(call->a);
	call->p[0] = __pa(call->a);
	call->p[1] = 2;
	call->what = __pa(call->a);
}

static void forge_many(struct call *call)
{
	call->id = HEKI_CALL_COPY_SECONDARY_KEY;
	one_range(call, __pa(call->b), 64, 0);
	call->p[1] = 1ull << 40;
	call->what = call->p[1];
}

static void forge_at_vtl1(struct call *call)
{
	call->id = HEKI_CALL_COPY_SECONDARY_KEY;
	call->p[0] = argument();
	call->p[1] = 1;
	call->what = argument();
}

static void forge_range_at_vtl1(struct call *call)
{
	call->id = HEKI_CALL_COPY_SECONDARY_KEY;
	one_range(call, argument(), 64, 0);
	call->what = argument();
}

static void forge_at_device(struct call *call)
{
	call->id = HEKI_CALL_COPY_SECONDARY_KEY;
	call->p[0] = LOCAL_APIC;
	call->p[1] = 1;
	call->what = LOCAL_APIC;
}

static void forge_garbage_key(struct call *call)
{
	call->id = HEKI_CALL_COPY_SECONDARY_KEY;
	memset(call->b, 0x30, 64);
	one_range(call, __pa(call->b), 64, 0);
}

static void forge_token(struct call *call)
{
	call->id = HEKI_CALL_UNLOAD_MODULE;
	call->p[0] = 0x7fffffff;
	call->what = call->p[0];
}

static void forge_init_again(struct call *call)
{
	call->id = HEKI_CALL_FREE_MODULE_INIT;
	call->p[0] = argument();
	call->what = argument();
}

static void forge_dead_token(struct call *call)
{
	call->id = HEKI_CALL_UNLOAD_MODULE;
	call->p[0] = argument();
	call->what = argument();
}

static void forge_ring(struct call *call)
{
	call->id = HEKI_CALL_ALLOCATE_RINGBUFFER;
	call->p[0] = text_page();
	call->p[1] = PAGE_SIZE;
	call->what = call->p[0];
}

static void forge_ring_at_vtl1(struct call *call)
{
	forge_ring(call);
	call->p[0] = argument();
	call->what = argument();
}

static void forge_reply(struct call *call)
{
	call->id = HEKI_CALL_STATS;
	call->p[0] = text_page();
	call->what = call->p[0];
}

static void forge_reply_at_vtl1(struct call *call)
{
	call->id = HEKI_CALL_STATS;
	call->p[0] = argument();
	call->what = argument();
}

static void forge_boot_tokens(struct call *call)
{
	call->id = HEKI_CALL_BOOT_APS;
	call->a->next = 1; /* a mask with the first CPU */
	call->p[0] = __pa(call->a) >> PAGE_SHIFT;
	call->p[1] = text_page() >> PAGE_SHIFT;
	call->what = text_page();
}

static void forge_kexec(struct call *call)
{
	call->id = HEKI_CALL_KEXEC_VALIDATE;
	one_range(call, text_page(), PAGE_SIZE, HEKI_KEXEC_PAGES);
	call->what = call->p[0];
}

static int call_run(const struct attack *attack, struct result *result)
{
	void (*const *forge)(struct call *call) = attack->data;
	struct call call = { };
	int error = -ENOMEM, answer;

	call.a = (void *)get_zeroed_page(GFP_KERNEL);
	call.b = (void *)get_zeroed_page(GFP_KERNEL);
	if (!call.a || !call.b)
		goto out;
	(*forge)(&call);
	result->address = call.what;
	error = call_vtl1(call.id, call.p[0], call.p[1], call.p[2], &answer);
	if (error)
		goto out;
	result->effect = answer >= 0;
	result->error = answer < 0 ? answer : 0;
out:
	free_page((unsigned long)call.b);
	free_page((unsigned long)call.a);
	return error;
}

/* More refusals than the log has room for; the argument is how many records it has lost before. */
static int flood_run(const struct attack *attack, struct result *result)
{
	unsigned int i;
	int error = 0, answer;

	for (i = 0; !error && i < FLOOD; i++)
		error = call_vtl1(UNKNOWN, 0, 0, 0, &answer);
	result->error = error ? 0 : answer;
	return error;
}

#define CALL(case, forge)                                                                          \
	{ case, call_run, NULL, &(void (*const)(struct call *call)){ forge } }

const struct attack call_attacks[] = {
	CALL("call-unknown", forge_unknown),
	CALL("call-test-image", forge_test),
	CALL("call-protect", forge_protect),
	CALL("call-kernel-data", forge_kdata),
	CALL("call-lock-registers", forge_lock_regs),
	CALL("call-late-module", forge_late_module),
	CALL("call-unaligned", forge_unaligned),
	CALL("call-cyclic", forge_cyclic),
	CALL("call-empty-pages", forge_empty),
	CALL("call-many-ranges", forge_many),
	CALL("call-at-vtl1", forge_at_vtl1),
	CALL("call-range-at-vtl1", forge_range_at_vtl1),
	CALL("call-at-device", forge_at_device),
	CALL("call-garbage-key", forge_garbage_key),
	CALL("token-forged", forge_token),
	CALL("token-init-again", forge_init_again),
	CALL("token-dead", forge_dead_token),
	CALL("ring-over-text", forge_ring),
	CALL("ring-over-vtl1", forge_ring_at_vtl1),
	CALL("reply-over-text", forge_reply),
	CALL("reply-over-vtl1", forge_reply_at_vtl1),
	CALL("boot-tokens-over-text", forge_boot_tokens),
	CALL("kexec-pages-over-text", forge_kexec),
	{ "log-flood", flood_run, NULL, NULL },
	{ }
};
