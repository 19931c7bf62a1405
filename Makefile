# adl's Makefile: what to run, and how it is built. `make help` lists the commands.
#
# Everything made lands in build/ (BUILD names another folder: `make sanitize` uses build/sanitize).
# The include rule of the house is kept here: runtime/ is compiled with -Iruntime alone, so that it
# cannot know syntax; lang/ sees both.

MAKEFLAGS += --no-builtin-rules    # or make would try to link build/x.d from build/x.d.o
BUILD   ?= build
PREFIX  ?= /usr/local
VERSION  = 0.1
ABI      = 0                        # of libadl: rises when a program has to be built again
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CFLAGS  ?= -O2 -g
CORES   := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
MACHINE := $(shell uname -m)

LIBRARIES = libffi jansson libutf8proc
# Without libzip adl reads and writes no .npz; the rest needs nothing of it.
OPTIONAL := $(shell pkg-config --exists libzip 2>/dev/null && echo libzip)
# Without Cairo it writes no .png.
CAIRO    := $(shell pkg-config --exists cairo 2>/dev/null && echo cairo)
# These three are not linked, but loaded by the first product, archive, picture: a start takes half
# the time without them. Found by name, else where they are now.
LOADED   := openblas $(OPTIONAL) $(CAIRO)
FOLDER_OF = $(patsubst %/,%,$(shell pkg-config --variable=libdir $(1) 2>/dev/null))
FOLDERS  := -DOPENBLAS_FOLDER='"$(call FOLDER_OF,openblas)"' -DLIBZIP_FOLDER='"$(call FOLDER_OF,libzip)"'
WARNINGS  = -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
# Two builds of one formula must agree bit for bit, so no contraction; nothing reads errno or traps.
ARITHMETIC = -ffp-contract=off -fno-math-errno -fno-trapping-math
# One set of objects serves the program and the library: what is hidden costs nothing in either.
SHARING   = -fPIC -fvisibility=hidden
BASE     := -std=gnu11 $(WARNINGS) $(ARITHMETIC) $(SHARING) $(FOLDERS) \
            $(shell pkg-config --cflags readline $(LIBRARIES) $(LOADED) 2>/dev/null)
LIBS     := $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -lm -lpthread -ldl
READLINE := $(shell pkg-config --libs readline 2>/dev/null)
COMPILE   = @echo "  cc $<"; mkdir -p $(@D); $(CC) $(BASE) $(CFLAGS) -MMD -MP

# ---- what to run ------------------------------------------------------------------------------

# Parallel, unless the caller of make has said how many jobs there may be. Only inside one make: two
# goals named side by side would both build the library.
ifeq ($(MAKELEVEL),0)
.NOTPARALLEL:
endif
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(CORES))
MAKEFLAGS += --no-builtin-rules

all:                 ## builds build/adl
	@+$(SUBMAKE) $(BUILD)/adl
demo: setup          ## sets up, builds, runs the tutorial, then opens the prompt on a terminal
	@+$(SUBMAKE) $(BUILD)/adl
	@$(BUILD)/adl examples/autograd.adl
	@if [ -t 0 ]; then $(BUILD)/adl; fi
check: setup-tests   ## sets up, builds, runs every test; the last line is `N passed, N failed`
	@+$(SUBMAKE) $(BUILD)/adl unit-tests library $(BUILD)/embed
	@tests/run $(BUILD)
sanitize: setup-tests ## the same under the address and undefined-behaviour sanitizers
	@+$(SUBMAKE) BUILD=build/sanitize CFLAGS="$(SANITIZE)" build/sanitize/adl unit-tests library build/sanitize/embed
	@tests/run build/sanitize
fuzz: setup-tests    ## feeds mutilated programs and data files to a sanitized build (TIME=60 of each)
	@+$(SUBMAKE) BUILD=build/sanitize CFLAGS="$(SANITIZE)" build/sanitize/adl build/sanitize/fuzz \
	    build/sanitize/unit/data_fuzz_test
	@build/sanitize/unit/data_fuzz_test $(TIME)
	@build/sanitize/fuzz build/sanitize/adl $(TIME)
bench: setup         ## measures adl beside what is installed of PyTorch, NumPy, JAX, Octave, CPython, Lua and C
	@+$(SUBMAKE) $(BUILD)/adl $(BUILD)/measure $(BENCH_C)
	@tests/bench/run $(BUILD) $(GROUPS)
bench-peers: setup   ## installs those peers: Python's in build/peers, the others by apt-get
	@tests/bench/peers build/peers
