// SPDX-License-Identifier: GPL-2.0-only
/*
 * One test for each fault that was found in earlier implementations of this contract, named after
 * the fault.  Most of them are tested in more depth elsewhere; these show each by itself.
 */
#include "place.h"

static struct kernel kernel;

static struct guest *booted(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	kernel_boot(g, &kernel);
	return g;
}

static void end(struct guest *g)
{
	kernel_drop(&kernel);
	vtl0_end(g);
}

static void write_evil(struct guest *g, void *context)
{
	guest_store(g, *(uint64_t *)context, "\xcc", 1);
}

/* Between check and protection another VP could change what was checked. */
static void validation_before_protection(void)
{
	bool refused = false;

	for (uint64_t nth = 1;; nth++) {
		struct guest *g = booted();
		struct placed m;
		uint64_t pa;
		bool reached;
		int token;

		place(g, &m, "tiny-rsa2048.ko");
		pa = placed_pa(&m, HEKI_MOD_TEXT, 0x20);
		guest_clear(g);
		guest_add_hook(g, &(struct guest_hook){ .run = write_evil, .context = &pa,
							.op = GUEST_READ, .nth = nth, .after = true });
		token = validate(&m);
		reached = g->count[GUEST_READ] >= nth;
		refused |= token < 0;
		if (token > 0)
			CHECK(placed_intact(&m, HEKI_MOD_TEXT));
		unplace(&m);
		end(g);
		if (!reached)
			break;
	}
	CHECK(refused);
}

/* Bytes that a relocation writes were left out of the comparison: any call could lead anywhere. */
static void relocated_bytes_never_checked(void)
{
	struct guest *g = booted();
	struct placed m, other;
	unsigned int relocated = 0;
	uint64_t next;

	place(g, &m, "tiny-rsa2048.ko");
	place(g, &other, "tiny-rsa2048.ko"); /* elsewhere: what differs between them is relocated */
	next = g->next_page;
	for (uint64_t i = 0; i < HEKI_PAGE_SIZE; i++) {
		uint8_t *byte = placed_at(&m, HEKI_MOD_TEXT, i);

		if (m.l.bytes[HEKI_MOD_TEXT][i] == other.l.bytes[HEKI_MOD_TEXT][i])
			continue;
		relocated++;
		*byte ^= 0x80;
		CHECK_REFUSED(MODULE_DIFFERS, validate(&m));
		*byte ^= 0x80;
		g->next_page = next;
	}
	CHECK(relocated >= 5);
	CHECK(validate(&m) > 0);
	unplace(&m);
	unplace(&other);
	end(g);
}

/* After a header and its patches the reader had moved on twice. */
static void every_other_patch_header_skipped(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	kernel_make(g, &kernel, NULL, 0);
	for (uint32_t i = 0; i < 8; i++) {
		if (i)
			add_patch_header(&kernel.sites, HEKI_PATCH_JUMP_LABEL);
		kernel_site(g, &kernel, 0x100 * (i + 1), 5);
	}
	kernel_load(g, &kernel, "system.der");
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	CHECK_EQUAL(kernel.sites.n, 8 * (48 + 24));
	for (uint32_t i = 0; i < 8; i++)
		CHECK_OK(patch_text(g, kernel.text + 0x100 * (i + 1), 0, (uint8_t[]){ 0xcc }, 1));
	end(g);
}

/* A site was looked up by its address and by that less one, and INT3 taken for either. */
static void int3_one_byte_beside_its_site(void)
{
	struct guest *g = booted();
	static const int beside[] = { -1, 1 };

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t pa = kernel.text + 0x200 + (uint64_t)beside[i];
		uint8_t before = *(uint8_t *)guest_at(g, pa);

		CHECK(patch_text(g, pa, 0, (uint8_t[]){ 0xcc }, 1) < 0);
		CHECK_EQUAL(*(uint8_t *)guest_at(g, pa), before);
	}
	end(g);
}

