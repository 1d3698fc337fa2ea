# SPDX-License-Identifier: GPL-2.0-only
#
# HEKI.  "make help" lists the targets; "make run" and "make check" do all their own set-up.

KERNEL ?= 6.1
MODE ?= enforce
SECONDS ?= 60
MINUTES ?= 60
ADDR ?= 0x48000000
MEM ?= 128
CPU ?= max
CPUS ?= 1
KERNELS := 6.1 6.12

top := $(CURDIR)
stock := $(addprefix build/kernel/,$(addsuffix /complete,$(KERNELS)))

.PHONY: help setup kernels modules host hypervisor hypervisor-arm64 run run-guest vm check check-host check-vm soak lint fuzz \
	corpus bench bench-baseline differential accounting flips install clean
.DEFAULT_GOAL := help

help:
	@echo 'Each of these sets up what it needs and says what it installs:'
	@echo '  make run     [KERNEL=6.1|6.12] [MODE=enforce|audit]'
	@echo '                                                boot a stock kernel with HEKI, show it at work'
	@echo '  make vm CMD="..." [KERNEL=] [MODE=enforce|audit|late|off] [EXTRA=dir]'
	@echo '                                                run CMD in such a VM; EXTRA is at /extra there'
	@echo '                (make reports each failure as 2; scripts/vm exits with the status of CMD)'
	@echo '  make vm HYPERVISOR=1 CMD="..." [VTL1=image|none] [HYPERVISOR_APPEND=]'
	@echo '                                                as VTL0 of the hypervisor'
	@echo '  make run-guest GUEST=file [ADDR=0x48000000] [MEM=128] [CPU=max] [CPUS=1] [INITRD=] [APPEND=]'
	@echo '                                                run an arm64 guest under the hypervisor at EL2: an ELF'
	@echo '                                                file, an Image or a flat one, or one of Debian by name,'
	@echo '                                                u-boot.elf, linux-6.1, linux-6.12; Ctrl-A X ends it'
	@echo '  make check [FULL=1]                           host tests and VM tests on both kernels; with FULL all VM'
	@echo '                                                tests on each of them, which takes longer'
	@echo '  make check-host                               only the host tests'
	@echo '  make check-vm [FULL=1] [KERNELS="6.1 6.12"]   only the VM tests'
	@echo '  make soak [MINUTES=60] [KERNEL=] [MODE=enforce|audit|off]'
	@echo '                                                a Debian with a disk under HEKI and under load (as root)'
	@echo '  make lint                                     warnings, sparse, checkpatch, headers, analysers'
	@echo '  make fuzz [SECONDS=60]                        fuzz the core; findings in build/fuzz/crashes/'
	@echo '  make corpus [KERNELS="6.1 6.12"]              check all stock modules, and changed ones'
	@echo '  make accounting [KERNELS="6.1 6.12"] [MODE=enforce]'
	@echo '                                                what explains each byte of all stock modules'
	@echo '  make flips [KERNELS="6.1 6.12"]               change every byte of modules in memory'
	@echo '  make attacks [KERNELS="6.1 6.12"]             try attacks on the kernel, print what comes of each'
	@echo '  make differential [KERNELS="6.1 6.12"]        the same verdicts on Mbed TLS and on the kernel? Minutes'
	@echo '  make bench [KERNELS="6.1 6.12"]               measure; figures in build/bench.json'
	@echo '  make bench-baseline [KERNELS="6.1 6.12"]      measure what make check compares with'
	@echo 'Parts:'
	@echo '  make setup                                    install missing Debian packages'
	@echo '  make modules [KERNEL=]                        vtl1_shim.ko, heki_client.ko in build/modules/'
	@echo '  make hypervisor                               the hypervisor, in build/hypervisor/'
	@echo '  make hypervisor-arm64                         that for arm64, in build/hypervisor-arm64/'
	@echo '  make host                                     hekictl, hekivm and the core for userspace'
	@echo '  make install [PREFIX=/usr] [DESTDIR=]         tools, man pages, headers, sources for DKMS'
	@echo '  make clean                                    remove build products, keep what was fetched'

setup: build/.setup

build/.setup: scripts/setup
	@mkdir -p build
	@scripts/setup
	@touch $@

build/kernel/%/complete: scripts/fetch-kernel build/.setup
	@scripts/fetch-kernel $*
	@touch $@

kernels: $(stock)

modules: build/kernel/$(KERNEL)/complete
	@scripts/build-modules $(KERNEL)

host: build/.setup
	@scripts/build-host

run: modules host
	@scripts/run-demo $(KERNEL) $(MODE)

hypervisor: build/.setup
	@scripts/build-hypervisor

vm: modules host $(if $(filter-out 0,$(HYPERVISOR))$(filter enforce,$(MODE)),hypervisor)
	@$(if $(value CMD),,echo 'make vm: say what to run, CMD="..."' >&2; exit 2)
	@KERNEL=$(KERNEL) MODE=$(MODE) EXTRA='$(EXTRA)' \
		HYPERVISOR='$(HYPERVISOR)' VTL1='$(VTL1)' \
		HYPERVISOR_APPEND='$(subst ','\'',$(value HYPERVISOR_APPEND))' \
		CMD='$(subst ','\'',$(value CMD))' scripts/vm

hypervisor-arm64: build/.setup
	@scripts/build-hypervisor-arm64

run-guest: hypervisor-arm64 host
	@$(if $(value GUEST),,echo 'make run-guest: say which, GUEST=file' >&2; exit 2)
	@scripts/run-guest -a '$(ADDR)' -m '$(MEM)' -c '$(CPU)' -n '$(CPUS)' -i '$(INITRD)' \
		-w '$(subst ','\'',$(value APPEND))' '$(subst ','\'',$(value GUEST))'

check: kernels
	@scripts/check $(if $(FULL),--full) host $(KERNELS)

check-host: kernels
	@scripts/check host

check-vm: kernels
	@scripts/check $(if $(FULL),--full) $(KERNELS)

soak: kernels
	@scripts/soak $(KERNEL) $(MINUTES) $(if $(filter file,$(origin MODE)),enforce,$(MODE))

lint: kernels
	@scripts/lint

fuzz: build/.setup
	@scripts/fuzz $(SECONDS)

corpus: kernels
	@scripts/corpus $(KERNELS)

accounting: kernels
	@scripts/accounting $(if $(filter enforce,$(MODE)),--enforce) $(KERNELS)

flips: kernels
	@scripts/flips $(KERNELS)

attacks: kernels
	@scripts/attack suite $(KERNELS)

differential: kernels
	@scripts/differential $(KERNELS)

bench: kernels
	@scripts/bench $(KERNELS) arm64

bench-baseline: kernels
	@scripts/bench --update-baseline host $(KERNELS) arm64

install: host
	@DESTDIR='$(DESTDIR)' PREFIX='$(or $(PREFIX),/usr)' scripts/install

clean:
	rm -rf build/host build/hypervisor build/hypervisor-arm64 build/arm64-guest build/guest build/modules build/vm build/testdata build/lint \
		build/attack build/bench build/bench.json build/check build/fuzz build/corpus build/packaging.* \
		build/accounting build/proof build/soak
