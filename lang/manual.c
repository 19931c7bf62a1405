/* adl.1 and the completions of bash, zsh and fish. The one idea: they are expansions of
 * options.def, so that an option that exists is documented and completed, and no other is. */
#include "manual.h"
#include "text.h"
#include "io.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    io_write(text, bytes < (int)sizeof text ? (size_t)bytes : sizeof text - 1);
}

/* Text with a backslash before each character of `special`. */
static void put_escaped(const char *text, const char *special) {
    for (; *text; text++) {
        if (strchr(special, *text)) io_write("\\", 1);
        io_write(text, 1);
    }
}

/* ---- the manual page ---- */

static void put_troff(const char *text) {
    bool bold = false;
    if (*text == '.' || *text == '\'') io_write("\\&", 2);
    for (; *text; text++) {
        if (*text == '`') put((bold = !bold) ? "\\fB" : "\\fR");
        else if (*text == '-') put("\\-");
        else if (*text == '\\') put("\\e");
        else io_write(text, 1);
    }
}

static void put_entry(const char *what) { put_troff(what); io_write("\n", 1); }

static void put_option_entry(int letter, const char *name, const char *argument,
                             const char *choices) {
    put(".TP\n");
    if (letter) put("\\fB\\-%c\\fR%s", letter, name ? ", " : "");
    if (name) {
        put("\\fB\\-\\-");
        put_troff(name);
        put("\\fR");
    }
    if (choices) put("=\\fI%s\\fR", choices);
    else if (argument) put(" \\fI%s\\fR", argument);
    io_write("\n", 1);
}

void manual_page(void) {
    put(".TH ADL 1 \"\" \"adl 0.1\" \"User Commands\"\n.SH NAME\nadl \\- a small array language "
        "with automatic differentiation\n"
        ".SH SYNOPSIS\n");
#define USE(call, what) put(".TP\n.B "); put_troff(call); put("\n"); put_entry(what);
#include "options.def"
    put(".SH DESCRIPTION\n"
        "adl runs programs of a small array language made for learning and using automatic "
        "differentiation. What\n"
        "stands between \\fBrecord <\\fR and \\fB>\\fR is recorded on a tape; \\fBbackward(f)\\fR "
        "sweeps the tape in reverse,\n"
        "and \\fBgrad(x)\\fR reads the gradient.\n"
        "Results go to standard output, messages to standard error.\n.SH TOOLS\n");
#define TOOL(name, words, what)                                                                    \
    put(".TP\n.B adl " #name " ");                                                                 \
    put_troff(words);                                                                              \
    put("\n");                                                                                     \
    put_entry(what);
#define TOOL_OPTION(tool, name, argument, what)                                                    \
    put(".TP\n.B adl " #tool " ");                                                                 \
    put_troff(name);                                                                               \
    put("\n");                                                                                     \
    put_entry(what);
#include "options.def"
    put(".SH OPTIONS\n");
#define OPTION(id, letter, name, argument, choices, what) \
    put_option_entry(letter, name, argument, choices); put_entry(what);
#include "options.def"
    put(".SH EXIT STATUS\n");
#define STATUS(id, number, what) put(".TP\n.B %d\n", number); put_entry(what);
#include "options.def"
    put(".SH ENVIRONMENT\n");
#define VARIABLE(name, what) put(".TP\n.B " name "\n"); put_entry(what);
#include "options.def"
    put(".SH EXAMPLES\n.nf\n"
        "adl \\-p 'grad(x \\-> x^3)(2)'\n"
        "adl \\-\\-seed 1 train.adl data.csv\n"
        "adl doc matmul\n"
        "adl fmt \\-\\-check *.adl\n.fi\n");
}

/* ---- the tables, for the shells ---- */

static const struct Row { int letter; const char *name, *argument, *choices, *what; } rows[] = {
#define OPTION(id, letter, name, argument, choices, what) { letter, name, argument, choices, what },
#include "options.def"
};
static const struct { const char *name, *what; } tools[] = {
#define TOOL(name, words, what) { #name, what },
#include "options.def"
};
static const struct { const char *tool, *name, *what; } tool_options[] = {
#define TOOL_OPTION(tool, name, argument, what) { #tool, name, what },
#include "options.def"
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

/* "auto|always|never" as words. */
static void put_choices(const char *choices) {
    for (; *choices; choices++) put("%c", *choices == '|' ? ' ' : *choices);
}

static void put_tool_names(void) {
    for (size_t i = 0; i < COUNT(tools); i++) put("%s%s", i ? " " : "", tools[i].name);
}

/* ---- bash ---- */

static void bash_arguments(void) {
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct Row *row = &rows[i];
        if (!row->argument) continue;
        if (row->name) put("    --%s) ", row->name);
        else put("    -%c) ", row->letter);
        if (row->choices) {
            put("COMPREPLY=($(compgen -W '");
            put_choices(row->choices);
            put("' -- \"$word\")); ");
        }
        put("return;;\n");
    }
}

static void bash_tools(void) {
    for (size_t t = 0; t < COUNT(tools); t++) {
        put("    %s) options='", tools[t].name);
        for (size_t i = 0; i < COUNT(tool_options); i++)
            if (!strcmp(tool_options[i].tool, tools[t].name)) put("%s ", tool_options[i].name);
        put("';;\n");
    }
}

void complete_bash(void) {
    put("# bash completion for adl, made by `adl doc --bash`\n_adl() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} tool= "
        "options= i\n"
        "    [ \"$word\" = = ] && word=\n"
        "    [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case \" ");
    put_tool_names();
    put(" \" in *\" ${COMP_WORDS[i]} \"*) tool=${COMP_WORDS[i]};; esac\n    done\n"
        "    COMPREPLY=()\n    case $before in\n");
    bash_arguments();
    put("    esac\n    case $tool in\n");
    bash_tools();
    put("    *) options='");
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].letter) put("-%c ", rows[i].letter);
        if (rows[i].name) put("--%s ", rows[i].name);
    }
    put("';;\n    esac\n"
        "    if [[ $word == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$word\")); "
        "return; fi\n"
        "    [ -n \"$tool\" ] || COMPREPLY=($(compgen -W '");
    put_tool_names();
    put("' -- \"$word\"))\n    COMPREPLY+=($(compgen -f -- \"$word\"))\n}\ncomplete -o filenames "
        "-F _adl adl\n");
}

