// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine: a QEMU process, started paused, with the VM's lock, QMP socket and logs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hekivm.h"

#define ARGS_MAX 96

/**
 * struct args - the engine's command line
 * @argv:   ends in NULL
 * @count:  words
 * @failed: out of memory, or too many words
 */
struct args {
	char *argv[ARGS_MAX + 1];
	size_t count;
	bool failed;
};

__attribute__((format(printf, 2, 3)))
static void add(struct args *args, const char *format, ...)
{
	va_list list;
	char *word;
	int length;

	va_start(list, format);
	length = vasprintf(&word, format, list);
	va_end(list);
	if (length < 0 || args->count == ARGS_MAX) {
		args->failed = true;
		if (length >= 0)
			free(word);
		return;
	}
	args->argv[args->count++] = word;
}

static void args_free(struct args *args)
{
	while (args->count)
		free(args->argv[--args->count]);
}

/* An option whose last value is the name of a file. */
__attribute__((format(printf, 4, 5)))
static void add_file(struct args *args, const char *option, const char *path, const char *format, ...)
{
	char *escaped = path ? vm_escape_commas(path) : NULL, *front = NULL;
	va_list list;

	va_start(list, format);
	if (vasprintf(&front, format, list) < 0)
		front = NULL;
	va_end(list);
	if (escaped && front) {
		add(args, "%s", option);
		add(args, "%s%s", front, escaped);
	} else {
		args->failed = true;
	}
	free(front);
	free(escaped);
}

static void add_chardev(struct args *args, const char *id, const char *path)
{
	add_file(args, "-chardev", path, "file,id=%s,path=", id);
}

/* Nothing of the host's reaches the guest: neither its time nor its random numbers. */
static void add_icount(struct args *args)
{
	add(args, "-icount");
	add(args, "shift=0,sleep=off");
	add(args, "-rtc");
	add(args, "base=2000-01-01T00:00:00,clock=vm");
	add(args, "-seed");
	add(args, "0");
}

static void add_pc(struct args *args, const struct vm_spec *spec)
{
	add(args, "-machine");
	/* System management mode would lie above a hypervisor. */
	add(args, spec->hypervisor ? "pc,smm=off" : "pc");
	/* A machine wakes up from sleep in its firmware, outside of the hypervisor. */
	if (spec->hypervisor) {
		add(args, "-global");
		add(args, "PIIX4_PM.disable_s3=1");
		add(args, "-global");
		add(args, "PIIX4_PM.disable_s4=1");
		/* A device that patches accesses of the APIC writes to any memory. */
		add(args, "-global");
		add(args, "apic-common.vapic=off");
	}
}

static void add_virt(struct args *args, const struct vm_spec *spec)
{
	add(args, "-machine");
	/* The GIC's ITS would write to memory that Stage-2 protects. */
	add(args, "virt,gic-version=3,its=off%s", spec->hypervisor ? ",virtualization=on" : "");
}

static void add_machine(struct args *args, const struct vm_spec *spec, unsigned int memory)
{
	/*
	 * For each byte that a guest writes to a page with translated code, QEMU 7.2 walks all translations
	 * of that page.  With its own limit, 1 GiB in all, a kernel that cleared such a page was seen to
	 * take longer than its watchdog allows, 20 s.
	 */
	static const char *const accel[] = {
		[VM_ACCEL_TCG] = "tcg,thread=multi,tb-size=256",
		[VM_ACCEL_TCG_SINGLE] = "tcg,thread=single,tb-size=256",
		[VM_ACCEL_TCG_ICOUNT] = "tcg,thread=single",
		[VM_ACCEL_KVM] = "kvm",
		[VM_ACCEL_HVF] = "hvf",
		[VM_ACCEL_WHPX] = "whpx",
	};

	add(args, "%s", spec->engine);
	add(args, "-name");
	add(args, "%s", spec->name);
	add(args, "-nodefaults");
	add(args, "-no-user-config");
	add(args, "-display");
	add(args, "none");
	if (spec->machine == VM_MACHINE_ARM64)
		add_virt(args, spec);
	else
		add_pc(args, spec);
	add(args, "-accel");
	add(args, "%s", accel[spec->accel]);
	add(args, "-cpu");
	add(args, "%s", spec->cpu);
	add(args, "-smp");
	add(args, "%u", spec->cpus);
	add(args, "-m");
	add(args, "%u", memory);
	if (spec->accel == VM_ACCEL_TCG_ICOUNT)
		add_icount(args);
}

static void add_hypervisor(struct args *args, const struct vm_spec *spec)
{
	char *modules = hypervisor_modules(spec);

	add(args, "-kernel");
	add(args, "%s", spec->hypervisor);
	add(args, "-append");
	add(args, "%s", spec->hypervisor_cmdline ? spec->hypervisor_cmdline : "");
	add(args, "-initrd");
	if (modules)
		add(args, "%s", modules);
	else
		args->failed = true;
	free(modules);
}

