// SPDX-License-Identifier: GPL-2.0-only
/* LOCK_REGS: once per start of a VP, and the same values on all of them. */
#include "vtl0.h"

static int lock(struct guest *g, uint32_t vp)
{
	int result;

	guest_set_vp(vp);
	result = vtlcall(g, HEKI_CALL_LOCK_REGS, 0, 0, 0);
	guest_set_vp(0);
	return result;
}

static void all_vps(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	for (uint32_t vp = 0; vp < GUEST_VPS; vp++) {
		CHECK_OK(lock(g, vp));
		CHECK(g->core->vps[vp].locked && g->core->vps[vp].starts == 1);
		CHECK(!memcmp(&g->core->vps[vp].regs, &g->vp[vp].regs, sizeof(g->vp[vp].regs)));
	}
	vtl0_end(g);
}

static void again_before_end_of_boot(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(lock(g, 0));
	CHECK_OK(lock(g, 0));
	vtl0_end(g);
}

static void after_end_of_boot(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(lock(g, 0));
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	CHECK_REFUSED(AFTER_END_OF_BOOT, lock(g, 0));
	CHECK_OK(lock(g, 1)); /* its first start */
	CHECK_REFUSED(AFTER_END_OF_BOOT, lock(g, 1));
	vtl0_end(g);
}

static void once_after_each_start(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(lock(g, 0));
	CHECK_OK(lock(g, 1));
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	for (uint32_t start = 2; start < 5; start++) {
		g->vp[1].restarted = true;
		CHECK_REFUSED(AFTER_END_OF_BOOT, lock(g, 0)); /* that was another VP */
		CHECK_OK(lock(g, 1));
		CHECK_EQUAL(g->core->vps[1].starts, start);
		CHECK_REFUSED(AFTER_END_OF_BOOT, lock(g, 1));
	}
	vtl0_end(g);
}

/* Flip each bit of each register on a second VP: refused but for the bits that may differ. */
static void every_bit(void)
{
	static const struct {
		size_t offset;
		uint64_t free;
	} regs[] = {
		{ offsetof(struct heki_vp_regs, cr0), 1u << 3 },
		{ offsetof(struct heki_vp_regs, cr4),
		  1u << 2 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 13 },
		{ offsetof(struct heki_vp_regs, efer), 1u << 12 },
		{ offsetof(struct heki_vp_regs, apic_base), 1u << 8 },
		{ offsetof(struct heki_vp_regs, sysenter_cs), 0 },
		{ offsetof(struct heki_vp_regs, sysenter_eip), 0 },
		{ offsetof(struct heki_vp_regs, sysenter_esp), ~0ull },
		{ offsetof(struct heki_vp_regs, star), 0 },
		{ offsetof(struct heki_vp_regs, lstar), 0 },
		{ offsetof(struct heki_vp_regs, cstar), 0 },
		{ offsetof(struct heki_vp_regs, sfmask), 0 },
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_EQUAL(sizeof(struct heki_vp_regs), 8 * HEKI_ARRAY_SIZE(regs));
	CHECK_OK(lock(g, 0));
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(regs); i++) {
		uint64_t *reg = (uint64_t *)((uint8_t *)&g->vp[1].regs + regs[i].offset);

		for (unsigned int bit = 0; bit < 64; bit++) {
			*reg ^= 1ull << bit;
			if (regs[i].free >> bit & 1)
				CHECK_OK(lock(g, 1));
			else
				CHECK_REFUSED(REGISTERS, lock(g, 1));
			*reg ^= 1ull << bit;
		}
	}
	vtl0_end(g);
}

/* The record of a difference names the register and both values. */
static void difference_is_told(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(lock(g, 0));
	g->vp[1].regs.lstar = 0xffffffff81234567;
	CHECK_REFUSED(REGISTERS, lock(g, 1));
	CHECK(strstr(last_log(g)->text, "LSTAR"));
	CHECK(strstr(last_log(g)->text, "ffffffff81234567"));
	CHECK(strstr(last_log(g)->text, "ffffffff81c00010"));
	vtl0_end(g);
}

/* A VP that comes back with other values stays open for a better try, but for nothing else. */
static void restart_with_other_values(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(lock(g, 0));
	CHECK_OK(lock(g, 1));
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	g->vp[1].restarted = true;
	g->vp[1].regs.cr4 &= ~(1ull << 20); /* SMEP */
	CHECK_REFUSED(REGISTERS, lock(g, 1));
	CHECK(!g->core->vps[1].locked);
	g->vp[1].regs.cr4 |= 1ull << 20;
	CHECK_OK(lock(g, 1));
	CHECK_REFUSED(AFTER_END_OF_BOOT, lock(g, 1));
	vtl0_end(g);
}

/* After end of boot not even the first VP sets the values anew. */
static void reference_is_kept(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	CHECK_OK(lock(g, 0));
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	g->vp[0].restarted = true;
	g->vp[0].regs.lstar++;
	CHECK_REFUSED(REGISTERS, lock(g, 0));
	vtl0_end(g);
}

static void host_cannot_read(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct snapshot *s = snapshot_take(g);

	g->fail[GUEST_READ_REGS] = 1;
	CHECK_REFUSED(NO_CPU, lock(g, 0));
	snapshot_check(g, s);
	vtl0_end(g);
}

/* What cannot be watched is not recorded. */
static void host_cannot_pin(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct snapshot *s = snapshot_take(g);

	g->fail[GUEST_PIN_REGS] = 1;
	CHECK_REFUSED(HYPERCALL, lock(g, 0));
	snapshot_check(g, s);
	CHECK_OK(lock(g, 0));
	CHECK(g->vp[0].pinned && !g->vp[1].pinned);
	vtl0_end(g);
}

