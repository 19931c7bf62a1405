# adl: make demo | check | bench | sanitize | install | help
CC      ?= gcc
PACKAGES = readline openblas libffi jansson libutf8proc
CFLAGS  ?= -O2 -g
BASE     = -std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -ffp-contract=off \
           -fno-math-errno -fno-trapping-math $(shell pkg-config --cflags $(PACKAGES))
LIBS     = $(shell pkg-config --libs $(PACKAGES)) -lm -lpthread -ldl
RUNTIME  = $(patsubst runtime/%.c,build/runtime/%.o,$(wildcard runtime/*.c))
LANG_    = $(patsubst lang/%.c,build/lang/%.o,$(wildcard lang/*.c))

all: build/adl
build/adl: $(RUNTIME) $(LANG_)
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)
build/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) -MMD -Iruntime -c -o $@ $<
build/lang/%.o: lang/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) -MMD -Iruntime -Ilang -c -o $@ $<
-include $(wildcard build/*/*.d)