static void add_guest(struct args *args, const struct vm_spec *spec)
{
	add(args, "-kernel");
	add(args, "%s", spec->kernel);
	add(args, "-append");
	add(args, "%s", spec->cmdline);
	if (spec->initramfs) {
		add(args, "-initrd");
		add(args, "%s", spec->initramfs);
	}
}

/* The hypervisor finds the guest's files in memory. */
static void add_arm64(struct args *args, const struct vm_spec *spec,
		      const struct arm64_place *place)
{
	char *options = arm64_options(spec, place);

	add(args, "-kernel");
	add(args, "%s", spec->hypervisor);
	add(args, "-append");
	add(args, "%s", options ? options : "");
	args->failed |= !options;
	free(options);
	add_file(args, "-device", spec->kernel, "loader,addr=%#jx,force-raw=on,file=",
		 (uintmax_t)place->file);
	if (spec->initramfs)
		add_file(args, "-device", spec->initramfs, "loader,addr=%#jx,force-raw=on,file=",
			 (uintmax_t)place->initrd);
}

/* The machine, and what it boots. */
static int add_vm(struct args *args, const struct vm_spec *spec, struct vm_error *error)
{
	struct arm64_place place;

	if (!spec->hypervisor || spec->machine != VM_MACHINE_ARM64) {
		add_machine(args, spec, spec->memory);
		if (spec->hypervisor)
			add_hypervisor(args, spec);
		else
			add_guest(args, spec);
		return 0;
	}
	if (arm64_place(spec, &place, error))
		return -1;
	add_machine(args, spec, place.ram);
	add_arm64(args, spec, &place);
	return 0;
}

static void add_disk(struct args *args, const struct vm_spec *spec)
{
	if (spec->disk)
		add_file(args, "-drive", spec->disk, "if=virtio,format=raw,file=");
}

/* Either way the engine writes each byte straight to the log. */
static void add_console(struct args *args, const struct vm_logs *logs, int socket)
{
	if (socket < 0)
		add_chardev(args, "console", logs->console.path);
	else
		add_file(args, "-chardev", logs->console.path,
			 "socket,id=console,fd=%d,logappend=off,logfile=", socket);
}

/* COM1 is the guest's, COM2 the hypervisor's. */
static void add_serial(struct args *args, const struct vm_logs *logs, int socket)
{
	add_console(args, logs, socket);
	add(args, "-serial");
	add(args, "chardev:console");
	if (!logs->hypervisor.path)
		return;
	add_chardev(args, "hypervisor", logs->hypervisor.path);
	add(args, "-serial");
	add(args, "chardev:hypervisor");
}

/* Verdict and panic devices of x86. */
static void add_devices(struct args *args, const struct vm_dir *dir)
{
	char *status = vm_dir_path(dir, "status");
	char *trace = vm_dir_path(dir, "trace");

	add_chardev(args, "status", status);
	add(args, "-device");
	add(args, "isa-debugcon,iobase=%#x,chardev=status", HEKIVM_PORT_STATUS);
	add(args, "-device");
	add(args, "isa-debug-exit,iobase=%#x,iosize=4", HEKIVM_PORT_EXIT);
	add(args, "-device");
	add(args, "pvpanic");
	/* The only place where the engine tells a triple fault from a reset. */
	add(args, "-d");
	add(args, "cpu_reset");
	add(args, "-D");
	add(args, "%s", trace ? trace : "");
	args->failed |= !trace;
	free(trace);
	free(status);
}

/* The guest waits until QMP lets it go. */
static void add_monitors(struct args *args, const struct engine_sockets *sockets)
{
	add(args, "-action");
	add(args, "panic=none,reboot=shutdown,shutdown=poweroff");
	add(args, "-chardev");
	add(args, "socket,id=qmp,fd=%d,server=on,wait=off", sockets->listener);
	add(args, "-mon");
	add(args, "chardev=qmp,mode=control");
	add(args, "-chardev");
	add(args, "socket,id=follower,fd=%d", sockets->follower);
	add(args, "-mon");
	add(args, "chardev=follower,mode=control");
	add(args, "-S");
}

static int keep_open(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
}