bench-check: setup-counts ## compares counts and ratios with the committed ones; fails where one fell behind by a tenth
	@+$(SUBMAKE) $(BUILD)/adl $(BUILD)/measure $(BENCH_C)
	@tests/bench/counts/run $(BUILD)
	@tests/bench/check $(BUILD)
doc: all             ## writes the reference manual as one page, build/adl.html
	@$(BUILD)/adl doc --html >$(BUILD)/adl.html && echo "$(BUILD)/adl.html"
editors: all         ## writes the grammars for editors, lang/editors, from the token table
	@$(BUILD)/adl doc --vim >lang/editors/vim/syntax/adl.vim
	@$(BUILD)/adl doc --textmate >lang/editors/vscode/syntaxes/adl.tmLanguage.json
install: all         ## copies adl, libadl, manual page and completions below PREFIX (default: /usr/local)
	@+$(SUBMAKE) library
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install $(BUILD)/adl $(DESTDIR)$(PREFIX)/bin/adl
	install -m 644 lang/adl.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(BUILD)/libadl.a $(BUILD)/libadl.so.$(ABI) $(DESTDIR)$(PREFIX)/lib
	ln -sf libadl.so.$(ABI) $(DESTDIR)$(PREFIX)/lib/libadl.so
	@printf '%s\n' 'prefix=$(PREFIX)' 'Name: adl' 'Version: $(VERSION)' \
	    'Description: a small array language with differentiation built in' \
	    'Requires.private: $(LIBRARIES)' 'Libs: -L$${prefix}/lib -ladl' \
	    'Libs.private: -lm -lpthread -ldl' 'Cflags: -I$${prefix}/include' \
	    >$(DESTDIR)$(PREFIX)/lib/pkgconfig/adl.pc
	$(call install_made,man,man/man1/adl.1)
	$(call install_made,bash,bash-completion/completions/adl)
	$(call install_made,zsh,zsh/site-functions/_adl)
	$(call install_made,fish,fish/vendor_completions.d/adl.fish)
# The program writes its own manual page and completions, from the table of its options.
define install_made
install -d $(DESTDIR)$(PREFIX)/share/$(dir $(2))
$(BUILD)/adl doc --$(1) >$(DESTDIR)$(PREFIX)/share/$(2)
endef
clean:               ## removes build/
	rm -rf build
help:                ## shows this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

# Chunks of two nodes, so that every test meets the seams of the tape.
# The sanitizers' own branches lead gcc to two false warnings; the plain build gives them where they are true.
SANITIZE = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -DCHUNK_SHIFT=1 \
           -Wno-maybe-uninitialized -Wno-format-truncation
TIME     = 60
.PHONY: all demo check sanitize fuzz bench bench-peers bench-check doc editors install clean help setup setup-tests setup-counts unit-tests library always
.DEFAULT_GOAL = all

# ---- setting up -------------------------------------------------------------------------------
# A library is there if pkg-config knows it (one that is only loaded, libNAME.so: if the loader
# does), a tool if the shell finds it. What is missing is
# installed where apt-get may be used, else named. Nothing is run when nothing is missing.
#
#          command or library : its name for apt, dnf, pacman, brew
TOOLS    = gcc:gcc:gcc:gcc:gcc pkg-config:pkg-config:pkgconf:pkgconf:pkgconf
NEEDED   = readline:libreadline-dev:readline-devel:readline:readline \
           openblas:libopenblas-dev:openblas-devel:openblas:openblas \
           libffi:libffi-dev:libffi-devel:libffi:libffi \
           jansson:libjansson-dev:jansson-devel:jansson:jansson \
           libutf8proc:libutf8proc-dev:utf8proc-devel:libutf8proc:utf8proc \
           libzip:libzip-dev:libzip-devel:libzip:libzip
TESTING  = cmocka:libcmocka-dev:libcmocka-devel:cmocka:cmocka \
           tmux:tmux:tmux:tmux:tmux \
           valgrind:valgrind:valgrind:valgrind:valgrind \
           ps:procps:procps-ng:procps-ng:procps \
           libgsl.so:gsl-bin:gsl:gsl:gsl \
           libfftw3.so.3:libfftw3-double3:fftw-libs-double:fftw:fftw \
           libsqlite3.so.0:libsqlite3-0:sqlite-libs:sqlite:sqlite \
           mpirun:openmpi-bin:openmpi:openmpi:open-mpi

setup:
	@$(call install_missing,$(NEEDED))
setup-tests:
	@$(call install_missing,$(NEEDED) $(TESTING))
setup-counts: TOOLS += valgrind:valgrind:valgrind:valgrind:valgrind
setup-counts:
	@$(call install_missing,$(NEEDED))

