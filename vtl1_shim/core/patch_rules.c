// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What may stand at a text patch site.
 *
 * The kernel patches live text in three steps: INT3 over the first byte, then the tail, then the
 * first byte. So a site's state is one of its final encodings, or INT3 in front of the tail of
 * one. Anything else would be code that an attacker chose. A site of one byte, a LOCK prefix, has no
 * tail and is written in one step.
 *
 * Locks: the caller holds HEKI_LOCK_TABLES where the header says so.
 */
#include "call.h"

#define OP_CALL 0xe8
#define OP_JMP32 0xe9
#define OP_JMP8 0xeb
#define OP_RET 0xc3
#define OP_LOCK 0xf0
#define OP_DS 0x3e /* stands for LOCK while one CPU is online: it does nothing */

static const uint8_t nop2[2] = { 0x66, 0x90 };
static const uint8_t nop5[5] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
/* A static call that only returns, and one that returns 0: three prefixes, xor %eax,%eax. */
static const uint8_t ret5[5] = { OP_RET, 0xcc, 0xcc, 0xcc, 0xcc };
static const uint8_t zero5[5] = { 0x2e, 0x2e, 0x2e, 0x31, 0xc0 };

/* First bytes of all encodings below. */
static const uint8_t first_bytes[] = { 0x0f, 0x66, OP_CALL, OP_JMP32, OP_JMP8, OP_RET, 0x2e };

bool patch_is_lock(uint8_t byte)
{
	return byte == OP_LOCK || byte == OP_DS;
}

bool patch_code_valid(uint32_t type, uint8_t size, const uint8_t *code)
{
	switch (type) {
	case HEKI_PATCH_JUMP_LABEL:
		return (size == 2 && code[0] == OP_JMP8) || (size == 5 && code[0] == OP_JMP32);
	case HEKI_PATCH_STATIC_CALL:
	case HEKI_PATCH_MCOUNT:
	case HEKI_PATCH_TRACER_CALL:
		return size == 5;
	case HEKI_PATCH_SMP_LOCK:
		return size == 1 && patch_is_lock(code[0]);
	default:
		return false;
	}
}

int patch_check_lock(struct heki_core *core, const struct patch_site *site)
{
	uint8_t there;

	if (site->type != HEKI_PATCH_SMP_LOCK)
		return 0;
	if (patch_read(core, site, &there))
		return -HEKI_E_COPY_FROM_VTL0;
	return patch_is_lock(there) ? 0 : -HEKI_E_PATCH_LIST;
}

/* Where a 5-byte call or jump at the site leads; false when its own address is unknown. */
static bool branch_target(const struct patch_site *site, const uint8_t *bytes, uint64_t *target)
{
	if (!site->va.v)
		return false;
	*target = site->va.v + 5 + (uint64_t)(int64_t)(int32_t)get_le32(bytes + 1);
	return true;
}

/*
 * What stood at a site when VTL0 was still trusted: at the kernel's, among it the calls to ftrace
 * trampolines of the client's own hooks, which lie in no text that VTL1 knows; and at sites of
 * modules without a file, among it the client's calls of what it has taken over, which go behind
 * the start of a function.
 */
static bool stood_at_boot(struct heki_core *core, const struct patch_site *site,
			  const uint8_t *bytes)
{
	const struct module *m;

	if (memcmp(bytes, site->code, site->size))
		return false;
	if (site->owner == HEKI_OWNER_KERNEL)
		return true;
	m = modules_find(core, site->owner);
	return m && m->flags & HEKI_MODULE_UNVERIFIED;
}

/*
 * A tail call jumps or returns; any other static call calls, does nothing, or gives 0. A site never
 * changes from the one to the other: the stack would be a word off. What stood there first tells.
 */
static bool is_tail_call(const struct patch_site *site)
{
	return site->code[0] == OP_JMP32 || site->code[0] == OP_RET;
}

static bool static_call_legal(struct heki_core *core, const struct patch_site *site,
			      const uint8_t *bytes)
{
	bool tail = is_tail_call(site);
	uint64_t target;

	if (!memcmp(bytes, nop5, 5) || !memcmp(bytes, zero5, 5))
		return !tail;
	if (!memcmp(bytes, ret5, 5))
		return tail;
	if (stood_at_boot(core, site, bytes))
		return true;
	if (bytes[0] != (tail ? OP_JMP32 : OP_CALL))
		return false;
	if (!branch_target(site, bytes, &target))
		return false;
	return functions_target(core, site->owner, target);
}

static bool may_trace(const struct heki_core *core)
{
	return !core->end_of_boot || core->policy & HEKI_POLICY_PATCHES_TRACING;
}