/* The bytes on the second page were written at the page offset of the first, once more. */
static void cross_page_patch_at_twice_its_offset(void)
{
	for (uint8_t split = 1; split <= 4; split++) {
		struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
		uint32_t offset = HEKI_PAGE_SIZE - split;
		uint8_t code[5], *copy = malloc(2 * HEKI_PAGE_SIZE);

		CHECK(copy);
		kernel_make(g, &kernel, NULL, 0);
		kernel_site(g, &kernel, offset, 5);
		kernel_load(g, &kernel, "system.der");
		CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
		make_jump(KERNEL_VA + offset, KERNEL_VA + offset + 0x25, 5, code);
		memcpy(copy, guest_at(g, kernel.text), 2 * HEKI_PAGE_SIZE);
		memcpy(copy + offset, code, 5);
		CHECK_OK(patch_text(g, kernel.text + offset, kernel.text + HEKI_PAGE_SIZE, code, 5));
		CHECK(!memcmp(copy, guest_at(g, kernel.text), 2 * HEKI_PAGE_SIZE));
		free(copy);
		end(g);
	}
}

/* With all of a known site's first page and a free second one, any page could be written to. */
static void second_page_of_a_patch_not_checked(void)
{
	struct guest *g = booted();
	struct heki_patch patch;
	uint64_t victim = kernel.rodata;
	uint8_t before[5], code[5];

	memcpy(before, guest_at(g, victim), 5);
	make_jump(KERNEL_VA + 0x1ffe, KERNEL_VA + 0x1ffe + 0x25, 5, code);
	patch = make_patch(kernel.text + 0x1ffe, victim, code, 5);
	CHECK_REFUSED(PATCH_SUSPICIOUS,
		      vtlcall(g, HEKI_CALL_PATCH_TEXT, put_bytes(g, &patch, sizeof(patch)), 0, 0));
	CHECK(!memcmp(before, guest_at(g, victim), 5));
	end(g);
}

static void page_chain_that_never_ends(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	struct heki_page *page = guest_at(g, pa);

	page->next_pa = pa;
	page->nranges = 0;
	CHECK_REFUSED(PAGE_CHAIN, vtlcall(g, HEKI_CALL_PROTECT_MEMORY, pa, 1, 0));
	CHECK_REFUSED(TOO_MANY_RANGES, vtlcall(g, HEKI_CALL_PROTECT_MEMORY, pa, ~0ull, 0));
	CHECK(g->count[GUEST_READ] <= 2);
	vtl0_end(g);
}

/* Addresses and algorithms that were asserted or unwrapped: each is an error here. */
static void panic_on_alignment_or_algorithm(void)
{
	static const uint64_t addresses[] = { 1, 0xfff, 1ull << 52, 1ull << 63, ~0ull, ~0xfffull };
	static const char *const modules[] = { "tiny-sha1.ko", "tiny-pss.ko" };
	struct guest *g = booted();
	struct file f;

	for (uint32_t id = HEKI_CALL_QUERY; id <= HEKI_CALL_OPTEE_MESSAGE; id++) {
		for (size_t i = 0; i < HEKI_ARRAY_SIZE(addresses); i++) {
			vtlcall(g, id, addresses[i], 1, 0);
			vtlcall(g, id, addresses[i], addresses[i], 1);
		}
	}
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(modules); i++) {
		struct placed m;

		place(g, &m, modules[i]);
		CHECK_REFUSED(SIGNATURE_ALGORITHM, validate(&m));
		unplace(&m);
	}
	end(g);
	g = vtl0_start(HEKI_GRADE_AUDIT);
	f = load_file("ed25519.der");
	CHECK_REFUSED(SIGNATURE_ALGORITHM, call_bytes(g, HEKI_CALL_LOAD_KDATA, f.p, f.n,
						      HEKI_KDATA_SYSTEM_CERTS));
	drop_file(&f);
	vtl0_end(g);
}

