// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole vtlcalls against a guest. The input is a program: the kind of guest, then steps of VTL0:
 * writes to its memory, calls with parameters that mostly point to something, modules and kexec
 * images that are sent as they are or with a change, patches, another VP, host operations that
 * fail. After each call everything must be as world_check() demands.
 */
#include "world.h"

#define STEPS_MOST 12

void target_seeds(void)
{
	/* start: enforce, booted, trusting, early, cut; step codes as in steps[] below */
	static const uint8_t modules[] = { 7, 2, 0, 0, 0, 2, 1, 0, 0, 7, 0, 1, 7, 1, 1, 7, 0, 2 };
	static const uint8_t audit[] = { 2, 2, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 3, 1, 0, 0, 0 };
	static const uint8_t kexec[] = { 7, 3, 0, 0, 3, 1, 0, 3, 0, 1, 9, 9, 9, 3, 1, 4 };
	static const uint8_t patch[] = { 3, 4, 0, 1, 0, 4, 0, 2, 0, 4, 0, 3, 0, 4, 2, 0, 0 };
	static const uint8_t batch[] = { 3, 13, 2, 0, 0, 1, 0, 1, 1, 0, 2, 1, 0, 13, 2, 0, 0, 2, 0,
					 1, 2, 0, 2, 2, 0, 13, 1, 0, 0, 1, 0, 0, 1, 0 };
	static const uint8_t boot[] = { 0, 6, 0, 3, 1, 4, 0, 5, 12, 9, 0, 8, 10, 1, 8 };
	static const uint8_t protect[] = { 1, 1, 9, 2, 0, 1, 1, 3, 8, 1, 5, 1, 8, 0, 8, 0, 0, 0, 0, 0 };
	static const uint8_t early[] = { 11, 2, 0xc2, 0, 0, 7, 0, 1, 2, 0xc3, 1, 8, 1, 7, 1, 1 };
	static const uint8_t live[] = { 10, 2, 0x81, 0, 0, 2, 0x43, 0, 0, 10, 0, 10, 1, 10, 2, 10, 0x43 };
	static const uint8_t cut[] = { 23, 2, 0, 0, 0, 2, 1, 0, 0, 7, 0, 1, 3, 0, 0 };
	static const uint8_t left[] = { 23, 11, 3, 2, 0, 0, 0, 2, 1, 0, 0, 12, 0x10, 5, 12, 0x21, 40, 3,
					0, 0, 12, 0, 255, 12, 1, 255 };
	static const uint8_t chain[] = { 6, 1, 10, 1, 0, 2, 0, 1, 0, 0, 1, 11, 1, 1, 1, 1, 2, 0, 0 };

	seed("modules", modules, sizeof(modules));
	seed("audit", audit, sizeof(audit));
	seed("kexec", kexec, sizeof(kexec));
	seed("patch", patch, sizeof(patch));
	seed("batch", batch, sizeof(batch));
	seed("boot", boot, sizeof(boot));
	seed("protect", protect, sizeof(protect));
	seed("chain", chain, sizeof(chain));
	seed("cut", cut, sizeof(cut));
	seed("left", left, sizeof(left));
	seed("early", early, sizeof(early));
	seed("live", live, sizeof(live));
}

struct program {
	struct world *w;
	struct input in;
	int token[4]; /* of what was validated, the newest first */
	uint32_t page; /* of the world's pages, the next for ranges */
};

/* A physical address, mostly a good one. */
static uint64_t address(struct program *p)
{
	const struct world *w = p->w;
	uint8_t choice = input_u8(&p->in), offset = choice & 0x20 ? input_u8(&p->in) : 0;
	const struct placed *m = &w->m[choice & 1];
	const uint64_t some[] = {
		w->pages, w->pages + HEKI_PAGE_SIZE, w->pages + 4 * HEKI_PAGE_SIZE,
		w->pages + 8 * HEKI_PAGE_SIZE, w->k.text, w->k.rodata, WORLD_VTL1,
		WORLD_VTL1 - HEKI_PAGE_SIZE, HOLE_PA, HOLE_PA - HEKI_PAGE_SIZE, WORLD_RAM, 0,
		1ull << 52, ~0ull, w->booted ? m->elf_pa : 1, w->booted ? w->image[0].blob_pa : 2,
	};

	return some[choice % HEKI_ARRAY_SIZE(some)] + offset;
}

