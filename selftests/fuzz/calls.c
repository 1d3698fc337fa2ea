// SPDX-License-Identifier: GPL-2.0-only
/*
 * calls-TARGET FILE INPUT... - the vtlcalls that inputs of a fuzz target make, for selftests/vm/hostile.sh
 *
 * Runs each input once and writes the guest's memory and the calls, as hostile_format.h says.  An input
 * of a target that reads bytes without a call is made into calls that bring these bytes to that reader.
 */
#include <stdlib.h>
#include <string.h>

#include "fill.h"
#include "hostile_format.h"
#include "mutate_der.h"
#include "pe.h"
#include "validate.h"
#include "world.h"

#define BASES_MOST 8

HEKI_ASSERT(HOSTILE_RAM == WORLD_RAM);
HEKI_ASSERT(HOSTILE_VTL1 == WORLD_VTL1 && HOSTILE_VTL1_BYTES == WORLD_VTL1_BYTES);

static FILE *out;
static const uint8_t *bases[BASES_MOST];
static unsigned int bases_count;
static const char *input_name;
static uint8_t shown[WORLD_RAM];
static bool begun;

/* Nothing is mutated here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	(void)data;
	(void)max_size;
	return size;
}

static void put(const struct hostile_record *r, const void *bytes)
{
	CHECK(fwrite(r, sizeof(*r), 1, out) == 1);
	CHECK(!r->n || fwrite(bytes, r->n, 1, out) == 1);
}

/* Pages of @ram that are not as they were shown last. */
static void put_pages(const uint8_t *ram)
{
	for (uint64_t at = 0; at < WORLD_RAM; at += HEKI_PAGE_SIZE) {
		struct hostile_record r = { HOSTILE_PAGE, HEKI_PAGE_SIZE, { at } };

		if (!memcmp(shown + at, ram + at, HEKI_PAGE_SIZE))
			continue;
		memcpy(shown + at, ram + at, HEKI_PAGE_SIZE);
		put(&r, ram + at);
	}
}

static unsigned int base_of(const struct world *w)
{
	unsigned int i = 0;

	while (i < bases_count && memcmp(bases[i], w->first.ram, WORLD_RAM))
		i++;
	if (i < bases_count)
		return i;
	CHECK(i < BASES_MOST);
	bases[bases_count++] = w->first.ram;
	memset(shown, 0, sizeof(shown));
	put(&(struct hostile_record){ HOSTILE_BASE, 0, { i } }, NULL);
	put_pages(w->first.ram);
	return i;
}

static void begin(const struct world *w)
{
	struct hostile_record r = { HOSTILE_INPUT, 64, { base_of(w) } };
	char name[64] = { 0 };

	strncpy(name, input_name, sizeof(name) - 1);
	memcpy(shown, w->first.ram, WORLD_RAM);
	put(&r, name);
	begun = true;
}

/* An address stands at @at of guest memory. */
static void put_address(const struct world *w, uint64_t at, uint64_t kind)
{
	struct hostile_record r = { HOSTILE_ADDRESS, 0, { at, 0, kind } };

	if (!in_bounds(at, sizeof(uint64_t), WORLD_RAM))
		return;
	memcpy(&r.v[1], (uint8_t *)w->g->ram + at, sizeof(uint64_t));
	put(&r, NULL);
}

static void put_patch(const struct world *w, uint64_t at)
{
	put_address(w, at, HOSTILE_START);
	put_address(w, at + sizeof(uint64_t), HOSTILE_START);
}

static void put_batch(const struct world *w, uint64_t at)
{
	at += offsetof(struct heki_patch_batch, patches);
	for (unsigned int i = 0; i < HEKI_PATCH_BATCH_MAX; i++, at += sizeof(struct heki_patch))
		put_patch(w, at);
}

static void put_patches(const struct world *w, const struct heki_range *r)
{
	struct heki_patch_info info;
	uint64_t at = r->pa;

	while (r->epa <= WORLD_RAM && at < r->epa && in_bounds(at, sizeof(info), r->epa)) {
		memcpy(&info, (uint8_t *)w->g->ram + at, sizeof(info));
		at += sizeof(info);
		for (; info.patch_index && in_bounds(at, sizeof(struct heki_patch), r->epa);
		     info.patch_index--, at += sizeof(struct heki_patch))
			put_patch(w, at);
	}
}

static void put_kexec_segments(const struct world *w, const struct heki_range *r)
{
	for (uint64_t at = r->pa; r->epa <= WORLD_RAM && at < r->epa;
	     at += sizeof(struct heki_kexec_segment))
		put_address(w, at, HOSTILE_START);
}