static bool mcount_legal(struct heki_core *core, const struct patch_site *site,
			 const uint8_t *bytes)
{
	uint64_t target;

	if (!memcmp(bytes, nop5, 5) || stood_at_boot(core, site, bytes))
		return true;
	return may_trace(core) && bytes[0] == OP_CALL && branch_target(site, bytes, &target) &&
	       functions_tracer(core, target);
}

/* In a tracer's trampoline: a call of the tracer. */
static bool tracer_call_legal(struct heki_core *core, const struct patch_site *site,
			      const uint8_t *bytes)
{
	uint64_t target;

	if (!memcmp(bytes, nop5, 5) || stood_at_boot(core, site, bytes))
		return true;
	return may_trace(core) && bytes[0] == OP_CALL && branch_target(site, bytes, &target) &&
	       functions_target(core, site->owner, target);
}

bool patch_final_legal(struct heki_core *core, const struct patch_site *site, const uint8_t *bytes)
{
	switch (site->type) {
	case HEKI_PATCH_JUMP_LABEL:
		if (site->size == sizeof(nop2))
			return !memcmp(bytes, site->code, sizeof(nop2)) ||
			       !memcmp(bytes, nop2, sizeof(nop2));
		return site->size == sizeof(nop5) && (!memcmp(bytes, site->code, sizeof(nop5)) ||
						      !memcmp(bytes, nop5, sizeof(nop5)));
	case HEKI_PATCH_STATIC_CALL:
		return static_call_legal(core, site, bytes);
	case HEKI_PATCH_MCOUNT:
		return mcount_legal(core, site, bytes);
	case HEKI_PATCH_TRACER_CALL:
		return tracer_call_legal(core, site, bytes);
	case HEKI_PATCH_SMP_LOCK:
		return patch_is_lock(bytes[0]);
	default:
		return false;
	}
}

bool patch_tail_legal(struct heki_core *core, const struct patch_site *site, const uint8_t *bytes)
{
	uint8_t whole[HEKI_POKE_MAX];
	size_t i;

	memcpy(whole, bytes, site->size);
	whole[0] = site->code[0];
	if (patch_final_legal(core, site, whole))
		return true;
	for (i = 0; i < HEKI_ARRAY_SIZE(first_bytes); i++) {
		whole[0] = first_bytes[i];
		if (patch_final_legal(core, site, whole))
			return true;
	}
	return false;
}

bool patch_state_legal_locked(struct heki_core *core, const struct patch_site *site,
			      const uint8_t *bytes)
{
	if (patch_final_legal(core, site, bytes))
		return true;
	return patch_has_tail(site) && bytes[0] == PATCH_INT3 &&
	       patch_tail_legal(core, site, bytes);
}

bool patch_state_legal(struct heki_core *core, const struct patch_site *site, const uint8_t *bytes)
{
	bool legal;

	core_lock(core);
	legal = patch_state_legal_locked(core, site, bytes);
	core_unlock(core);
	return legal;
}

/* One run of patches behind its header; *@at moves to the next run. */
static int parse_run(struct call *c, struct span data, size_t *at,
		     int (*each)(struct call *c, uint32_t type, const struct heki_patch *patch,
				 void *context),
		     void *context)
{
	struct heki_patch_info info;
	struct heki_patch patch;
	uint64_t i;
	int rc;

	if (!in_bounds(*at, sizeof(info), data.n))
		return refuse(c, HEKI_E_PATCH_FORMAT, *at);
	memcpy(&info, data.p + *at, sizeof(info));
	if (info.padding || !info.patch_index || info.patch_index > info.max_patch_count)
		return refuse(c, HEKI_E_PATCH_FORMAT, *at);
	*at += sizeof(info);
	if (info.patch_index > (data.n - *at) / sizeof(patch))
		return refuse(c, HEKI_E_PATCH_FORMAT, *at);
	for (i = 0; i < info.patch_index; i++, *at += sizeof(patch)) {
		memcpy(&patch, data.p + *at, sizeof(patch));
		if (!patch_well_formed(&patch) ||
		    !patch_code_valid(info.type, patch.size, patch.code))
			return refuse(c, HEKI_E_PATCH_FORMAT, *at);
		rc = each(c, info.type, &patch, context);
		if (rc)
			return rc;
	}
	return 0;
}

int patches_parse(struct call *c, struct span data,
		  int (*each)(struct call *c, uint32_t type, const struct heki_patch *patch,
			      void *context),
		  void *context)
{
	size_t at = 0;
	int rc;

	while (at < data.n) {
		rc = parse_run(c, data, &at, each, context);
		if (rc)
			return rc;
	}
	return 0;
}
