// SPDX-License-Identifier: GPL-2.0-only
/*
 * hekictl doctor: the modules of HEKI, what they trust, and whether versions agree.
 */
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "cert.h"
#include "doctor.h"

#define OPEN_DIRECTORIES 16
#define MODPROBE_MAX (1u << 20)

/* nftw() passes no context. */
static const char *sought;
static char *sought_path;

static int note_module(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t n = strlen(sought);
	const char *file = path + ftw->base;

	(void)st;
	if (type != FTW_F || strncmp(file, sought, n) || strncmp(file + n, ".ko", 3))
		return 0;
	sought_path = strdup(path);
	return 1;
}

static char *find_module(const struct doctor *doctor, const char *name)
{
	char *root = doctor_path(doctor, "/lib/modules/", true, "");

	sought = name;
	sought_path = NULL;
	nftw(root, note_module, OPEN_DIRECTORIES, FTW_PHYS);
	free(root);
	return sought_path;
}

static void check_module(struct doctor *doctor, const char *name)
{
	char *file = find_module(doctor, name);
	char *load = text("modprobe %s, or let the initramfs load it early", name);

	if (doctor_has(doctor, "/sys/module/", name))
		doctor_say(doctor, FINDING_OK, name, NULL, "loaded");
	else if (file && !doctor->live)
		doctor_say(doctor, FINDING_OK, name, NULL, "installed (%s)", file);
	else if (file)
		doctor_say(doctor, FINDING_MISSING, name, load, "installed (%s), but not loaded",
			   file);
	else
		doctor_say(doctor, FINDING_MISSING, name,
			   "install the sources of HEKI, then dkms install heki",
			   "not installed for %s", doctor->release);
	free(file);
	free(load);
}

static void check_early_load(struct doctor *doctor)
{
	static const char *const places[] = { "/etc/modprobe.d/heki.conf",
					      "/lib/modprobe.d/heki.conf" };
	const char *phase = hekifs_get(hekifs_only(&doctor->status), "load");
	bool configured = false;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *path = doctor_path(doctor, places[i], false, "");
		struct file_data file;

		if (!file_read(path, MODPROBE_MAX, &file)) {
			configured |= !!strstr((char *)file.p, "alias crypto-hmac(sha256)");
			file_free(&file);
		}
		free(path);
	}
	if (phase && !strcmp(phase, "early"))
		doctor_say(doctor, FINDING_OK, "early load", NULL, "the client was loaded early");
	else if (configured)
		doctor_say(doctor, FINDING_OK, "early load", NULL, "configured");
	else
		doctor_say(doctor, FINDING_NOTE, "early load",
			   "install the initramfs hook, or run 'hekictl start' after each boot",
			   "no alias for the client in /etc/modprobe.d/heki.conf");
}

void doctor_modules(struct doctor *doctor)
{
	const char *phase = hekifs_get(hekifs_only(&doctor->status), "phase");
	const char *transport = hekifs_get(hekifs_only(&doctor->status), "transport");

	/* Where VTL1 is a hypervisor's, nobody needs the shim. */
	if (transport && !strcmp(transport, "hyperv"))
		doctor_say(doctor, FINDING_OK, "VTL1", NULL, "in a trust level of its own");
	else
		check_module(doctor, "vtl1_shim");
	check_module(doctor, "heki_client");
	check_early_load(doctor);
	if (!doctor->live)
		return;
	if (doctor_has(doctor, "/dev/", HEKI_DEVICE_NAME))
		doctor_say(doctor, FINDING_OK, "/dev/heki", NULL, "there");
	else
		doctor_say(doctor, FINDING_NOTE, "/dev/heki", "load heki_client", "not there");
	if (doctor->loaded && phase && !strcmp(phase, "waiting"))
		doctor_say(doctor, FINDING_MISSING, "lock", "hekictl start",
			   "the client waits, nothing is protected yet");
	else if (doctor->loaded)
		doctor_say(doctor, FINDING_OK, "lock", NULL, "%s", phase ? phase : "unknown");
}