# $(1): the libraries and tools that must be there besides TOOLS.
define install_missing
there() { case $$1 in \
    lib*.so*) known=$$(PATH="$$PATH:/sbin" ldconfig -p 2>/dev/null); \
              [ -z "$$known" ] || echo "$$known" | grep -qF "$$1";; \
    *) pkg-config --exists "$$1" 2>/dev/null || command -v "$$1" >/dev/null;; esac; }; \
missing=; \
for row in $(TOOLS) $(1); do \
    there $${row%%:*} || missing="$$missing $$row"; done; \
[ -n "$$missing" ] || exit 0; \
names() { for row in $$missing; do echo "$$row" | cut -d: -f$$1; done | tr '\n' ' '; }; \
if [ "$$(id -u)" = 0 ]; then as_root=; else as_root="sudo -n"; fi; \
if command -v apt-get >/dev/null && $$as_root true 2>/dev/null; then \
    echo "installing $$(names 2)"; \
    $$as_root apt-get -q -o DPkg::Lock::Timeout=300 update && \
    $$as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install $$(names 2); \
else \
    echo "adl needs a few packages that are not installed here. Run one of:" >&2; \
    echo "  sudo apt-get install $$(names 2)" >&2; \
    echo "  sudo dnf install $$(names 3)" >&2; \
    echo "  sudo pacman -S $$(names 4)" >&2; \
    echo "  brew install $$(names 5)" >&2; \
    exit 1; \
fi
endef

# ---- building ---------------------------------------------------------------------------------

# The elementwise kernels are compiled once per x86-64 level, each making its own table; the best
# one is chosen at start. Elsewhere, and with LEVELS= here, they are compiled once, in portable C.
ifeq ($(MACHINE),x86_64)
LEVELS  = v2 v3 v4
else
LEVELS  =
endif
KERNELS = elem_kernels line_kernels pass_kernels conv_kernels sort_kernels product_kernels
KERNEL_OBJECTS = $(foreach file,$(KERNELS),$(LEVELS:%=$(BUILD)/runtime/$(file).%.o))

LEFT_OUT = $(if $(LEVELS),$(KERNELS:%=runtime/%.c)) \
           $(if $(OPTIONAL),runtime/npz_none.c,runtime/npz_zip.c) \
           $(if $(CAIRO),lang/png_none.c,lang/png_cairo.c)
