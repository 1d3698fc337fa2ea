// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of a few hundred bytes (multiboot, 32 bits) that ends in the way that its command line
 * says, for the tests of hekivm:
 *   exit=N     status N by both ports         low=N    status N by isa-debug-exit only
 *   raw=N      the bare value N there         bytes    every byte 64 times on the console
 *   spin       print for ever                 halt     halt with interrupts off
 *   triple     triple fault                   reset    reset by the keyboard controller
 *   spin64     loop in 64-bit mode            halt64   halt there
 *   panic      what a kernel prints           pvpanic  what a kernel's pvpanic driver does
 *   count      status 0 when the time-stamp counter counts instructions; it goes to the console
 *   modules    command lines and sizes, its own and of its modules, on the second serial port
 *   fall       20 lines there, then a triple fault
 *   off        power off                      deaf     ready, then no ear for the power button
 *   button     ready, then power off when the button is pressed
 *   tap        three results of tests, one of them bad, and status 1
 *   marks      a MiB of bytes without a line's end, markers that are none, ready with text behind
 *              the address, ready once more with another address
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

__attribute__((section(".multiboot"), used))
static const u32 multiboot_header[] = { 0x1badb002, 0, 0u - 0x1badb002 };

static void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void outl(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static void outw(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static u16 inw(u16 port)
{
	u16 value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* The first serial port, or the second. */
static u16 serial = 0x3f8;

static void put(u8 byte)
{
	while (!(inb(serial + 5) & 0x20))
		;
	outb(serial, byte);
}

static void print(const char *text)
{
	while (*text)
		put((u8)*text++);
}

static void print_number(u32 value)
{
	if (value > 9)
		print_number(value / 10);
	put((u8)('0' + value % 10));
}

static void spin(void)
{
	for (;;)
		__asm__ volatile("pause");
}

static void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void exit_raw(u32 value)
{
	outl(0xf4, value);
	halt();
}

static void exit_status(u32 status, int both)
{
	if (both)
		outb(0xe9, (u8)status);
	exit_raw((status < 126 ? status : 126) + 1);
}

static void all_bytes(void)
{
	u32 i;

	for (i = 0; i < 64 * 256; i++)
		put((u8)i);
	exit_status(0, 1);
}

static u32 tsc(void)
{
	u32 low;

	__asm__ volatile("rdtsc" : "=a"(low) : : "edx");
	return low;
}

/* A loop of 2000000 instructions; a few more read the counter. */
static void count(void)
{
	u32 start = tsc(), rounds = 1000000, taken, value, i;

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds));
	value = tsc();
	taken = value - start;
	for (i = 0; i < 8; i++, value <<= 4)
		put((u8)"0123456789abcdef"[value >> 28]);
	exit_status(taken < 2000000 || taken > 2000016, 1);
}

static void modules(const u32 *info)
{
	const u32 *module = (const u32 *)info[6]; /* begin, end, command line, nothing */
	u32 i;

	serial = 0x2f8;
	print((const char *)info[4]);
	for (i = 0; i < info[5]; i++, module += 4) {
		print("\n");
		print_number(module[1] - module[0]);
		print(" ");
		print((const char *)module[2]);
	}
	print("\n");
}

static void triple_fault(void)
{
	static const u8 no_idt[6];

	__asm__ volatile("lidt %0; int3" : : "m"(no_idt));
}

static void fall(void)
{
	u32 i;

	serial = 0x2f8;
	for (i = 1; i <= 20; i++) {
		print("line \033 ");
		print_number(i);
		print("\r\n");
	}
	triple_fault();
}

/* Registers of the power management, where the firmware has put them: status, enable, control. */
static void power_off(void)
{
	outw(0x604, 0x2000);
}

static void button(void)
{
	outw(0x602, 0x100);
	print("HEKIVM-READY 10.0.2.15\n");
	while (!(inw(0x600) & 0x100))
		;
	power_off();
}

static void tap(void)
{
	print("TAP version 13\r\nok 1 - first\r\nnot ok 2 - second <&>\r\n# the \"reason\"\r\n");
	print("ok 3 - third # SKIP no \377 here\r\n1..3\r\n2 passed, 1 failed\r\n");
	exit_status(1, 1);
}

static void marks(void)
{
	u32 i;

	for (i = 0; i < 1 << 20; i++)
		put((u8)(i % 251 == '\n' ? 0 : i % 251));
	print("HEKIVM-READY\nHEKIVM-READY now\nHEKIVM-READY 10.0.2.256\nHEKIVM-HEKIVM-READY 192.168.1.7/24 on eth0\n");
	print("HEKIVM-READY 192.168.1.8\n");
}

/* One page of 1 GiB maps itself. */
static u32 level4[1024] __attribute__((aligned(4096)));
static u32 level3[1024] __attribute__((aligned(4096)));

static const u32 segments[] = { 0, 0, 0x0000ffff, 0x00af9a00 };

static const struct {
	u16 limit;
	u32 base;
} __attribute__((packed)) segment_table = { sizeof(segments) - 1, (u32)segments };

/* Never comes back: loops, or halts before it does. */
static void long_mode(int halted)
{
	level4[0] = (u32)level3 | 3;
	level3[0] = 0x83;
	__asm__ volatile("cli\n"
			 "lgdt %1\n"
			 "mov %%cr4, %%eax\n"
			 "or $0x20, %%eax\n"
			 "mov %%eax, %%cr4\n"
			 "mov %2, %%cr3\n"
			 "mov $0xc0000080, %%ecx\n"
			 "rdmsr\n"
			 "or $0x100, %%eax\n"
			 "wrmsr\n"
			 "mov %%cr0, %%eax\n"
			 "or $0x80000000, %%eax\n"
			 "mov %%eax, %%cr0\n"
			 "ljmp $8, $1f\n"
			 "1:	test %0, %0\n"
			 "	jz 2f\n"
			 "	hlt\n"
			 "2:	pause\n"
			 "	jmp 1b\n"
			 :
			 : "b"(halted), "m"(segment_table), "r"(level4)
			 : "eax", "ecx", "edx", "memory");
}

static const char *last_word(const char *line)
{
	const char *word = line;

	for (; *line; line++) {
		if (*line == ' ')
			word = line + 1;
	}
	return word;
}

/* The number behind a prefix, or -1 when the word does not begin with it. */
static int number(const char *word, const char *prefix)
{
	int value = 0;

	for (; *prefix; prefix++, word++) {
		if (*word != *prefix)
			return -1;
	}
	for (; *word >= '0' && *word <= '9'; word++)
		value = value * 10 + *word - '0';
	return value;
}

static int is(const char *word, const char *name)
{
	return number(word, name) >= 0;
}

__attribute__((used, noreturn))
void guest_main(const u32 *info)
{
	const char *word = last_word((const char *)info[4]);

	if (is(word, "exit="))
		exit_status((u32)number(word, "exit="), 1);
	else if (is(word, "low="))
		exit_status((u32)number(word, "low="), 0);
	else if (is(word, "raw="))
		exit_raw((u32)number(word, "raw="));
	else if (is(word, "count"))
		count();
	else if (is(word, "bytes"))
		all_bytes();
	else if (is(word, "spin64") || is(word, "halt64"))
		long_mode(is(word, "halt64"));
	else if (is(word, "spin"))
		for (;;)
			print("still here\n");
	else if (is(word, "modules"))
		modules(info);
	else if (is(word, "fall"))
		fall();
	else if (is(word, "triple"))
		triple_fault();
	else if (is(word, "reset"))
		outb(0x64, 0xfe);
	else if (is(word, "panic"))
		print("[    1.000000] Kernel panic - not syncing: a test\nthe rest\n");
	else if (is(word, "off"))
		power_off();
	else if (is(word, "button"))
		button();
	else if (is(word, "deaf"))
		print("HEKIVM-READY fe80::5054:ff:fe12:3456\n");
	else if (is(word, "tap"))
		tap();
	else if (is(word, "marks"))
		marks();
	else if (is(word, "pvpanic"))
		outb(0x505, 1);
	if (is(word, "modules"))
		exit_status(0, 1);
	if (is(word, "halt"))
		halt();
	spin();
	__builtin_unreachable();
}

__attribute__((used))
static u8 stack[4096];

__asm__(".globl _start\n"
	"_start:\n"
	"	mov $stack + 4096, %esp\n"
	"	push %ebx\n"
	"	call guest_main\n");
