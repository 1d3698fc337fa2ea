// SPDX-License-Identifier: GPL-2.0-only
/*
 * steps - single-step a child through a loop with CPUID, which a hypervisor emulates
 *
 * Status 0 when every instruction was one step, with the instruction pointer where it belongs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 50
#define INSTRUCTIONS 5 /* of a round: XOR, CPUID, NOP, DEC, JNZ */

extern const char loop_start[], loop_end[];

static void child(void)
{
	unsigned int rounds = ROUNDS;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	__asm__ volatile("loop_start:\n\t"
			 "xor %%eax, %%eax\n\t"
			 "cpuid\n\t"
			 "nop\n\t"
			 "dec %%esi\n\t"
			 "jnz loop_start\n\t"
			 "loop_end:"
			 : "+S"(rounds) : : "eax", "ebx", "ecx", "edx", "cc");
	_exit(0);
}

static unsigned long step(pid_t pid)
{
	struct user_regs_struct regs;
	int status;

	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
	    !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP ||
	    ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		exit(1);
	return regs.rip;
}

int main(void)
{
	pid_t pid = fork();
	unsigned int steps = 0;
	unsigned long at;
	int status;

	if (!pid)
		child();
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	do
		at = step(pid);
	while (at != (unsigned long)loop_start);
	do {
		at = step(pid);
		steps++;
	} while (at >= (unsigned long)loop_start && at < (unsigned long)loop_end);
	kill(pid, SIGKILL);
	printf("%u steps\n", steps);
	return at != (unsigned long)loop_end || steps != ROUNDS * INSTRUCTIONS;
}
