// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ports that VTL0 does not have: the firmware's configuration, whose DMA writes anywhere, QEMU's patcher
 * of APIC accesses, which does so too, system management, the line A20, the hypervisor's console, and the
 * ways to reset the machine, which are gone through here so that VTL1's memory can be cleared first.
 */
#include "console.h"
#include "vp.h"

#define PORT_KEYBOARD 0x64u
#define PORT_VAPIC 0x7eu
#define PORT_CONTROL_A 0x92u
#define PORT_SMI 0xb2u
#define PORT_CONSOLE 0x2f8u
#define PORT_FW_CFG 0x510u
#define PORT_FW_CFG_END 0x51cu
#define PORT_PCI_ADDRESS 0xcf8u
#define PORT_RESET 0xcf9u

/* Commands of the keyboard's controller: pulses of lines, of which the lowest is reset; its output port. */
#define KEYBOARD_IS_PULSE(v) (((v) & 0xf0) == 0xf0)
#define KEYBOARD_NO_RESET BIT(0)
#define KEYBOARD_OUTPUT 0xd1u
#define KEYBOARD_A20_OFF 0xddu
#define CONTROL_A_RESET BIT(0)
#define CONTROL_A_A20 BIT(1)
#define RESET_NOW BIT(2)

#define LINE_STATUS 5u
#define TRANSMITTER_EMPTY BIT(5)

#define IO_IN BIT(0)
#define IO_STRING BIT(2)
#define IO_REPEAT BIT(3)
#define IO_ADDRESS_16 BIT(7)
#define IO_ADDRESS_32 BIT(8)
#define IO_SIZE(info) ((uint32_t)((info) >> 4 & 7))
#define IO_PORT(info) ((uint16_t)((info) >> 16))

void console_put(char c)
{
	while (!(in8(PORT_CONSOLE + LINE_STATUS) & TRANSMITTER_EMPTY))
		spin_wait();
	out8(PORT_CONSOLE, (uint8_t)c);
}

void machine_fail(void)
{
	out8(PORT_RESET, RESET_NOW | BIT(1));
	while (true)
		wait_nmi();
}

void machine_reset(void)
{
	if (partition.config & HV_VSM_PARTITION_ZERO_ON_RESET && partition.vtl1_end)
		memset((void *)partition.vtl1_start, 0, partition.vtl1_end - partition.vtl1_start);
	machine_fail();
}

static void close_ports(uint8_t *map, uint32_t first, uint32_t n)
{
	for (uint32_t port = first; port < first + n; port++)
		map[port / 8] |= (uint8_t)BIT(port % 8);
}

void io_map_init(uint8_t *map)
{
	memset(map, 0, 3 * PAGE_SIZE);
	close_ports(map, PORT_KEYBOARD, 1);
	close_ports(map, PORT_VAPIC, 2);
	close_ports(map, PORT_CONTROL_A, 1);
	close_ports(map, PORT_SMI, 1);
	close_ports(map, PORT_CONSOLE, 8);
	close_ports(map, PORT_FW_CFG, PORT_FW_CFG_END - PORT_FW_CFG);
	close_ports(map, PORT_RESET, 1);
}

static uint64_t port_in(uint16_t port, uint32_t size)
{
	if (size == 1)
		return in8(port);
	return size == 2 ? in16(port) : in32(port);
}

static void port_out(uint16_t port, uint32_t size, uint32_t v)
{
	if (size == 1)
		out8(port, (uint8_t)v);
	else if (size == 2)
		out16(port, (uint16_t)v);
	else
		out32(port, v);
}

/* What VTL0 writes to the console's port says at which point of a measurement it is. */
static bool mark(uint32_t size, bool in, uint32_t v)
{
	if (!partition.counters || in || size != 1)
		return false;
	counters_print(v & 0xff);
	return true;
}

/* The output port has the reset line, and A20: without it, memory is not where the nested tables say. */
static bool keyboard_may(uint32_t command)
{
	if (KEYBOARD_IS_PULSE(command) && !(command & KEYBOARD_NO_RESET))
		machine_reset();
	return command != KEYBOARD_OUTPUT && command != KEYBOARD_A20_OFF;
}

/* Of an access of @size bytes that touches a closed port, whether it may be made all the same. */
static bool port_open(uint16_t port, uint32_t size, bool in, uint32_t v)
{
	switch (port) {
	case PORT_KEYBOARD:
		return size == 1 && (in || keyboard_may(v & 0xff));
	case PORT_CONTROL_A:
		if (!in && v & CONTROL_A_RESET)
			machine_reset();
		return size == 1 && (in || v & CONTROL_A_A20);
	case PORT_PCI_ADDRESS:
		return size == 4;
	case PORT_RESET:
		if (!in && v & RESET_NOW)
			machine_reset();
		return size == 1;
	default:
		return false;
	}
}

static bool access(uint16_t port, uint32_t size, bool in, uint64_t *v)
{
	if (port == PORT_CONSOLE && mark(size, in, (uint32_t)*v))
		return true;
	if (!port_open(port, size, in, (uint32_t)*v))
		return false;
	if (in)
		*v = port_in(port, size);
	else
		port_out(port, size, (uint32_t)*v);
	return true;
}

