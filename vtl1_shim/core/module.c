// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VALIDATE_MODULE, FREE_MODULE_INIT, UNLOAD_MODULE.
 *
 * Trust boundary: ranges, file and memory are VTL0's. The file is copied once and the copy is
 * judged; the memory is frozen before it is read. A call that fails leaves no trace.
 *
 * Locks: HEKI_LOCK_TABLES only while a table changes. A slot that is being worked on is busy, so
 * that other calls with its token are refused and nothing else needs a lock meanwhile.
 */
#include "validate.h"

#define KINDS_INIT                                                                                 \
	(1u << HEKI_MOD_INIT_TEXT | 1u << HEKI_MOD_INIT_DATA | 1u << HEKI_MOD_INIT_RODATA)
#define KINDS_RO_AFTER_INIT (1u << HEKI_MOD_RO_AFTER_INIT)

struct module *modules_find(struct heki_core *core, uint64_t token)
{
	uint32_t i;

	if (!token)
		return NULL;
	for (i = 0; i < core->limits.modules; i++)
		if (core->modules[i].token == token)
			return &core->modules[i];
	return NULL;
}

static struct module *free_slot(struct heki_core *core)
{
	uint32_t i;

	for (i = 0; i < core->limits.modules; i++)
		if (!core->modules[i].token)
			return &core->modules[i];
	return NULL;
}

/* Take a slot with a token that was never used before. */
static int slot_open(struct validation *v)
{
	struct heki_core *core = v->c->core;
	struct heki_budget *b = &core->modules_budget;
	struct module *m;
	int ret = -HEKI_E_NO_MEMORY;

	core_lock(core);
	m = free_slot(core);
	if (m && core->next_token < HEKI_OWNER_KERNEL) {
		memset(m, 0, sizeof(*m));
		m->token = core->next_token++;
		m->state = HEKI_MODULE_STATE_VALIDATING;
		m->flags = v->flags;
		m->busy = 1;
		m->signer = CERT_NONE;
		b->used++;
		if (b->used > b->peak)
			b->peak = b->used;
		v->module = m;
		v->token = m->token;
		ret = 0;
	}
	core_unlock(core);
	return ret;
}

static void slot_close(struct heki_core *core, struct module *m)
{
	core_lock(core);
	memset(m, 0, sizeof(*m));
	core->modules_budget.used--;
	core_unlock(core);
}

/* Forget a module: the reverse of what validation entered. */
static void module_drop(struct call *c, struct module *m)
{
	struct heki_core *core = c->core;

	module_deps_remove(core, m);
	symbols_remove(c, &m->symbols);
	functions_remove(c, m);
	patches_remove(c, &m->init_patches);
	patches_remove(c, &m->patches);
	frames_release(c, &m->frames, FRAMES_ALL);
	slot_close(core, m);
}

/* Take a module for a call by its token. */
static int module_take(struct call *c, struct module **out)
{
	struct heki_core *core = c->core;
	struct module *m;
	int ret = 0;

	core_lock(core);
	m = modules_find(core, c->p[0]);
	if (!m)
		ret = refuse(c, HEKI_E_TOKEN, c->p[0]);
	else if (m->busy)
		ret = refuse(c, HEKI_E_BUSY, c->p[0]);
	else
		m->busy = 1;
	if (m)
		call_name(c, m->name);
	core_unlock(core);
	*out = m;
	return ret;
}

static void module_put(struct heki_core *core, struct module *m)
{
	core_lock(core);
	m->busy = 0;
	core_unlock(core);
}

static void log_module(const struct call *c, enum heki_log_event event, uint64_t token)
{
	struct heki_log_record record = {
		.address = token,
		.call = c->id,
		.event = event,
	};

	call_words(c, &record);
	log_write(c->core, &record);
}

static void set_name(struct validation *v, const char *name)
{
	call_name(v->c, name);
	core_lock(v->c->core);
	memcpy(v->module->name, v->c->name, sizeof(v->module->name));
	core_unlock(v->c->core);
}

/* The file must be what a trusted key has signed. */
static int check_signature(struct validation *v, struct span file, int split, struct span cms)
{
	if (split)
		return split;
	return cms_verify_module(v->c, file, v->elf.file.n, cms, &v->module->signer,
				 v->module->sha256);
}

/*
 * Read the file. It is parsed before its signature is judged, so that a refusal can name the
 * module, but nothing else is done with it before.
 */
static int read_file(struct validation *v)
{
	struct call *c = v->c;
	struct span content;
	struct span file;
	struct span cms;
	const char *value;
	int parsed;
	int ret;

	ret = ranges_bytes(c, &v->ranges, HEKI_MOD_ELF_BUFFER, HEKI_ELF_MAX, HEKI_E_ELF_TOO_BIG,
			   &file);
	if (ret)
		return ret;
	if (!file.n)
		return refuse(c, HEKI_E_ELF_FORMAT, 0);
	ret = signature_split(c, file, &content, &cms);
	parsed = elf_parse(c, content, &v->elf);
	value = parsed ? NULL : elf_modinfo(&v->elf, "name");
	if (value)
		set_name(v, value);
	ret = check_signature(v, file, ret, cms);
	if (ret)
		return ret;
	if (parsed)
		return parsed;
	if (!value)
		return refuse(c, HEKI_E_ELF_FORMAT, 0);
	value = elf_modinfo(&v->elf, "livepatch");
	if (value && str_equal(value, "Y"))
		return refuse(c, HEKI_E_MODULE_LIVEPATCH, 0);
	return 0;
}

