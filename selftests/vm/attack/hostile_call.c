// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raw VTL calls. Every one looks whether registers are kept and the result is one that the ABI has.
 */
#include "hostile.h"

#include <linux/sched.h>
#include <linux/spinlock.h>
#include <asm/asm.h>
#include <asm/fpu/api.h>

#include "vtl_call.h"

#define CONTINUED_MOST 1000000
#define TOKENS 64
/* What a module's token may be, if it is none of ours. */
#define TOKENS_GUESSED (1u << 20)
#define HV_CALL_VTL 0x11ull

static void *call_page;

static DEFINE_SPINLOCK(tokens_lock);
static u32 tokens[TOKENS], spares[TOKENS];

atomic64_t counts[COUNTS];

int call_init(void)
{
	if (!hv_hypercall_pg)
		return -ENODEV;
	call_page = vtl_call_find();
	return call_page ? 0 : -ENODEV;
}

static bool in_list(const u32 *list, u64 token)
{
	unsigned int i;

	for (i = 0; i < TOKENS; i++)
		if (list[i] && list[i] == token)
			return true;
	return false;
}

/*
 * A hostile VTL0 may well give back the token of a module that goes on running. Its memory is no
 * kernel text any more, and this VTL0 would die of it.
 */
static bool token_ours(u64 token)
{
	bool ours;

	spin_lock(&tokens_lock);
	ours = !token || token > TOKENS_GUESSED || in_list(tokens, token) || in_list(spares, token);
	spin_unlock(&tokens_lock);
	return ours;
}

void tokens_add(u32 token)
{
	unsigned int i;

	count(COUNT_modules);
	spin_lock(&tokens_lock);
	for (i = 0; i < TOKENS && tokens[i]; i++)
		;
	if (!WARN_ON(i == TOKENS))
		tokens[i] = token;
	spin_unlock(&tokens_lock);
}

u64 tokens_any(struct actor *a)
{
	const u32 *list = random_next(a) & 1 ? tokens : spares;
	u32 token = READ_ONCE(list[random_below(a, TOKENS)]);

	return token ? token : READ_ONCE(list[0]);
}

/* Give all back; some may be in use on the other CPU, or in a call that was left. */
void tokens_drop(struct actor *a)
{
	struct call c = { .id = HEKI_CALL_UNLOAD_MODULE };
	unsigned int i;

	for (i = 0; i < TOKENS; i++) {
		c.p[0] = READ_ONCE(tokens[i]);
		if (!c.p[0] || call_make(a, &c, 0) == -EBUSY)
			continue;
		cmpxchg(&tokens[i], (u32)c.p[0], 0);
	}
}

bool tokens_spare(const char *list)
{
	unsigned int n;
	int length;

	memset(spares, 0, sizeof(spares));
	for (n = 0; n < TOKENS && sscanf(list, "%u%n", &spares[n], &length) == 1; n++)
		list += length + (list[length] == ',');
	return n;
}

static bool errno_known(int result)
{
	switch (-result) {
	case 1: case 2: case 5: case 7: case 11: case 12: case 13: case 14: case 16: case 22: case 34:
	case 61: case 65: case 75: case 80: case 95: case 126: case 129:
		return true;
	default:
		return result >= 0;
	}
}

static u64 enter(struct actor *a, const struct call *c)
{
	struct kept before, kept;
	unsigned long flags;
	unsigned int i;
	u64 result;

	for (i = 0; i < ARRAY_SIZE(before.general); i++) {
		before.general[i] = random_next(a);
		before.vector[i] = random_next(a);
	}
	kept = before;
	kernel_fpu_begin();
	local_irq_save(flags);
	result = vtl_call_keeping(call_page, c->id, c->p[0], c->p[1], c->p[2], &kept);
	local_irq_restore(flags);
	kernel_fpu_end();
	if (memcmp(&before, &kept, sizeof(kept)))
		count(COUNT_registers);
	return result;
}

int call_enter(struct actor *a, const struct call *c)
{
	struct call safe = *c;
	int result;

	if ((c->id == HEKI_CALL_UNLOAD_MODULE || c->id == HEKI_CALL_FREE_MODULE_INIT) &&
	    !token_ours(c->p[0]))
		safe.p[0] |= TOKENS_GUESSED * 2ull;
	/* This kernel's own text is not protected then, and would not run any more. */
	if (c->id == HEKI_CALL_SIGNAL_END_OF_BOOT && boot_phase)
		safe.id = HEKI_CALL_OPTEE_MESSAGE;
	count(COUNT_entries);
	result = (int)enter(a, &safe);
	if (!errno_known(result))
		count(COUNT_results);
	return result;
}

int call_make(struct actor *a, const struct call *c, u64 entries)
{
	unsigned int i = 0;
	int result;

	do {
		result = call_enter(a, c);
		cond_resched();
	} while (result == -EAGAIN && ++i != entries && i < CONTINUED_MOST);
	if (result == -EAGAIN) {
		count(COUNT_left);
		return result;
	}
	count(COUNT_calls);
	count(result < 0 ? COUNT_refused : COUNT_accepted);
	if (c->id == HEKI_CALL_VALIDATE_MODULE && result > 0)
		tokens_add(result);
	return result;
}

void call_odd(u64 control)
{
	u64 rax = control ? control : 1, rcx = HV_CALL_VTL;
	int fault = 0;

	asm volatile("1: vmmcall\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[fault])
		     : [fault] "+r"(fault), "+a"(rax), "+c"(rcx)
		     :
		     : "rdi", "rsi", "rdx", "r8", "memory", "cc");
	count(COUNT_entries);
	count(fault ? COUNT_undefined : COUNT_results);
}