static uint64_t token(struct program *p)
{
	uint8_t choice = input_u8(&p->in);

	return choice < 4 ? (uint64_t)p->token[choice] : choice;
}

/* What a parameter may be: an address, a token, a small number, anything. */
static uint64_t parameter(struct program *p)
{
	switch (input_u8(&p->in) & 3) {
	case 0:
		return address(p);
	case 1:
		return token(p);
	case 2:
		return input_u8(&p->in);
	default:
		return input_u64(&p->in);
	}
}

static const uint64_t ids[] = {
#define FUZZ_ID(id, name, handler, phase, context, arguments) id,
	HEKI_CALLS(FUZZ_ID)
#undef FUZZ_ID
	0, 0x1ffef,
};

/* BOOT_APS brings VPs up for good, and REVOKE may take the kernel's own certificates. */
static void step_call(struct program *p)
{
	uint64_t id = ids[input_u8(&p->in) % HEKI_ARRAY_SIZE(ids)];
	uint64_t p0 = parameter(p), p1 = parameter(p);

	world_call(p->w, id, p0, p1, parameter(p));
}

static uint64_t attributes(struct program *p)
{
	uint8_t choice = input_u8(&p->in);

	return choice < 0x20 ? choice : choice < 0x40 ? 0x100u | (choice & 3) : input_u64(&p->in);
}

/* A page of ranges, and a call with it. */
static void step_ranges(struct program *p)
{
	uint64_t id = ids[input_u8(&p->in) % HEKI_ARRAY_SIZE(ids)];
	uint32_t n = 1 + input_u8(&p->in) % 4;
	struct ranges list = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		uint64_t pa = address(p), type = attributes(p);
		uint8_t length = input_u8(&p->in);
		uint64_t bytes = length & 0x80 ? input_u16(&p->in) : length * HEKI_PAGE_SIZE;

		add_range(&list, DIRECT_MAP + pa, pa, bytes, type);
	}
	if (p->page++ < 8) /* pages of guest memory do not last for ever */
		world_ranges(p->w, id, &list, input_u8(&p->in) & 1);
	drop_ranges(&list);
}

/* Change one range of a list: n, field, by what; all zero: nothing. */
static void change_range(struct program *p, struct ranges *list)
{
	uint8_t which = input_u8(&p->in), how = input_u8(&p->in);
	struct heki_range *r = &list->r[which % list->n];
	uint64_t value;

	if (!how)
		return;
	value = how & 0x40 ? input_u64(&p->in) : input_u8(&p->in);
	if (how & 1)
		r->pa = how & 0x80 ? address(p) : r->pa ^ value;
	if (how & 2)
		r->epa ^= value;
	if (how & 4)
		r->va ^= value;
	if (how & 8)
		r->attributes = attributes(p);
	if (how & 16 && list->n > 1)
		*r = list->r[--list->n];
}

/*
 * Bits of how a module is sent: which one, unverified, a byte changed, live; 0x40 leaves out what
 * the kind of module has not, 0x80 says the kind to VTL1.
 */
static bool validate_takes(uint8_t how, uint64_t type)
{
	if (type == HEKI_MOD_INFO)
		return how & 2;
	if (how & 0x40 && how & 2 && type == HEKI_MOD_ELF_BUFFER)
		return false;
	return !(how & 0x40 && how & 8 && type >= HEKI_MOD_INIT_TEXT && type <= HEKI_MOD_INIT_RODATA);
}

static uint64_t validate_flags(uint8_t how)
{
	return !(how & 0x80) ? 0 : (how & 2 ? HEKI_MODULE_UNVERIFIED : 0) |
				   (how & 8 ? HEKI_MODULE_LIVE : 0) | (how & 0x30) << 4;
}

static void step_validate(struct program *p)
{
	struct placed *m;
	struct ranges list = { 0 };
	uint8_t which = input_u8(&p->in);
	int result;

	if (!p->w->booted || p->page++ >= 8)
		return;
	m = &p->w->m[which % WORLD_MODULES];
	for (size_t i = 0; i < m->ranges.n; i++)
		if (validate_takes(which, m->ranges.r[i].attributes))
			add_range(&list, m->ranges.r[i].va, m->ranges.r[i].pa,
				  m->ranges.r[i].epa - m->ranges.r[i].pa, m->ranges.r[i].attributes);
	change_range(p, &list);
	if (which & 4) { /* a byte of the file or of the memory */
		const struct heki_range *r = &m->ranges.r[input_u8(&p->in) % m->ranges.n];
		uint64_t at = r->pa + input_u16(&p->in) % (r->epa - r->pa);
		uint8_t byte = *(uint8_t *)guest_at(p->w->g, at) ^ input_u8(&p->in);

		guest_store(p->w->g, at, &byte, 1);
	}
	result = world_ranges(p->w, HEKI_CALL_VALIDATE_MODULE, &list, validate_flags(which));
	drop_ranges(&list);
	if (result <= 0)
		return;
	memmove(p->token + 1, p->token, 3 * sizeof(p->token[0]));
	p->token[0] = result;
}

