// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VTL0 without a kernel: it runs below VTL1's test image and above the hypervisor, and looks whether
 * VTL1 serves, refuses and outlives what it shall. KTAP on COM1, last line "N passed, N failed".
 */
#include <hyperv/cpu.h>
#include <hyperv/hypercall.h>
#include <hyperv/registers.h>
#include <hyperv/vsm.h>

#include <stdbool.h>

#include <heki/heki.h>

#include "../../instructions.h"
#include "asm.h"

#define COM1 0x3f8
#define COM1_STATUS 0x3fd
#define COM1_READY 0x20
#define EXIT_PORT 0xf4

#define APIC 0xfee00000ull
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_INIT 0x4500
#define APIC_SIPI 0x4600

#define VECTOR_GP 13
#define ROUNDS 2000
#define PATIENCE 10000000ull
#define VTL1_SIZE ((16ull << 20) + GUEST_CPUS * (4ull << 20))

#define ERRNO(name) ((uint64_t)-(int64_t)(name))
#define EPERM 1
#define EIO 5
#define EFAULT 14
#define EINVAL 22

struct guest_regs {
	uint64_t r[17]; /* RAX .. R15 without RSP, CR2, DR0 */
	uint64_t xmm[4];
};
_Static_assert(offsetof(struct guest_regs, xmm) == GREG_XMM0, "struct guest_regs");

#define REG(regs, name) ((regs)->r[GREG_##name / 8])

enum try { TRY_READ, TRY_WRITE, TRY_RUN };

void guest_main(const uint8_t *params);
void guest_ap(uint32_t index);
uint64_t try_access(uint64_t address, enum try how);
uint64_t try_call(struct guest_regs *regs, uint64_t stub);
uint64_t try_run(void (*f)(uint64_t argument), uint64_t argument);
void vtlcall(struct guest_regs *regs, uint64_t stub);

extern const uint8_t exception_stubs[];
extern uint8_t ap_code[];
extern uint8_t ap_code_end[];
extern uint32_t ap_cr3;

static uint8_t hypercall_page[4096] __attribute__((aligned(4096)));
static uint8_t in[4096] __attribute__((aligned(4096)));
static uint8_t out[4096] __attribute__((aligned(4096)));
static uint8_t mask[4096] __attribute__((aligned(4096)));
static uint8_t signal[4096] __attribute__((aligned(4096)));
static uint8_t data[8192] __attribute__((aligned(4096)));
static struct heki_log_record record __attribute__((aligned(4096)));

static uint64_t call_stub;
static uint64_t vtl1; /* its memory */
static uint64_t vtl1_end;
static uint64_t passed;
static uint64_t failed;

enum order { ORDER_NONE, ORDER_CALL, ORDER_ROUNDS, ORDER_TRY_CALL, ORDER_TRY_READ };

/* What another CPU shall do, and what came of it. */
struct ap {
	uint32_t up;
	uint32_t order;
	struct guest_regs regs;
	uint64_t result;
};

static struct ap aps[GUEST_CPUS];

/* --- output --- */

static void put_str(const char *s)
{
	for (; *s; s++) {
		while (!(in8(COM1_STATUS) & COM1_READY))
			;
		out8(COM1, (uint8_t)*s);
	}
}

