/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core, used to judge module files: the same code that VTL1 runs, with no kernel at hand.
 *
 * This header keeps the core's names away from the rest of hekictl.
 */
#ifndef HEKICTL_CHECKER_H
#define HEKICTL_CHECKER_H

#include "hekictl.h"

#define CHECK_TEXT 136
#define CHECK_SIGNER 88
#define CHECK_RELOCATION_TYPES 64
#define CHECK_SITE_KINDS 16

/**
 * struct check_result - what was found in a file
 * @signature: enum heki_error of the signature, 0 when it is good
 * @signature_text: details
 * @signer:    common name of the certificate
 * @format:    enum heki_error of the ELF, its layout or its sites, 0 when they are good
 * @format_text: details
 * @parsed:    what follows is set
 * @size:      bytes of the file, with its signature
 * @sha256:    of what is signed, in hexadecimal
 * @name:      module name
 * @vermagic:  the kernel that it is for
 * @depends:   modules that it needs, comma-separated
 * @bytes:     by enum heki_module_memory_type
 * @relocations: by type
 * @other_relocations: of types beyond the table
 * @sites:     by kind
 * @patches:   jump labels outside init memory
 * @undefined: symbols of the kernel or of other modules
 */
struct check_result {
	uint32_t signature;
	char signature_text[CHECK_TEXT];
	char signer[CHECK_SIGNER];
	uint32_t format;
	char format_text[CHECK_TEXT];
	bool parsed;
	uint64_t size;
	char sha256[65];
	char name[HEKI_MODULE_NAME_LEN];
	char vermagic[128];
	char depends[512];
	uint64_t bytes[HEKI_MOD_MEM_TYPES];
	uint32_t relocations[CHECK_RELOCATION_TYPES];
	uint32_t other_relocations;
	uint32_t sites[CHECK_SITE_KINDS];
	uint32_t patches;
	uint32_t undefined;
};

struct checker;

/* A checker that trusts nobody yet; drop with checker_free(). */
struct checker *checker_new(void);
void checker_free(struct checker *checker);

/* Trust one certificate (DER); 0, or an enum heki_error. */
uint32_t checker_trust(struct checker *checker, const uint8_t *der, size_t n);

/* Trust one certificate if one that is trusted already has signed it; 0, or an enum heki_error. */
uint32_t checker_trust_secondary(struct checker *checker, const uint8_t *der, size_t n);

/* Never trust a certificate, however it comes; 0, or an enum heki_error. */
uint32_t checker_revoke(struct checker *checker, const uint8_t *der, size_t n);

/* Enter a record of the blocklist, "bin:HEX" or "tbs:HEX"; 0, or an enum heki_error. */
uint32_t checker_block(struct checker *checker, const char *record);

/* Judge a file, uncompressed; several checkers may do so at once. */
void checker_judge(struct checker *checker, const uint8_t *p, size_t n, struct check_result *result);

/* Name of a kind of sites, or NULL beyond the last. */
const char *checker_site_name(unsigned int kind);

/* Name of a relocation type, or NULL for one that the core refuses. */
const char *checker_relocation_name(unsigned int type);

#endif /* HEKICTL_CHECKER_H */