static void put_range(const struct world *w, uint64_t id, uint64_t at)
{
	struct heki_range r;

	memcpy(&r, (uint8_t *)w->g->ram + at, sizeof(r));
	put_address(w, at + offsetof(struct heki_range, pa), HOSTILE_START);
	put_address(w, at + offsetof(struct heki_range, epa), HOSTILE_END);
	if ((id == HEKI_CALL_LOAD_KDATA && r.attributes == HEKI_KDATA_PATCH_INFO) ||
	    (id == HEKI_CALL_VALIDATE_MODULE && r.attributes == HEKI_MOD_PATCH))
		put_patches(w, &r);
	if (id == HEKI_CALL_KEXEC_VALIDATE && r.attributes == HEKI_KEXEC_SEGMENTS)
		put_kexec_segments(w, &r);
}

/* As far as VTL1 would read it; a chain may lead back to itself. */
static void put_chain(const struct world *w, uint64_t id, uint64_t at)
{
	uint64_t pages = WORLD_RAM >> HEKI_PAGE_SHIFT;

	for (; at && pages && in_bounds(at, HEKI_PAGE_SIZE, WORLD_RAM); pages--) {
		const struct heki_page *page = (const void *)((uint8_t *)w->g->ram + at);

		put_address(w, at + offsetof(struct heki_page, next_pa), HOSTILE_START);
		for (uint64_t i = 0; i < page->nranges && i < HEKI_MAX_RANGES; i++)
			put_range(w, id, at + offsetof(struct heki_page, ranges) +
						 i * sizeof(struct heki_range));
		at = page->next_pa;
	}
}

static uint64_t parameters(uint64_t id)
{
	switch (id) {
	case HEKI_CALL_FREE_MODULE_INIT:
	case HEKI_CALL_UNLOAD_MODULE:
		return HOSTILE_PLAIN;
	case HEKI_CALL_ENABLE_APS_VTL:
		return HOSTILE_PARAMETER(0, HOSTILE_PFN);
	case HEKI_CALL_BOOT_APS:
		return HOSTILE_PARAMETER(0, HOSTILE_PFN) | HOSTILE_PARAMETER(1, HOSTILE_PFN);
	case HEKI_CALL_PATCH_TEXT:
		return HOSTILE_PARAMETER(0, HOSTILE_PA) | HOSTILE_PARAMETER(1, HOSTILE_PA);
	default:
		return HOSTILE_PARAMETER(0, HOSTILE_PA);
	}
}

static void put_call(const struct world *w, uint64_t id, const uint64_t *p)
{
	struct hostile_record r = { HOSTILE_CALL, 0,
				    { id, p[0], p[1], p[2], parameters(id), w->entries } };

	if (!begun)
		begin(w);
	put_pages(w->g->ram);
	if (id == HEKI_CALL_PATCH_TEXT)
		put_patch(w, p[0]);
	else if (id == HEKI_CALL_PATCH_TEXT_BATCH)
		put_batch(w, p[0]);
	else
		put_chain(w, id, p[0]);
	put(&r, NULL);
}

/* --- inputs without a call --- */

static struct span with_cms(struct span file, size_t certs, size_t directory, struct span cms)
{
	uint8_t *p = calloc(1, certs + 8 + cms.n + 8);
	uint32_t n = (uint32_t)((8 + cms.n + 7) & ~7ull);
	const uint8_t head[4] = { 0, 2, 2, 0 }; /* revision 2, PKCS #7 */

	CHECK(p);
	memcpy(p, file.p, certs);
	memcpy(p + directory + 4, &n, sizeof(n));
	memcpy(p + certs, &n, sizeof(n));
	memcpy(p + certs + 4, head, sizeof(head));
	memcpy(p + certs + 8, cms.p, cms.n);
	return (struct span){ p, certs + n };
}

static void send_blob(struct span blob)
{
	struct world *w = world_get(HEKI_GRADE_ENFORCE, true);
	struct image *m = &w->image[0];
	struct ranges list = { 0 };

	for (size_t i = 0; i < m->ranges.n; i++)
		if (m->ranges.r[i].attributes != HEKI_KEXEC_KERNEL_BLOB)
			add_range(&list, m->ranges.r[i].va, m->ranges.r[i].pa,
				  m->ranges.r[i].epa - m->ranges.r[i].pa, m->ranges.r[i].attributes);
	add_range(&list, DIRECT_MAP, put_bytes(w->g, blob.p, blob.n), blob.n, HEKI_KEXEC_KERNEL_BLOB);
	world_ranges(w, HEKI_CALL_KEXEC_VALIDATE, &list, 0);
	drop_ranges(&list);
}