static void put_number(uint64_t v, uint64_t base)
{
	char digits[24];
	unsigned int i = sizeof(digits) - 1;

	digits[i] = 0;
	do {
		digits[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	put_str(digits + i);
}

static void equal(const char *what, uint64_t got, uint64_t expected)
{
	bool ok = got == expected;

	if (!ok) {
		put_str("# got 0x");
		put_number(got, 16);
		put_str(", expected 0x");
		put_number(expected, 16);
		put_str("\n");
	}
	passed += ok;
	failed += !ok;
	put_str(ok ? "ok " : "not ok ");
	put_number(passed + failed, 10);
	put_str(" ");
	put_str(what);
	put_str("\n");
}

static void finish(void)
{
	put_number(passed, 10);
	put_str(" passed, ");
	put_number(failed, 10);
	put_str(" failed\n");
	out8(EXIT_PORT, 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* --- the CPU and the hypervisor --- */

static void write_msr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static void load_exceptions(void)
{
	static struct {
		uint64_t low;
		uint64_t high;
	} idt[32];
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };
	uint16_t code;

	__asm__ volatile("mov %%cs, %0" : "=r"(code));
	for (unsigned int i = 0; i < 32; i++) {
		uint64_t stub = (uint64_t)exception_stubs + i * 16;

		idt[i].low = (stub & 0xffff) | (uint64_t)code << 16 | 0x8e0000000000ull |
			     (stub >> 16 & 0xffff) << 48;
		idt[i].high = stub >> 32;
	}
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

static uint64_t hypercall(uint64_t control)
{
	uint64_t result;

	__asm__ volatile("mov %3, %%r8\n\t"
			 "call *%4"
			 : "=a"(result), "+c"(control)
			 : "d"(in), "r"(out), "r"(hypercall_page)
			 : "r8", "r9", "r10", "r11", "memory");
	return result & HV_RESULT_STATUS_MASK;
}

static uint64_t get_register(enum hv_register name)
{
	struct hv_get_vp_registers *get = (void *)in;

	get->partition = HV_PARTITION_SELF;
	get->vp = HV_VP_SELF;
	get->names[0] = name;
	equal("a register is told", hypercall(1ull << 32 | HV_CALL_GET_VP_REGISTERS), 0);
	return *(uint64_t *)out;
}

static void find_stub(void)
{
	uint64_t status;

	write_msr(HV_MSR_GUEST_OS_ID, 1ull << 63 | 2);
	write_msr(HV_MSR_HYPERCALL, (uint64_t)hypercall_page | HV_MSR_ENABLE);
	call_stub = (uint64_t)hypercall_page +
		    (get_register(HV_REGISTER_VSM_CODE_PAGE_OFFSETS) & 0xfff);
	status = get_register(HV_REGISTER_VSM_VP_STATUS);
	equal("VTL1 is enabled", status >> HV_VSM_VP_STATUS_ENABLED_SHIFT, 3);
	put_str(status & HV_VSM_VP_STATUS_ACTIVE_MBEC ? "# with MBEC\n" : "# without MBEC\n");
}

/* VTL0 sees it as reserved, and knows it by its size, which vm.sh says. */
static void find_vtl1(const uint8_t *params)
{
	const uint8_t *e = params + 0x2d0;

	for (unsigned int i = 0; i < params[0x1e8]; i++, e += 20) {
		uint64_t start;
		uint64_t size;

		__builtin_memcpy(&start, e, 8);
		__builtin_memcpy(&size, e + 8, 8);
		if (e[16] == 2 && size == VTL1_SIZE) {
			vtl1 = start;
			vtl1_end = start + size;
		}
	}
	equal("memory of VTL1 is reserved", vtl1 != 0, 1);
}

/* --- calls --- */

static void fill(struct guest_regs *regs, uint64_t salt)
{
	uint64_t *p = regs->r;

	for (unsigned int i = 0; i < sizeof(*regs) / 8; i++)
		p[i] = (i + 1) * 0x0101010101010101ull + salt;
	REG(regs, CR2) &= 0x7fffffffffffull;
	REG(regs, DR0) &= 0x7fffffffffffull;
}

static void set_call(struct guest_regs *regs, uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
	REG(regs, RDI) = id;
	REG(regs, RSI) = a;
	REG(regs, RDX) = b;
	REG(regs, R8) = c;
}

/* Whether a call has changed nothing but its result and the two registers that it is made by. */
static bool untouched(const struct guest_regs *before, const struct guest_regs *after)
{
	for (unsigned int i = 0; i < sizeof(*before) / 8; i++)
		if (i != GREG_RAX / 8 && i != GREG_RCX / 8 && i != GREG_R8 / 8 &&
		    before->r[i] != after->r[i])
			return false;
	return true;
}

static uint64_t call(uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
	struct guest_regs before;
	struct guest_regs after;

	fill(&before, id);
	set_call(&before, id, a, b, c);
	after = before;
	vtlcall(&after, call_stub);
	if (!untouched(&before, &after))
		equal("registers are untouched", id, 0);
	return REG(&after, R8);
}

/* The last record. */
static void log_is(uint64_t event, uint64_t error)
{
	uint64_t n = call(HEKI_TEST_LOG, 0, 0, 0);

	equal(" is in the log", call(HEKI_TEST_LOG, n, (uint64_t)&record, 0), 0);
	equal(" as such an event", record.event, event);
	equal(" with its error", record.error, error);
	put_str("# ");
	put_str(record.text);
	put_str("\n");
}

static void calls(void)
{
	equal("null call", call(HEKI_IMAGE_START, 1, 2, 3), 0);
	equal("echo", call(HEKI_IMAGE_ECHO, 0x1, 0x20, 0x300), 0x321);
	equal("echo is 31 bits", call(HEKI_IMAGE_ECHO, ~0ull, 0, 0), 0x7fffffff);
	equal("unknown call", call(0x1fdff, 0, 0, 0), ERRNO(EINVAL));
	log_is(HEKI_LOG_REFUSAL, HEKI_E_UNKNOWN_CALL);
	equal("id of 64 bits", call(1ull << 32 | HEKI_IMAGE_ECHO, 0, 0, 0), ERRNO(EINVAL));
	equal("call of the core", call(HEKI_CALL_QUERY, 0, 0, 0), HEKI_ABI_VERSION);
}

static void faults(void)
{
	static const uint64_t ids[] = { HEKI_TEST_NULL,	      HEKI_TEST_STACK,
					HEKI_TEST_DIVIDE,     HEKI_TEST_INVALID,
					HEKI_TEST_WRITE_CODE, HEKI_TEST_RUN_DATA };

	for (unsigned int i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		equal("a fault is a refusal", call(ids[i], 0, 0, 0), ERRNO(EIO));
		equal(" and VTL1 goes on", call(HEKI_IMAGE_ECHO, 7, 0, 0), 7);
	}
	equal("VTL0 is not mapped in VTL1", call(HEKI_TEST_READ_VTL0, (uint64_t)data, 0, 0),
	      ERRNO(EIO));
	equal("an accessor's fault is an error", call(HEKI_TEST_ACCESS, 0, 0, 0), ERRNO(EFAULT));
	equal("the same with no address at all", call(HEKI_TEST_ACCESS, 1ull << 63, 0, 0),
	      ERRNO(EFAULT));
}

static void copies(void)
{
	uint64_t at = (uint64_t)data;
	uint64_t same = 0;

	for (unsigned int i = 0; i < 4096; i++)
		data[i] = (uint8_t)(i * 7);
	equal("copy over a page's end", call(HEKI_TEST_COPY, at + 3, at + 4090, 300), 0);
	for (unsigned int i = 0; i < 300; i++)
		same += data[4090 + i] == (uint8_t)((i + 3) * 7);
	equal(" arrives", same, 300);
	equal("not from VTL1", call(HEKI_TEST_COPY, vtl1, at, 8), ERRNO(EFAULT));
	equal("not to VTL1", call(HEKI_TEST_COPY, at, vtl1_end - 8, 8), ERRNO(EFAULT));
	equal("not over into VTL1", call(HEKI_TEST_COPY, vtl1 - 4, at, 8), ERRNO(EFAULT));
	equal("not from a device", call(HEKI_TEST_COPY, APIC, at, 4), ERRNO(EFAULT));
	equal("not from nowhere", call(HEKI_TEST_COPY, ~0ull - 3, at, 8), ERRNO(EFAULT));
}

static void intercepts(void)
{
	uint64_t interrupts = call(HEKI_TEST_COUNTERS, 1, 0, 0);
	uint64_t image = vtl1 + (2 << 20);

	equal("VTL0 cannot read VTL1", try_access(image + 8, TRY_READ), VECTOR_GP);
	log_is(HEKI_LOG_INTERCEPT, HEKI_OK);
	equal(" with its address", record.address, image + 8);
	equal("nor write", try_access(image + 16, TRY_WRITE), VECTOR_GP);
	log_is(HEKI_LOG_INTERCEPT, HEKI_OK);
	equal(" with its address", record.address, image + 16);
	equal("nor run", try_access(image + 4096, TRY_RUN), VECTOR_GP);
	equal("nor its first page", try_access(vtl1, TRY_READ), VECTOR_GP);
	equal("nor its last", try_access(vtl1_end - 1, TRY_READ), VECTOR_GP);
	equal("each by an interrupt", call(HEKI_TEST_COUNTERS, 1, 0, 0) - interrupts, 5);
	equal("nothing unknown came", call(HEKI_TEST_COUNTERS, 2, 0, 0), 0);
	for (unsigned int i = 0; i < ROUNDS; i++)
		interrupts += try_access(vtl1 + i * 4096ull, TRY_READ) == VECTOR_GP;
	equal("thousands of them", call(HEKI_TEST_COUNTERS, 1, 0, 0), interrupts + 5);
}

/* A call that VTL0 does not come back from as it went: the vector that it meets. */
static uint64_t try_message(uint64_t type)
{
	struct guest_regs regs;

	fill(&regs, type);
	set_call(&regs, HEKI_TEST_MESSAGE, type, 0, 0);
	return try_call(&regs, call_stub);
}

static void messages(void)
{
	uint64_t unknown = call(HEKI_TEST_COUNTERS, 2, 0, 0);

	equal("a refused memory access", try_message(HV_MESSAGE_GPA_INTERCEPT), VECTOR_GP);
	equal("one of memory that is not there", try_message(HV_MESSAGE_UNMAPPED_GPA), VECTOR_GP);
	equal("a refused MSR", try_message(HV_MESSAGE_MSR_INTERCEPT), VECTOR_GP);
	log_is(HEKI_LOG_INTERCEPT, HEKI_OK);
	equal("a register where nothing is pinned", try_message(HV_MESSAGE_REGISTER_INTERCEPT), 0);
	equal("no message", try_message(HV_MESSAGE_NONE), 0);
	equal("a message of another kind", try_message(0x1234), 0);
	log_is(HEKI_LOG_INTERCEPT, HEKI_OK);
	equal(" with its kind", record.address, 0x1234);
	equal(" is counted", call(HEKI_TEST_COUNTERS, 2, 0, 0), unknown + 1);
}

/* --- pins --- */

#define MSR_LSTAR 0xc0000082u
#define MSR_EFER 0xc0000080u
#define EFER_NXE (1ull << 11)
#define CR0_TS (1ull << 3)
#define CR0_WP (1ull << 16)
#define CR4_TSD (1ull << 2)
#define CR4_PGE (1ull << 7)
#define CR4_OSFXSR (1ull << 9)
#define TSS_SELECTOR 0x18

struct table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static void write_lstar(uint64_t v)
{
	asm volatile("wrmsr" : : "c"(MSR_LSTAR), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static void write_efer(uint64_t v)
{
	asm volatile("wrmsr" : : "c"(MSR_EFER), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

static void write_cr0(uint64_t v)
{
	asm volatile("mov %0, %%cr0" : : "r"(v) : "memory");
}

static void write_cr4(uint64_t v)
{
	asm volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

static void write_idtr(uint64_t table)
{
	asm volatile("lidt (%0)" : : "r"(table) : "memory");
}

static void write_gdtr(uint64_t table)
{
	asm volatile("lgdt (%0)" : : "r"(table) : "memory");
}

static void write_ldtr(uint64_t selector)
{
	asm volatile("lldt %w0" : : "r"(selector) : "memory");
}

static void write_tr(uint64_t selector)
{
	asm volatile("ltr %w0" : : "r"(selector) : "memory");
}

static void pinned_msrs(void)
{
	uint64_t efer = read_msr(MSR_EFER);

	equal("a pinned MSR keeps its value", try_run(write_lstar, 0x1235), VECTOR_GP);
	log_is(HEKI_LOG_INTERCEPT, HEKI_OK);
	equal(" with its number", record.address, MSR_LSTAR);
	equal(" and is as it was", read_msr(MSR_LSTAR), 0x1234);
	equal("the same value again", try_run(write_lstar, 0x1234), 0);
	equal("EFER without NXE", try_run(write_efer, efer & ~EFER_NXE), VECTOR_GP);
	equal(" and is as it was", read_msr(MSR_EFER), efer);
	equal("EFER as it is", try_run(write_efer, efer), 0);
}

static void pinned_controls(void)
{
	uint64_t cr0, cr4, now;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	equal("CR0.WP is pinned", try_run(write_cr0, cr0 ^ CR0_WP), VECTOR_GP);
	equal("CR0.TS is free", try_run(write_cr0, cr0 ^ CR0_TS), 0);
	equal(" and back", try_run(write_cr0, cr0), 0);
	equal("CR4.OSFXSR is pinned", try_run(write_cr4, cr4 ^ CR4_OSFXSR), VECTOR_GP);
	asm volatile("mov %%cr4, %0" : "=r"(now));
	equal(" and is as it was", now, cr4);
	equal("CR4.PGE and TSD are free", try_run(write_cr4, cr4 ^ CR4_PGE ^ CR4_TSD), 0);
	equal(" with a pinned one they are not",
	      try_run(write_cr4, cr4 ^ CR4_OSFXSR), VECTOR_GP);
	equal(" and back", try_run(write_cr4, cr4), 0);
}

static void pinned_tables(void)
{
	struct table idt, gdt, other;

	asm volatile("sidt %0" : "=m"(idt));
	asm volatile("sgdt %0" : "=m"(gdt));
	other = (struct table){ idt.limit, (uint64_t)data };
	equal("another IDT", try_run(write_idtr, (uint64_t)&other), VECTOR_GP);
	equal("the same IDT", try_run(write_idtr, (uint64_t)&idt), 0);
	other = (struct table){ gdt.limit, (uint64_t)data };
	equal("another GDT", try_run(write_gdtr, (uint64_t)&other), VECTOR_GP);
	other = (struct table){ (uint16_t)(gdt.limit + 8), gdt.base };
	equal("a longer GDT", try_run(write_gdtr, (uint64_t)&other), VECTOR_GP);
	equal("the same GDT", try_run(write_gdtr, (uint64_t)&gdt), 0);
	equal("no LDT", try_run(write_ldtr, 0), 0);
	equal("another LDT", try_run(write_ldtr, 8), VECTOR_GP);
	equal("another TSS", try_run(write_tr, TSS_SELECTOR), VECTOR_GP);
	log_is(HEKI_LOG_INTERCEPT, HEKI_OK);
}

static void pins(void)
{
	put_str("# pins\n");
	equal("an MSR before it is pinned", try_run(write_lstar, 0x1234), 0);
	equal("pin", call(HEKI_CALL_LOCK_REGS, 0, 0, 0), 0);
	pinned_msrs();
	pinned_controls();
	pinned_tables();
}

/* --- protected memory --- */

static void protection(void)
{
	static struct heki_page page __attribute__((aligned(4096)));
	static uint8_t frozen[4096] __attribute__((aligned(4096)));
	uint64_t at = (uint64_t)frozen;

	put_str("# protected memory\n");
	page.nranges = 1;
	page.ranges[0] = (struct heki_range){ at, at, at + 4096,
					      HEKI_ATTR_READ | HEKI_ATTR_IMMUTABLE };
	frozen[5] = 5;
	equal("protect a page", call(HEKI_CALL_PROTECT_MEMORY, (uint64_t)&page, 1, 0), 0);
	equal("it can be read", try_access(at + 5, TRY_READ), 0);
	equal("not written", try_access(at + 5, TRY_WRITE), VECTOR_GP);
	log_is(HEKI_LOG_INTERCEPT, HEKI_OK);
	equal(" with its address", record.address, at + 5);
	equal(" and is as it was", frozen[5], 5);
	equal("not run", try_access(at + 8, TRY_RUN), VECTOR_GP);
	page.ranges[0].attributes = HEKI_ATTR_READ | HEKI_ATTR_WRITE;
	equal("it stays so", call(HEKI_CALL_PROTECT_MEMORY, (uint64_t)&page, 1, 0), ERRNO(EPERM));
	page.ranges[0] = (struct heki_range){ vtl1, vtl1, vtl1 + 4096, HEKI_ATTR_READ };
	equal("VTL1's own memory", call(HEKI_CALL_PROTECT_MEMORY, (uint64_t)&page, 1, 0),
	      ERRNO(EFAULT));
}

static uint64_t random_number(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* An id: one of the contract, one near to those, one for the other CPUs, anything. */
static uint64_t random_id(void)
{
	uint64_t r = random_number();

	switch (r & 3) {
	case 0:
		return 0x1ff00 + (r >> 8 & 0xff);
	case 1:
		return HEKI_IMAGE_ECHO - (r >> 8 & 0xff);
	case 2:
		return r & 4 ? HEKI_CALL_ENABLE_APS_VTL : HEKI_CALL_BOOT_APS;
	default:
		return r | 1ull << 32;
	}
}

/* A parameter: a page frame, one of VTL1's, one bit, anything. */
static uint64_t random_parameter(void)
{
	uint64_t r = random_number();

	switch (r & 3) {
	case 0:
		return r >> 8 & 0x1ffff;
	case 1:
		return (vtl1 >> 12) + (r >> 8 & 0x1fff);
	case 2:
		return 1ull << (r >> 8 & 63);
	default:
		return r;
	}
}

static void random_calls(void)
{
	uint64_t strange = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t a = random_parameter();
		uint64_t b = random_parameter();
		int64_t result = (int64_t)call(random_id(), a, b, random_parameter());

		strange += result < -4095 || result > 0x7fffffff;
	}
	equal("any call has an answer", strange, 0);
	equal(" and VTL1 goes on", call(HEKI_IMAGE_ECHO, 13, 0, 0), 13);
}

static void interrupts(void)
{
	for (uint64_t i = 0; i < 3; i++) {
		uint64_t n = call(HEKI_TEST_COUNTERS, i, 0, 0);

		equal("an interrupt is gone back from", call(HEKI_TEST_INTERRUPT, i, 0, 0), 0);
		equal(" and counted", call(HEKI_TEST_COUNTERS, i, 0, 0), n + 1);
	}
}

/* --- other CPUs --- */

static uint64_t rounds(uint64_t salt)
{
	uint64_t good = 0;

	for (uint64_t i = 0; i < ROUNDS; i++)
		good += call(HEKI_IMAGE_ECHO, i, salt, 0) == (i ^ salt);
	return good;
}

static void obey(struct ap *ap, enum order what)
{
	switch (what) {
	case ORDER_CALL:
		vtlcall(&ap->regs, call_stub);
		break;
	case ORDER_ROUNDS:
		ap->result = rounds(0x5500);
		break;
	case ORDER_TRY_CALL:
		ap->result = try_call(&ap->regs, call_stub);
		break;
	case ORDER_TRY_READ:
		ap->result = try_access(REG(&ap->regs, RSI), TRY_READ);
		break;
	case ORDER_NONE:
		break;
	}
}

void guest_ap(uint32_t index)
{
	struct ap *ap = &aps[index];
	uint32_t what;

	load_exceptions();
	__atomic_store_n(&ap->up, 1, __ATOMIC_RELEASE);
	for (;;) {
		what = __atomic_load_n(&ap->order, __ATOMIC_ACQUIRE);
		obey(ap, what);
		if (what)
			__atomic_store_n(&ap->order, ORDER_NONE, __ATOMIC_RELEASE);
		__builtin_ia32_pause();
	}
}

/* False when the other CPU has not done it in time. */
static bool ap_done(unsigned int index)
{
	for (uint64_t i = 0; i < PATIENCE; i++) {
		if (__atomic_load_n(&aps[index].order, __ATOMIC_ACQUIRE) == ORDER_NONE)
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

static void order(unsigned int index, enum order what, uint64_t id, uint64_t a)
{
	struct ap *ap = &aps[index];

	fill(&ap->regs, id);
	set_call(&ap->regs, id, a, 0, 0);
	__atomic_store_n(&ap->order, what, __ATOMIC_RELEASE);
}

/* The result of a call on another CPU, or something that is none. */
static uint64_t ap_call(unsigned int index, uint64_t id)
{
	order(index, ORDER_CALL, id, 0);
	return ap_done(index) ? REG(&aps[index].regs, R8) : 1ull << 63;
}

static void apic_send(unsigned int index, uint32_t command)
{
	*(volatile uint32_t *)(APIC + APIC_ICR_HIGH) = index << 24;
	*(volatile uint32_t *)(APIC + APIC_ICR_LOW) = command;
}

static void copy(void *to, const void *from, size_t n)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void start_ap(unsigned int index)
{
	ap_cr3 = (uint32_t)read_cr3();
	copy((void *)GUEST_AP_PAGE, ap_code, (size_t)(ap_code_end - ap_code));
	apic_send(index, APIC_INIT);
	for (unsigned int i = 0; i < 1000000; i++)
		__builtin_ia32_pause();
	apic_send(index, APIC_SIPI | GUEST_AP_PAGE >> 12);
	for (uint64_t i = 0; i < PATIENCE && !__atomic_load_n(&aps[index].up, __ATOMIC_ACQUIRE); i++)
		__builtin_ia32_pause();
	equal("another CPU starts", aps[index].up, 1);
}

static uint64_t page_frame(const void *p)
{
	return (uint64_t)p >> 12;
}

static void bad_masks(void)
{
	mask[0] = 1 << GUEST_CPUS;
	equal("a CPU that is not possible",
	      call(HEKI_CALL_ENABLE_APS_VTL, page_frame(mask), 0, 0), ERRNO(EIO));
	mask[0] = 0;
	mask[4095] = 0x80;
	equal("the last bit of the page",
	      call(HEKI_CALL_ENABLE_APS_VTL, page_frame(mask), 0, 0), ERRNO(EIO));
	mask[4095] = 0;
	equal("a mask of VTL1's", call(HEKI_CALL_ENABLE_APS_VTL, vtl1 >> 12, 0, 0), ERRNO(EFAULT));
	equal("a mask that is nowhere", call(HEKI_CALL_ENABLE_APS_VTL, ~0ull, 0, 0),
	      ERRNO(EFAULT));
	equal("a signal page of VTL1's",
	      call(HEKI_CALL_BOOT_APS, page_frame(mask), vtl1 >> 12, 0), ERRNO(EFAULT));
	equal("a signal page that is nowhere",
	      call(HEKI_CALL_BOOT_APS, page_frame(mask), ~0ull, 0), ERRNO(EFAULT));
}

static uint64_t boot_aps(void)
{
	return call(HEKI_CALL_BOOT_APS, page_frame(mask), page_frame(signal), 0);
}

static void other_cpus(void)
{
	bad_masks();
	start_ap(1);
	start_ap(2);
	mask[0] = 7;
	equal("levels are enabled", call(HEKI_CALL_ENABLE_APS_VTL, page_frame(mask), 0, 0), 0);
	equal("and again", call(HEKI_CALL_ENABLE_APS_VTL, page_frame(mask), 0, 0), 0);
	equal("no VP is up by that", boot_aps(), ERRNO(EIO));
	equal(" only the first has a token", signal[0] == HEKI_BOOT_TOKEN && !signal[1], 1);
	equal("a first call", ap_call(1, HEKI_IMAGE_START), 0);
	equal(" is not the third's", boot_aps(), ERRNO(EIO));
	equal(" which has no token", signal[1] == HEKI_BOOT_TOKEN && !signal[2], 1);
	equal("the third's first call", ap_call(2, HEKI_IMAGE_START), 0);
	equal("now all are up", boot_aps(), 0);
	equal(" and have a token", signal[2], HEKI_BOOT_TOKEN);
	equal(" as nobody else", signal[3], 0);
	order(1, ORDER_ROUNDS, 0, 0);
	order(2, ORDER_ROUNDS, 0, 0);
	equal("rounds on the first", rounds(0xaa00), ROUNDS);
	equal("beside rounds on the second", ap_done(1) ? aps[1].result : 0, ROUNDS);
	equal("and on the third", ap_done(2) ? aps[2].result : 0, ROUNDS);
	equal("a fault on the second", ap_call(1, HEKI_TEST_STACK), ERRNO(EIO));
}

/* VTL1 has just ended on a VP, where VTL0 met a fault, and goes on here. */
static void has_ended(unsigned int index)
{
	equal(" with a fault for VTL0", ap_done(index) ? aps[index].result : 0, VECTOR_GP);
	log_is(HEKI_LOG_FAULT, HEKI_E_INTERNAL);
	equal(" but not here", call(HEKI_IMAGE_ECHO, 9, 0, 0), 9);
	order(index, ORDER_CALL, HEKI_IMAGE_START, 0);
	equal(" where no call returns", ap_done(index), 0);
	equal(" and still not here", call(HEKI_IMAGE_ECHO, 11, 0, 0), 11);
}

/* Last, since VTL1 is gone from those VPs afterwards. */
static void ends(void)
{
	put_str("# a double fault ends VTL1 on a VP\n");
	order(1, ORDER_TRY_CALL, HEKI_TEST_DOUBLE_FAULT, 0);
	has_ended(1);
	put_str("# and so does a fault that is no call's\n");
	equal("nothing yet", ap_call(2, HEKI_TEST_NO_MESSAGES), 0);
	order(2, ORDER_TRY_READ, 0, vtl1);
	has_ended(2);
	put_str("# a fault with a lock of the core's held ends the core\n");
	equal("it is a refusal", call(HEKI_TEST_LOST_LOCK, 0, 0, 0), ERRNO(EIO));
	equal("as are all calls then", call(HEKI_CALL_QUERY, 0, 0, 0), ERRNO(EIO));
	equal(" and what is protected stays so", try_access(vtl1, TRY_READ), VECTOR_GP);
}

void guest_main(const uint8_t *params)
{
	put_str("KTAP version 1\n");
	load_exceptions();
	find_vtl1(params);
	find_stub();
	calls();
	faults();
	copies();
	intercepts();
	messages();
	interrupts();
	pins();
	protection();
	random_calls();
	other_cpus();
	ends();
	finish();
}