static void step_kexec(struct program *p)
{
	uint8_t which = input_u8(&p->in), how = input_u8(&p->in);
	struct ranges list = { 0 };
	struct image *m;

	if (!p->w->booted || p->page++ >= 8)
		return;
	m = &p->w->image[which & 1];
	if (how & 4) {
		world_call(p->w, HEKI_CALL_KEXEC_VALIDATE, 0, 0, which & 3);
		return;
	}
	for (size_t i = 0; i < m->ranges.n; i++)
		add_range(&list, m->ranges.r[i].va, m->ranges.r[i].pa,
			  m->ranges.r[i].epa - m->ranges.r[i].pa, m->ranges.r[i].attributes);
	if (how & 1)
		change_range(p, &list);
	if (how & 2) {
		uint64_t at = (how & 8 ? m->segments_pa : m->blob_pa) + input_u16(&p->in) % 0x3800;
		uint8_t byte = input_u8(&p->in);

		guest_store(p->w->g, at, &byte, 1);
	}
	world_ranges(p->w, HEKI_CALL_KEXEC_VALIDATE, &list, m->slot);
	drop_ranges(&list);
}

/* A step at one of the first sites, or nearly one; false when there is no such site. */
static bool make_step(struct program *p, struct heki_patch *patch)
{
	uint32_t index = 1 + input_u8(&p->in) % 8;
	uint8_t how = input_u8(&p->in), change = input_u8(&p->in);
	uint8_t code[HEKI_POKE_MAX] = { 0 };
	struct patch_site site;
	uint8_t at = (how & 3) == 2;

	if (!patches_next(p->w->g->core, &index, &site))
		return false;
	memcpy(code, how & 4 ? site.size == 2 ? nop2 : nop5 : site.code, site.size);
	if ((how & 3) == 1)
		code[0] = PATCH_INT3;
	code[change % HEKI_POKE_MAX] ^= how & 8 ? change : 0;
	*patch = make_patch(site.pa.v + at, site.next.v, code + at,
			    how & 1 ? 1 : (uint8_t)(site.size - at));
	if (how & 16)
		patch->pa[1] = address(p);
	return true;
}

static void step_patch(struct program *p)
{
	struct heki_patch patch;

	if (make_step(p, &patch))
		world_patch(p->w, p->w->pages + 16 * HEKI_PAGE_SIZE, &patch);
}

static void step_batch(struct program *p)
{
	struct heki_patch_batch batch = { .count = 1 + input_u8(&p->in) % WORLD_BATCH };
	uint8_t wrong = input_u8(&p->in);

	for (uint32_t i = 0; i < batch.count; i++)
		if (!make_step(p, &batch.patches[i]))
			return;
	if (wrong & 1)
		batch.padding[wrong % 3] = wrong;
	if (wrong & 2)
		batch.count = wrong & 4 ? 0 : (uint32_t)input_u64(&p->in) | HEKI_PATCH_BATCH_MAX << 1;
	world_patch_batch(p->w, p->w->pages + 16 * HEKI_PAGE_SIZE, &batch);
}

static void step_write(struct program *p)
{
	uint64_t pa = address(p);
	struct span bytes = input_bytes(&p->in, input_u8(&p->in) & 63);

	if (p->w->booted && p->w->g->ops.grade == HEKI_GRADE_AUDIT &&
	    pa < p->w->k.rodata + p->w->k.rodata_pages * (uint64_t)HEKI_PAGE_SIZE)
		return; /* nothing keeps an audited guest from damaging its kernel */
	guest_store(p->w->g, pa, bytes.p, bytes.n);
}