RUNTIME = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(LEFT_OUT),$(wildcard runtime/*.c))) \
          $(KERNEL_OBJECTS)
PROGRAM = $(patsubst %.c,$(BUILD)/%.o,$(wildcard lang/main.c lang/repl*.c lang/doctest*.c lang/expectations.c lang/optest.c lang/options.c lang/report.c lang/tools.c lang/learn.c lang/manual.c lang/editors.c))
LANG_   = $(filter-out $(PROGRAM),$(patsubst %.c,$(BUILD)/%.o,$(filter-out $(LEFT_OUT),$(wildcard lang/*.c))))
STDLIB  = $(wildcard stdlib/*.adl)
LESSONS = $(sort $(wildcard examples/learn/*.adl))
PAGES   = $(wildcard lang/manual/*.md)

$(BUILD)/adl: $(PROGRAM) $(BUILD)/internal.a
	@echo "  ld $@"; $(CC) $(CFLAGS) -o $@ $^ $(READLINE) $(LIBS)
$(BUILD)/internal.a: $(RUNTIME) $(LANG_) $(BUILD)/embedded.o
	@rm -f $@; ar rcs $@ $^

# For who embeds adl (lang/adl.h): no name but adl_* is seen from outside, in either form.
library: $(BUILD)/libadl.a $(BUILD)/libadl.so
$(BUILD)/libadl.a: $(RUNTIME) $(LANG_) $(BUILD)/embedded.o
	@rm -f $@; ld -r -o $(BUILD)/libadl.o $^ && objcopy --localize-hidden $(BUILD)/libadl.o && \
	ar rcs $@ $(BUILD)/libadl.o
$(BUILD)/libadl.so.$(ABI): $(RUNTIME) $(LANG_) $(BUILD)/embedded.o
	@echo "  ld $@"; $(CC) $(CFLAGS) -shared -Wl,-soname,libadl.so.$(ABI) -Wl,--no-undefined -o $@ $^ $(LIBS)
$(BUILD)/libadl.so: $(BUILD)/libadl.so.$(ABI)
	@ln -sf $(<F) $@

# Other flags make other objects.
$(BUILD)/flags: always
	@mkdir -p $(@D); echo '$(CC) $(BASE) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(BASE) $(CFLAGS)' >$@
$(RUNTIME) $(LANG_) $(PROGRAM): $(BUILD)/flags

$(BUILD)/runtime/%.o: runtime/%.c
	$(COMPILE) -Iruntime -c -o $@ $<
$(addprefix $(BUILD)/runtime/,array.o chosen.o tiles.o pick.o where.o index.o pool.o pull_small.o): CFLAGS += -O3    # their loops are SIMD
$(BUILD)/runtime/ops.o: CFLAGS += -DKERNEL_LEVELS=$(words $(LEVELS))                # it chooses one
$(BUILD)/lang/%.o: lang/%.c
	$(COMPILE) -Iruntime -Ilang -c -o $@ $<
# A select between a number and a bound is not to become two paths of which one is folded: that doubles
# what comes behind it, once the loop is SIMD.
SELECTS = -fno-tree-pre -fno-thread-jumps
$(BUILD)/runtime/elem_kernels.%.o: runtime/elem_kernels.c
	$(COMPILE) -O3 $(SELECTS) -march=x86-64-$* -DELEM_TABLE=elem_table_$* -Iruntime -c -o $@ $<
$(BUILD)/runtime/line_kernels.%.o: runtime/line_kernels.c
	$(COMPILE) -O3 -march=x86-64-$* -DLINE_TABLE=line_kernels_$* -Iruntime -c -o $@ $<
$(BUILD)/runtime/pass_kernels.%.o: runtime/pass_kernels.c
	$(COMPILE) -O3 -march=x86-64-$* -DPASS_TABLE=pass_kernels_$* -Iruntime -c -o $@ $<
$(BUILD)/runtime/conv_kernels.%.o: runtime/conv_kernels.c
	$(COMPILE) -O3 -ffp-contract=fast -march=x86-64-$* -DCONV_TABLE=conv_kernels_$* -Iruntime -c -o $@ $<
$(BUILD)/runtime/product_kernels.%.o: runtime/product_kernels.c
	$(COMPILE) -O3 -ffp-contract=fast -march=x86-64-$* -DPRODUCT_TABLE=product_kernels_$* -Iruntime -c -o $@ $<
$(BUILD)/runtime/sort_kernels.%.o: runtime/sort_kernels.c
	$(COMPILE) -O3 -march=x86-64-$* -DSORT_TABLE=sort_kernels_$* -Iruntime -c -o $@ $<

# The standard library and the chapters of the manual travel inside the binary: every file as
# {NAME, text, bytes}. $(1): the name of the table, $(2): the files.
define embed
echo 'const EmbeddedFile $(1)[] = {'; \
for file in $(2); do name=$$(basename $$file); name=$${name%.*}; \
    echo "{ \"$$name\", (const char[]){"; \
    od -An -v -tu1 $$file | sed 's/ *\([0-9]*\)/(char)\1,/g; s/(char),//g'; echo "0}, $$(wc -c <$$file) },"; done; \
echo '{ 0, 0, 0 } };'
endef
$(BUILD)/embedded.c: $(STDLIB) $(PAGES) $(LESSONS) Makefile
	@echo "  embed stdlib, manual, lessons"; mkdir -p $(@D); { echo '#include "module.h"'; \
	$(call embed,embedded_files,$(STDLIB)); $(call embed,embedded_pages,$(PAGES)); \
	$(call embed,embedded_lessons,$(LESSONS)); } >$@
$(BUILD)/embedded.o: $(BUILD)/embedded.c
	$(COMPILE) -Iruntime -Ilang -c -o $@ $<

# ---- tests and tools in C ---------------------------------------------------------------------

UNIT_TESTS = $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/unit/*_test.c))
unit-tests: $(UNIT_TESTS)
$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/internal.a
	$(COMPILE) -Iruntime -Ilang -o $@ $< $(BUILD)/internal.a $(LIBS) -lcmocka
# The example of embedding, linked with what is installed.
$(BUILD)/embed: examples/embed/embed.c $(BUILD)/libadl.a
	@echo "  cc $<"; $(CC) -std=c11 -Wall -Wextra $(CFLAGS) -Ilang -o $@ $^ $(LIBS)
$(BUILD)/fuzz: tests/fuzz/fuzz.c
	$(COMPILE) -o $@ $<
$(BUILD)/measure: tests/bench/measure.c
	$(COMPILE) -o $@ $<
BENCH_C = $(BUILD)/bench/arrays $(BUILD)/bench/products
$(BENCH_C): $(BUILD)/bench/%: tests/bench/%.c tests/bench/clock.h
	$(COMPILE) -O3 -march=native -Iruntime -o $@ $< $(shell pkg-config --libs openblas) $(LIBS)

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)