/* In the child: never returns. What goes wrong here is read from the engine's log. */
static void become_engine(const struct args *args, const struct vm_dir *dir,
			  const struct engine_sockets *sockets, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = openat(dir->fd, "engine.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	sigset_t none;

	if (null < 0 || log < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A terminal's ^C is for hekivm, which then ends the engine; the engine dies with it. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || keep_open(sockets->listener) ||
	    keep_open(sockets->follower) || keep_open(dir->lock) ||
	    (sockets->console >= 0 && keep_open(sockets->console)))
		_exit(127);
	execvp(args->argv[0], args->argv);
	dprintf(2, "%s: %s\n", args->argv[0], strerror(errno));
	_exit(127);
}

/**
 * engine_start - start the engine, paused
 * @engine:     out
 * @spec:       the VM
 * @dir:        its directory
 * @logs:       where the consoles go
 * @sockets:    of its monitors
 * @error:      out
 *
 * Return: 0 or -1.
 */
int engine_start(struct engine *engine, const struct vm_spec *spec, const struct vm_dir *dir,
		 const struct vm_logs *logs, const struct engine_sockets *sockets,
		 struct vm_error *error)
{
	struct args args = { .count = 0 };
	pid_t parent = getpid();
	int ret = 0;

	memset(engine, 0, sizeof(*engine));
	engine->pidfd = -1;
	if (add_vm(&args, spec, error)) {
		ret = -1;
		goto out;
	}
	add_disk(&args, spec);
	add_serial(&args, logs, sockets->console);
	if (spec->machine == VM_MACHINE_PC)
		add_devices(&args, dir);
	add_monitors(&args, sockets);
	if (args.failed) {
		ret = vm_fail(error, HEKIVM_E_START, "out of memory");
		goto out;
	}
	engine->pid = fork();
	if (!engine->pid)
		become_engine(&args, dir, sockets, parent);
	if (engine->pid > 0)
		engine->pidfd = pidfd_open(engine->pid, 0);
	if (engine->pid < 0 || engine->pidfd < 0) {
		ret = vm_fail(error, HEKIVM_E_START, "%s: %s", spec->engine, strerror(errno));
		if (engine->pid > 0)
			engine_kill(engine);
		engine->pid = 0;
	}
out:
	args_free(&args);
	return ret;
}

static bool reap(struct engine *engine, int flags)
{
	siginfo_t info = { .si_pid = 0 };

	if (!engine->pid)
		return true;
	while (waitid(P_PID, (id_t)engine->pid, &info, WEXITED | flags) && errno == EINTR)
		;
	if (!info.si_pid)
		return false;
	engine->pid = 0;
	engine->status = info.si_code;
	engine->code = info.si_status;
	if (engine->pidfd >= 0)
		close(engine->pidfd);
	engine->pidfd = -1;
	return true;
}

/**
 * engine_reap - has the engine ended?
 * @engine: the engine; @status and @code are set when it has
 *
 * Return: true when it has ended.
 */
bool engine_reap(struct engine *engine)
{
	return reap(engine, WNOHANG);
}

/**
 * engine_kill - end the engine at once
 * @engine: the engine
 */
void engine_kill(struct engine *engine)
{
	if (!engine->pid)
		return;
	kill(engine->pid, SIGKILL);
	reap(engine, 0);
}

/* Is there an executable file of this name, on the PATH when it has no slash? */
static bool executable(const char *dir, size_t length, const char *name)
{
	struct stat st;
	char *path;
	bool found;

	if (asprintf(&path, "%.*s%s%s", (int)length, dir, length ? "/" : "", name) < 0)
		return false;
	found = !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
	free(path);
	return found;
}

/**
 * engine_find - check that the engine is there
 * @name:  program, looked up on the PATH
 * @error: out
 *
 * Return: 0 or -1.
 */
int engine_find(const char *name, struct vm_error *error)
{
	const char *path = strchr(name, '/') ? "" : getenv("PATH");
	size_t length;

	while (path) {
		length = strcspn(path, ":");
		if (executable(path, length, name))
			return 0;
		path = path[length] ? path + length + 1 : NULL;
	}
	return vm_fail(error, HEKIVM_E_NO_ENGINE, "%s", name);
}

/**
 * engine_log_line - the last line that the engine printed
 * @dir:  the VM's directory
 * @line: out, without the newline
 * @size: of @line
 *
 * Return: false when it printed nothing.
 */
bool engine_log_line(const struct vm_dir *dir, char *line, size_t size)
{
	int fd = openat(dir->fd, "engine.log", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	line[0] = '\0';
	if (!file)
		return false;
	while (fgets(line, (int)size, file))
		line[strcspn(line, "\n")] = '\0';
	fclose(file);
	return line[0];
}

/**
 * engine_triple_fault - did the guest reset by a triple fault?
 * @dir: the VM's directory
 *
 * Return: true when the engine noted one (only TCG does).
 */
bool engine_triple_fault(const struct vm_dir *dir)
{
	int fd = openat(dir->fd, "trace", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[256];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "Triple fault", 12);
	fclose(file);
	return found;
}

/**
 * engine_verdict - the guest's verdict
 * @engine: the engine, ended
 * @dir:    the VM's directory
 *
 * isa-debug-exit makes the engine exit with 2 * value + 1.  The guest writes its status plus one,
 * since an exit status of 1 is also that of an engine that failed.  That leaves 7 bits, so the
 * whole status comes through the other port first, when the guest knows of it.
 *
 * Return: the status, 0 .. 255, or -1 when there is no verdict.
 */
int engine_verdict(const struct engine *engine, const struct vm_dir *dir)
{
	unsigned char bytes[2];
	ssize_t size;
	int fd, value;

	if (engine->status != CLD_EXITED || !(engine->code & 1) || engine->code < 3)
		return -1;
	value = engine->code / 2 - 1;
	fd = openat(dir->fd, "status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size = read(fd, bytes, sizeof(bytes));
	close(fd);
	if (!size)
		return value;
	if (size != 1 || (bytes[0] < 126 ? bytes[0] : 126) != value)
		return -1;
	return bytes[0];
}