/* LOAD_KDATA of what a kernel sends, PROTECT_MEMORY, LOCK_REGS, end of boot. */
static void step_boot(struct program *p)
{
	struct world *w = p->w;
	struct ranges list = { 0 };
	uint8_t how = input_u8(&p->in);

	if (w->booted || p->page++ >= 8)
		return;
	kernel_symbol_ranges(w->g, &w->k, &list);
	add_range(&list, DIRECT_MAP, put_bytes(w->g, w->k.sites.bytes, w->k.sites.n), w->k.sites.n,
		  HEKI_KDATA_PATCH_INFO);
	change_range(p, &list);
	world_ranges(w, HEKI_CALL_LOAD_KDATA, &list, 0);
	drop_ranges(&list);
	if (how & 1)
		kernel_protect(w->g, &w->k);
	if (how & 2)
		world_call(w, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0);
}

static void step_token(struct program *p)
{
	uint64_t which = token(p);

	world_call(p->w, input_u8(&p->in) & 1 ? HEKI_CALL_FREE_MODULE_INIT : HEKI_CALL_UNLOAD_MODULE,
		   which, 0, 0);
}

static void step_vp(struct program *p)
{
	uint8_t vp = input_u8(&p->in) % GUEST_VPS, how = input_u8(&p->in);
	struct guest_vp *state = &p->w->g->vp[vp];

	guest_set_vp(vp);
	state->restarted = how & 1;
	state->present = !(how & 2);
	if (how & 4)
		((uint64_t *)&state->regs)[input_u8(&p->in) % 11] ^= input_u64(&p->in);
	if (how & 8)
		world_call(p->w, HEKI_CALL_LOCK_REGS, 0, 0, 0);
}

/* Certificates that come one by one: to be trusted, or revoked. */
static void step_key(struct program *p)
{
	static const char *const names[] = { "secondary.der", "stranger.der", "revoked.der",
					     "rsa2048.der", "ca.der", "plainchild.der" };
	static struct file files[HEKI_ARRAY_SIZE(names)];
	uint8_t which = input_u8(&p->in);
	struct file *f = &files[which % HEKI_ARRAY_SIZE(names)];
	struct ranges list = { 0 };

	if (p->page++ >= 8)
		return;
	if (!f->p)
		*f = load_file(names[which % HEKI_ARRAY_SIZE(names)]);
	add_range(&list, DIRECT_MAP, put_bytes(p->w->g, f->p, f->n), f->n, 0);
	change_range(p, &list);
	world_ranges(p->w, which & 0x40 ? HEKI_CALL_REVOKE : HEKI_CALL_COPY_SECONDARY_KEY, &list, 0);
	drop_ranges(&list);
}

/* From here on calls are left after so many entries, 0: never. */
static void step_leave(struct program *p)
{
	p->w->entries = input_u8(&p->in);
}

/* Go on with a call that was left, from any VP. */
static void step_resume(struct program *p)
{
	uint8_t which = input_u8(&p->in);

	guest_set_vp((which >> 4) % GUEST_VPS);
	world_resume(p->w, which, 1u + input_u8(&p->in));
}

/* A host operation that fails, once; not protect, whose failure the ledger is told to bear. */
static void step_fail(struct program *p)
{
	uint8_t op = input_u8(&p->in) % GUEST_OP_COUNT, nth = input_u8(&p->in);

	if (op != GUEST_PROTECT && op != GUEST_UNLOCK)
		p->w->g->fail[op] = nth ? p->w->g->count[op] + nth : 0;
}

static void (*const steps[])(struct program *p) = {
	step_call, step_ranges, step_validate, step_kexec, step_patch, step_write, step_boot,
	step_token, step_vp, step_fail, step_key,
	step_leave, step_resume, step_batch,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program p = { .in = { data, size } };
	uint8_t kind = input_u8(&p.in);

	p.w = kind & 8 ? world_get_early(kind & 1 ? HEKI_GRADE_ENFORCE : HEKI_GRADE_AUDIT) :
			 world_get(kind & 1 ? HEKI_GRADE_ENFORCE : HEKI_GRADE_AUDIT, kind & 2);
	if (kind & 4)
		world_trust_all(p.w);
	if (kind & 16)
		world_continue(p.w);
	if (kind & 32)
		world_know(p.w, &p.in);
	for (unsigned int i = 0; i < STEPS_MOST && p.in.n; i++)
		steps[input_u8(&p.in) % HEKI_ARRAY_SIZE(steps)](&p);
	guest_clear(p.w->g);
	if (p.w->g->core->continues)
		world_abandon(p.w);
	return 0;
}