/* Saved and new value were compared with the mask on one side only: nothing ever matched. */
static void pin_comparison_one_sided(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	/* free bits set on the first VP and not on the second, and the other way round */
	g->vp[0].regs.cr4 |= 1u << 7 | 1u << 13;
	g->vp[1].regs.cr4 &= ~(1ull << 7);
	g->vp[2].regs.efer |= 1u << 12;
	for (uint32_t vp = 0; vp < 3; vp++) {
		guest_set_vp(vp);
		CHECK_OK(vtlcall(g, HEKI_CALL_LOCK_REGS, 0, 0, 0));
	}
	g->vp[3].regs.cr4 &= ~(1ull << 20); /* and a pinned one */
	guest_set_vp(3);
	CHECK_REFUSED(REGISTERS, vtlcall(g, HEKI_CALL_LOCK_REGS, 0, 0, 0));
	guest_set_vp(0);
	vtl0_end(g);
}

/* Every certificate was tried with every signature, revoked ones and strangers' alike. */
static void certificates_without_issuer_or_revocation(void)
{
	struct guest *g = booted();
	struct file f;
	struct placed m;

	place(g, &m, "tiny-rsa2048.ko");
	CHECK_OK(unload(g, validate(&m)));
	f = load_file("rsa2048.der");
	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, 0));
	drop_file(&f);
	CHECK_REFUSED(REVOKED, validate(&m));
	f = load_file("stranger.der"); /* its issuer is not trusted */
	CHECK_REFUSED(NO_KEY, call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n, 0));
	drop_file(&f);
	f = load_file("plainchild.der"); /* its issuer is trusted for modules, and is no authority */
	CHECK_REFUSED(NO_KEY, call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n, 0));
	drop_file(&f);
	unplace(&m);
	end(g);
}

static void boot_token_for_a_vp_that_failed(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	uint8_t bytes[HEKI_PAGE_SIZE] = { 0x0f };
	uint64_t mask = put_bytes(g, bytes, sizeof(bytes)) >> HEKI_PAGE_SHIFT;
	uint64_t signal = guest_pages(g, 1);
	const uint8_t *tokens = guest_at(g, signal);

	g->vp[1].present = false;
	CHECK_REFUSED(AP_INIT, vtlcall(g, HEKI_CALL_BOOT_APS, mask, signal >> HEKI_PAGE_SHIFT, 0));
	CHECK_EQUAL(tokens[1], 0);
	CHECK_EQUAL(tokens[2], HEKI_BOOT_TOKEN);
	vtl0_end(g);
}

/* What the tests of kexec build, here with one page and without segments of interest. */
static int kexec(struct guest *g, const struct file *blob, uint64_t page, uint64_t slot)
{
	struct heki_kexec_segment segment = {
		.mem = guest_pages(g, 8), .memsz = 8 * HEKI_PAGE_SIZE,
		.bufsz = 1, .flags = HEKI_SEGMENT_KERNEL,
	};
	uint64_t pa = put_bytes(g, blob->p, blob->n), segments = put_bytes(g, &segment, 32);
	struct ranges list = { 0 };
	int result;

	add_range(&list, DIRECT_MAP + pa, pa, blob->n, HEKI_KEXEC_KERNEL_BLOB);
	add_range(&list, DIRECT_MAP + segments, segments, 32, HEKI_KEXEC_SEGMENTS);
	add_range(&list, DIRECT_MAP + page, page, HEKI_PAGE_SIZE, HEKI_KEXEC_PAGES);
	result = call_ranges(g, HEKI_CALL_KEXEC_VALIDATE, &list, slot);
	drop_ranges(&list);
	return result;
}

static struct guest *kexec_booted(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct file f = load_file("kexecca.der");

	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, f.p, f.n, HEKI_KDATA_KEXEC_CERTS));
	drop_file(&f);
	kernel_boot(g, &kernel);
	return g;
}

/* The digest in the signed content is exchanged together with the kernel; the attributes stay. */
static void message_digest_not_compared(void)
{
	struct guest *g = kexec_booted();
	struct file signed_for = load_file("kernel-signed.pe"), other = load_file("other-signed.pe");
	static const uint8_t message_digest[] = {
		0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04,
	};
	size_t table = get_le32(other.p + get_le32(other.p + 0x3c) + 24 + 144), attributes = 0;

	/* The other image, whole, with content and digest of its own, but attributes of the first. */
	CHECK(other.n == signed_for.n);
	for (size_t i = table; i + sizeof(message_digest) + 4 < other.n; i++)
		if (!memcmp(other.p + i, message_digest, sizeof(message_digest)))
			attributes = i;
	CHECK(attributes && !memcmp(signed_for.p + attributes, message_digest, 11));
	memcpy(other.p + attributes, signed_for.p + attributes, other.n - attributes);
	CHECK_REFUSED(SIGNATURE, kexec(g, &other, guest_pages(g, 1), 0));
	drop_file(&signed_for);
	drop_file(&other);
	end(g);
}

