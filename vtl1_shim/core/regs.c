// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Per-VP state: LOCK_REGS, BOOT_APS, ENABLE_APS_VTL.
 *
 * Trust boundary: registers are read by the host, not told by VTL0; masks and the signal page are
 * VTL0's. Locks: takes HEKI_LOCK_TABLES.
 */
#include "call.h"

#define CR0_TS (1ull << 3)

/* What a running kernel changes: see the pin masks in Documentation. */
#define CR4_TSD (1ull << 2)
#define CR4_PSE (1ull << 4) /* differs between CPUs on some kernels */
#define CR4_MCE (1ull << 6)
#define CR4_PGE (1ull << 7)
#define CR4_PCE (1ull << 8)
#define CR4_VMXE (1ull << 13)
#define CR4_FREE (CR4_TSD | CR4_PSE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_VMXE)

#define EFER_SVME (1ull << 12) /* virtualisation in VTL0 switches it */
#define APIC_BASE_BSP (1ull << 8) /* set on the first CPU only */

#define CR0_PINNED (1ull << 0 | 1ull << 16 | 1ull << 31) /* PE, WP, PG */
#define EFER_PINNED (1ull << 0 | 1ull << 8 | 1ull << 10 | 1ull << 11) /* SCE, LME, LMA, NXE */
#define ALL (~0ull)

struct reg_rule {
	const char *name;
	size_t offset; /* in struct heki_vp_regs */
	uint64_t free; /* bits that may differ between VPs */
	uint64_t pinned; /* bits that stay as they are on a VP */
};

/* SYSENTER_ESP points to each CPU's own stack. */
static const struct reg_rule rules[] = {
	{ "CR0", offsetof(struct heki_vp_regs, cr0), CR0_TS, CR0_PINNED },
	{ "CR4", offsetof(struct heki_vp_regs, cr4), CR4_FREE, ~CR4_FREE },
	{ "EFER", offsetof(struct heki_vp_regs, efer), EFER_SVME, EFER_PINNED },
	{ "APIC_BASE", offsetof(struct heki_vp_regs, apic_base), APIC_BASE_BSP, ALL },
	{ "SYSENTER_CS", offsetof(struct heki_vp_regs, sysenter_cs), 0, ALL },
	{ "SYSENTER_EIP", offsetof(struct heki_vp_regs, sysenter_eip), 0, ALL },
	{ "SYSENTER_ESP", offsetof(struct heki_vp_regs, sysenter_esp), ALL, ALL },
	{ "STAR", offsetof(struct heki_vp_regs, star), 0, ALL },
	{ "LSTAR", offsetof(struct heki_vp_regs, lstar), 0, ALL },
	{ "CSTAR", offsetof(struct heki_vp_regs, cstar), 0, ALL },
	{ "SFMASK", offsetof(struct heki_vp_regs, sfmask), 0, ALL },
};

static uint64_t reg_value(const struct heki_vp_regs *regs, const struct reg_rule *rule)
{
	uint64_t v;

	memcpy(&v, (const uint8_t *)regs + rule->offset, sizeof(v));
	return v;
}

static int compare(struct call *c, const struct heki_vp_regs *first,
		   const struct heki_vp_regs *regs)
{
	const struct reg_rule *rule;
	uint64_t want;
	uint64_t have;
	size_t i;

	for (i = 0; i < HEKI_ARRAY_SIZE(rules); i++) {
		rule = &rules[i];
		want = reg_value(first, rule);
		have = reg_value(regs, rule);
		if (!((want ^ have) & ~rule->free))
			continue;
		text_str(c, rule->name);
		text_str(c, " is ");
		text_hex(c, have);
		text_str(c, ", first VP has ");
		text_hex(c, want);
		return refuse(c, HEKI_E_REGISTERS, c->vp);
	}
	return 0;
}

/* Before end of boot the VP that gave the first values may still change its mind. */
static bool is_reference(const struct heki_core *core, uint32_t vp)
{
	return !core->regs_set || (core->regs_vp == vp && !core->end_of_boot);
}