/* Freeze the module's memory, then enter the sites at which its text may go on changing. */
static int freeze(struct validation *v)
{
	int ret;

	ret = map_claim(v);
	if (ret)
		return ret;
	core_lock(v->c->core);
	v->module->text = gva(v->map.va[HEKI_MOD_TEXT]);
	v->module->text_size = v->map.pages[HEKI_MOD_TEXT] << HEKI_PAGE_SHIFT;
	core_unlock(v->c->core);
	return 0;
}

/* VTL0 may say where the per-CPU section lies; not outside of what the kernel keeps for them. */
static int check_percpu(struct validation *v)
{
	struct expect *e = &v->expect;

	if (!e->known[ELF_MEMORY_PERCPU] || exact_percpu(e, e->base[ELF_MEMORY_PERCPU]))
		return 0;
	return refuse(v->c, HEKI_E_PARAMETER, e->base[ELF_MEMORY_PERCPU]);
}

static int validate_memory(struct validation *v)
{
	int ret;

	v->expect.c = v->c;
	v->expect.token = v->token;
	v->expect.elf = &v->elf;
	v->expect.map = &v->map;
	v->expect.live = v->flags & HEKI_MODULE_LIVE;
	if (v->has_info && v->info.percpu) {
		v->expect.base[ELF_MEMORY_PERCPU] = v->info.percpu;
		v->expect.known[ELF_MEMORY_PERCPU] = symbol_value_valid(v->info.percpu);
	}
	core_lock(v->c->core);
	v->expect.thunks = v->c->core->thunks;
	core_unlock(v->c->core);
	v->expect.kernel = snapshot_get(v->c->core);
	ret = expect_layout(&v->expect);
	if (!ret)
		ret = check_percpu(v);
	if (!ret)
		ret = forms_supported(&v->expect);
	if (!ret)
		ret = freeze(v);
	if (!ret)
		ret = functions_enter(&v->expect, v->module);
	if (!ret)
		ret = module_patches_enter(v);
	if (!ret)
		ret = module_patches_check(v);
	if (!ret)
		ret = expect_compare(&v->expect);
	return ret;
}

static int validate(struct validation *v)
{
	int ret;

	ret = read_file(v);
	if (!ret)
		ret = validate_memory(v);
	if (!ret)
		ret = module_deps_enter(v);
	if (!ret)
		ret = module_exports_enter(v);
	return ret;
}

static bool has_init(const struct validation *v)
{
	return v->map.pages[HEKI_MOD_INIT_TEXT] || v->map.pages[HEKI_MOD_INIT_DATA] ||
	       v->map.pages[HEKI_MOD_INIT_RODATA];
}

/* No file, before end of boot: what VTL0 says of the module is believed, and shown as such. */
static int record_unverified(struct validation *v)
{
	struct span file;
	int ret;

	if (!v->has_info || !v->info.name[0])
		return refuse(v->c, HEKI_E_PARAMETER, v->flags);
	set_name(v, v->info.name);
	ret = ranges_bytes(v->c, &v->ranges, HEKI_MOD_ELF_BUFFER, HEKI_ELF_MAX, HEKI_E_ELF_TOO_BIG,
			   &file);
	if (ret)
		return ret;
	if (file.n)
		return refuse(v->c, HEKI_E_PARAMETER, v->flags);
	if ((v->flags & HEKI_MODULE_LIVE) && has_init(v))
		return refuse(v->c, HEKI_E_MODULE_LAYOUT, v->flags);
	ret = freeze(v);
	if (!ret)
		ret = module_patches_take(v);
	if (!ret)
		ret = module_exports_take(v);
	return ret;
}

static void describe(struct validation *v)
{
	struct call *c = v->c;

	text_clear(c);
	if (v->flags & HEKI_MODULE_UNVERIFIED) {
		text_str(c, "unverified");
		return;
	}
	text_dec(c, v->module->relocations);
	text_str(c, " relocations, ");
	text_dec(c, v->module->sites);
	text_str(c, " sites, ");
	text_dec(c, v->module->text_bytes);
	text_str(c, " bytes of text");
}

/* The kernel's thunks never change, and VTL0 is trusted until end of boot. Under the lock. */
static void learn_thunks(struct heki_core *core, const struct kernel_thunks *thunks)
{
	size_t i;

	if (core->end_of_boot)
		return;
	if (!core->thunks.returns)
		core->thunks.returns = thunks->returns;
	for (i = 0; i < HEKI_ARRAY_SIZE(thunks->arrays); i++)
		if (!core->thunks.arrays[i])
			core->thunks.arrays[i] = thunks->arrays[i];
}

