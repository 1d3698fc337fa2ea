// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * LOAD_KDATA: certificates, blocklist, symbol tables, snapshot, patch sites and kexec trampoline of
 * the kernel.
 *
 * Trust boundary: until end of boot the sender is trusted, its bytes are checked all the same.
 * Each kind is entered into lists of this call's own and joins the core's at the end; a call that
 * fails takes out what it entered. Dispatch lets one such call run at a time (see exclusive()).
 * Locks: takes HEKI_LOCK_TABLES.
 */
#include "kdata.h"

/* Limits of one call: what a kernel has, times ten. */
#define CERTS_BYTES_MAX (256u << 10)
#define BLOCKLIST_BYTES_MAX ((uint64_t)HEKI_BLOCKLIST_MAX * HEKI_BLOCKLIST_RECORD)
#define PATCHES_BYTES_MAX (32u << 20)

static bool type_known(uint64_t type)
{
	return type <= HEKI_KDATA_KEXEC_TRAMPOLINE ||
	       (type >= HEKI_KDATA_KEXEC_CERTS && type <= HEKI_KDATA_PV_OPS);
}

static bool has_type(const struct range_list *list, uint64_t type)
{
	uint32_t i;

	for (i = 0; i < list->n; i++)
		if (list->r[i].attributes == type)
			return true;
	return false;
}

/*
 * Enter concatenated certificates. A revoked one is left out, as the kernel does with its own
 * keyring; @entered counts the others.
 */
static int add_certs(struct call *c, enum heki_cert_set set, struct span der, uint32_t *entered)
{
	struct x509 cert;
	size_t at = 0;
	long n;
	int rc;

	*entered = 0;
	while (at < der.n) {
		n = x509_parse((struct span){ der.p + at, der.n - at }, &cert);
		if (n <= 0)
			return refuse(c, n ? (enum heki_error)-n : HEKI_E_CERT, at);
		call_work(c, HEKI_PAGE_SIZE);
		rc = certs_add(c, set, (struct span){ der.p + at, (size_t)n });
		if (rc && rc != -HEKI_E_REVOKED)
			return refuse(c, (enum heki_error)-rc, at);
		*entered += !rc;
		at += (size_t)n;
	}
	return 0;
}

static int load_certs(struct call *c, const struct kdata *k, uint64_t type, enum heki_cert_set set,
		      uint32_t *entered)
{
	struct span der;
	int rc;

	*entered = 0;
	rc = ranges_bytes(c, &k->list, type, CERTS_BYTES_MAX, HEKI_E_NO_MEMORY, &der);
	return rc ? rc : add_certs(c, set, der, entered);
}

static int load_system_certs(struct call *c, struct kdata *k)
{
	struct span der;
	uint32_t entered;
	int rc;

	if (!has_type(&k->list, HEKI_KDATA_SYSTEM_CERTS))
		return 0;
	if (c->core->system_certs_set)
		return refuse(c, HEKI_E_ALREADY_LOADED, HEKI_KDATA_SYSTEM_CERTS);
	rc = ranges_bytes(c, &k->list, HEKI_KDATA_SYSTEM_CERTS, CERTS_BYTES_MAX, HEKI_E_NO_MEMORY,
			  &der);
	if (rc)
		return rc;
	if (!der.n)
		return refuse(c, HEKI_E_NO_SYSTEM_CERT, 0);
	k->system_certs = true;
	if (c->core->system_certs_built_in)
		return 0;
	rc = add_certs(c, HEKI_CERTS_SYSTEM, der, &entered);
	if (rc)
		return rc;
	if (!entered)
		return refuse(c, HEKI_E_CERTS_INVALID, 0);
	return 0;
}

static int load_blocklist(struct call *c, const struct kdata *k)
{
	struct span data;
	size_t at;
	int rc;

	rc = ranges_bytes(c, &k->list, HEKI_KDATA_BLOCKLIST_HASHES, BLOCKLIST_BYTES_MAX,
			  HEKI_E_BLOCKLIST_FORMAT, &data);
	if (rc)
		return rc;
	if (data.n % HEKI_BLOCKLIST_RECORD)
		return refuse(c, HEKI_E_BLOCKLIST_FORMAT, data.n);
	for (at = 0; at < data.n; at += HEKI_BLOCKLIST_RECORD) {
		call_work(c, WORK_LOOKUP);
		rc = hashes_add(c->core, (const char *)data.p + at);
		if (rc)
			return refuse(c, (enum heki_error)-rc, at);
	}
	return 0;
}

/* Revocations first: they hold for the certificates of the same call. */
static int load_keys(struct call *c, struct kdata *k)
{
	uint32_t entered;
	int rc;

	rc = load_certs(c, k, HEKI_KDATA_REVOCATION_CERTS, HEKI_CERTS_REVOKED, &entered);
	if (rc)
		return rc;
	rc = load_blocklist(c, k);
	if (rc)
		return rc;
	rc = load_system_certs(c, k);
	if (rc)
		return rc;
	return load_certs(c, k, HEKI_KDATA_KEXEC_CERTS, HEKI_CERTS_KEXEC, &entered);
}

/*
 * Whether the site lies in the kernel's text is judged at end of boot (patches_prune()): the text
 * may be protected after this call.
 */
