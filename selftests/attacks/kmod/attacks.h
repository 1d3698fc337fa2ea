/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attacks of heki_attacks.ko.  For tests only.
 */
#ifndef HEKI_ATTACKS_H
#define HEKI_ATTACKS_H

#include <linux/types.h>

/**
 * struct result - what has come of an attack
 * @effect:  it did what it is for, by what can be read back
 * @error:   the first error that it met, -EFAULT when an instruction has faulted
 * @address: what it was after: a physical address, the number of a register
 */
struct result {
	bool effect;
	int error;
	u64 address;
};

/**
 * struct attack - a case of the table, by its name there
 * @name: in selftests/attacks/cases.ini
 * @run:  attacks; 0, or -errno when it could not be tried at all
 * @undo: puts back what @run has changed, NULL when it does so itself
 * @data: tells the cases of one function apart
 *
 * The argument is what a case was run with behind its name: an address, a token.
 */
struct attack {
	const char *name;
	int (*run)(const struct attack *attack, struct result *result);
	void (*undo)(const struct attack *attack);
	const void *data;
};

/* Each ends with an attack without a name. */
extern const struct attack memory_attacks[];
extern const struct attack register_attacks[];
extern const struct attack table_attacks[];
extern const struct attack call_attacks[];
extern const struct attack patch_attacks[];
extern const struct attack hypercall_attacks[];
extern const struct attack machine_attacks[];
extern const struct attack residual_attacks[];
extern const struct attack race_attacks[];
extern const struct attack device_attacks[];
extern const struct attack start_attacks[];
extern const struct attack replay_attacks[];
extern const struct attack straddle_attacks[];
extern const struct attack races_attacks[];
extern const struct attack blocklist_attacks[];

/**
 * argument() - what the case was run with
 *
 * Return: 0 when there was nothing
 */
u64 argument(void);

/**
 * call_vtl1() - make a vtlcall past the client, until it is complete
 * @id: of the call
 * @p0: first parameter
 * @p1: second
 * @p2: third
 * @result: its result
 *
 * Return: 0, or -ENODEV when there is no VTL1 of any kind
 */
int call_vtl1(u64 id, u64 p0, u64 p1, u64 p2, int *result);

/*
 * The same in two parts: find the way into VTL1, then one entry, of which -EAGAIN is a result. The second
 * needs nothing of the kernel's.
 */
int call_find(void);
int call_once(u64 id, u64 p0, u64 p1, u64 p2);

/*
 * A page below 1 MiB with code for real mode, for a CPU to start in, which stops it or goes on with @code;
 * whether one has started, and an INIT that has a CPU wait for its start.
 */
u64 start_page_prepare(void);
void start_page_go_on(const u8 *code, unsigned int n);
bool start_page_ran(void);
int send_init(u32 apic_id);
int send_ipi(u32 what, u32 apic_id);

/**
 * struct writer - a thread on another CPU that writes to a byte without end
 * @at:      where
 * @value:   it writes this and another in turn
 * @turn:    bits that change
 * @writes:  how many have landed
 * @error:   why it has ended, 0 as long as it goes on
 * @task:    it
 */
struct writer {
	unsigned long at;
	u8 value;
	u8 turn;
	unsigned long writes;
	int error;
	struct task_struct *task;
};

/* 0 when the first write has been tried. */
int writer_start(struct writer *writer);

/**
 * struct race - a call that is made again and again while the other CPU changes what it reads
 * @writer:   the other CPU: where, and what it writes
 * @id:       of the call
 * @p:        its parameters
 * @rounds:   how often, at least
 * @watched:  a byte that must be @before after each, or NULL
 * @before:   what it is
 * @accepted: out: how often VTL1 has served it
 * @refused:  out: how often not
 * @wrong:    out: it has changed
 * @answer:   out: the last refusal
 * @error:    out: why no call could be made
 */
struct race {
	struct writer writer;
	u64 id;
	u64 p[3];
	unsigned int rounds;
	const u8 *watched;
	u8 before;
	unsigned int accepted;
	unsigned int refused;
	bool wrong;
	int answer;
	int error;
};

/**
 * race_run() - run a race, until the call was served once and refused once
 * @race:   filled in
 * @result: the effect is that the watched byte has changed, or that nothing was refused, though each other
 *          time something was wrong
 *
 * Return: 0, or -errno when it could not be tried, -ETIME when nothing was served
 */
int race_run(struct race *race, struct result *result);

/**
 * hypercall() - make a hypercall
 * @control: its code and repetitions
 * @in:      physical address of its input
 * @out:     physical address of its output, or 0
 *
 * Return: its status, or -ENODEV without Hyper-V's interface
 */
int hypercall(u64 control, u64 in, u64 out);

/**
 * symbol() - the address of a symbol of the kernel or, as "module:name", of a module
 * @name: as in /proc/kallsyms
 *
 * Return: 0 when there is none
 */
unsigned long symbol(const char *name);

static inline void *pointer(const char *name)
{
	return (void *)symbol(name);
}

/* Keep the page of this module's start-up code at @at. */
void keep_init_page(unsigned long at);

/* The physical address of any address of the kernel's. */
u64 physical(unsigned long address);

/* Writes a byte like any other, but that a fault is -EFAULT and no oops. */
int write_byte(unsigned long at, u8 value);

/*
 * Ways to write a byte that is mapped read-only at @at: by a new mapping of its frame, by the direct
 * map or its own mapping with the page table changed, by the mapping that text is patched through, by
 * set_memory_rw(), with CR0.WP cleared.
 */
int write_by_vmap(unsigned long at, u8 value);
int write_by_direct_map(unsigned long at, u8 value);
int write_by_page_table(unsigned long at, u8 value);
int write_by_poking_alias(unsigned long at, u8 value);
int write_by_set_memory(unsigned long at, u8 value);
int write_by_cr0(unsigned long at, u8 value);

/* Bytes that may be changed for a while without harm; 0 when there is no such byte. */
unsigned long target_text(void);
unsigned long target_rodata(void);
unsigned long target_syscall_table(void);
unsigned long target_idt(void);
unsigned long target_ksymtab(void);
unsigned long target_jump_table(void);
unsigned long target_ro_after_init(void);
unsigned long target_trampoline(void);
unsigned long target_own_text(void);
unsigned long target_own_rodata(void);
unsigned long target_own_ro_after_init(void);
unsigned long target_module_text(void);
unsigned long target_module_rodata(void);
unsigned long target_client_text(void);
unsigned long target_client_rodata(void);
unsigned long target_client_data(void);
unsigned long target_client_hook(void);

#endif /* HEKI_ATTACKS_H */