static int lock_regs(struct call *c, struct vp_state *state, const struct heki_vp_regs *regs)
{
	struct heki_core *core = c->core;
	bool reference;
	int rc;

	if (core->end_of_boot && state->locked)
		return refuse(c, HEKI_E_AFTER_END_OF_BOOT, c->vp);
	reference = is_reference(core, c->vp);
	rc = reference ? 0 : compare(c, &core->regs, regs);
	if (rc)
		return rc;
	if (core->ops->pin_regs(core->host))
		return refuse(c, HEKI_E_HYPERCALL, c->vp);
	if (reference) {
		core->regs = *regs;
		core->regs_vp = c->vp;
		core->regs_set = true;
	}
	state->regs = *regs;
	state->locked = 1;
	state->starts++;
	return 0;
}

static const struct reg_rule *rule_of(size_t reg)
{
	size_t i;

	for (i = 0; i < HEKI_ARRAY_SIZE(rules); i++)
		if (rules[i].offset == reg)
			return &rules[i];
	return NULL;
}

enum heki_write heki_core_register_write(struct heki_core *core, size_t reg, uint64_t value)
{
	const struct reg_rule *rule = rule_of(reg);
	uint32_t vp = core->ops->vp(core->host);
	enum heki_write verdict = HEKI_WRITE_REFUSED;
	bool restarted;
	struct vp_state *state;

	if (!rule || vp >= core->limits.vps)
		return HEKI_WRITE_REFUSED;
	restarted = core->ops->vp_restarted(core->host, vp);
	core_lock(core);
	state = &core->vps[vp];
	if (restarted)
		state->locked = 0;
	if (!state->locked)
		verdict = HEKI_WRITE_UNPINNED;
	else if (!((reg_value(&state->regs, rule) ^ value) & rule->pinned))
		verdict = HEKI_WRITE_ALLOWED;
	core_unlock(core);
	return verdict;
}

bool heki_core_start_allowed(struct heki_core *core, struct gpa pa)
{
	const uint32_t rights = HEKI_ATTR_WRITE | HEKI_ATTR_EXEC | HEKI_ATTR_IMMUTABLE;
	const struct frame *frame;
	bool allowed;

	core_lock(core);
	frame = frames_at(core, pa.v >> HEKI_PAGE_SHIFT);
	allowed = !core->end_of_boot || (frame && frame->owner == HEKI_OWNER_KERNEL &&
					 (frame->attributes & rights) ==
						 (HEKI_ATTR_EXEC | HEKI_ATTR_IMMUTABLE));
	core_unlock(core);
	return allowed;
}

/*
 * A restart is taken note of before anything else: it opens the call once, whatever becomes of
 * this attempt.
 */
int call_lock_regs(struct call *c)
{
	struct heki_core *core = c->core;
	struct heki_vp_regs regs = { 0 };
	struct vp_state *state;
	bool restarted;
	int rc;

	if (c->vp >= core->limits.vps)
		return refuse(c, HEKI_E_PARAMETER, c->vp);
	state = &core->vps[c->vp];
	restarted = core->ops->vp_restarted(core->host, c->vp);
	rc = core->ops->read_regs(core->host, &regs) ? refuse(c, HEKI_E_NO_CPU, c->vp) : 0;
	core_lock(core);
	if (restarted)
		state->locked = 0;
	if (!rc)
		rc = lock_regs(c, state, &regs);
	core_unlock(core);
	return rc;
}

/* Copy a page that VTL0 names by its frame number into the arena. */
static int copy_mask(struct call *c, uint64_t pfn, uint8_t **mask)
{
	if (pfn > HEKI_MASK_52 >> HEKI_PAGE_SHIFT)
		return refuse(c, HEKI_E_PHYS_ADDRESS, pfn);
	*mask = arena_alloc(&c->arena, HEKI_PAGE_SIZE);
	if (!*mask)
		return -HEKI_E_NO_MEMORY;
	if (c->core->ops->read(c->core->host, gpa(pfn << HEKI_PAGE_SHIFT), *mask, HEKI_PAGE_SIZE))
		return refuse(c, HEKI_E_CPU_MASK_COPY, pfn << HEKI_PAGE_SHIFT);
	return 0;
}