/* Each bit of each register: pinned ones stay, all others may change. */
static void writes(void)
{
	static const struct {
		size_t reg;
		uint64_t pinned;
	} pins[] = {
		{ offsetof(struct heki_vp_regs, cr0), 0x80010001 },
		{ offsetof(struct heki_vp_regs, cr4), ~0x21d4ull },
		{ offsetof(struct heki_vp_regs, efer), 0xd01 },
		{ offsetof(struct heki_vp_regs, apic_base), ~0ull },
		{ offsetof(struct heki_vp_regs, sysenter_cs), ~0ull },
		{ offsetof(struct heki_vp_regs, sysenter_eip), ~0ull },
		{ offsetof(struct heki_vp_regs, sysenter_esp), ~0ull },
		{ offsetof(struct heki_vp_regs, star), ~0ull },
		{ offsetof(struct heki_vp_regs, lstar), ~0ull },
		{ offsetof(struct heki_vp_regs, cstar), ~0ull },
		{ offsetof(struct heki_vp_regs, sfmask), ~0ull },
	};
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	uint64_t was;

	CHECK_OK(lock(g, 0));
	for (unsigned int i = 0; i < HEKI_ARRAY_SIZE(pins); i++) {
		memcpy(&was, (const uint8_t *)&g->vp[0].regs + pins[i].reg, sizeof(was));
		CHECK_EQUAL(heki_core_register_write(g->core, pins[i].reg, was), HEKI_WRITE_ALLOWED);
		for (unsigned int bit = 0; bit < 64; bit++)
			CHECK_EQUAL(heki_core_register_write(g->core, pins[i].reg, was ^ 1ull << bit),
				    pins[i].pinned >> bit & 1 ? HEKI_WRITE_REFUSED :
								HEKI_WRITE_ALLOWED);
	}
	CHECK_EQUAL(heki_core_register_write(g->core, sizeof(struct heki_vp_regs), 0),
		    HEKI_WRITE_REFUSED);
	vtl0_end(g);
}

/* A start takes the pins away, until the call that it opens. */
static void writes_after_a_start(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	const size_t lstar = offsetof(struct heki_vp_regs, lstar);

	CHECK_EQUAL(heki_core_register_write(g->core, lstar, 0), HEKI_WRITE_UNPINNED);
	CHECK_OK(lock(g, 0));
	CHECK_OK(lock(g, 1));
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	g->vp[1].restarted = true;
	guest_set_vp(0);
	CHECK_EQUAL(heki_core_register_write(g->core, lstar, 0), HEKI_WRITE_REFUSED);
	guest_set_vp(1);
	CHECK_EQUAL(heki_core_register_write(g->core, lstar, 0), HEKI_WRITE_UNPINNED);
	CHECK_EQUAL(heki_core_register_write(g->core, lstar, 1), HEKI_WRITE_UNPINNED);
	CHECK_OK(lock(g, 1));
	CHECK_EQUAL(heki_core_register_write(g->core, lstar, 0), HEKI_WRITE_REFUSED);
	guest_set_vp(0);
	vtl0_end(g);
}

/* A VP may start anywhere before end of boot, and then only in frozen text of the kernel. */
static void starts(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);
	struct kernel k;
	struct gpa data = gpa(guest_pages(g, 1));

	CHECK(heki_core_start_allowed(g->core, data));
	kernel_boot(g, &k);
	CHECK(heki_core_start_allowed(g->core, gpa(k.text)));
	CHECK(!heki_core_start_allowed(g->core, gpa(k.rodata)));
	CHECK(!heki_core_start_allowed(g->core, data));
	CHECK(!heki_core_start_allowed(g->core, gpa(~0ull)));
	kernel_drop(&k);
	vtl0_end(g);
}

/* The host's own records are VTL1's log as well; intercepts are counted. */
static void records_of_the_host(void)
{
	struct heki_log_record record = { .event = HEKI_LOG_INTERCEPT, .text = "by the host" };
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	guest_set_vp(1);
	heki_core_log(g->core, &record);
	guest_set_vp(0);
	record.event = HEKI_LOG_FAULT;
	heki_core_log(g->core, &record);
	CHECK_EQUAL(g->core->stats.intercepts, 1);
	CHECK_EQUAL(g->core->log.written, 2);
	CHECK_EQUAL(g->core->log.records[0].vp, 1);
	CHECK_EQUAL(g->core->log.records[0].seq, 1);
	CHECK(!strcmp(g->core->log.records[0].text, "by the host"));
	vtl0_end(g);
}

static void vp_outside_of_the_table(void)
{
	struct heki_limits limits = test_limits;
	struct guest *g;

	limits.vps = 2;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	CHECK_OK(lock(g, 1));
	CHECK_REFUSED(PARAMETER, lock(g, 2));
	CHECK_REFUSED(PARAMETER, lock(g, ~0u));
	vtl0_end(g);
}

const struct test regs_tests[] = {
	{ "all_vps", all_vps },
	{ "again_before_end_of_boot", again_before_end_of_boot },
	{ "after_end_of_boot", after_end_of_boot },
	{ "once_after_each_start", once_after_each_start },
	{ "every_bit", every_bit },
	{ "difference_is_told", difference_is_told },
	{ "restart_with_other_values", restart_with_other_values },
	{ "reference_is_kept", reference_is_kept },
	{ "host_cannot_read", host_cannot_read },
	{ "host_cannot_pin", host_cannot_pin },
	{ "writes", writes },
	{ "writes_after_a_start", writes_after_a_start },
	{ "starts", starts },
	{ "records_of_the_host", records_of_the_host },
	{ "vp_outside_of_the_table", vp_outside_of_the_table },
	{ NULL, NULL },
};