/* A bad image that names anybody's pages: they became writable when it was refused. */
static void failed_kexec_releases_pages_of_others(void)
{
	struct guest *g = kexec_booted();
	struct file bad = load_file("kernel-untrusted.pe");
	struct snapshot *s = snapshot_take(g);
	uint64_t own = guest_pages(g, 1);

	for (uint64_t slot = 0; slot < 2; slot++) {
		CHECK_REFUSED(OVERLAP, kexec(g, &bad, kernel.text, slot));
		CHECK_REFUSED(OVERLAP, kexec(g, &bad, kernel.text, slot));
		CHECK_REFUSED(NO_KEY, kexec(g, &bad, own, slot));
		CHECK_REFUSED(OVERLAP, kexec(g, &bad, kernel.rodata, slot));
		CHECK_EQUAL(vtlcall(g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, slot), 0);
	}
	snapshot_check(g, s);
	CHECK_EQUAL(guest_store(g, kernel.text, "x", 1), -1);
	CHECK_EQUAL(guest_store(g, kernel.rodata, "x", 1), -1);
	drop_file(&bad);
	end(g);
}

static void ring_over_protected_pages(void)
{
	struct guest *g = booted();
	uint8_t before[256];

	memcpy(before, guest_at(g, kernel.text), sizeof(before));
	CHECK_REFUSED(OVERLAP, vtlcall(g, HEKI_CALL_ALLOCATE_RINGBUFFER, kernel.text, 4096, 0));
	CHECK_REFUSED(NOT_ALIGNED,
		      vtlcall(g, HEKI_CALL_ALLOCATE_RINGBUFFER, kernel.text + 2048, 4096, 0));
	CHECK_REFUSED(PHYS_ADDRESS, vtlcall(g, HEKI_CALL_ALLOCATE_RINGBUFFER, VTL1_PA, 4096, 0));
	CHECK_REFUSED(NOT_SUPPORTED, vtlcall(g, HEKI_CALL_OPTEE_MESSAGE, 0, 0, 0)); /* a record */
	CHECK(!memcmp(before, guest_at(g, kernel.text), sizeof(before)));
	end(g);
}

/* SFMASK is its own register, in the list as in the comparison. */
static void sfmask_taken_for_another_register(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(vtlcall(g, HEKI_CALL_LOCK_REGS, 0, 0, 0));
	CHECK_EQUAL(g->core->vps[0].regs.sfmask, g->vp[0].regs.sfmask);
	guest_set_vp(1);
	g->vp[1].regs.sfmask ^= 0x200; /* interrupts on at system calls */
	CHECK_REFUSED(REGISTERS, vtlcall(g, HEKI_CALL_LOCK_REGS, 0, 0, 0));
	CHECK(strstr(last_log(g)->text, "SFMASK"));
	guest_set_vp(0);
	vtl0_end(g);
}

/* Revocation certificates were accepted, and nothing came of them. */
static void revoked_certificates_ignored(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("rsa2048.der");
	struct placed m;

	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, f.p, f.n, HEKI_KDATA_REVOCATION_CERTS));
	drop_file(&f);
	kernel_boot(g, &kernel);
	place(g, &m, "tiny-rsa2048.ko");
	CHECK_REFUSED(REVOKED, validate(&m));
	unplace(&m);
	end(g);
}

/* Secondary keys were accepted without effect; and hashes of the blocklist. */
static void secondary_keys_ignored(void)
{
	struct guest *g = booted();
	struct file f = load_file("secondary.der");
	struct placed m;

	place(g, &m, "tiny-secondary.ko");
	CHECK_REFUSED(NO_KEY, validate(&m));
	CHECK_OK(call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n, 0));
	CHECK(validate(&m) > 0);
	drop_file(&f);
	unplace(&m);
	end(g);
}