static bool in_mask(const uint8_t *mask, uint32_t vp)
{
	return mask[vp / 8] >> (vp % 8) & 1;
}

/* Every VP of the mask must have its place in VTL1's table. */
static int check_mask(struct call *c, const uint8_t *mask)
{
	uint32_t vp;

	for (vp = c->core->limits.vps; vp < HEKI_PAGE_SIZE * 8; vp++)
		if (in_mask(mask, vp))
			return refuse(c, HEKI_E_AP_INIT, vp);
	return 0;
}

/* Those that can be are enabled, whatever becomes of others. */
static int enable_all(struct call *c, const uint8_t *mask)
{
	struct heki_core *core = c->core;
	uint32_t vps = (uint32_t)min_u64(core->limits.vps, HEKI_PAGE_SIZE);
	uint32_t vp;
	int failed = 0;

	for (vp = 0; vp < vps; vp++)
		if (in_mask(mask, vp) && core->ops->vp_enable(core->host, vp))
			failed = refuse(c, HEKI_E_AP_INIT, vp);
	return failed;
}

/* VPs that are not possible are found before any of them is enabled. */
int call_enable_aps_vtl(struct call *c)
{
	uint8_t *mask;
	int rc = copy_mask(c, c->p[0], &mask);

	if (!rc)
		rc = check_mask(c, mask);
	return rc ? rc : enable_all(c, mask);
}

/* One byte, never over protected memory. */
static int write_token(struct call *c, uint64_t pa)
{
	static const uint8_t token = HEKI_BOOT_TOKEN;
	struct heki_core *core = c->core;
	int rc = 0;

	core_lock(core);
	if (frames_protected_locked(core, gpa(pa), 1))
		rc = refuse(c, HEKI_E_OVERLAP, pa);
	else if (core->ops->write(core->host, gpa(pa), &token, 1))
		rc = refuse(c, HEKI_E_BOOT_SIGNAL_WRITE, pa);
	core_unlock(core);
	return rc;
}

/* VPs that do not come up get no token, and the call says so when the others have theirs. */
static int boot_all(struct call *c, const uint8_t *mask, uint64_t signal)
{
	struct heki_core *core = c->core;
	uint32_t vps = (uint32_t)min_u64(core->limits.vps, HEKI_PAGE_SIZE);
	uint32_t vp;
	int failed = 0;
	int rc;

	for (vp = 0; vp < vps; vp++) {
		if (!in_mask(mask, vp))
			continue;
		if (core->ops->vp_up(core->host, vp)) {
			failed = refuse(c, HEKI_E_AP_INIT, vp);
			continue;
		}
		rc = write_token(c, signal + vp);
		if (rc)
			return rc;
	}
	return failed;
}

int call_boot_aps(struct call *c)
{
	uint64_t signal = c->p[1] << HEKI_PAGE_SHIFT;
	uint8_t *mask;
	uint8_t byte;
	int rc;

	rc = copy_mask(c, c->p[0], &mask);
	if (rc)
		return rc;
	rc = check_mask(c, mask);
	if (rc)
		return rc;
	if (c->p[1] > HEKI_MASK_52 >> HEKI_PAGE_SHIFT)
		return refuse(c, HEKI_E_PHYS_ADDRESS, c->p[1]);
	/* Before any VP starts, so that a bad page fails the call with nothing done. */
	if (c->core->ops->read(c->core->host, gpa(signal), &byte, 1))
		return refuse(c, HEKI_E_BOOT_SIGNAL_COPY, signal);
	return boot_all(c, mask, signal);
}