/* A file for module 0 of the world, in place of its own. */
static void send_module(struct world *w, const struct ranges *file)
{
	struct ranges list = { 0 };
	const struct ranges *own = &w->m[0].ranges;

	for (size_t i = 0; i < own->n; i++) {
		const struct heki_range *r = &own->r[i];

		if (r->attributes == HEKI_MOD_ELF_BUFFER)
			r = &file->r[0];
		if (r->attributes != HEKI_MOD_INFO)
			add_range(&list, r->va, r->pa, r->epa - r->pa, r->attributes);
	}
	world_ranges(w, HEKI_CALL_VALIDATE_MODULE, &list, 0);
	drop_ranges(&list);
}

static void send_elf(struct span elf)
{
	struct world *w = world_get(HEKI_GRADE_ENFORCE, true);
	struct ranges file = { 0 };

	fill_add_file(w, &file, elf);
	send_module(w, &file);
	drop_ranges(&file);
}

static void send_module_cms(struct span cms)
{
	static const char magic[] = "~Module signature appended~\n";
	struct world *w = world_get(HEKI_GRADE_ENFORCE, true);
	struct call c = world_begin(w);
	struct span content, old;
	struct ranges file = { 0 };
	uint8_t trailer[12] = { 0, 0, 2 }; /* PKCS #7, the length big-endian at the end */
	uint8_t *bytes;
	size_t n;

	CHECK_OK(signature_split(&c, (struct span){ w->m[0].file.p, w->m[0].file.n }, &content, &old));
	n = content.n + cms.n + sizeof(trailer) + strlen(magic);
	bytes = malloc(n);
	CHECK(bytes);
	for (unsigned int i = 0; i < 4; i++)
		trailer[8 + i] = (uint8_t)(cms.n >> (24 - 8 * i));
	memcpy(bytes, content.p, content.n);
	memcpy(bytes + content.n, cms.p, cms.n);
	memcpy(bytes + content.n + cms.n, trailer, sizeof(trailer));
	memcpy(bytes + n - strlen(magic), magic, strlen(magic));
	add_range(&file, DIRECT_MAP, put_bytes(w->g, bytes, n), n, HEKI_MOD_ELF_BUFFER);
	world_end(w, &c);
	send_module(w, &file);
	drop_ranges(&file);
	free(bytes);
}

static void send_kexec_cms(struct span cms)
{
	struct file f = load_file("kernel-signed.pe");
	size_t directory = get_le32(f.p + 0x3c) + 24 + 144;
	struct span blob = with_cms((struct span){ f.p, f.n }, get_le32(f.p + directory), directory, cms);

	send_blob(blob);
	free((void *)blob.p);
	drop_file(&f);
}

static void send_cert(struct span der)
{
	static const uint64_t ids[] = { HEKI_CALL_COPY_SECONDARY_KEY, HEKI_CALL_REVOKE };
	struct world *w = world_get(HEKI_GRADE_ENFORCE, true);

	for (unsigned int i = 0; i < HEKI_ARRAY_SIZE(ids); i++) {
		struct ranges list = { 0 };

		add_range(&list, DIRECT_MAP, put_bytes(w->g, der.p, der.n), der.n, 0);
		world_ranges(w, ids[i], &list, 0);
		drop_ranges(&list);
	}
}

static void send(const char *target, struct span bytes)
{
	struct span rest = { bytes.p + 1, bytes.n ? bytes.n - 1 : 0 };

	if (!strcmp(target, "pe"))
		send_blob(bytes);
	else if (!strcmp(target, "module"))
		send_elf(bytes);
	else if (!strcmp(target, "x509"))
		send_cert(bytes);
	else if (!strcmp(target, "cms") && bytes.n && bytes.p[0] & 1)
		send_kexec_cms(rest);
	else if (!strcmp(target, "cms"))
		send_module_cms(rest);
	else
		LLVMFuzzerTestOneInput(bytes.p, bytes.n);
}

int main(int argc, char **argv)
{
	const char *target = strrchr(argv[0], '-') + 1;

	if (argc < 3) {
		fprintf(stderr, "usage: calls-TARGET FILE INPUT...\n");
		return 2;
	}
	out = fopen(argv[1], "wb");
	CHECK(out);
	put(&(struct hostile_record){ .v = { HOSTILE_MAGIC } }, NULL);
	world_tell = put_call;
	for (int i = 2; i < argc; i++) {
		struct file f = load_path(argv[i]);

		CHECK(f.p);
		input_name = argv[i];
		for (const char *p = argv[i]; (p = strstr(p, "corpus/")); p++)
			input_name = p + strlen("corpus/");
		begun = false;
		send(target, (struct span){ f.p, f.n });
		drop_file(&f);
	}
	return fclose(out) ? 1 : 0;
}