static void check_signing(struct doctor *doctor)
{
	char *enforced = doctor_word(doctor, "/sys/module/module/parameters/sig_enforce");

	if (enforced && !strcmp(enforced, "Y") && !doctor->loaded)
		doctor_say(doctor, FINDING_NOTE, "module signing",
			   "have DKMS sign HEKI's modules, with a key enrolled by mokutil",
			   "the kernel refuses unsigned modules");
	else
		doctor_say(doctor, FINDING_OK, "module signing", NULL, "%s",
			   !enforced ? "not known to be required" : *enforced == 'Y' ?
			   "required" : "not required");
	free(enforced);
}

static void check_lockdown(struct doctor *doctor)
{
	char *path = doctor_path(doctor, "/sys/kernel/security/lockdown", false, "");
	struct file_data file;
	const char *level = "none";

	if (!file_read(path, 4096, &file)) {
		if (strstr((char *)file.p, "[integrity]"))
			level = "integrity";
		if (strstr((char *)file.p, "[confidentiality]"))
			level = "confidentiality";
		file_free(&file);
	}
	free(path);
	if (!strcmp(level, "confidentiality") && !doctor->loaded)
		doctor_say(doctor, FINDING_MISSING, "lockdown",
			   "boot with lockdown=integrity: the client finds symbols by a kprobe",
			   "%s", level);
	else
		doctor_say(doctor, FINDING_OK, "lockdown", NULL, "%s", level);
}

static void check_certificates(struct doctor *doctor)
{
	char *image = cert_find_kernel(doctor->root, doctor->release);
	struct file_data der;
	uint64_t trusted;
	int ret;

	if (hekifs_number(hekifs_only(&doctor->status), "certs_system", &trusted) && trusted) {
		doctor_say(doctor, FINDING_OK, "certificates", NULL, "VTL1 trusts %" PRIu64,
			   trusted);
		free(image);
		return;
	}
	if (!image) {
		doctor_say(doctor, FINDING_NOTE, "certificates",
			   "load the client early, or give 'hekictl start --cert' the kernel's image",
			   "no readable image of kernel %s", doctor->release);
		return;
	}
	ret = cert_load(image, &der);
	if (ret)
		doctor_say(doctor, FINDING_NOTE, "certificates",
			   "load the client early, which reads them from memory", "%s %s", image,
			   cert_error(ret));
	else
		doctor_say(doctor, FINDING_OK, "certificates", NULL, "%zu in %s",
			   cert_count(&der), image);
	file_free(&der);
	free(image);
}

void doctor_trust(struct doctor *doctor)
{
	if (doctor->live) {
		check_signing(doctor);
		check_lockdown(doctor);
	}
	check_certificates(doctor);
}

/* A value that must be equal on both sides. */
static void compare(struct doctor *doctor, const char *check, const char *cure, const char *theirs,
		    const char *ours)
{
	if (!theirs)
		doctor_say(doctor, FINDING_NOTE, check, NULL, "the client does not say");
	else if (strcmp(theirs, ours))
		doctor_say(doctor, FINDING_MISSING, check, cure, "%s, but here %s", theirs, ours);
	else
		doctor_say(doctor, FINDING_OK, check, NULL, "%s", theirs);
}

void doctor_versions(struct doctor *doctor)
{
	const struct hekifs_record *status = hekifs_only(&doctor->status);
	char *abi;

	if (!doctor->loaded) {
		if (doctor->status.version)
			doctor_say(doctor, FINDING_MISSING, "securityfs format",
				   "install hekictl and the modules from one release",
				   "%u, but here %d", doctor->status.version,
				   HEKI_SECURITYFS_VERSION);
		else
			doctor_say(doctor, FINDING_NOTE, "versions", NULL,
				   "nothing is loaded to compare with");
		return;
	}
	abi = text("%d", HEKI_ABI_VERSION);
	compare(doctor, "ABI", "install hekictl and the modules from one release",
		hekifs_get(status, "abi_version"), abi);
	compare(doctor, "kernel", "look at the machine that the files are from",
		hekifs_get(status, "kernel_release"), doctor->release);
	free(abi);
}