/* ---- zsh ---- */

/* '--seed=[the same draws]:N:' */
static void zsh_option(const struct Row *row, bool is_long) {
    put(" \\\n    '%s", row->letter == 'e' || row->letter == 'p' ? "*" : "");
    if (is_long) put("--%s%s[", row->name, row->argument ? "=" : "");
    else put("-%c[", row->letter);
    put_escaped(row->what, "[]:");
    put("]");
    if (row->argument) put(":%s:", row->argument);
    if (row->choices) {
        put("(");
        put_choices(row->choices);
        put(")");
    }
    put("'");
}

static void zsh_tools(void) {
    for (size_t t = 0; t < COUNT(tools); t++) {
        put("    %s) _arguments", tools[t].name);
        for (size_t i = 0; i < COUNT(tool_options); i++) {
            if (strcmp(tool_options[i].tool, tools[t].name)) continue;
            put(" '%s[", tool_options[i].name);
            put_escaped(tool_options[i].what, "[]:");
            put("]'");
        }
        put(" '*:file:_files';;\n");
    }
}

void complete_zsh(void) {
    put("#compdef adl\n# zsh completion for adl, made by `adl doc --zsh`\n"
        "_adl_first() {\n  local -a tools=(\n");
    for (size_t t = 0; t < COUNT(tools); t++) {
        put("    '%s:", tools[t].name);
        put_escaped(tools[t].what, ":");
        put("'\n");
    }
    put("  )\n  _describe tool tools\n  _files\n}\n_adl() {\n  local tool=$words[2]\n"
        "  if (( CURRENT > 2 )); then case $tool in\n    ");
    for (size_t t = 0; t < COUNT(tools); t++) put("%s%s", t ? "|" : "", tools[t].name);
    put(") shift words; (( CURRENT-- ));;\n    *) tool=;;\n  esac; else tool=; fi\n  case $tool "
        "in\n");
    zsh_tools();
    put("    *) _arguments");
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].letter) zsh_option(&rows[i], false);
        if (rows[i].name) zsh_option(&rows[i], true);
    }
    put(" \\\n    '1:file or tool:_adl_first' '*:argument:_files';;\n  esac\n}\n_adl \"$@\"\n");
}

/* ---- fish ---- */

static void put_quoted(const char *text) {
    io_write("'", 1);
    put_escaped(text, "'\\");
    io_write("'", 1);
}

static void fish_option(const struct Row *row) {
    put("complete -c adl");
    if (row->letter) put(" -s %c", row->letter);
    if (row->name) put(" -l %s", row->name);
    if (row->argument) put(" -x");
    if (row->choices) {
        put(" -a '");
        put_choices(row->choices);
        put("'");
    }
    put(" -d ");
    put_quoted(row->what);
    put("\n");
}

void complete_fish(void) {
    put("# fish completion for adl, made by `adl doc --fish`\n");
    for (size_t i = 0; i < COUNT(rows); i++) fish_option(&rows[i]);
    for (size_t t = 0; t < COUNT(tools); t++) {
        put("complete -c adl -n __fish_use_subcommand -a %s -d ", tools[t].name);
        put_quoted(tools[t].what);
        put("\n");
    }
    for (size_t i = 0; i < COUNT(tool_options); i++) {
        put("complete -c adl -n '__fish_seen_subcommand_from %s' -l %s -d ", tool_options[i].tool,
            tool_options[i].name + 2);
        put_quoted(tool_options[i].what);
        put("\n");
    }
}