static int publish(struct validation *v)
{
	struct heki_core *core = v->c->core;
	struct module *m = v->module;
	bool ready = (v->flags & HEKI_MODULE_LIVE) || (v->flags && !has_init(v));

	core_lock(core);
	/* Again: the phase may have ended on another VP since check_flags() looked. */
	if (v->flags && core->end_of_boot) {
		core_unlock(core);
		return refuse(v->c, HEKI_E_AFTER_END_OF_BOOT, v->flags);
	}
	if (v->c->abandoned) {
		core_unlock(core);
		return refuse(v->c, HEKI_E_AGAIN, v->token);
	}
	/* And its signer may have been revoked since the signature was judged. */
	if (m->signer != CERT_NONE && core->certs[m->signer].set == HEKI_CERTS_REVOKED) {
		core_unlock(core);
		return refuse(v->c, HEKI_E_REVOKED, v->token);
	}
	m->relocations = v->expect.relocations;
	m->sites = v->expect.sites.n;
	m->text_bytes = v->expect.text_bytes;
	memcpy(m->compared, v->expect.account.compared, sizeof(m->compared));
	memcpy(m->account, v->expect.account.bytes, sizeof(m->account));
	m->state = ready ? HEKI_MODULE_STATE_READY : HEKI_MODULE_STATE_COMING;
	learn_thunks(core, &v->expect.thunks);
	core->stats.relocations += m->relocations;
	core->stats.sites += m->sites;
	core->stats.modules_validated += !(v->flags & HEKI_MODULE_UNVERIFIED);
	core_unlock(core);
	describe(v);
	log_module(v->c, HEKI_LOG_MODULE, v->token);
	module_put(core, m);
	return 0;
}

static int check_flags(struct call *c)
{
	bool over;

	if (c->p[2] & ~(uint64_t)HEKI_MODULE_FLAGS)
		return refuse(c, HEKI_E_PARAMETER, c->p[2]);
	core_lock(c->core);
	over = c->core->end_of_boot;
	core_unlock(c->core);
	return c->p[2] && over ? refuse(c, HEKI_E_AFTER_END_OF_BOOT, c->p[2]) : 0;
}

static int serve(struct validation *v)
{
	int ret;

	ret = ranges_copy_in(v->c, v->c->p[0], v->c->p[1], &v->ranges);
	if (!ret)
		ret = map_build(v);
	if (!ret)
		ret = slot_open(v);
	if (ret)
		return ret;
	ret = v->flags & HEKI_MODULE_UNVERIFIED ? record_unverified(v) : validate(v);
	if (!ret)
		ret = frames_record(v->c, &v->module->frames, FRAMES_ALL);
	if (!ret)
		ret = publish(v);
	if (ret) {
		module_drop(v->c, v->module);
		return ret;
	}
	return (int)v->token;
}

int call_validate_module(struct call *c)
{
	struct validation *v;
	int ret;

	ret = check_flags(c);
	if (ret)
		return ret;
	v = arena_alloc(&c->arena, sizeof(*v));
	if (!v)
		return -HEKI_E_NO_MEMORY;
	v->c = c;
	v->flags = (uint32_t)c->p[2];
	ret = serve(v);
	if (ret < 0) {
		core_lock(c->core);
		c->core->stats.modules_refused++;
		core_unlock(c->core);
	}
	return ret;
}

/* Seal what init has written, then give init memory back. */
static int free_init(struct call *c, struct module *m)
{
	struct heki_core *core = c->core;
	int ret;

	ret = frames_change(c, &m->frames, KINDS_RO_AFTER_INIT, HEKI_ATTR_READ);
	if (!ret)
		ret = frames_record(c, &m->frames, KINDS_RO_AFTER_INIT);
	if (ret) {
		frames_change(c, &m->frames, KINDS_RO_AFTER_INIT,
			      HEKI_ATTR_READ | HEKI_ATTR_WRITE);
		return ret;
	}
	patches_remove(c, &m->init_patches);
	frames_release(c, &m->frames, KINDS_INIT);
	core_lock(core);
	m->state = HEKI_MODULE_STATE_READY;
	core_unlock(core);
	return 0;
}

int call_free_module_init(struct call *c)
{
	struct module *m;
	int ret;

	ret = module_take(c, &m);
	if (ret)
		return ret;
	if (m->state == HEKI_MODULE_STATE_COMING)
		ret = free_init(c, m);
	else
		ret = refuse(c, HEKI_E_TOKEN, c->p[0]); /* once per token */
	module_put(c->core, m);
	return ret;
}

int call_unload_module(struct call *c)
{
	struct heki_core *core = c->core;
	struct module *m;
	int ret;

	ret = module_take(c, &m);
	if (ret)
		return ret;
	core_lock(core);
	m->going = !m->users;
	core_unlock(core);
	if (!m->going) {
		module_put(core, m);
		return refuse(c, HEKI_E_BUSY, c->p[0]);
	}
	module_drop(c, m);
	log_module(c, HEKI_LOG_UNLOAD, c->p[0]);
	return 0;
}