/* Where the current level writes to; false when it takes a fault instead. */
static bool written(struct vp *vp, uint64_t gva, uint64_t *gpa)
{
	struct vmcb *vmcb = vp_vmcb(vp);
	enum walk_result result = walk(vmcb, vp->level, gva, HV_TRANSLATE_WRITE, gpa);

	if (result == WALK_NOT_PRESENT || result == WALK_PRIVILEGE) {
		vmcb->cr2 = gva;
		vp_exception(vp, VECTOR_PF, true,
			     PF_WRITE | (result == WALK_PRIVILEGE ? PF_PRESENT : 0) |
				     (vmcb->cpl == 3 ? PF_USER : 0));
	} else if (result) {
		vp_refuse(vp, "write by port to", gva, 0);
	}
	return !result;
}

/* Fill guest memory with ones, over the end of one page at most; false after a fault, without effect. */
static bool fill_ones(struct vp *vp, uint64_t gva, uint32_t bytes)
{
	struct npt *npt = &partition.vtl[vp->level].npt;
	uint32_t first = (uint32_t)min_u64(bytes, PAGE_SIZE - (gva & ~PAGE_MASK));
	const uint32_t n[] = { first, bytes - first };
	uint64_t gpa[ARRAY_SIZE(n)];
	void *p[ARRAY_SIZE(n)];
	uint32_t pages = n[1] ? 2 : 1;
	bool good = true;

	for (uint32_t i = 0; i < pages; i++)
		if (!written(vp, gva + (i ? first : 0), &gpa[i]))
			return false;
	/* As for what a hypercall gives: not after the level has lost the page. */
	lock(&npt->lock);
	for (uint32_t i = 0; i < pages; i++) {
		p[i] = guest_memory(vp->level, gpa[i], n[i], HV_MAP_WRITE);
		good &= !!p[i];
	}
	for (uint32_t i = 0; i < pages && good; i++)
		memset(p[i], 0xff, n[i]);
	unlock(&npt->lock);
	if (!good)
		vp_refuse(vp, "write by port to", gva, 0);
	return good;
}

/* QEMU does not say how long addresses are. */
static uint64_t address_mask(const struct vmcb *vmcb, uint64_t info)
{
	if (info & IO_ADDRESS_16)
		return 0xffff;
	return info & IO_ADDRESS_32 || !(vmcb->efer & EFER_LMA) ? 0xffffffff : ~0ull;
}

/* How many elements are moved at once: those in the page, or the one that crosses its end. */
static uint64_t elements(uint64_t gva, uint32_t size, uint64_t left)
{
	return min_u64(left, max_u64(1, (PAGE_SIZE - (gva & ~PAGE_MASK)) / size));
}

/*
 * A string instruction at a closed port: nothing comes in but ones, what goes out is lost. A page's
 * worth at a time; the instruction is executed again for what is left. Backwards only one element is
 * moved at a time.
 */
static void string_io(struct vp *vp, uint64_t info)
{
	struct vmcb *vmcb = vp_vmcb(vp);
	bool backwards = vmcb->rflags & RFLAGS_DF;
	enum gpr pointer = info & IO_IN ? RDI : RSI;
	uint32_t size = IO_SIZE(info);
	uint64_t mask = address_mask(vmcb, info);
	uint64_t left = info & IO_REPEAT ? vp->gpr[RCX] & mask : 1;
	uint64_t address = (vp->gpr[pointer] & mask) + (vmcb->efer & EFER_LMA ? 0 : vmcb->es.base);
	uint64_t n = backwards ? min_u64(left, 1) : elements(address, size, left);

	vp_refused(vp, "string at port", IO_PORT(info), n);
	if (n && info & IO_IN && !fill_ones(vp, address, (uint32_t)n * size))
		return;
	vp->gpr[pointer] += backwards ? -n * size : n * size;
	if (info & IO_REPEAT)
		vp->gpr[RCX] -= n;
	if (n == left)
		vp_skip(vp, (uint32_t)(vmcb->exit_info2 - vmcb->rip));
}

void exit_io(struct vp *vp)
{
	struct vmcb *vmcb = vp_vmcb(vp);
	uint64_t info = vmcb->exit_info1;
	uint32_t size = IO_SIZE(info);
	uint64_t mask = BIT(size * 8) - 1;
	uint16_t port = IO_PORT(info);
	uint64_t v = info & IO_IN ? ~0ull : vmcb->rax;

	vp_count(vp, COUNT_IO);
	if (info & IO_STRING) {
		string_io(vp, info);
		return;
	}
	if (!access(port, size, info & IO_IN, &v))
		vp_refused(vp, info & IO_IN ? "input from port" : "output to port", port,
			   info & IO_IN ? 0 : v & mask);
	if (info & IO_IN)
		vmcb->rax = size == 4 ? v & mask : (vmcb->rax & ~mask) | (v & mask);
	vp_skip(vp, (uint32_t)(vmcb->exit_info2 - vmcb->rip));
}