static int add_patch(struct call *c, uint32_t type, const struct heki_patch *patch, void *context)
{
	struct kdata *k = context;
	struct heki_core *core = c->core;
	struct patch_site site = {
		.pa = gpa(patch->pa[0]),
		.next = gpa(patch->pa[1]),
		.owner = HEKI_OWNER_KERNEL,
		.type = type,
		.size = patch->size,
	};
	uint8_t first = patch_split(&site);
	int rc;

	call_work(c, WORK_LOOKUP);
	if (!core->ops->is_ram(core->host, site.pa, first))
		return refuse(c, HEKI_E_PHYS_ADDRESS, patch->pa[0]);
	if (first < site.size &&
	    !core->ops->is_ram(core->host, site.next, (uint64_t)(site.size - first)))
		return refuse(c, HEKI_E_PHYS_ADDRESS, patch->pa[1]);
	memcpy(site.code, patch->code, sizeof(site.code));
	rc = patch_check_lock(core, &site);
	if (!rc)
		rc = patches_add(core, &k->patches, &site);
	k->jump_labels += !rc && type == HEKI_PATCH_JUMP_LABEL;
	k->smp_locks |= !rc && type == HEKI_PATCH_SMP_LOCK;
	return rc ? refuse(c, (enum heki_error)-rc, patch->pa[0]) : 0;
}

static int load_patches(struct call *c, struct kdata *k)
{
	struct span data;
	int rc;

	if (!has_type(&k->list, HEKI_KDATA_PATCH_INFO))
		return 0;
	rc = ranges_bytes(c, &k->list, HEKI_KDATA_PATCH_INFO, PATCHES_BYTES_MAX, HEKI_E_NO_MEMORY,
			  &data);
	if (rc)
		return rc;
	if (!data.n)
		return refuse(c, HEKI_E_PATCH_FORMAT, 0);
	return patches_parse(c, data, add_patch, k);
}

static bool is_protected_kernel(const struct frame *f)
{
	return !(f->attributes & HEKI_ATTR_WRITE) &&
	       (f->owner == HEKI_OWNER_KERNEL || f->owner == HEKI_OWNER_TRAMPOLINE);
}

/*
 * The trampoline is not page sized and may share its pages with other text, so they stay
 * executable. Pages that the kernel has protected already need nothing more.
 */
static int protect_trampoline(struct call *c, struct kdata *k, const struct heki_range *r)
{
	struct frame frame;
	uint64_t pa;
	int rc;

	for (pa = page_down(r->pa); pa < r->epa; pa += HEKI_PAGE_SIZE) {
		if (frames_find(c->core, gpa(pa), &frame) && is_protected_kernel(&frame))
			continue;
		rc = frames_claim(c, &k->trampoline, HEKI_OWNER_TRAMPOLINE, gpa(pa), 1,
				  HEKI_ATTR_READ | HEKI_ATTR_EXEC, FRAME_NO_KIND);
		if (rc)
			return refuse(c, (enum heki_error)-rc, pa);
	}
	return 0;
}

static int load_trampoline(struct call *c, struct kdata *k)
{
	uint32_t i;
	int rc;

	for (i = 0; i < k->list.n; i++) {
		if (k->list.r[i].attributes != HEKI_KDATA_KEXEC_TRAMPOLINE)
			continue;
		rc = protect_trampoline(c, k, &k->list.r[i]);
		if (rc)
			return rc;
	}
	return 0;
}

static int load_all(struct call *c, struct kdata *k)
{
	int rc = load_keys(c, k);

	if (!rc)
		rc = kdata_symbols(c, k);
	if (!rc)
		rc = snapshot_load(c, k);
	if (!rc)
		rc = load_patches(c, k);
	if (!rc)
		rc = load_trampoline(c, k);
	return rc;
}

/* What this call entered becomes the core's; fails only when the phase has ended meanwhile. */
static int commit(struct call *c, struct kdata *k)
{
	struct heki_core *core = c->core;
	int rc = 0;

	core_lock(core);
	if (core->end_of_boot || c->abandoned) {
		rc = core->end_of_boot ? -HEKI_E_AFTER_END_OF_BOOT : -HEKI_E_AGAIN;
		goto out;
	}
	snapshot_commit(core, k);
	core->system_certs_set |= k->system_certs;
	core->symbols_set |= k->symbols.count != 0;
	core->smp_locks |= k->smp_locks;
	core->stats.symbols += k->plain;
	core->stats.symbols_gpl += k->gpl;
	core->stats.jump_labels_kernel += k->jump_labels;
	slab_splice(&core->symbols, &core->kernel_symbols, &k->symbols);
	slab_splice(&core->patches, &core->kernel_patches, &k->patches);
	slab_splice(&core->frames,
		    &core->owner_frames[HEKI_OWNER_TRAMPOLINE - HEKI_OWNER_KERNEL],
		    &k->trampoline);
out:
	core_unlock(core);
	return rc;
}

static void undo(struct call *c, struct kdata *k)
{
	frames_release(c, &k->trampoline, FRAMES_ALL);
	patches_remove(c, &k->patches);
	symbols_remove(c, &k->symbols);
	certs_rollback(c->core, &k->mark);
}

int call_load_kdata(struct call *c)
{
	struct kdata k = { 0 };
	uint32_t i;
	int rc;

	rc = ranges_copy_in(c, c->p[0], c->p[1], &k.list);
	if (rc)
		return rc;
	for (i = 0; i < k.list.n; i++)
		if (!type_known(k.list.r[i].attributes))
			return refuse(c, HEKI_E_KDATA_TYPE, k.list.r[i].attributes);
	rc = certs_mark(c, &k.mark);
	if (rc)
		return rc;
	rc = load_all(c, &k);
	if (!rc)
		rc = commit(c, &k);
	if (rc)
		undo(c, &k);
	else
		certs_commit(c->core, &k.mark);
	return rc;
}