/* --- further ones of the same code --- */

/* Freeing init memory twice made stale ranges writable, whoever had the pages by then. */
static void init_freed_twice(void)
{
	struct guest *g = booted();
	struct placed m;
	uint64_t pa;
	int token;

	place(g, &m, "tiny-rsa2048.ko");
	token = validate(&m);
	pa = m.pa[HEKI_MOD_INIT_TEXT][0];
	CHECK_OK(free_init(g, token));
	CHECK_OK(vtlcall(g, HEKI_CALL_ALLOCATE_RINGBUFFER, pa, 4096, 0)); /* somebody else's now */
	CHECK_REFUSED(TOKEN, free_init(g, token));
	CHECK_EQUAL(guest_store(g, pa, "x", 1), -1);
	CHECK_OK(unload(g, token));
	CHECK_EQUAL(guest_store(g, pa, "x", 1), -1);
	unplace(&m);
	end(g);
}

/* The data of a module opened pages that belong to VTL1, or to other modules. */
static void module_data_over_protected_pages(void)
{
	struct guest *g = booted();
	struct placed m;
	uint64_t victims[3] = { kernel.text, kernel.rodata, VTL1_PA };

	place(g, &m, "tiny-rsa2048.ko");
	for (size_t i = 0; i < m.ranges.n; i++) {
		struct heki_range *r = &m.ranges.r[i], old = *r;

		if (r->attributes != HEKI_MOD_DATA)
			continue;
		for (unsigned int j = 0; j < 3; j++) {
			r->pa = victims[j];
			r->epa = r->pa + HEKI_PAGE_SIZE;
			CHECK(validate_refused(&m) < 0);
		}
		*r = old;
	}
	CHECK_EQUAL(guest_store(g, kernel.text, "x", 1), -1);
	unplace(&m);
	end(g);
}

/* The pages of a partial range at its end stayed open. */
static void partial_pages_rounded_down(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 2);

	CHECK_OK(call_range(g, HEKI_CALL_LOAD_KDATA, pa, 2048, HEKI_KDATA_KEXEC_TRAMPOLINE));
	CHECK_EQUAL(guest_store(g, pa, "x", 1), -1);
	CHECK_EQUAL(guest_store(g, pa + 2047, "x", 1), -1);
	vtl0_end(g);
}

const struct test known_faults_tests[] = {
	{ "validation_before_protection", validation_before_protection },
	{ "relocated_bytes_never_checked", relocated_bytes_never_checked },
	{ "every_other_patch_header_skipped", every_other_patch_header_skipped },
	{ "int3_one_byte_beside_its_site", int3_one_byte_beside_its_site },
	{ "cross_page_patch_at_twice_its_offset", cross_page_patch_at_twice_its_offset },
	{ "second_page_of_a_patch_not_checked", second_page_of_a_patch_not_checked },
	{ "page_chain_that_never_ends", page_chain_that_never_ends },
	{ "panic_on_alignment_or_algorithm", panic_on_alignment_or_algorithm },
	{ "pin_comparison_one_sided", pin_comparison_one_sided },
	{ "certificates_without_issuer_or_revocation", certificates_without_issuer_or_revocation },
	{ "boot_token_for_a_vp_that_failed", boot_token_for_a_vp_that_failed },
	{ "message_digest_not_compared", message_digest_not_compared },
	{ "failed_kexec_releases_pages_of_others", failed_kexec_releases_pages_of_others },
	{ "ring_over_protected_pages", ring_over_protected_pages },
	{ "sfmask_taken_for_another_register", sfmask_taken_for_another_register },
	{ "revoked_certificates_ignored", revoked_certificates_ignored },
	{ "secondary_keys_ignored", secondary_keys_ignored },
	{ "init_freed_twice", init_freed_twice },
	{ "module_data_over_protected_pages", module_data_over_protected_pages },
	{ "partial_pages_rounded_down", partial_pages_rounded_down },
	{ NULL, NULL },
};
