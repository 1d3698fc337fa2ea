// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list of VM jobs in a JSON file: a list of objects, whose members are called as the options of
 * "run", with "_" for "-".  All of it is checked before the first VM starts.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "hekivm.h"

static const struct {
	const char *name;
	size_t member;
} texts[] = {
	{ "cmdline", offsetof(struct vm_spec, cmdline) },
	{ "cpu", offsetof(struct vm_spec, cpu) },
	{ "disk", offsetof(struct vm_spec, disk) },
	{ "engine", offsetof(struct vm_spec, engine) },
	{ "hypervisor", offsetof(struct vm_spec, hypervisor) },
	{ "hypervisor_cmdline", offsetof(struct vm_spec, hypervisor_cmdline) },
	{ "hypervisor_log", offsetof(struct vm_spec, hypervisor_log) },
	{ "initramfs", offsetof(struct vm_spec, initramfs) },
	{ "kernel", offsetof(struct vm_spec, kernel) },
	{ "name", offsetof(struct vm_spec, name) },
	{ "serial_log", offsetof(struct vm_spec, serial_log) },
	{ "vtl1", offsetof(struct vm_spec, vtl1) },
};

static const struct {
	const char *name;
	size_t member;
	json_int_t most;
	enum hekivm_error_code error;
} numbers[] = {
	{ "cpus", offsetof(struct vm_spec, cpus), HEKIVM_CPUS_MAX, HEKIVM_E_CPUS },
	{ "memory", offsetof(struct vm_spec, memory), HEKIVM_MEMORY_MAX, HEKIVM_E_MEMORY },
	{ "timeout", offsetof(struct vm_spec, timeout), HEKIVM_TIMEOUT_MAX, HEKIVM_E_TIMEOUT },
};

static int read_text(struct vm_spec *spec, const char *key, json_t *value)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(key, texts[i].name))
			continue;
		/* An absent one may be said so. */
		if (json_is_string(value))
			*(const char **)((char *)spec + texts[i].member) = json_string_value(value);
		return json_is_string(value) || json_is_null(value) ? 1 : -1;
	}
	return 0;
}

static int read_number(struct vm_spec *spec, const char *key, json_t *value,
		       struct vm_error *error)
{
	json_int_t number = json_integer_value(value);
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(key, numbers[i].name))
			continue;
		if (number < 1 || number > numbers[i].most)
			return vm_fail(error, numbers[i].error, "of job %s", spec->name);
		*(unsigned int *)((char *)spec + numbers[i].member) = (unsigned int)number;
		return 1;
	}
	return 0;
}

static int read_member(struct job *job, const char *key, json_t *value, struct vm_error *error)
{
	int done = read_text(&job->spec, key, value);

	if (!done)
		done = read_number(&job->spec, key, value, error);
	else if (done < 0)
		return vm_fail(error, HEKIVM_E_JOBS, "%s of job %s is no text", key, job->spec.name);
	if (done)
		return done < 0 ? -1 : 0;
	if (!strcmp(key, "accel") && json_is_string(value))
		return vm_accel_parse(json_string_value(value), &job->spec, error);
	if (!strcmp(key, "machine") && json_is_string(value))
		return vm_machine_parse(json_string_value(value), &job->spec, error);
	if (!strcmp(key, "address") && json_is_string(value))
		return vm_address_parse(json_string_value(value), &job->spec, error);
	if (!strcmp(key, "expect") && json_is_string(value)) {
		job->expect = json_string_value(value);
		return vm_end_known(job->expect) ?
			       0 :
			       vm_fail(error, HEKIVM_E_JOBS, "no VM ends in \"%s\"", job->expect);
	}
	return vm_fail(error, HEKIVM_E_JOBS, "job %s: \"%s\"", job->spec.name, key);
}

static int read_job(struct job *job, json_t *object, const char *namespace, struct vm_error *error)
{
	const char *key;
	json_t *value;

	vm_defaults(&job->spec);
	job->spec.namespace = namespace;
	job->expect = vm_end_name(VM_END_VERDICT);
	job->log = -1;
	job->spec.name = json_string_value(json_object_get(object, "name"));
	if (!job->spec.name)
		return vm_fail(error, HEKIVM_E_JOBS, "a job has no name");
	json_object_foreach(object, key, value) {
		if (read_member(job, key, value, error))
			return -1;
	}
	if (!job->spec.kernel || !job->spec.serial_log)
		return vm_fail(error, HEKIVM_E_JOBS, "job %s needs kernel and serial_log",
			       job->spec.name);
	vm_machine_defaults(&job->spec);
	return vm_check_spec(&job->spec, error);
}

/* Two jobs with one log would write over each other's. */
static int check_different(const struct job_list *list, const struct job *job,
			   struct vm_error *error)
{
	const struct job *other;

	for (other = list->jobs; other < job; other++) {
		if (!strcmp(other->spec.name, job->spec.name) ||
		    !strcmp(other->spec.serial_log, job->spec.serial_log))
			return vm_fail(error, HEKIVM_E_JOBS, "%s and %s have one name or log",
				       other->spec.name, job->spec.name);
	}
	return 0;
}

/**
 * jobs_read - read a list of jobs
 * @list:      out
 * @path:      of the file
 * @namespace: of the VMs
 * @error:     out
 *
 * Return: 0 or -1; jobs_free() is due either way.
 */
int jobs_read(struct job_list *list, const char *path, const char *namespace,
	      struct vm_error *error)
{
	json_error_t where;
	size_t i;

	memset(list, 0, sizeof(*list));
	list->file = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
	if (!list->file)
		return vm_fail(error, HEKIVM_E_JOBS, "%s: line %d: %s", path, where.line,
			       where.text);
	list->count = json_array_size(list->file);
	if (!list->count)
		return vm_fail(error, HEKIVM_E_JOBS, "%s: no list of jobs", path);
	list->jobs = calloc(list->count, sizeof(*list->jobs));
	if (!list->jobs)
		return vm_fail(error, HEKIVM_E_RUNTIME, "out of memory");
	for (i = 0; i < list->count; i++) {
		if (read_job(&list->jobs[i], json_array_get(list->file, i), namespace, error) ||
		    check_different(list, &list->jobs[i], error))
			return -1;
	}
	return 0;
}

/**
 * jobs_free - forget a list of jobs
 * @list: the list
 */
void jobs_free(struct job_list *list)
{
	size_t i;

	for (i = 0; list->jobs && i < list->count; i++)
		ktap_free(&list->jobs[i].ktap);
	free(list->jobs);
	json_decref(list->file);
}
